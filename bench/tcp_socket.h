// SPDX-License-Identifier: Apache-2.0
//
// The kernel's TCP sockets as the comparison with TCP needs them: to listen and to connect without
// blocking, with a congestion controller by name, and what the kernel has counted. No bytes pass
// here.
#ifndef GODWIT_BENCH_TCP_SOCKET_H_
#define GODWIT_BENCH_TCP_SOCKET_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/emulator/file_descriptor.h"
#include "godwit/socket_address.h"

namespace godwit {

// `congestion` as net.ipv4.tcp_available_congestion_control has it; empty: the system's default.
// Accepted connections inherit it.
absl::StatusOr<FileDescriptor> ListenTcp(const SocketAddress& address,
                                         const std::string& congestion);
// Does not wait: the connection is there when the socket is writable and TcpConnectError() is ok.
absl::StatusOr<FileDescriptor> ConnectTcp(const SocketAddress& server,
                                          const std::string& congestion);
// The next one that waits, if there is one.
std::optional<FileDescriptor> AcceptTcp(int listener);

absl::Status TcpConnectError(int socket);
// `bound` with the port that the kernel chose for it.
absl::StatusOr<SocketAddress> WithKernelPort(int socket, const SocketAddress& bound);
std::string CongestionControllerOf(int socket);

// Small writes leave at once, also while others are not acknowledged (TCP_NODELAY).
void SendAtOnce(int socket);

// The next close throws away what is not sent and tells the peer so (RST).
void ResetOnClose(int socket);

// Segments, since the connection was made.
struct TcpCounts {
  uint64_t segments_sent = 0;
  uint64_t segments_received = 0;
  uint64_t retransmissions = 0;
};

TcpCounts TcpCountsOf(int socket);

}  // namespace godwit

#endif  // GODWIT_BENCH_TCP_SOCKET_H_
