// SPDX-License-Identifier: Apache-2.0
//
// IntervalSet: a set of integers, kept as ranges: received packet numbers (RFC 9000 §13.2.3), the
// acknowledged and the lost bytes of a stream.
//
// A peer decides how scattered the set becomes, so the number of ranges is bounded. What happens at
// the bound is the owner's choice (WhenFull), and every change says whether it came to that. The
// set does not know what its integers mean.
//
// Invariants: ranges are not empty, ascend, and do not touch; there are at most max_ranges of them;
// covered_count() is the sum of their sizes. Four ranges need no heap, and a set that has reached
// its working size allocates nothing more.
#ifndef GODWIT_TRANSPORT_DELIVERY_INTERVAL_SET_H_
#define GODWIT_TRANSPORT_DELIVERY_INTERVAL_SET_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "transport/delivery/ring_vector.h"

namespace godwit {

// The integers from begin up to, not including, end.
struct Interval {
  uint64_t begin = 0;
  uint64_t end = 0;

  constexpr uint64_t size() const { return end - begin; }
  constexpr bool empty() const { return begin == end; }

  friend constexpr bool operator==(const Interval&, const Interval&) = default;
};

class IntervalSet {
 public:
  // What gives way when a change would make one range too many.
  enum class WhenFull : uint8_t {
    kRefuseChange,  // The change: the set stays as it was.
    kEvictLowest,   // The lowest range. An Add() whose range would be the lowest is refused.
  };

  struct Limits {
    size_t max_ranges;
    WhenFull when_full;
  };

  // What a change did.
  struct Change {
    static constexpr Change Of(uint64_t count, Interval evicted = {}) {
      return {count, evicted, false};
    }
    static constexpr Change Refused() { return {0, {}, true}; }

    uint64_t changed_count = 0;  // Integers that were added, or removed, as was asked for.
    Interval evicted;            // What was lost besides; empty if nothing was.
    bool is_refused = false;     // Nothing was done, for want of room.
  };

  // Ranges in either order. Any change to the set invalidates it.
  class Iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = Interval;
    using difference_type = std::ptrdiff_t;
    using pointer = const Interval*;
    using reference = const Interval&;

    Iterator() = default;

    reference operator*() const { return (*ranges_)[index_]; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    Iterator& operator--() {
      --index_;
      return *this;
    }
    Iterator operator--(int) {
      Iterator before = *this;
      --*this;
      return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class IntervalSet;
    using Ranges = RingVector<Interval, 4>;

    Iterator(const Ranges* ranges, size_t index) : ranges_(ranges), index_(index) {}

    const Ranges* ranges_ = nullptr;
    size_t index_ = 0;
  };

  // The ranges from the highest down, the order of ACK frames.
  class DescendingRanges {
   public:
    std::reverse_iterator<Iterator> begin() const {
      return std::make_reverse_iterator(set_->end());
    }
    std::reverse_iterator<Iterator> end() const {
      return std::make_reverse_iterator(set_->begin());
    }

   private:
    friend class IntervalSet;
    explicit DescendingRanges(const IntervalSet* set) : set_(set) {}

    const IntervalSet* set_;
  };

  explicit IntervalSet(Limits limits)
      : max_ranges_(static_cast<uint32_t>(limits.max_ranges)), when_full_(limits.when_full) {
    GODWIT_CHECK_GT(limits.max_ranges, 0);
    GODWIT_CHECK_LE(limits.max_ranges, UINT32_MAX);
  }

  // A moved-from set is empty.
  IntervalSet(IntervalSet&& other) noexcept
      : ranges_(std::move(other.ranges_)),
        covered_count_(std::exchange(other.covered_count_, 0)),
        max_ranges_(other.max_ranges_),
        when_full_(other.when_full_) {}
  IntervalSet& operator=(IntervalSet&& other) noexcept {
    if (this != &other) {
      ranges_ = std::move(other.ranges_);
      covered_count_ = std::exchange(other.covered_count_, 0);
      max_ranges_ = other.max_ranges_;
      when_full_ = other.when_full_;
    }
    return *this;
  }

  // Constant time where the range extends the last one, or lies behind it.
  Change Add(Interval range) {
    GODWIT_DCHECK_LE(range.begin, range.end);
    if (!ranges_.empty()) [[likely]] {
      Interval& last = ranges_.back();
      if (range.begin >= last.begin && range.begin <= last.end) [[likely]] {
        if (range.end <= last.end) return {};
        const uint64_t added = range.end - last.end;
        last.end = range.end;
        covered_count_ += added;
        return Change::Of(added);
      }
    }
    return AddElsewhere(range);
  }
  Change Add(uint64_t value) { return Add({value, value + 1}); }

  // Taking from the middle of a range makes two of it, for which there may be no room.
  Change Subtract(Interval range);

  // Removes everything below `bound`; says how much that was.
  uint64_t RemoveBelow(uint64_t bound);

  void Clear();

  bool Contains(uint64_t value) const { return Contains({value, value + 1}); }
  // All of `range`. Every set contains an empty range.
  bool Contains(Interval range) const;

  // The first integers from `from` on that are not in the set, up to the next range, or to 2^64-1
  // (which no half-open range can hold) where none follows.
  Interval FirstGap(uint64_t from) const;

  bool empty() const { return ranges_.empty(); }
  size_t range_count() const { return ranges_.size(); }
  uint64_t covered_count() const { return covered_count_; }
  const Interval& front() const { return ranges_.front(); }  // The set is not empty.
  const Interval& back() const { return ranges_.back(); }    // The set is not empty.

  Iterator begin() const { return {&ranges_, 0}; }
  Iterator end() const { return {&ranges_, ranges_.size()}; }
  DescendingRanges Descending() const { return DescendingRanges(this); }

  void CheckInvariants() const;

 private:
  Change AddElsewhere(Interval range);
  // `range` touches no other and belongs at `index`.
  Change InsertApart(size_t index, Interval range);
  // Replaces the range at `index` by `lower` and `upper`, parts of it.
  Change Split(size_t index, Interval lower, Interval upper);
  // Index of the first range that ends at `value` or above; range_count() if none does.
  size_t FirstEndingAtOrAbove(uint64_t value) const;

  Iterator::Ranges ranges_;
  uint64_t covered_count_ = 0;
  uint32_t max_ranges_;
  WhenFull when_full_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_DELIVERY_INTERVAL_SET_H_
