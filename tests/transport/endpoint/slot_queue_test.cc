// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/slot_queue.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

std::vector<uint32_t> Drain(SlotQueue& queue) {
  std::vector<uint32_t> slots;
  while (const auto slot = queue.Front()) {
    slots.push_back(*slot);
    queue.Remove(*slot);
  }
  return slots;
}

TEST(SlotQueueTest, NewQueueIsEmpty) {
  SlotQueue queue;

  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.Front(), std::nullopt);
  EXPECT_FALSE(queue.Contains(0));
}

TEST(SlotQueueTest, SlotsComeInTheOrderInWhichTheyWereAdded) {
  SlotQueue queue;
  for (const uint32_t slot : {7, 0, 100, 3}) queue.PushBack(slot);

  EXPECT_EQ(Drain(queue), (std::vector<uint32_t>{7, 0, 100, 3}));
  EXPECT_TRUE(queue.empty());
}

TEST(SlotQueueTest, SlotIsThereOnceAndKeepsItsPlace) {
  SlotQueue queue;
  for (const uint32_t slot : {1, 2, 1}) queue.PushBack(slot);

  EXPECT_EQ(Drain(queue), (std::vector<uint32_t>{1, 2}));
}

TEST(SlotQueueTest, MoveToBackMakesARoundRobin) {
  SlotQueue queue;
  for (const uint32_t slot : {1, 2, 3}) queue.PushBack(slot);

  std::vector<uint32_t> served;
  for (int turn = 0; turn < 7; ++turn) {
    served.push_back(*queue.Front());
    queue.MoveToBack(served.back());
  }

  EXPECT_EQ(served, (std::vector<uint32_t>{1, 2, 3, 1, 2, 3, 1}));
}

TEST(SlotQueueTest, RemovingWhatIsNotThereDoesNothing) {
  SlotQueue queue;
  queue.PushBack(5);

  queue.Remove(4);
  queue.Remove(1'000);

  EXPECT_EQ(Drain(queue), (std::vector<uint32_t>{5}));
}

TEST(SlotQueueTest, BehavesLikeADequeThatIsSearched) {
  SeededRandom random(1);
  SlotQueue queue;
  std::deque<uint32_t> naive;

  for (int step = 0; step < 20'000; ++step) {
    const auto slot = static_cast<uint32_t>(random.UniformBelow(20));
    const auto found = std::ranges::find(naive, slot);
    ASSERT_EQ(queue.Contains(slot), found != naive.end()) << "step " << step;
    switch (random.UniformBelow(3)) {
      case 0:
        queue.PushBack(slot);
        if (found == naive.end()) naive.push_back(slot);
        break;
      case 1:
        queue.Remove(slot);
        if (found != naive.end()) naive.erase(found);
        break;
      default:
        if (found == naive.end()) break;
        queue.MoveToBack(slot);
        naive.erase(found);
        naive.push_back(slot);
        break;
    }
    queue.CheckInvariants();
    ASSERT_EQ(queue.empty(), naive.empty());
    if (naive.empty()) continue;
    ASSERT_EQ(queue.Front(), naive.front()) << "step " << step;
  }
}

}  // namespace
}  // namespace godwit
