// SPDX-License-Identifier: Apache-2.0
#include "tunnel/flow_priority.h"

#include <gtest/gtest.h>

namespace godwit::tunnel {
namespace {

constexpr Timestamp kBegin = Timestamp::FromNanoseconds(1'000'000'000'000);

TEST(FlowPriorityTest, InteractiveFlowStaysSoForEver) {
  FlowPriority priority;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(priority.OnSent(1'000, kBegin + Duration::Milliseconds(50) * i).has_value());
  }
}

TEST(FlowPriorityTest, FlowThatSendsMuchBecomesBulkOnce) {
  FlowPriority priority;

  EXPECT_FALSE(priority.OnSent(FlowPriority::kBulkAbove, kBegin).has_value());
  EXPECT_EQ(priority.OnSent(1, kBegin), kBulkPriority);
  EXPECT_FALSE(priority.OnSent(1'000'000, kBegin).has_value());
}

TEST(FlowPriorityTest, BulkFlowThatWasQuietIsInteractiveAgain) {
  FlowPriority priority;
  priority.OnSent(FlowPriority::kBulkAbove + 1, kBegin);

  EXPECT_FALSE(priority.OnSent(1, kBegin + Duration::Seconds(1)).has_value());
  EXPECT_EQ(priority.OnSent(1, kBegin + Duration::Seconds(5)), kInteractivePriority);
}

TEST(FlowPriorityTest, BulkFlowThatIsHeldUpByASlowLinkStaysBulk) {
  FlowPriority priority;
  priority.OnSent(FlowPriority::kBulkAbove + 1, kBegin);

  for (int i = 1; i < 100; ++i) {
    priority.OnHeldUp(kBegin + Duration::Seconds(10) * i);
    EXPECT_FALSE(priority.OnSent(16'384, kBegin + Duration::Seconds(10) * i).has_value()) << i;
  }

  EXPECT_EQ(priority.OnSent(1, kBegin + Duration::Seconds(2'000)), kInteractivePriority);
}

TEST(FlowPriorityTest, BulkFlowThatWaitsLongHasATurn) {
  FlowPriority priority;
  priority.OnSent(FlowPriority::kBulkAbove + 1, kBegin);
  priority.OnHeldUp(kBegin + Duration::Milliseconds(1));
  priority.OnHeldUp(kBegin + Duration::Milliseconds(500));
  const Timestamp deadline = kBegin + Duration::Milliseconds(1) + FlowPriority::kMaxWait;

  EXPECT_EQ(priority.next_deadline(), deadline);
  EXPECT_FALSE(priority.OnTimeout(deadline - Duration::Nanoseconds(1)).has_value());
  EXPECT_EQ(priority.OnTimeout(deadline), kInteractivePriority);
  EXPECT_EQ(priority.next_deadline(), Timestamp::Infinite());
  EXPECT_FALSE(priority.OnTimeout(deadline).has_value());
  EXPECT_FALSE(priority.OnSent(FlowPriority::kTurnBytes - 1, deadline).has_value());
  EXPECT_EQ(priority.OnSent(1, deadline), kBulkPriority);
  EXPECT_FALSE(priority.OnSent(FlowPriority::kTurnBytes, deadline).has_value());
}

TEST(FlowPriorityTest, WhoBecomesInteractiveInItsTurnStaysSo) {
  FlowPriority priority;
  priority.OnSent(FlowPriority::kBulkAbove + 1, kBegin);
  priority.OnHeldUp(kBegin);
  ASSERT_TRUE(priority.OnTimeout(kBegin + FlowPriority::kMaxWait).has_value());
  const Timestamp later = kBegin + Duration::Seconds(100);
  priority.OnSent(1, kBegin + FlowPriority::kMaxWait);

  EXPECT_EQ(priority.OnSent(1, later), kInteractivePriority);
  EXPECT_FALSE(priority.OnSent(FlowPriority::kTurnBytes, later).has_value());
}

TEST(FlowPriorityTest, NobodyElseWaitsForATurn) {
  FlowPriority interactive;
  interactive.OnSent(1'000, kBegin);
  interactive.OnHeldUp(kBegin);
  FlowPriority moving;
  moving.OnSent(FlowPriority::kBulkAbove + 1, kBegin);
  moving.OnHeldUp(kBegin);
  moving.OnSent(1, kBegin);

  EXPECT_EQ(interactive.next_deadline(), Timestamp::Infinite());
  EXPECT_EQ(moving.next_deadline(), Timestamp::Infinite());
}

TEST(FlowPriorityTest, LongQuietForgetsEverything) {
  FlowPriority priority;
  priority.OnSent(uint64_t{1} << 40, kBegin);

  EXPECT_EQ(priority.OnSent(1, kBegin + Duration::Seconds(86'400)), kInteractivePriority);
}

TEST(FlowPriorityTest, UrgencyGoesFromControlToBulk) {
  EXPECT_LT(kControlPriority.urgency, kInteractivePriority.urgency);
  EXPECT_LT(kInteractivePriority.urgency, kBulkPriority.urgency);
}

}  // namespace
}  // namespace godwit::tunnel
