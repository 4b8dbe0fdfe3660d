// SPDX-License-Identifier: Apache-2.0
//
// Moves bytes over the kernel's TCP, plain or under TLS 1.3 (--tls), with the command line of
// transfer, to compare QUIC with. One thread a side. TCP has one stream a connection, so --streams
// multiplies the connections. See --help.

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/check.h"
#include "bench/byte_stream.h"
#include "bench/emulator/file_descriptor.h"
#include "bench/tcp_flow.h"
#include "bench/tcp_session.h"
#include "bench/tcp_socket.h"
#include "bench/tls_stream.h"
#include "bench/transfer_flow.h"
#include "bench/transfer_options.h"
#include "bench/transfer_pattern.h"
#include "bench/transfer_process.h"
#include "bench/transfer_report.h"
#include "godwit/socket_address.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

// The flows of this process and what each waits for.
class FlowPoller {
 public:
  explicit FlowPoller(int listener = -1) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    GODWIT_CHECK(epoll_.is_open());
    if (listener < 0) return;
    epoll_event event = {.events = EPOLLIN, .data = {.ptr = nullptr}};
    GODWIT_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener, &event) == 0);
  }

  void Add(std::unique_ptr<TcpFlow> flow) {
    entries_.push_back(std::make_unique<Entry>(Entry{std::move(flow), 0}));
    UpdateInterest(*entries_.back(), EPOLL_CTL_ADD);
  }

  // Waits, then advances the flows that are ready. True if a connection waits to be accepted.
  bool RunOnce() {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    GODWIT_CHECK(count >= 0 || errno == EINTR);
    bool is_listener_ready = false;
    for (int i = 0; i < count; ++i) {
      auto* const entry = static_cast<Entry*>(events[static_cast<size_t>(i)].data.ptr);
      if (entry == nullptr) {
        is_listener_ready = true;
        continue;
      }
      entry->flow->Advance(buffer_);
      UpdateInterest(*entry, EPOLL_CTL_MOD);
    }
    return is_listener_ready;
  }

  template <typename Visit>
  void ForEach(Visit visit) {
    for (const auto& entry : entries_) {
      visit(*entry->flow);
      UpdateInterest(*entry, EPOLL_CTL_MOD);
    }
  }

  // Hands each finished flow to `visit` and destroys it.
  template <typename Visit>
  void RemoveFinished(Visit visit) {
    std::erase_if(entries_, [&](const std::unique_ptr<Entry>& entry) {
      if (!entry->flow->is_finished()) return false;
      visit(*entry->flow);
      return true;
    });
  }

  bool is_empty() const { return entries_.empty(); }

 private:
  struct Entry {
    std::unique_ptr<TcpFlow> flow;
    uint32_t interest;
  };

  void UpdateInterest(Entry& entry, int operation) {
    const uint32_t interest = entry.flow->interest();
    if (operation == EPOLL_CTL_MOD && interest == entry.interest) return;
    entry.interest = interest;
    epoll_event event = {.events = interest, .data = {.ptr = &entry}};
    GODWIT_CHECK(epoll_ctl(epoll_.get(), operation, entry.flow->fd(), &event) == 0);
  }

  FileDescriptor epoll_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(ByteStream::kReadBufferBytes);
};

// Makes the flows, plain or under TLS.
class FlowFactory {
 public:
  static absl::StatusOr<FlowFactory> Create(const TransferOptions& options) {
    FlowFactory factory(options.role);
    if (!options.uses_tls) return factory;
    absl::StatusOr<TlsStreamContext> tls = TlsStreamContext::Create(options.role);
    if (!tls.ok()) return tls.status();
    factory.tls_ = std::make_unique<TlsStreamContext>(*std::move(tls));
    return factory;
  }

  std::unique_ptr<TcpFlow> NewFlow(FileDescriptor socket) const {
    auto stream = tls_ ? tls_->NewStream(std::move(socket)) : NewPlainStream(std::move(socket));
    return std::make_unique<TcpFlow>(std::move(stream), role_, *pattern_);
  }

 private:
  explicit FlowFactory(TransferRole role) : role_(role) {}

  TransferRole role_;
  std::unique_ptr<TransferPattern> pattern_ = std::make_unique<TransferPattern>();
  std::unique_ptr<TlsStreamContext> tls_;
};

absl::Status ReportSession(const TcpSession& session, const TransferOptions& options) {
  if (!session.failure().empty()) return absl::UnavailableError(session.failure());
  return WriteReport(session.report(), options.json_path);
}

absl::Status RunClient(const TransferOptions& options) {
  const absl::StatusOr<FlowFactory> factory = FlowFactory::Create(options);
  if (!factory.ok()) return factory.status();
  FlowPoller poller;
  const uint32_t flow_count = options.streams * options.connections;
  for (uint32_t i = 0; i < flow_count; ++i) {
    absl::StatusOr<FileDescriptor> socket = ConnectTcp(options.address, options.congestion);
    if (!socket.ok()) return socket.status();
    poller.Add(factory->NewFlow(*std::move(socket)));
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
  const absl::StatusOr<FlowFactory> factory = FlowFactory::Create(options);
  if (!factory.ok()) return factory.status();
  const absl::StatusOr<FileDescriptor> listener = ListenTcp(options.address, options.congestion);
  if (!listener.ok()) return listener.status();
  const absl::StatusOr<SocketAddress> address = WithKernelPort(listener->get(), options.address);
  if (!address.ok()) return address.status();
  AnnounceListening(*address);
  FlowPoller poller(listener->get());
  std::optional<TcpSession> session(options);
  while (true) {
    if (poller.RunOnce()) {
      while (std::optional<FileDescriptor> socket = AcceptTcp(listener->get())) {
        poller.Add(factory->NewFlow(*std::move(socket)));
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
