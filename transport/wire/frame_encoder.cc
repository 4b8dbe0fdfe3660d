// SPDX-License-Identifier: Apache-2.0

#include "transport/wire/frame_encoder.h"

#include <span>

namespace godwit {
namespace {

// Takes what a ByteWriter takes and adds up the bytes. Each frame is described once, by Encode(),
// for both, so that a size cannot disagree with what is written.
class SizeCounter {
 public:
  size_t size_bytes() const { return size_bytes_; }

  void WriteUint8(uint8_t) { ++size_bytes_; }
  void WriteVarint(uint64_t value) { size_bytes_ += VarintSize(value); }
  void WriteBytes(std::span<const uint8_t> bytes) { size_bytes_ += bytes.size(); }
  void WriteVarintPrefixedBytes(std::span<const uint8_t> bytes) {
    WriteVarint(bytes.size());
    WriteBytes(bytes);
  }
  void WriteUint8PrefixedBytes(std::span<const uint8_t> bytes) { size_bytes_ += 1 + bytes.size(); }
  void WriteZeros(size_t count) { size_bytes_ += count; }

 private:
  size_t size_bytes_ = 0;
};

template <typename Out>
void WriteType(FrameType type, Out& out) {
  // RFC 9000 §12.4: types are written in the fewest bytes.
  out.WriteVarint(static_cast<uint8_t>(type));
}

template <typename Out, typename... Values>
void WriteVarints(Out& out, Values... values) {
  (out.WriteVarint(values), ...);
}

template <typename Out>
void Encode(const PaddingFrame& frame, Out& out) {
  out.WriteZeros(static_cast<size_t>(frame.length_bytes));
}

template <typename Out>
void Encode(const PingFrame&, Out& out) {
  WriteType(FrameType::kPing, out);
}

template <typename Out>
void Encode(const ResetStreamFrame& frame, Out& out) {
  WriteType(FrameType::kResetStream, out);
  WriteVarints(out, frame.stream_id.value(), frame.application_error_code, frame.final_size_bytes);
}

template <typename Out>
void Encode(const StopSendingFrame& frame, Out& out) {
  WriteType(FrameType::kStopSending, out);
  WriteVarints(out, frame.stream_id.value(), frame.application_error_code);
}

template <typename Out>
void Encode(const CryptoFrame& frame, Out& out) {
  GODWIT_CHECK(frame.offset_bytes <= kMaxStreamOffset - frame.data.size());
  WriteType(FrameType::kCrypto, out);
  out.WriteVarint(frame.offset_bytes);
  out.WriteVarintPrefixedBytes(frame.data);
}

template <typename Out>
void Encode(const NewTokenFrame& frame, Out& out) {
  GODWIT_CHECK(!frame.token.empty());
  WriteType(FrameType::kNewToken, out);
  out.WriteVarintPrefixedBytes(frame.token);
}

template <typename Out>
void Encode(const MaxDataFrame& frame, Out& out) {
  WriteType(FrameType::kMaxData, out);
  out.WriteVarint(frame.maximum_bytes);
}

template <typename Out>
void Encode(const MaxStreamDataFrame& frame, Out& out) {
  WriteType(FrameType::kMaxStreamData, out);
  WriteVarints(out, frame.stream_id.value(), frame.maximum_bytes);
}

template <typename Out>
void Encode(const MaxStreamsFrame& frame, Out& out) {
  GODWIT_CHECK(frame.maximum_count <= kMaxStreams);
  WriteType(frame.direction == StreamDirection::kBidirectional ? FrameType::kMaxStreamsBidi
                                                               : FrameType::kMaxStreamsUni,
            out);
  out.WriteVarint(frame.maximum_count);
}

template <typename Out>
void Encode(const DataBlockedFrame& frame, Out& out) {
  WriteType(FrameType::kDataBlocked, out);
  out.WriteVarint(frame.limit_bytes);
}

template <typename Out>
void Encode(const StreamDataBlockedFrame& frame, Out& out) {
  WriteType(FrameType::kStreamDataBlocked, out);
  WriteVarints(out, frame.stream_id.value(), frame.limit_bytes);
}

template <typename Out>
void Encode(const StreamsBlockedFrame& frame, Out& out) {
  GODWIT_CHECK(frame.limit_count <= kMaxStreams);
  WriteType(frame.direction == StreamDirection::kBidirectional ? FrameType::kStreamsBlockedBidi
                                                               : FrameType::kStreamsBlockedUni,
            out);
  out.WriteVarint(frame.limit_count);
}

template <typename Out>
void Encode(const NewConnectionIdFrame& frame, Out& out) {
  GODWIT_CHECK(frame.retire_prior_to <= frame.sequence_number);
  GODWIT_CHECK(!frame.connection_id.empty());
  WriteType(FrameType::kNewConnectionId, out);
  WriteVarints(out, frame.sequence_number, frame.retire_prior_to);
  out.WriteUint8PrefixedBytes(frame.connection_id.bytes());
  out.WriteBytes(frame.stateless_reset_token.bytes());
}

template <typename Out>
void Encode(const RetireConnectionIdFrame& frame, Out& out) {
  WriteType(FrameType::kRetireConnectionId, out);
  out.WriteVarint(frame.sequence_number);
}

template <typename Out>
void Encode(const PathChallengeFrame& frame, Out& out) {
  WriteType(FrameType::kPathChallenge, out);
  out.WriteBytes(frame.data);
}

template <typename Out>
void Encode(const PathResponseFrame& frame, Out& out) {
  WriteType(FrameType::kPathResponse, out);
  out.WriteBytes(frame.data);
}

template <typename Out>
void Encode(const ConnectionCloseFrame& frame, Out& out) {
  if (frame.error_space == ErrorSpace::kTransport) {
    WriteType(FrameType::kConnectionClose, out);
    WriteVarints(out, frame.error_code, frame.frame_type);
  } else {
    GODWIT_CHECK_EQ(frame.frame_type, 0);
    WriteType(FrameType::kApplicationClose, out);
    out.WriteVarint(frame.error_code);
  }
  out.WriteVarintPrefixedBytes(frame.reason_phrase);
}

template <typename Out>
void Encode(const HandshakeDoneFrame&, Out& out) {
  WriteType(FrameType::kHandshakeDone, out);
}

template <typename Out>
void Encode(const AckFrequencyFrame& frame, Out& out) {
  GODWIT_CHECK(frame.requested_max_ack_delay_us < (kMaxAckDelayMs + 1) * 1000);
  WriteType(FrameType::kAckFrequency, out);
  WriteVarints(out, frame.sequence_number, frame.ack_eliciting_threshold,
               frame.requested_max_ack_delay_us, frame.reordering_threshold);
}

template <typename Out>
void Encode(const ImmediateAckFrame&, Out& out) {
  WriteType(FrameType::kImmediateAck, out);
}

template <typename Out>
void Encode(const StreamFrameHeader& header, LengthField length, Out& out) {
  GODWIT_CHECK(header.data_size_bytes <= kMaxStreamOffset);
  GODWIT_CHECK(header.offset_bytes <= kMaxStreamOffset - header.data_size_bytes);
  uint8_t type = static_cast<uint8_t>(FrameType::kStream);
  if (header.offset_bytes != 0) type |= kStreamOffsetBit;
  if (length == LengthField::kPresent) type |= kStreamLengthBit;
  if (header.is_fin) type |= kStreamFinBit;
  out.WriteUint8(type);
  out.WriteVarint(header.stream_id.value());
  if (header.offset_bytes != 0) out.WriteVarint(header.offset_bytes);
  if (length == LengthField::kPresent) out.WriteVarint(header.data_size_bytes);
}

template <typename Out>
void Encode(const DatagramFrame& frame, LengthField length, Out& out) {
  if (length == LengthField::kPresent) {
    out.WriteUint8(static_cast<uint8_t>(FrameType::kDatagramWithLength));
    out.WriteVarintPrefixedBytes(frame.data);
  } else {
    out.WriteUint8(static_cast<uint8_t>(FrameType::kDatagram));
    out.WriteBytes(frame.data);
  }
}

StreamFrameHeader HeaderOf(const StreamFrame& frame) {
  return {frame.stream_id, frame.offset_bytes, frame.data.size(), frame.is_fin};
}

}  // namespace

template <PlainFrame F>
size_t EncodedSize(const F& frame) {
  SizeCounter counter;
  Encode(frame, counter);
  return counter.size_bytes();
}

template <PlainFrame F>
void WriteFrame(const F& frame, ByteWriter& writer) {
  Encode(frame, writer);
}

#define GODWIT_INSTANTIATE(F)            \
  template size_t EncodedSize(const F&); \
  template void WriteFrame(const F&, ByteWriter&)
GODWIT_INSTANTIATE(PaddingFrame);
GODWIT_INSTANTIATE(PingFrame);
GODWIT_INSTANTIATE(ResetStreamFrame);
GODWIT_INSTANTIATE(StopSendingFrame);
GODWIT_INSTANTIATE(CryptoFrame);
GODWIT_INSTANTIATE(NewTokenFrame);
GODWIT_INSTANTIATE(MaxDataFrame);
GODWIT_INSTANTIATE(MaxStreamDataFrame);
GODWIT_INSTANTIATE(MaxStreamsFrame);
GODWIT_INSTANTIATE(DataBlockedFrame);
GODWIT_INSTANTIATE(StreamDataBlockedFrame);
GODWIT_INSTANTIATE(StreamsBlockedFrame);
GODWIT_INSTANTIATE(NewConnectionIdFrame);
GODWIT_INSTANTIATE(RetireConnectionIdFrame);
GODWIT_INSTANTIATE(PathChallengeFrame);
GODWIT_INSTANTIATE(PathResponseFrame);
GODWIT_INSTANTIATE(ConnectionCloseFrame);
GODWIT_INSTANTIATE(HandshakeDoneFrame);
GODWIT_INSTANTIATE(AckFrequencyFrame);
GODWIT_INSTANTIATE(ImmediateAckFrame);
#undef GODWIT_INSTANTIATE

size_t EncodedSize(const StreamFrameHeader& header, LengthField length) {
  SizeCounter counter;
  Encode(header, length, counter);
  return counter.size_bytes();
}

void WriteStreamFrameHeader(const StreamFrameHeader& header, LengthField length,
                            ByteWriter& writer) {
  Encode(header, length, writer);
}

size_t EncodedSize(const StreamFrame& frame, LengthField length) {
  return EncodedSize(HeaderOf(frame), length) + frame.data.size();
}

void WriteFrame(const StreamFrame& frame, LengthField length, ByteWriter& writer) {
  Encode(HeaderOf(frame), length, writer);
  writer.WriteBytes(frame.data);
}

size_t EncodedSize(const DatagramFrame& frame, LengthField length) {
  SizeCounter counter;
  Encode(frame, length, counter);
  return counter.size_bytes();
}

void WriteFrame(const DatagramFrame& frame, LengthField length, ByteWriter& writer) {
  Encode(frame, length, writer);
}

}  // namespace godwit
