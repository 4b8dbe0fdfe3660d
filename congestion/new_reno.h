// SPDX-License-Identifier: Apache-2.0
//
// NewReno: the controller of RFC 9002 §7 and Appendix B, with HyStart++ as its slow start
// (RFC 9406). Halves its window once a round trip with losses or ECN marks, grows it by a datagram
// for every window acknowledged, and takes a reduction back when all its losses were spurious.
//
// Invariants:
//  1. MinWindowBytes() <= congestion_window_bytes() <= kMaxWindowBytes.
//  2. The slow start threshold is at least MinWindowBytes(), or infinite.
#ifndef GODWIT_CONGESTION_NEW_RENO_H_
#define GODWIT_CONGESTION_NEW_RENO_H_

#include <cstdint>
#include <string_view>

#include "congestion/recovery_period.h"
#include "congestion/slow_start_window.h"
#include "congestion/window_usage.h"
#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

class NewReno final : public CongestionController {
 public:
  explicit NewReno(const CongestionControllerParams& params);

  std::string_view name() const override { return kNewReno; }
  void OnPacketSent(const TransmittedPacket& packet) override;
  void OnFeedback(const CongestionFeedback& feedback) override;
  void OnMaxDatagramBytesChanged(uint64_t max_datagram_bytes) override;
  uint64_t congestion_window_bytes() const override { return window_.bytes; }
  Bandwidth pacing_rate() const override { return pacing_rate_; }
  uint64_t send_quantum_bytes() const override;
  CongestionHandover Handover() const override;
  void CheckInvariants() const override;

  bool is_slow_start() const { return window_.is_slow_start(); }

 private:
  // What an undo brings back.
  struct Window : SlowStartWindow {
    // Acknowledged in congestion avoidance and not yet answered by growth.
    uint64_t acked_bytes = 0;
  };

  void Reduce();
  void Collapse();
  void Undo();
  void Grow(uint64_t acked_bytes);
  uint64_t min_window_bytes() const { return MinWindowBytes(max_datagram_bytes_); }

  uint64_t max_datagram_bytes_;
  Window window_;
  Window undo_;  // As window_ was before the latest reduction.
  RecoveryPeriod recovery_;
  WindowUsage usage_;
  Duration smoothed_rtt_;
  Duration min_rtt_;
  Bandwidth pacing_rate_;
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_NEW_RENO_H_
