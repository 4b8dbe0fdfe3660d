// SPDX-License-Identifier: Apache-2.0
//
// UdpSocketConfig: what the owner of a UDP socket decides. The defaults are right for a client;
// a server gives its address. Values are checked when it is opened.
#ifndef GODWIT_INCLUDE_UDP_SOCKET_CONFIG_H_
#define GODWIT_INCLUDE_UDP_SOCKET_CONFIG_H_

#include <array>
#include <cstdint>

#include "godwit/socket_address.h"
#include "godwit/time.h"

namespace godwit {

struct UdpSocketConfig {
  // Port 0: the kernel chooses.
  SocketAddress local = SocketAddress::FromIpv6(std::array<uint8_t, SocketAddress::kIpv6Size>{}, 0);
  // If `local` is [::], IPv4 comes and goes through the same socket; where the machine has no
  // IPv6, only IPv4. Without effect on all other addresses.
  bool is_dual_stack = true;
  // Several sockets, of one user, may have the same address; the kernel spreads what arrives by
  // peer, or by connection id, as a server of several shards has it.
  bool reuses_port = false;
  // Above what the kernel lets this process have (net.core.rmem_max, wmem_max), a notice says so.
  uint64_t receive_buffer_bytes = uint64_t{8} << 20;
  uint64_t send_buffer_bytes = uint64_t{4} << 20;
  // Each is also switched off by GODWIT_DISABLE_GSO, _GRO or _ECN = 1 in the environment.
  bool uses_gso = true;
  bool uses_gro = true;
  bool uses_ecn = true;
  // How long a receive call spins for a datagram (SO_BUSY_POLL), in whole microseconds. Zero: not.
  Duration busy_poll = Duration::Zero();
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_UDP_SOCKET_CONFIG_H_
