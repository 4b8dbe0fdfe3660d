// SPDX-License-Identifier: Apache-2.0
//
// WindowUsage: whether the sender lately used what its window allows. RFC 9002 §7.8, RFC 9438
// §5.8: a window that is not used is not tested either, so it must not grow. The memory is one
// round trip: a sender that fills its window, pauses for a moment and fills it again is not held
// back, one that never fills it is.
#ifndef GODWIT_CONGESTION_WINDOW_USAGE_H_
#define GODWIT_CONGESTION_WINDOW_USAGE_H_

#include <algorithm>
#include <cstdint>

#include "godwit/congestion_controller.h"

namespace godwit {

class WindowUsage {
 public:
  void OnPacketSent(const TransmittedPacket& packet, uint64_t window_bytes,
                    uint64_t max_datagram_bytes) {
    const uint64_t in_flight_bytes = packet.at_send.bytes_in_flight;
    // No full datagram fits any more, or, in a window of many, only so few that the sender may be
    // waiting to make a train of them.
    const uint64_t slack_bytes =
        std::clamp(window_bytes / 4, max_datagram_bytes, 3 * max_datagram_bytes);
    // RFC 9002 §7.8: pacing that delays packets is no want of data. A sender that has enough to
    // send, and half a window on its way, will fill it.
    const bool is_on_the_way =
        !packet.at_send.is_app_limited && 2 * in_flight_bytes >= window_bytes;
    is_used_ = is_used_ || in_flight_bytes + slack_bytes > window_bytes || is_on_the_way;
  }

  // To be called before is_used() is asked for the same feedback.
  void OnFeedback(const CongestionFeedback& feedback) {
    if (!feedback.is_round_start) return;
    was_used_ = is_used_;
    is_used_ = false;
  }

  bool is_used() const { return is_used_ || was_used_; }

 private:
  bool is_used_ = false;   // Since the round started.
  bool was_used_ = false;  // In the round before.
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_WINDOW_USAGE_H_
