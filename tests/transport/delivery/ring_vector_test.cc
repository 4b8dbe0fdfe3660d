// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/ring_vector.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

using Numbers = RingVector<std::unique_ptr<int>, 2>;

Numbers MakeNumbers(int count) {
  Numbers numbers;
  for (int i = 0; i < count; ++i) numbers.PushBack(std::make_unique<int>(i));
  return numbers;
}

TEST(RingVectorTest, MovingHandsOverInlineElements) {
  Numbers from = MakeNumbers(2);

  const Numbers to = std::move(from);

  ASSERT_EQ(to.size(), 2u);
  EXPECT_EQ(*to[0], 0);
  EXPECT_EQ(*to[1], 1);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): empty by contract.
}

TEST(RingVectorTest, MovingHandsOverHeapElements) {
  Numbers from = MakeNumbers(9);

  Numbers to = MakeNumbers(3);
  to = std::move(from);
  from.PushBack(std::make_unique<int>(7));  // NOLINT(bugprone-use-after-move): empty by contract.

  ASSERT_EQ(to.size(), 9u);
  EXPECT_EQ(*to.back(), 8);
  ASSERT_EQ(from.size(), 1u);
  EXPECT_EQ(*from.front(), 7);
}

TEST(RingVectorTest, RemovedElementOwnsNothing) {
  const auto watched = std::make_shared<int>(1);
  RingVector<std::shared_ptr<int>, 4> pointers;
  for (int i = 0; i < 4; ++i) pointers.PushBack(watched);

  pointers.PopFront();
  pointers.Erase(1, 1);
  EXPECT_EQ(watched.use_count(), 3);
  pointers.Clear();

  EXPECT_EQ(watched.use_count(), 1);
}

TEST(RingVectorTest, RandomOperationsAreThoseOfADeque) {
  SeededRandom random(20'010);
  RingVector<std::unique_ptr<int>, 2> ring;
  std::deque<int> model;

  for (int i = 0; i < 50'000; ++i) {
    const size_t index = random.UniformBelow(model.size() + 1);
    switch (random.UniformBelow(model.size() < 40 ? 5 : 7)) {
      case 0:
      case 1:
      case 2:
        ring.Insert(index, std::make_unique<int>(i));
        model.insert(model.begin() + static_cast<ptrdiff_t>(index), i);
        break;
      case 3:
        ring.PushBack(std::make_unique<int>(i));
        model.push_back(i);
        break;
      case 4:
        if (model.empty()) break;
        ring.PopFront();
        model.pop_front();
        break;
      default: {
        const size_t count = random.UniformBelow(model.size() - index + 1);
        ring.Erase(index, count);
        const auto first = model.begin() + static_cast<ptrdiff_t>(index);
        model.erase(first, first + static_cast<ptrdiff_t>(count));
      }
    }
    ASSERT_EQ(ring.size(), model.size());
    for (size_t k = 0; k < model.size(); ++k) ASSERT_EQ(*ring[k], model[k]) << i;
  }
}

}  // namespace
}  // namespace godwit
