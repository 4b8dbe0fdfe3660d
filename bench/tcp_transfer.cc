// SPDX-License-Identifier: Apache-2.0
//
// Moves bytes over the kernel's TCP, plain or under TLS 1.3 (--tls), with the command line of
// transfer, to compare QUIC with. One thread a side. TCP has one stream a connection, so --streams
// multiplies the connections. See --help.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/emulator/file_descriptor.h"
#include "bench/tcp_flow.h"
#include "bench/tcp_listener.h"
#include "bench/tcp_poller.h"
#include "bench/tcp_session.h"
#include "bench/tcp_socket.h"
#include "bench/tcp_stream_factory.h"
#include "bench/transfer_flow.h"
#include "bench/transfer_options.h"
#include "bench/transfer_pattern.h"
#include "bench/transfer_process.h"
#include "bench/transfer_report.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

absl::Status ReportSession(const TcpSession& session, const TransferOptions& options) {
  if (!session.failure().empty()) return absl::UnavailableError(session.failure());
  return WriteReport(session.report(), options.json_path);
}

absl::Status RunClient(const TransferOptions& options) {
  const absl::StatusOr<TcpStreamFactory> streams = TcpStreamFactory::Create(options);
  if (!streams.ok()) return streams.status();
  const TransferPattern pattern;
  TcpPoller<TcpFlow> poller;
  const uint32_t flow_count = options.streams * options.connections;
  for (uint32_t i = 0; i < flow_count; ++i) {
    absl::StatusOr<FileDescriptor> socket = ConnectTcp(options.address, options.congestion);
    if (!socket.ok()) return socket.status();
    poller.Add(
        std::make_unique<TcpFlow>(streams->NewStream(*std::move(socket)), options.role, pattern));
  }

  TcpSession session(options);
  while (!session.has_begun() && session.failure().empty()) {
    poller.RunOnce();
    bool are_all_ready = true;
    poller.ForEach(
        [&](const TcpFlow& flow) { are_all_ready &= flow.state() == TcpFlow::State::kReady; });
    poller.RemoveFinished([&](const TcpFlow& flow) { session.Add(flow); });
    if (!are_all_ready) continue;
    session.Begin(TransferRequest::For(options, 0));
    uint32_t next_flow = 0;
    poller.ForEach([&](TcpFlow& flow) {
      flow.Start(TransferRequest::For(options, next_flow++), MonotonicClock::Now());
    });
  }
  while (!session.is_over() && session.failure().empty()) {
    poller.RunOnce();
    poller.RemoveFinished([&](const TcpFlow& flow) { session.Add(flow); });
  }
  return ReportSession(session, options);
}

absl::Status RunServer(const TransferOptions& options) {
  const absl::StatusOr<TcpStreamFactory> streams = TcpStreamFactory::Create(options);
  if (!streams.ok()) return streams.status();
  const TransferPattern pattern;
  const absl::StatusOr<FileDescriptor> listener = ListenAndAnnounce(options);
  if (!listener.ok()) return listener.status();
  TcpPoller<TcpFlow> poller(listener->get());
  std::optional<TcpSession> session(options);
  while (true) {
    if (poller.RunOnce()) {
      while (std::optional<FileDescriptor> socket = AcceptTcp(listener->get())) {
        poller.Add(std::make_unique<TcpFlow>(streams->NewStream(*std::move(socket)), options.role,
                                             pattern));
      }
    }
    poller.ForEach([&](const TcpFlow& flow) {
      if (flow.transfer() && flow.transfer()->request())
        session->Begin(*flow.transfer()->request());
    });
    poller.RemoveFinished([&](const TcpFlow& flow) {
      if (flow.transfer() && flow.transfer()->request()) return session->Add(flow);
      std::fprintf(stderr, "a connection without a request: %s\n", flow.failure().c_str());
    });
    const bool is_broken = !session->failure().empty() && poller.is_empty();
    if (!session->is_over() && !is_broken) continue;
    const absl::Status status = ReportSession(*session, options);
    if (options.once) return status;
    if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    session.emplace(options);
  }
}

absl::Status Run(const TransferOptions& options) {
  return options.role == TransferRole::kServer ? RunServer(options) : RunClient(options);
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  return godwit::RunTransferProgram(godwit::TransferProgram::kTcp, argc, argv, godwit::Run);
}
