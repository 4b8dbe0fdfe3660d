// SPDX-License-Identifier: Apache-2.0
//
// Any Frame to bytes, through the encoder. STREAM and DATAGRAM frames have a length where their
// type says so; for everything else the frame's meaning decides alone. RFC 9000 §19.
#ifndef GODWIT_TESTS_TRANSPORT_WIRE_ENCODE_FRAME_H_
#define GODWIT_TESTS_TRANSPORT_WIRE_ENCODE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_encoder.h"
#include "transport/wire/frame_type.h"

namespace godwit {

inline LengthField LengthFieldOf(FrameType type) {
  const bool has_length = IsStreamFrameType(type)
                              ? (static_cast<uint8_t>(type) & kStreamLengthBit) != 0
                              : type == FrameType::kDatagramWithLength;
  return has_length ? LengthField::kPresent : LengthField::kAbsent;
}

// The encoding, of which every byte is as the size function foretold.
inline std::vector<uint8_t> EncodeFrame(const Frame& frame) {
  std::vector<uint8_t> bytes;
  frame.Visit([&frame, &bytes]<typename F>(const F& fields) {
    if constexpr (F::kKind == FrameKind::kAck) {
      const AckFrameFields ack{fields.encoded_ack_delay, fields.ecn_counts};
      const AckFramePlan plan = PlanAckFrame(
          ack, fields.ranges, {.max_ranges = fields.ranges.size(), .max_bytes = SIZE_MAX});
      bytes.resize(plan.size_bytes);
      ByteWriter writer(bytes);
      WriteAckFrame(ack, fields.ranges, plan, writer);
      GODWIT_CHECK_EQ(writer.space_left(), 0);
    } else if constexpr (F::kKind == FrameKind::kStream || F::kKind == FrameKind::kDatagram) {
      const LengthField length = LengthFieldOf(frame.type());
      bytes.resize(EncodedSize(fields, length));
      ByteWriter writer(bytes);
      WriteFrame(fields, length, writer);
      GODWIT_CHECK_EQ(writer.space_left(), 0);
    } else {
      bytes.resize(EncodedSize(fields));
      ByteWriter writer(bytes);
      WriteFrame(fields, writer);
      GODWIT_CHECK_EQ(writer.space_left(), 0);
    }
  });
  return bytes;
}

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_WIRE_ENCODE_FRAME_H_
