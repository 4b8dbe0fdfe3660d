// SPDX-License-Identifier: Apache-2.0
//
// ProbedCubic: Cubic with a log of its window: when slow start ended, when the window was reduced,
// how it grew afterwards. It comes into an endpoint by the registry, as an application's own
// controller does, and changes nothing of what Cubic decides.
//
// A stage is what RFC 9438 §4.2 calls so: from the first acknowledgment after a reduction to the
// next reduction. The log has what happened, not what Cubic says of itself: a study compares it
// with the RFC's formula.
#ifndef GODWIT_TESTS_SIM_PROBED_CUBIC_H_
#define GODWIT_TESTS_SIM_PROBED_CUBIC_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "congestion/cubic.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

struct WindowLog {
  struct Point {
    Timestamp at = {};
    uint64_t window_bytes = 0;
  };
  struct Stage {
    // The reduction.
    Timestamp reduced_at = {};
    uint64_t before_bytes = 0;
    uint64_t after_bytes = 0;
    // From the first growth on, thinned. Empty if the next reduction came before.
    std::vector<Point> points = {};
    bool is_complete = false;  // The next reduction has come.
  };
  struct SlowStartEnd {
    Timestamp at = {};
    uint64_t window_bytes = 0;
  };

  std::vector<Stage> stages = {};
  // The first one; none while it lasts.
  std::optional<SlowStartEnd> slow_start_end = {};
};

class ProbedCubic final : public CongestionController {
 public:
  // `log` outlives it.
  ProbedCubic(const CongestionControllerParams& params, WindowLog* log)
      : cubic_(params), log_(*log) {}

  std::string_view name() const override { return kProbedCubic; }
  void OnPacketSent(const TransmittedPacket& packet) override { cubic_.OnPacketSent(packet); }
  void OnFeedback(const CongestionFeedback& feedback) override;
  void OnAppLimited(Timestamp now, uint64_t bytes_in_flight) override {
    cubic_.OnAppLimited(now, bytes_in_flight);
  }
  void OnRestartFromIdle(Timestamp now) override { cubic_.OnRestartFromIdle(now); }
  void OnMaxDatagramBytesChanged(uint64_t max_datagram_bytes) override {
    cubic_.OnMaxDatagramBytesChanged(max_datagram_bytes);
  }
  uint64_t congestion_window_bytes() const override { return cubic_.congestion_window_bytes(); }
  Bandwidth pacing_rate() const override { return cubic_.pacing_rate(); }
  uint64_t send_quantum_bytes() const override { return cubic_.send_quantum_bytes(); }
  CongestionHandover Handover() const override { return cubic_.Handover(); }
  void CheckInvariants() const override { cubic_.CheckInvariants(); }

  static constexpr std::string_view kProbedCubic = "probed_cubic";

 private:
  Cubic cubic_;
  WindowLog& log_;
};

// Of one connection.
class ProbedCubicFactory final : public CongestionControllerFactory {
 public:
  std::unique_ptr<CongestionController> Make(
      const CongestionControllerParams& params) const override {
    return std::make_unique<ProbedCubic>(params, &log_);
  }

  const WindowLog& log() const { return log_; }

 private:
  // A factory is const for those who use it; what its controllers log is not part of it.
  mutable WindowLog log_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_PROBED_CUBIC_H_
