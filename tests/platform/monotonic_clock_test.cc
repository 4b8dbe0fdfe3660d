// SPDX-License-Identifier: Apache-2.0
#include "platform/monotonic_clock.h"

#include <time.h>

#include "gtest/gtest.h"

#include "godwit/time.h"
#include "tests/platform/child_process.h"

namespace godwit {
namespace {

TEST(MonotonicClockTest, LiesBetweenTwoReadingsOfTheKernelsClock) {
  timespec before = {};
  timespec after = {};

  clock_gettime(CLOCK_BOOTTIME, &before);
  const Timestamp now = MonotonicClock::Now();
  clock_gettime(CLOCK_BOOTTIME, &after);

  EXPECT_LE(before.tv_sec * 1'000'000'000 + before.tv_nsec, now.ToNanoseconds());
  EXPECT_GE(after.tv_sec * 1'000'000'000 + after.tv_nsec, now.ToNanoseconds());
}

TEST(MonotonicClockTest, NeverGoesBack) {
  Timestamp last = Timestamp::Zero();

  for (int i = 0; i < 100'000; ++i) {
    const Timestamp now = MonotonicClock::Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(MonotonicClockTest, CountsTheTimeThatTheMachineSleeps) {
  const ChildResult result = RunInChild([] {
    const Timestamp before = MonotonicClock::Now();
    if (!PretendSleep(3'600)) return ChildResult::kRefused;
    return MonotonicClock::Now() - before >= Duration::Seconds(3'600) ? ChildResult::kHolds
                                                                      : ChildResult::kFails;
  });

  if (result == ChildResult::kRefused) GTEST_SKIP() << "time namespaces are refused";
  EXPECT_EQ(result, ChildResult::kHolds);
}

}  // namespace
}  // namespace godwit
