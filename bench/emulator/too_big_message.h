// SPDX-License-Identifier: Apache-2.0
//
// The ICMP message with which a router answers a packet that is larger than the next link takes:
// "fragmentation needed" (RFC 792, RFC 1191) or "packet too big" (RFC 4443 §3.2). Bytes only; the
// caller decides whether to answer at all, and sends it.
#ifndef GODWIT_BENCH_EMULATOR_TOO_BIG_MESSAGE_H_
#define GODWIT_BENCH_EMULATOR_TOO_BIG_MESSAGE_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace godwit {

struct RouterAddresses {
  std::array<uint8_t, 4> ipv4;
  std::array<uint8_t, 16> ipv6;
};

// A whole IP packet for the sender of `packet`, from `router`. Empty if there is no answer: it is
// no IP packet, an IPv4 packet that permits fragments (the emulator does not make them), a later
// fragment, or itself an ICMP error.
std::vector<uint8_t> MakeTooBigMessage(std::span<const uint8_t> packet, uint64_t mtu_bytes,
                                       const RouterAddresses& router);

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_TOO_BIG_MESSAGE_H_
