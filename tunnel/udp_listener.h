// SPDX-License-Identifier: Apache-2.0
//
// UdpListener: a UDP socket in front of a tunnel: each address that sends to it has a flow of its
// own, and hears what comes back on it. Where flows lead, and whether there is a tunnel, is decided
// elsewhere.
#ifndef GODWIT_TUNNEL_UDP_LISTENER_H_
#define GODWIT_TUNNEL_UDP_LISTENER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/statusor.h"

#include "godwit/loop.h"
#include "godwit/socket_address.h"
#include "tunnel/kernel_sockets.h"
#include "tunnel/udp_flow.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

// The flows of whatever session there is. All null-safe to call at any time.
struct UdpFlowDoor {
  std::function<std::optional<uint32_t>(const TunnelMessage& request, UdpFlowEvents events)> open;
  std::function<void(uint32_t flow, std::span<const uint8_t> packet)> send;
  std::function<void(uint32_t flow)> close;
};

class UdpListener {
 public:
  static constexpr size_t kMaxPeers = 1'024;

  using RequestFor = std::function<TunnelMessage(const SocketAddress& peer)>;

  // Errors as of BindUdp(). `loop` outlives it.
  static absl::StatusOr<std::unique_ptr<UdpListener>> Open(Loop* loop, const SocketAddress& address,
                                                           UdpFlowDoor door,
                                                           RequestFor request_for);
  ~UdpListener();
  UdpListener(const UdpListener&) = delete;
  UdpListener& operator=(const UdpListener&) = delete;

  [[nodiscard]] SocketAddress address() const { return LocalAddressOf(fd_.get()); }

 private:
  UdpListener(Loop* loop, UniqueFd fd, UdpFlowDoor door, RequestFor request_for);

  void OnReadable();
  // None if the tunnel has no room, or is not there: the packet is lost.
  std::optional<uint32_t> FlowOf(const SocketAddress& peer);

  Loop& loop_;
  UniqueFd fd_;
  UdpFlowDoor door_;
  RequestFor request_for_;
  std::map<SocketAddress, uint32_t> flows_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_UDP_LISTENER_H_
