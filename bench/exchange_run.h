// SPDX-License-Identifier: Apache-2.0
//
// ExchangeRun: one side of one measurement of latency or handshakes: when it begins and ends, how
// many exchanges may be under way, what they took. The same for every protocol, so that what is
// compared is counted alike. A client begins when its first connection is ready and ends with its
// last exchange; a server begins and ends with that first connection, which the client keeps open
// to the end and which is no exchange of its own.
//
// It reads the clocks itself: that of the wall for every exchange, that of the process twice.
#ifndef GODWIT_BENCH_EXCHANGE_RUN_H_
#define GODWIT_BENCH_EXCHANGE_RUN_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"

#include "bench/cpu_time.h"
#include "bench/exchange_report.h"
#include "bench/transfer_options.h"
#include "godwit/time.h"

namespace godwit {

inline constexpr size_t kRequestBytes = 512;
inline constexpr size_t kResponseBytes = 4'000;

class ExchangeRun {
 public:
  ExchangeRun(const TransferOptions& options, ExchangeKind kind);

  void Begin(std::string cipher);
  void End();
  // The first one stays; also the end of the run.
  void Fail(std::string failure);

  bool has_begun() const { return state_ != State::kNotBegun; }
  bool is_over() const { return state_ == State::kOver; }
  // Empty: none.
  const std::string& failure() const { return failure_; }
  const ExchangeReport& report() const { return report_; }
  ExchangeKind kind() const { return report_.kind; }

  // ---- Of a server ----

  void CountOne() { ++report_.count; }

  // ---- Of a client ----

  // One more may begin: fewer than `outstanding` are under way, and neither the number nor the time
  // is reached.
  bool WantsMore() const;
  // When it was.
  Timestamp StartOne();
  // Of one that was started at `started`. Ends the run with the last one.
  void FinishOne(Timestamp started);

 private:
  enum class State : uint8_t { kNotBegun, kRunning, kOver };

  bool MayStart() const;

  const uint64_t max_count_;  // 0: the time decides.
  const Duration duration_;
  const uint32_t outstanding_;
  State state_ = State::kNotBegun;
  ExchangeReport report_;
  Timestamp began_at_;
  Timestamp now_;  // As last read.
  CpuTime cpu_before_;
  uint64_t started_count_ = 0;
  std::string failure_;
};

// The report, or the failure as an error.
absl::Status WriteReport(const ExchangeRun& run, const std::string& json_path);

}  // namespace godwit

#endif  // GODWIT_BENCH_EXCHANGE_RUN_H_
