// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/datagram_ring.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/seeded_random.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes FrontOf(const DatagramRing& ring) { return Bytes(ring.front().begin(), ring.front().end()); }

TEST(DatagramRingTest, ANewRingHoldsNothing) {
  const DatagramRing ring;

  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.held_bytes(), 0u);
  ring.CheckInvariants();
}

TEST(DatagramRingTest, WhatGoesInFirstComesOutFirst) {
  DatagramRing ring;

  ring.PushBack(Bytes{1, 2, 3});
  ring.PushBack(Bytes{});
  ring.PushBack(Bytes{4});

  EXPECT_EQ(ring.count(), 3u);
  EXPECT_EQ(ring.data_bytes(), 4u);
  EXPECT_EQ(FrontOf(ring), (Bytes{1, 2, 3}));
  ring.PopFront();
  EXPECT_EQ(FrontOf(ring), Bytes{});
  ring.PopFront();
  EXPECT_EQ(FrontOf(ring), Bytes{4});
  ring.PopFront();
  EXPECT_TRUE(ring.empty());
  ring.CheckInvariants();
}

TEST(DatagramRingTest, TheLargestDatagramFits) {
  DatagramRing ring;
  const Bytes largest(kMaxDatagramBytes, 7);

  ring.PushBack(largest);
  ring.PushBack(largest);

  EXPECT_EQ(FrontOf(ring), largest);
  ring.CheckInvariants();
}

TEST(DatagramRingTest, AShortQueueAllocatesOnce) {
  DatagramRing ring;
  const Bytes datagram(1200, 7);
  ring.PushBack(datagram);
  const uint64_t held = ring.held_bytes();

  for (int i = 0; i < 1000; ++i) {
    ring.PopFront();
    ASSERT_EQ(ring.held_bytes(), held);
    ring.PushBack(datagram);
    ASSERT_EQ(ring.held_bytes(), held);
  }
}

TEST(DatagramRingTest, ALongQueueGivesItsMemoryBack) {
  DatagramRing ring;
  for (int i = 0; i < 1000; ++i) ring.PushBack(Bytes(1200, 7));
  EXPECT_GE(ring.held_bytes(), 1'200'000u);

  while (!ring.empty()) ring.PopFront();

  EXPECT_EQ(ring.held_bytes(), 0u);
}

TEST(DatagramRingTest, DiscardedOnesAreSkipped) {
  DatagramRing ring;
  for (const size_t size : {10, 30, 20, 40, 5, 50}) ring.PushBack(Bytes(size, 7));
  std::vector<size_t> discarded;

  ring.DiscardAbove(20, [&](size_t index) { discarded.push_back(index); });

  EXPECT_EQ(discarded, (std::vector<size_t>{1, 3, 5}));
  EXPECT_EQ(ring.count(), 3u);
  EXPECT_EQ(ring.data_bytes(), 35u);
  ring.CheckInvariants();
  for (const size_t size : {10, 20, 5}) {
    EXPECT_EQ(ring.front().size(), size);
    ring.PopFront();
  }
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.record_count(), 0u);
}

TEST(DatagramRingTest, DiscardedOnesAtTheFrontGoAtOnce) {
  DatagramRing ring;
  for (const size_t size : {30, 40, 20}) ring.PushBack(Bytes(size, 7));

  ring.DiscardAbove(25, [](size_t) {});

  EXPECT_EQ(ring.record_count(), 1u);
  EXPECT_EQ(ring.front().size(), 20u);
}

// Against a deque, with sizes and lengths that make the ring wrap, grow and shrink.
TEST(DatagramRingTest, BehavesLikeADeque) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    DatagramRing ring;
    std::deque<std::optional<Bytes>> model;  // Nothing: discarded.
    const uint64_t size_bound = uint64_t{1} << (1 + random.UniformBelow(12));
    for (int step = 0; step < 2'000; ++step) {
      const bool is_filling = (step / 100) % 3 != 2;
      const uint64_t dice = random.UniformBelow(100);
      if (dice < 2) {
        const uint64_t bound = random.UniformBelow(size_bound);
        std::vector<size_t> discarded;
        ring.DiscardAbove(bound, [&](size_t index) { discarded.push_back(index); });
        std::vector<size_t> expected;
        for (size_t i = 0; i < model.size(); ++i) {
          if (!model[i].has_value() || model[i]->size() <= bound) continue;
          model[i].reset();
          expected.push_back(i);
        }
        ASSERT_EQ(discarded, expected);
      } else if (dice < (is_filling ? 55 : 20)) {
        Bytes data(random.UniformBelow(size_bound));
        random.Fill(data);
        ring.PushBack(data);
        model.push_back(data);
      } else if (!model.empty()) {
        ASSERT_EQ(FrontOf(ring), *model.front());
        ring.PopFront();
        model.pop_front();
      }
      while (!model.empty() && !model.front().has_value()) model.pop_front();
      ASSERT_EQ(ring.record_count(), model.size());
      ASSERT_EQ(ring.empty(), model.empty());
      ring.CheckInvariants();
    }
  }
}

}  // namespace
}  // namespace godwit
