// SPDX-License-Identifier: Apache-2.0
//
// The control messages beside a datagram's bytes: local address (pktinfo), ECN mark, and the
// segment size of a train, to the kernel and from it. Which of them a datagram needs is decided
// elsewhere.
//
// Invariant of SendControl: the three forms that sending may need, most to least, are prefixes of
// one buffer, so that going back to a simpler one is a shorter length.
#ifndef GODWIT_PLATFORM_UDP_SOCKET_CONTROL_H_
#define GODWIT_PLATFORM_UDP_SOCKET_CONTROL_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "godwit/ecn.h"
#include "godwit/four_tuple.h"
#include "godwit/socket_address.h"

namespace godwit {

struct SendControl {
  static constexpr size_t kMaxBytes =
      CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint16_t));

  alignas(cmsghdr) std::array<uint8_t, kMaxBytes> bytes;
  size_t source_bytes = 0;  // The local address, if it is given.
  size_t single_bytes = 0;  // And the mark, if there is one: for one datagram.
  size_t train_bytes = 0;   // And the segment size: for a train.

  bool has_mark() const { return single_bytes > source_bytes; }
};

// The local address is given unless it is a wildcard, or of another family than the peer's.
void WriteSourceControl(const FourTuple& four_tuple, SendControl& control);
// These two come after it, in this order. kNotEct is what the kernel sends without being told.
void WriteEcnControl(const SocketAddress& peer, EcnMark mark, SendControl& control);
void WriteSegmentControl(size_t segment_bytes, SendControl& control);

struct ReceiveControl {
  // Room for one of each that a dual-stack socket gets, and some to spare.
  static constexpr size_t kMaxBytes = 256;

  std::optional<SocketAddress> local;
  EcnMark ecn = EcnMark::kNotEct;
  std::optional<size_t> segment_bytes;   // If the kernel merged several datagrams.
  std::optional<uint32_t> kernel_drops;  // Since the socket was opened, modulo 2^32.
};

// `local` gets `port`.
ReceiveControl ReadReceiveControl(const msghdr& message, uint16_t port);

}  // namespace godwit

#endif  // GODWIT_PLATFORM_UDP_SOCKET_CONTROL_H_
