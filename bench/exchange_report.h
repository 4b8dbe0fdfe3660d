// SPDX-License-Identifier: Apache-2.0
//
// ExchangeReport: what one side of many short exchanges (requests with their responses, or
// handshakes) did and what each one cost, as one JSON object and as one line. It computes ratios
// and writes; what is counted, and from when to when, is ExchangeRun's.
#ifndef GODWIT_BENCH_EXCHANGE_REPORT_H_
#define GODWIT_BENCH_EXCHANGE_REPORT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

#include "bench/cpu_time.h"
#include "bench/latency_histogram.h"
#include "bench/transfer_options.h"
#include "godwit/time.h"

namespace godwit {

enum class ExchangeKind : uint8_t { kRequest, kHandshake };

struct ExchangeReport {
  TransferRole role = TransferRole::kClient;
  ExchangeKind kind = ExchangeKind::kRequest;
  TransferProtocol protocol = TransferProtocol::kQuic;
  std::string cipher;  // Of TLS; empty: nothing was encrypted.
  uint64_t count = 0;  // Completed.
  Duration elapsed;
  CpuTime cpu;

  // Of a client.
  uint32_t outstanding = 0;
  LatencyHistogram latency;

  // Each is 0 where there is nothing to divide by.
  double per_second() const;
  double cpu_microseconds_each() const;

  std::string ToJson() const;
  std::string ToText() const;
};

// See report_writer.h.
absl::Status WriteReport(const ExchangeReport& report, const std::string& json_path);

}  // namespace godwit

#endif  // GODWIT_BENCH_EXCHANGE_REPORT_H_
