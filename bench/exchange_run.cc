// SPDX-License-Identifier: Apache-2.0
#include "bench/exchange_run.h"

#include <utility>

#include "base/check.h"
#include "platform/monotonic_clock.h"

namespace godwit {

ExchangeRun::ExchangeRun(const TransferOptions& options, ExchangeKind kind)
    : max_count_(options.count), duration_(options.duration), outstanding_(options.outstanding) {
  report_.role = options.role;
  report_.kind = kind;
  report_.protocol = options.protocol;
  report_.outstanding = options.outstanding;
}

void ExchangeRun::Begin(std::string cipher) {
  GODWIT_CHECK(!has_begun());
  state_ = State::kRunning;
  report_.cipher = std::move(cipher);
  cpu_before_ = CpuTime::Now();
  began_at_ = now_ = MonotonicClock::Now();
}

void ExchangeRun::End() {
  if (state_ != State::kRunning) return;
  state_ = State::kOver;
  report_.elapsed = MonotonicClock::Now() - began_at_;
  report_.cpu = CpuTime::Now() - cpu_before_;
}

void ExchangeRun::Fail(std::string failure) {
  if (is_over()) return;
  failure_ = std::move(failure);
  state_ = State::kOver;
}

bool ExchangeRun::MayStart() const {
  return max_count_ != 0 ? started_count_ < max_count_ : now_ - began_at_ < duration_;
}

bool ExchangeRun::WantsMore() const {
  return state_ == State::kRunning && started_count_ - report_.count < outstanding_ && MayStart();
}

Timestamp ExchangeRun::StartOne() {
  ++started_count_;
  return now_ = MonotonicClock::Now();
}

void ExchangeRun::FinishOne(Timestamp started) {
  now_ = MonotonicClock::Now();
  ++report_.count;
  report_.latency.Add(now_ - started);
  if (started_count_ == report_.count && !MayStart()) End();
}

absl::Status WriteReport(const ExchangeRun& run, const std::string& json_path) {
  if (!run.failure().empty()) return absl::UnavailableError(run.failure());
  return WriteReport(run.report(), json_path);
}

}  // namespace godwit
