// SPDX-License-Identifier: Apache-2.0
//
// SocketAddress to and from the kernel's form, for a socket of either family. An IPv6 socket knows
// IPv4 addresses as IPv4-mapped ones (RFC 4291 §2.5.5.2); SocketAddress never is one here.
#ifndef GODWIT_PLATFORM_UDP_SOCKET_ADDRESS_H_
#define GODWIT_PLATFORM_UDP_SOCKET_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include "godwit/socket_address.h"

namespace godwit {

union KernelAddress {
  sockaddr any;
  sockaddr_in ipv4;
  sockaddr_in6 ipv6;
};

// Returns the size of what it wrote. `family` is that of the socket, AF_INET or AF_INET6. An IPv6
// address for an IPv4 socket stays one; the kernel refuses it.
socklen_t WriteKernelAddress(const SocketAddress& address, int family, KernelAddress& result);

// IPv4-mapped addresses come as IPv4. Families other than those two give 0.0.0.0:0.
SocketAddress ReadKernelAddress(const KernelAddress& address);

}  // namespace godwit

#endif  // GODWIT_PLATFORM_UDP_SOCKET_ADDRESS_H_
