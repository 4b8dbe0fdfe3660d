// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/streams/stream_peer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/encryption_level.h"
#include "transport/delivery/frame_writer.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {

TransportParameters ParametersOf(const StreamConfig& config) {
  TransportParameters parameters;
  parameters.initial_max_data = config.initial_max_data;
  parameters.initial_max_stream_data_bidi_local = config.initial_max_stream_data_bidi_local;
  parameters.initial_max_stream_data_bidi_remote = config.initial_max_stream_data_bidi_remote;
  parameters.initial_max_stream_data_uni = config.initial_max_stream_data_uni;
  parameters.initial_max_streams_bidi = config.max_streams_bidi;
  parameters.initial_max_streams_uni = config.max_streams_uni;
  return parameters;
}

StreamPeer::StreamPeer(Perspective perspective, const StreamConfig& config)
    : perspective_(perspective), map_(perspective, config) {
  map_.SetCongestionWindow(kWideWindowBytes);
}

StreamContext StreamPeer::context() {
  return {.now = now_, .smoothed_rtt = rtt_, .may_grow_windows = may_grow_, .pools = &pools_};
}

StreamPacket StreamPeer::BuildPacket(size_t room, StreamMap::Fill fill) {
  StreamPacket packet;
  packet.number = PacketNumber(next_packet_number_);
  packet.payload.resize(room);
  FrameWriter writer(
      packet.payload,
      {.level = EncryptionLevel::kOneRtt, .mode = PacketMode::kNormal, .number = packet.number});
  if (map_.HasPendingControl()) {
    map_.WriteControlFrames(writer, context());
    GODWIT_CHECK(writer.has_frames());
  }
  if (map_.HasPendingData()) map_.WriteStreamData(writer, fill);
  packet.payload.resize(writer.frames_size());
  const std::span<const uint8_t> scattered = writer.scattered_data();
  packet.payload.insert(packet.payload.end(), scattered.begin(), scattered.end());
  packet.frames.assign(writer.sent_frames().begin(), writer.sent_frames().end());
  if (!packet.frames.empty()) ++next_packet_number_;
  return packet;
}

void StreamPeer::OnAcked(const StreamPacket& packet) {
  for (const SentFrame& frame : packet.frames) map_.OnFrameAcked(packet.number, frame, pools_);
}

void StreamPeer::OnLost(const StreamPacket& packet) {
  for (const SentFrame& frame : packet.frames) map_.OnFrameLost(packet.number, frame);
}

Result StreamPeer::Receive(std::span<const uint8_t> payload) {
  FrameDecoder decoder(payload, EncryptionLevel::kOneRtt, Opposite(perspective_));
  Frame frame;
  while (!decoder.is_done()) {
    GODWIT_RETURN_IF_ERROR(decoder.Next(&frame));
    GODWIT_RETURN_IF_ERROR(Dispatch(frame));
  }
  return Result::Ok();
}

Result StreamPeer::Dispatch(const Frame& frame) {
  switch (frame.kind()) {
    case FrameKind::kStream:
      return map_.OnStreamFrame(frame.As<StreamFrame>(), context());
    case FrameKind::kResetStream:
      return map_.OnResetStreamFrame(frame.As<ResetStreamFrame>(), context());
    case FrameKind::kStopSending:
      return map_.OnStopSendingFrame(frame.As<StopSendingFrame>(), context());
    case FrameKind::kMaxData:
      return map_.OnMaxDataFrame(frame.As<MaxDataFrame>());
    case FrameKind::kMaxStreamData:
      return map_.OnMaxStreamDataFrame(frame.As<MaxStreamDataFrame>());
    case FrameKind::kMaxStreams:
      return map_.OnMaxStreamsFrame(frame.As<MaxStreamsFrame>());
    case FrameKind::kDataBlocked:
      return map_.OnDataBlockedFrame(frame.As<DataBlockedFrame>(), context());
    case FrameKind::kStreamDataBlocked:
      return map_.OnStreamDataBlockedFrame(frame.As<StreamDataBlockedFrame>(), context());
    case FrameKind::kStreamsBlocked:
      return map_.OnStreamsBlockedFrame(frame.As<StreamsBlockedFrame>());
    case FrameKind::kPadding:
      return Result::Ok();
    default:
      GODWIT_UNREACHABLE();
  }
}

std::vector<StreamEvent> StreamPeer::PollAll() {
  std::vector<StreamEvent> events;
  while (const std::optional<StreamEvent> event = map_.PollEvent()) events.push_back(*event);
  return events;
}

std::string StreamPeer::Peek(StreamId id) {
  std::array<std::span<const uint8_t>, 512> views;
  const auto count = map_.Peek(id, views);
  GODWIT_CHECK(count.ok());
  std::string text;
  for (size_t i = 0; i < *count; ++i) {
    text.append(reinterpret_cast<const char*>(views[i].data()), views[i].size());
  }
  return text;
}

std::string StreamPeer::Read(StreamId id) {
  std::string text;
  // With the last byte the stream may go.
  while (true) {
    const auto state = map_.read_state(id);
    if (!state.ok() || state->readable_bytes == 0) return text;
    const std::string piece = Peek(id);
    GODWIT_CHECK(map_.Consume(id, piece.size(), context()).ok());
    text += piece;
  }
}

void StreamPeer::Write(StreamId id, std::string_view text) {
  const auto written = map_.Write(id, BytesOf(text), pools_);
  GODWIT_CHECK(written.ok());
  GODWIT_CHECK_EQ(*written, text.size());
}

void Exchange(StreamPeer& a, StreamPeer& b) {
  bool is_quiet = false;
  while (!is_quiet) {
    is_quiet = true;
    for (const auto& [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      const StreamPacket packet = from->BuildPacket();
      if (packet.frames.empty()) continue;
      is_quiet = false;
      GODWIT_CHECK(to->Receive(packet.payload).ok());
      to->EndBatch();
      from->OnAcked(packet);
    }
    a.map().CheckInvariants();
    b.map().CheckInvariants();
  }
}

}  // namespace godwit
