// SPDX-License-Identifier: Apache-2.0
//
// SlowStartWindow: what the windows of Cubic and NewReno have in common: the window and its slow
// start threshold, where they begin (RFC 9002 §7.2, or a predecessor's), slow start with HyStart++
// (RFC 9002 §7.3.1, RFC 9406), and what another datagram size does to them. What a controller
// remembers besides, for congestion avoidance, it adds by deriving; an undo copies all of it.
//
// It does not know losses, nor time.
//
// Invariants: MinWindowBytes() <= bytes <= kMaxWindowBytes, and the threshold is at least
// MinWindowBytes(), or infinite, once StartFrom() was called.
#ifndef GODWIT_CONGESTION_SLOW_START_WINDOW_H_
#define GODWIT_CONGESTION_SLOW_START_WINDOW_H_

#include <cstdint>

#include "congestion/hystart_pp.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

struct SlowStartWindow {
  static constexpr uint64_t kNoThreshold = ~uint64_t{0};

  uint64_t bytes = 0;
  uint64_t ssthresh_bytes = kNoThreshold;
  HystartPp slow_start = {};

  bool is_slow_start() const { return bytes < ssthresh_bytes; }

  void StartFrom(const CongestionControllerParams& params);

  // Lets HyStart++ see the feedback. True if it ends slow start: the threshold is the window now.
  bool WatchSlowStart(const CongestionFeedback& feedback);
  // In slow start.
  void GrowSlowStart(uint64_t acked_bytes);
  // RFC 9002 §7.6.2, §B.8: down to the least, and into slow start.
  void Collapse(uint64_t max_datagram_bytes);

  void OnMaxDatagramBytesChanged(uint64_t old_bytes, uint64_t new_bytes);

  // `min_rtt` is Zero() before there was a sample.
  CongestionHandover Handover(Duration min_rtt, bool is_in_recovery) const;

  void CheckInvariants(uint64_t max_datagram_bytes) const;
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_SLOW_START_WINDOW_H_
