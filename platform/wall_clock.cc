// SPDX-License-Identifier: Apache-2.0
#include "platform/wall_clock.h"

#include <time.h>

#include "base/check.h"

namespace godwit {

UnixTime WallClock::Now() {
  timespec time = {};
  GODWIT_CHECK_EQ(clock_gettime(CLOCK_REALTIME, &time), 0);
  return UnixTime::FromSeconds(time.tv_sec);
}

}  // namespace godwit
