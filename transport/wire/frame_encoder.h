// SPDX-License-Identifier: Apache-2.0
//
// Frames to bytes, each with a function that tells its size beforehand. RFC 9000 §19; RFC 9221 §4;
// draft-ietf-quic-ack-frequency §4, §5.
//
// What is written is minimal: the shortest varints, no zero offset. STREAM frames can be written
// without their data, for a packet that is sealed from the application's memory; ACK frames are
// written straight from wherever the ranges are kept.
//
// It does not decide what to send nor whether a packet permits it. A frame that breaks a rule of
// its section, or does not fit, is our own bug: GODWIT_CHECK.
#ifndef GODWIT_TRANSPORT_WIRE_FRAME_ENCODER_H_
#define GODWIT_TRANSPORT_WIRE_FRAME_ENCODER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>

#include "base/check.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "godwit/stream_id.h"
#include "transport/wire/ack_ranges.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_type.h"
#include "transport/wire/varint.h"

namespace godwit {

// ---- Every struct of frame.h but the three that follow below ----

template <typename F>
concept PlainFrame =
    F::kKind != FrameKind::kAck&& F::kKind != FrameKind::kStream&& F::kKind != FrameKind::kDatagram;

template <PlainFrame F>
size_t EncodedSize(const F& frame);

template <PlainFrame F>
void WriteFrame(const F& frame, ByteWriter& writer);

// ---- STREAM and DATAGRAM frames ----

// RFC 9000 §19.8, RFC 9221 §4: without a length the data reaches to the end of the packet, so only
// the last frame of a packet can do without it.
enum class LengthField : uint8_t { kPresent, kAbsent };

// A StreamFrame without its data, which whoever builds the packet puts right behind.
// offset_bytes + data_size_bytes <= kMaxStreamOffset.
struct StreamFrameHeader {
  StreamId stream_id;
  uint64_t offset_bytes;
  uint64_t data_size_bytes;
  bool is_fin;
};

size_t EncodedSize(const StreamFrameHeader& header, LengthField length);
void WriteStreamFrameHeader(const StreamFrameHeader& header, LengthField length,
                            ByteWriter& writer);

size_t EncodedSize(const StreamFrame& frame, LengthField length);
void WriteFrame(const StreamFrame& frame, LengthField length, ByteWriter& writer);

size_t EncodedSize(const DatagramFrame& frame, LengthField length);
void WriteFrame(const DatagramFrame& frame, LengthField length, ByteWriter& writer);

// ---- ACK frames ----

// What an ACK frame says besides its ranges.
struct AckFrameFields {
  uint64_t encoded_ack_delay;  // In units of 2^ack_delay_exponent microseconds.
  std::optional<EcnCounts> ecn_counts;
};

struct AckFrameLimits {
  size_t max_ranges = kMaxAckRangesSent;
  size_t max_bytes;  // Of the frame.
};

// How much of the ranges an ACK frame takes, and its exact size. No range: not even one fits.
struct AckFramePlan {
  size_t range_count = 0;
  size_t size_bytes = 0;
};

// Where ranges are kept. They descend, and between two of them at least one number is missing.
template <typename R>
concept AckRangeSource = std::ranges::forward_range<const R> &&
    std::convertible_to<std::ranges::range_reference_t<const R>, AckRange>;

// As many of the first, largest, ranges as the limits permit.
template <AckRangeSource Ranges>
AckFramePlan PlanAckFrame(const AckFrameFields& fields, const Ranges& ranges,
                          const AckFrameLimits& limits);

// Writes what PlanAckFrame planned for the same fields and ranges. The plan has a range. It is our
// own bug (GODWIT_CHECK) if the ranges have become fewer since.
template <AckRangeSource Ranges>
void WriteAckFrame(const AckFrameFields& fields, const Ranges& ranges, const AckFramePlan& plan,
                   ByteWriter& writer);

// ---- Implementation ----

namespace frame_encoder_internal {

// RFC 9000 §19.3.1: both fields of a range are one less than the numbers that they stand for.
struct GapAndLength {
  uint64_t gap;
  uint64_t length;

  size_t EncodedSize() const { return VarintSize(gap) + VarintSize(length); }
};

// Ranges that are not in order wrap around to numbers that no varint holds, and that ByteWriter
// therefore refuses.
inline uint64_t LengthOf(const AckRange& range) {
  return range.largest.value() - range.smallest.value();
}

inline GapAndLength Below(PacketNumber previous_smallest, const AckRange& range) {
  return {previous_smallest.value() - range.largest.value() - 2, LengthOf(range)};
}

inline size_t EncodedSize(const EcnCounts& counts) {
  return VarintSize(counts.ect0_count) + VarintSize(counts.ect1_count) +
         VarintSize(counts.ce_count);
}

}  // namespace frame_encoder_internal

template <AckRangeSource Ranges>
AckFramePlan PlanAckFrame(const AckFrameFields& fields, const Ranges& ranges,
                          const AckFrameLimits& limits) {
  namespace internal = frame_encoder_internal;
  auto next = std::ranges::begin(ranges);
  const auto end = std::ranges::end(ranges);
  if (next == end || limits.max_ranges == 0) return {};
  const AckRange first = *next;
  // All but the field that counts the ranges.
  size_t size = 1 + VarintSize(first.largest.value()) + VarintSize(fields.encoded_ack_delay) +
                VarintSize(internal::LengthOf(first));
  if (fields.ecn_counts.has_value()) size += internal::EncodedSize(*fields.ecn_counts);
  if (size + VarintSize(0) > limits.max_bytes) return {};

  size_t range_count = 1;
  PacketNumber previous_smallest = first.smallest;
  while (range_count < limits.max_ranges && ++next != end) {
    const AckRange range = *next;
    const size_t size_with_range = size + internal::Below(previous_smallest, range).EncodedSize();
    if (size_with_range + VarintSize(range_count) > limits.max_bytes) break;
    size = size_with_range;
    previous_smallest = range.smallest;
    ++range_count;
  }
  return {range_count, size + VarintSize(range_count - 1)};
}

template <AckRangeSource Ranges>
void WriteAckFrame(const AckFrameFields& fields, const Ranges& ranges, const AckFramePlan& plan,
                   ByteWriter& writer) {
  namespace internal = frame_encoder_internal;
  GODWIT_CHECK_GT(plan.range_count, 0);
  const size_t frame_begin = writer.position();
  auto next = std::ranges::begin(ranges);
  const auto end = std::ranges::end(ranges);
  GODWIT_CHECK(next != end);
  const AckRange first = *next;
  writer.WriteUint8(static_cast<uint8_t>(fields.ecn_counts.has_value() ? FrameType::kAckWithEcn
                                                                       : FrameType::kAck));
  writer.WriteVarint(first.largest.value());
  writer.WriteVarint(fields.encoded_ack_delay);
  writer.WriteVarint(plan.range_count - 1);
  writer.WriteVarint(internal::LengthOf(first));
  PacketNumber previous_smallest = first.smallest;
  for (size_t more_ranges = plan.range_count - 1; more_ranges != 0; --more_ranges) {
    ++next;
    GODWIT_CHECK(next != end);
    const AckRange range = *next;
    const internal::GapAndLength fields_of_range = internal::Below(previous_smallest, range);
    writer.WriteVarint(fields_of_range.gap);
    writer.WriteVarint(fields_of_range.length);
    previous_smallest = range.smallest;
  }
  if (fields.ecn_counts.has_value()) {
    writer.WriteVarint(fields.ecn_counts->ect0_count);
    writer.WriteVarint(fields.ecn_counts->ect1_count);
    writer.WriteVarint(fields.ecn_counts->ce_count);
  }
  GODWIT_CHECK_EQ(writer.position() - frame_begin, plan.size_bytes);
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_FRAME_ENCODER_H_
