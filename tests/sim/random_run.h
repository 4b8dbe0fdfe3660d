// SPDX-License-Identifier: Apache-2.0
//
// RandomRun: from a seed a whole run: a path with its faults, two endpoints with their
// configurations, what their applications do, and what happens meanwhile. Played until everything
// is delivered and the connection is closed, with all checkers watching.
#ifndef GODWIT_TESTS_SIM_RANDOM_RUN_H_
#define GODWIT_TESTS_SIM_RANDOM_RUN_H_

#include <cstdint>

#include "gtest/gtest.h"

namespace godwit {

struct RandomRunOutcome {
  testing::AssertionResult result;
  uint64_t trace_hash;
};

// One seed in five has the real TLS session.
RandomRunOutcome PlayRandomRun(uint64_t seed);

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_RANDOM_RUN_H_
