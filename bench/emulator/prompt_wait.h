// SPDX-License-Identifier: Apache-2.0
//
// How the emulator's programs sleep: until a file descriptor has input or a time of MonotonicClock
// is reached, on high-resolution timers, and how they ask to be woken up in time. Nothing is kept
// between the calls.
#ifndef GODWIT_BENCH_EMULATOR_PROMPT_WAIT_H_
#define GODWIT_BENCH_EMULATOR_PROMPT_WAIT_H_

#include <initializer_list>

#include "godwit/time.h"

namespace godwit {

// Asks for what lets this thread wake up when it should: timers that expire on their own, and not
// together with those of the next 50 microseconds, and, where the system permits it, precedence
// over all threads of ordinary priority. Children are started with ordinary priority.
void AskForPromptWakeups();

// Sleeps until one of `fds` has input, `deadline` is reached, or a signal came. It may return
// early.
void WaitForInput(std::initializer_list<int> fds, Timestamp deadline);

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_PROMPT_WAIT_H_
