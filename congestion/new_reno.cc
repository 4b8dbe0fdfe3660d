// SPDX-License-Identifier: Apache-2.0
#include "congestion/new_reno.h"

#include <algorithm>

#include "base/check.h"
#include "congestion/pacing_rate.h"

namespace godwit {

NewReno::NewReno(const CongestionControllerParams& params)
    : max_datagram_bytes_(params.max_datagram_bytes),
      smoothed_rtt_(params.rtt.smoothed),
      min_rtt_(params.rtt.min) {
  window_.StartFrom(params);
  if (params.predecessor.has_value() && params.predecessor->is_in_recovery) {
    recovery_.StartByHandover(params.now);
  }
  pacing_rate_ = WindowPacingRate(window_.bytes, smoothed_rtt_, is_slow_start());
}

void NewReno::OnPacketSent(const TransmittedPacket& packet) {
  usage_.OnPacketSent(packet, window_.bytes, max_datagram_bytes_);
}

void NewReno::OnFeedback(const CongestionFeedback& feedback) {
  usage_.OnFeedback(feedback);
  if (recovery_.EndsBySpuriousLosses(feedback.spurious_losses)) Undo();
  if (recovery_.StartsBy(feedback)) Reduce();
  if (feedback.is_persistent_congestion) Collapse();
  const uint64_t acked_bytes = recovery_.OnAcked(feedback.acked);
  window_.WatchSlowStart(feedback);
  // RFC 9002 §7.8.
  if (acked_bytes > 0 && usage_.is_used()) Grow(acked_bytes);
  smoothed_rtt_ = feedback.rtt.smoothed;
  min_rtt_ = feedback.rtt.min;
  pacing_rate_ = WindowPacingRate(window_.bytes, smoothed_rtt_, is_slow_start());
}

void NewReno::OnMaxDatagramBytesChanged(uint64_t max_datagram_bytes) {
  window_.OnMaxDatagramBytesChanged(max_datagram_bytes_, max_datagram_bytes);
  undo_.OnMaxDatagramBytesChanged(max_datagram_bytes_, max_datagram_bytes);
  max_datagram_bytes_ = max_datagram_bytes;
  pacing_rate_ = WindowPacingRate(window_.bytes, smoothed_rtt_, is_slow_start());
}

uint64_t NewReno::send_quantum_bytes() const {
  return SendQuantumBytes(pacing_rate_, max_datagram_bytes_);
}

CongestionHandover NewReno::Handover() const {
  return window_.Handover(min_rtt_, recovery_.is_active());
}

void NewReno::Reduce() {
  undo_ = window_;
  // RFC 9002 §7.3.2, §B.6: half of it, at once.
  window_.bytes = std::max(window_.bytes / 2, min_window_bytes());
  window_.ssthresh_bytes = window_.bytes;
  window_.acked_bytes = 0;
}

void NewReno::Collapse() {
  recovery_.Forget();
  window_.Collapse(max_datagram_bytes_);
  window_.acked_bytes = 0;
}

void NewReno::Undo() {
  // A window that has grown beyond in the meantime is the better one.
  if (window_.bytes < undo_.bytes) window_ = undo_;
}

void NewReno::Grow(uint64_t acked_bytes) {
  if (is_slow_start()) return window_.GrowSlowStart(acked_bytes);
  // RFC 9002 §7.3.3, §B.5: counted in bytes, as RFC 3465 §2.1 does, nothing is lost by rounding.
  window_.acked_bytes += acked_bytes;
  const uint64_t windows = window_.acked_bytes / window_.bytes;
  window_.acked_bytes -= windows * window_.bytes;
  window_.bytes = std::min(window_.bytes + windows * max_datagram_bytes_, kMaxWindowBytes);
}

void NewReno::CheckInvariants() const {
  for (const Window* window : {&window_, &undo_}) {
    window->CheckInvariants(max_datagram_bytes_);
    GODWIT_CHECK_LE(window->acked_bytes, 2 * kMaxWindowBytes);
  }
  GODWIT_CHECK_GE(window_.bytes, min_window_bytes());
  GODWIT_CHECK(!recovery_.can_be_undone() || undo_.bytes >= min_window_bytes());
  GODWIT_CHECK(!pacing_rate_.is_zero());
  recovery_.CheckInvariants();
}

}  // namespace godwit
