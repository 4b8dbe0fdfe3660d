// SPDX-License-Identifier: Apache-2.0
//
// ReorderingWindow: how far packets may overtake each other before the overtaken ones count as lost
// (RFC 9002 §6.1): the packet threshold and the time threshold, one of each for a connection. Both
// begin as the RFC recommends, grow when a loss turns out to be spurious, far enough that the same
// reordering would pass the next time, and stay bounded.
//
// They shrink again, by half of what they have grown, once losses of kRoundsToShrink round trips
// were all real. Wide thresholds cost something only when packets are lost, as later detection; so
// it is losses that are counted, not time (RFC 8985 §6.2 forgets after as many recoveries).
//
// Who declares losses and notices spurious ones is not decided here.
//
// Invariants: kPacketThreshold <= packet_threshold() <= kMaxPacketThreshold;
// 9/8 <= time_threshold() <= 2.
#ifndef GODWIT_TRANSPORT_RECOVERY_REORDERING_WINDOW_H_
#define GODWIT_TRANSPORT_RECOVERY_REORDERING_WINDOW_H_

#include <cstdint>

#include "godwit/ratio.h"
#include "godwit/time.h"

namespace godwit {

// RFC 9002 §6.1.1: the least, and the first.
inline constexpr uint64_t kPacketThreshold = 3;

class ReorderingWindow {
 public:
  // RFC 8985 §6.2, step 4.
  static constexpr uint32_t kRoundsToShrink = 16;

  // A packet is lost once a packet is acknowledged that was sent so many packets later.
  uint64_t packet_threshold() const { return packet_threshold_; }
  // A packet is lost so many round trips after it was sent, if a later one is acknowledged.
  Ratio time_threshold() const { return {time_threshold_eighths_, kEighths}; }

  // A packet that had been declared lost was acknowledged: it was overtaken by `packet_distance`
  // packets, and `lateness` went by from sending it to its acknowledgment, on a path whose round
  // trip takes `rtt`.
  void OnSpuriousLoss(uint64_t packet_distance, Duration lateness, Duration rtt);

  // Packets were declared lost. Counts once a round trip.
  void OnLoss(Timestamp now, Duration rtt);

  void CheckInvariants() const;

 private:
  static constexpr uint32_t kEighths = 8;
  static constexpr uint32_t kMinTimeThresholdEighths = 9;  // RFC 9002 §6.1.2.
  // Packets wait for a PTO otherwise, and that is hardly longer.
  static constexpr uint32_t kMaxTimeThresholdEighths = 16;

  Timestamp round_ends_at_ = Timestamp::InfinitePast();
  uint32_t packet_threshold_ = kPacketThreshold;
  uint32_t time_threshold_eighths_ = kMinTimeThresholdEighths;
  uint32_t loss_rounds_ = 0;  // Since the last spurious loss, or the last shrinking.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_REORDERING_WINDOW_H_
