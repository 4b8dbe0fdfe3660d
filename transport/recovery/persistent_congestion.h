// SPDX-License-Identifier: Apache-2.0
//
// PersistentCongestion: whether everything that was sent over a long time was lost (RFC 9002
// §7.6.2). It is told the fates of a space's packets in the order of their numbers, and so needs to
// remember no more than where the present run of losses began.
//
// Which packets count (ack-eliciting ones that are no MTU probes), and how long is long, is
// decided by who tells it.
#ifndef GODWIT_TRANSPORT_RECOVERY_PERSISTENT_CONGESTION_H_
#define GODWIT_TRANSPORT_RECOVERY_PERSISTENT_CONGESTION_H_

#include "godwit/time.h"

namespace godwit {

class PersistentCongestion {
 public:
  // An ack-eliciting packet is lost. Packets sent at `since` or before do not count: there was no
  // RTT sample, or something else was delivered that was sent then. True if this loss establishes
  // persistent congestion of `duration`; a new run begins with it.
  bool OnLost(Timestamp sent_time, Timestamp since, Duration duration) {
    if (sent_time <= since) return false;
    if (run_begin_ <= since) {
      run_begin_ = sent_time;
      return false;
    }
    // RFC 9002 §7.6.2: the duration must be exceeded.
    if (sent_time - run_begin_ <= duration) return false;
    run_begin_ = sent_time;
    return true;
  }

  // A packet of the run, or one after it, was delivered.
  void OnDelivered() { run_begin_ = Timestamp::InfinitePast(); }

 private:
  // When the first lost packet of the run was sent; InfinitePast(): there is no run.
  Timestamp run_begin_ = Timestamp::InfinitePast();
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_PERSISTENT_CONGESTION_H_
