// SPDX-License-Identifier: Apache-2.0

#include "transport/wire/frame_decoder.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"
#include "transport/wire/frame_rules.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

// Reads one varint into each of `values`, in order.
template <typename... Values>
Result ReadVarints(ByteReader& reader, Values*... values) {
  return (reader.ReadVarint(values) && ...) ? Result::Ok() : Result(kFrameTruncated);
}

Result ReadLengthAndBytes(ByteReader& reader, std::span<const uint8_t>* bytes) {
  uint64_t length = 0;
  if (!reader.ReadVarint(&length)) return kFrameTruncated;
  if (!reader.ReadBytes(length, bytes)) return kFrameLengthBeyondPacket;
  return Result::Ok();
}

// RFC 9000 §19.3.1. Only looks at the ranges, which AckRanges decodes again on demand. A count that
// the packet cannot hold costs no more than the packet's bytes.
Result CheckAckRanges(ByteReader& reader, uint64_t smallest, uint64_t range_count) {
  for (; range_count != 0; --range_count) {
    uint64_t gap = 0;
    uint64_t length = 0;
    GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &gap, &length));
    // Three varints and 2 cannot overflow a uint64_t.
    const uint64_t distance = gap + length + 2;
    if (distance > smallest) return kAckRangeBelowZero;
    smallest -= distance;
  }
  return Result::Ok();
}

Result DecodeAck(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t largest = 0;
  uint64_t delay = 0;
  uint64_t more_ranges = 0;
  uint64_t first_length = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &largest, &delay, &more_ranges, &first_length));
  // RFC 9000 §19.3.1: no computed packet number may be negative.
  if (first_length > largest) return kAckRangeBelowZero;
  const std::span<const uint8_t> range_bytes = reader.rest();
  GODWIT_RETURN_IF_ERROR(CheckAckRanges(reader, largest - first_length, more_ranges));

  const AckRange first{PacketNumber(largest - first_length), PacketNumber(largest)};
  const AckRanges ranges(first, static_cast<size_t>(more_ranges) + 1, range_bytes);
  if (type == FrameType::kAck) {
    frame->Emplace<AckFrame>(type, ranges, delay, std::nullopt);
    return Result::Ok();
  }
  uint64_t ect0_count = 0;
  uint64_t ect1_count = 0;
  uint64_t ce_count = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &ect0_count, &ect1_count, &ce_count));
  frame->Emplace<AckFrame>(type, ranges, delay, EcnCounts{ect0_count, ect1_count, ce_count});
  return Result::Ok();
}

Result DecodeResetStream(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t id = 0;
  uint64_t error_code = 0;
  uint64_t final_size = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &id, &error_code, &final_size));
  frame->Emplace<ResetStreamFrame>(type, StreamId(id), error_code, final_size);
  return Result::Ok();
}

Result DecodeStopSending(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t id = 0;
  uint64_t error_code = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &id, &error_code));
  frame->Emplace<StopSendingFrame>(type, StreamId(id), error_code);
  return Result::Ok();
}

Result DecodeCrypto(ByteReader& reader, FrameType type, Frame* frame) {
  CryptoFrame& crypto = frame->Emplace<CryptoFrame>(type);
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &crypto.offset_bytes));
  GODWIT_RETURN_IF_ERROR(ReadLengthAndBytes(reader, &crypto.data));
  // RFC 9000 §19.6: of the two codes that it permits, ours is FRAME_ENCODING_ERROR.
  if (crypto.data.size() > kMaxStreamOffset - crypto.offset_bytes) return kCryptoOffsetTooLarge;
  return Result::Ok();
}

Result DecodeNewToken(ByteReader& reader, FrameType type, Frame* frame) {
  NewTokenFrame& new_token = frame->Emplace<NewTokenFrame>(type);
  GODWIT_RETURN_IF_ERROR(ReadLengthAndBytes(reader, &new_token.token));
  // RFC 9000 §19.7: an empty token is a FRAME_ENCODING_ERROR.
  if (new_token.token.empty()) return kNewTokenEmpty;
  return Result::Ok();
}

Result DecodeStream(ByteReader& reader, FrameType type, Frame* frame) {
  const uint8_t flags = static_cast<uint8_t>(type);
  StreamFrame& stream = frame->Emplace<StreamFrame>(type);
  uint64_t id = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &id));
  stream.stream_id = StreamId(id);
  if ((flags & kStreamOffsetBit) != 0) {
    GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &stream.offset_bytes));
  }
  if ((flags & kStreamLengthBit) != 0) {
    GODWIT_RETURN_IF_ERROR(ReadLengthAndBytes(reader, &stream.data));
  } else {
    stream.data = reader.ReadRest();
  }
  // RFC 9000 §19.8: of the two codes that it permits, ours is FRAME_ENCODING_ERROR.
  if (stream.data.size() > kMaxStreamOffset - stream.offset_bytes) return kStreamOffsetTooLarge;
  stream.is_fin = (flags & kStreamFinBit) != 0;
  return Result::Ok();
}

Result DecodeMaxData(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t maximum = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &maximum));
  frame->Emplace<MaxDataFrame>(type, maximum);
  return Result::Ok();
}

Result DecodeMaxStreamData(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t id = 0;
  uint64_t maximum = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &id, &maximum));
  frame->Emplace<MaxStreamDataFrame>(type, StreamId(id), maximum);
  return Result::Ok();
}

Result DecodeMaxStreams(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t maximum = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &maximum));
  // RFC 9000 §19.11: more would need stream ids that cannot be encoded.
  if (maximum > kMaxStreams) return kMaxStreamsTooLarge;
  frame->Emplace<MaxStreamsFrame>(type,
                                  type == FrameType::kMaxStreamsBidi
                                      ? StreamDirection::kBidirectional
                                      : StreamDirection::kUnidirectional,
                                  maximum);
  return Result::Ok();
}

Result DecodeDataBlocked(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t limit = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &limit));
  frame->Emplace<DataBlockedFrame>(type, limit);
  return Result::Ok();
}

Result DecodeStreamDataBlocked(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t id = 0;
  uint64_t limit = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &id, &limit));
  frame->Emplace<StreamDataBlockedFrame>(type, StreamId(id), limit);
  return Result::Ok();
}

Result DecodeStreamsBlocked(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t limit = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &limit));
  // RFC 9000 §19.14: of the two codes that it permits, ours is FRAME_ENCODING_ERROR.
  if (limit > kMaxStreams) return kStreamsBlockedTooLarge;
  frame->Emplace<StreamsBlockedFrame>(type,
                                      type == FrameType::kStreamsBlockedBidi
                                          ? StreamDirection::kBidirectional
                                          : StreamDirection::kUnidirectional,
                                      limit);
  return Result::Ok();
}

Result DecodeNewConnectionId(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t sequence_number = 0;
  uint64_t retire_prior_to = 0;
  uint8_t id_size = 0;
  std::span<const uint8_t> id_bytes;
  std::span<const uint8_t> token_bytes;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &sequence_number, &retire_prior_to));
  // RFC 9000 §19.15: a retirement reaches no further than the id that comes with it.
  if (retire_prior_to > sequence_number) return kNewConnectionIdRetirePriorToTooLarge;
  if (!reader.ReadUint8(&id_size)) return kFrameTruncated;
  // RFC 9000 §19.15: 1 to 20 bytes; anything else is a FRAME_ENCODING_ERROR.
  if (id_size == 0 || id_size > ConnectionId::kMaxSize) return kNewConnectionIdLengthInvalid;
  if (!reader.ReadBytes(id_size, &id_bytes)) return kFrameLengthBeyondPacket;
  if (!reader.ReadBytes(StatelessResetToken::kSize, &token_bytes)) return kFrameTruncated;
  frame->Emplace<NewConnectionIdFrame>(
      type, sequence_number, retire_prior_to, *ConnectionId::FromBytes(id_bytes),
      StatelessResetToken(token_bytes.first<StatelessResetToken::kSize>()));
  return Result::Ok();
}

Result DecodeRetireConnectionId(ByteReader& reader, FrameType type, Frame* frame) {
  uint64_t sequence_number = 0;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &sequence_number));
  frame->Emplace<RetireConnectionIdFrame>(type, sequence_number);
  return Result::Ok();
}

// PATH_CHALLENGE and PATH_RESPONSE.
template <typename PathFrame>
Result DecodePathFrame(ByteReader& reader, FrameType type, Frame* frame) {
  PathChallengeData& data = frame->Emplace<PathFrame>(type).data;
  std::span<const uint8_t> bytes;
  if (!reader.ReadBytes(data.size(), &bytes)) return kFrameTruncated;
  std::copy(bytes.begin(), bytes.end(), data.begin());
  return Result::Ok();
}

Result DecodeConnectionClose(ByteReader& reader, FrameType type, Frame* frame) {
  ConnectionCloseFrame& close = frame->Emplace<ConnectionCloseFrame>(type);
  close.error_space =
      type == FrameType::kConnectionClose ? ErrorSpace::kTransport : ErrorSpace::kApplication;
  GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &close.error_code));
  if (close.error_space == ErrorSpace::kTransport) {
    GODWIT_RETURN_IF_ERROR(ReadVarints(reader, &close.frame_type));
  }
  return ReadLengthAndBytes(reader, &close.reason_phrase);
}

Result DecodeDatagram(ByteReader& reader, FrameType type, Frame* frame) {
  DatagramFrame& datagram = frame->Emplace<DatagramFrame>(type);
  if (type == FrameType::kDatagramWithLength) return ReadLengthAndBytes(reader, &datagram.data);
  datagram.data = reader.ReadRest();
  return Result::Ok();
}

Result DecodeAckFrequency(ByteReader& reader, FrameType type, Frame* frame) {
  AckFrequencyFrame& fields = frame->Emplace<AckFrequencyFrame>(type);
  GODWIT_RETURN_IF_ERROR(
      ReadVarints(reader, &fields.sequence_number, &fields.ack_eliciting_threshold,
                  &fields.requested_max_ack_delay_us, &fields.reordering_threshold));
  // draft-ietf-quic-ack-frequency §4: what is no valid max_ack_delay is a PROTOCOL_VIOLATION.
  if (fields.requested_max_ack_delay_us >= (kMaxAckDelayMs + 1) * 1000) {
    return kAckFrequencyMaxAckDelayTooLarge;
  }
  return Result::Ok();
}

// The fields behind `type`, which is known.
Result DecodeFields(ByteReader& reader, FrameType type, Frame* frame) {
  // First, because most frames of a busy connection are.
  if (IsStreamFrameType(type)) return DecodeStream(reader, type, frame);
  switch (type) {
    case FrameType::kPadding:
      frame->Emplace<PaddingFrame>(type, 1 + reader.SkipZeros());
      return Result::Ok();
    case FrameType::kPing:
      frame->Emplace<PingFrame>(type);
      return Result::Ok();
    case FrameType::kAck:
    case FrameType::kAckWithEcn:
      return DecodeAck(reader, type, frame);
    case FrameType::kResetStream:
      return DecodeResetStream(reader, type, frame);
    case FrameType::kStopSending:
      return DecodeStopSending(reader, type, frame);
    case FrameType::kCrypto:
      return DecodeCrypto(reader, type, frame);
    case FrameType::kNewToken:
      return DecodeNewToken(reader, type, frame);
    case FrameType::kMaxData:
      return DecodeMaxData(reader, type, frame);
    case FrameType::kMaxStreamData:
      return DecodeMaxStreamData(reader, type, frame);
    case FrameType::kMaxStreamsBidi:
    case FrameType::kMaxStreamsUni:
      return DecodeMaxStreams(reader, type, frame);
    case FrameType::kDataBlocked:
      return DecodeDataBlocked(reader, type, frame);
    case FrameType::kStreamDataBlocked:
      return DecodeStreamDataBlocked(reader, type, frame);
    case FrameType::kStreamsBlockedBidi:
    case FrameType::kStreamsBlockedUni:
      return DecodeStreamsBlocked(reader, type, frame);
    case FrameType::kNewConnectionId:
      return DecodeNewConnectionId(reader, type, frame);
    case FrameType::kRetireConnectionId:
      return DecodeRetireConnectionId(reader, type, frame);
    case FrameType::kPathChallenge:
      return DecodePathFrame<PathChallengeFrame>(reader, type, frame);
    case FrameType::kPathResponse:
      return DecodePathFrame<PathResponseFrame>(reader, type, frame);
    case FrameType::kConnectionClose:
    case FrameType::kApplicationClose:
      return DecodeConnectionClose(reader, type, frame);
    case FrameType::kHandshakeDone:
      frame->Emplace<HandshakeDoneFrame>(type);
      return Result::Ok();
    case FrameType::kImmediateAck:
      frame->Emplace<ImmediateAckFrame>(type);
      return Result::Ok();
    case FrameType::kDatagram:
    case FrameType::kDatagramWithLength:
      return DecodeDatagram(reader, type, frame);
    case FrameType::kAckFrequency:
      return DecodeAckFrequency(reader, type, frame);
    case FrameType::kStream:
    case FrameType::kStreamLast:
      break;
  }
  GODWIT_UNREACHABLE();
}

}  // namespace

Result FrameDecoder::Next(Frame* frame) {
  GODWIT_DCHECK(!is_done());
  // RFC 9000 §12.4: a packet without frames is a PROTOCOL_VIOLATION.
  if (reader_.is_at_end()) return kPacketWithoutFrames;
  FrameType type{};
  GODWIT_RETURN_IF_ERROR(ReadType(&type));
  // First of all: what was not offered has no fields and no packets that permit it.
  if (IsExtensionFrameType(type)) GODWIT_RETURN_IF_ERROR(CheckOffered(type));
  GODWIT_RETURN_IF_ERROR(CheckFrameAllowed(type, level_, sender_));
  GODWIT_RETURN_IF_ERROR(DecodeFields(reader_, type, frame));
  // RFC 9221 §3: the limit is on the whole frame, with its type and length.
  if (frame->kind() == FrameKind::kDatagram &&
      frame_size_bytes() > offered_.max_datagram_frame_size) {
    return kDatagramTooLarge;
  }
  return Result::Ok();
}

Result FrameDecoder::CheckOffered(FrameType type) const {
  switch (type) {
    case FrameType::kDatagram:
    case FrameType::kDatagramWithLength:
      // RFC 9221 §3: unlike other frames that were not offered, a PROTOCOL_VIOLATION.
      return offered_.max_datagram_frame_size != 0 ? Result::Ok() : Result(kDatagramNotNegotiated);
    case FrameType::kAckFrequency:
      // RFC 9000 §12.4: of unknown type to us, so a FRAME_ENCODING_ERROR.
      return offered_.accepts_ack_frequency ? Result::Ok() : Result(kAckFrequencyNotNegotiated);
    case FrameType::kImmediateAck:
      return offered_.accepts_ack_frequency ? Result::Ok() : Result(kImmediateAckNotNegotiated);
    default:
      GODWIT_UNREACHABLE();
  }
}

Result FrameDecoder::ReadType(FrameType* type) {
  frame_begin_ = reader_.position();
  frame_type_ = 0;
  uint64_t value = 0;
  if (!reader_.ReadVarint(&value)) return kFrameTruncated;
  frame_type_ = value;
  // RFC 9000 §12.4: a type has one encoding, so that 0x4001 is no PING.
  if (frame_size_bytes() != VarintSize(value)) return kFrameTypeNotMinimal;
  // RFC 9000 §12.4: an unknown type is a FRAME_ENCODING_ERROR.
  if (!IsKnownFrameType(value)) return kFrameTypeUnknown;
  *type = static_cast<FrameType>(value);
  return Result::Ok();
}

}  // namespace godwit
