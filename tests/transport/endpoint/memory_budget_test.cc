// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/memory_budget.h"

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr uint64_t kBudget = 1'000'000;
constexpr size_t kLarge = 1'200;

TEST(MemoryBudgetTest, NothingHeldPermitsEverything) {
  const MemoryBudget budget(kBudget);

  EXPECT_TRUE(budget.may_grow_windows());
  EXPECT_TRUE(budget.may_open_connection());
  EXPECT_FALSE(budget.is_spent());
  EXPECT_TRUE(
      budget.Admits({.datagram_bytes = kLarge, .held_bytes = 10 * kBudget, .connection_count = 1}));
}

TEST(MemoryBudgetTest, DifferencesAddUp) {
  MemoryBudget budget(kBudget);

  EXPECT_FALSE(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = 100}));
  EXPECT_FALSE(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = 50}));
  EXPECT_FALSE(budget.OnHeldBytesChanged({.before_bytes = 100, .after_bytes = 30}));

  EXPECT_EQ(budget.held_bytes(), 80);
}

TEST(MemoryBudgetTest, WindowsStopGrowingAbove75PercentAndResumeAt70) {
  MemoryBudget budget(kBudget);

  EXPECT_FALSE(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = 750'000}));
  EXPECT_TRUE(budget.OnHeldBytesChanged({.before_bytes = 750'000, .after_bytes = 750'001}));
  EXPECT_FALSE(budget.may_grow_windows());
  EXPECT_FALSE(budget.OnHeldBytesChanged({.before_bytes = 750'001, .after_bytes = 700'001}));
  EXPECT_FALSE(budget.may_grow_windows());
  EXPECT_TRUE(budget.OnHeldBytesChanged({.before_bytes = 700'001, .after_bytes = 700'000}));
  EXPECT_TRUE(budget.may_grow_windows());
}

TEST(MemoryBudgetTest, NoConnectionAbove90Percent) {
  MemoryBudget budget(kBudget);

  static_cast<void>(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = 900'000}));
  EXPECT_TRUE(budget.may_open_connection());
  static_cast<void>(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = 1}));
  EXPECT_FALSE(budget.may_open_connection());
}

TEST(MemoryBudgetTest, SpentBudgetStopsLargeDatagramsForThoseAboveTheirShare) {
  MemoryBudget budget(kBudget);
  static_cast<void>(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = kBudget}));
  ASSERT_TRUE(budget.is_spent());
  const uint64_t share = kBudget / 8 / 10;

  EXPECT_TRUE(
      budget.Admits({.datagram_bytes = kLarge, .held_bytes = share, .connection_count = 9}));
  EXPECT_FALSE(
      budget.Admits({.datagram_bytes = kLarge, .held_bytes = share + 1, .connection_count = 9}));
}

TEST(MemoryBudgetTest, SpentBudgetLetsAcknowledgmentsIn) {
  MemoryBudget budget(kBudget);
  static_cast<void>(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = 2 * kBudget}));

  EXPECT_TRUE(budget.Admits({.datagram_bytes = kMaxDatagramBytesWithoutMemory,
                             .held_bytes = kBudget,
                             .connection_count = 9}));
  EXPECT_FALSE(budget.Admits({.datagram_bytes = kMaxDatagramBytesWithoutMemory + 1,
                              .held_bytes = kBudget,
                              .connection_count = 9}));
}

TEST(MemoryBudgetTest, HostilePeersStayBelowNineEighthsAndOneRunEach) {
  // Each connection takes in what it is let, 64 datagrams at a time, for ever.
  constexpr size_t kConnections = 100;
  constexpr uint64_t kRunBytes = kMaxDatagramsPerRun * kLarge;
  MemoryBudget budget(kBudget);
  uint64_t held[kConnections] = {};

  for (int round = 0; round < 200; ++round) {
    for (uint64_t& one : held) {
      if (!budget.Admits(
              {.datagram_bytes = kLarge, .held_bytes = one, .connection_count = kConnections})) {
        continue;
      }
      static_cast<void>(
          budget.OnHeldBytesChanged({.before_bytes = one, .after_bytes = one + kRunBytes}));
      one += kRunBytes;
    }
  }

  EXPECT_GT(budget.held_bytes(), kBudget);
  EXPECT_LE(budget.held_bytes(), kBudget + kBudget / 8 + kConnections * kRunBytes);
}

}  // namespace
}  // namespace godwit
