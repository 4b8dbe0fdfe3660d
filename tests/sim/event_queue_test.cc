// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/event_queue.h"

#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr Timestamp kStart = Timestamp::FromNanoseconds(5'000);

TEST(EventQueueTest, EventsRunInTheOrderOfTheirTimes) {
  EventQueue queue(kStart);
  std::vector<int> order;

  queue.After(Duration::Nanoseconds(30), [&] { order.push_back(3); });
  queue.After(Duration::Nanoseconds(10), [&] { order.push_back(1); });
  queue.After(Duration::Nanoseconds(20), [&] { order.push_back(2); });
  while (!queue.empty()) queue.RunNext();

  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(queue.now(), kStart + Duration::Nanoseconds(30));
}

TEST(EventQueueTest, EventsOfOneTimeRunInTheOrderInWhichTheyWerePutIn) {
  EventQueue queue(kStart);
  std::vector<int> order;

  for (int i = 0; i < 100; ++i) queue.At(kStart, [&order, i] { order.push_back(i); });
  while (!queue.empty()) queue.RunNext();

  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(EventQueueTest, ThePastIsNow) {
  EventQueue queue(kStart);

  queue.At(Timestamp::InfinitePast(), [] {});
  queue.RunNext();

  EXPECT_EQ(queue.now(), kStart);
}

TEST(EventQueueTest, AnEventMayPutInOthers) {
  EventQueue queue(kStart);
  int runs = 0;
  std::function<void()> again = [&] {
    if (++runs < 5) queue.After(Duration::Nanoseconds(1), again);
  };

  queue.After(Duration::Nanoseconds(1), again);
  while (!queue.empty()) queue.RunNext();

  EXPECT_EQ(runs, 5);
  EXPECT_EQ(queue.now(), kStart + Duration::Nanoseconds(5));
}

}  // namespace
}  // namespace godwit
