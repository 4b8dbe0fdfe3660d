// SPDX-License-Identifier: Apache-2.0
#include "tunnel/kernel_sockets.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>

#include "absl/strings/str_cat.h"

#include "platform/udp_socket_address.h"

namespace godwit::tunnel {
namespace {

constexpr int kBacklog = 512;

int FamilyOf(const SocketAddress& address) { return address.is_ipv4() ? AF_INET : AF_INET6; }

absl::Status BindError(const SocketAddress& address, int error) {
  const std::string text = absl::StrCat(address.ToString(), ": ", strerror(error));
  if (error == EADDRINUSE) return absl::AlreadyExistsError(text);
  if (error == EACCES) return absl::PermissionDeniedError(text);
  return absl::UnavailableError(text);
}

void SetOption(int fd, int level, int name, int value) {
  // Each is a wish: the socket works without it.
  static_cast<void>(setsockopt(fd, level, name, &value, sizeof(value)));
}

absl::StatusOr<UniqueFd> Bind(const SocketAddress& address, int type) {
  UniqueFd fd(socket(FamilyOf(address), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return BindError(address, errno);
  if (type == SOCK_STREAM) SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.is_ipv6()) SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  KernelAddress kernel;
  const socklen_t size = WriteKernelAddress(address, FamilyOf(address), kernel);
  if (bind(fd.get(), &kernel.any, size) != 0) return BindError(address, errno);
  return fd;
}

SocketOrError Connect(const SocketAddress& target, int type) {
  UniqueFd fd(socket(FamilyOf(target), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return {UniqueFd(), errno};
  KernelAddress kernel;
  const socklen_t size = WriteKernelAddress(target, FamilyOf(target), kernel);
  if (connect(fd.get(), &kernel.any, size) != 0 && errno != EINPROGRESS) {
    return {UniqueFd(), errno};
  }
  return {std::move(fd), 0};
}

}  // namespace

absl::StatusOr<UniqueFd> ListenTcp(const SocketAddress& address) {
  auto fd = Bind(address, SOCK_STREAM);
  if (fd.ok() && listen(fd->get(), kBacklog) != 0) return BindError(address, errno);
  return fd;
}

absl::StatusOr<UniqueFd> BindUdp(const SocketAddress& address) { return Bind(address, SOCK_DGRAM); }

SocketOrError StartConnect(const SocketAddress& target) {
  SocketOrError result = Connect(target, SOCK_STREAM);
  if (result.fd.is_open()) PrepareTcp(result.fd.get());
  return result;
}

SocketOrError ConnectUdp(const SocketAddress& target) { return Connect(target, SOCK_DGRAM); }

AcceptResult Accept(int listener) {
  while (true) {
    KernelAddress kernel;
    socklen_t size = sizeof(kernel);
    UniqueFd fd(accept4(listener, &kernel.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.is_open()) {
      PrepareTcp(fd.get());
      return {.accepted = Accepted{std::move(fd), ReadKernelAddress(kernel)}, .error = 0};
    }
    switch (errno) {
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return {.accepted = std::nullopt, .error = errno};
      case EAGAIN:
      case EINVAL:
      case EBADF:
        return {};
      default:
        break;  // Of the one that has gone while it waited (accept(2)): the next one.
    }
  }
}

void PrepareTcp(int fd) {
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

int PendingError(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

void ResetOnClose(int fd) {
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  static_cast<void>(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)));
}

SocketAddress LocalAddressOf(int fd) {
  KernelAddress kernel = {};
  socklen_t size = sizeof(kernel);
  if (getsockname(fd, &kernel.any, &size) != 0) return SocketAddress();
  return ReadKernelAddress(kernel);
}

SocketAddress PeerAddressOf(int fd) {
  KernelAddress kernel = {};
  socklen_t size = sizeof(kernel);
  if (getpeername(fd, &kernel.any, &size) != 0) return SocketAddress();
  return ReadKernelAddress(kernel);
}

std::optional<ReceivedPacket> ReceiveFrom(int fd, std::span<uint8_t> into) {
  KernelAddress kernel = {};
  socklen_t size = sizeof(kernel);
  const ssize_t bytes = recvfrom(fd, into.data(), into.size(), MSG_DONTWAIT, &kernel.any, &size);
  if (bytes < 0) return std::nullopt;
  return ReceivedPacket{static_cast<size_t>(bytes), ReadKernelAddress(kernel)};
}

void SendTo(int fd, std::span<const uint8_t> packet, const SocketAddress& to) {
  KernelAddress kernel;
  const socklen_t size = WriteKernelAddress(to, FamilyOf(to), kernel);
  static_cast<void>(
      sendto(fd, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL, &kernel.any, size));
}

}  // namespace godwit::tunnel
