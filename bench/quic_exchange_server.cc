// SPDX-License-Identifier: Apache-2.0
#include "bench/quic_exchange_server.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/exchange_run.h"
#include "bench/quic_server_run.h"
#include "bench/quic_stream.h"
#include "bench/self_signed.h"
#include "godwit/event_handler.h"
#include "godwit/loop.h"
#include "godwit/server.h"

namespace godwit {
namespace {

class ExchangeServer final : public EventHandler {
 public:
  ExchangeServer(QuicServerRun& server, ExchangeRun& run)
      : server_(server), run_(run), response_(kResponseBytes) {}

  void OnConnected(ConnectionRef connection) override {
    if (!run_.has_begun()) {
      first_ = connection;
      const auto info = connection.Info();
      run_.Begin(info.ok() ? info->cipher_suite : "");
    } else if (run_.kind() == ExchangeKind::kHandshake) {
      run_.CountOne();
      // The side that knows that both have completed it.
      static_cast<void>(connection.Close(0, ""));
    }
  }

  void OnClosed(ConnectionRef connection, const CloseReason& reason) override {
    const bool is_first = connection == first_;
    const CloseReason::Cause expected =
        is_first ? CloseReason::Cause::kPeerApplication : CloseReason::Cause::kApplication;
    if (reason.cause != expected) {
      return Fail("a connection was closed: " + std::string(ToString(reason.cause)) + " " +
                  reason.reason);
    }
    if (!is_first) return;
    run_.End();
    server_.TellOver();
  }

  void OnStreamOpened(ConnectionRef connection, StreamId stream) override {
    if (connection != first_) return Fail("a request came on another connection");
    streams_.Add(stream);
  }
  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    Advance(connection, stream);
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    Advance(connection, stream);
  }
  void OnStreamWritable(ConnectionRef connection, StreamId stream) override {
    Advance(connection, stream);
  }

 private:
  struct Exchange {
    uint64_t received = 0;
    uint64_t sent = 0;
    bool is_request_there = false;
  };

  void Advance(ConnectionRef& connection, StreamId stream) {
    Exchange* const found = streams_.Find(stream);
    if (found == nullptr || connection != first_) return;
    Exchange& exchange = *found;
    if (!exchange.is_request_there) {
      const DrainedBytes drained = DrainStream(connection, stream);
      exchange.received += drained.bytes;
      if (!drained.is_end) return;
      if (exchange.received != kRequestBytes) return Fail("a request has another length");
      exchange.is_request_there = true;
      run_.CountOne();
    }
    const auto written = connection.Write(stream, std::span(response_).subspan(exchange.sent));
    if (!written.ok()) return Fail(std::string(written.status().message()));
    exchange.sent += *written;
    if (exchange.sent < response_.size()) return;  // OnStreamWritable() follows.
    if (!connection.Finish(stream).ok()) return Fail("a response cannot be finished");
    streams_.Remove(stream);
  }

  void Fail(std::string failure) {
    run_.Fail(std::move(failure));
    server_.TellOver();
  }

  QuicServerRun& server_;
  ExchangeRun& run_;
  const std::vector<uint8_t> response_;
  ConnectionRef first_;
  ByStreamIndex<Exchange> streams_;  // Of the first connection: a client has its requests there.
};

}  // namespace

absl::Status RunQuicExchangeServer(const TransferOptions& options, ExchangeKind kind) {
  const auto certificate = NewSelfSigned(options.certificate);
  if (!certificate.ok()) return certificate.status();
  ServerConfig config = QuicServerRun::ConfigFor(options, *certificate);
  config.tls.application_protocols = {kExchangeProtocol};
  while (true) {
    ExchangeRun run(options, kind);
    const auto server = QuicServerRun::Create(config, [&](Loop&, QuicServerRun& of) {
      return std::make_unique<ExchangeServer>(of, run);
    });
    // What is wrong here would be wrong again.
    if (!server.ok()) return server.status();
    config.socket.local = (*server)->local_address();
    (*server)->Run();
    const absl::Status status = WriteReport(run, options.json_path);
    if (options.once) return status;
    if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  }
}

}  // namespace godwit
