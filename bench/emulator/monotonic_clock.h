// SPDX-License-Identifier: Apache-2.0
//
// The clock of the emulator's programs, and how they sleep: until a file descriptor has input or a
// time is reached, on high-resolution timers. Nothing below the programs reads this clock but the
// packet sockets, which translate the kernel's stamps to it.
#ifndef GODWIT_BENCH_EMULATOR_MONOTONIC_CLOCK_H_
#define GODWIT_BENCH_EMULATOR_MONOTONIC_CLOCK_H_

#include <initializer_list>

#include "godwit/time.h"

namespace godwit {

// CLOCK_MONOTONIC.
Timestamp MonotonicNow();

// Asks for what lets this thread wake up when it should: timers that expire on their own, and not
// together with those of the next 50 microseconds, and, where the system permits it, precedence
// over all threads of ordinary priority. Children are started with ordinary priority.
void AskForPromptWakeups();

// Sleeps until one of `fds` has input, `deadline` is reached, or a signal came. It may return
// early.
void WaitForInput(std::initializer_list<int> fds, Timestamp deadline);

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_MONOTONIC_CLOCK_H_
