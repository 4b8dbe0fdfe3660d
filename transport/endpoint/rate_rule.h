// SPDX-License-Identifier: Apache-2.0
//
// RateRule: so many a second, and up to a second's worth of them at once after a rest. It is a
// token bucket, written down as one time per bucket: when the bucket would be full (the generic
// cell rate algorithm). Who has many buckets keeps 8 bytes for each.
#ifndef GODWIT_TRANSPORT_ENDPOINT_RATE_RULE_H_
#define GODWIT_TRANSPORT_ENDPOINT_RATE_RULE_H_

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "godwit/time.h"

namespace godwit {

class RateRule {
 public:
  // 0: nothing is admitted. At most 10^9.
  explicit constexpr RateRule(uint64_t per_second) : per_second_(per_second) {
    GODWIT_CHECK_LE(per_second, 1'000'000'000);
  }

  // When a bucket is full that has never been used, or not for a second.
  static constexpr Timestamp Full() { return Timestamp::InfinitePast(); }

  // Whether one more is within the rate; if so it is taken from the bucket that is full again at
  // `full_at`.
  [[nodiscard]] constexpr bool Admit(Timestamp now, Timestamp& full_at) const {
    if (per_second_ == 0) return false;
    const Duration interval = Duration::Seconds(1) / static_cast<int64_t>(per_second_);
    const Timestamp from = std::max(full_at, now);
    if (from - now > Duration::Seconds(1) - interval) return false;
    full_at = from + interval;
    return true;
  }

 private:
  uint64_t per_second_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_RATE_RULE_H_
