// SPDX-License-Identifier: Apache-2.0
//
// Hosts with an endpoint each, and a network between them that loses nothing and takes a
// millisecond. For tests of whole endpoints; the simulator in tests/sim is for everything about
// time and loss.
#ifndef GODWIT_TESTS_TRANSPORT_ENDPOINT_ENDPOINT_HOSTS_H_
#define GODWIT_TESTS_TRANSPORT_ENDPOINT_ENDPOINT_HOSTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/seeded_random.h"
#include "crypto/deterministic_tls_session.h"
#include "crypto/secret_key.h"
#include "crypto/tls_session.h"
#include "godwit/connection_id_generator.h"
#include "godwit/socket_address.h"
#include "transport/endpoint/endpoint.h"

namespace godwit {

struct SentDatagram {
  FourTuple four_tuple;  // As its sender sees it.
  std::vector<uint8_t> bytes;
};

enum class HostRole : uint8_t { kClient, kServer };

class EndpointHost {
 public:
  struct Options {
    HostRole role = HostRole::kClient;
    std::string_view address;
    EndpointConfig config = {};
    ConnectionIdGenerator* connection_ids = nullptr;
    // Null: deterministic ones.
    const TlsClientFactory* tls_clients = nullptr;
    TlsServerFactory* tls_servers = nullptr;
    std::optional<SecretKey> stateless_reset_key = std::nullopt;
    uint64_t seed = 1;
  };

  explicit EndpointHost(const Options& options);

  const SocketAddress& address() const { return address_; }
  Endpoint& endpoint() { return *endpoint_; }

  void Receive(std::vector<SentDatagram> datagrams, Timestamp now);
  // Drains events, then datagrams, and checks the endpoint's invariants.
  void Drain(Timestamp now);
  std::vector<SentDatagram> TakeSent();

  // Called for each event, after it was recorded.
  std::function<void(const EndpointEvent&)> on_event;
  std::vector<EndpointEvent> events;
  // The transmits, by their first segment's peer; for order.
  std::vector<uint64_t> train_sizes;

  // Of kClosed events, in order.
  std::vector<CloseReason> close_reasons;

  size_t CountEvents(ConnectionEvent::Kind kind) const;
  ConnectionHandle last_connection() const { return events.back().connection; }

 private:
  SocketAddress address_;
  SeededRandom random_;
  DeterministicTlsClients tls_clients_;
  DeterministicTlsServers tls_servers_;
  std::unique_ptr<Endpoint> endpoint_;
  std::vector<SentDatagram> sent_;
};

class EndpointNetwork {
 public:
  // Outlives it.
  void Add(EndpointHost* host) { hosts_.push_back(host); }
  void Remove(EndpointHost* host) { std::erase(hosts_, host); }

  Timestamp now() const { return now_; }

  // Carries datagrams, a millisecond each time, until nobody sends any more; timers that are due
  // meanwhile fire. Datagrams to addresses without a host are lost.
  void RunUntilQuiet();
  // The same, and then on to `later`, from one deadline to the next.
  void RunFor(Duration duration);

  // Connects, and runs until quiet.
  ConnectionHandle Connect(EndpointHost& client, const EndpointHost& server);

 private:
  bool Carry();
  void FireTimers();

  std::vector<EndpointHost*> hosts_;
  Timestamp now_ = Timestamp() + Duration::Seconds(100);
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_ENDPOINT_ENDPOINT_HOSTS_H_
