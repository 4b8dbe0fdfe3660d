// SPDX-License-Identifier: Apache-2.0
//
// RttEstimator: the round-trip time of one path (RFC 9002 §5), and the base of its probe timeouts
// (RFC 9002 §6.2.1). The caller decides which acknowledgments make a sample (RFC 9002 §5.1), does
// the backoff of timeouts, and makes a new estimator for a new path (RFC 9000 §9.4).
//
// Invariants:
//  1. Without a sample latest_rtt() and min_rtt() are Zero(); with one they are above.
//  2. min_rtt() <= latest_rtt().
//  3. No value is negative or above kMaxRtt.
#ifndef GODWIT_CONGESTION_RTT_ESTIMATOR_H_
#define GODWIT_CONGESTION_RTT_ESTIMATOR_H_

#include <optional>

#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

// RFC 9002 §6.2.2: assumed before the first sample.
inline constexpr Duration kInitialRtt = Duration::Milliseconds(333);

// RFC 9002 §6.1.2: timers are no finer than this.
inline constexpr Duration kTimerGranularity = Duration::Milliseconds(1);

// More than a packet is under way, also in the deepest queue: a clock that leaps by hours shall not
// be believed, or pacing by the average would stop the connection for as long.
inline constexpr Duration kMaxRtt = Duration::Seconds(60);

struct RttMeasurement {
  // From sending the largest acknowledged packet to receiving its acknowledgment. Taken as at least
  // a nanosecond and at most kMaxRtt, whatever the clock says.
  Duration rtt = {};
  // As the peer reported it, decoded; any value. RFC 9002 §5.3: zero for Initial packets, and
  // increased by the time that we could not read the acknowledgment for want of keys.
  Duration ack_delay = {};
  // The peer's transport parameter, once the handshake is confirmed; none before (RFC 9002 §5.3).
  std::optional<Duration> max_ack_delay = {};
};

class RttEstimator {
 public:
  // `initial_rtt`: above zero, kMaxRtt at most; from an earlier connection on this path, or the
  // default.
  explicit RttEstimator(Duration initial_rtt = kInitialRtt);

  void OnMeasurement(const RttMeasurement& measurement);

  // RFC 9002 §5.2: min_rtt forgets what was before the disruption. To be called after the
  // measurement that came with the same ACK frame.
  void OnPersistentCongestion();

  bool has_sample() const { return !latest_rtt_.is_zero(); }
  Duration latest_rtt() const { return latest_rtt_; }
  Duration min_rtt() const { return min_rtt_; }
  // Made up from the initial RTT before there is a sample.
  Duration smoothed_rtt() const { return smoothed_rtt_; }
  Duration rttvar() const { return rttvar_; }

  // For congestion controllers: all zero before there is a sample.
  RttSummary summary() const;

  // The probe timeout before backoff. RFC 9002 §6.2.1: `max_ack_delay` is the peer's in the
  // application data space and zero in the others. Three times this, with max_ack_delay, is what
  // persistent congestion takes (RFC 9002 §7.6.1).
  Duration PtoBase(Duration max_ack_delay) const;

  void CheckInvariants() const;

 private:
  Duration latest_rtt_;
  Duration min_rtt_;
  Duration smoothed_rtt_;
  Duration rttvar_;
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_RTT_ESTIMATOR_H_
