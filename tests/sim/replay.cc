// SPDX-License-Identifier: Apache-2.0
//
// Plays the random run of a seed and prints its trace: times, sizes, drops, packet numbers, frames.
//   bazel run //tests/sim:replay -- SEED
#include <cstdio>
#include <cstdlib>

#include "tests/sim/random_run.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: replay SEED\n");
    return 2;
  }
  setenv("GODWIT_SIM_TRACE", "1", 1);
  const godwit::RandomRunOutcome outcome =
      godwit::PlayRandomRun(std::strtoull(argv[1], nullptr, 10));
  std::fprintf(stderr, "%s\n", outcome.result ? "passed" : outcome.result.message());
  return outcome.result ? 0 : 1;
}
