// SPDX-License-Identifier: Apache-2.0
//
// Engine: QUIC without sockets, threads or clock, for applications that have their own. Datagrams
// and times go in; datagrams, a deadline and events come out. client.h and server.h are the same
// engine with sockets and a loop around it.
//
// Use, once per batch of datagrams or wake-up:
//
//   engine->OnDatagrams(datagrams, now);           // or OnTimeout(now)
//   while (auto event = engine->PollEvent()) ...   // calls on
//   engine->connection(event->connection) while (true) {
//     Transmit transmit = engine->PollTransmit(now);
//     if (transmit.payload.empty()) break;
//     ...                                           // send it
//   }
//   // wait for a datagram, or until engine->NextWakeup()
//
// After calls on connections outside of this: PollTransmit() again, as NextWakeup() also says.
//
// Memory of received datagrams: they are opened in place, and what Peek() shows may lie in them.
// They must stay valid, and untouched, until PollEvent() has said that there is nothing more.
//
// Threads: one at a time.
#ifndef GODWIT_INCLUDE_ENGINE_H_
#define GODWIT_INCLUDE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/connection_event.h"
#include "godwit/connection_handle.h"
#include "godwit/connection_id_generator.h"
#include "godwit/connection_ref.h"
#include "godwit/datagram.h"
#include "godwit/endpoint_config.h"
#include "godwit/endpoint_stats.h"
#include "godwit/random.h"
#include "godwit/time.h"
#include "godwit/tls_config.h"
#include "godwit/unix_time.h"

namespace godwit {

struct EngineState;

struct EngineConfig {
  EndpointConfig endpoint;
  // Unset: Connect() fails.
  std::optional<TlsClientConfig> tls_client;
  // Unset: nothing is accepted.
  std::optional<TlsServerConfig> tls_server;
  // The file with a server's own keys: with it, clients learn at once that the server was
  // restarted (RFC 9000 §10.3), and tickets outlive it. It has lines of `token-key`, `ticket-key`
  // and `reset-key`, each with 64 hexadecimal digits. Empty: new keys with every start.
  std::string server_key_file;
};

// What an engine is given from outside. All of it outlives the engine, and belongs to its thread.
struct EngineEnvironment {
  Random* random = nullptr;                         // Must be set; secure (getrandom).
  ConnectionIdGenerator* connection_ids = nullptr;  // Null: random ids of 8 bytes.
};

struct EngineEvent {
  ConnectionHandle connection;
  bool is_new = false;  // The first event of an accepted connection; it is kHandshakeComplete.
  ConnectionEvent event;
};

class Engine {
 public:
  // Reads the files that the configuration names. Errors name the field, its value and what is
  // allowed. `wall` is the time of day at the moment `now`.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Engine>> Create(
      const EngineConfig& config, const EngineEnvironment& environment, Timestamp now,
      UnixTime wall);
  // Connections end without a word: Close() them before.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // What is doubtful about the configuration but no error, one line each.
  [[nodiscard]] const std::vector<std::string>& warnings() const;

  // ---- The network's side ----

  void OnDatagrams(std::span<const ReceivedDatagram> datagrams, Timestamp now);
  std::optional<EngineEvent> PollEvent();
  // The next train; empty if there is none. Valid until the next call that is not const.
  Transmit PollTransmit(Timestamp now);
  // InfinitePast() if PollTransmit() or PollEvent() may have something now; Infinite() if nothing
  // is awaited.
  [[nodiscard]] Timestamp NextWakeup() const;
  void OnTimeout(Timestamp now);
  // The kernel refused a datagram of that size on that path (EMSGSIZE).
  void OnDatagramTooLarge(const FourTuple& four_tuple, uint64_t bytes, Timestamp now);
  // The clock of the day was set, or the machine slept.
  void SetWallClock(Timestamp now, UnixTime wall);
  // The next line for an SSLKEYLOGFILE, without its end of line, of any connection, also of one
  // whose handshake fails. Never one unless the configuration of TLS has export_session_secrets; if
  // it has, to be taken wherever events are.
  std::optional<std::string> PollKeyLogLine();

  // ---- The application's side ----

  // `server_name`: a host name or a numeric address: what the certificate must be for. May be empty
  // if peers are pinned by their keys.
  absl::StatusOr<ConnectionRef> Connect(const FourTuple& four_tuple, std::string_view server_name,
                                        Timestamp now);
  // Harmless for a handle of a connection that is gone.
  [[nodiscard]] ConnectionRef connection(ConnectionHandle handle);
  // Takes a new certificate into use, or whatever else `config` says, for the connections accepted
  // from here on; those that there are keep what they have. Nothing changes with an error.
  absl::Status SetServerTls(const TlsServerConfig& config, UnixTime wall);
  // Connections that are open go on; new ones are refused.
  void StopAccepting();
  // Closes all connections, as ConnectionRef::Close() does.
  absl::Status CloseAll(uint64_t error_code, std::string_view reason);

  // Those that are closing included.
  [[nodiscard]] size_t connection_count() const;
  [[nodiscard]] const EndpointStats& stats() const;

 private:
  friend class EngineFactory;

  explicit Engine(std::unique_ptr<EngineState> state);

  std::unique_ptr<EngineState> state_;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_ENGINE_H_
