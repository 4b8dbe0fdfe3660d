// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/interval_set.h"

#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

using WhenFull = IntervalSet::WhenFull;

constexpr uint64_t kLargest = std::numeric_limits<uint64_t>::max();

static_assert(std::bidirectional_iterator<IntervalSet::Iterator>);

IntervalSet MakeSet(std::vector<Interval> ranges, size_t max_ranges = 100,
                    WhenFull when_full = WhenFull::kRefuseChange) {
  IntervalSet set({max_ranges, when_full});
  for (const Interval& range : ranges) EXPECT_EQ(set.Add(range).changed_count, range.size());
  return set;
}

std::vector<Interval> RangesOf(const IntervalSet& set) {
  set.CheckInvariants();
  return {set.begin(), set.end()};
}

using Ranges = std::vector<Interval>;

TEST(IntervalSetTest, NewSetIsEmpty) {
  const IntervalSet set({1, WhenFull::kRefuseChange});

  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.range_count(), 0u);
  EXPECT_EQ(set.covered_count(), 0u);
  EXPECT_FALSE(set.Contains(0));
}

TEST(IntervalSetTest, NumbersInOrderMakeOneRange) {
  IntervalSet set({1, WhenFull::kRefuseChange});

  for (uint64_t value = 10; value < 20; ++value) EXPECT_EQ(set.Add(value).changed_count, 1u);

  EXPECT_EQ(RangesOf(set), (Ranges{{10, 20}}));
}

TEST(IntervalSetTest, KnownNumbersChangeNothing) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}});

  EXPECT_EQ(set.Add({12, 17}).changed_count, 0u);
  EXPECT_EQ(set.Add({30, 40}).changed_count, 0u);
  EXPECT_EQ(set.Add({25, 25}).changed_count, 0u);

  EXPECT_EQ(RangesOf(set), (Ranges{{10, 20}, {30, 40}}));
}

TEST(IntervalSetTest, RangesThatTouchAreJoined) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}, {50, 60}});

  EXPECT_EQ(set.Add({20, 30}).changed_count, 10u);
  EXPECT_EQ(set.Add({40, 45}).changed_count, 5u);

  EXPECT_EQ(RangesOf(set), (Ranges{{10, 45}, {50, 60}}));
}

TEST(IntervalSetTest, AddingOverSeveralRangesCountsOnlyTheGaps) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}, {50, 60}, {70, 80}});

  EXPECT_EQ(set.Add({15, 65}).changed_count, 25u);

  EXPECT_EQ(RangesOf(set), (Ranges{{10, 65}, {70, 80}}));
}

TEST(IntervalSetTest, AddingInFrontAndBetweenKeepsOrder) {
  IntervalSet set = MakeSet({{50, 60}});

  set.Add({10, 20});
  set.Add({30, 40});

  EXPECT_EQ(RangesOf(set), (Ranges{{10, 20}, {30, 40}, {50, 60}}));
}

TEST(IntervalSetTest, SubtractingTrimsBothSidesAndRemovesBetween) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}, {50, 60}});

  const IntervalSet::Change change = set.Subtract({15, 55});

  EXPECT_EQ(change.changed_count, 20u);
  EXPECT_EQ(RangesOf(set), (Ranges{{10, 15}, {55, 60}}));
}

TEST(IntervalSetTest, SubtractingFromTheMiddleSplits) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}});

  EXPECT_EQ(set.Subtract({13, 15}).changed_count, 2u);

  EXPECT_EQ(RangesOf(set), (Ranges{{10, 13}, {15, 20}, {30, 40}}));
}

TEST(IntervalSetTest, SubtractingAGapChangesNothing) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}});

  EXPECT_EQ(set.Subtract({20, 30}).changed_count, 0u);
  EXPECT_EQ(set.Subtract({0, 10}).changed_count, 0u);
  EXPECT_EQ(set.Subtract({40, 90}).changed_count, 0u);
  EXPECT_EQ(set.Subtract({15, 15}).changed_count, 0u);

  EXPECT_EQ(RangesOf(set), (Ranges{{10, 20}, {30, 40}}));
}

TEST(IntervalSetTest, FullSetRefusesAnotherRange) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}}, 2, WhenFull::kRefuseChange);

  const IntervalSet::Change change = set.Add({50, 60});

  EXPECT_TRUE(change.is_refused);
  EXPECT_EQ(change.changed_count, 0u);
  EXPECT_EQ(RangesOf(set), (Ranges{{10, 20}, {30, 40}}));
}

TEST(IntervalSetTest, FullSetStillGrowsItsRanges) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}}, 2, WhenFull::kRefuseChange);

  EXPECT_EQ(set.Add({5, 10}).changed_count, 5u);
  EXPECT_EQ(set.Add({40, 41}).changed_count, 1u);
  EXPECT_EQ(set.Add({20, 30}).changed_count, 10u);

  EXPECT_EQ(RangesOf(set), (Ranges{{5, 41}}));
}

TEST(IntervalSetTest, FullSetEvictsItsLowestRange) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}}, 2, WhenFull::kEvictLowest);

  const IntervalSet::Change change = set.Add({25, 27});

  EXPECT_FALSE(change.is_refused);
  EXPECT_EQ(change.changed_count, 2u);
  EXPECT_EQ(change.evicted, (Interval{10, 20}));
  EXPECT_EQ(RangesOf(set), (Ranges{{25, 27}, {30, 40}}));
}

TEST(IntervalSetTest, FullSetRefusesARangeBelowAllOthers) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}}, 2, WhenFull::kEvictLowest);

  EXPECT_TRUE(set.Add({5, 6}).is_refused);

  EXPECT_EQ(RangesOf(set), (Ranges{{10, 20}, {30, 40}}));
}

TEST(IntervalSetTest, FullSetRefusesToBeSplit) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}}, 2, WhenFull::kRefuseChange);

  EXPECT_TRUE(set.Subtract({33, 34}).is_refused);

  EXPECT_EQ(RangesOf(set), (Ranges{{10, 20}, {30, 40}}));
}

TEST(IntervalSetTest, SplitOfAFullSetEvictsTheLowestRange) {
  IntervalSet upper = MakeSet({{10, 20}, {30, 40}}, 2, WhenFull::kEvictLowest);
  IntervalSet lower = MakeSet({{10, 20}, {30, 40}}, 2, WhenFull::kEvictLowest);

  EXPECT_EQ(upper.Subtract({33, 34}).evicted, (Interval{10, 20}));
  EXPECT_EQ(lower.Subtract({13, 14}).evicted, (Interval{10, 13}));

  EXPECT_EQ(RangesOf(upper), (Ranges{{30, 33}, {34, 40}}));
  EXPECT_EQ(RangesOf(lower), (Ranges{{14, 20}, {30, 40}}));
}

TEST(IntervalSetTest, RemoveBelowCutsTheRangeThatHoldsTheBound) {
  IntervalSet set = MakeSet({{10, 20}, {30, 40}, {50, 60}});

  EXPECT_EQ(set.RemoveBelow(5), 0u);
  EXPECT_EQ(set.RemoveBelow(35), 15u);

  EXPECT_EQ(RangesOf(set), (Ranges{{35, 40}, {50, 60}}));
}

TEST(IntervalSetTest, ContainsWholeRangesOnly) {
  const IntervalSet set = MakeSet({{10, 20}, {30, 40}});

  EXPECT_TRUE(set.Contains({10, 20}));
  EXPECT_TRUE(set.Contains(19));
  EXPECT_TRUE(set.Contains({25, 25}));
  EXPECT_FALSE(set.Contains({9, 11}));
  EXPECT_FALSE(set.Contains({19, 31}));
  EXPECT_FALSE(set.Contains(20));
  EXPECT_FALSE(set.Contains(40));
}

TEST(IntervalSetTest, FirstGapReachesToTheNextRange) {
  const IntervalSet set = MakeSet({{10, 20}, {30, 40}});

  EXPECT_EQ(set.FirstGap(0), (Interval{0, 10}));
  EXPECT_EQ(set.FirstGap(10), (Interval{20, 30}));
  EXPECT_EQ(set.FirstGap(15), (Interval{20, 30}));
  EXPECT_EQ(set.FirstGap(20), (Interval{20, 30}));
  EXPECT_EQ(set.FirstGap(25), (Interval{25, 30}));
  EXPECT_EQ(set.FirstGap(39), (Interval{40, kLargest}));
}

TEST(IntervalSetTest, DescendingBeginsAtTheHighestRange) {
  const IntervalSet set = MakeSet({{10, 20}, {30, 40}, {50, 60}});

  Ranges descending;
  for (const Interval& range : set.Descending()) descending.push_back(range);

  EXPECT_EQ(descending, (Ranges{{50, 60}, {30, 40}, {10, 20}}));
}

TEST(IntervalSetTest, LargestNumbersFit) {
  IntervalSet set = MakeSet({{0, 1}, {kLargest - 1, kLargest}});

  EXPECT_EQ(set.FirstGap(kLargest - 1), (Interval{kLargest, kLargest}));
  EXPECT_EQ(set.Add({1, kLargest - 1}).changed_count, kLargest - 2);

  EXPECT_EQ(RangesOf(set), (Ranges{{0, kLargest}}));
}

TEST(IntervalSetTest, MovedFromSetIsEmpty) {
  IntervalSet from = MakeSet({{10, 20}, {30, 40}});

  const IntervalSet to = std::move(from);

  EXPECT_EQ(RangesOf(to), (Ranges{{10, 20}, {30, 40}}));
  EXPECT_EQ(RangesOf(from), Ranges{});  // NOLINT(bugprone-use-after-move): empty by contract.
}

}  // namespace
}  // namespace godwit
