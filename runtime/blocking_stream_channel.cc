// SPDX-License-Identifier: Apache-2.0
#include "runtime/blocking_stream_channel.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace godwit {
namespace {

constexpr uint64_t kMaxErrorCode = (uint64_t{1} << 62) - 1;

absl::Status CheckErrorCode(uint64_t error_code) {
  if (error_code <= kMaxErrorCode) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("error_code is ", error_code, "; allowed: 0 to ", kMaxErrorCode));
}

}  // namespace

BlockingStreamChannel::BlockingStreamChannel(StreamId id, StreamSides sides,
                                             std::shared_ptr<BlockingDoor> door)
    : id_(id),
      door_(std::move(door)),
      is_recv_done_(!sides.can_read),
      is_send_done_(!sides.can_write),
      ends_{.sides = sides} {}

// ---- Reading ----

absl::StatusOr<size_t> BlockingStreamChannel::Read(std::span<uint8_t> into,
                                                   const BlockingDeadline& deadline) {
  if (into.empty()) {
    return absl::InvalidArgumentError("into has 0 bytes; allowed: 1 and more");
  }
  std::unique_lock lock(mutex_);
  const bool is_in_time = deadline.Wait(readable_, lock, [this] {
    return !is_reading_ && (fetched_offset_ < fetched_.size() || HasNews());
  });
  if (!is_in_time) return absl::DeadlineExceededError("nothing to read came in time");
  const bool is_given_up = ends_.is_stopped_here || ends_.reset_code.has_value();
  if (is_given_up || (fetched_offset_ == fetched_.size() && inbox_.empty())) {
    if (is_at_end_ && !is_given_up) return size_t{0};
    return ends_.WhyNotReadable();
  }
  bool wants_more = false;
  if (fetched_offset_ == fetched_.size()) {
    fetched_.clear();
    fetched_.swap(inbox_);
    fetched_offset_ = 0;
    wants_more = std::exchange(is_inbox_full_, false);
  }
  is_reading_ = true;
  lock.unlock();
  if (wants_more) door_->Post([self = shared_from_this()] { self->OnReadable(); });
  const size_t bytes = std::min(into.size(), fetched_.size() - fetched_offset_);
  std::copy_n(fetched_.begin() + static_cast<ptrdiff_t>(fetched_offset_), bytes, into.begin());
  lock.lock();
  fetched_offset_ += bytes;
  is_reading_ = false;
  readable_.notify_all();
  return bytes;
}

bool BlockingStreamChannel::FillInbox() {
  for (;;) {
    const absl::StatusOr<StreamReadState> state = connection_.ReadState(id_);
    if (!state.ok()) return false;
    const uint64_t room = kReadAheadBytes - inbox_.size();
    const uint64_t wanted = std::min(room, state->readable_bytes);
    const bool ends =
        state->is_finished || (state->has_all_data && wanted == state->readable_bytes);
    is_inbox_full_ = wanted < state->readable_bytes;
    if (wanted == 0) return ends;
    std::array<std::span<const uint8_t>, 16> views;
    const absl::StatusOr<size_t> count = connection_.Peek(id_, views);
    if (!count.ok()) return false;
    size_t copied = 0;
    for (size_t i = 0; i < *count && copied < wanted; ++i) {
      const auto part = views[i].first(std::min<size_t>(views[i].size(), wanted - copied));
      inbox_.insert(inbox_.end(), part.begin(), part.end());
      copied += part.size();
    }
    const absl::Status consumed = connection_.Consume(id_, copied);
    static_cast<void>(consumed);  // What was shown can be consumed.
    if (copied == wanted) return ends;
  }
}

void BlockingStreamChannel::ReadAhead() {
  is_reading_held_ = false;
  OnReadable();
}

void BlockingStreamChannel::OnReadable() {
  if (!is_attached_ || is_recv_done_ || is_reading_held_) return;
  {
    const std::lock_guard lock(mutex_);
    is_at_end_ = FillInbox();
    if (inbox_.empty() && !is_at_end_) return;
    readable_.notify_all();
    if (!is_at_end_) return;
  }
  EndSide(is_recv_done_);
}

void BlockingStreamChannel::OnReset(uint64_t error_code) {
  if (is_recv_done_) return;
  {
    const std::lock_guard lock(mutex_);
    ends_.reset_code = error_code;
    readable_.notify_all();
  }
  EndSide(is_recv_done_);
}

absl::Status BlockingStreamChannel::StopSending(uint64_t error_code) {
  if (absl::Status status = CheckErrorCode(error_code); !status.ok()) return status;
  {
    const std::lock_guard lock(mutex_);
    if (!ends_.sides.can_read) return ends_.WhyNotReadable();
    if (is_at_end_ || ends_.reset_code.has_value() || ends_.is_stopped_here) {
      return absl::OkStatus();
    }
    if (!ends_.connection_end.ok()) return ends_.connection_end;
    ends_.is_stopped_here = true;
    readable_.notify_all();
  }
  door_->Post([self = shared_from_this(), error_code] { self->StopNow(error_code); });
  return absl::OkStatus();
}

void BlockingStreamChannel::StopNow(uint64_t error_code) {
  if (!is_attached_ || is_recv_done_) return;
  const absl::Status status = connection_.StopSending(id_, error_code);
  static_cast<void>(status);  // It fails if all has come meanwhile.
  EndSide(is_recv_done_);
}

// ---- Writing ----

absl::Status BlockingStreamChannel::Write(std::span<const uint8_t> data,
                                          const BlockingDeadline& deadline, size_t* written_bytes) {
  std::unique_lock lock(mutex_);
  for (*written_bytes = 0;;) {
    const bool is_in_time = deadline.Wait(writable_, lock, [this, &data] {
      return data.empty() || unsent_.size() < kWriteAheadBytes || is_finish_wanted_ ||
             !ends_.WhyNotWritable().ok();
    });
    if (absl::Status status = ends_.WhyNotWritable(); !status.ok()) return status;
    if (is_finish_wanted_) return absl::FailedPreconditionError("Finish() was called");
    if (data.empty()) return absl::OkStatus();
    if (!is_in_time) return absl::DeadlineExceededError("the peer did not take all of it in time");
    const size_t room = std::min(kWriteAheadBytes - unsent_.size(), kWriteChunkBytes);
    const auto part = data.first(std::min(room, data.size()));
    unsent_.Append(std::string(reinterpret_cast<const char*>(part.data()), part.size()));
    data = data.subspan(part.size());
    *written_bytes += part.size();
    PostFlush(lock);
  }
}

absl::Status BlockingStreamChannel::Finish() {
  std::unique_lock lock(mutex_);
  if (ends_.sides.can_write && is_finish_wanted_) return absl::OkStatus();
  if (absl::Status status = ends_.WhyNotWritable(); !status.ok()) return status;
  is_finish_wanted_ = true;
  writable_.notify_all();
  PostFlush(lock);
  return absl::OkStatus();
}

// Releases the lock for a moment.
void BlockingStreamChannel::PostFlush(std::unique_lock<std::mutex>& lock) {
  if (std::exchange(is_flush_posted_, true)) return;
  lock.unlock();
  door_->Post([self = shared_from_this()] { self->Flush(); });
  lock.lock();
}

void BlockingStreamChannel::Flush() {
  const std::lock_guard lock(mutex_);
  is_flush_posted_ = false;
  // What Reset() has discarded must not end like a whole stream.
  if (!is_attached_ || is_send_done_ || ends_.is_reset_here) return;
  // Errors: the connection is closing, or the peer has stopped reading. Both come as events.
  if (!unsent_.empty()) {
    const absl::StatusOr<uint64_t> written = connection_.Write(id_, unsent_);
    if (!written.ok()) return;
    unsent_.RemovePrefix(*written);
  }
  if (unsent_.empty() && is_finish_wanted_ && !is_finished_) {
    is_finished_ = connection_.Finish(id_).ok();
  }
  // Not for every byte that leaves: a writer that is woken should have something to do.
  if (unsent_.size() <= kWriteAheadBytes / 2) writable_.notify_all();
}

void BlockingStreamChannel::OnWritable() { Flush(); }

void BlockingStreamChannel::OnStopped(uint64_t error_code) {
  if (is_send_done_) return;
  {
    const std::lock_guard lock(mutex_);
    ends_.stopped_code = error_code;
    unsent_.Clear();
    writable_.notify_all();
  }
  EndSide(is_send_done_);
}

void BlockingStreamChannel::OnDelivered() {
  if (is_send_done_) return;
  {
    const std::lock_guard lock(mutex_);
    is_delivered_ = true;
    writable_.notify_all();
  }
  EndSide(is_send_done_);
}

absl::Status BlockingStreamChannel::WaitUntilDelivered(const BlockingDeadline& deadline) {
  std::unique_lock lock(mutex_);
  deadline.Wait(writable_, lock, [this] {
    return is_delivered_ || !ends_.WhyNotWritable().ok() || !is_finish_wanted_;
  });
  if (is_delivered_) return absl::OkStatus();
  if (absl::Status status = ends_.WhyNotWritable(); !status.ok()) return status;
  if (!is_finish_wanted_) return absl::FailedPreconditionError("Finish() was not called");
  return absl::DeadlineExceededError("the peer did not acknowledge all of it in time");
}

absl::Status BlockingStreamChannel::Reset(uint64_t error_code) {
  if (absl::Status status = CheckErrorCode(error_code); !status.ok()) return status;
  {
    const std::lock_guard lock(mutex_);
    if (ends_.sides.can_write &&
        (is_delivered_ || ends_.is_reset_here || ends_.stopped_code.has_value())) {
      return absl::OkStatus();
    }
    if (absl::Status status = ends_.WhyNotWritable(); !status.ok()) return status;
    ends_.is_reset_here = true;
    unsent_.Clear();
    writable_.notify_all();
  }
  door_->Post([self = shared_from_this(), error_code] { self->ResetNow(error_code); });
  return absl::OkStatus();
}

void BlockingStreamChannel::ResetNow(uint64_t error_code) {
  if (!is_attached_ || is_send_done_) return;
  const absl::Status status = connection_.Reset(id_, error_code);
  static_cast<void>(status);  // It fails if all has arrived meanwhile.
  EndSide(is_send_done_);
}

// ---- The whole ----

std::optional<uint64_t> BlockingStreamChannel::reset_code() const {
  const std::lock_guard lock(mutex_);
  return ends_.reset_code;
}

std::optional<uint64_t> BlockingStreamChannel::stopped_code() const {
  const std::lock_guard lock(mutex_);
  return ends_.stopped_code;
}

void BlockingStreamChannel::Abandon() {
  bool is_finish_wanted = false;
  {
    const std::lock_guard lock(mutex_);
    is_finish_wanted = is_finish_wanted_;
  }
  door_->Post([self = shared_from_this(), is_finish_wanted] {
    self->StopNow(0);
    if (!is_finish_wanted) self->ResetNow(0);
  });
}

void BlockingStreamChannel::Attach(ConnectionRef connection, std::function<void()> on_done) {
  connection_ = std::move(connection);
  on_done_ = std::move(on_done);
  is_attached_ = true;
}

void BlockingStreamChannel::EndSide(bool& is_done) {
  is_done = true;
  if (!is_attached_ || !is_recv_done_ || !is_send_done_) return;
  is_attached_ = false;
  connection_ = {};
  // What it captures may be the last that holds this.
  const auto self = shared_from_this();
  std::exchange(on_done_, nullptr)();
}

void BlockingStreamChannel::End(const absl::Status& reason) {
  is_attached_ = false;
  connection_ = {};
  on_done_ = nullptr;
  const std::lock_guard lock(mutex_);
  if (!ends_.connection_end.ok()) return;
  ends_.connection_end = reason;
  unsent_.Clear();
  readable_.notify_all();
  writable_.notify_all();
}

}  // namespace godwit
