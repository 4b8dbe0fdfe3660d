// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/slot_table.h"

#include <memory>
#include <set>
#include <utility>

#include "gtest/gtest.h"

namespace godwit {
namespace {

using Table = SlotTable<std::unique_ptr<int>>;

TEST(SlotTableTest, HandleFindsWhatWasInserted) {
  Table table;

  const ConnectionHandle one = table.Insert(std::make_unique<int>(1));
  const ConnectionHandle two = table.Insert(std::make_unique<int>(2));

  EXPECT_EQ(**table.Find(one), 1);
  EXPECT_EQ(**table.Find(two), 2);
  EXPECT_EQ(*table[two.slot], 2);
  EXPECT_EQ(table.HandleOf(two.slot), two);
  EXPECT_EQ(table.size(), 2);
}

TEST(SlotTableTest, SlotIsUsedAgainUnderAnotherHandle) {
  Table table;
  const ConnectionHandle old = table.Insert(std::make_unique<int>(1));
  table.Erase(old.slot);

  const ConnectionHandle now = table.Insert(std::make_unique<int>(2));

  EXPECT_EQ(now.slot, old.slot);
  EXPECT_NE(now, old);
  EXPECT_EQ(table.Find(old), nullptr);
  EXPECT_EQ(**table.Find(now), 2);
  EXPECT_EQ(table.slot_count(), 1);
}

TEST(SlotTableTest, HandleThatWasNeverGivenFindsNothing) {
  Table table;
  const ConnectionHandle handle = table.Insert(std::make_unique<int>(1));

  EXPECT_EQ(table.Find({}), nullptr);
  EXPECT_EQ(table.Find({.slot = 17, .generation = 1}), nullptr);
  EXPECT_EQ(table.Find({.slot = handle.slot, .generation = handle.generation + 1}), nullptr);
}

TEST(SlotTableTest, NoHandleComesTwice) {
  Table table;
  std::set<std::pair<uint32_t, uint32_t>> seen;

  for (int round = 0; round < 100; ++round) {
    const ConnectionHandle one = table.Insert(nullptr);
    const ConnectionHandle two = table.Insert(nullptr);
    EXPECT_TRUE(seen.emplace(one.slot, one.generation).second);
    EXPECT_TRUE(seen.emplace(two.slot, two.generation).second);
    table.Erase(round % 2 == 0 ? one.slot : two.slot);
    table.CheckInvariants();
  }

  EXPECT_EQ(table.size(), 100);
}

TEST(SlotTableTest, ErasingAnEmptySlotDies) {
  Table table;
  const ConnectionHandle handle = table.Insert(nullptr);
  table.Erase(handle.slot);

  EXPECT_DEATH(table.Erase(handle.slot), "is_occupied");
}

}  // namespace
}  // namespace godwit
