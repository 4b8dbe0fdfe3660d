// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/interval_set.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/check.h"

namespace godwit {

size_t IntervalSet::FirstEndingAtOrAbove(uint64_t value) const {
  size_t low = 0;
  size_t high = ranges_.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (ranges_[middle].end < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

IntervalSet::Change IntervalSet::AddElsewhere(Interval range) {
  if (range.empty()) return {};
  if (ranges_.empty() || range.begin > ranges_.back().end) {
    return InsertApart(ranges_.size(), range);
  }
  const size_t first = FirstEndingAtOrAbove(range.begin);
  if (ranges_[first].begin > range.end) return InsertApart(first, range);

  // All ranges that overlap or touch the new one become one with it.
  Interval joined = {std::min(range.begin, ranges_[first].begin), range.end};
  uint64_t covered_before = 0;
  size_t past = first;
  while (past < ranges_.size() && ranges_[past].begin <= range.end) {
    joined.end = std::max(joined.end, ranges_[past].end);
    covered_before += ranges_[past].size();
    ++past;
  }
  ranges_[first] = joined;
  ranges_.Erase(first + 1, past - first - 1);
  const uint64_t added = joined.size() - covered_before;
  covered_count_ += added;
  return Change::Of(added);
}

IntervalSet::Change IntervalSet::InsertApart(size_t index, Interval range) {
  Interval evicted;
  if (ranges_.size() == max_ranges_) {
    if (when_full_ == WhenFull::kRefuseChange || index == 0) return Change::Refused();
    evicted = ranges_.front();
    covered_count_ -= evicted.size();
    ranges_.PopFront();
    --index;
  }
  ranges_.Insert(index, range);
  covered_count_ += range.size();
  return Change::Of(range.size(), evicted);
}

IntervalSet::Change IntervalSet::Split(size_t index, Interval lower, Interval upper) {
  const uint64_t removed = ranges_[index].size() - lower.size() - upper.size();
  Interval evicted;
  if (ranges_.size() < max_ranges_) {
    ranges_[index] = lower;
    ranges_.Insert(index + 1, upper);
  } else if (when_full_ == WhenFull::kRefuseChange) {
    return Change::Refused();
  } else if (index == 0) {
    evicted = lower;
    ranges_[0] = upper;
  } else {
    evicted = ranges_.front();
    ranges_.PopFront();
    ranges_[index - 1] = lower;
    ranges_.Insert(index, upper);
  }
  covered_count_ -= removed + evicted.size();
  return Change::Of(removed, evicted);
}

IntervalSet::Change IntervalSet::Subtract(Interval range) {
  GODWIT_DCHECK_LE(range.begin, range.end);
  if (range.empty() || ranges_.empty()) return {};
  // The range that ends right at the beginning of this one is untouched: + 1.
  size_t first = FirstEndingAtOrAbove(range.begin + 1);
  if (first == ranges_.size() || ranges_[first].begin >= range.end) return {};

  const Interval lowest = ranges_[first];
  if (lowest.begin < range.begin && lowest.end > range.end) {
    return Split(first, {lowest.begin, range.begin}, {range.end, lowest.end});
  }
  uint64_t removed = 0;
  if (lowest.begin < range.begin) {
    removed += lowest.end - range.begin;
    ranges_[first].end = range.begin;
    ++first;
  }
  size_t past = first;
  while (past < ranges_.size() && ranges_[past].end <= range.end) {
    removed += ranges_[past].size();
    ++past;
  }
  if (past < ranges_.size() && ranges_[past].begin < range.end) {
    removed += range.end - ranges_[past].begin;
    ranges_[past].begin = range.end;
  }
  ranges_.Erase(first, past - first);
  covered_count_ -= removed;
  return Change::Of(removed);
}

uint64_t IntervalSet::RemoveBelow(uint64_t bound) {
  uint64_t removed = 0;
  while (!ranges_.empty() && ranges_.front().end <= bound) {
    removed += ranges_.front().size();
    ranges_.PopFront();
  }
  if (!ranges_.empty() && ranges_.front().begin < bound) {
    removed += bound - ranges_.front().begin;
    ranges_.front().begin = bound;
  }
  covered_count_ -= removed;
  return removed;
}

void IntervalSet::Clear() {
  ranges_.Clear();
  covered_count_ = 0;
}

bool IntervalSet::Contains(Interval range) const {
  if (range.empty()) return true;
  const size_t index = FirstEndingAtOrAbove(range.end);
  return index < ranges_.size() && ranges_[index].begin <= range.begin;
}

Interval IntervalSet::FirstGap(uint64_t from) const {
  // At `from`, or behind the range that holds `from`.
  size_t next = FirstEndingAtOrAbove(from);
  if (next < ranges_.size() && ranges_[next].begin <= from) {
    from = ranges_[next].end;
    ++next;
  }
  return {from, next < ranges_.size() ? ranges_[next].begin : std::numeric_limits<uint64_t>::max()};
}

void IntervalSet::CheckInvariants() const {
  GODWIT_CHECK_LE(ranges_.size(), max_ranges_);
  uint64_t covered = 0;
  for (size_t i = 0; i < ranges_.size(); ++i) {
    GODWIT_CHECK_LT(ranges_[i].begin, ranges_[i].end);
    if (i != 0) GODWIT_CHECK_LT(ranges_[i - 1].end, ranges_[i].begin);
    covered += ranges_[i].size();
  }
  GODWIT_CHECK_EQ(covered, covered_count_);
}

}  // namespace godwit
