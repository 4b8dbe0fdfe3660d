// SPDX-License-Identifier: Apache-2.0
//
// The ranges of packet numbers in a received ACK frame: a view of their encoding, and an iterator
// that decodes one range a step, from the largest numbers down. RFC 9000 §19.3.1.
//
// It does not judge what it decodes: the frame decoder has done that for all of it, before anybody
// sees the view. What a sender has to say is written by the frame encoder.
//
// Invariants: at least one range; ranges descend, and between two of them at least one number is
// missing. The bytes outlive the view and its iterators.
#ifndef GODWIT_TRANSPORT_WIRE_ACK_RANGES_H_
#define GODWIT_TRANSPORT_WIRE_ACK_RANGES_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

#include "base/check.h"
#include "base/packet_number.h"
#include "transport/wire/byte_reader.h"

namespace godwit {

// Both ends belong to the range.
struct AckRange {
  PacketNumber smallest;
  PacketNumber largest;

  friend constexpr bool operator==(const AckRange&, const AckRange&) = default;
};

class AckRanges {
 public:
  class Iterator {
   public:
    using value_type = AckRange;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;

    AckRange operator*() const { return {PacketNumber(smallest_), PacketNumber(largest_)}; }

    Iterator& operator++() {
      if (--ranges_left_ != 0) ReadRange();
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }

    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.ranges_left_ == b.ranges_left_;
    }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) {
      return a.ranges_left_ == 0;
    }

   private:
    friend class AckRanges;

    explicit Iterator(const AckRanges& ranges)
        : reader_(ranges.bytes_),
          largest_(ranges.largest_),
          smallest_(ranges.smallest_of_first_),
          ranges_left_(ranges.count_) {}

    void ReadRange() {
      uint64_t gap = 0;
      uint64_t length = 0;
      const bool was_read = reader_.ReadVarint(&gap) && reader_.ReadVarint(&length);
      GODWIT_CHECK(was_read);
      // RFC 9000 §19.3.1: a gap of n stands for n + 1 missing numbers, a length of n for n + 1
      // acknowledged ones.
      largest_ = smallest_ - gap - 2;
      smallest_ = largest_ - length;
    }

    ByteReader reader_{{}};
    uint64_t largest_ = 0;
    uint64_t smallest_ = 0;
    size_t ranges_left_ = 0;
  };

  // `bytes` begins with the encoding of `count` - 1 ranges, none of which reaches below zero when
  // counted on from `first`. For the frame decoder.
  AckRanges(const AckRange& first, size_t count, std::span<const uint8_t> bytes)
      : largest_(first.largest.value()),
        smallest_of_first_(first.smallest.value()),
        bytes_(bytes),
        count_(count) {
    GODWIT_DCHECK_GT(count, 0);
  }

  Iterator begin() const { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

  size_t size() const { return count_; }
  PacketNumber largest_acked() const { return PacketNumber(largest_); }

 private:
  uint64_t largest_;
  uint64_t smallest_of_first_;
  std::span<const uint8_t> bytes_;
  size_t count_;
};

static_assert(std::forward_iterator<AckRanges::Iterator>);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_ACK_RANGES_H_
