// SPDX-License-Identifier: Apache-2.0
//
// Endpoint: many connections behind one or more local addresses, clients and servers: it routes
// datagrams by connection id, accepts and refuses, answers what belongs to no connection, keeps
// their deadlines, bounds their memory and is fair among them. RFC 9000 §5.2, §6, §10.3, §14.1.
//
// Bytes and times in, bytes and a deadline out; one thread at a time. The protocol of a connection
// is transport/connection's.
//
// Use, once per batch:
//   endpoint.OnDatagrams(datagrams, now);
//   while (auto event = endpoint.PollEvent()) { ... endpoint.Find(event->connection) ... }
//   while (!(transmit = endpoint.PollTransmit(now)).payload.empty()) { ... }
//   // wait for the socket or endpoint.NextWakeup(), then OnTimeout()
//
// Memory of received datagrams: they are opened in place, and what PeekStream() shows may lie in
// them. They stay valid, and untouched by the caller, until PollEvent() has said that there is
// nothing more; by then the endpoint has copied what was not consumed.
#ifndef GODWIT_TRANSPORT_ENDPOINT_ENDPOINT_H_
#define GODWIT_TRANSPORT_ENDPOINT_ENDPOINT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

#include "base/environment.h"
#include "crypto/secret_key.h"
#include "crypto/tls_session.h"
#include "godwit/connection_event.h"
#include "godwit/connection_handle.h"
#include "godwit/connection_id_generator.h"
#include "godwit/datagram.h"
#include "godwit/endpoint_stats.h"
#include "godwit/time.h"
#include "transport/connection/connection.h"
#include "transport/endpoint/endpoint_config.h"

namespace godwit {

struct EndpointState;

struct EndpointEvent {
  ConnectionHandle connection;
  bool is_new = false;  // The first event of an accepted connection; `event` is kHandshakeComplete.
  ConnectionEvent event;
};

// The powers of an endpoint. All outlive it.
struct EndpointEnvironment {
  Random* random = nullptr;
  EventSink* events = nullptr;                      // May be null.
  ConnectionIdGenerator* connection_ids = nullptr;  // Null: random ones of 8 bytes.
  const TlsClientFactory* tls_clients = nullptr;    // Null: Connect() fails.
  TlsServerFactory* tls_servers = nullptr;          // Null: nothing is accepted.
  // From which the stateless reset tokens of our connection ids are made. Endpoints that may get
  // each other's packets, and the same one after a restart, need the same key. None: a random one,
  // and peers notice a restart by their idle timeout only.
  std::optional<SecretKey> stateless_reset_key = std::nullopt;
};

struct ConnectOptions {
  FourTuple four_tuple;
  std::string_view server_name = {};
  std::span<const uint8_t> resumption_ticket = {};
};

class Endpoint {
 public:
  // Errors name the field, its value and what is allowed.
  static absl::StatusOr<std::unique_ptr<Endpoint>> Create(const EndpointConfig& config,
                                                          const EndpointEnvironment& environment);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // What the wall clock says at that moment; from then on it is counted on. Certificates and
  // tickets need it. To be told at the start, and again when the clock may have been set.
  void SetWallClock(TlsTime time);

  // Times come from a clock that does not go back. If one does, time stands still until the clock
  // shows again what it showed before.
  absl::StatusOr<ConnectionHandle> Connect(const ConnectOptions& options, Timestamp now);

  void OnDatagrams(std::span<const ReceivedDatagram> datagrams, Timestamp now);
  std::optional<EndpointEvent> PollEvent();
  // The next train; empty if there is none. Valid until the next call of a non-const function.
  Transmit PollTransmit(Timestamp now);
  // InfinitePast() if PollTransmit() or PollEvent() may have something now; Infinite() if nothing
  // is awaited.
  Timestamp NextWakeup() const;
  void OnTimeout(Timestamp now);
  // The kernel refused a datagram of that size on that path (EMSGSIZE).
  void OnDatagramTooLarge(const FourTuple& four_tuple, uint64_t bytes, Timestamp now);

  // What is done with the connection is sent by the next PollTransmit(), and its events come with
  // PollEvent(). The pointer is valid until the next non-const call.
  // Null once the connection is gone: it can be looked at when its kClosed event was polled, and
  // not any more after the next PollEvent() or PollTransmit().
  Connection* Find(ConnectionHandle handle);

  // No connection is accepted from now on; the others go on.
  void StopAccepting();
  // Closes all of them, as Connection::Close() does.
  void CloseAll(uint64_t error_code, std::string_view reason, Timestamp now);

  size_t connection_count() const;
  const EndpointStats& stats() const;

  void CheckInvariants() const;

 private:
  explicit Endpoint(std::unique_ptr<EndpointState> state);

  std::optional<EndpointEvent> TakeEvent();
  void ForgetClosed();
  void MarkGone(uint32_t slot);
  void KeepBorrowed();
  void ExchangeConnectionIds(uint32_t slot, Timestamp now);
  void Settle(uint32_t slot, Timestamp now);

  std::unique_ptr<EndpointState> state_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_ENDPOINT_H_
