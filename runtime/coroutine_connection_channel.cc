// SPDX-License-Identifier: Apache-2.0
#include "runtime/coroutine_connection_channel.h"

#include "runtime/close_status.h"
#include "runtime/stream_ends.h"

namespace godwit {

CoroutineConnectionChannel::CoroutineConnectionChannel(
    ConnectionRef connection, std::shared_ptr<CoroutineScheduler> scheduler)
    : connection_(std::move(connection)),
      scheduler_(std::move(scheduler)),
      perspective_(connection_.Info().value_or(ConnectionInfo()).perspective) {}

absl::Status CoroutineConnectionChannel::WhyRefused(const absl::Status& refusal) const {
  if (const auto reason = connection_.close_reason()) return ToStatus(*reason);
  return refusal;
}

// ---- Streams ----

absl::StatusOr<CoroutineConnectionChannel::Stream> CoroutineConnectionChannel::OpenStream(
    StreamDirection direction) {
  if (!end_.ok()) return end_;
  const absl::StatusOr<StreamId> id = connection_.OpenStream(direction);
  if (id.ok()) return AddStream(*id);
  if (absl::IsResourceExhausted(id.status())) return nullptr;
  return WhyRefused(id.status());
}

absl::StatusOr<CoroutineConnectionChannel::Stream> CoroutineConnectionChannel::AcceptStream() {
  if (unaccepted_.empty()) {
    if (!end_.ok()) return end_;
    return nullptr;
  }
  Stream stream = std::move(unaccepted_.front());
  unaccepted_.pop_front();
  return stream;
}

CoroutineConnectionChannel::Stream CoroutineConnectionChannel::AddStream(StreamId id) {
  const auto stream =
      std::make_shared<CoroutineStreamChannel>(connection_, id, StreamSides::Of(id, perspective_),
                                               scheduler_, [this, id] { RemoveStream(id); });
  streams_[id.value()] = stream;
  return stream;
}

void CoroutineConnectionChannel::RemoveStream(StreamId id) {
  const Stream stream = FindStream(id);
  streams_.erase(id.value());
  has_finished_ = has_finished_ || stream->is_finished();
  // Given up by the peer before anybody has accepted it. What were kept here would have no bound:
  // for the engine such a stream has made room for another.
  std::erase(unaccepted_, stream);
  CloseIfAbandoned();
}

void CoroutineConnectionChannel::OnStreamOpened(StreamId id) {
  const Stream stream = AddStream(id);
  // Nobody will accept it.
  if (is_abandoned_) return stream->Abandon();
  unaccepted_.push_back(stream);
  scheduler_->Wake(acceptable_);
}

CoroutineConnectionChannel::Stream CoroutineConnectionChannel::FindStream(StreamId id) const {
  const auto found = streams_.find(id.value());
  return found != streams_.end() ? found->second : nullptr;
}

// ---- Datagrams ----

absl::Status CoroutineConnectionChannel::SendDatagram(std::span<const uint8_t> payload) {
  if (!end_.ok()) return end_;
  const absl::StatusOr<uint64_t> sent = connection_.SendDatagram(payload);
  return sent.ok() ? absl::OkStatus() : WhyRefused(sent.status());
}

absl::StatusOr<std::optional<std::vector<uint8_t>>> CoroutineConnectionChannel::ReceiveDatagram() {
  if (!end_.ok()) return end_;
  const std::optional<std::span<const uint8_t>> datagram = connection_.PeekDatagram();
  if (!datagram.has_value()) return std::nullopt;
  std::vector<uint8_t> copy(datagram->begin(), datagram->end());
  connection_.PopDatagram();
  return copy;
}

// ---- The end ----

absl::Status CoroutineConnectionChannel::Close(uint64_t error_code, std::string_view reason) {
  if (!end_.ok()) return absl::OkStatus();
  return connection_.Close(error_code, reason);
}

std::optional<CloseReason> CoroutineConnectionChannel::close_reason() const {
  return close_reason_.has_value() ? close_reason_ : connection_.close_reason();
}

void CoroutineConnectionChannel::Abandon() {
  if (!end_.ok()) return;
  is_abandoned_ = true;
  for (const Stream& stream : std::exchange(unaccepted_, {})) stream->Abandon();
  CloseIfAbandoned();
}

// With the end of the last stream the peer has received all that it will get.
void CoroutineConnectionChannel::CloseIfAbandoned() {
  if (!is_abandoned_ || !streams_.empty() || scheduler_->has_ended()) return;
  if (std::exchange(is_ending_, true)) return;
  if (!has_finished_) {
    static_cast<void>(Close(0, ""));
    return;
  }
  Loop& loop = scheduler_->loop();
  loop.CallAt(loop.now() + kLinger, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) static_cast<void>(self->Close(0, ""));
  });
}

void CoroutineConnectionChannel::End(const CloseReason& reason) {
  EndWith(ToStatus(reason), reason);
}

void CoroutineConnectionChannel::EndWithLoop() {
  EndWith(absl::CancelledError("its client or server has ended"), std::nullopt);
}

void CoroutineConnectionChannel::EndWith(const absl::Status& reason,
                                         std::optional<CloseReason> close_reason) {
  connection_ = {};
  end_ = reason;
  close_reason_ = std::move(close_reason);
  for (CoroutineWaitList& list : openable_) scheduler_->Wake(list);
  scheduler_->Wake(acceptable_);
  scheduler_->Wake(receivable_);
  for (const auto& [id, stream] : std::exchange(streams_, {})) stream->End(reason);
}

}  // namespace godwit
