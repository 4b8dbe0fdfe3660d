// SPDX-License-Identifier: Apache-2.0
//
// Cubic: the default controller (RFC 9438), with HyStart++ as its slow start (RFC 9406). After a
// reduction its window rises steeply, lingers near the size at which loss came, and then looks for
// more, by the clock and not by the round trip; it never does worse than NewReno would (the
// Reno-friendly region). What counts as congestion, when it is answered, and when an answer is
// taken back, is RFC 9002 §7 as in NewReno.
//
// All sizes are bytes where the RFC has segments; a segment is a datagram of the largest size.
//
// Invariants:
//  1. MinWindowBytes() <= congestion_window_bytes() <= kMaxWindowBytes.
//  2. The slow start threshold is at least MinWindowBytes(), or infinite.
//  3. The stage's clock does not run while the window is not used (RFC 9438 §5.8).
#ifndef GODWIT_CONGESTION_CUBIC_H_
#define GODWIT_CONGESTION_CUBIC_H_

#include <cstdint>
#include <string_view>

#include "congestion/cubic_curve.h"
#include "congestion/recovery_period.h"
#include "congestion/slow_start_window.h"
#include "congestion/window_usage.h"
#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

class Cubic final : public CongestionController {
 public:
  explicit Cubic(const CongestionControllerParams& params);

  std::string_view name() const override { return kCubic; }
  void OnPacketSent(const TransmittedPacket& packet) override;
  void OnFeedback(const CongestionFeedback& feedback) override;
  void OnRestartFromIdle(Timestamp now) override;
  void OnMaxDatagramBytesChanged(uint64_t max_datagram_bytes) override;
  uint64_t congestion_window_bytes() const override { return window_.bytes; }
  Bandwidth pacing_rate() const override { return pacing_rate_; }
  uint64_t send_quantum_bytes() const override;
  CongestionHandover Handover() const override;
  void CheckInvariants() const override;

  bool is_slow_start() const { return window_.is_slow_start(); }
  // W_max, W_est: for logs and tests.
  uint64_t max_bytes() const { return window_.max_bytes; }
  uint64_t reno_bytes() const { return window_.reno_bytes; }

 private:
  // What an undo brings back (RFC 9438 §4.9.2). `bytes` is cwnd.
  struct Window : SlowStartWindow {
    uint64_t prior_bytes = 0;  // cwnd_prior: when ssthresh was last set.
    uint64_t max_bytes = 0;    // W_max; 0: there was no reduction to remember.
    // The congestion avoidance stage, from its first acknowledgment on.
    bool is_in_stage = false;
    Timestamp stage_start = {};  // t_epoch
    CubicCurve curve = {};
    uint64_t reno_bytes = 0;  // W_est
    // What rounding has kept back from the growth of `bytes` and `reno_bytes`, times the window.
    uint64_t bytes_remainder = 0;
    uint64_t reno_remainder = 0;
  };

  void Reduce();
  void Collapse();
  void Undo();
  void StartStage(Timestamp now);
  void GrowAvoidance(uint64_t acked_bytes, const CongestionFeedback& feedback);
  void GrowReno(uint64_t acked_bytes);
  void StopClock(Timestamp now);
  void UpdatePacing();
  uint64_t min_window_bytes() const { return MinWindowBytes(max_datagram_bytes_); }

  uint64_t max_datagram_bytes_;
  Window window_;
  Window undo_;  // As window_ was before the latest reduction.
  RecoveryPeriod recovery_;
  WindowUsage usage_;
  Timestamp last_feedback_;
  Duration smoothed_rtt_;
  Duration min_rtt_;
  Bandwidth pacing_rate_;
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_CUBIC_H_
