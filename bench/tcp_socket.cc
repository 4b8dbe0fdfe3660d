// SPDX-License-Identifier: Apache-2.0
#include "bench/tcp_socket.h"

#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

namespace godwit {
namespace {

// Connections that wait to be accepted; a client opens at most 10,000.
constexpr int kBacklog = 16'384;

absl::Status ErrnoError(const std::string& what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

struct AddressInfoDeleter {
  void operator()(addrinfo* info) const { freeaddrinfo(info); }
};
using AddressInfo = std::unique_ptr<addrinfo, AddressInfoDeleter>;

// The kernel's form of a numeric address: nothing is looked up.
AddressInfo KernelAddressOf(const SocketAddress& address) {
  std::string ip = address.ToString();
  ip.resize(ip.rfind(':'));
  if (address.is_ipv6()) ip = ip.substr(1, ip.size() - 2);
  addrinfo hints = {};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* info = nullptr;
  if (getaddrinfo(ip.c_str(), absl::StrCat(address.port()).c_str(), &hints, &info) != 0) {
    return nullptr;
  }
  return AddressInfo(info);
}

absl::StatusOr<FileDescriptor> OpenTcp(int family, const std::string& congestion) {
  FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return ErrnoError("socket");
  if (congestion.empty()) return socket;
  const auto size = static_cast<socklen_t>(congestion.size());
  if (setsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, congestion.data(), size) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--congestion ", congestion, ": ", std::strerror(errno),
                     "; see sysctl net.ipv4.tcp_available_congestion_control"));
  }
  return socket;
}

}  // namespace

absl::StatusOr<FileDescriptor> ListenTcp(const SocketAddress& address,
                                         const std::string& congestion) {
  const AddressInfo info = KernelAddressOf(address);
  if (info == nullptr) return absl::InvalidArgumentError("--listen: not an address of this system");
  absl::StatusOr<FileDescriptor> socket = OpenTcp(info->ai_family, congestion);
  if (!socket.ok()) return socket;
  const int one = 1;
  setsockopt(socket->get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (bind(socket->get(), info->ai_addr, info->ai_addrlen) != 0 ||
      listen(socket->get(), kBacklog) != 0) {
    return ErrnoError("cannot listen on " + address.ToString());
  }
  return socket;
}

absl::StatusOr<FileDescriptor> ConnectTcp(const SocketAddress& server,
                                          const std::string& congestion) {
  const AddressInfo info = KernelAddressOf(server);
  if (info == nullptr) return absl::InvalidArgumentError("not an address of this system");
  absl::StatusOr<FileDescriptor> socket = OpenTcp(info->ai_family, congestion);
  if (!socket.ok()) return socket;
  if (connect(socket->get(), info->ai_addr, info->ai_addrlen) != 0 && errno != EINPROGRESS) {
    return ErrnoError("cannot connect to " + server.ToString());
  }
  return socket;
}

std::optional<FileDescriptor> AcceptTcp(int listener) {
  FileDescriptor socket(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.is_open()) return std::nullopt;
  return socket;
}

absl::Status TcpConnectError(int socket) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot connect: ", std::strerror(error)));
}

absl::StatusOr<SocketAddress> WithKernelPort(int socket, const SocketAddress& bound) {
  // The port is at the same place for both families.
  sockaddr_in6 address = {};
  socklen_t size = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return ErrnoError("getsockname");
  }
  const uint16_t port = ntohs(address.sin6_port);
  return bound.is_ipv4() ? SocketAddress::FromIpv4(bound.ip().first<4>(), port)
                         : SocketAddress::FromIpv6(bound.ip().first<16>(), port, bound.scope_id());
}

std::string CongestionControllerOf(int socket) {
  char name[16] = "";  // TCP_CA_NAME_MAX of the kernel.
  socklen_t size = sizeof(name);
  if (getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, &size) != 0) return "";
  return std::string(name, strnlen(name, size));
}

void SendAtOnce(int socket) {
  const int one = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void ResetOnClose(int socket) {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

TcpCounts TcpCountsOf(int socket) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return {.segments_sent = info.tcpi_segs_out,
          .segments_received = info.tcpi_segs_in,
          .retransmissions = info.tcpi_total_retrans};
}

}  // namespace godwit
