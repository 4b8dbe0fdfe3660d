// SPDX-License-Identifier: Apache-2.0
//
// Lateness: how much later than they should things happened: quantiles to a microsecond up to ten
// milliseconds, and the largest of all. Fixed size, no allocation after the start.
#ifndef GODWIT_BENCH_EMULATOR_LATENESS_H_
#define GODWIT_BENCH_EMULATOR_LATENESS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "godwit/time.h"

namespace godwit {

class Lateness {
 public:
  Lateness() : counts_(kBuckets + 1) {}

  // What came early counts as in time.
  void Add(Duration late) {
    const int64_t us = std::max<int64_t>(late.ToMicroseconds(), 0);
    ++counts_[std::min(static_cast<size_t>(us), kBuckets)];
    ++count_;
    max_ = std::max(max_, late);
  }

  uint64_t count() const { return count_; }
  Duration max() const { return max_; }

  // The least duration that `percent` of all do not exceed, rounded down to a microsecond. What is
  // beyond ten milliseconds is given as max(). Zero if there is nothing.
  Duration Percentile(uint64_t percent) const {
    uint64_t below = 0;
    for (size_t us = 0; us < kBuckets; ++us) {
      below += counts_[us];
      if (below * 100 >= count_ * percent) {
        return Duration::Microseconds(static_cast<int64_t>(us));
      }
    }
    return max_;
  }

 private:
  static constexpr size_t kBuckets = 10'000;

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  Duration max_ = Duration::Zero();
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_LATENESS_H_
