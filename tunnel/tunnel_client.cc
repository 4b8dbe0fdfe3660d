// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tunnel/ip_packet.h"

namespace godwit::tunnel {
namespace {

constexpr Duration kDrainLookInterval = Duration::Milliseconds(50);
// For the last words to the server.
constexpr Duration kGoodbye = Duration::Milliseconds(500);

absl::StatusOr<SocketAddress> AddressOf(const HostPort& bind) {
  const auto address = SocketAddress::ParseIp(bind.host, bind.port);
  if (address.has_value()) return *address;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", bind.host, "\" is no address to listen on; one like 127.0.0.1 or ::1 is"));
}

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::StatusOr<std::unique_ptr<TunnelClient>> TunnelClient::Create(const TunnelClientConfig& config,
                                                                   TunnelLog log) {
  std::unique_ptr<TunnelClient> client(new TunnelClient(config, std::move(log)));
  if (absl::Status status = client->Open(); !status.ok()) return status;
  return client;
}

TunnelClient::TunnelClient(const TunnelClientConfig& config, TunnelLog log)
    : config_(config), log_(std::move(log)) {
  for (const Forward& forward : config_.remote_forwards) {
    remote_forwards_.push_back({.forward = forward,
                                .is_answered = false,
                                .status = ReplyStatus::kOk,
                                .bound = {},
                                .text = {}});
  }
}

TunnelClient::~TunnelClient() {
  if (link_ == nullptr) return;
  if (wait_timer_.has_value()) loop().Cancel(*wait_timer_);
  if (drain_timer_.has_value()) loop().Cancel(*drain_timer_);
  tun_.reset();
  socks_.clear();
  forwards_.clear();
}

absl::Status TunnelClient::Open() {
  auto link = ClientLink::Create({.config = config_,
                                  .policy = this,
                                  .log = log_,
                                  .on_first_failed = [this](const absl::Status& why) {
                                    failure_ = why;
                                    Stop();
                                  }});
  if (!link.ok()) return link.status();
  link_ = *std::move(link);
  for (const Forward& forward : config_.local_forwards) {
    if (absl::Status status = Listen(forward); !status.ok()) return status;
  }
  for (const HostPort& bind : config_.socks_listeners) {
    if (absl::Status status = OpenSocks(bind); !status.ok()) return status;
  }
  if (config_.common.tun.has_value()) {
    if (absl::Status status = OpenTun(*config_.common.tun); !status.ok()) return status;
  }
  for (const Forward& forward : config_.remote_forwards) {
    if (const auto address = AddressOf(forward.bind); !address.ok()) return address.status();
  }
  return absl::OkStatus();
}

absl::Status TunnelClient::Listen(const Forward& forward) {
  const auto address = AddressOf(forward.bind);
  if (!address.ok()) return address.status();
  const OpenTarget request = {.protocol = forward.protocol, .target = forward.target};
  if (forward.protocol == ForwardProtocol::kUdp) {
    auto udp = UdpListener::Open(&loop(), *address, UdpDoor(),
                                 [request](const SocketAddress&) { return request; });
    if (!udp.ok()) return udp.status();
    forwards_.push_back({.tcp = nullptr, .udp = *std::move(udp)});
    return absl::OkStatus();
  }
  auto tcp =
      TcpListener::Open(&loop(), *address, [this, request](UniqueFd fd, const SocketAddress&) {
        OpenTcp({.request = request,
                 .fd = std::move(fd),
                 .relays_before_reply = true,
                 .on_reply = [this, request](const OpenReply& reply) {
                   if (reply.status != ReplyStatus::kOk) {
                     Log(LogLevel::kWarning,
                         absl::StrCat(request.target.host, " port ", request.target.port, ": ",
                                      View(ToString(reply.status)), ": ", reply.text));
                   }
                   return std::string();
                 }});
      });
  if (!tcp.ok()) return tcp.status();
  forwards_.push_back({.tcp = *std::move(tcp), .udp = nullptr});
  return absl::OkStatus();
}

absl::Status TunnelClient::OpenSocks(const HostPort& bind) {
  const auto address = AddressOf(bind);
  if (!address.ok()) return address.status();
  auto socks = Socks5Server::Open(
      &loop(), *address,
      {.open_tcp = [this](TcpOpening opening) { OpenTcp(std::move(opening)); }, .udp = UdpDoor()});
  if (!socks.ok()) return socks.status();
  socks_.push_back(*std::move(socks));
  return absl::OkStatus();
}

absl::Status TunnelClient::OpenTun(const TunInterface& interface) {
  auto tun = TunDevice::Open(
      &loop(), interface,
      [this](std::span<const uint8_t> packet) {
        if (auto* const session = link_->session()) session->SendIpPacket(packet);
      },
      log_);
  if (!tun.ok()) return tun.status();
  tun_ = *std::move(tun);
  return absl::OkStatus();
}

UdpFlowDoor TunnelClient::UdpDoor() {
  return {.open = [this](const TunnelMessage& request,
                         UdpFlowEvents events) -> std::optional<uint32_t> {
            TunnelSession* const session = link_->session();
            if (session == nullptr) return std::nullopt;
            return session->OpenUdp(request, std::move(events));
          },
          .send =
              [this](uint32_t flow, std::span<const uint8_t> packet) {
                if (auto* const session = link_->session()) session->SendUdp(flow, packet);
              },
          .close =
              [this](uint32_t flow) {
                if (auto* const session = link_->session()) session->CloseUdp(flow);
              }};
}

// ---- Running ----

absl::Status TunnelClient::Run() {
  if (!std::exchange(has_started_, true)) link_->Start();
  link_->client().Run();
  link_->Close();
  link_->client().Shutdown(kGoodbye);
  return failure_;
}

void TunnelClient::RunOnce(Timestamp until) {
  if (!std::exchange(has_started_, true)) link_->Start();
  link_->client().RunOnce(until);
}

void TunnelClient::Stop() { link_->client().Stop(); }

void TunnelClient::Drain(Duration patience) {
  socks_.clear();
  forwards_.clear();
  LookIfDrained(loop().now() + patience);
}

void TunnelClient::LookIfDrained(Timestamp ends_at) {
  drain_timer_.reset();
  const TunnelSession* const session = link_->session();
  const bool is_idle = session == nullptr || session->tcp_flow_count() == 0;
  if ((is_idle && waiting_.empty()) || loop().now() >= ends_at) return Stop();
  drain_timer_ =
      loop().CallAt(loop().now() + kDrainLookInterval, [this, ends_at] { LookIfDrained(ends_at); });
}

TunnelStatus TunnelClient::Status() const {
  TunnelStatus status;
  link_->FillStatus(status);
  status.waiting = waiting_.size();
  status.remote_forwards = remote_forwards_;
  return status;
}

std::vector<SocketAddress> TunnelClient::forward_addresses() const {
  std::vector<SocketAddress> addresses;
  for (const LocalForward& forward : forwards_) {
    addresses.push_back(forward.tcp != nullptr ? forward.tcp->address() : forward.udp->address());
  }
  return addresses;
}

std::vector<SocketAddress> TunnelClient::socks_addresses() const {
  std::vector<SocketAddress> addresses;
  for (const auto& socks : socks_) addresses.push_back(socks->address());
  return addresses;
}

// ---- What waits for a tunnel ----

void TunnelClient::OpenTcp(TcpOpening opening) {
  if (TunnelSession* const session = link_->session()) return session->OpenTcp(std::move(opening));
  if (waiting_.size() >= kMaxWaiting) {
    return Refuse(std::move(opening),
                  {.status = ReplyStatus::kTooMany, .address = {}, .text = "there is no tunnel"});
  }
  waiting_.push_back({.opening = std::move(opening), .since = loop().now()});
  StartWaitTimer();
}

void TunnelClient::StartWaitTimer() {
  if (wait_timer_.has_value() || waiting_.empty()) return;
  wait_timer_ = loop().CallAt(waiting_.front().since + kWaitPatience, [this] { OnWaitTimer(); });
}

void TunnelClient::OnWaitTimer() {
  wait_timer_.reset();
  while (!waiting_.empty() && waiting_.front().since + kWaitPatience <= loop().now()) {
    TcpOpening opening = std::move(waiting_.front().opening);
    waiting_.pop_front();
    Refuse(std::move(opening),
           {.status = ReplyStatus::kUnreachable, .address = {}, .text = "there is no tunnel"});
  }
  StartWaitTimer();
}

// ---- What the session asks ----

Admission TunnelClient::Admit(const OpenTarget&) {
  Admission admission;
  admission.refusal = OpenReply{.status = ReplyStatus::kNotAllowed,
                                .address = {},
                                .text = "a client connects to nothing but its remote forwards"};
  return admission;
}

Admission TunnelClient::Admit(const OpenForward& request) {
  Admission admission;
  if (request.forward_id >= config_.remote_forwards.size() ||
      config_.remote_forwards[request.forward_id].protocol != request.protocol) {
    admission.refusal = OpenReply{
        .status = ReplyStatus::kNotAllowed, .address = {}, .text = "no such remote forward"};
    return admission;
  }
  admission.protocol = request.protocol;
  admission.target = config_.remote_forwards[request.forward_id].target;
  return admission;
}

void TunnelClient::OnRefused(TunnelSession&, const OpenReply& reply) {
  Log(LogLevel::kWarning, absl::StrCat("a remote forward led nowhere: ",
                                       View(ToString(reply.status)), ": ", reply.text));
}

void TunnelClient::OnEstablished(TunnelSession& session) {
  link_->NoteEstablished();
  Log(LogLevel::kInfo,
      absl::StrCat("connected to ", config_.server.host, " port ", config_.server.port));
  for (size_t i = 0; i < remote_forwards_.size(); ++i) {
    const Forward& forward = remote_forwards_[i].forward;
    remote_forwards_[i].is_answered = false;
    session.SendControl(BindRequest{.forward_id = static_cast<uint32_t>(i),
                                    .protocol = forward.protocol,
                                    .address = *AddressOf(forward.bind)});
  }
  OnMaxIpPacketChanged(session);
  for (Waiting& waiting : std::exchange(waiting_, {})) session.OpenTcp(std::move(waiting.opening));
}

void TunnelClient::OnBindRequest(TunnelSession& session, const BindRequest& request) {
  session.SendControl(BindReply{.forward_id = request.forward_id,
                                .status = ReplyStatus::kNotAllowed,
                                .address = {},
                                .text = "a client binds nothing"});
}

void TunnelClient::OnBindReply(TunnelSession& session, const BindReply& reply) {
  if (reply.forward_id >= remote_forwards_.size()) return session.Fail("a reply to nothing");
  RemoteForwardStatus& status = remote_forwards_[reply.forward_id];
  status.is_answered = true;
  status.status = reply.status;
  status.bound = reply.address;
  status.text = reply.text;
  const HostPort& bind = status.forward.bind;
  if (reply.status == ReplyStatus::kOk) {
    return Log(LogLevel::kInfo,
               absl::StrCat("the server listens on ", reply.address.ToString(), " for us"));
  }
  Log(LogLevel::kError,
      absl::StrCat("the server does not listen on ", bind.host, " port ", bind.port, ": ",
                   View(ToString(reply.status)), ": ", reply.text));
}

void TunnelClient::OnIpPacket(TunnelSession&, std::span<const uint8_t> packet) {
  if (tun_ == nullptr) return;
  const auto addresses = ParseIpPacket(packet);
  // A server reaches by it this interface's network, not what else this machine is or routes to.
  if (addresses.has_value() && tun_->address().Holds(addresses->destination)) tun_->Write(packet);
}

void TunnelClient::OnMaxIpPacketChanged(TunnelSession& session) {
  if (tun_ != nullptr) tun_->SetMaxPacketBytes(session.max_ip_packet_bytes());
}

void TunnelClient::Log(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}

}  // namespace godwit::tunnel
