// SPDX-License-Identifier: Apache-2.0
#include "transport/recovery/reordering_window.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "base/limits.h"

namespace godwit {

static_assert(kMaxPacketThreshold >= kPacketThreshold);
static_assert(kMaxPacketThreshold <= UINT32_MAX);

void ReorderingWindow::OnSpuriousLoss(uint64_t packet_distance, Duration lateness, Duration rtt) {
  // One more than the packets that it was overtaken by: then it would not have been lost.
  const uint64_t threshold = std::min(packet_distance, kMaxPacketThreshold - 1) + 1;
  packet_threshold_ = std::max(packet_threshold_, static_cast<uint32_t>(threshold));

  uint32_t eighths = kMinTimeThresholdEighths;
  while (eighths < kMaxTimeThresholdEighths && rtt * Ratio{eighths, kEighths} <= lateness) {
    ++eighths;
  }
  time_threshold_eighths_ = std::max(time_threshold_eighths_, eighths);
  loss_rounds_ = 0;
}

void ReorderingWindow::OnLoss(Timestamp now, Duration rtt) {
  if (now < round_ends_at_) return;
  round_ends_at_ = now + rtt;
  if (++loss_rounds_ < kRoundsToShrink) return;
  loss_rounds_ = 0;
  packet_threshold_ -= (packet_threshold_ - kPacketThreshold + 1) / 2;
  time_threshold_eighths_ -= (time_threshold_eighths_ - kMinTimeThresholdEighths + 1) / 2;
}

void ReorderingWindow::CheckInvariants() const {
  GODWIT_CHECK_GE(packet_threshold_, kPacketThreshold);
  GODWIT_CHECK_LE(packet_threshold_, kMaxPacketThreshold);
  GODWIT_CHECK_GE(time_threshold_eighths_, kMinTimeThresholdEighths);
  GODWIT_CHECK_LE(time_threshold_eighths_, kMaxTimeThresholdEighths);
  GODWIT_CHECK_LT(loss_rounds_, kRoundsToShrink);
}

}  // namespace godwit
