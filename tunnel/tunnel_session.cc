// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_session.h"

#include <sys/socket.h>

#include <limits>
#include <utility>
#include <vector>

#include "tunnel/ip_packet.h"
#include "tunnel/kernel_sockets.h"
#include "tunnel/udp_target.h"

namespace godwit::tunnel {
namespace {

constexpr uint16_t kRevision = 0;

}  // namespace

void Refuse(TcpOpening opening, const OpenReply& reply) {
  std::string bytes;
  if (opening.on_reply) bytes = opening.on_reply(reply);
  if (bytes.empty()) return ResetOnClose(opening.fd.get());
  static_cast<void>(
      send(opening.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

TunnelSession::TunnelSession(Options options)
    : options_(std::move(options)), udp_(options_.loop, options_.connection, &totals_) {}

TunnelSession::~TunnelSession() { Lose(); }

void TunnelSession::Start() {
  const auto stream = options_.connection.OpenStream(StreamDirection::kBidirectional);
  if (!stream.ok()) return Fail("no stream for the tunnel is permitted");
  AddControl(*stream);
}

// ---- Events of the connection ----

void TunnelSession::OnStreamOpened(StreamId stream) {
  if (is_lost_) return;
  if (!stream.is_bidirectional()) return Fail("a unidirectional stream");
  Put(stream, std::make_unique<IncomingStream>(IncomingStream::Options{
                  .loop = options_.loop,
                  .resolver = options_.resolver,
                  .connection = options_.connection,
                  .stream = stream,
                  .admit =
                      [this](const TunnelMessage& request) {
                        if (const auto* target = std::get_if<OpenTarget>(&request)) {
                          return options_.policy->Admit(*target);
                        }
                        return options_.policy->Admit(std::get<OpenForward>(request));
                      },
                  .on_hello =
                      [this, stream](const Hello&) {
                        if (control_ != nullptr || options_.perspective == Perspective::kClient) {
                          return Fail("a second control stream");
                        }
                        AddControl(stream);
                        Establish();
                        // What followed the Hello.
                        OnStreamReadable(stream);
                      },
                  .on_connected =
                      [this, stream](ForwardProtocol protocol, TargetConnector::Result result) {
                        OnConnected(stream, protocol, std::move(result));
                      },
                  .on_refused =
                      [this](const OpenReply& reply) { options_.policy->OnRefused(*this, reply); },
                  .on_over = [this, stream] { Remove(stream); }}));
}

void TunnelSession::OnStreamReadable(StreamId stream) {
  if (StreamHandler* const handler = Find(stream)) handler->OnReadable();
}
void TunnelSession::OnStreamReset(StreamId stream) {
  if (StreamHandler* const handler = Find(stream)) handler->OnReset();
}
void TunnelSession::OnStreamWritable(StreamId stream) {
  if (StreamHandler* const handler = Find(stream)) handler->OnWritable();
}
void TunnelSession::OnStreamStopped(StreamId stream) {
  if (StreamHandler* const handler = Find(stream)) handler->OnStopped();
}

void TunnelSession::OnStreamsAvailable() {
  for (size_t count = waiting_.size(); count > 0; --count) {
    TcpOpening opening = std::move(waiting_.front());
    waiting_.pop_front();
    OpenTcp(std::move(opening));
  }
}

void TunnelSession::OnDatagram() {
  std::vector<uint8_t> bytes;
  while (const auto datagram = options_.connection.PeekDatagram()) {
    // Who is called may use the connection, and that would end the view.
    bytes.assign(datagram->begin(), datagram->end());
    options_.connection.PopDatagram();
    if (const auto packet = ParseIpDatagram(bytes)) {
      totals_.bytes_from_peer += packet->size();
      options_.policy->OnIpPacket(*this, *packet);
    } else {
      udp_.OnDatagram(bytes);
    }
  }
}

void TunnelSession::Lose() {
  if (std::exchange(is_lost_, true)) return;
  is_established_ = false;
  for (TcpOpening& opening : std::exchange(waiting_, {})) {
    Refuse(std::move(opening), {.status = ReplyStatus::kUnreachable,
                                .address = {},
                                .text = "the tunnel's connection is lost"});
  }
  // Handlers say that they are over, and are then not found.
  auto streams = std::exchange(streams_, {});
  for (const auto& [id, handler] : streams) handler->OnConnectionLost();
  control_ = nullptr;
  opened_udp_.clear();
  for (auto& [id, handler] : streams) Destroy(std::move(handler));
}

// ---- Flows ----

void TunnelSession::OpenTcp(TcpOpening opening) {
  const auto stream = is_lost_ ? absl::StatusOr<StreamId>(absl::UnavailableError(""))
                               : options_.connection.OpenStream(StreamDirection::kBidirectional);
  if (!stream.ok()) {
    const bool can_wait = absl::IsResourceExhausted(stream.status());
    if (can_wait && waiting_.size() < kMaxWaiting) return waiting_.push_back(std::move(opening));
    return Refuse(std::move(opening),
                  {.status = can_wait ? ReplyStatus::kTooMany : ReplyStatus::kUnreachable,
                   .address = {},
                   .text = std::string(stream.status().message())});
  }
  BeginTcp(*stream, {.loop = options_.loop,
                     .connection = options_.connection,
                     .stream = *stream,
                     .fd = std::move(opening.fd),
                     .first_message = EncodeMessage(opening.request),
                     .awaits_reply = true,
                     .relays_before_reply = opening.relays_before_reply,
                     .on_reply = std::move(opening.on_reply),
                     .on_over = nullptr,
                     .totals = nullptr});
}

void TunnelSession::BeginTcp(StreamId stream, TcpFlow::Options options) {
  options.totals = &totals_;
  options.on_over = [this, stream] {
    --tcp_flow_count_;
    Remove(stream);
  };
  ++tcp_flow_count_;
  ++flows_opened_;
  auto flow = std::make_unique<TcpFlow>(std::move(options));
  TcpFlow* const started = flow.get();
  Put(stream, std::move(flow));
  started->Start();
}

std::optional<uint32_t> TunnelSession::OpenUdp(const TunnelMessage& request, UdpFlowEvents events) {
  if (is_lost_) return std::nullopt;
  const auto stream = options_.connection.OpenStream(StreamDirection::kBidirectional);
  // Numbers of flows have 32 bits; a connection that opened so many streams has to be a new one.
  if (!stream.ok() || stream->value() > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  UdpFlow* const flow = BeginUdp(*stream, {.connection = options_.connection,
                                           .stream = *stream,
                                           .table = &udp_,
                                           .first_message = EncodeMessage(request),
                                           .awaits_reply = true,
                                           .events = std::move(events),
                                           .on_over = nullptr});
  opened_udp_[flow->flow_id()] = flow;
  flow->Start();
  return flow->flow_id();
}

UdpFlow* TunnelSession::BeginUdp(StreamId stream, UdpFlow::Options options) {
  options.on_over = [this, stream] {
    opened_udp_.erase(static_cast<uint32_t>(stream.value()));
    Remove(stream);
  };
  ++flows_opened_;
  auto flow = std::make_unique<UdpFlow>(std::move(options));
  UdpFlow* const begun = flow.get();
  Put(stream, std::move(flow));
  return begun;
}

void TunnelSession::CloseUdp(uint32_t flow) {
  const auto found = opened_udp_.find(flow);
  if (found != opened_udp_.end()) found->second->Close();
}

void TunnelSession::OnConnected(StreamId stream, ForwardProtocol protocol,
                                TargetConnector::Result result) {
  std::string reply = EncodeMessage(result.reply);
  if (protocol == ForwardProtocol::kTcp) {
    return BeginTcp(stream, {.loop = options_.loop,
                             .connection = options_.connection,
                             .stream = stream,
                             .fd = std::move(result.fd),
                             .first_message = std::move(reply),
                             .awaits_reply = false,
                             .relays_before_reply = false,
                             .on_reply = nullptr,
                             .on_over = nullptr,
                             .totals = nullptr});
  }
  if (stream.value() > std::numeric_limits<uint32_t>::max()) return Remove(stream);
  const auto flow = static_cast<uint32_t>(stream.value());
  const auto target = std::make_shared<UdpTarget>(
      options_.loop, std::move(result.fd),
      [this, flow](std::span<const uint8_t> packet) { udp_.Send(flow, packet); });
  UdpFlow* const begun = BeginUdp(
      stream,
      {.connection = options_.connection,
       .stream = stream,
       .table = &udp_,
       .first_message = std::move(reply),
       .awaits_reply = false,
       .events = {.on_reply = nullptr,
                  .on_packet = [target](std::span<const uint8_t> packet) { target->Send(packet); },
                  .on_end = nullptr},
       .on_over = nullptr});
  begun->Start();
}

// ---- IP packets ----

void TunnelSession::SendIpPacket(std::span<const uint8_t> packet) {
  if (is_lost_ || packet.size() > max_ip_packet_bytes()) return;
  totals_.bytes_to_peer += packet.size();
  // What the queue refuses is lost, as on any full link.
  static_cast<void>(options_.connection.SendDatagram(MakeIpDatagram(packet)));
}

uint64_t TunnelSession::max_ip_packet_bytes() const {
  const uint64_t bytes = options_.connection.max_datagram_payload_bytes();
  return bytes < kIpDatagramHeaderBytes ? 0 : bytes - kIpDatagramHeaderBytes;
}

// ---- The control stream ----

void TunnelSession::AddControl(StreamId stream) {
  auto control = std::make_unique<ControlStream>(
      options_.connection, stream,
      ControlStream::Callbacks{
          .on_message = [this](const TunnelMessage& message) { OnControlMessage(message); },
          .on_violation = [this](const std::string& what) { Fail(what); }});
  control_ = control.get();
  Put(stream, std::move(control));
  control_->Send(Hello{.revision = kRevision});
}

void TunnelSession::OnControlMessage(const TunnelMessage& message) {
  if (std::holds_alternative<Hello>(message)) {
    if (is_established_) return Fail("a second Hello");
    return Establish();
  }
  if (!is_established_) return Fail("no Hello");
  if (std::holds_alternative<Probe>(message)) return;
  if (const auto* request = std::get_if<BindRequest>(&message)) {
    return options_.policy->OnBindRequest(*this, *request);
  }
  if (const auto* reply = std::get_if<BindReply>(&message)) {
    return options_.policy->OnBindReply(*this, *reply);
  }
  Fail("a message that does not belong on the control stream");
}

void TunnelSession::Establish() {
  is_established_ = true;
  options_.policy->OnEstablished(*this);
}

void TunnelSession::SendControl(const TunnelMessage& message) {
  if (control_ != nullptr) control_->Send(message);
}

void TunnelSession::Fail(const std::string& what) {
  static_cast<void>(
      options_.connection.Close(static_cast<uint64_t>(TunnelErrorCode::kProtocolViolation), what));
}

// ---- Handlers ----

StreamHandler* TunnelSession::Find(StreamId stream) {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : found->second.get();
}

void TunnelSession::Put(StreamId stream, std::unique_ptr<StreamHandler> handler) {
  std::unique_ptr<StreamHandler>& place = streams_[stream];
  if (place != nullptr) Destroy(std::move(place));
  place = std::move(handler);
}

void TunnelSession::Remove(StreamId stream) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  Destroy(std::move(found->second));
  streams_.erase(found);
}

void TunnelSession::Destroy(std::unique_ptr<StreamHandler> handler) {
  options_.loop->Post([dead = std::shared_ptr<StreamHandler>(std::move(handler))] {});
}

}  // namespace godwit::tunnel
