// SPDX-License-Identifier: Apache-2.0
//
// SendBlockTally: what keeps a connection from sending, now, and how long each reason has done so.
// Works only when the reason changes, with the times that the connection is told anyway. Which
// reason it is, is send_path's decision.
//
// Invariant: the times of all reasons together are the time since the beginning, until Stop().
#ifndef GODWIT_TRANSPORT_CONNECTION_SEND_BLOCK_TALLY_H_
#define GODWIT_TRANSPORT_CONNECTION_SEND_BLOCK_TALLY_H_

#include <algorithm>

#include "base/check.h"
#include "godwit/connection_stats.h"
#include "godwit/time.h"

namespace godwit {

class SendBlockTally {
 public:
  SendBlockTally(SendBlockedBy reason, Timestamp now) : reason_(reason), since_(now) {}

  SendBlockedBy reason() const { return reason_; }
  void Set(SendBlockedBy reason, Timestamp now) {
    if (reason == reason_) return;
    Settle(now);
    reason_ = reason;
  }
  // No time counts from here on.
  void Stop(Timestamp now) {
    if (is_stopped_) return;
    Settle(now);
    is_stopped_ = true;
  }

  // Up to the last change.
  const SendBlockedTimes& settled_times() const { return times_; }
  SendBlockedTimes TimesUntil(Timestamp now) const {
    SendBlockTally copy = *this;
    copy.Settle(now);
    return copy.times_;
  }

 private:
  // A clock may have gone back: then no time has passed until it has caught up.
  void Settle(Timestamp now) {
    if (is_stopped_ || now <= since_) return;
    Duration& time = TimeOf(reason_);
    time = time + (now - since_);
    since_ = now;
  }

  Duration& TimeOf(SendBlockedBy reason) {
    switch (reason) {
      case SendBlockedBy::kNothing:
        return times_.nothing;
      case SendBlockedBy::kApplication:
        return times_.application;
      case SendBlockedBy::kPeerFlowControl:
        return times_.peer_flow_control;
      case SendBlockedBy::kCongestionWindow:
        return times_.congestion_window;
      case SendBlockedBy::kPacing:
        return times_.pacing;
      case SendBlockedBy::kAmplification:
        return times_.amplification;
      case SendBlockedBy::kHandshake:
        return times_.handshake;
    }
    GODWIT_UNREACHABLE();
  }

  SendBlockedBy reason_;
  bool is_stopped_ = false;
  Timestamp since_;
  SendBlockedTimes times_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_SEND_BLOCK_TALLY_H_
