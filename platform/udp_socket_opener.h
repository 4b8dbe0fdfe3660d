// SPDX-License-Identifier: Apache-2.0
//
// Opens and prepares a UDP socket: its family, its options, its buffers, what it can offload, its
// address. Options without which QUIC would be wrong (local address of datagrams, don't-fragment:
// RFC 9000 §14) fail it; those without which it is only slower or blinder are done without.
//
// Invariant: whatever fails, the descriptor is closed.
#ifndef GODWIT_PLATFORM_UDP_SOCKET_OPENER_H_
#define GODWIT_PLATFORM_UDP_SOCKET_OPENER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "godwit/socket_address.h"
#include "platform/offload_report.h"
#include "platform/socket_calls.h"
#include "godwit/udp_socket_config.h"

namespace godwit {

struct OpenedUdpSocket {
  int fd = -1;  // The caller's to close.
  int family = 0;
  SocketAddress local;
  KernelVersion kernel;
  OffloadState gso = OffloadState::kUnsupported;
  OffloadState gro = OffloadState::kUnsupported;
  OffloadState ecn = OffloadState::kUnsupported;
  size_t max_train_segments = 1;
  // Lines for a log: what was asked for and not given, and what to do about it.
  std::vector<std::string> notices;
};

absl::StatusOr<OpenedUdpSocket> OpenUdpSocket(const UdpSocketConfig& config,
                                              const SocketCalls& calls);

}  // namespace godwit

#endif  // GODWIT_PLATFORM_UDP_SOCKET_OPENER_H_
