// SPDX-License-Identifier: Apache-2.0
//
// RecoveryPeriod: which losses and ECN marks a window-based controller must answer, and whether an
// answer turns out to have been a mistake. RFC 9002 §7.3.2: a window is reduced once for all that
// was sent before the reduction. RFC 9438 §4.9.2: a reduction is undone when everything that was
// lost turns up; ECN marks cannot turn out to be false.
//
// It does not know the window: the controller reduces it, and keeps what it was.
//
// Invariant: a period can be undone only if it was started by a loss, no ECN mark came since, and
// losses of it are not yet found spurious.
#ifndef GODWIT_CONGESTION_RECOVERY_PERIOD_H_
#define GODWIT_CONGESTION_RECOVERY_PERIOD_H_

#include <cstdint>
#include <span>

#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

class RecoveryPeriod {
 public:
  // Starts one that cannot be undone, for a controller that takes over from another in recovery.
  void StartByHandover(Timestamp now);

  // Takes the spurious losses of a feedback. True if the latest reduction was a mistake: the
  // controller undoes it, and the period is over.
  [[nodiscard]] bool EndsBySpuriousLosses(std::span<const SpuriousLoss> spurious_losses);

  // Takes ECN marks and losses of a feedback. True if a new period starts: the controller reduces
  // its window.
  [[nodiscard]] bool StartsBy(const CongestionFeedback& feedback);

  // Takes the acknowledged packets of a feedback and returns how many bytes of them were sent after
  // the latest reduction; the window grows by no others. RFC 9002 §7.3.2: the first one ends the
  // period.
  [[nodiscard]] uint64_t OnAcked(std::span<const TransmittedPacket> acked);

  // RFC 9002 §B.8: after persistent congestion everything starts anew.
  void Forget();

  // A reduction was made, and nothing sent after it is acknowledged.
  bool is_active() const { return is_active_; }
  bool can_be_undone() const { return is_undoable_; }

  void CheckInvariants() const;

 private:
  // RFC 9002 §B.6: InCongestionRecovery.
  bool Covers(Timestamp sent_time) const { return sent_time <= start_; }

  Timestamp start_ = Timestamp::InfinitePast();
  // Packets declared lost since the start, less those that turned up.
  uint64_t lost_count_ = 0;
  bool is_active_ = false;
  bool is_undoable_ = false;
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_RECOVERY_PERIOD_H_
