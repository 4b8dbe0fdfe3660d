// SPDX-License-Identifier: Apache-2.0
//
// How many handshakes a second, and what each costs: full ones, of one round trip after TCP's own,
// with a certificate and without resumption, so many of them at once. A client's handshake is from
// the call that connects to the moment in which it may send data; the connection is closed then,
// and the CPU time of both sides has that in it. A first connection, which is not counted, stays
// open for the length of the run and tells the server when it is over. One thread a side. See
// --help.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/emulator/file_descriptor.h"
#include "bench/exchange_report.h"
#include "bench/exchange_run.h"
#include "bench/quic_exchange_server.h"
#include "bench/quic_server_run.h"
#include "bench/quic_stream.h"
#include "bench/tcp_exchange_server.h"
#include "bench/tcp_message_flow.h"
#include "bench/tcp_poller.h"
#include "bench/tcp_socket.h"
#include "bench/tcp_stream_factory.h"
#include "bench/transfer_options.h"
#include "bench/transfer_process.h"
#include "godwit/client.h"

namespace godwit {
namespace {

constexpr ExchangeKind kKind = ExchangeKind::kHandshake;

// ---- QUIC ----

class QuicConnector final : public EventHandler {
 public:
  explicit QuicConnector(const TransferOptions& options)
      : address_(options.address), run_(options, kKind) {}

  void Attach(Client* client) { client_ = client; }
  const ExchangeRun& run() const { return run_; }

  void OnConnected(ConnectionRef connection) override {
    if (!run_.has_begun()) {
      first_ = connection;
      const auto info = connection.Info();
      run_.Begin(info.ok() ? info->cipher_suite : "");
    } else {
      const auto started = started_.find(QuicStreamKey::FirstOf(connection));
      run_.FinishOne(started->second);
      started_.erase(started);
    }
    Connect();
  }

  void OnClosed(ConnectionRef connection, const CloseReason& reason) override {
    const bool is_connected =
        run_.has_begun() && started_.count(QuicStreamKey::FirstOf(connection)) == 0;
    if (is_connected && connection != first_) {
      --open_count_;
      // Not before the server has counted them all.
      if (run_.is_over() && open_count_ == 0) client_->Stop();
      return;
    }
    run_.Fail("a connection was closed: " + std::string(ToString(reason.cause)) + " " +
              reason.reason);
    client_->Stop();
  }

 private:
  void Connect() {
    while (run_.WantsMore()) {
      const Timestamp started = run_.StartOne();
      const auto connection = client_->Connect(address_, "");
      if (!connection.ok()) {
        run_.Fail(std::string(connection.status().message()));
        return client_->Stop();
      }
      started_[QuicStreamKey::FirstOf(*connection)] = started;
      ++open_count_;
    }
  }

  const SocketAddress address_;
  ExchangeRun run_;
  Client* client_ = nullptr;
  ConnectionRef first_;
  std::map<QuicStreamKey, Timestamp> started_;  // Those that are not complete.
  // Beside the first. The server closes each of them, when it has completed the handshake too.
  uint64_t open_count_ = 0;
};

absl::Status RunQuicClient(const TransferOptions& options) {
  ClientConfig config;
  config.endpoint = QuicServerRun::EndpointFor(options);
  // Of the first connection, on which nothing else happens.
  config.endpoint.connection.idle.keep_alive_interval = Duration::Seconds(5);
  config.tls.application_protocols = {kExchangeProtocol};
  config.tls.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  QuicConnector connector(options);
  const auto client = Client::Create(config, &connector);
  if (!client.ok()) return client.status();
  connector.Attach(client->get());
  const auto connection = (*client)->Connect(options.address, "");
  if (!connection.ok()) return connection.status();
  (*client)->Run();
  (*client)->Shutdown(Duration::Milliseconds(200));
  return WriteReport(connector.run(), options.json_path);
}

// ---- TCP ----

class TcpConnector final : public TcpMessageFlow::Handler {
 public:
  TcpConnector(const TransferOptions& options, const TcpStreamFactory& streams)
      : options_(options), streams_(streams), run_(options, kKind) {}

  // Until all has ended.
  void Run() {
    Connect();
    while (!poller_.is_empty()) {
      poller_.RunOnce();
      poller_.RemoveFinished([&](const TcpMessageFlow& flow) { OnFinished(flow); });
      while (run_.WantsMore()) {
        const Timestamp started = run_.StartOne();
        if (const TcpMessageFlow* const flow = Connect()) started_[flow] = started;
      }
      // Not before the server has counted the others.
      if (run_.is_over() && first_ != nullptr && poller_.flow_count() == 1) EndFirst();
    }
  }

  const ExchangeRun& run() const { return run_; }

  void OnReady(TcpMessageFlow& flow) override {
    if (!run_.has_begun()) {
      first_ = &flow;
      return run_.Begin(flow.cipher());
    }
    const auto started = started_.find(&flow);
    run_.FinishOne(started->second);
    started_.erase(started);
    flow.End();
  }

  void OnMessage(TcpMessageFlow&, size_t) override { run_.Fail("a message that nobody asked for"); }

 private:
  // Null: it failed.
  const TcpMessageFlow* Connect() {
    absl::StatusOr<FileDescriptor> socket = ConnectTcp(options_.address, options_.congestion);
    if (!socket.ok()) {
      run_.Fail(std::string(socket.status().message()));
      return nullptr;
    }
    auto flow = std::make_unique<TcpMessageFlow>(streams_.NewStream(*std::move(socket)),
                                                 TransferRole::kClient, this);
    const TcpMessageFlow* const result = flow.get();
    poller_.Add(std::move(flow));
    return result;
  }

  void OnFinished(const TcpMessageFlow& flow) {
    if (&flow == first_) first_ = nullptr;
    if (!flow.failure().empty()) run_.Fail(flow.failure());
  }

  void EndFirst() {
    poller_.ForEach([this](TcpMessageFlow& flow) {
      if (&flow == first_) flow.End();
    });
    first_ = nullptr;
  }

  const TransferOptions& options_;
  const TcpStreamFactory& streams_;
  ExchangeRun run_;
  const TcpMessageFlow* first_ = nullptr;
  std::map<const TcpMessageFlow*, Timestamp> started_;  // Those that are not ready.
  TcpPoller<TcpMessageFlow> poller_;
};

absl::Status RunTcpClient(const TransferOptions& options) {
  const absl::StatusOr<TcpStreamFactory> streams = TcpStreamFactory::Create(options);
  if (!streams.ok()) return streams.status();
  TcpConnector connector(options, *streams);
  connector.Run();
  return WriteReport(connector.run(), options.json_path);
}

absl::Status Run(const TransferOptions& options) {
  const bool is_quic = options.protocol == TransferProtocol::kQuic;
  if (options.role == TransferRole::kClient) {
    return is_quic ? RunQuicClient(options) : RunTcpClient(options);
  }
  return is_quic ? RunQuicExchangeServer(options, kKind) : RunTcpExchangeServer(options, kKind);
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  return godwit::RunTransferProgram(godwit::TransferProgram::kHandshakes, argc, argv, godwit::Run);
}
