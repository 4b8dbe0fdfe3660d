// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/send_stream.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/check.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {

SendStream::Signals& SendStream::signals() {
  if (signals_ == nullptr) signals_ = std::make_unique<Signals>();
  return *signals_;
}

uint64_t SendStream::Reset(uint64_t error_code, SendBlockPool& pool) {
  GODWIT_CHECK(is_resettable());
  const uint64_t unacked_bytes = buffer_.unacked_bytes();
  buffer_.Reset(pool);
  state_ = State::kResetSent;
  signals().blocked.Cancel();
  signals().reset.Set(error_code);
  return unacked_bytes;
}

SendNeed SendStream::need() const {
  if (is_reset()) return SendNeed::kNothing;
  // With no room for new data, what is pending was lost or is the end of the stream.
  if (buffer_.HasPending(0)) return SendNeed::kRoom;
  if (buffer_.unsent_bytes() == 0) return SendNeed::kNothing;
  return buffer_.sent_end() < max_data_ ? SendNeed::kCredit : SendNeed::kLimit;
}

std::optional<StreamRange> SendStream::Next(const Limits& limits) const {
  const uint64_t own_credit = max_data_ - buffer_.sent_end();
  const uint64_t credit = std::min(own_credit, limits.connection_credit);
  return buffer_.Next(
      {.max_bytes = limits.max_bytes, .max_end_offset = buffer_.sent_end() + credit});
}

uint64_t SendStream::OnSent(const StreamRange& range) {
  GODWIT_CHECK_LE(range.end_bytes(), max_data_);
  if (state_ == State::kReady) state_ = State::kSend;
  if (range.is_fin && state_ == State::kSend) state_ = State::kDataSent;
  return buffer_.OnSent(range);
}

uint64_t SendStream::OnDataAcked(const StreamRange& range, SendBlockPool& pool) {
  const uint64_t acked_bytes = buffer_.OnAcked(range, pool);
  if (state_ == State::kDataSent && buffer_.is_all_acked()) state_ = State::kDataRecvd;
  return acked_bytes;
}

bool SendStream::RaiseMaxData(uint64_t max_data_bytes) {
  if (max_data_bytes <= max_data_) return false;
  max_data_ = max_data_bytes;
  // RFC 9000 §13.3: STREAM_DATA_BLOCKED is sent again only while we are blocked on its limit.
  if (signals_ != nullptr) signals_->blocked.Cancel();
  return true;
}

void SendStream::NoteBlocked() {
  GODWIT_DCHECK_EQ(need(), SendNeed::kLimit);
  signals().blocked.Set(max_data_);
}

void SendStream::RepeatBlocked() {
  signals().blocked.Cancel();
  NoteBlocked();
}

bool SendStream::WriteControlFrames(StreamId id, FrameWriter& writer) {
  if (signals_ == nullptr) return true;
  if (signals_->reset.HasPending()) {
    // RFC 9000 §4.5: the final size is what was sent.
    const ResetStreamFrame frame{id, signals_->reset.value(), buffer_.sent_end()};
    if (!writer.Write(frame, SentFrame::ResetStream(id))) return false;
    signals_->reset.OnSent(writer.packet_number());
  }
  if (signals_->blocked.HasPending()) {
    const StreamDataBlockedFrame frame{id, signals_->blocked.value()};
    if (!writer.Write(frame, SentFrame::StreamDataBlocked(id))) return false;
    signals_->blocked.OnSent(writer.packet_number());
    if (state_ == State::kReady) state_ = State::kSend;
  }
  return true;
}

void SendStream::OnResetAcked(PacketNumber number) {
  if (signals().reset.OnAcked(number)) state_ = State::kResetRecvd;
}

void SendStream::OnResetLost(PacketNumber number) { signals().reset.OnLost(number); }

void SendStream::OnBlockedAcked(PacketNumber number) { signals().blocked.OnAcked(number); }

void SendStream::OnBlockedLost(PacketNumber number) { signals().blocked.OnLost(number); }

void SendStream::CheckInvariants() const {
  buffer_.CheckInvariants();
  GODWIT_CHECK_LE(buffer_.sent_end(), max_data_);
  GODWIT_CHECK_EQ(buffer_.is_reset(), is_reset());
  GODWIT_CHECK_EQ(buffer_.is_all_acked(), state_ == State::kDataRecvd);
  if (state_ == State::kReady) GODWIT_CHECK_EQ(buffer_.sent_end(), 0);
  if (state_ == State::kDataSent) GODWIT_CHECK(buffer_.is_finished());
  if (signals_ == nullptr) {
    GODWIT_CHECK(!is_reset());
    return;
  }
  signals_->reset.CheckInvariants();
  signals_->blocked.CheckInvariants();
  GODWIT_CHECK_EQ(signals_->reset.state() != ValueState::kIdle, is_reset());
  GODWIT_CHECK_EQ(signals_->reset.state() == ValueState::kDelivered, state_ == State::kResetRecvd);
  if (signals_->blocked.HasPending()) GODWIT_CHECK_EQ(signals_->blocked.value(), max_data_);
}

}  // namespace godwit
