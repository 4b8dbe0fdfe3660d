// SPDX-License-Identifier: Apache-2.0
//
// SkippedNumbers: which packet numbers are left out on purpose. A peer that acknowledges packets
// without having received them, so as to be sent more than the path bears, will sooner or later
// acknowledge a number that was never used (RFC 9000 §21.4).
//
// From one skipped number to the next it is a random number of packets, any from 1 on, so that
// nobody can tell what comes next; twice as many at most as are outstanding, so that about one
// number in flight is skipped, and a peer's ACK frames grow by about one range.
//
// Invariant: the newest kMaxRememberedSkips skipped numbers are remembered, whether or not anything
// before them is outstanding.
#ifndef GODWIT_TRANSPORT_RECOVERY_SKIPPED_NUMBERS_H_
#define GODWIT_TRANSPORT_RECOVERY_SKIPPED_NUMBERS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/environment.h"
#include "base/limits.h"

namespace godwit {

class SkippedNumbers {
 public:
  SkippedNumbers() { numbers_.fill(kNone); }

  // To be asked once after each packet: whether the next number is to be left out.
  bool IsSkipDue(uint64_t outstanding_count, Random& random) {
    if (packets_left_ == 0) {
      packets_left_ =
          1 + random.UniformBelow(2 * std::max(outstanding_count, kMinMeanSkipDistance));
    }
    return --packets_left_ == 0;
  }

  void Add(uint64_t number) {
    numbers_[next_] = number;
    next_ = (next_ + 1) % numbers_.size();
  }

  // From `first` to `last`, both included.
  bool ContainsAny(uint64_t first, uint64_t last) const { return Count(first, last) != 0; }
  uint64_t Count(uint64_t first, uint64_t last) const {
    uint64_t count = 0;
    for (const uint64_t number : numbers_) count += number >= first && number <= last ? 1 : 0;
    return count;
  }

  // No number below is remembered.
  uint64_t lowest() const { return *std::min_element(numbers_.begin(), numbers_.end()); }

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};  // Above all packet numbers.

  std::array<uint64_t, kMaxRememberedSkips> numbers_;
  size_t next_ = 0;
  uint64_t packets_left_ = 0;  // 0: not drawn yet.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_SKIPPED_NUMBERS_H_
