// SPDX-License-Identifier: Apache-2.0
//
// FrameType: the first field of every frame, as a name. RFC 9000 §12.4, §19; RFC 9221 §4;
// draft-ietf-quic-ack-frequency §4, §5.
//
// The field is a varint, but all types that we know fit into a byte; a type that we do not know
// stays a uint64_t. Frames whose type holds flags have several values here. What a type permits
// stands in frame_rules.h, what follows it on the wire in frame.h.
#ifndef GODWIT_TRANSPORT_WIRE_FRAME_TYPE_H_
#define GODWIT_TRANSPORT_WIRE_FRAME_TYPE_H_

#include <cstdint>

namespace godwit {

enum class FrameType : uint8_t {
  kPadding = 0x00,
  kPing = 0x01,
  kAck = 0x02,
  kAckWithEcn = 0x03,
  kResetStream = 0x04,
  kStopSending = 0x05,
  kCrypto = 0x06,
  kNewToken = 0x07,
  kStream = 0x08,  // To kStreamLast: the kStream...Bit below are set in any combination.
  kStreamLast = 0x0f,
  kMaxData = 0x10,
  kMaxStreamData = 0x11,
  kMaxStreamsBidi = 0x12,
  kMaxStreamsUni = 0x13,
  kDataBlocked = 0x14,
  kStreamDataBlocked = 0x15,
  kStreamsBlockedBidi = 0x16,
  kStreamsBlockedUni = 0x17,
  kNewConnectionId = 0x18,
  kRetireConnectionId = 0x19,
  kPathChallenge = 0x1a,
  kPathResponse = 0x1b,
  kConnectionClose = 0x1c,   // For errors of QUIC.
  kApplicationClose = 0x1d,  // CONNECTION_CLOSE for errors of the application.
  kHandshakeDone = 0x1e,
  kImmediateAck = 0x1f,
  kDatagram = 0x30,
  kDatagramWithLength = 0x31,
  kAckFrequency = 0xaf,
};

// RFC 9000 §19.8: the low bits of the type of a STREAM frame.
inline constexpr uint8_t kStreamFinBit = 0x01;
inline constexpr uint8_t kStreamLengthBit = 0x02;
inline constexpr uint8_t kStreamOffsetBit = 0x04;

// Whether RFC 9000 §19, whose last type is HANDSHAKE_DONE, leaves the frame to an extension.
constexpr bool IsExtensionFrameType(FrameType type) { return type > FrameType::kHandshakeDone; }

constexpr bool IsStreamFrameType(FrameType type) {
  return (static_cast<uint8_t>(type) & ~(kStreamFinBit | kStreamLengthBit | kStreamOffsetBit)) ==
         static_cast<uint8_t>(FrameType::kStream);
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_FRAME_TYPE_H_
