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
  EXPECT_FALSE(budget.is_spent_with(kLarge));
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

TEST(MemoryBudgetTest, IsSpentFrom93Percent) {
  MemoryBudget budget(kBudget);
  static_cast<void>(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = 920'000}));

  EXPECT_FALSE(budget.is_spent_with(9'999));
  EXPECT_TRUE(budget.is_spent_with(10'000));
}

TEST(MemoryBudgetTest, SpentBudgetStopsLargeDatagramsForThoseAboveTheirShare) {
  MemoryBudget budget(kBudget);
  static_cast<void>(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = kBudget}));
  const uint64_t room = kBudget / 32 / 10 - kLarge;

  EXPECT_TRUE(budget.Admits({.datagram_bytes = kLarge, .held_bytes = room, .connection_count = 9}));
  EXPECT_FALSE(
      budget.Admits({.datagram_bytes = kLarge, .held_bytes = room + 1, .connection_count = 9}));
}

TEST(MemoryBudgetTest, SpentBudgetLetsAcknowledgmentsInUpTo96Percent) {
  MemoryBudget budget(kBudget);
  const MemoryBudget::Arrival small = {.datagram_bytes = kMaxDatagramBytesWithoutMemory,
                                       .held_bytes = kBudget,
                                       .connection_count = 9};
  const MemoryBudget::Arrival larger = {.datagram_bytes = kMaxDatagramBytesWithoutMemory + 1,
                                        .held_bytes = kBudget,
                                        .connection_count = 9};
  static_cast<void>(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = 959'999}));

  EXPECT_TRUE(budget.Admits(small));
  EXPECT_FALSE(budget.Admits(larger));
  static_cast<void>(budget.OnHeldBytesChanged({.before_bytes = 0, .after_bytes = 1}));
  EXPECT_FALSE(budget.Admits(small));
}

TEST(MemoryBudgetTest, HostilePeersStayWithinTheBudget) {
  // Each connection takes in what it is let, large and small, for ever.
  constexpr uint64_t kWholeBudget = 64 * kBudget;
  constexpr size_t kConnections = 100;
  for (const size_t bytes : {kLarge, size_t{kMaxDatagramBytesWithoutMemory}}) {
    MemoryBudget budget(kWholeBudget);
    uint64_t held[kConnections] = {};

    for (int round = 0; round < 20'000; ++round) {
      for (uint64_t& one : held) {
        if (!budget.Admits(
                {.datagram_bytes = bytes, .held_bytes = one, .connection_count = kConnections})) {
          continue;
        }
        static_cast<void>(
            budget.OnHeldBytesChanged({.before_bytes = one, .after_bytes = one + bytes}));
        one += bytes;
      }
    }

    EXPECT_GT(budget.held_bytes(), kWholeBudget / 100 * 92);
    EXPECT_LE(budget.held_bytes(), kWholeBudget);
  }
}

}  // namespace
}  // namespace godwit
