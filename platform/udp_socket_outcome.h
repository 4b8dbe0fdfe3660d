// SPDX-License-Identifier: Apache-2.0
//
// What a UdpSocket says of one call of Send(): how far it came, and which datagrams the first hop
// of their path is too small for. What follows from it is the caller's.
#ifndef GODWIT_PLATFORM_UDP_SOCKET_OUTCOME_H_
#define GODWIT_PLATFORM_UDP_SOCKET_OUTCOME_H_

#include <cstddef>
#include <cstdint>

#include "godwit/four_tuple.h"

namespace godwit {

struct UdpSendOutcome {
  size_t transmits_done = 0;
  bool is_blocked = false;
};

struct DatagramTooLarge {
  FourTuple four_tuple;
  uint64_t bytes = 0;  // UDP payload.
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_UDP_SOCKET_OUTCOME_H_
