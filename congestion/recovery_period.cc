// SPDX-License-Identifier: Apache-2.0
#include "congestion/recovery_period.h"

#include <algorithm>

#include "base/check.h"

namespace godwit {

void RecoveryPeriod::StartByHandover(Timestamp now) {
  start_ = now;
  lost_count_ = 0;
  is_active_ = true;
  is_undoable_ = false;
}

bool RecoveryPeriod::EndsBySpuriousLosses(std::span<const SpuriousLoss> spurious_losses) {
  if (!is_undoable_) return false;
  for (const SpuriousLoss& spurious : spurious_losses) {
    // Losses of an earlier period say nothing about this one.
    if (spurious.declared_lost_at >= start_ && lost_count_ > 0) --lost_count_;
  }
  if (lost_count_ > 0) return false;
  Forget();
  return true;
}

bool RecoveryPeriod::StartsBy(const CongestionFeedback& feedback) {
  bool starts = false;
  if (feedback.ecn_ce_count > 0) {
    is_undoable_ = false;
    starts = !Covers(feedback.ecn_ce_sent_time);
  }
  Timestamp last_lost_sent_time = Timestamp::InfinitePast();
  for (const TransmittedPacket& packet : feedback.lost) {
    last_lost_sent_time = std::max(last_lost_sent_time, packet.sent_time);
  }
  starts = starts || (!feedback.lost.empty() && !Covers(last_lost_sent_time));
  if (starts) {
    start_ = feedback.now;
    lost_count_ = 0;
    is_active_ = true;
    is_undoable_ = feedback.ecn_ce_count == 0;
  }
  lost_count_ += feedback.lost.size();
  return starts;
}

uint64_t RecoveryPeriod::OnAcked(std::span<const TransmittedPacket> acked) {
  uint64_t bytes = 0;
  for (const TransmittedPacket& packet : acked) {
    if (!Covers(packet.sent_time)) bytes += packet.bytes;
  }
  if (bytes > 0) is_active_ = false;
  return bytes;
}

void RecoveryPeriod::Forget() {
  start_ = Timestamp::InfinitePast();
  lost_count_ = 0;
  is_active_ = false;
  is_undoable_ = false;
}

void RecoveryPeriod::CheckInvariants() const {
  GODWIT_CHECK(!is_undoable_ || lost_count_ > 0);
  GODWIT_CHECK(!is_active_ || start_ != Timestamp::InfinitePast());
}

}  // namespace godwit
