// SPDX-License-Identifier: Apache-2.0
//
// The bits of the first byte of a QUIC version 1 packet (RFC 9000 §17.2, §17.3.1), and the two
// sizes of header protection that decide whether a packet can be read (RFC 9001 §5.4.2).
//
//   long   1 F T T R R P P     F fixed, T type, R reserved, P packet number size - 1
//   short  0 F S R R K P P     S spin, K key phase
#ifndef GODWIT_TRANSPORT_WIRE_PACKET_FIRST_BYTE_H_
#define GODWIT_TRANSPORT_WIRE_PACKET_FIRST_BYTE_H_

#include <cstddef>
#include <cstdint>

namespace godwit {

inline constexpr uint8_t kLongHeaderBit = 0x80;
inline constexpr uint8_t kFixedBit = 0x40;
inline constexpr uint8_t kPacketNumberSizeMask = 0x03;

inline constexpr uint8_t kLongPacketTypeMask = 0x30;
inline constexpr int kLongPacketTypeShift = 4;
inline constexpr uint8_t kLongReservedBits = 0x0c;
inline constexpr uint8_t kRetryUnusedBits = 0x0f;

inline constexpr uint8_t kSpinBit = 0x20;
inline constexpr uint8_t kShortReservedBits = 0x18;
inline constexpr uint8_t kKeyPhaseBit = 0x04;

// RFC 9000 §17.2, table 5. The first three are protected, and their values are those of the
// EncryptionLevel enumerators.
enum class LongPacketType : uint8_t { kInitial = 0, kZeroRtt = 1, kHandshake = 2, kRetry = 3 };

// What the sender puts into the fixed bit. RFC 9287 §3.1: kGreased only after the peer's transport
// parameter grease_quic_bit in this connection; one from a session ticket is no permission, so that
// 0-RTT packets have it set.
enum class FixedBit : uint8_t { kSet, kGreased };

// What the receiver makes of it. RFC 9287 §3: kIgnored only if we sent grease_quic_bit ourselves.
enum class FixedBitRule : uint8_t { kMustBeSet, kIgnored };

// RFC 9001 §5.4.2: the sample starts where the payload would after the longest packet number.
inline constexpr size_t kHeaderProtectionSampleOffset = 4;
inline constexpr size_t kHeaderProtectionSampleSize = 16;

// Bytes of packet number and protected payload that every packet has: less cannot be sampled.
inline constexpr size_t kMinProtectedBytes =
    kHeaderProtectionSampleOffset + kHeaderProtectionSampleSize;

// Bytes of frames that a packet needs, PADDING included, so that with an AEAD tag of 16 bytes it
// can be sampled.
constexpr size_t MinFrameBytes(size_t packet_number_size) {
  return kHeaderProtectionSampleOffset - packet_number_size;
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_PACKET_FIRST_BYTE_H_
