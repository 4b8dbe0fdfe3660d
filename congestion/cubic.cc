// SPDX-License-Identifier: Apache-2.0
#include "congestion/cubic.h"

#include <algorithm>

#include "base/check.h"
#include "congestion/pacing_rate.h"

namespace godwit {

namespace {

// RFC 9438 §4.6: beta_cubic is 0.7. A window of 2^40 times 7 is far from 2^64.
constexpr uint64_t Decreased(uint64_t bytes) { return bytes * 7 / 10; }

// RFC 9438 §4.7: (1 + beta_cubic) / 2.
constexpr uint64_t FastConverged(uint64_t bytes) { return bytes * 17 / 20; }

// RFC 9438 §4.3: alpha_cubic = 3 (1 - beta_cubic) / (1 + beta_cubic) = 9 / 17.
constexpr uint64_t kAlphaNumerator = 9;
constexpr uint64_t kAlphaDenominator = 17;

// amount * acked_bytes / window_bytes, exactly over many calls: what the division leaves is kept in
// `remainder`, which counts parts of 1 / window_bytes and so is a little off when the window
// changes; by less than a byte.
uint64_t Share(uint64_t amount, uint64_t acked_bytes, uint64_t window_bytes, uint64_t& remainder) {
  using Wide = unsigned __int128;
  const Wide parts = Wide{amount} * acked_bytes + std::min(remainder, window_bytes - 1);
  if (parts <= ~uint64_t{0}) [[likely]] {
    remainder = static_cast<uint64_t>(parts) % window_bytes;
    return static_cast<uint64_t>(parts) / window_bytes;
  }
  remainder = static_cast<uint64_t>(parts % window_bytes);
  return static_cast<uint64_t>(std::min<Wide>(parts / window_bytes, kMaxWindowBytes));
}

}  // namespace

Cubic::Cubic(const CongestionControllerParams& params)
    : max_datagram_bytes_(params.max_datagram_bytes),
      last_feedback_(params.now),
      smoothed_rtt_(params.rtt.smoothed),
      min_rtt_(params.rtt.min) {
  window_.StartFrom(params);
  if (params.predecessor.has_value()) {
    window_.prior_bytes = window_.bytes;
    if (params.predecessor->is_in_recovery) recovery_.StartByHandover(params.now);
  }
  UpdatePacing();
}

void Cubic::OnPacketSent(const TransmittedPacket& packet) {
  usage_.OnPacketSent(packet, window_.bytes, max_datagram_bytes_);
}

void Cubic::OnFeedback(const CongestionFeedback& feedback) {
  usage_.OnFeedback(feedback);
  if (recovery_.EndsBySpuriousLosses(feedback.spurious_losses)) Undo();
  if (recovery_.StartsBy(feedback)) Reduce();
  if (feedback.is_persistent_congestion) Collapse();
  const uint64_t acked_bytes = recovery_.OnAcked(feedback.acked);
  if (window_.WatchSlowStart(feedback)) {
    // RFC 9438 §4.10: out of slow start without a loss; there is no W_max.
    window_.prior_bytes = window_.bytes;
    window_.max_bytes = 0;
  }
  if (!usage_.is_used()) {
    StopClock(feedback.now);
  } else if (acked_bytes > 0) {
    if (is_slow_start()) {
      window_.GrowSlowStart(acked_bytes);
    } else {
      GrowAvoidance(acked_bytes, feedback);
    }
  }
  last_feedback_ = std::max(last_feedback_, feedback.now);
  smoothed_rtt_ = feedback.rtt.smoothed;
  min_rtt_ = feedback.rtt.min;
  UpdatePacing();
}

void Cubic::OnRestartFromIdle(Timestamp now) {
  StopClock(now);
  last_feedback_ = std::max(last_feedback_, now);
}

void Cubic::OnMaxDatagramBytesChanged(uint64_t max_datagram_bytes) {
  window_.OnMaxDatagramBytesChanged(max_datagram_bytes_, max_datagram_bytes);
  undo_.OnMaxDatagramBytesChanged(max_datagram_bytes_, max_datagram_bytes);
  max_datagram_bytes_ = max_datagram_bytes;
  UpdatePacing();
}

uint64_t Cubic::send_quantum_bytes() const {
  return SendQuantumBytes(pacing_rate_, max_datagram_bytes_);
}

CongestionHandover Cubic::Handover() const {
  return window_.Handover(min_rtt_, recovery_.is_active());
}

void Cubic::Reduce() {
  undo_ = window_;
  // RFC 9438 §4.7: a flow that meets congestion earlier than last time makes more room for others.
  window_.max_bytes =
      window_.bytes < window_.max_bytes ? FastConverged(window_.bytes) : window_.bytes;
  // RFC 9438 §4.6: of the window, not of what is in flight, which is right for a window that grows
  // only when used. The least window is that of RFC 9002 §7.2, after ECN marks too.
  window_.prior_bytes = window_.bytes;
  window_.bytes = std::max(Decreased(window_.bytes), min_window_bytes());
  window_.ssthresh_bytes = window_.bytes;
  window_.is_in_stage = false;
}

void Cubic::Collapse() {
  recovery_.Forget();
  window_.Collapse(max_datagram_bytes_);
  // RFC 9438 §4.8: the stage after it starts on the plateau of its own.
  window_.max_bytes = 0;
  window_.is_in_stage = false;
}

void Cubic::Undo() {
  // RFC 9438 §4.9.2: a window that has grown beyond in the meantime is the better one.
  if (window_.bytes < window_.prior_bytes) window_ = undo_;
}

void Cubic::StartStage(Timestamp now) {
  window_.is_in_stage = true;
  window_.stage_start = now;
  // RFC 9438 §4.8, §4.10: no reduction to remember: K = 0 and W_max = cwnd. The same if the window
  // is above it already, because it cannot shrink below its least size.
  window_.max_bytes = std::max(window_.max_bytes, window_.bytes);
  window_.curve = CubicCurve({.plateau_bytes = window_.max_bytes,
                              .start_bytes = window_.bytes,
                              .max_datagram_bytes = max_datagram_bytes_});
  window_.reno_bytes = window_.bytes;
  window_.bytes_remainder = 0;
  window_.reno_remainder = 0;
}

void Cubic::GrowAvoidance(uint64_t acked_bytes, const CongestionFeedback& feedback) {
  if (!window_.is_in_stage) StartStage(feedback.now);
  GrowReno(acked_bytes);
  const Duration t = feedback.now - window_.stage_start;
  if (window_.curve.BytesAt(t) < window_.reno_bytes) {
    // RFC 9438 §4.3: the Reno-friendly region.
    window_.bytes = std::max(window_.bytes, window_.reno_bytes);
    return;
  }
  // RFC 9438 §4.2, §4.4, §4.5: (target - cwnd) / cwnd for each segment, concave or convex.
  const uint64_t target_bytes = std::clamp(window_.curve.BytesAt(t + feedback.rtt.smoothed),
                                           window_.bytes, window_.bytes + window_.bytes / 2);
  const uint64_t growth_bytes =
      Share(target_bytes - window_.bytes, acked_bytes, window_.bytes, window_.bytes_remainder);
  // However many acknowledgments come at once, the window does not pass its target.
  window_.bytes = std::min({window_.bytes + growth_bytes, target_bytes, kMaxWindowBytes});
}

void Cubic::GrowReno(uint64_t acked_bytes) {
  // RFC 9438 §4.3: W_est += alpha segments_acked / cwnd, where alpha rises to 1 when W_est has come
  // back to where the window was before the reduction. The acknowledged bytes carry alpha, so that
  // the remainder does not mind the change.
  uint64_t weighted_bytes = acked_bytes * kAlphaDenominator;
  if (window_.reno_bytes < window_.prior_bytes) weighted_bytes = acked_bytes * kAlphaNumerator;
  const uint64_t growth_bytes = Share(max_datagram_bytes_, weighted_bytes,
                                      window_.bytes * kAlphaDenominator, window_.reno_remainder);
  window_.reno_bytes = std::min(window_.reno_bytes + growth_bytes, kMaxWindowBytes);
}

void Cubic::StopClock(Timestamp now) {
  // RFC 9438 §4.2, §5.8: t leaves out the time in which the window is not used.
  if (now <= last_feedback_) return;
  for (Window* window : {&window_, &undo_}) {
    if (window->is_in_stage) window->stage_start += now - last_feedback_;
  }
}

void Cubic::UpdatePacing() {
  pacing_rate_ = WindowPacingRate(window_.bytes, smoothed_rtt_, is_slow_start());
}

void Cubic::CheckInvariants() const {
  for (const Window* window : {&window_, &undo_}) {
    window->CheckInvariants(max_datagram_bytes_);
    GODWIT_CHECK_LE(window->reno_bytes, kMaxWindowBytes);
    GODWIT_CHECK_LE(window->max_bytes, kMaxWindowBytes);
    GODWIT_CHECK(!window->is_in_stage || window->stage_start <= last_feedback_);
  }
  GODWIT_CHECK_GE(window_.bytes, min_window_bytes());
  GODWIT_CHECK(!window_.is_in_stage || window_.bytes >= window_.ssthresh_bytes);
  GODWIT_CHECK(!recovery_.can_be_undone() || undo_.bytes >= min_window_bytes());
  GODWIT_CHECK(!pacing_rate_.is_zero());
  recovery_.CheckInvariants();
}

}  // namespace godwit
