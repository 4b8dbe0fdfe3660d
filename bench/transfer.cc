// SPDX-License-Identifier: Apache-2.0
//
// Moves bytes over godwit, with the same command line and the same report as tcp_transfer and
// limit. One thread a side. See --help.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"

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

EndpointConfig EndpointOf(const TransferOptions& options) {
  EndpointConfig endpoint;
  if (!options.congestion.empty()) endpoint.congestion_controller = options.congestion;
  endpoint.connection.streams.max_streams_bidi = 10'000;
  return endpoint;
}

absl::Status RunClient(const TransferOptions& options) {
  ClientConfig config;
  config.endpoint = EndpointOf(options);
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

// What the shard's thread tells the main one.
class Finish {
 public:
  void Tell() {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return has_ended_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_ended_ = false;
};

absl::Status RunServerOnce(const TransferOptions& options, const TlsCertificate& certificate) {
  ServerConfig config;
  config.endpoint = EndpointOf(options);
  config.tls.certificates = {certificate};
  config.tls.application_protocols = {kProtocol};
  config.socket.local = options.address;
  Finish finish;
  QuicSession* session = nullptr;
  Server* running = nullptr;
  auto server = Server::Create(config, [&](Loop& loop) {
    auto handler = std::make_unique<QuicSession>(options);
    handler->Attach(
        &loop, [&finish] { finish.Tell(); }, [&running] { return running->SocketStats(); });
    session = handler.get();
    return handler;
  });
  if (!server.ok()) return server.status();
  running = server->get();
  running->Start();
  AnnounceListening(running->local_address());
  finish.Wait();
  const std::string offloads = running->OffloadText();
  // Until the client has closed.
  running->Shutdown(Duration::Seconds(120));
  if (!session->failure().empty()) return absl::UnavailableError(session->failure());
  TransferReport report = session->report();
  report.offloads = offloads;
  return WriteReport(report, options.json_path);
}

absl::Status RunServer(const TransferOptions& options) {
  const auto certificate = NewSelfSigned();
  if (!certificate.ok()) return certificate.status();
  TransferOptions each = options;
  while (true) {
    absl::Status status = RunServerOnce(each, *certificate);
    if (!status.ok() || options.once) return status;
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
