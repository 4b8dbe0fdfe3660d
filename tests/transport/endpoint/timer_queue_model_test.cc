// SPDX-License-Identifier: Apache-2.0
//
// TimerQueue beside a list that is searched from end to end.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "transport/endpoint/timer_queue.h"

namespace godwit {
namespace {

class NaiveTimers {
 public:
  explicit NaiveTimers(size_t slot_count) : deadlines_(slot_count, Timestamp::Infinite()) {}

  void Set(uint32_t slot, Timestamp deadline) { deadlines_[slot] = deadline; }
  Timestamp deadline(uint32_t slot) const { return deadlines_[slot]; }
  Timestamp Earliest() const { return *std::ranges::min_element(deadlines_); }

 private:
  std::vector<Timestamp> deadlines_;
};

void CompareWithNaive(uint64_t seed, uint32_t slot_count, int step_count) {
  SeededRandom random(seed);
  TimerQueue timers;
  NaiveTimers naive(slot_count);
  Timestamp now;
  for (int step = 0; step < step_count; ++step) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", step " << step);
    switch (random.UniformBelow(10)) {
      case 0: {
        // Time goes on, and everything that has expired is taken.
        now += Duration::Nanoseconds(static_cast<int64_t>(random.UniformBelow(40)));
        while (const auto slot = timers.PopExpired(now)) {
          ASSERT_LE(naive.deadline(*slot), now);
          ASSERT_EQ(naive.deadline(*slot), naive.Earliest());
          naive.Set(*slot, Timestamp::Infinite());
        }
        ASSERT_GT(naive.Earliest(), now);
        break;
      }
      case 1: {
        const auto slot = static_cast<uint32_t>(random.UniformBelow(slot_count));
        timers.Set(slot, Timestamp::Infinite());
        naive.Set(slot, Timestamp::Infinite());
        break;
      }
      case 2:
        ASSERT_EQ(timers.Earliest(), naive.Earliest());
        break;
      default: {
        const auto slot = static_cast<uint32_t>(random.UniformBelow(slot_count));
        const auto after = Duration::Nanoseconds(static_cast<int64_t>(random.UniformBelow(200)));
        timers.Set(slot, now + after);
        naive.Set(slot, now + after);
        ASSERT_EQ(timers.deadline(slot), naive.deadline(slot));
        break;
      }
    }
    timers.CheckInvariants();
  }
  ASSERT_EQ(timers.Earliest(), naive.Earliest());
}

TEST(TimerQueueModelTest, FewSlots) {
  for (uint64_t seed = 1; seed <= 200; ++seed) CompareWithNaive(seed, 5, 300);
}

TEST(TimerQueueModelTest, ManySlots) {
  for (uint64_t seed = 1; seed <= 10; ++seed) CompareWithNaive(seed, 400, 3'000);
}

}  // namespace
}  // namespace godwit
