// SPDX-License-Identifier: Apache-2.0
#include "platform/suspend_detector.h"

#include "gtest/gtest.h"

#include "godwit/time.h"
#include "tests/platform/child_process.h"

namespace godwit {
namespace {

TEST(SuspendDetectorTest, MachineThatIsAwakeHasNotSlept) {
  SuspendDetector detector;

  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(detector.PollSlept(), Duration::Zero());
  }
}

TEST(SuspendDetectorTest, SleepIsReportedOnce) {
  const ChildResult result = RunInChild([] {
    SuspendDetector detector;
    if (!PretendSleep(3'600)) return ChildResult::kRefused;
    const Duration first = detector.PollSlept();
    const Duration second = detector.PollSlept();
    const Duration error = first - Duration::Seconds(3'600);
    const bool is_right = error < SuspendDetector::kShortestSleep &&
                          -error < SuspendDetector::kShortestSleep && second.is_zero();
    return is_right ? ChildResult::kHolds : ChildResult::kFails;
  });

  if (result == ChildResult::kRefused) GTEST_SKIP() << "time namespaces are refused";
  EXPECT_EQ(result, ChildResult::kHolds);
}

}  // namespace
}  // namespace godwit
