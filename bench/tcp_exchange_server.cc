// SPDX-License-Identifier: Apache-2.0
#include "bench/tcp_exchange_server.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/emulator/file_descriptor.h"
#include "bench/exchange_run.h"
#include "bench/tcp_listener.h"
#include "bench/tcp_message_flow.h"
#include "bench/tcp_poller.h"
#include "bench/tcp_socket.h"
#include "bench/tcp_stream_factory.h"

namespace godwit {
namespace {

class ExchangeServer final : public TcpMessageFlow::Handler {
 public:
  ExchangeServer(const TransferOptions& options, ExchangeKind kind)
      : run_(options, kind), response_(kResponseBytes) {}

  void OnReady(TcpMessageFlow& flow) override {
    if (!run_.has_begun()) {
      run_.Begin(flow.cipher());
      first_ = &flow;
    } else if (run_.kind() == ExchangeKind::kHandshake) {
      run_.CountOne();
    }
  }

  void OnMessage(TcpMessageFlow& flow, size_t bytes) override {
    if (bytes != kRequestBytes) return run_.Fail("a request has another length");
    run_.CountOne();
    flow.Send(response_);
  }

  // Before it is destroyed.
  void OnFinished(const TcpMessageFlow& flow) {
    if (!flow.failure().empty()) run_.Fail(flow.failure());
    if (&flow == first_) run_.End();
  }

  const ExchangeRun& run() const { return run_; }

 private:
  ExchangeRun run_;
  const std::vector<uint8_t> response_;
  const TcpMessageFlow* first_ = nullptr;
};

// Until the client is done.
absl::Status ServeOne(const TransferOptions& options, ExchangeKind kind,
                      const TcpStreamFactory& streams, int listener) {
  ExchangeServer server(options, kind);
  TcpPoller<TcpMessageFlow> poller(listener);
  while (!server.run().is_over()) {
    if (poller.RunOnce()) {
      while (std::optional<FileDescriptor> socket = AcceptTcp(listener)) {
        poller.Add(std::make_unique<TcpMessageFlow>(streams.NewStream(*std::move(socket)),
                                                    TransferRole::kServer, &server));
      }
    }
    poller.RemoveFinished([&](const TcpMessageFlow& flow) { server.OnFinished(flow); });
  }
  return WriteReport(server.run(), options.json_path);
}

}  // namespace

absl::Status RunTcpExchangeServer(const TransferOptions& options, ExchangeKind kind) {
  const absl::StatusOr<TcpStreamFactory> streams = TcpStreamFactory::Create(options);
  if (!streams.ok()) return streams.status();
  const absl::StatusOr<FileDescriptor> listener = ListenAndAnnounce(options);
  if (!listener.ok()) return listener.status();
  while (true) {
    const absl::Status status = ServeOne(options, kind, *streams, listener->get());
    if (options.once) return status;
    if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  }
}

}  // namespace godwit
