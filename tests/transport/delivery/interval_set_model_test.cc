// SPDX-License-Identifier: Apache-2.0
//
// Random changes to an IntervalSet and to a map with one flag an integer.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "transport/delivery/interval_set.h"

namespace godwit {
namespace {

using WhenFull = IntervalSet::WhenFull;

constexpr uint64_t kUniverse = 64;
constexpr uint64_t kLargest = std::numeric_limits<uint64_t>::max();

class NaiveSet {
 public:
  explicit NaiveSet(IntervalSet::Limits limits) : limits_(limits) {}

  IntervalSet::Change Set(Interval range, bool is_member) {
    const Flags before = flags_;
    uint64_t changed = 0;
    for (uint64_t i = range.begin; i < range.end; ++i) {
      if (flags_[i] != is_member) ++changed;
      flags_[i] = is_member;
    }
    const std::vector<Interval> ranges = Ranges();
    if (ranges.size() <= limits_.max_ranges) return IntervalSet::Change::Of(changed);
    const bool is_lowest = is_member && ranges.front() == range;
    if (limits_.when_full == WhenFull::kRefuseChange || is_lowest) {
      flags_ = before;
      return IntervalSet::Change::Refused();
    }
    std::fill(&flags_[ranges.front().begin], &flags_[ranges.front().end], false);
    return IntervalSet::Change::Of(changed, ranges.front());
  }

  uint64_t RemoveBelow(uint64_t bound) {
    const auto count = std::count(&flags_[0], &flags_[bound], true);
    std::fill(&flags_[0], &flags_[bound], false);
    return static_cast<uint64_t>(count);
  }

  bool Contains(Interval range) const {
    return std::all_of(&flags_[range.begin], &flags_[range.end], [](bool flag) { return flag; });
  }

  Interval FirstGap(uint64_t from) const {
    while (flags_[from]) ++from;
    uint64_t end = from;
    while (end < kUniverse && !flags_[end]) ++end;
    return {from, end == kUniverse ? kLargest : end};
  }

  std::vector<Interval> Ranges() const {
    std::vector<Interval> ranges;
    for (uint64_t i = 0; i < kUniverse; ++i) {
      if (!flags_[i]) continue;
      if (i != 0 && flags_[i - 1]) {
        ranges.back().end = i + 1;
      } else {
        ranges.push_back({i, i + 1});
      }
    }
    return ranges;
  }

 private:
  using Flags = std::array<bool, kUniverse + 1>;  // The last one stays false.

  IntervalSet::Limits limits_;
  Flags flags_{};
};

Interval RandomRange(SeededRandom& random) {
  const uint64_t begin = random.UniformBelow(kUniverse);
  const uint64_t longest = std::min<uint64_t>(kUniverse - begin, 1 << random.UniformBelow(6));
  return {begin, begin + random.UniformBelow(longest + 1)};
}

void ExpectSame(const IntervalSet::Change& actual, const IntervalSet::Change& expected) {
  ASSERT_EQ(actual.changed_count, expected.changed_count);
  ASSERT_EQ(actual.is_refused, expected.is_refused);
  ASSERT_EQ(actual.evicted, expected.evicted);
}

void RunRandomOperations(IntervalSet::Limits limits, uint64_t seed, int operation_count) {
  SeededRandom random(seed);
  IntervalSet set(limits);
  NaiveSet model(limits);
  int refused_count = 0;
  int evicted_count = 0;
  for (int i = 0; i < operation_count; ++i) {
    const Interval range = RandomRange(random);
    const uint64_t choice = random.UniformBelow(100);
    if (choice < 2) {
      ASSERT_EQ(set.RemoveBelow(range.begin), model.RemoveBelow(range.begin));
    } else {
      const bool is_add = choice < 55;
      const IntervalSet::Change expected = model.Set(range, is_add);
      ExpectSame(is_add ? set.Add(range) : set.Subtract(range), expected);
      if (expected.is_refused) ++refused_count;
      if (!expected.evicted.empty()) ++evicted_count;
    }
    set.CheckInvariants();
    const std::vector<Interval> ranges = model.Ranges();
    ASSERT_TRUE(std::equal(set.begin(), set.end(), ranges.begin(), ranges.end())) << i;
    const Interval probe = RandomRange(random);
    ASSERT_EQ(set.Contains(probe), model.Contains(probe));
    ASSERT_EQ(set.FirstGap(probe.begin), model.FirstGap(probe.begin));
  }
  // The test is about the bound too.
  EXPECT_EQ(refused_count > 100, limits.max_ranges < kUniverse / 2);
  EXPECT_EQ(evicted_count > 100,
            limits.max_ranges < kUniverse / 2 && limits.when_full == WhenFull::kEvictLowest);
}

TEST(IntervalSetModelTest, UnboundedSetIsTheNaiveSet) {
  RunRandomOperations({kUniverse, WhenFull::kRefuseChange}, 1, 70'000);
}

TEST(IntervalSetModelTest, RefusingSetIsTheNaiveSet) {
  RunRandomOperations({5, WhenFull::kRefuseChange}, 2, 70'000);
}

TEST(IntervalSetModelTest, EvictingSetIsTheNaiveSet) {
  RunRandomOperations({5, WhenFull::kEvictLowest}, 3, 70'000);
}

}  // namespace
}  // namespace godwit
