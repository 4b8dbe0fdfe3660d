// SPDX-License-Identifier: Apache-2.0
#include "bench/latency_histogram.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"

#include "base/check.h"

namespace godwit {
namespace {

// Durations below 2^kExactBits ns have a bucket each. Of what is above, each power of two has
// 2^kExactBits / 2 buckets of equal width.
constexpr int kExactBits = 8;
constexpr uint64_t kExact = uint64_t{1} << kExactBits;
constexpr uint64_t kHalf = kExact / 2;

constexpr Duration kLongest = Duration::Seconds(3'600);

}  // namespace

LatencyHistogram::LatencyHistogram()
    : counts_(BucketOf(static_cast<uint64_t>(kLongest.ToNanoseconds())) + 1) {}

size_t LatencyHistogram::BucketOf(uint64_t ns) {
  if (ns < kExact) return ns;
  const int shift = std::bit_width(ns) - kExactBits;
  return kExact + (static_cast<uint64_t>(shift) - 1) * kHalf + ((ns >> shift) - kHalf);
}

uint64_t LatencyHistogram::LargestIn(size_t bucket) {
  if (bucket < kExact) return bucket;
  const uint64_t shift = (bucket - kExact) / kHalf + 1;
  const uint64_t top = (bucket - kExact) % kHalf + kHalf;
  return ((top + 1) << shift) - 1;
}

void LatencyHistogram::Add(Duration latency) {
  latency = std::clamp(latency, Duration::Zero(), kLongest);
  ++counts_[BucketOf(static_cast<uint64_t>(latency.ToNanoseconds()))];
  ++count_;
  sum_ = sum_ + latency;
  min_ = std::min(min_, latency);
  max_ = std::max(max_, latency);
}

Duration LatencyHistogram::mean() const {
  if (count_ == 0) return Duration::Zero();
  return Duration::Nanoseconds(sum_.ToNanoseconds() / static_cast<int64_t>(count_));
}

Duration LatencyHistogram::Quantile(uint64_t per_mille) const {
  GODWIT_CHECK(per_mille >= 1 && per_mille <= 1000);
  uint64_t below = 0;
  for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    below += counts_[bucket];
    if (below == 0 || below * 1000 < count_ * per_mille) continue;
    return std::min(max_, Duration::Nanoseconds(static_cast<int64_t>(LargestIn(bucket))));
  }
  return max_;
}

std::string LatencyHistogram::ToJson() const {
  std::string text = "[";
  for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    if (counts_[bucket] == 0) continue;
    absl::StrAppend(&text, text.size() > 1 ? ", " : "", "[", LargestIn(bucket), ", ",
                    counts_[bucket], "]");
  }
  return text + "]";
}

}  // namespace godwit
