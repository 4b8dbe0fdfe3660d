// SPDX-License-Identifier: Apache-2.0
//
// UdpTarget: a socket that is connected to the host that a UDP flow is for. Gives what it receives
// to a callback. That nobody listens there (ICMP) is not told to the peer: UDP's applications have
// timeouts of their own.
#ifndef GODWIT_TUNNEL_UDP_TARGET_H_
#define GODWIT_TUNNEL_UDP_TARGET_H_

#include <cstdint>
#include <functional>
#include <span>

#include "godwit/loop.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

class UdpTarget {
 public:
  // `loop` outlives it. `on_packet` must not destroy it.
  UdpTarget(Loop* loop, UniqueFd fd, std::function<void(std::span<const uint8_t>)> on_packet);
  ~UdpTarget() { loop_.UnwatchFd(fd_.get()); }
  UdpTarget(const UdpTarget&) = delete;
  UdpTarget& operator=(const UdpTarget&) = delete;

  void Send(std::span<const uint8_t> packet);

 private:
  void OnReadable();

  Loop& loop_;
  UniqueFd fd_;
  std::function<void(std::span<const uint8_t>)> on_packet_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_UDP_TARGET_H_
