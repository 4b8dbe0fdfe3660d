// SPDX-License-Identifier: Apache-2.0
#include "platform/suspend_detector.h"

#include <time.h>

#include <cstdint>

#include "base/check.h"

namespace godwit {
namespace {

Duration Read(clockid_t clock) {
  timespec time = {};
  GODWIT_CHECK_EQ(clock_gettime(clock, &time), 0);
  return Duration::Nanoseconds(int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec);
}

Duration SleptSinceStart() {
  // Between two readings the thread may lose the processor, which would look like sleep. So one
  // clock is read on both sides of the other, and of some tries the closest counts.
  constexpr int kTries = 8;
  constexpr Duration kClose = Duration::Microseconds(2);
  Duration slept;
  Duration shortest = Duration::Infinite();
  for (int i = 0; i < kTries && shortest > kClose; ++i) {
    const Duration before = Read(CLOCK_MONOTONIC);
    const Duration with_sleep = Read(CLOCK_BOOTTIME);
    const Duration after = Read(CLOCK_MONOTONIC);
    if (after - before < shortest) {
      shortest = after - before;
      slept = with_sleep - before;
    }
  }
  return slept;
}

}  // namespace

SuspendDetector::SuspendDetector() : slept_before_(SleptSinceStart()) {}

Duration SuspendDetector::PollSlept() {
  const Duration slept = SleptSinceStart() - slept_before_;
  if (slept < kShortestSleep) return Duration::Zero();
  slept_before_ += slept;
  return slept;
}

}  // namespace godwit
