// SPDX-License-Identifier: Apache-2.0
#include "tunnel/remote_listeners.h"

#include <utility>

#include "absl/status/status.h"

namespace godwit::tunnel {

absl::StatusOr<SocketAddress> RemoteListeners::Bind(const BindRequest& request) {
  listeners_.erase(request.forward_id);
  if (listeners_.size() >= kMaxListeners) {
    return absl::ResourceExhaustedError("too many remote forwards of one client");
  }
  const uint32_t id = request.forward_id;
  Listener listener = {.protocol = request.protocol, .address = request.address};
  if (request.protocol == ForwardProtocol::kTcp) {
    auto tcp = TcpListener::Open(
        &loop_, request.address, [this, id](UniqueFd fd, const SocketAddress& peer) {
          session_.OpenTcp(
              {.request =
                   OpenForward{.protocol = ForwardProtocol::kTcp, .forward_id = id, .peer = peer},
               .fd = std::move(fd),
               .relays_before_reply = true,
               .on_reply = nullptr});
        });
    if (!tcp.ok()) return tcp.status();
    listener.tcp = *std::move(tcp);
    listener.address = listener.tcp->address();
  } else {
    auto udp = UdpListener::Open(
        &loop_, request.address,
        {.open = [this](
                     const TunnelMessage& message,
                     UdpFlowEvents events) { return session_.OpenUdp(message, std::move(events)); },
         .send = [this](uint32_t flow,
                        std::span<const uint8_t> packet) { session_.SendUdp(flow, packet); },
         .close = [this](uint32_t flow) { session_.CloseUdp(flow); }},
        [id](const SocketAddress& peer) {
          return OpenForward{.protocol = ForwardProtocol::kUdp, .forward_id = id, .peer = peer};
        });
    if (!udp.ok()) return udp.status();
    listener.udp = *std::move(udp);
    listener.address = listener.udp->address();
  }
  const SocketAddress bound = listener.address;
  listeners_.insert_or_assign(id, std::move(listener));
  return bound;
}

bool RemoteListeners::Release(ForwardProtocol protocol, const SocketAddress& address) {
  return std::erase_if(listeners_, [&](const auto& entry) {
           const Listener& listener = entry.second;
           return listener.protocol == protocol && listener.address == address;
         }) > 0;
}

}  // namespace godwit::tunnel
