// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/recv_stream.h"

#include <cstdint>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/protocol_errors.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {

RecvStream::Signals& RecvStream::signals() {
  if (signals_ == nullptr) signals_ = std::make_unique<Signals>();
  return *signals_;
}

Result RecvStream::OnData(const ReceivedSegment& segment, const StreamContext& context,
                          Outcome& outcome) {
  outcome = Outcome();
  // RFC 9000 §4.1: data beyond the limit is an error, whatever became of the stream.
  if (segment.offset_bytes + segment.data.size() > flow_.limit_bytes()) [[unlikely]] {
    return kStreamDataAboveLimit;
  }
  if (reassembler_.highest_received() == 0) [[unlikely]] {
    flow_.OnFirstData(context.now);
  }
  Reassembler::Arrival arrival;
  const Result result = reassembler_.OnSegment(segment, context.pools->receive_blocks, arrival);
  outcome.has_more_to_read = arrival.newly_readable_bytes != 0;

  // Also where the data was at fault: it may have told the size before.
  if (state_ == State::kRecv && reassembler_.final_size().has_value()) OnSizeKnown();
  if (state_ == State::kSizeKnown && reassembler_.has_all_data()) {
    state_ = State::kDataRecvd;
    outcome.has_ended = true;
  }
  return result;
}

Result RecvStream::OnReset(const ResetSignal& reset, ReceiveBlockPool& pool, Outcome& outcome) {
  outcome = Outcome();
  // RFC 9000 §4.1: the final size counts as data.
  if (reset.final_size_bytes > flow_.limit_bytes()) return kStreamDataAboveLimit;
  GODWIT_RETURN_IF_ERROR(reassembler_.OnFinalSize(reset.final_size_bytes));
  // RFC 9000 §3.2: once all data is here, a reset may be ignored. After another it says nothing.
  if (state_ != State::kRecv && state_ != State::kSizeKnown) return Result::Ok();

  const bool is_awaited = !is_stopped_;
  OnSizeKnown();
  state_ = is_awaited ? State::kResetRecvd : State::kResetRead;
  reassembler_.Discard(pool);
  signals().reset_error = reset.error_code;
  outcome.has_ended = is_awaited;
  return Result::Ok();
}

void RecvStream::OnSizeKnown() {
  state_ = is_stopped_ ? State::kDataRead : State::kSizeKnown;
  if (signals_ == nullptr) return;
  // RFC 9000 §4.1, §3.5: a limit, or a request to stop, has no use for a stream that has ended.
  signals_->max_data.Cancel();
  signals_->stop_sending.Cancel();
}

bool RecvStream::OnPeerBlocked(uint64_t limit_bytes) {
  if (state_ != State::kRecv || is_stopped_) return false;
  flow_.OnPeerBlocked(reassembler_.read_offset());
  // A peer that waits at a limit that has risen since has not heard of that, or not yet: the news
  // may be lost, so that it is sent once more (RFC 9000 §4.1).
  if (limit_bytes >= flow_.limit_bytes()) return false;
  signals().max_data.Cancel();
  return signals().max_data.Set(flow_.limit_bytes());
}

bool RecvStream::Consume(uint64_t byte_count, const StreamContext& context,
                         uint64_t max_window_bytes) {
  reassembler_.Consume(byte_count, context.pools->receive_blocks);
  if (state_ == State::kRecv) [[likely]] {
    if (!flow_.OnConsumed(reassembler_.read_offset(), context, max_window_bytes)) return false;
    return signals().max_data.Set(flow_.limit_bytes());
  }
  if (is_end_reported_ && is_consumed()) state_ = State::kDataRead;
  return false;
}

void RecvStream::StopSending(uint64_t error_code, ReceiveBlockPool& pool) {
  GODWIT_CHECK(!is_stopped_);
  GODWIT_CHECK(!is_over());
  is_stopped_ = true;
  reassembler_.Discard(pool);
  if (state_ == State::kRecv) {
    signals().max_data.Cancel();
    signals().stop_sending.Set(error_code);
  } else {
    // RFC 9000 §3.5: no frame for a stream whose end is known, and nothing to wait for.
    state_ = is_reset() ? State::kResetRead : State::kDataRead;
  }
}

void RecvStream::OnEndReported() {
  is_end_reported_ = true;
  if (state_ == State::kResetRecvd) state_ = State::kResetRead;
  if (state_ == State::kDataRecvd && is_consumed()) state_ = State::kDataRead;
}

std::optional<uint64_t> RecvStream::reset_error() const {
  return signals_ == nullptr ? std::nullopt : signals_->reset_error;
}

bool RecvStream::WriteControlFrames(StreamId id, FrameWriter& writer) {
  if (signals_ == nullptr) return true;
  if (signals_->stop_sending.HasPending()) {
    const StopSendingFrame frame{id, signals_->stop_sending.value()};
    if (!writer.Write(frame, SentFrame::StopSending(id))) return false;
    signals_->stop_sending.OnSent(writer.packet_number());
  }
  if (signals_->max_data.HasPending()) {
    const MaxStreamDataFrame frame{id, signals_->max_data.value()};
    if (!writer.Write(frame, SentFrame::MaxStreamData(id))) return false;
    signals_->max_data.OnSent(writer.packet_number());
  }
  return true;
}

void RecvStream::OnMaxDataAcked(PacketNumber number) { signals().max_data.OnAcked(number); }

void RecvStream::OnMaxDataLost(PacketNumber number) { signals().max_data.OnLost(number); }

void RecvStream::OnStopSendingAcked(PacketNumber number) { signals().stop_sending.OnAcked(number); }

void RecvStream::OnStopSendingLost(PacketNumber number) { signals().stop_sending.OnLost(number); }

void RecvStream::CheckInvariants() const {
  reassembler_.CheckInvariants();
  GODWIT_CHECK_LE(credited_bytes(), received_bytes());
  GODWIT_CHECK_LE(received_bytes(), limit_bytes());
  GODWIT_CHECK_EQ(final_size().has_value(), state_ != State::kRecv);
  if (is_discarding()) GODWIT_CHECK_EQ(allocated_bytes(), 0);
  if (is_discarding()) GODWIT_CHECK_EQ(readable_bytes(), 0);
  if (state_ == State::kDataRecvd) GODWIT_CHECK(reassembler_.has_all_data());
  if (state_ == State::kDataRead) GODWIT_CHECK(is_stopped_ || is_consumed());
  if (signals_ == nullptr) {
    GODWIT_CHECK(!is_reset());
    return;
  }
  signals_->max_data.CheckInvariants();
  signals_->stop_sending.CheckInvariants();
  if (HasPendingControl()) GODWIT_CHECK_EQ(state_, State::kRecv);
  if (signals_->max_data.HasPending()) {
    GODWIT_CHECK_EQ(signals_->max_data.value(), flow_.limit_bytes());
    GODWIT_CHECK(!is_stopped_);
  }
  GODWIT_CHECK_EQ(signals_->reset_error.has_value(), is_reset());
}

}  // namespace godwit
