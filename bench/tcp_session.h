// SPDX-License-Identifier: Apache-2.0
//
// TcpSession: all connections of one client, on one side, as one measurement: when it begins (with
// the first request for data, after the handshakes), when it is over, and what it comes to.
#ifndef GODWIT_BENCH_TCP_SESSION_H_
#define GODWIT_BENCH_TCP_SESSION_H_

#include <cstdint>
#include <string>

#include "bench/tcp_flow.h"
#include "bench/transfer_options.h"
#include "bench/transfer_report.h"
#include "godwit/time.h"

namespace godwit {

class TcpSession {
 public:
  explicit TcpSession(const TransferOptions& options);

  // Of any flow of it; what comes later is without effect.
  void Begin(const TransferRequest& request);
  // A flow that is finished, before it is destroyed.
  void Add(const TcpFlow& flow);

  bool has_begun() const { return flow_count_ > 0; }
  // As many have finished as the client announced.
  bool is_over() const { return has_begun() && finished_count_ == flow_count_; }
  // Empty: none.
  const std::string& failure() const { return failure_; }
  const TransferReport& report() const { return report_; }

 private:
  TransferReport report_;
  Timestamp began_at_;
  CpuTime cpu_before_;
  uint64_t flow_count_ = 0;
  uint64_t finished_count_ = 0;
  std::string failure_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_TCP_SESSION_H_
