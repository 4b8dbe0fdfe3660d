// SPDX-License-Identifier: Apache-2.0
//
// ClientLink: a client's connection to its server, and the next one when that is lost: dials,
// waits, dials again, and reacts when the machine's network changes. There is at most one session.
// What goes over it is decided elsewhere.
//
// Threads: the loop's.
#ifndef GODWIT_TUNNEL_CLIENT_LINK_H_
#define GODWIT_TUNNEL_CLIENT_LINK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/client.h"
#include "godwit/event_handler.h"
#include "platform/network_watcher.h"
#include "platform/system_random.h"
#include "tunnel/key_log_file.h"
#include "tunnel/key_verifier.h"
#include "tunnel/name_resolver.h"
#include "tunnel/reconnect_backoff.h"
#include "tunnel/route_probe.h"
#include "tunnel/tunnel_log.h"
#include "tunnel/tunnel_session.h"
#include "tunnel/tunnel_status.h"

namespace godwit::tunnel {

class ClientLink final : public EventHandler {
 public:
  struct Options {
    TunnelClientConfig config;
    SessionPolicy* policy = nullptr;
    TunnelLog log;
    // The first connection did not come about; there is no other attempt.
    std::function<void(const absl::Status& why)> on_first_failed;
  };
  static absl::StatusOr<std::unique_ptr<ClientLink>> Create(Options options);
  ~ClientLink() override;

  // Begins to dial.
  void Start();
  // The session's OnEstablished() has come: reconnect if it is lost.
  void NoteEstablished();
  // Closes, and dials no more.
  void Close();

  // Null unless it is established.
  [[nodiscard]] TunnelSession* session() const;
  Client& client() { return *client_; }
  Loop& loop() { return client_->loop(); }
  void FillStatus(TunnelStatus& status) const;

  void OnConnected(ConnectionRef connection) override;
  void OnClosed(ConnectionRef connection, const CloseReason& reason) override;
  void OnStreamOpened(ConnectionRef connection, StreamId stream) override;
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override;
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override;
  void OnStreamReset(ConnectionRef connection, StreamId stream, uint64_t error_code) override;
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override;
  void OnStreamStopped(ConnectionRef connection, StreamId stream, uint64_t error_code) override;
  void OnStreamsAvailable(ConnectionRef connection, StreamDirection direction) override;
  void OnDatagram(ConnectionRef connection) override;
  void OnMaxDatagramPayloadChanged(ConnectionRef connection) override;
  void OnKeyLogLine(std::string_view line) override;

 private:
  explicit ClientLink(Options options);

  absl::Status Open();
  void WatchNetwork();
  void OnNetworkChanged();
  void Dial();
  // For what has happened.
  void DialLater(const std::string& why);
  void OnDialled(const absl::StatusOr<ConnectionRef>& connection);
  bool IsUnreachable() const;
  void OnFailed(const std::string& why);
  // What to tell people of a failed attempt.
  std::string Explain(const std::string& why);
  TunnelSession* SessionOf(const ConnectionRef& connection) const;
  void Log(LogLevel level, const std::string& line) const;

  Options options_;
  KeyVerifier verifier_;
  std::unique_ptr<KeyLogFile> key_log_;  // Null without --keylog.
  // Its loop outlives what follows.
  std::unique_ptr<Client> client_;
  std::unique_ptr<NameResolver> resolver_;
  std::optional<NetworkWatcher> watcher_;
  SystemRandom random_;
  ReconnectBackoff backoff_;
  std::unique_ptr<TunnelSession> session_;
  std::optional<Loop::CallId> timer_;
  std::optional<Loop::CallId> probe_timer_;
  std::unique_ptr<RouteProbe> probe_;  // While it is not known whether the first dial succeeds.
  bool is_dialling_ = false;
  bool has_ended_ = false;
  bool was_established_ = false;  // Once at least.
  UdpSocketStats before_dial_;
  Timestamp established_at_;
  uint64_t connections_ = 0;
  FlowTotals past_bytes_;
  uint64_t past_flows_ = 0;
  std::string last_error_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_CLIENT_LINK_H_
