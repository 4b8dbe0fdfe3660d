// SPDX-License-Identifier: Apache-2.0
//
// TransferReport: what one side of a transfer did and what it cost, as one JSON object for programs
// and one line for people. It computes ratios and writes; what is counted, and from when to when,
// is the program's, and should be the same for all that are compared: from the first request for
// data, after the handshakes, to the end of the last stream.
#ifndef GODWIT_BENCH_TRANSFER_REPORT_H_
#define GODWIT_BENCH_TRANSFER_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

#include "bench/cpu_time.h"
#include "bench/transfer_options.h"
#include "godwit/time.h"

namespace godwit {

struct TransferReport {
  TransferRole role = TransferRole::kClient;
  std::string protocol;    // "quic", "tcp", "tcp+tls", ...
  std::string cipher;      // Of TLS; empty: nothing was encrypted.
  std::string congestion;  // Of this side's sending.
  std::string offloads;    // In words.
  TransferDirection direction = TransferDirection::kDownload;
  uint64_t connections = 0;
  uint64_t streams = 0;  // Of all connections together.

  // Of the application: without any header, each byte once.
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  Duration elapsed;
  CpuTime cpu;

  // Packets as they are on the wire (TCP: segments), whatever offloads merge them.
  uint64_t packets_sent = 0;
  uint64_t packets_received = 0;
  uint64_t send_calls = 0;  // System calls that can carry data.
  uint64_t receive_calls = 0;
  // Of packets_sent, those that the kernel cut from trains (GSO), and the trains. Nothing: the
  // program cannot know.
  std::optional<uint64_t> trains_sent;
  std::optional<uint64_t> train_packets_sent;
  // Packets. Nothing: this protocol has none of it, or does not tell.
  std::optional<uint64_t> retransmissions;
  std::optional<uint64_t> packets_lost;

  // Each is 0 where there is nothing to divide by.
  double goodput_mbit() const;        // Both directions together; 10^6 bits a second.
  double cpu_seconds_per_gb() const;  // 10^9 bytes of both directions together.
  double packets_per_send_call() const;
  double packets_per_receive_call() const;
  double packets_per_call() const;

  std::string ToJson() const;  // One line, without an end of line.
  std::string ToText() const;  // One line, without an end of line.
};

// See report_writer.h.
absl::Status WriteReport(const TransferReport& report, const std::string& json_path);

}  // namespace godwit

#endif  // GODWIT_BENCH_TRANSFER_REPORT_H_
