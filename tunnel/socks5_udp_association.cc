// SPDX-License-Identifier: Apache-2.0
#include "tunnel/socks5_udp_association.h"

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "tunnel/socks5_codec.h"
#include "tunnel/udp_datagram.h"

namespace godwit::tunnel {
namespace {

constexpr int kPacketsAtOnce = 64;

SocketAddress WithPort(const SocketAddress& address, uint16_t port) {
  return address.is_ipv4()
             ? SocketAddress::FromIpv4(address.ip().first<SocketAddress::kIpv4Size>(), port)
             : SocketAddress::FromIpv6(address.ip().first<SocketAddress::kIpv6Size>(), port,
                                       address.scope_id());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Socks5UdpAssociation>> Socks5UdpAssociation::Open(
    Loop* loop, const SocketAddress& local, const SocketAddress& client, UdpFlowDoor door) {
  auto fd = BindUdp(WithPort(local, 0));
  if (!fd.ok()) return fd.status();
  std::unique_ptr<Socks5UdpAssociation> association(
      new Socks5UdpAssociation(loop, *std::move(fd), WithPort(client, 0), std::move(door)));
  absl::Status status =
      loop->WatchFd(association->fd_.get(), {.readable = true},
                    [association = association.get()](FdEvents) { association->OnReadable(); });
  if (!status.ok()) return status;
  return association;
}

Socks5UdpAssociation::Socks5UdpAssociation(Loop* loop, UniqueFd fd, const SocketAddress& client,
                                           UdpFlowDoor door)
    : loop_(*loop), fd_(std::move(fd)), client_(client), door_(std::move(door)) {}

Socks5UdpAssociation::~Socks5UdpAssociation() {
  loop_.UnwatchFd(fd_.get());
  for (const auto& [target, flow] : std::exchange(flows_, {})) {
    if (flow.id.has_value()) door_.close(*flow.id);
  }
}

void Socks5UdpAssociation::OnReadable() {
  thread_local std::array<uint8_t, kMaxUdpPacketBytes> bytes;
  for (int i = 0; i < kPacketsAtOnce; ++i) {
    const auto received = ReceiveFrom(fd_.get(), bytes);
    if (!received.has_value()) {
      static_cast<void>(PendingError(fd_.get()));
      return;
    }
    if (!received->from.SameIp(client_)) continue;
    if (client_.port() == 0) client_ = received->from;
    if (received->from == client_) OnPacket(std::span(bytes).first(received->bytes));
  }
}

void Socks5UdpAssociation::OnPacket(std::span<const uint8_t> packet) {
  const Socks5UdpHeader header = ReadSocks5UdpHeader(packet);
  if (header.progress != Socks5Progress::kDone) return;
  const Flow* const flow = FlowTo(header.target);
  if (flow != nullptr && flow->id.has_value()) {
    door_.send(*flow->id, packet.subspan(header.size));
  }
}

Socks5UdpAssociation::Flow* Socks5UdpAssociation::FlowTo(const HostPort& target) {
  const Target key(target.host, target.port);
  const auto found = flows_.find(key);
  if (found != flows_.end()) return &found->second;
  if (flows_.size() >= kMaxTargets) return nullptr;
  flows_[key].header = EncodeSocks5UdpHeader(target);
  const std::optional<uint32_t> id = door_.open(
      OpenTarget{.protocol = ForwardProtocol::kUdp, .target = target},
      {.on_reply =
           [this, key](const OpenReply& reply) {
             const auto flow = flows_.find(key);
             if (flow == flows_.end() || reply.status != ReplyStatus::kOk) return;
             // Clients compare it with what they resolved: an address, not the name.
             flow->second.header = EncodeSocks5UdpHeader(
                 {.host = IpText(reply.address), .port = reply.address.port()});
           },
       .on_packet =
           [this, key](std::span<const uint8_t> packet) {
             const auto flow = flows_.find(key);
             if (flow == flows_.end()) return;
             std::vector<uint8_t> bytes(flow->second.header.begin(), flow->second.header.end());
             bytes.insert(bytes.end(), packet.begin(), packet.end());
             SendTo(fd_.get(), bytes, client_);
           },
       .on_end = [this, key] { flows_.erase(key); }});
  const auto opened = flows_.find(key);
  if (opened == flows_.end()) return nullptr;
  if (!id.has_value()) {
    flows_.erase(opened);
    return nullptr;
  }
  opened->second.id = id;
  return &opened->second;
}

}  // namespace godwit::tunnel
