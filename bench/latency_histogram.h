// SPDX-License-Identifier: Apache-2.0
//
// LatencyHistogram: how long things took, each counted in a bucket whose width is less than 1 % of
// its durations, up to an hour: quantiles are that exact, and any number of durations takes the
// same memory. Nothing is allocated after the start.
#ifndef GODWIT_BENCH_LATENCY_HISTOGRAM_H_
#define GODWIT_BENCH_LATENCY_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "godwit/time.h"

namespace godwit {

class LatencyHistogram {
 public:
  LatencyHistogram();

  // Negative ones count as zero, those of more than an hour as one.
  void Add(Duration latency);

  uint64_t count() const { return count_; }
  Duration min() const { return count_ == 0 ? Duration::Zero() : min_; }
  Duration max() const { return max_; }
  // Zero if there is nothing.
  Duration mean() const;

  // The least duration that this share of all do not exceed, rounded up to the end of its bucket,
  // and max() at most. `per_mille` is 1 to 1000. Zero if there is nothing.
  Duration Quantile(uint64_t per_mille) const;

  // [[largest duration of a bucket in ns, count], ...], in order, without empty buckets.
  std::string ToJson() const;

 private:
  static size_t BucketOf(uint64_t ns);
  static uint64_t LargestIn(size_t bucket);

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  Duration sum_ = Duration::Zero();
  Duration min_ = Duration::Infinite();
  Duration max_ = Duration::Zero();
};

}  // namespace godwit

#endif  // GODWIT_BENCH_LATENCY_HISTOGRAM_H_
