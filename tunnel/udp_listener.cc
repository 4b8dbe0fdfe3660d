// SPDX-License-Identifier: Apache-2.0
#include "tunnel/udp_listener.h"

#include <array>
#include <utility>

#include "tunnel/udp_datagram.h"

namespace godwit::tunnel {
namespace {

constexpr int kPacketsAtOnce = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<UdpListener>> UdpListener::Open(Loop* loop,
                                                               const SocketAddress& address,
                                                               UdpFlowDoor door,
                                                               RequestFor request_for) {
  auto fd = BindUdp(address);
  if (!fd.ok()) return fd.status();
  std::unique_ptr<UdpListener> listener(
      new UdpListener(loop, *std::move(fd), std::move(door), std::move(request_for)));
  absl::Status status =
      loop->WatchFd(listener->fd_.get(), {.readable = true},
                    [listener = listener.get()](FdEvents) { listener->OnReadable(); });
  if (!status.ok()) return status;
  return listener;
}

UdpListener::UdpListener(Loop* loop, UniqueFd fd, UdpFlowDoor door, RequestFor request_for)
    : loop_(*loop),
      fd_(std::move(fd)),
      door_(std::move(door)),
      request_for_(std::move(request_for)) {}

UdpListener::~UdpListener() {
  loop_.UnwatchFd(fd_.get());
  for (const auto& [peer, flow] : std::exchange(flows_, {})) door_.close(flow);
}

void UdpListener::OnReadable() {
  thread_local std::array<uint8_t, kMaxUdpPacketBytes> bytes;
  for (int i = 0; i < kPacketsAtOnce; ++i) {
    const auto received = ReceiveFrom(fd_.get(), bytes);
    if (!received.has_value()) {
      static_cast<void>(PendingError(fd_.get()));
      return;
    }
    const std::optional<uint32_t> flow = FlowOf(received->from);
    if (flow.has_value()) door_.send(*flow, std::span(bytes).first(received->bytes));
  }
}

std::optional<uint32_t> UdpListener::FlowOf(const SocketAddress& peer) {
  const auto found = flows_.find(peer);
  if (found != flows_.end()) return found->second;
  if (flows_.size() >= kMaxPeers) return std::nullopt;
  const std::optional<uint32_t> flow = door_.open(
      request_for_(peer),
      {.on_reply = nullptr,
       .on_packet = [this,
                     peer](std::span<const uint8_t> packet) { SendTo(fd_.get(), packet, peer); },
       .on_end = [this, peer] { flows_.erase(peer); }});
  if (flow.has_value()) flows_[peer] = *flow;
  return flow;
}

}  // namespace godwit::tunnel
