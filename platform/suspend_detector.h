// SPDX-License-Identifier: Apache-2.0
//
// SuspendDetector: how long the machine was suspended since it was last asked. After a sleep paths
// may have gone, NAT bindings expired and peers given up; who holds connections then probes them at
// once instead of waiting for loss timers. When to ask is decided elsewhere: EventLoop does when
// the kernel tells it of a resumption.
//
// The kernel has two clocks that differ by just this time (CLOCK_BOOTTIME and CLOCK_MONOTONIC).
// They cannot be read in one instant, so what seems shorter than kShortestSleep counts as no sleep.
#ifndef GODWIT_PLATFORM_SUSPEND_DETECTOR_H_
#define GODWIT_PLATFORM_SUSPEND_DETECTOR_H_

#include "godwit/time.h"

namespace godwit {

class SuspendDetector {
 public:
  static constexpr Duration kShortestSleep = Duration::Milliseconds(1);

  // Counts from here.
  SuspendDetector();

  // Since the last call, or the beginning. Zero() if the machine was awake.
  Duration PollSlept();

 private:
  Duration slept_before_;  // Since the machine's start, as of the last answer.
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_SUSPEND_DETECTOR_H_
