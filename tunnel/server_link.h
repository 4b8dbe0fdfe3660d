// SPDX-License-Identifier: Apache-2.0
//
// ServerLink: the server's side of all tunnels, on the server's loop: a session for each client,
// what a client may reach and bind, and what is bound for it.
//
// A client that comes back, while its connection of before has not timed out, gets the addresses
// that it had: they are taken from that connection.
//
// Threads: the loop's.
#ifndef GODWIT_TUNNEL_SERVER_LINK_H_
#define GODWIT_TUNNEL_SERVER_LINK_H_

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/event_handler.h"
#include "godwit/loop.h"
#include "tunnel/key_log_file.h"
#include "tunnel/key_verifier.h"
#include "tunnel/log_limiter.h"
#include "tunnel/name_resolver.h"
#include "tunnel/remote_listeners.h"
#include "tunnel/server_tun.h"
#include "tunnel/target_policy.h"
#include "tunnel/tunnel_log.h"
#include "tunnel/tunnel_session.h"
#include "tunnel/tunnel_status.h"

namespace godwit::tunnel {

// What clients may reach and bind.
struct ServerRules {
  TargetPolicy targets;
  TargetPolicy binds;
};

class ServerLink final : public EventHandler, private SessionPolicy {
 public:
  // `loop` and `verifier` outlive it.
  ServerLink(Loop* loop, const KeyVerifier* verifier, std::unique_ptr<NameResolver> resolver,
             TunnelLog log);
  ~ServerLink() override;

  // Makes the interface for IP packets. Not twice.
  absl::Status OpenTun(const TunInterface& interface);
  // Where TLS secrets go; nowhere without this.
  absl::Status OpenKeyLog(const std::string& path);
  // Of new flows; those there are stay, but for clients whose keys are not allowed any more, whose
  // connections are closed.
  void SetRules(ServerRules rules);
  // Admits no more flows, and closes connections as soon as they have none.
  void BeginDrain();
  [[nodiscard]] TunnelStatus Status() const;

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
  void OnPathChanged(ConnectionRef connection) override;
  void OnKeyLogLine(std::string_view line) override;

 private:
  // Of a connection.
  struct Key {
    uint32_t slot;
    uint32_t generation;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Peer {
    PublicKeyHash key;
    Timestamp connected_at;
    std::unique_ptr<TunnelSession> session;
    std::unique_ptr<RemoteListeners> listeners;
    bool was_told_of_no_tun = false;
    LogLimiter refusals = {};
  };

  static Key KeyOf(const ConnectionRef& connection) {
    return {connection.handle().slot, connection.handle().generation};
  }
  TunnelSession* SessionOf(const ConnectionRef& connection);
  static ServerTun::Peer TunPeerOf(const Key& key) {
    return uint64_t{key.slot} << 32 | key.generation;
  }
  void SendIpPacket(ServerTun::Peer to, std::span<const uint8_t> packet);
  // Takes the address from another connection of the same client. False if none had it.
  bool TakeFromSameClient(const Peer& peer, const BindRequest& request);
  void CloseIdleConnections();
  void LogRefusal(LogLimiter& limiter, const std::string& line) const;
  void Log(LogLevel level, const std::string& line) const;

  Admission Admit(const OpenTarget& request) override;
  Admission Admit(const OpenForward& request) override;
  void OnRefused(TunnelSession& session, const OpenReply& reply) override;
  void OnEstablished(TunnelSession& session) override;
  void OnBindRequest(TunnelSession& session, const BindRequest& request) override;
  void OnBindReply(TunnelSession& session, const BindReply& reply) override;
  void OnIpPacket(TunnelSession& session, std::span<const uint8_t> packet) override;
  void OnMaxIpPacketChanged(TunnelSession& session) override;

  Loop& loop_;
  const KeyVerifier& verifier_;
  const std::unique_ptr<NameResolver> resolver_;
  const TunnelLog log_;
  const Timestamp began_at_;
  std::shared_ptr<const ServerRules> rules_;
  bool is_draining_ = false;
  std::optional<Loop::CallId> drain_timer_;
  std::map<Key, Peer> peers_;
  std::unique_ptr<ServerTun> tun_;       // Null without --tun.
  std::unique_ptr<KeyLogFile> key_log_;  // Null without --keylog.
  LogLimiter strangers_;
  FlowTotals past_bytes_;
  uint64_t past_flows_ = 0;
  uint64_t connections_ = 0;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_SERVER_LINK_H_
