// SPDX-License-Identifier: Apache-2.0
#include "congestion/hystart_pp.h"

#include <algorithm>

#include "base/check.h"

namespace godwit {

namespace {

// RFC 9406 §4.3.
constexpr Duration kMinRttThreshold = Duration::Milliseconds(4);
constexpr Duration kMaxRttThreshold = Duration::Milliseconds(16);
constexpr int64_t kMinRttDivisor = 8;
constexpr uint32_t kRttSampleCount = 8;
constexpr uint64_t kConservativeGrowthDivisor = 4;
constexpr uint8_t kConservativeRounds = 5;

}  // namespace

void HystartPp::OnFeedback(const CongestionFeedback& feedback) {
  if (is_finished()) return;
  if (feedback.is_round_start) OnRoundStart();
  if (feedback.has_rtt_sample) OnRttSample(feedback.rtt.latest);
}

uint64_t HystartPp::GrowthBytes(uint64_t acked_bytes) const {
  return state_ == State::kSlowStart ? acked_bytes : acked_bytes / kConservativeGrowthDivisor;
}

void HystartPp::OnRoundStart() {
  last_min_rtt_ = round_min_rtt_;
  round_min_rtt_ = Duration::Infinite();
  sample_count_ = 0;
  if (state_ != State::kConservative) return;
  // RFC 9406 §4.2: the round in which the conservative phase began counts as one.
  ++conservative_round_count_;
  if (conservative_round_count_ >= kConservativeRounds) state_ = State::kFinished;
}

void HystartPp::OnRttSample(Duration rtt) {
  round_min_rtt_ = std::min(round_min_rtt_, rtt);
  ++sample_count_;
  // The least of few samples may be high by chance.
  if (sample_count_ < kRttSampleCount) return;
  if (state_ == State::kSlowStart) {
    if (last_min_rtt_.is_infinite()) return;
    const Duration threshold =
        std::clamp(last_min_rtt_ / kMinRttDivisor, kMinRttThreshold, kMaxRttThreshold);
    if (round_min_rtt_ < last_min_rtt_ + threshold) return;
    baseline_min_rtt_ = round_min_rtt_;
    conservative_round_count_ = 0;
    state_ = State::kConservative;
  } else if (state_ == State::kConservative && round_min_rtt_ < baseline_min_rtt_) {
    baseline_min_rtt_ = Duration::Infinite();
    state_ = State::kSlowStart;
  }
}

void HystartPp::CheckInvariants() const {
  GODWIT_CHECK_LE(conservative_round_count_, kConservativeRounds);
  GODWIT_CHECK_EQ(sample_count_ == 0, round_min_rtt_.is_infinite());
  GODWIT_CHECK_EQ(state_ == State::kSlowStart, baseline_min_rtt_.is_infinite());
  GODWIT_CHECK(state_ != State::kFinished || conservative_round_count_ == kConservativeRounds);
}

}  // namespace godwit
