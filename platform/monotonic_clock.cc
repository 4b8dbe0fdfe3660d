// SPDX-License-Identifier: Apache-2.0
#include "platform/monotonic_clock.h"

#include <time.h>

#include <cstdint>

#include "base/check.h"

namespace godwit {

Timestamp MonotonicClock::Now() {
  timespec time = {};
  GODWIT_CHECK_EQ(clock_gettime(CLOCK_BOOTTIME, &time), 0);
  return Timestamp::FromNanoseconds(int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec);
}

}  // namespace godwit
