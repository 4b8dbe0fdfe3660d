// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/blocked_times_checker.h"

#include "gtest/gtest.h"

#include "godwit/time.h"

namespace godwit {
namespace {

constexpr Timestamp At(int64_t ms) { return Timestamp::FromNanoseconds(ms * 1'000'000); }

SendBlockedTimes Times(int64_t application_ms, int64_t pacing_ms) {
  SendBlockedTimes times;
  times.application = Duration::Milliseconds(application_ms);
  times.pacing = Duration::Milliseconds(pacing_ms);
  return times;
}

TEST(BlockedTimesCheckerTest, TimesThatAreTheAgeAreRight) {
  BlockedTimesChecker checker;

  EXPECT_EQ(checker.Check(Times(3, 2), true, At(105)), "");
  EXPECT_EQ(checker.Check(Times(3, 7), true, At(110)), "");
  EXPECT_EQ(checker.Check(Times(4, 7), true, At(111)), "");
}

TEST(BlockedTimesCheckerTest, TimeThatIsMissingIsFound) {
  BlockedTimesChecker checker;
  checker.Check(Times(3, 2), true, At(105));

  EXPECT_NE(checker.Check(Times(3, 6), true, At(110)), "");
}

TEST(BlockedTimesCheckerTest, TimeThatCountsTwiceIsFound) {
  BlockedTimesChecker checker;
  checker.Check(Times(3, 2), true, At(105));

  EXPECT_NE(checker.Check(Times(8, 7), true, At(110)), "");
}

TEST(BlockedTimesCheckerTest, TimeAfterTheEndIsFound) {
  BlockedTimesChecker checker;
  checker.Check(Times(3, 2), true, At(105));

  EXPECT_EQ(checker.Check(Times(3, 4), false, At(110)), "");
  EXPECT_EQ(checker.Check(Times(3, 4), false, At(120)), "");
  EXPECT_NE(checker.Check(Times(3, 5), false, At(130)), "");
}

TEST(BlockedTimesCheckerTest, MoreThanTheAgeAtTheEndIsFound) {
  BlockedTimesChecker checker;
  checker.Check(Times(3, 2), true, At(105));

  EXPECT_NE(checker.Check(Times(3, 9), false, At(110)), "");
}

TEST(BlockedTimesCheckerTest, ClockThatGoesBackIsWaitedFor) {
  BlockedTimesChecker checker;
  checker.Check(Times(3, 2), true, At(105));

  EXPECT_EQ(checker.Check(Times(3, 2), true, At(50)), "");
  EXPECT_EQ(checker.Check(Times(3, 4), true, At(107)), "");
}

}  // namespace
}  // namespace godwit
