// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/timer_queue.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr Timestamp At(int64_t ms) { return Timestamp() + Duration::Milliseconds(ms); }

std::vector<uint32_t> PopAll(TimerQueue& timers, Timestamp now) {
  std::vector<uint32_t> slots;
  while (const auto slot = timers.PopExpired(now)) slots.push_back(*slot);
  return slots;
}

TEST(TimerQueueTest, EmptyQueueAwaitsNothing) {
  TimerQueue timers;

  EXPECT_EQ(timers.Earliest(), Timestamp::Infinite());
  EXPECT_EQ(timers.PopExpired(At(1'000)), std::nullopt);
  EXPECT_EQ(timers.deadline(7), Timestamp::Infinite());
}

TEST(TimerQueueTest, ExpiredSlotsComeInOrderOfTheirDeadlines) {
  TimerQueue timers;
  const int64_t deadlines[] = {50, 20, 90, 10, 70, 30, 60};
  for (uint32_t slot = 0; slot < std::size(deadlines); ++slot) {
    timers.Set(slot, At(deadlines[slot]));
  }

  const std::vector<uint32_t> expired = PopAll(timers, At(60));

  EXPECT_EQ(expired, (std::vector<uint32_t>{3, 1, 5, 0, 6}));
  EXPECT_EQ(timers.Earliest(), At(70));
}

TEST(TimerQueueTest, SlotExpiresAtItsDeadlineAndNotBefore) {
  TimerQueue timers;
  timers.Set(4, At(10));

  EXPECT_EQ(timers.PopExpired(At(10) - Duration::Nanoseconds(1)), std::nullopt);
  EXPECT_EQ(timers.PopExpired(At(10)), 4);
}

TEST(TimerQueueTest, ExpiredSlotHasNoDeadlineAnyMore) {
  TimerQueue timers;
  timers.Set(4, At(10));

  ASSERT_EQ(timers.PopExpired(At(10)), 4);

  EXPECT_EQ(timers.deadline(4), Timestamp::Infinite());
  EXPECT_EQ(timers.PopExpired(At(100)), std::nullopt);
  EXPECT_EQ(timers.Earliest(), Timestamp::Infinite());
}

TEST(TimerQueueTest, DeadlineMovesLater) {
  TimerQueue timers;
  timers.Set(1, At(10));
  timers.Set(2, At(20));

  timers.Set(1, At(30));

  EXPECT_EQ(timers.Earliest(), At(20));
  EXPECT_EQ(PopAll(timers, At(30)), (std::vector<uint32_t>{2, 1}));
}

TEST(TimerQueueTest, DeadlineMovesEarlier) {
  TimerQueue timers;
  timers.Set(1, At(10));
  timers.Set(2, At(20));

  timers.Set(2, At(5));

  EXPECT_EQ(timers.Earliest(), At(5));
  EXPECT_EQ(PopAll(timers, At(10)), (std::vector<uint32_t>{2, 1}));
}

TEST(TimerQueueTest, DeadlineMovesLaterAndBack) {
  TimerQueue timers;
  timers.Set(1, At(10));
  timers.Set(2, At(20));

  timers.Set(1, At(100));
  timers.Set(1, At(15));

  EXPECT_EQ(timers.Earliest(), At(15));
  timers.CheckInvariants();
}

TEST(TimerQueueTest, InfiniteDeadlineIsNone) {
  TimerQueue timers;
  timers.Set(1, At(10));
  timers.Set(2, At(20));

  timers.Set(1, Timestamp::Infinite());
  timers.Set(1'000, Timestamp::Infinite());

  EXPECT_EQ(timers.Earliest(), At(20));
  EXPECT_EQ(PopAll(timers, At(50)), (std::vector<uint32_t>{2}));
}

TEST(TimerQueueTest, DeadlineInTheInfinitePastExpiresAtOnce) {
  TimerQueue timers;

  timers.Set(3, Timestamp::InfinitePast());

  EXPECT_EQ(timers.PopExpired(Timestamp()), 3);
}

TEST(TimerQueueTest, SlotTakesAtMost32Bytes) { EXPECT_LE(TimerQueue::kBytesPerSlot, 32); }

}  // namespace
}  // namespace godwit
