// SPDX-License-Identifier: Apache-2.0
//
// HystartPp: HyStart++ (RFC 9406), the slow start that ends before it loses packets. It watches the
// least RTT of each round trip: when that rises the queue is filling, so growth slows down for some
// rounds (conservative slow start), and if the RTT stays up slow start is over; if it falls back
// the rise was noise and slow start goes on.
//
// It does not know the window: the controller grows it by what GrowthBytes() says and leaves slow
// start when is_finished(). Loss and ECN end slow start without its help. A value: the controller
// replaces it to start anew, or by a copy to undo.
//
//      .---------.  least RTT of a round rises   .--------------.   5 rounds    .----------.
//   -> |  slow   | ----------------------------> | conservative | ------------> | finished |
//      |  start  | <---------------------------- |  slow start  |               '----------'
//      '---------'  falls below where it rose    '--------------'
#ifndef GODWIT_CONGESTION_HYSTART_PP_H_
#define GODWIT_CONGESTION_HYSTART_PP_H_

#include <cstdint>

#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

class HystartPp {
 public:
  enum class State : uint8_t { kSlowStart, kConservative, kFinished };

  // While the controller is in slow start: takes the round starts and RTT samples.
  void OnFeedback(const CongestionFeedback& feedback);

  // By how much the window grows when `acked_bytes` are acknowledged. RFC 9406 §4.2: unlimited
  // (L infinite), because we pace.
  uint64_t GrowthBytes(uint64_t acked_bytes) const;

  State state() const { return state_; }
  bool is_finished() const { return state_ == State::kFinished; }

  void CheckInvariants() const;

 private:
  void OnRoundStart();
  void OnRttSample(Duration rtt);

  State state_ = State::kSlowStart;
  uint8_t conservative_round_count_ = 0;
  uint32_t sample_count_ = 0;                         // In this round.
  Duration round_min_rtt_ = Duration::Infinite();     // Of this round; infinite: no sample.
  Duration last_min_rtt_ = Duration::Infinite();      // Of the round before.
  Duration baseline_min_rtt_ = Duration::Infinite();  // Where conservative slow start began.
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_HYSTART_PP_H_
