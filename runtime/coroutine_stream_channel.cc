// SPDX-License-Identifier: Apache-2.0
#include "runtime/coroutine_stream_channel.h"

#include <utility>

#include "runtime/close_status.h"

namespace godwit {

CoroutineStreamChannel::CoroutineStreamChannel(ConnectionRef connection, StreamId id,
                                               StreamSides sides,
                                               std::shared_ptr<CoroutineScheduler> scheduler,
                                               std::function<void()> on_done)
    : connection_(std::move(connection)),
      id_(id),
      scheduler_(std::move(scheduler)),
      on_done_(std::move(on_done)),
      ends_{.sides = sides},
      is_recv_done_(!sides.can_read),
      is_send_done_(!sides.can_write) {}

absl::Status CoroutineStreamChannel::WhyRefused(const absl::Status& refusal) const {
  if (const auto reason = connection_.close_reason()) return ToStatus(*reason);
  return refusal;
}

// ---- Reading ----

absl::StatusOr<std::optional<size_t>> CoroutineStreamChannel::Read(std::span<uint8_t> into) {
  if (into.empty()) {
    return absl::InvalidArgumentError("into has 0 bytes; allowed: 1 and more");
  }
  if (is_at_end_) return size_t{0};
  if (absl::Status status = ends_.WhyNotReadable(); !status.ok()) return status;
  const absl::StatusOr<StreamReadResult> read = connection_.Read(id_, into);
  if (!read.ok()) return WhyRefused(read.status());
  is_at_end_ = read->is_end;
  if (is_at_end_) EndSide(is_recv_done_);
  if (read->bytes == 0 && !is_at_end_) return std::nullopt;
  return read->bytes;
}

absl::Status CoroutineStreamChannel::StopSending(uint64_t error_code) {
  if (is_at_end_ || ends_.reset_code.has_value() || ends_.is_stopped_here) return absl::OkStatus();
  if (absl::Status status = ends_.WhyNotReadable(); !status.ok()) return status;
  absl::Status status = connection_.StopSending(id_, error_code);
  if (absl::IsInvalidArgument(status)) return status;
  ends_.is_stopped_here = true;
  scheduler_->Wake(readable_);
  EndSide(is_recv_done_);
  return absl::OkStatus();
}

void CoroutineStreamChannel::OnReset(uint64_t error_code) {
  if (is_recv_done_) return;
  ends_.reset_code = error_code;
  scheduler_->Wake(readable_);
  EndSide(is_recv_done_);
}

// ---- Writing ----

absl::StatusOr<uint64_t> CoroutineStreamChannel::Write(std::span<const uint8_t> data) {
  if (absl::Status status = ends_.WhyNotWritable(); !status.ok()) return status;
  if (is_finished_) return absl::FailedPreconditionError("Finish() was called");
  absl::StatusOr<uint64_t> written = connection_.Write(id_, data);
  if (!written.ok()) return WhyRefused(written.status());
  return written;
}

absl::StatusOr<uint64_t> CoroutineStreamChannel::Write(const absl::Cord& data) {
  if (absl::Status status = ends_.WhyNotWritable(); !status.ok()) return status;
  if (is_finished_) return absl::FailedPreconditionError("Finish() was called");
  absl::StatusOr<uint64_t> written = connection_.Write(id_, data);
  if (!written.ok()) return WhyRefused(written.status());
  return written;
}

absl::Status CoroutineStreamChannel::Finish() {
  if (ends_.sides.can_write && is_finished_) return absl::OkStatus();
  if (absl::Status status = ends_.WhyNotWritable(); !status.ok()) return status;
  absl::Status status = connection_.Finish(id_);
  if (!status.ok()) return WhyRefused(status);
  is_finished_ = true;
  scheduler_->Wake(writable_);
  return absl::OkStatus();
}

absl::StatusOr<bool> CoroutineStreamChannel::IsDelivered() const {
  if (is_delivered_) return true;
  if (absl::Status status = ends_.WhyNotWritable(); !status.ok()) return status;
  if (!is_finished_) return absl::FailedPreconditionError("Finish() was not called");
  return false;
}

absl::Status CoroutineStreamChannel::Reset(uint64_t error_code) {
  if (ends_.sides.can_write &&
      (is_delivered_ || ends_.is_reset_here || ends_.stopped_code.has_value())) {
    return absl::OkStatus();
  }
  if (absl::Status status = ends_.WhyNotWritable(); !status.ok()) return status;
  absl::Status status = connection_.Reset(id_, error_code);
  if (absl::IsInvalidArgument(status)) return status;
  ends_.is_reset_here = true;
  scheduler_->Wake(writable_);
  EndSide(is_send_done_);
  return absl::OkStatus();
}

void CoroutineStreamChannel::OnStopped(uint64_t error_code) {
  if (is_send_done_) return;
  ends_.stopped_code = error_code;
  scheduler_->Wake(writable_);
  EndSide(is_send_done_);
}

void CoroutineStreamChannel::OnDelivered() {
  if (is_send_done_) return;
  is_delivered_ = true;
  scheduler_->Wake(writable_);
  EndSide(is_send_done_);
}

// ---- The whole ----

void CoroutineStreamChannel::Abandon() {
  // Both fail where there is nothing to give up.
  if (!is_recv_done_) static_cast<void>(StopSending(0));
  if (!is_send_done_ && !is_finished_) static_cast<void>(Reset(0));
}

void CoroutineStreamChannel::EndSide(bool& is_done) {
  is_done = true;
  if (!is_recv_done_ || !is_send_done_ || on_done_ == nullptr) return;
  // The last access: it may be what holds this.
  std::exchange(on_done_, nullptr)();
}

void CoroutineStreamChannel::End(const absl::Status& reason) {
  if (!ends_.connection_end.ok()) return;
  connection_ = {};
  on_done_ = nullptr;
  ends_.connection_end = reason;
  scheduler_->Wake(readable_);
  scheduler_->Wake(writable_);
}

}  // namespace godwit
