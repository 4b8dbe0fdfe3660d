// SPDX-License-Identifier: Apache-2.0
#include "runtime/blocking_connection_channel.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "runtime/close_status.h"
#include "runtime/stream_ends.h"

namespace godwit {
namespace {

constexpr uint64_t kMaxErrorCode = (uint64_t{1} << 62) - 1;

absl::Status OpenedTooLate() {
  return absl::DeadlineExceededError("the peer did not allow another stream in time");
}

}  // namespace

BlockingConnectionChannel::BlockingConnectionChannel(ConnectionRef connection,
                                                     std::shared_ptr<BlockingDoor> door)
    : door_(std::move(door)),
      info_(connection.Info().value_or(ConnectionInfo())),
      connection_(std::move(connection)),
      max_datagram_payload_bytes_(connection_.max_datagram_payload_bytes()) {}

// ---- Streams ----

absl::StatusOr<BlockingConnectionChannel::Stream> BlockingConnectionChannel::OpenStream(
    StreamDirection direction, const BlockingDeadline& deadline) {
  const auto call = std::make_shared<OpenCall>();
  door_->Post([self = shared_from_this(), direction, call] { self->QueueOpen(direction, call); });
  std::unique_lock lock(mutex_);
  deadline.Wait(opened_, lock, [&] { return call->result.has_value() || !end_.ok(); });
  if (call->result.has_value()) return *std::move(call->result);
  call->is_given_up = true;
  return end_.ok() ? OpenedTooLate() : end_;
}

void BlockingConnectionChannel::QueueOpen(StreamDirection direction,
                                          std::shared_ptr<OpenCall> call) {
  if (!is_attached_) return;
  open_calls_[static_cast<size_t>(direction)].push_back(std::move(call));
  OnStreamsAvailable(direction);
}

void BlockingConnectionChannel::OnStreamsAvailable(StreamDirection direction) {
  if (!is_attached_) return;
  std::deque<std::shared_ptr<OpenCall>>& calls = open_calls_[static_cast<size_t>(direction)];
  const std::lock_guard lock(mutex_);
  while (!calls.empty()) {
    OpenCall& call = *calls.front();
    if (!call.is_given_up) {
      const absl::StatusOr<StreamId> id = connection_.OpenStream(direction);
      if (absl::IsResourceExhausted(id.status())) return;  // The event comes when there is one.
      if (id.ok()) {
        call.result = AddStream(*id);
      } else {
        call.result = absl::CancelledError("the connection is being closed");
      }
    }
    calls.pop_front();
    opened_.notify_all();
  }
}

BlockingConnectionChannel::Stream BlockingConnectionChannel::AddStream(StreamId id) {
  const auto stream =
      std::make_shared<BlockingStreamChannel>(id, StreamSides::Of(id, info_.perspective), door_);
  stream->Attach(connection_, [this, id] { RemoveStream(id); });
  streams_[id.value()] = stream;
  return stream;
}

void BlockingConnectionChannel::RemoveStream(StreamId id) {
  const Stream stream = FindStream(id);
  streams_.erase(id.value());
  {
    // Given up by the peer before anybody has accepted it. What were kept here would have no bound:
    // for the engine such a stream has made room for another.
    const std::lock_guard lock(mutex_);
    std::erase(unaccepted_, stream);
  }
  CloseIfAbandoned();
}

absl::StatusOr<BlockingConnectionChannel::Stream> BlockingConnectionChannel::AcceptStream(
    const BlockingDeadline& deadline) {
  std::unique_lock lock(mutex_);
  deadline.Wait(accepted_, lock, [this] { return !unaccepted_.empty() || !end_.ok(); });
  // Also after the end: what has come with them can be read.
  if (!unaccepted_.empty()) {
    Stream stream = std::move(unaccepted_.front());
    unaccepted_.pop_front();
    lock.unlock();
    door_->Post([stream] { stream->ReadAhead(); });
    return stream;
  }
  if (!end_.ok()) return end_;
  return absl::DeadlineExceededError("the peer did not open a stream in time");
}

void BlockingConnectionChannel::OnStreamOpened(StreamId id) {
  if (!is_attached_) return;
  const Stream stream = AddStream(id);
  stream->HoldReading();
  // Nobody will accept it.
  if (is_abandoned_) return stream->Abandon();
  const std::lock_guard lock(mutex_);
  unaccepted_.push_back(stream);
  accepted_.notify_one();
}

BlockingConnectionChannel::Stream BlockingConnectionChannel::FindStream(StreamId id) const {
  const auto found = streams_.find(id.value());
  return found != streams_.end() ? found->second : nullptr;
}

// ---- Datagrams ----

absl::Status BlockingConnectionChannel::SendDatagram(std::span<const uint8_t> payload) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (!end_.ok()) return end_;
    if (max_datagram_payload_bytes_ == 0) {
      return absl::FailedPreconditionError("the peer takes no datagrams");
    }
    if (payload.size() > max_datagram_payload_bytes_) {
      return absl::InvalidArgumentError(absl::StrCat(
          "payload has ", payload.size(), " bytes; allowed: 0 to ", max_datagram_payload_bytes_));
    }
    const size_t bytes = payload.size() + kDatagramOverheadBytes;
    if (unsent_datagram_bytes_ + bytes > kDatagramQueueBytes) {
      return absl::ResourceExhaustedError("too many datagrams wait to be sent; send it later");
    }
    was_empty = unsent_datagrams_.empty();
    unsent_datagrams_.emplace_back(payload.begin(), payload.end());
    unsent_datagram_bytes_ += bytes;
  }
  // Who has found others waiting leaves it to who posted the first of them.
  if (was_empty) door_->Post([self = shared_from_this()] { self->SendQueuedDatagrams(); });
  return absl::OkStatus();
}

void BlockingConnectionChannel::SendQueuedDatagrams() {
  std::vector<std::vector<uint8_t>> datagrams;
  {
    const std::lock_guard lock(mutex_);
    datagrams.swap(unsent_datagrams_);
    unsent_datagram_bytes_ = 0;
  }
  for (const std::vector<uint8_t>& datagram : datagrams) {
    const absl::StatusOr<uint64_t> sent = connection_.SendDatagram(datagram);
    static_cast<void>(sent);  // One that the path or the queue has no room for now is lost.
  }
}

uint64_t BlockingConnectionChannel::max_datagram_payload_bytes() const {
  const std::lock_guard lock(mutex_);
  return max_datagram_payload_bytes_;
}

void BlockingConnectionChannel::OnMaxDatagramPayloadChanged() {
  const std::lock_guard lock(mutex_);
  max_datagram_payload_bytes_ = connection_.max_datagram_payload_bytes();
}

absl::StatusOr<std::vector<uint8_t>> BlockingConnectionChannel::ReceiveDatagram(
    const BlockingDeadline& deadline) {
  std::vector<uint8_t> datagram;
  {
    std::unique_lock lock(mutex_);
    deadline.Wait(received_, lock, [this] { return !received_datagrams_.empty() || !end_.ok(); });
    if (received_datagrams_.empty()) {
      if (!end_.ok()) return end_;
      return absl::DeadlineExceededError("no datagram came in time");
    }
    datagram = std::move(received_datagrams_.front());
    received_datagrams_.pop_front();
    received_datagram_bytes_ -= datagram.size() + kDatagramOverheadBytes;
    if (!std::exchange(is_inbox_full_, false)) return datagram;
  }
  door_->Post([self = shared_from_this()] { self->OnDatagram(); });
  return datagram;
}

void BlockingConnectionChannel::OnDatagram() {
  if (!is_attached_) return;
  const std::lock_guard lock(mutex_);
  while (const auto datagram = connection_.PeekDatagram()) {
    const size_t bytes = datagram->size() + kDatagramOverheadBytes;
    // What does not fit waits in the engine, which drops by its configuration's rule.
    is_inbox_full_ = received_datagram_bytes_ + bytes > kDatagramQueueBytes;
    if (is_inbox_full_) return;
    received_datagrams_.emplace_back(datagram->begin(), datagram->end());
    received_datagram_bytes_ += bytes;
    received_.notify_one();
    connection_.PopDatagram();
  }
}

// ---- The end ----

absl::Status BlockingConnectionChannel::Close(uint64_t error_code, std::string_view reason) {
  if (error_code > kMaxErrorCode) {
    return absl::InvalidArgumentError(
        absl::StrCat("error_code is ", error_code, "; allowed: 0 to ", kMaxErrorCode));
  }
  door_->Post([self = shared_from_this(), error_code, reason = std::string(reason)] {
    self->CloseNow(error_code, reason);
  });
  return absl::OkStatus();
}

void BlockingConnectionChannel::CloseNow(uint64_t error_code, std::string_view reason) {
  if (!is_attached_) return;
  const absl::Status closed = connection_.Close(error_code, reason);
  static_cast<void>(closed);  // The code is a valid one.
}

std::optional<CloseReason> BlockingConnectionChannel::close_reason() const {
  const std::lock_guard lock(mutex_);
  return close_reason_;
}

bool BlockingConnectionChannel::has_ended() const {
  const std::lock_guard lock(mutex_);
  return !end_.ok();
}

void BlockingConnectionChannel::Abandon() {
  door_->Post([self = shared_from_this()] { self->AbandonNow(); });
}

void BlockingConnectionChannel::AbandonNow() {
  if (!is_attached_) return;
  is_abandoned_ = true;
  std::deque<Stream> unaccepted;
  {
    const std::lock_guard lock(mutex_);
    unaccepted.swap(unaccepted_);
  }
  for (const Stream& stream : unaccepted) stream->Abandon();
  CloseIfAbandoned();
}

// With the end of the last stream the peer has received all that it will get.
void BlockingConnectionChannel::CloseIfAbandoned() {
  if (!is_abandoned_ || !streams_.empty() || std::exchange(is_lingering_, true)) return;
  door_->PostLater(kLinger, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->CloseNow(0, "");
  });
}

void BlockingConnectionChannel::End(const CloseReason& reason) {
  EndWith(ToStatus(reason), reason);
}

void BlockingConnectionChannel::EndWithLoop() {
  EndWith(absl::CancelledError("its client or listener has ended"), std::nullopt);
}

void BlockingConnectionChannel::EndWith(const absl::Status& reason,
                                        std::optional<CloseReason> close_reason) {
  if (!std::exchange(is_attached_, false)) return;
  connection_ = {};
  {
    const std::lock_guard lock(mutex_);
    end_ = reason;
    close_reason_ = std::move(close_reason);
    max_datagram_payload_bytes_ = 0;
    opened_.notify_all();
    accepted_.notify_all();
    received_.notify_all();
  }
  for (auto& calls : open_calls_) calls.clear();
  for (const auto& [id, stream] : std::exchange(streams_, {})) stream->End(reason);
}

}  // namespace godwit
