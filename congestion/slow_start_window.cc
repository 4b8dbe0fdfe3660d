// SPDX-License-Identifier: Apache-2.0
#include "congestion/slow_start_window.h"

#include <algorithm>

#include "base/check.h"
#include "congestion/pacing_rate.h"

namespace godwit {

void SlowStartWindow::StartFrom(const CongestionControllerParams& params) {
  bytes = InitialWindowBytes(params.max_datagram_bytes);
  if (!params.predecessor.has_value()) return;
  const CongestionHandover& predecessor = *params.predecessor;
  const uint64_t min_bytes = MinWindowBytes(params.max_datagram_bytes);
  bytes = std::clamp(predecessor.congestion_window_bytes, min_bytes, kMaxWindowBytes);
  ssthresh_bytes = std::max(predecessor.ssthresh_bytes.value_or(kNoThreshold), min_bytes);
}

bool SlowStartWindow::WatchSlowStart(const CongestionFeedback& feedback) {
  // RFC 9406 §4.3: in the first slow start only. Later ones know where to end.
  if (ssthresh_bytes != kNoThreshold) return false;
  slow_start.OnFeedback(feedback);
  if (!slow_start.is_finished()) return false;
  ssthresh_bytes = bytes;
  return true;
}

void SlowStartWindow::GrowSlowStart(uint64_t acked_bytes) {
  // RFC 9002 §7.3.1. A batch that crosses the threshold must not carry the window far beyond.
  const uint64_t limit = std::min(ssthresh_bytes, kMaxWindowBytes);
  bytes = std::min(bytes + slow_start.GrowthBytes(acked_bytes), limit);
}

void SlowStartWindow::Collapse(uint64_t max_datagram_bytes) {
  bytes = MinWindowBytes(max_datagram_bytes);
  slow_start = HystartPp();
}

void SlowStartWindow::OnMaxDatagramBytesChanged(uint64_t old_bytes, uint64_t new_bytes) {
  // RFC 9002 §7.2: a window that is still the initial one is calculated anew.
  const bool is_initial = ssthresh_bytes == kNoThreshold && bytes == InitialWindowBytes(old_bytes);
  if (is_initial) bytes = InitialWindowBytes(new_bytes);
  bytes = std::max(bytes, MinWindowBytes(new_bytes));
  ssthresh_bytes = std::max(ssthresh_bytes, MinWindowBytes(new_bytes));
}

CongestionHandover SlowStartWindow::Handover(Duration min_rtt, bool is_in_recovery) const {
  CongestionHandover handover{.congestion_window_bytes = bytes, .is_in_recovery = is_in_recovery};
  if (ssthresh_bytes != kNoThreshold) handover.ssthresh_bytes = ssthresh_bytes;
  if (!min_rtt.is_zero()) handover.min_rtt = min_rtt;
  return handover;
}

void SlowStartWindow::CheckInvariants(uint64_t max_datagram_bytes) const {
  slow_start.CheckInvariants();
  GODWIT_CHECK_LE(bytes, kMaxWindowBytes);
  GODWIT_CHECK_GE(ssthresh_bytes, MinWindowBytes(max_datagram_bytes));
}

}  // namespace godwit
