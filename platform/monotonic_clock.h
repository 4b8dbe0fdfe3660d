// SPDX-License-Identifier: Apache-2.0
//
// MonotonicClock: the one clock that all Timestamps of a running program come from. It never goes
// back, and it counts the time that the machine sleeps: a peer's idle timer runs on while this
// machine is suspended, so ours must too (RFC 9000 §10.1). That is CLOCK_BOOTTIME; the vDSO reads
// it as fast as CLOCK_MONOTONIC (about 42 ns where it was measured, no system call).
//
// The epoch is the start of the machine (of its time namespace): 0 or more, so never near
// Timestamp::InfinitePast(). What speaks of CLOCK_MONOTONIC (SO_TXTIME with the fq queueing
// discipline, for one) has another epoch as soon as the machine has slept: see SuspendDetector.
#ifndef GODWIT_PLATFORM_MONOTONIC_CLOCK_H_
#define GODWIT_PLATFORM_MONOTONIC_CLOCK_H_

#include "godwit/time.h"

namespace godwit {

class MonotonicClock {
 public:
  MonotonicClock() = delete;

  // From any thread.
  static Timestamp Now();
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_MONOTONIC_CLOCK_H_
