// SPDX-License-Identifier: Apache-2.0
//
// TunnelClient: the client's side of a tunnel: its listeners (TCP, UDP, SOCKS), which exist
// whether there is a connection or not, what they open on it, and what the server opens for remote
// forwards.
//
//   auto client = TunnelClient::Create(config, log);
//   absl::Status status = (*client)->Run();   // Until Stop().
//
// A TCP connection that comes while there is no tunnel waits for it, for a while.
//
// Threads: Stop() and loop().Post() from any; everything else on the thread that runs it, or while
// it does not run.
#ifndef GODWIT_TUNNEL_TUNNEL_CLIENT_H_
#define GODWIT_TUNNEL_TUNNEL_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/loop.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "tunnel/client_link.h"
#include "tunnel/socks5_server.h"
#include "tunnel/tcp_listener.h"
#include "tunnel/tun_device.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_log.h"
#include "tunnel/tunnel_session.h"
#include "tunnel/tunnel_status.h"
#include "tunnel/udp_listener.h"

namespace godwit::tunnel {

class TunnelClient final : private SessionPolicy {
 public:
  // Of TCP connections that wait for a tunnel.
  static constexpr size_t kMaxWaiting = 1'024;
  static constexpr Duration kWaitPatience = Duration::Seconds(30);

  // Opens the listeners, so that errors show at once: one line each, AlreadyExists for a port in
  // use. Dials when it runs.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TunnelClient>> Create(
      const TunnelClientConfig& config, TunnelLog log);
  ~TunnelClient() override;
  TunnelClient(const TunnelClient&) = delete;
  TunnelClient& operator=(const TunnelClient&) = delete;

  // Until Stop(). An error says, in one line, why the very first connection did not come about:
  // no route, no answer, another key than expected. Lost ones are replaced.
  absl::Status Run();
  // One wake-up, as Client::RunOnce().
  void RunOnce(Timestamp until);
  void Stop();
  // Accepts no more; Stop()s when no flow is left, or after `patience`.
  void Drain(Duration patience);

  [[nodiscard]] TunnelStatus Status() const;
  [[nodiscard]] Loop& loop() { return link_->loop(); }
  // Of the first attempt, if it failed.
  [[nodiscard]] const absl::Status& failure() const { return failure_; }
  // What of the socket and of the offloads is worth to be known, in lines; each once.
  std::vector<std::string> TakeNotices() { return link_->client().TakeNotices(); }
  [[nodiscard]] std::string OffloadText() { return link_->client().OffloadText(); }
  // Where it listens, with the ports that the kernel chose: of local_forwards and of
  // socks_listeners, in their order.
  [[nodiscard]] std::vector<SocketAddress> forward_addresses() const;
  [[nodiscard]] std::vector<SocketAddress> socks_addresses() const;

 private:
  struct LocalForward {
    std::unique_ptr<TcpListener> tcp;
    std::unique_ptr<UdpListener> udp;
  };
  struct Waiting {
    TcpOpening opening;
    Timestamp since;
  };

  TunnelClient(const TunnelClientConfig& config, TunnelLog log);

  absl::Status Open();
  absl::Status Listen(const Forward& forward);
  absl::Status OpenSocks(const HostPort& bind);
  absl::Status OpenTun(const TunInterface& interface);
  UdpFlowDoor UdpDoor();
  void OpenTcp(TcpOpening opening);
  void StartWaitTimer();
  void OnWaitTimer();
  void LookIfDrained(Timestamp ends_at);

  Admission Admit(const OpenTarget& request) override;
  Admission Admit(const OpenForward& request) override;
  void OnRefused(TunnelSession& session, const OpenReply& reply) override;
  void OnEstablished(TunnelSession& session) override;
  void OnBindRequest(TunnelSession& session, const BindRequest& request) override;
  void OnBindReply(TunnelSession& session, const BindReply& reply) override;
  void OnIpPacket(TunnelSession& session, std::span<const uint8_t> packet) override;
  void OnMaxIpPacketChanged(TunnelSession& session) override;
  void Log(LogLevel level, const std::string& line) const;

  const TunnelClientConfig config_;
  const TunnelLog log_;
  absl::Status failure_;
  bool has_started_ = false;
  std::vector<RemoteForwardStatus> remote_forwards_;
  std::unique_ptr<ClientLink> link_;
  std::deque<Waiting> waiting_;
  std::optional<Loop::CallId> wait_timer_;
  std::optional<Loop::CallId> drain_timer_;
  std::vector<LocalForward> forwards_;
  std::vector<std::unique_ptr<Socks5Server>> socks_;
  std::unique_ptr<TunDevice> tun_;  // Null without --tun.
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUNNEL_CLIENT_H_
