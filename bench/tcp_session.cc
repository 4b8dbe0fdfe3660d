// SPDX-License-Identifier: Apache-2.0
#include "bench/tcp_session.h"

#include "bench/byte_stream.h"
#include "bench/tcp_socket.h"
#include "platform/monotonic_clock.h"

namespace godwit {

TcpSession::TcpSession(const TransferOptions& options) {
  report_.role = options.role;
  report_.protocol = ToString(options.protocol);
  report_.retransmissions = 0;
}

void TcpSession::Begin(const TransferRequest& request) {
  if (has_begun()) return;
  began_at_ = MonotonicClock::Now();
  cpu_before_ = CpuTime::Now();
  flow_count_ = request.flow_count;
  report_.direction = request.direction;
  report_.connections = flow_count_;
  report_.streams = flow_count_;
}

void TcpSession::Add(const TcpFlow& flow) {
  ++finished_count_;
  if (flow.state() == TcpFlow::State::kFailed) failure_ = flow.failure();
  if (flow.transfer()) {
    report_.bytes_sent += flow.transfer()->bytes_sent();
    report_.bytes_received += flow.transfer()->bytes_received();
  }
  const TcpCounts counts = flow.tcp_counts();
  report_.packets_sent += counts.segments_sent;
  report_.packets_received += counts.segments_received;
  *report_.retransmissions += counts.retransmissions;
  const SocketCallCounts& calls = flow.stream().calls();
  report_.send_calls += calls.send_calls;
  report_.receive_calls += calls.receive_calls;
  report_.congestion = CongestionControllerOf(flow.fd());
  report_.cipher = flow.stream().cipher();
  report_.elapsed = MonotonicClock::Now() - began_at_;
  report_.cpu = CpuTime::Now() - cpu_before_;
}

}  // namespace godwit
