// SPDX-License-Identifier: Apache-2.0
//
// Two engines with real TLS, and a network between them that loses nothing and takes a millisecond.
// Time is virtual: a test says how much of it passes.
#ifndef GODWIT_TESTS_TRANSPORT_ENGINE_ENGINE_PAIR_H_
#define GODWIT_TESTS_TRANSPORT_ENGINE_ENGINE_PAIR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/seeded_random.h"
#include "godwit/engine.h"
#include "godwit/socket_address.h"

namespace godwit {

inline constexpr std::string_view kTestProtocol = "test";

// With a certificate that TestClientTls() believes, by its key.
TlsServerConfig TestServerTls();
TlsClientConfig TestClientTls();

// An engine at an address, and what its application was told.
class EnginePeer {
 public:
  EnginePeer(std::string_view address, const EngineConfig& config, uint64_t seed, Timestamp now);

  const SocketAddress& address() const { return address_; }
  Engine& engine() { return *engine_; }
  // Ends the engine, as the end of a process does; with `config`, begins another one.
  void Kill() { engine_.reset(); }
  void Restart(const EngineConfig& config, Timestamp now);
  bool is_alive() const { return engine_ != nullptr; }

  void Receive(std::vector<std::vector<uint8_t>> datagrams, const SocketAddress& from,
               Timestamp now);
  // Events, then datagrams.
  void Drain(Timestamp now);
  std::vector<std::vector<uint8_t>> TakeSent();

  // Called for each event, after it was recorded.
  std::function<void(ConnectionRef, const EngineEvent&)> on_event;
  std::vector<EngineEvent> events;
  // Of kClosed events.
  std::vector<CloseReason> close_reasons;
  std::vector<std::string> key_log;

  size_t CountEvents(ConnectionEvent::Kind kind) const;
  size_t CountStreamEvents(StreamEvent::Kind kind) const;
  // Of the connection that was new last.
  ConnectionRef LastNew();

 private:
  const SocketAddress address_;
  SeededRandom random_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::vector<uint8_t>> sent_;
};

class EnginePair {
 public:
  struct Options {
    EndpointConfig client = {};
    EndpointConfig server = {};
    std::string server_key_file = {};
    TlsClientConfig client_tls = TestClientTls();
    TlsServerConfig server_tls = TestServerTls();
  };

  EnginePair() : EnginePair(Options()) {}
  explicit EnginePair(const Options& options);

  EnginePeer& client() { return client_; }
  EnginePeer& server() { return server_; }
  Timestamp now() const { return now_; }
  const EngineConfig& server_config() const { return server_config_; }

  // Until nobody sends any more. Timers that are due meanwhile fire.
  void RunUntilQuiet();
  // The same, and then on to `later`, from one deadline to the next.
  void RunFor(Duration later);

  // Runs until quiet.
  ConnectionRef Connect();

 private:
  bool Carry();
  void FireTimers();
  Timestamp NextWakeup();

  EngineConfig server_config_;
  Timestamp now_ = Timestamp() + Duration::Seconds(100);
  EnginePeer client_;
  EnginePeer server_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_ENGINE_ENGINE_PAIR_H_
