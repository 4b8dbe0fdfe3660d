// SPDX-License-Identifier: Apache-2.0
//
// The program by which the kernel picks one of several sockets that share a port: by byte 0 of the
// destination connection id, in which our ids name their shard. The header fields that it reads are
// those of every QUIC version (RFC 8999 §5.1, §5.2). Ids that a client chose fall anywhere, and on
// the same socket as long as the client uses them.
#ifndef GODWIT_PLATFORM_UDP_SOCKET_STEERING_H_
#define GODWIT_PLATFORM_UDP_SOCKET_STEERING_H_

#include <linux/filter.h>

#include <array>
#include <cstddef>

namespace godwit {

inline constexpr size_t kMaxSteeredShards = 256;

using SteeringProgram = std::array<sock_filter, 7>;

// Classic BPF over the UDP payload. `shard_count` is 1 to kMaxSteeredShards. A payload without that
// byte, which is no QUIC, goes to the first socket.
SteeringProgram ReusePortSteeringProgram(size_t shard_count);

}  // namespace godwit

#endif  // GODWIT_PLATFORM_UDP_SOCKET_STEERING_H_
