// SPDX-License-Identifier: Apache-2.0
#include "bench/quic_session.h"

#include <array>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"

namespace godwit {
namespace {

// Pieces of the pattern live as long as the program, so they need not be copied.
constexpr size_t kMinBytesNotCopied = size_t{16} << 10;

absl::StatusOr<uint64_t> Offer(ConnectionRef& connection, StreamId stream,
                               std::span<const uint8_t> bytes) {
  if (bytes.size() < kMinBytesNotCopied) return connection.Write(stream, bytes);
  const absl::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return connection.Write(stream, absl::MakeCordFromExternal(view, [](absl::string_view) {}));
}

}  // namespace

QuicSession::QuicSession(const TransferOptions& options) : options_(options) {
  report_.role = options.role;
  report_.protocol = "quic";
}

void QuicSession::Attach(Loop* loop, std::function<void()> on_over,
                         std::function<UdpSocketStats()> socket_stats) {
  loop_ = loop;
  on_over_ = std::move(on_over);
  socket_stats_ = std::move(socket_stats);
}

// ---- Events ----

void QuicSession::OnConnected(ConnectionRef connection) {
  connected_.push_back({.connection = connection});
  if (options_.role == TransferRole::kClient) OpenStreams();
}

void QuicSession::OnStreamsAvailable(ConnectionRef, StreamDirection) {
  if (options_.role == TransferRole::kClient) OpenStreams();
}

void QuicSession::OnClosed(ConnectionRef connection, const CloseReason& reason) {
  if (flow_count_ != 0 && finished_count_ < flow_count_) {
    return Fail("a connection was closed: " + std::string(ToString(reason.cause)) + " " +
                reason.reason);
  }
  if (flow_count_ == 0 && options_.role == TransferRole::kClient) {
    Fail("no connection: " + std::string(ToString(reason.cause)) + " " + reason.reason);
  }
  flows_.erase(flows_.lower_bound(QuicStreamKey::FirstOf(connection)),
               flows_.upper_bound(QuicStreamKey::LastOf(connection)));
}

void QuicSession::OnStreamOpened(ConnectionRef connection, StreamId stream) {
  flows_[QuicStreamKey::Of(connection, stream)] = std::make_unique<TransferFlow>(pattern_);
}

void QuicSession::OnStreamReadable(ConnectionRef connection, StreamId stream) {
  Advance(connection, stream);
}
void QuicSession::OnStreamFinished(ConnectionRef connection, StreamId stream) {
  Advance(connection, stream);
}
void QuicSession::OnStreamWritable(ConnectionRef connection, StreamId stream) {
  Advance(connection, stream);
}
void QuicSession::OnStreamReset(ConnectionRef, StreamId, uint64_t) { Fail("a stream was reset"); }
void QuicSession::OnStreamStopped(ConnectionRef, StreamId, uint64_t) {
  Fail("a stream was stopped");
}

// ---- Flows ----

void QuicSession::OpenStreams() {
  if (connected_.size() < options_.connections) return;
  for (Connected& each : connected_) {
    while (each.opened < options_.streams) {
      const auto stream = each.connection.OpenStream(StreamDirection::kBidirectional);
      if (!stream.ok()) break;  // OnStreamsAvailable() follows.
      const TransferRequest request = TransferRequest::For(options_, opened_++);
      if (flow_count_ == 0) Begin(each.connection, request);
      flows_[QuicStreamKey::Of(each.connection, *stream)] =
          std::make_unique<TransferFlow>(pattern_, request, loop_->now());
      ++each.opened;
      Advance(each.connection, *stream);
    }
  }
}

void QuicSession::Advance(ConnectionRef& connection, StreamId stream) {
  const auto found = flows_.find(QuicStreamKey::Of(connection, stream));
  if (found == flows_.end()) return;
  TransferFlow& flow = *found->second;
  const bool is_end = ReadAll(connection, stream, flow);
  if (flow_count_ == 0 && flow.request().has_value()) Begin(connection, *flow.request());
  if (is_end) flow.OnPeerEnded();
  WriteAll(connection, stream, flow);
  if (flow.state() == TransferFlow::State::kFailed) return Fail(flow.failure());
  if (flow.state() != TransferFlow::State::kDone) return;
  Add(flow);
  flows_.erase(found);
}

bool QuicSession::ReadAll(ConnectionRef& connection, StreamId stream, TransferFlow& flow) {
  std::array<std::span<const uint8_t>, 64> views;
  while (true) {
    const auto state = connection.ReadState(stream);
    if (!state.ok()) return false;
    const auto count = connection.Peek(stream, views);
    if (!count.ok() || *count == 0) return state->is_finished;
    uint64_t bytes = 0;
    for (size_t i = 0; i < *count; ++i) {
      flow.OnReceived(views[i], loop_->now());
      bytes += views[i].size();
    }
    const bool is_end = state->has_all_data && bytes == state->readable_bytes;
    if (!connection.Consume(stream, bytes).ok() || is_end) return is_end;
  }
}

void QuicSession::WriteAll(ConnectionRef& connection, StreamId stream, TransferFlow& flow) {
  while (true) {
    const std::span<const uint8_t> bytes = flow.PendingBytes(loop_->now());
    if (bytes.empty()) break;
    const auto written = Offer(connection, stream, bytes);
    if (!written.ok()) return Fail(std::string(written.status().message()));
    flow.OnSent(*written);
    if (*written < bytes.size()) break;  // OnStreamWritable() follows.
  }
  if (flow.wants_to_end() && connection.Finish(stream).ok()) flow.OnEndSent();
}

// ---- The measurement ----

void QuicSession::Begin(const ConnectionRef& connection, const TransferRequest& request) {
  flow_count_ = request.flow_count;
  report_.direction = request.direction;
  report_.connections = request.connection_count;
  report_.streams = request.flow_count;
  const auto info = connection.Info();
  if (info.ok()) report_.cipher = info->cipher_suite;
  const auto stats = connection.Stats();
  if (stats.ok()) report_.congestion = std::string(stats->congestion_controller);
  began_at_ = loop_->now();
  cpu_before_ = CpuTime::Now();
  socket_before_ = socket_stats_();
}

void QuicSession::Add(const TransferFlow& flow) {
  report_.bytes_sent += flow.bytes_sent();
  report_.bytes_received += flow.bytes_received();
  if (++finished_count_ < flow_count_) return;
  report_.elapsed = loop_->now() - began_at_;
  report_.cpu = CpuTime::Now() - cpu_before_;
  const UdpSocketStats socket = socket_stats_();
  report_.packets_sent = socket.datagrams_sent - socket_before_.datagrams_sent;
  report_.packets_received = socket.datagrams_received - socket_before_.datagrams_received;
  report_.send_calls = socket.send_calls - socket_before_.send_calls;
  report_.receive_calls = socket.receive_calls - socket_before_.receive_calls;
  report_.trains_sent = socket.trains_sent - socket_before_.trains_sent;
  report_.train_packets_sent = socket.train_datagrams_sent - socket_before_.train_datagrams_sent;
  AddConnectionStats();
  on_over_();
}

void QuicSession::AddConnectionStats() {
  report_.packets_lost = 0;
  for (const Connected& each : connected_) {
    // A client closes none before all flows have finished.
    const auto stats = each.connection.Stats();
    if (stats.ok()) *report_.packets_lost += stats->packets_lost;
  }
}

void QuicSession::Fail(std::string failure) {
  if (!failure_.empty()) return;
  failure_ = std::move(failure);
  on_over_();
}

}  // namespace godwit
