// SPDX-License-Identifier: Apache-2.0
//
// FrameWriter: the narrow door into the packet that is being built. Through it a part of the
// connection sees how much room is left and what the packet is for, and appends frames; it sees no
// keys, paths or sockets. What was written is remembered twice: as bytes, and as the SentFrames by
// which acknowledgment or loss find their part.
//
// It does not decide what to write, nor in which order. A write that does not fit, or whose record
// does not, changes nothing and says so. A frame that the packet does not permit is our own bug.
//
// Invariants: frames_size() bytes at the front of the room are whole frames; a frame that reaches
// to the end of the packet (RFC 9000 §19.8: no length, or data that is sealed from elsewhere) is
// the last one; at most kMaxSentFramesPerPacket records.
#ifndef GODWIT_TRANSPORT_DELIVERY_FRAME_WRITER_H_
#define GODWIT_TRANSPORT_DELIVERY_FRAME_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>

#include "absl/container/inlined_vector.h"

#include "base/check.h"
#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "godwit/stream_id.h"
#include "transport/delivery/sent_frame.h"
#include "transport/delivery/stream_range.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_encoder.h"

namespace godwit {

// What a packet is for.
enum class PacketMode : uint8_t {
  kNormal,
  kProbe,  // RFC 9002 §6.2.4: must elicit an acknowledgment; not held back by congestion control.
  kPathOnly,  // RFC 9000 §9.1: for a path that is not in use; probing frames alone.
  kClosing,   // RFC 9000 §10.2.1: says that the connection is closed.
};

class FrameWriter {
 public:
  struct Packet {
    EncryptionLevel level;
    PacketMode mode;
    PacketNumber number = PacketNumber(0);
  };

  // `room` is the packet's payload, without the tag, and outlives the writer.
  FrameWriter(std::span<uint8_t> room, Packet packet) : writer_(room), packet_(packet) {}

  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  size_t space_left() const { return is_complete_ ? 0 : writer_.space_left(); }
  PacketMode mode() const { return packet_.mode; }
  EncryptionLevel level() const { return packet_.level; }
  // Of the packet, under which reliable values remember it.
  PacketNumber packet_number() const { return packet_.number; }

  // ---- Frames. False, or nothing: it does not fit. ----

  // `sent` is of the same kind as `frame`.
  template <PlainFrame F>
  bool Write(const F& frame, const SentFrame& sent);

  // For frames whose fate nobody waits for: PADDING, CONNECTION_CLOSE, IMMEDIATE_ACK.
  template <PlainFrame F>
  bool WriteUnrecorded(const F& frame);

  // As many of the highest ranges as fit, at most `max_ranges`. False if not even one does.
  template <AckRangeSource Ranges>
  bool WriteAck(const AckFrameFields& fields, const Ranges& ranges, size_t max_ranges);

  // `sequence_number`: see SentFrame::Datagram().
  bool WriteDatagram(const DatagramFrame& frame, LengthField length, uint64_t sequence_number);

  // The greatest length_bytes of a STREAM frame at that offset that fits; also 0 where not even an
  // empty frame does.
  size_t StreamDataRoom(StreamId id, uint64_t offset_bytes, LengthField length) const;

  // A STREAM frame whose data the caller copies into the result, of range.length_bytes.
  std::optional<std::span<uint8_t>> ReserveStream(StreamId id, const StreamRange& range,
                                                  LengthField length);

  // The packet's last frame: the header of a STREAM frame alone, without length. Its data stays
  // where it is, and the packet is sealed with it: `data` is all of `range` and outlives that.
  bool WriteScatteredStream(StreamId id, const StreamRange& range, std::span<const uint8_t> data);

  // ---- What the packet has become, for who builds it ----

  bool has_frames() const { return writer_.position() != 0; }
  // The last frame has no length: whatever is put behind it would become its data.
  bool is_complete() const { return is_complete_; }
  // Bytes of frames in the room; the scattered data belongs behind them.
  size_t frames_size() const { return writer_.position(); }
  std::span<const uint8_t> scattered_data() const { return scattered_data_; }
  size_t payload_size() const { return frames_size() + scattered_data_.size(); }
  std::span<const SentFrame> sent_frames() const { return sent_frames_; }

  // Of all frames together: RFC 9000 §13.2 and RFC 9002 §2; §9.1 of the former asks all frames to
  // be probing ones.
  bool is_ack_eliciting() const { return is_ack_eliciting_; }
  bool is_in_flight() const { return is_in_flight_; }
  bool is_probing() const { return has_frames() && !has_non_probing_; }

 private:
  bool Fits(size_t size) const { return size <= space_left(); }
  bool HasRecordRoom() const { return sent_frames_.size() < kMaxSentFramesPerPacket; }
  // The header of a STREAM frame, if it fits with its data.
  bool WriteStreamHeader(StreamId id, const StreamRange& range, LengthField length);
  // Looks up the rules of the frame that begins at `begin`, which was just written.
  void NoteFrame(size_t begin);

  ByteWriter writer_;
  Packet packet_;
  bool is_complete_ = false;  // The last frame reaches to the end of the packet.
  bool is_ack_eliciting_ = false;
  bool is_in_flight_ = false;
  bool has_non_probing_ = false;
  std::span<const uint8_t> scattered_data_;
  absl::InlinedVector<SentFrame, kMaxSentFramesPerPacket> sent_frames_;
};

template <PlainFrame F>
bool FrameWriter::Write(const F& frame, const SentFrame& sent) {
  GODWIT_DCHECK(sent.kind() == F::kKind);
  if (!HasRecordRoom() || !WriteUnrecorded(frame)) return false;
  sent_frames_.push_back(sent);
  return true;
}

template <PlainFrame F>
bool FrameWriter::WriteUnrecorded(const F& frame) {
  if (!Fits(EncodedSize(frame))) return false;
  const size_t begin = writer_.position();
  WriteFrame(frame, writer_);
  NoteFrame(begin);
  return true;
}

template <AckRangeSource Ranges>
bool FrameWriter::WriteAck(const AckFrameFields& fields, const Ranges& ranges, size_t max_ranges) {
  if (!HasRecordRoom()) return false;
  const AckFramePlan plan =
      PlanAckFrame(fields, ranges, {.max_ranges = max_ranges, .max_bytes = space_left()});
  if (plan.range_count == 0) return false;
  const AckRange first = *std::ranges::begin(ranges);
  const size_t begin = writer_.position();
  WriteAckFrame(fields, ranges, plan, writer_);
  NoteFrame(begin);
  sent_frames_.push_back(SentFrame::Ack(first.largest));
  return true;
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_DELIVERY_FRAME_WRITER_H_
