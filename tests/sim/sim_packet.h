// SPDX-License-Identifier: Apache-2.0
//
// SimPacket: a UDP datagram on its way between two nodes.
#ifndef GODWIT_TESTS_SIM_SIM_PACKET_H_
#define GODWIT_TESTS_SIM_SIM_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "godwit/ecn.h"
#include "godwit/socket_address.h"

namespace godwit {

// Bytes of IPv4 and UDP headers. They take their part of a link's rate, queue and MTU.
inline constexpr uint64_t kUdpIpOverheadBytes = 28;

struct SimPacket {
  uint64_t number = 0;  // Of all datagrams that were sent in the run, duplicates have the same.
  size_t sender = 0;    // Its node.
  SocketAddress source = {};
  SocketAddress destination = {};
  EcnMark ecn = EcnMark::kNotEct;
  std::vector<uint8_t> payload = {};

  uint64_t bytes_on_link() const { return payload.size() + kUdpIpOverheadBytes; }
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_SIM_PACKET_H_
