// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/probed_cubic.h"

namespace godwit {
namespace {

// Between two points of a stage.
constexpr Duration kPointInterval = Duration::Milliseconds(5);

}  // namespace

void ProbedCubic::OnFeedback(const CongestionFeedback& feedback) {
  const bool was_slow_start = cubic_.is_slow_start();
  const uint64_t before_bytes = cubic_.congestion_window_bytes();
  cubic_.OnFeedback(feedback);
  const uint64_t after_bytes = cubic_.congestion_window_bytes();

  if (was_slow_start && !cubic_.is_slow_start() && !log_.slow_start_end.has_value()) {
    log_.slow_start_end = {.at = feedback.now, .window_bytes = before_bytes};
  }
  if (after_bytes < before_bytes) {
    if (!log_.stages.empty()) log_.stages.back().is_complete = true;
    log_.stages.push_back(
        {.reduced_at = feedback.now, .before_bytes = before_bytes, .after_bytes = after_bytes});
    return;
  }
  if (log_.stages.empty() || after_bytes == log_.stages.back().after_bytes) return;
  std::vector<WindowLog::Point>& points = log_.stages.back().points;
  if (!points.empty() && feedback.now < points.back().at + kPointInterval) return;
  points.push_back({.at = feedback.now, .window_bytes = after_bytes});
}

}  // namespace godwit
