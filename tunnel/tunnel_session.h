// SPDX-License-Identifier: Apache-2.0
//
// TunnelSession: a tunnel over one connection, on either side: which handler each stream has, and
// how flows begin. What the peer may ask for is the SessionPolicy's to say; when there is a
// connection is decided elsewhere.
//
// The client opens the control stream; Hello goes both ways on it first. Flows of the peer do not
// wait for it, as streams may overtake each other. Threads: the loop's.
#ifndef GODWIT_TUNNEL_TUNNEL_SESSION_H_
#define GODWIT_TUNNEL_TUNNEL_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "godwit/connection_ref.h"
#include "godwit/loop.h"
#include "godwit/perspective.h"
#include "tunnel/control_stream.h"
#include "tunnel/incoming_stream.h"
#include "tunnel/name_resolver.h"
#include "tunnel/stream_handler.h"
#include "tunnel/tcp_flow.h"
#include "tunnel/tunnel_message.h"
#include "tunnel/udp_flow.h"
#include "tunnel/udp_flow_table.h"

namespace godwit::tunnel {

class TunnelSession;

// What one side of a tunnel decides. Outlives its sessions.
class SessionPolicy {
 public:
  virtual ~SessionPolicy() = default;

  virtual Admission Admit(const OpenTarget& request) = 0;
  virtual Admission Admit(const OpenForward& request) = 0;
  // The peer has got another answer than kOk.
  virtual void OnRefused(TunnelSession& session, const OpenReply& reply) = 0;
  // The peer has said Hello: flows can begin.
  virtual void OnEstablished(TunnelSession& session) = 0;
  virtual void OnBindRequest(TunnelSession& session, const BindRequest& request) = 0;
  virtual void OnBindReply(TunnelSession& session, const BindReply& reply) = 0;
  // From the peer's interface for IP packets.
  virtual void OnIpPacket(TunnelSession& session, std::span<const uint8_t> packet) = 0;
  // The session's max_ip_packet_bytes() is another.
  virtual void OnMaxIpPacketChanged(TunnelSession& session) = 0;
};

// A TCP connection that wants a stream.
struct TcpOpening {
  TunnelMessage request;
  UniqueFd fd;
  bool relays_before_reply = false;
  TcpFlow::ReplyCallback on_reply;
};
// Ends it without a tunnel, as if that were the reply.
void Refuse(TcpOpening opening, const OpenReply& reply);

class TunnelSession {
 public:
  // Requests that wait for the peer to permit more streams.
  static constexpr size_t kMaxWaiting = 4'096;

  struct Options {
    Loop* loop = nullptr;
    NameResolver* resolver = nullptr;
    SessionPolicy* policy = nullptr;
    ConnectionRef connection;
    Perspective perspective = Perspective::kClient;
  };
  explicit TunnelSession(Options options);
  // As Lose().
  ~TunnelSession();
  TunnelSession(const TunnelSession&) = delete;
  TunnelSession& operator=(const TunnelSession&) = delete;

  // Of the client: says Hello.
  void Start();

  // ---- Events of the connection ----

  void OnStreamOpened(StreamId stream);
  void OnStreamReadable(StreamId stream);
  void OnStreamReset(StreamId stream);
  void OnStreamWritable(StreamId stream);
  void OnStreamStopped(StreamId stream);
  void OnStreamsAvailable();
  void OnDatagram();
  void OnMaxDatagramPayloadChanged() { options_.policy->OnMaxIpPacketChanged(*this); }
  // The connection is gone: all TCP connections get a reset, all flows end.
  void Lose();

  // ---- Flows ----

  void OpenTcp(TcpOpening opening);
  // The number of the flow; none if the peer permits no more.
  std::optional<uint32_t> OpenUdp(const TunnelMessage& request, UdpFlowEvents events);
  void SendUdp(uint32_t flow, std::span<const uint8_t> packet) { udp_.Send(flow, packet); }
  // `events` are not heard any more.
  void CloseUdp(uint32_t flow);

  // Best effort, as IP is.
  void SendIpPacket(std::span<const uint8_t> packet);
  // Larger ones are lost.
  [[nodiscard]] uint64_t max_ip_packet_bytes() const;

  void SendControl(const TunnelMessage& message);
  // The peer broke a rule of the tunnel's protocol.
  void Fail(const std::string& what);

  ConnectionRef& connection() { return options_.connection; }
  const ConnectionRef& connection() const { return options_.connection; }
  [[nodiscard]] bool is_established() const { return is_established_; }
  [[nodiscard]] const FlowTotals& totals() const { return totals_; }
  [[nodiscard]] size_t tcp_flow_count() const { return tcp_flow_count_; }
  [[nodiscard]] size_t udp_flow_count() const { return udp_.size(); }
  // Since the session began.
  [[nodiscard]] uint64_t flows_opened() const { return flows_opened_; }

 private:
  StreamHandler* Find(StreamId stream);
  // Takes the place of the stream's handler, if it has one.
  void Put(StreamId stream, std::unique_ptr<StreamHandler> handler);
  void Remove(StreamId stream);
  // Later: it may be in the middle of a call.
  void Destroy(std::unique_ptr<StreamHandler> handler);
  void BeginTcp(StreamId stream, TcpFlow::Options flow);
  UdpFlow* BeginUdp(StreamId stream, UdpFlow::Options flow);
  void OnConnected(StreamId stream, ForwardProtocol protocol, TargetConnector::Result result);
  void AddControl(StreamId stream);
  void OnControlMessage(const TunnelMessage& message);
  void Establish();

  Options options_;
  FlowTotals totals_;
  UdpFlowTable udp_;
  std::map<StreamId, std::unique_ptr<StreamHandler>> streams_;
  std::map<uint32_t, UdpFlow*> opened_udp_;  // By us.
  std::deque<TcpOpening> waiting_;
  ControlStream* control_ = nullptr;
  bool is_established_ = false;
  bool is_lost_ = false;
  size_t tcp_flow_count_ = 0;
  uint64_t flows_opened_ = 0;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUNNEL_SESSION_H_
