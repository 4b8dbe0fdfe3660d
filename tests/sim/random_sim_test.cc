// SPDX-License-Identifier: Apache-2.0
//
// Random runs. GODWIT_SIM_SEEDS says how many; a seed that fails is printed with the command that
// plays it again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "gtest/gtest.h"

#include "tests/sim/random_run.h"

namespace godwit {
namespace {

constexpr uint64_t kDefaultSeeds = 300;
constexpr uint64_t kPieces = 20;
// Seeds of a piece that are played twice.
constexpr uint64_t kSeedsComparedPerPiece = 2;
constexpr int kMaxFailuresPerPiece = 3;

uint64_t SeedCount() {
  const char* text = std::getenv("GODWIT_SIM_SEEDS");
  return text == nullptr ? kDefaultSeeds : std::strtoull(text, nullptr, 10);
}

// A part of the seeds, so that several machines, or cores, can share them.
class RandomSimTest : public testing::TestWithParam<uint64_t> {};

TEST_P(RandomSimTest, EverythingIsDeliveredAndBothEndsAgree) {
  int failures = 0;
  for (uint64_t seed = 1 + GetParam(); seed <= SeedCount(); seed += kPieces) {
    // Before, because a failed CHECK ends the process.
    std::fprintf(stderr, "seed %llu: bazel run //tests/sim:replay -- %llu\n",
                 static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed));
    const RandomRunOutcome outcome = PlayRandomRun(seed);
    EXPECT_TRUE(outcome.result) << "bazel run //tests/sim:replay -- " << seed;
    if (!outcome.result && ++failures >= kMaxFailuresPerPiece) break;
    if (seed <= kPieces * kSeedsComparedPerPiece) {
      EXPECT_EQ(outcome.trace_hash, PlayRandomRun(seed).trace_hash) << "seed " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Pieces, RandomSimTest, testing::Range(uint64_t{0}, kPieces));

}  // namespace
}  // namespace godwit
