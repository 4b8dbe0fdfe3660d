// SPDX-License-Identifier: Apache-2.0
//
// The kernel's sockets as a tunnel needs them: TCP and UDP, never blocking, closed on exec. Errors
// are what the user can act on: "127.0.0.1:8080: Address already in use".
#ifndef GODWIT_TUNNEL_KERNEL_SOCKETS_H_
#define GODWIT_TUNNEL_KERNEL_SOCKETS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/socket_address.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

// AlreadyExists if the port is in use, PermissionDenied where it is reserved. [::] takes IPv6 only,
// so that 0.0.0.0 can stand beside it.
absl::StatusOr<UniqueFd> ListenTcp(const SocketAddress& address);
absl::StatusOr<UniqueFd> BindUdp(const SocketAddress& address);

// The connection is there when the socket is writable and PendingError() is 0. On failure, errno.
struct SocketOrError {
  UniqueFd fd;
  int error = 0;
};
SocketOrError StartConnect(const SocketAddress& target);
SocketOrError ConnectUdp(const SocketAddress& target);

struct Accepted {
  UniqueFd fd;
  SocketAddress peer;
};
// Neither: nothing waits. `error`: an errno that says that this machine has no room now.
struct AcceptResult {
  std::optional<Accepted> accepted;
  int error = 0;
};
AcceptResult Accept(int listener);

// TCP_NODELAY, and keep-alives that find a peer that has vanished.
void PrepareTcp(int fd);
// Of SO_ERROR; reading it clears it.
int PendingError(int fd);
// The next close throws away what is not sent and tells the peer so (RST).
void ResetOnClose(int fd);

SocketAddress LocalAddressOf(int fd);
SocketAddress PeerAddressOf(int fd);

struct ReceivedPacket {
  size_t bytes;
  SocketAddress from;
};
// Nothing waits, or what waited was an error.
std::optional<ReceivedPacket> ReceiveFrom(int fd, std::span<uint8_t> into);
// Best effort, as UDP is.
void SendTo(int fd, std::span<const uint8_t> packet, const SocketAddress& to);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_KERNEL_SOCKETS_H_
