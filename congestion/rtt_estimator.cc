// SPDX-License-Identifier: Apache-2.0
#include "congestion/rtt_estimator.h"

#include <algorithm>

#include "base/check.h"

namespace godwit {

RttEstimator::RttEstimator(Duration initial_rtt)
    // RFC 9002 §5.3.
    : smoothed_rtt_(initial_rtt), rttvar_(initial_rtt / 2) {
  GODWIT_CHECK(initial_rtt > Duration::Zero());
  GODWIT_CHECK(initial_rtt <= kMaxRtt);
}

void RttEstimator::OnMeasurement(const RttMeasurement& measurement) {
  const bool is_first = !has_sample();
  latest_rtt_ = std::clamp(measurement.rtt, Duration::Nanoseconds(1), kMaxRtt);
  if (is_first) {
    // RFC 9002 §5.2, §5.3: the first sample stands alone, whatever delay the peer reports.
    min_rtt_ = latest_rtt_;
    smoothed_rtt_ = latest_rtt_;
    rttvar_ = latest_rtt_ / 2;
    return;
  }
  min_rtt_ = std::min(min_rtt_, latest_rtt_);

  Duration ack_delay = std::max(measurement.ack_delay, Duration::Zero());
  if (measurement.max_ack_delay.has_value()) {
    ack_delay = std::min(ack_delay, *measurement.max_ack_delay);
  }
  // RFC 9002 §5.3: a delay that would bring the sample below min_rtt is not believed.
  Duration adjusted_rtt = latest_rtt_;
  if (latest_rtt_ >= min_rtt_ + ack_delay) adjusted_rtt = latest_rtt_ - ack_delay;

  // RFC 9002 §A.7: the deviation is from the average of the samples before this one, as in
  // RFC 6298 §2.3. (RFC 9002 §5.3 writes the two lines in the other order.)
  const Duration deviation = std::max(smoothed_rtt_ - adjusted_rtt, adjusted_rtt - smoothed_rtt_);
  rttvar_ = (3 * rttvar_ + deviation) / 4;
  smoothed_rtt_ = (7 * smoothed_rtt_ + adjusted_rtt) / 8;
}

void RttEstimator::OnPersistentCongestion() { min_rtt_ = latest_rtt_; }

RttSummary RttEstimator::summary() const {
  if (!has_sample()) return {};
  return {.latest = latest_rtt_, .min = min_rtt_, .smoothed = smoothed_rtt_};
}

Duration RttEstimator::PtoBase(Duration max_ack_delay) const {
  return smoothed_rtt_ + std::max(4 * rttvar_, kTimerGranularity) + max_ack_delay;
}

void RttEstimator::CheckInvariants() const {
  GODWIT_CHECK_EQ(latest_rtt_.is_zero(), min_rtt_.is_zero());
  GODWIT_CHECK(min_rtt_ >= Duration::Zero());
  GODWIT_CHECK(min_rtt_ <= latest_rtt_);
  GODWIT_CHECK(latest_rtt_ <= kMaxRtt);
  GODWIT_CHECK(smoothed_rtt_ > Duration::Zero());
  GODWIT_CHECK(smoothed_rtt_ <= kMaxRtt);
  GODWIT_CHECK(rttvar_ >= Duration::Zero());
  GODWIT_CHECK(rttvar_ <= kMaxRtt);
}

}  // namespace godwit
