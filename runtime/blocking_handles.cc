// SPDX-License-Identifier: Apache-2.0
//
// BlockingConnection and BlockingStream. Every call holds the grip while it waits: the handle it
// was made on may end meanwhile.
#include "godwit/blocking.h"
#include "runtime/blocking_deadline.h"
#include "runtime/blocking_grips.h"

namespace godwit {
namespace {

absl::Status NamesNoStream() { return absl::NotFoundError("the handle names no stream"); }

absl::Status NamesNoConnection() { return absl::NotFoundError("the handle names no connection"); }

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

// ---- BlockingStream ----

std::optional<StreamId> BlockingStream::id() const {
  if (grip_ == nullptr) return std::nullopt;
  return grip_->channel->id();
}

absl::StatusOr<size_t> BlockingStream::Read(std::span<uint8_t> into, Duration timeout) {
  const auto grip = grip_;
  if (grip == nullptr) return NamesNoStream();
  return grip->channel->Read(into, BlockingDeadline(timeout));
}

absl::Status BlockingStream::Write(std::span<const uint8_t> data, Duration timeout,
                                   size_t* written_bytes) {
  size_t written = 0;
  const auto grip = grip_;
  absl::Status status = grip == nullptr
                            ? NamesNoStream()
                            : grip->channel->Write(data, BlockingDeadline(timeout), &written);
  if (written_bytes != nullptr) *written_bytes = written;
  return status;
}

absl::Status BlockingStream::Write(std::string_view data, Duration timeout, size_t* written_bytes) {
  return Write(BytesOf(data), timeout, written_bytes);
}

absl::Status BlockingStream::Finish() {
  return grip_ == nullptr ? NamesNoStream() : grip_->channel->Finish();
}

absl::Status BlockingStream::WaitUntilDelivered(Duration timeout) {
  const auto grip = grip_;
  if (grip == nullptr) return NamesNoStream();
  return grip->channel->WaitUntilDelivered(BlockingDeadline(timeout));
}

absl::Status BlockingStream::Reset(uint64_t error_code) {
  return grip_ == nullptr ? NamesNoStream() : grip_->channel->Reset(error_code);
}

absl::Status BlockingStream::StopSending(uint64_t error_code) {
  return grip_ == nullptr ? NamesNoStream() : grip_->channel->StopSending(error_code);
}

std::optional<uint64_t> BlockingStream::reset_code() const {
  if (grip_ == nullptr) return std::nullopt;
  return grip_->channel->reset_code();
}

std::optional<uint64_t> BlockingStream::stopped_code() const {
  if (grip_ == nullptr) return std::nullopt;
  return grip_->channel->stopped_code();
}

// ---- BlockingConnection ----

absl::StatusOr<BlockingStream> BlockingConnection::OpenStream(StreamDirection direction,
                                                              Duration timeout) {
  const auto grip = grip_;
  if (grip == nullptr) return NamesNoConnection();
  auto stream = grip->channel->OpenStream(direction, BlockingDeadline(timeout));
  if (!stream.ok()) return stream.status();
  return BlockingStream(std::make_shared<BlockingStreamGrip>(*std::move(stream), grip));
}

absl::StatusOr<BlockingStream> BlockingConnection::AcceptStream(Duration timeout) {
  const auto grip = grip_;
  if (grip == nullptr) return NamesNoConnection();
  auto stream = grip->channel->AcceptStream(BlockingDeadline(timeout));
  if (!stream.ok()) return stream.status();
  return BlockingStream(std::make_shared<BlockingStreamGrip>(*std::move(stream), grip));
}

absl::Status BlockingConnection::SendDatagram(std::span<const uint8_t> payload) {
  return grip_ == nullptr ? NamesNoConnection() : grip_->channel->SendDatagram(payload);
}

absl::Status BlockingConnection::SendDatagram(std::string_view payload) {
  return SendDatagram(BytesOf(payload));
}

uint64_t BlockingConnection::max_datagram_payload_bytes() const {
  return grip_ == nullptr ? 0 : grip_->channel->max_datagram_payload_bytes();
}

absl::StatusOr<std::vector<uint8_t>> BlockingConnection::ReceiveDatagram(Duration timeout) {
  const auto grip = grip_;
  if (grip == nullptr) return NamesNoConnection();
  return grip->channel->ReceiveDatagram(BlockingDeadline(timeout));
}

absl::Status BlockingConnection::Close(uint64_t error_code, std::string_view reason) {
  return grip_ == nullptr ? NamesNoConnection() : grip_->channel->Close(error_code, reason);
}

std::optional<CloseReason> BlockingConnection::close_reason() const {
  if (grip_ == nullptr) return std::nullopt;
  return grip_->channel->close_reason();
}

ConnectionInfo BlockingConnection::info() const {
  return grip_ == nullptr ? ConnectionInfo() : grip_->channel->info();
}

}  // namespace godwit
