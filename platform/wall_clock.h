// SPDX-License-Identifier: Apache-2.0
//
// WallClock: the date, for what outlives a process: certificates, tickets, tokens. It jumps when
// somebody sets it; intervals are MonotonicClock's business.
#ifndef GODWIT_PLATFORM_WALL_CLOCK_H_
#define GODWIT_PLATFORM_WALL_CLOCK_H_

#include "godwit/unix_time.h"

namespace godwit {

class WallClock {
 public:
  WallClock() = delete;

  // The second that is running. From any thread.
  static UnixTime Now();
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_WALL_CLOCK_H_
