// SPDX-License-Identifier: Apache-2.0
//
// CoroutineConnection and CoroutineStream. Every call that waits is a coroutine with a grip of its
// own, and a loop: ask the channel, else wait for what may change its answer.
#include "godwit/coroutine.h"
#include "runtime/coroutine_connection_channel.h"
#include "runtime/coroutine_scheduler.h"
#include "runtime/coroutine_stream_channel.h"

namespace godwit {
namespace {

using ConnectionGrip = std::shared_ptr<const CoroutineConnectionGrip>;
using StreamGrip = std::shared_ptr<const CoroutineStreamGrip>;

absl::Status NamesNoStream() { return absl::NotFoundError("the handle names no stream"); }

absl::Status NamesNoConnection() { return absl::NotFoundError("the handle names no connection"); }

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// One side of a stream, for one task at a time, also if that is destroyed.
class SideLock {
 public:
  explicit SideLock(bool& is_taken) : is_taken_(is_taken), is_mine_(!is_taken) { is_taken_ = true; }
  ~SideLock() {
    if (is_mine_) is_taken_ = false;
  }
  SideLock(const SideLock&) = delete;
  SideLock& operator=(const SideLock&) = delete;

  bool is_mine() const { return is_mine_; }

 private:
  bool& is_taken_;
  const bool is_mine_;
};

Task<absl::StatusOr<size_t>> ReadFrom(StreamGrip grip, std::span<uint8_t> into) {
  if (grip == nullptr) co_return NamesNoStream();
  CoroutineStreamChannel& channel = *grip->channel;
  const SideLock lock(channel.has_reader());
  if (!lock.is_mine()) {
    co_return absl::FailedPreconditionError("another task reads from the stream");
  }
  for (;;) {
    const absl::StatusOr<std::optional<size_t>> read = channel.Read(into);
    if (!read.ok()) co_return read.status();
    if (read->has_value()) co_return **read;
    co_await CoroutineWait(channel.readable());
  }
}

void RemoveFront(std::span<const uint8_t>& data, uint64_t byte_count) {
  data = data.subspan(byte_count);
}

void RemoveFront(absl::Cord& data, uint64_t byte_count) { data.RemovePrefix(byte_count); }

// A span or a Cord.
template <typename Data>
Task<absl::Status> WriteTo(StreamGrip grip, Data data, uint64_t* written_bytes) {
  if (written_bytes != nullptr) *written_bytes = 0;
  if (grip == nullptr) co_return NamesNoStream();
  CoroutineStreamChannel& channel = *grip->channel;
  const SideLock lock(channel.has_writer());
  if (!lock.is_mine()) {
    co_return absl::FailedPreconditionError("another task writes to the stream");
  }
  for (;;) {
    const absl::StatusOr<uint64_t> written = channel.Write(data);
    if (!written.ok()) co_return written.status();
    if (written_bytes != nullptr) *written_bytes += *written;
    RemoveFront(data, *written);
    if (data.empty()) co_return absl::OkStatus();
    co_await CoroutineWait(channel.writable());
  }
}

Task<absl::Status> WaitUntilDeliveredOf(StreamGrip grip) {
  if (grip == nullptr) co_return NamesNoStream();
  CoroutineStreamChannel& channel = *grip->channel;
  for (;;) {
    const absl::StatusOr<bool> is_delivered = channel.IsDelivered();
    if (!is_delivered.ok()) co_return is_delivered.status();
    if (*is_delivered) co_return absl::OkStatus();
    co_await CoroutineWait(channel.writable());
  }
}

CoroutineStream HandleOf(CoroutineConnectionChannel::Stream stream, const ConnectionGrip& grip) {
  return CoroutineStream(std::make_shared<CoroutineStreamGrip>(std::move(stream), grip));
}

Task<absl::StatusOr<CoroutineStream>> OpenStreamOf(ConnectionGrip grip, StreamDirection direction) {
  if (grip == nullptr) co_return NamesNoConnection();
  CoroutineConnectionChannel& channel = *grip->channel;
  for (;;) {
    const absl::StatusOr<CoroutineConnectionChannel::Stream> stream = channel.OpenStream(direction);
    if (!stream.ok()) co_return stream.status();
    if (*stream != nullptr) co_return HandleOf(*stream, grip);
    co_await CoroutineWait(channel.openable(direction));
  }
}

Task<absl::StatusOr<CoroutineStream>> AcceptStreamOf(ConnectionGrip grip) {
  if (grip == nullptr) co_return NamesNoConnection();
  CoroutineConnectionChannel& channel = *grip->channel;
  for (;;) {
    const absl::StatusOr<CoroutineConnectionChannel::Stream> stream = channel.AcceptStream();
    if (!stream.ok()) co_return stream.status();
    if (*stream != nullptr) co_return HandleOf(*stream, grip);
    co_await CoroutineWait(channel.acceptable());
  }
}

Task<absl::StatusOr<std::vector<uint8_t>>> ReceiveDatagramOf(ConnectionGrip grip) {
  if (grip == nullptr) co_return NamesNoConnection();
  CoroutineConnectionChannel& channel = *grip->channel;
  for (;;) {
    absl::StatusOr<std::optional<std::vector<uint8_t>>> datagram = channel.ReceiveDatagram();
    if (!datagram.ok()) co_return datagram.status();
    if (datagram->has_value()) co_return **std::move(datagram);
    co_await CoroutineWait(channel.receivable());
  }
}

}  // namespace

// ---- CoroutineStream ----

std::optional<StreamId> CoroutineStream::id() const {
  if (grip_ == nullptr) return std::nullopt;
  return grip_->channel->id();
}

Task<absl::StatusOr<size_t>> CoroutineStream::Read(std::span<uint8_t> into) const {
  return ReadFrom(grip_, into);
}

Task<absl::Status> CoroutineStream::Write(std::span<const uint8_t> data,
                                          uint64_t* written_bytes) const {
  return WriteTo(grip_, data, written_bytes);
}

Task<absl::Status> CoroutineStream::Write(std::string_view data, uint64_t* written_bytes) const {
  return WriteTo(grip_, BytesOf(data), written_bytes);
}

Task<absl::Status> CoroutineStream::Write(absl::Cord data, uint64_t* written_bytes) const {
  return WriteTo(grip_, std::move(data), written_bytes);
}

absl::Status CoroutineStream::Finish() const {
  return grip_ == nullptr ? NamesNoStream() : grip_->channel->Finish();
}

Task<absl::Status> CoroutineStream::WaitUntilDelivered() const {
  return WaitUntilDeliveredOf(grip_);
}

absl::Status CoroutineStream::Reset(uint64_t error_code) const {
  return grip_ == nullptr ? NamesNoStream() : grip_->channel->Reset(error_code);
}

absl::Status CoroutineStream::StopSending(uint64_t error_code) const {
  return grip_ == nullptr ? NamesNoStream() : grip_->channel->StopSending(error_code);
}

std::optional<uint64_t> CoroutineStream::reset_code() const {
  if (grip_ == nullptr) return std::nullopt;
  return grip_->channel->reset_code();
}

std::optional<uint64_t> CoroutineStream::stopped_code() const {
  if (grip_ == nullptr) return std::nullopt;
  return grip_->channel->stopped_code();
}

// ---- CoroutineConnection ----

Task<absl::StatusOr<CoroutineStream>> CoroutineConnection::OpenStream(
    StreamDirection direction) const {
  return OpenStreamOf(grip_, direction);
}

Task<absl::StatusOr<CoroutineStream>> CoroutineConnection::AcceptStream() const {
  return AcceptStreamOf(grip_);
}

absl::Status CoroutineConnection::SendDatagram(std::span<const uint8_t> payload) const {
  return grip_ == nullptr ? NamesNoConnection() : grip_->channel->SendDatagram(payload);
}

absl::Status CoroutineConnection::SendDatagram(std::string_view payload) const {
  return SendDatagram(BytesOf(payload));
}

Task<absl::StatusOr<std::vector<uint8_t>>> CoroutineConnection::ReceiveDatagram() const {
  return ReceiveDatagramOf(grip_);
}

absl::Status CoroutineConnection::Close(uint64_t error_code, std::string_view reason) const {
  return grip_ == nullptr ? NamesNoConnection() : grip_->channel->Close(error_code, reason);
}

std::optional<CloseReason> CoroutineConnection::close_reason() const {
  if (grip_ == nullptr) return std::nullopt;
  return grip_->channel->close_reason();
}

ConnectionRef CoroutineConnection::ref() const {
  return grip_ == nullptr ? ConnectionRef() : grip_->channel->ref();
}

}  // namespace godwit
