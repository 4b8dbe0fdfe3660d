// SPDX-License-Identifier: Apache-2.0
//
// Moves bytes over godwit, with the same command line and the same report as tcp_transfer and
// limit. One thread a side. See --help.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"

#include "bench/quic_server_run.h"
#include "bench/quic_session.h"
#include "bench/self_signed.h"
#include "bench/transfer_options.h"
#include "bench/transfer_process.h"
#include "bench/transfer_report.h"
#include "godwit/client.h"
#include "godwit/server.h"

namespace godwit {
namespace {

constexpr char kProtocol[] = "godwit-transfer";

absl::Status RunClient(const TransferOptions& options) {
  ClientConfig config;
  config.endpoint = QuicServerRun::EndpointFor(options);
  config.tls.application_protocols = {kProtocol};
  config.tls.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  QuicSession session(options);
  auto client = Client::Create(config, &session);
  if (!client.ok()) return client.status();
  Client& running = **client;
  session.Attach(
      &running.loop(), [&running] { running.Stop(); },
      [&running] { return running.socket_stats(); });
  for (uint32_t i = 0; i < options.connections; ++i) {
    const auto connection = running.Connect(options.address, "");
    if (!connection.ok()) return connection.status();
  }
  running.Run();
  running.Shutdown(Duration::Milliseconds(200));
  if (!session.failure().empty()) return absl::UnavailableError(session.failure());
  TransferReport report = session.report();
  report.offloads = running.OffloadText();
  return WriteReport(report, options.json_path);
}

// One client, from its first connection to its end.
absl::Status Serve(QuicServerRun& run, const QuicSession& session, const std::string& json_path) {
  run.Run();
  if (!session.failure().empty()) return absl::UnavailableError(session.failure());
  TransferReport report = session.report();
  report.offloads = run.offloads();
  return WriteReport(report, json_path);
}

absl::Status RunServer(const TransferOptions& options) {
  const auto certificate = NewSelfSigned(options.certificate);
  if (!certificate.ok()) return certificate.status();
  ServerConfig config = QuicServerRun::ConfigFor(options, *certificate);
  config.tls.application_protocols = {kProtocol};
  while (true) {
    QuicSession* session = nullptr;
    const auto run = QuicServerRun::Create(config, [&](Loop& loop, QuicServerRun& of) {
      auto handler = std::make_unique<QuicSession>(options);
      handler->Attach(
          &loop, [&of] { of.TellOver(); }, [&of] { return of.socket_stats(); });
      session = handler.get();
      return handler;
    });
    // What is wrong here would be wrong again.
    if (!run.ok()) return run.status();
    config.socket.local = (*run)->local_address();
    const absl::Status status = Serve(**run, *session, options.json_path);
    if (options.once) return status;
    if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  }
}

absl::Status Run(const TransferOptions& options) {
  return options.role == TransferRole::kClient ? RunClient(options) : RunServer(options);
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  return godwit::RunTransferProgram(godwit::TransferProgram::kQuic, argc, argv, godwit::Run);
}
