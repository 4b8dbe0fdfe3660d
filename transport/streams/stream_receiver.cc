// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/stream_receiver.h"

#include <cstdint>

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"
#include "transport/delivery/sent_frame.h"

namespace godwit {

StreamReceiver::StreamReceiver(const StreamConfig& config)
    : flow_(config.initial_max_data),
      initial_window_(config.initial_max_data),
      max_connection_window_(config.max_connection_window_bytes),
      max_stream_window_(config.max_stream_window_bytes) {
  GODWIT_CHECK_LE(config.initial_max_data, kMaxVarint);
  GODWIT_CHECK_LE(config.max_connection_window_bytes, kMaxVarint);
  GODWIT_CHECK_LE(config.max_stream_window_bytes, kMaxVarint);
}

Result StreamReceiver::OnStreamFrame(Stream& stream, const StreamFrame& frame,
                                     const StreamContext& context, RecvStream::Outcome& outcome) {
  const uint64_t new_bytes = stream.recv.NewBytes(frame.offset_bytes + frame.data.size());
  // RFC 9000 §4.1.
  if (new_bytes > flow_.limit_bytes() - received_) [[unlikely]] {
    return kConnectionDataAboveLimit;
  }
  if (received_ == 0) [[unlikely]] {
    flow_.OnFirstData(context.now);
  }
  const Share before = ShareOf(stream);
  const Result result = stream.recv.OnData(
      {.offset_bytes = frame.offset_bytes, .data = frame.data, .is_fin = frame.is_fin}, context,
      outcome);
  OnShareChanged(before, stream);
  if (stream.recv.has_borrowed() && !stream.is_listed_as_borrowing) {
    stream.is_listed_as_borrowing = true;
    borrowing_.push_back(stream.id);
  }
  return result;
}

Result StreamReceiver::OnResetStreamFrame(Stream& stream, const ResetStreamFrame& frame,
                                          const StreamContext& context,
                                          RecvStream::Outcome& outcome) {
  // RFC 9000 §4.5: the final size counts as if all data up to it had come.
  if (stream.recv.NewBytes(frame.final_size_bytes) > flow_.limit_bytes() - received_) {
    return kConnectionDataAboveLimit;
  }
  const Share before = ShareOf(stream);
  const Result result = stream.recv.OnReset(
      {.final_size_bytes = frame.final_size_bytes, .error_code = frame.application_error_code},
      context.pools->receive_blocks, outcome);
  OnShareChanged(before, stream);
  return result;
}

void StreamReceiver::OnDropped(uint64_t byte_count) {
  // RFC 9000 §4.5, §3.5: what nobody will read must not use up the connection's window.
  credited_ += byte_count;
  if (flow_.OnDropped(credited_)) max_data_.Set(flow_.limit_bytes());
}

void StreamReceiver::OnDataBlockedFrame(const DataBlockedFrame& frame) {
  flow_.OnPeerBlocked(credited_);
  // A peer that waits at a limit that has risen since has not heard of that, or not yet: the news
  // may be lost, so that it is sent once more.
  if (frame.limit_bytes >= flow_.limit_bytes()) return;
  max_data_.Cancel();
  max_data_.Set(flow_.limit_bytes());
}

bool StreamReceiver::Consume(Stream& stream, uint64_t byte_count, const StreamContext& context) {
  const uint64_t allocated_before = stream.recv.allocated_bytes();
  const bool has_control = stream.recv.Consume(byte_count, context, max_stream_window_);
  allocated_ += stream.recv.allocated_bytes() - allocated_before;
  credited_ += byte_count;
  if (flow_.OnConsumed(credited_, context, max_connection_window_)) [[unlikely]] {
    max_data_.Set(flow_.limit_bytes());
  }
  return has_control;
}

void StreamReceiver::StopSending(Stream& stream, uint64_t error_code, StreamPools& pools) {
  const Share before = ShareOf(stream);
  stream.recv.StopSending(error_code, pools.receive_blocks);
  OnShareChanged(before, stream);
}

void StreamReceiver::KeepBorrowed(const StreamTable& table, StreamPools& pools) {
  for (const StreamId id : borrowing_) {
    Stream* const stream = table.Find(id);
    if (stream == nullptr) continue;
    stream->is_listed_as_borrowing = false;
    const uint64_t allocated_before = stream->recv.allocated_bytes();
    stream->recv.KeepBorrowed(pools.receive_blocks);
    allocated_ += stream->recv.allocated_bytes() - allocated_before;
  }
  borrowing_.clear();
}

bool StreamReceiver::WriteFrames(FrameWriter& writer) {
  if (!max_data_.HasPending()) return true;
  if (!writer.Write(MaxDataFrame{max_data_.value()}, SentFrame::MaxData())) return false;
  max_data_.OnSent(writer.packet_number());
  return true;
}

void StreamReceiver::Forget(Stream& stream, ReceiveBlockPool* pool) {
  if (pool != nullptr) {
    const uint64_t allocated_before = stream.recv.allocated_bytes();
    credited_ += stream.recv.received_bytes() - stream.recv.credited_bytes();
    stream.recv.ReleaseAll(*pool);
    allocated_ -= allocated_before;
  }
  GODWIT_CHECK_EQ(stream.recv.allocated_bytes(), 0);
  forgotten_bytes_ += stream.recv.received_bytes();
}

void StreamReceiver::CheckInvariants(const StreamTable& table) const {
  uint64_t received_bytes = forgotten_bytes_;
  uint64_t credited_bytes = forgotten_bytes_;
  uint64_t allocated_bytes = 0;
  uint64_t listed_count = 0;
  table.ForEach([&](const Stream& stream) {
    stream.recv.CheckInvariants();
    received_bytes += stream.recv.received_bytes();
    credited_bytes += stream.recv.credited_bytes();
    allocated_bytes += stream.recv.allocated_bytes();
    if (stream.is_listed_as_borrowing) ++listed_count;
    if (stream.recv.has_borrowed()) GODWIT_CHECK(stream.is_listed_as_borrowing);
  });
  GODWIT_CHECK_EQ(received_bytes, received_);
  GODWIT_CHECK_EQ(credited_bytes, credited_);
  GODWIT_CHECK_EQ(allocated_bytes, allocated_);
  GODWIT_CHECK_LE(credited_, received_);
  GODWIT_CHECK_LE(received_, flow_.limit_bytes());
  GODWIT_CHECK_LE(listed_count, borrowing_.size());
  max_data_.CheckInvariants();
  if (max_data_.HasPending()) GODWIT_CHECK_EQ(max_data_.value(), flow_.limit_bytes());
}

}  // namespace godwit
