// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/stream_map.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "transport/streams/recv_stream.h"
#include "transport/streams/stream_frame_rules.h"
#include "transport/streams/stream_status.h"

namespace godwit {

namespace {

using Part = StreamTable::Part;

constexpr std::array kDirections = {StreamDirection::kBidirectional,
                                    StreamDirection::kUnidirectional};

}  // namespace

StreamMap::StreamMap(Perspective perspective, const StreamConfig& config)
    : table_(perspective, config), receiver_(config), sender_(config.max_send_buffer_bytes) {}

void StreamMap::OnPeerParameters(const TransportParameters& peer) {
  table_.OnPeerParameters(peer);
  sender_.flow().Raise(peer.initial_max_data);
  table_.ForEach([this](Stream& stream) {
    if (!stream.has_send) return;
    sender_.RaiseMaxStreamData(stream, table_.InitialSendLimit(stream.id), events_);
  });
  for (const StreamDirection direction : kDirections) {
    const uint64_t max_count = direction == StreamDirection::kBidirectional
                                   ? peer.initial_max_streams_bidi
                                   : peer.initial_max_streams_uni;
    if (table_.limits(direction).OnPeerLimit(max_count)) events_.PushStreamsAvailable(direction);
  }
}

// ---- The application ----

absl::Status StreamMap::WhyNoPart(StreamId id, Part part) const {
  return table_.Find(id) == nullptr ? stream_status::NotFound(id, table_)
                                    : stream_status::NoSuchPart(id, part);
}

Stream* StreamMap::FindReadable(StreamId id) const {
  Stream* const stream = table_.FindPart(id, Part::kRecv);
  return stream != nullptr && !stream->recv.is_stopped() ? stream : nullptr;
}

absl::Status StreamMap::WhyNotReadable(StreamId id) const {
  return table_.FindPart(id, Part::kRecv) == nullptr ? WhyNoPart(id, Part::kRecv)
                                              : stream_status::ReadingStopped(id);
}

Stream* StreamMap::FindWritable(StreamId id) const {
  Stream* const stream = table_.FindPart(id, Part::kSend);
  return stream != nullptr && stream->send.is_writable() ? stream : nullptr;
}

absl::Status StreamMap::WhyNotWritable(StreamId id) const {
  const Stream* const stream = table_.FindPart(id, Part::kSend);
  return stream == nullptr ? WhyNoPart(id, Part::kSend) : stream_status::NotWritable(*stream);
}

absl::StatusOr<StreamId> StreamMap::Open(StreamDirection direction) {
  const Stream* const stream = table_.Open(direction);
  if (stream == nullptr) return stream_status::LimitReached(direction);
  return stream->id;
}

absl::StatusOr<uint64_t> StreamMap::Write(StreamId id, std::span<const uint8_t> data,
                                          StreamPools& pools) {
  Stream* const stream = FindWritable(id);
  if (stream == nullptr) return WhyNotWritable(id);
  return sender_.Write(*stream, data, pools.send_blocks);
}

absl::StatusOr<uint64_t> StreamMap::Write(StreamId id, const absl::Cord& data, StreamPools& pools) {
  Stream* const stream = FindWritable(id);
  if (stream == nullptr) return WhyNotWritable(id);
  return sender_.Write(*stream, data, pools.send_blocks);
}

absl::Status StreamMap::Finish(StreamId id) {
  Stream* const stream = FindWritable(id);
  if (stream == nullptr) return WhyNotWritable(id);
  sender_.Finish(*stream);
  return absl::OkStatus();
}

absl::Status StreamMap::Reset(StreamId id, uint64_t error_code, StreamPools& pools) {
  if (error_code > kMaxVarint) return stream_status::ErrorCodeTooLarge(error_code);
  Stream* const stream = table_.FindPart(id, Part::kSend);
  if (stream == nullptr) return WhyNoPart(id, Part::kSend);
  if (!stream->send.is_resettable()) return stream_status::NotResettable(*stream);
  sender_.Reset(*stream, error_code, pools.send_blocks);
  sender_.WakeWriters(table_, events_);
  return absl::OkStatus();
}

absl::Status StreamMap::SetPriority(StreamId id, StreamPriority priority) {
  if (priority.urgency >= kUrgencyCount) return stream_status::UrgencyTooLarge(priority.urgency);
  Stream* const stream = table_.FindPart(id, Part::kSend);
  if (stream == nullptr) return WhyNoPart(id, Part::kSend);
  sender_.SetPriority(*stream, priority);
  return absl::OkStatus();
}

absl::Status StreamMap::StopSending(StreamId id, uint64_t error_code, StreamPools& pools) {
  if (error_code > kMaxVarint) return stream_status::ErrorCodeTooLarge(error_code);
  Stream* const stream = FindReadable(id);
  if (stream == nullptr) return WhyNotReadable(id);
  // The part is over, and the stream lives on for the other one: all was read or told.
  if (stream->recv.is_over()) return absl::OkStatus();
  receiver_.StopSending(*stream, error_code, pools);
  sender_.control().Refresh(*stream);
  RemoveIfOver(*stream);
  return absl::OkStatus();
}

absl::StatusOr<size_t> StreamMap::Peek(StreamId id,
                                       std::span<std::span<const uint8_t>> views) const {
  Stream* const stream = FindReadable(id);
  if (stream == nullptr) return WhyNotReadable(id);
  return stream->recv.Peek(views);
}

absl::Status StreamMap::Consume(StreamId id, uint64_t byte_count, const StreamContext& context) {
  Stream* const stream = FindReadable(id);
  if (stream == nullptr) return WhyNotReadable(id);
  if (byte_count > stream->recv.readable_bytes()) [[unlikely]] {
    return stream_status::NotReadable(*stream, byte_count);
  }
  if (receiver_.Consume(*stream, byte_count, context)) [[unlikely]] {
    sender_.control().Refresh(*stream);
  }
  RemoveIfOver(*stream);
  return absl::OkStatus();
}

absl::StatusOr<StreamMap::ReadState> StreamMap::read_state(StreamId id) const {
  Stream* const stream = table_.FindPart(id, Part::kRecv);
  if (stream == nullptr) return WhyNoPart(id, Part::kRecv);
  const RecvStream& recv = stream->recv;
  return ReadState{.readable_bytes = recv.readable_bytes(),
                   .has_all_data = recv.state() == RecvStream::State::kDataRecvd ||
                                   recv.state() == RecvStream::State::kDataRead,
                   .is_finished = recv.is_consumed(),
                   .final_size = recv.final_size(),
                   .reset_error = recv.reset_error()};
}

void StreamMap::ForgetToldEnded() {
  const std::optional<StreamId> id = std::exchange(told_ended_, std::nullopt);
  if (!id.has_value()) return;
  Stream* const stream = table_.Find(*id);
  if (stream == nullptr) return;
  stream->recv.OnEndReported();
  RemoveIfOver(*stream);
}

std::optional<StreamEvent> StreamMap::PollWaitingEvent() {
  ForgetToldEnded();
  while (!events_.empty()) {
    const StreamEvent event = events_.Pop();
    if (event.kind == StreamEvent::Kind::kStreamsAvailable) return event;
    Stream* const stream = table_.Find(event.id);
    const bool is_current = IsCurrent(event, stream);
    if (stream != nullptr) {
      StreamEventQueue::MarkPolled(*stream, event.kind);
      if (event.kind == StreamEvent::Kind::kFinished || event.kind == StreamEvent::Kind::kReset) {
        told_ended_ = event.id;
        if (!is_current) ForgetToldEnded();
      }
    }
    if (is_current) return event;
  }
  return std::nullopt;
}

bool StreamMap::IsCurrent(const StreamEvent& event, const Stream* stream) const {
  switch (event.kind) {
    case StreamEvent::Kind::kOpened:
      return stream != nullptr;
    case StreamEvent::Kind::kReadable:
      return stream != nullptr && stream->recv.readable_bytes() != 0;
    case StreamEvent::Kind::kWritable:
      return stream != nullptr && stream->send.is_writable();
    case StreamEvent::Kind::kFinished:
    case StreamEvent::Kind::kReset:
      return stream != nullptr && !stream->recv.is_stopped();
    case StreamEvent::Kind::kStopped:
    case StreamEvent::Kind::kSendComplete:
    case StreamEvent::Kind::kStreamsAvailable:
      return true;
  }
  GODWIT_UNREACHABLE();
}

// ---- Frames from the peer ----

void StreamMap::PushEnded(Stream& stream) {
  const std::optional<uint64_t> reset_error = stream.recv.reset_error();
  events_.Push(stream,
               reset_error.has_value() ? StreamEvent::Kind::kReset : StreamEvent::Kind::kFinished,
               reset_error.value_or(0));
}

void StreamMap::Remove(Stream& stream) {
  sender_.Forget(stream, nullptr);
  receiver_.Forget(stream, nullptr);
  table_.Remove(stream);
}

Result StreamMap::OnStreamFrame(const StreamFrame& frame, const StreamContext& context) {
  Stream* stream = nullptr;
  GODWIT_RETURN_IF_ERROR(table_.FindForFrame(frame.stream_id, kStreamFrameRules, events_, stream));
  if (stream == nullptr) return Result::Ok();
  RecvStream::Outcome outcome;
  const Result result = receiver_.OnStreamFrame(*stream, frame, context, outcome);
  if (outcome.has_more_to_read) events_.Push(*stream, StreamEvent::Kind::kReadable);
  if (outcome.has_ended) PushEnded(*stream);
  if (frame.is_fin) {
    sender_.control().Refresh(*stream);
    RemoveIfOver(*stream);
  }
  return result;
}

Result StreamMap::OnResetStreamFrame(const ResetStreamFrame& frame, const StreamContext& context) {
  Stream* stream = nullptr;
  GODWIT_RETURN_IF_ERROR(table_.FindForFrame(frame.stream_id, kResetStreamRules, events_, stream));
  if (stream == nullptr) return Result::Ok();
  RecvStream::Outcome outcome;
  const Result result = receiver_.OnResetStreamFrame(*stream, frame, context, outcome);
  if (outcome.has_ended) PushEnded(*stream);
  sender_.control().Refresh(*stream);
  RemoveIfOver(*stream);
  return result;
}

Result StreamMap::OnStopSendingFrame(const StopSendingFrame& frame, const StreamContext& context) {
  Stream* stream = nullptr;
  GODWIT_RETURN_IF_ERROR(table_.FindForFrame(frame.stream_id, kStopSendingRules, events_, stream));
  if (stream == nullptr || !stream->send.is_resettable()) return Result::Ok();
  // RFC 9000 §3.5: answered by RESET_STREAM, with the same error code. Where all was sent we could
  // wait for acknowledgments; the peer has no use for them.
  sender_.Reset(*stream, frame.application_error_code, context.pools->send_blocks);
  events_.Push(*stream, StreamEvent::Kind::kStopped, frame.application_error_code);
  sender_.WakeWriters(table_, events_);
  return Result::Ok();
}

Result StreamMap::OnMaxDataFrame(const MaxDataFrame& frame) {
  sender_.flow().Raise(frame.maximum_bytes);
  return Result::Ok();
}

Result StreamMap::OnMaxStreamDataFrame(const MaxStreamDataFrame& frame) {
  Stream* stream = nullptr;
  GODWIT_RETURN_IF_ERROR(
      table_.FindForFrame(frame.stream_id, kMaxStreamDataRules, events_, stream));
  if (stream != nullptr) sender_.RaiseMaxStreamData(*stream, frame.maximum_bytes, events_);
  return Result::Ok();
}

Result StreamMap::OnMaxStreamsFrame(const MaxStreamsFrame& frame) {
  if (table_.limits(frame.direction).OnPeerLimit(frame.maximum_count)) {
    events_.PushStreamsAvailable(frame.direction);
  }
  return Result::Ok();
}

Result StreamMap::OnDataBlockedFrame(const DataBlockedFrame& frame,
                                     const StreamContext& /*context*/) {
  receiver_.OnDataBlockedFrame(frame);
  return Result::Ok();
}

Result StreamMap::OnStreamDataBlockedFrame(const StreamDataBlockedFrame& frame,
                                           const StreamContext& /*context*/) {
  Stream* stream = nullptr;
  GODWIT_RETURN_IF_ERROR(
      table_.FindForFrame(frame.stream_id, kStreamDataBlockedRules, events_, stream));
  if (stream != nullptr && stream->recv.OnPeerBlocked(frame.limit_bytes)) {
    sender_.control().Refresh(*stream);
  }
  return Result::Ok();
}

Result StreamMap::OnStreamsBlockedFrame(const StreamsBlockedFrame& frame) {
  table_.limits(frame.direction).OnStreamsBlockedFrame(frame.limit_count);
  return Result::Ok();
}

// ---- Sending ----

void StreamMap::WriteControlFrames(FrameWriter& writer, const StreamContext& /*context*/) {
  // What lets the peer go on comes first.
  if (!receiver_.WriteFrames(writer)) return;
  for (const StreamDirection direction : kDirections) {
    if (!table_.limits(direction).WriteFrames(writer)) return;
  }
  if (!sender_.flow().WriteFrames(writer)) return;
  sender_.control().WriteFrames(writer);
}

// ---- The fate of frames ----

void StreamMap::OnFrameAcked(PacketNumber number, const SentFrame& frame, StreamPools& pools) {
  if (frame.kind() != FrameKind::kStream) return OnControlAcked(number, frame);
  Stream* const stream = table_.Find(frame.stream_id());
  if (stream == nullptr) return;
  if (sender_.OnDataAcked(*stream, frame.range(), pools.send_blocks)) {
    events_.Push(*stream, StreamEvent::Kind::kSendComplete);
  }
  sender_.WakeWriters(table_, events_);
  RemoveIfOver(*stream);
}

void StreamMap::OnControlAcked(PacketNumber number, const SentFrame& frame) {
  switch (frame.kind()) {
    case FrameKind::kMaxData:
      return receiver_.OnMaxDataAcked(number);
    case FrameKind::kDataBlocked:
      return sender_.flow().OnFrameAcked(number);
    case FrameKind::kMaxStreams:
      return table_.limits(frame.direction()).OnMaxStreamsAcked(number);
    case FrameKind::kStreamsBlocked:
      return table_.limits(frame.direction()).OnStreamsBlockedAcked(number);
    default:
      break;
  }
  Stream* const stream = table_.Find(frame.stream_id());
  if (stream == nullptr) return;
  if (frame.kind() == FrameKind::kResetStream) {
    stream->send.OnResetAcked(number);
  } else if (frame.kind() == FrameKind::kStreamDataBlocked) {
    stream->send.OnBlockedAcked(number);
  } else if (frame.kind() == FrameKind::kMaxStreamData) {
    stream->recv.OnMaxDataAcked(number);
  } else {
    stream->recv.OnStopSendingAcked(number);
  }
  // A late acknowledgment may be of what was about to be sent again.
  sender_.control().Refresh(*stream);
  RemoveIfOver(*stream);
}

void StreamMap::OnFrameLost(PacketNumber number, const SentFrame& frame) {
  switch (frame.kind()) {
    case FrameKind::kMaxData:
      return receiver_.OnMaxDataLost(number);
    case FrameKind::kDataBlocked:
      return sender_.flow().OnFrameLost(number);
    case FrameKind::kMaxStreams:
      return table_.limits(frame.direction()).OnMaxStreamsLost(number);
    case FrameKind::kStreamsBlocked:
      return table_.limits(frame.direction()).OnStreamsBlockedLost(number);
    default:
      break;
  }
  Stream* const stream = table_.Find(frame.stream_id());
  if (stream == nullptr) return;
  if (frame.kind() == FrameKind::kStream) [[likely]] {
    return sender_.OnDataLost(*stream, frame.range());
  }
  if (frame.kind() == FrameKind::kResetStream) {
    stream->send.OnResetLost(number);
  } else if (frame.kind() == FrameKind::kStreamDataBlocked) {
    stream->send.OnBlockedLost(number);
  } else if (frame.kind() == FrameKind::kMaxStreamData) {
    stream->recv.OnMaxDataLost(number);
  } else {
    stream->recv.OnStopSendingLost(number);
  }
  sender_.control().Refresh(*stream);
}

// ---- The whole ----

void StreamMap::ReleaseAll(StreamPools& pools) {
  table_.ForEach([&](Stream& stream) {
    sender_.Forget(stream, &pools.send_blocks);
    receiver_.Forget(stream, &pools.receive_blocks);
  });
  table_.Clear();
}

void StreamMap::CheckInvariants() const {
  table_.CheckInvariants();
  receiver_.CheckInvariants(table_);
  sender_.CheckInvariants(table_);
  table_.ForEach([](const Stream& stream) { GODWIT_CHECK(!stream.is_over()); });
}

}  // namespace godwit
