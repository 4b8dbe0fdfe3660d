// SPDX-License-Identifier: Apache-2.0
//
// How long requests take: 512 bytes there, 4,000 back, so many of them outstanding, on one
// connection. Over QUIC each has a new bidirectional stream. Over TCP, with TLS or without, they
// are messages behind their length, the responses in the order of the requests, Nagle's algorithm
// off; what comes with one read is answered with one write. A latency is from the moment a client
// has decided to ask to the last byte of the response. One thread a side. See --help.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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

constexpr ExchangeKind kKind = ExchangeKind::kRequest;

// ---- QUIC ----

class QuicRequester final : public EventHandler {
 public:
  explicit QuicRequester(const TransferOptions& options)
      : run_(options, kKind), request_(kRequestBytes) {}

  void Attach(Client* client) { client_ = client; }
  const ExchangeRun& run() const { return run_; }

  void OnConnected(ConnectionRef connection) override {
    const auto info = connection.Info();
    run_.Begin(info.ok() ? info->cipher_suite : "");
    StartRequests(connection);
  }
  void OnStreamsAvailable(ConnectionRef connection, StreamDirection) override {
    StartRequests(connection);
  }
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    Receive(connection, stream);
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    Receive(connection, stream);
  }
  void OnClosed(ConnectionRef, const CloseReason& reason) override {
    if (run_.is_over()) return;
    Fail("the connection was closed: " + std::string(ToString(reason.cause)) + " " + reason.reason);
  }

 private:
  struct Response {
    Timestamp started;
    uint64_t received = 0;
  };

  void StartRequests(ConnectionRef& connection) {
    while (run_.WantsMore()) {
      const auto stream = connection.OpenStream(StreamDirection::kBidirectional);
      if (!stream.ok()) return;  // OnStreamsAvailable() follows.
      responses_.Add(*stream).started = run_.StartOne();
      const auto written = connection.Write(*stream, request_);
      if (!written.ok() || *written < request_.size() || !connection.Finish(*stream).ok()) {
        return Fail("a request cannot be written");
      }
    }
  }

  void Receive(ConnectionRef& connection, StreamId stream) {
    Response* const response = responses_.Find(stream);
    if (response == nullptr) return;
    const DrainedBytes drained = DrainStream(connection, stream);
    response->received += drained.bytes;
    if (!drained.is_end) return;
    if (response->received != kResponseBytes) return Fail("a response has another length");
    run_.FinishOne(response->started);
    responses_.Remove(stream);
    if (run_.is_over()) return client_->Stop();
    StartRequests(connection);
  }

  void Fail(std::string failure) {
    run_.Fail(std::move(failure));
    client_->Stop();
  }

  ExchangeRun run_;
  const std::vector<uint8_t> request_;
  Client* client_ = nullptr;
  ByStreamIndex<Response> responses_;
};

absl::Status RunQuicClient(const TransferOptions& options) {
  ClientConfig config;
  config.endpoint = QuicServerRun::EndpointFor(options);
  config.tls.application_protocols = {kExchangeProtocol};
  config.tls.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  QuicRequester requester(options);
  const auto client = Client::Create(config, &requester);
  if (!client.ok()) return client.status();
  requester.Attach(client->get());
  const auto connection = (*client)->Connect(options.address, "");
  if (!connection.ok()) return connection.status();
  (*client)->Run();
  (*client)->Shutdown(Duration::Milliseconds(200));
  return WriteReport(requester.run(), options.json_path);
}

// ---- TCP ----

class TcpRequester final : public TcpMessageFlow::Handler {
 public:
  explicit TcpRequester(const TransferOptions& options)
      : run_(options, kKind), request_(kRequestBytes) {}

  const ExchangeRun& run() const { return run_; }

  void OnReady(TcpMessageFlow& flow) override {
    run_.Begin(flow.cipher());
    StartRequests(flow);
  }

  void OnMessage(TcpMessageFlow& flow, size_t bytes) override {
    if (bytes == kResponseBytes && !started_.empty()) {
      run_.FinishOne(started_.front());
      started_.pop_front();
      StartRequests(flow);
    } else {
      run_.Fail("what came is no response");
    }
    if (run_.is_over()) flow.End();
  }

  void OnFinished(const TcpMessageFlow& flow) {
    run_.Fail(flow.failure().empty() ? "the connection has ended" : flow.failure());
  }

 private:
  void StartRequests(TcpMessageFlow& flow) {
    while (run_.WantsMore()) {
      started_.push_back(run_.StartOne());
      flow.Send(request_);
    }
  }

  ExchangeRun run_;
  const std::vector<uint8_t> request_;
  std::deque<Timestamp> started_;
};

absl::Status RunTcpClient(const TransferOptions& options) {
  const absl::StatusOr<TcpStreamFactory> streams = TcpStreamFactory::Create(options);
  if (!streams.ok()) return streams.status();
  absl::StatusOr<FileDescriptor> socket = ConnectTcp(options.address, options.congestion);
  if (!socket.ok()) return socket.status();
  TcpRequester requester(options);
  TcpPoller<TcpMessageFlow> poller;
  poller.Add(std::make_unique<TcpMessageFlow>(streams->NewStream(*std::move(socket)),
                                              TransferRole::kClient, &requester));
  while (!poller.is_empty()) {
    poller.RunOnce();
    // After the end of the run this is without effect.
    poller.RemoveFinished([&](const TcpMessageFlow& flow) { requester.OnFinished(flow); });
  }
  return WriteReport(requester.run(), options.json_path);
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
  return godwit::RunTransferProgram(godwit::TransferProgram::kLatency, argc, argv, godwit::Run);
}
