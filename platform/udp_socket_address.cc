// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_address.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace godwit {

socklen_t WriteKernelAddress(const SocketAddress& address, int family, KernelAddress& result) {
  const SocketAddress plain = address.Unmapped();
  if (plain.is_ipv4() && family == AF_INET) {
    result.ipv4 = {};
    result.ipv4.sin_family = AF_INET;
    result.ipv4.sin_port = htons(plain.port());
    std::memcpy(&result.ipv4.sin_addr, plain.ip().data(), SocketAddress::kIpv4Size);
    return sizeof(result.ipv4);
  }

  result.ipv6 = {};
  result.ipv6.sin6_family = AF_INET6;
  result.ipv6.sin6_port = htons(plain.port());
  uint8_t* ip = result.ipv6.sin6_addr.s6_addr;
  if (plain.is_ipv4()) {
    ip[10] = ip[11] = 0xff;
    std::memcpy(ip + 12, plain.ip().data(), SocketAddress::kIpv4Size);
  } else {
    std::memcpy(ip, plain.ip().data(), SocketAddress::kIpv6Size);
    result.ipv6.sin6_scope_id = plain.scope_id();
  }
  return sizeof(result.ipv6);
}

SocketAddress ReadKernelAddress(const KernelAddress& address) {
  if (address.any.sa_family == AF_INET) {
    std::array<uint8_t, SocketAddress::kIpv4Size> ip;
    std::memcpy(ip.data(), &address.ipv4.sin_addr, ip.size());
    return SocketAddress::FromIpv4(ip, ntohs(address.ipv4.sin_port));
  }
  if (address.any.sa_family == AF_INET6) {
    return SocketAddress::FromIpv6(
               std::span<const uint8_t, SocketAddress::kIpv6Size>(address.ipv6.sin6_addr.s6_addr),
               ntohs(address.ipv6.sin6_port), address.ipv6.sin6_scope_id)
        .Unmapped();
  }
  return SocketAddress();
}

}  // namespace godwit
