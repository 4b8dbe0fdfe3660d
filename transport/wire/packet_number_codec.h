// SPDX-License-Identifier: Apache-2.0
//
// How a packet number is shortened to 1 to 4 bytes and recovered. RFC 9000 §17.1, A.2, A.3.
//
// Not here: which number comes next, and the header protection that covers these bytes.
//
// Invariant: a receiver that has processed a packet numbered `largest_acked` or higher, and nothing
// beyond `number` + `later_packets`, expands what PacketNumberSize(number, largest_acked,
// later_packets) bytes hold to `number` again.
#ifndef GODWIT_TRANSPORT_WIRE_PACKET_NUMBER_CODEC_H_
#define GODWIT_TRANSPORT_WIRE_PACKET_NUMBER_CODEC_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "transport/wire/byte_writer.h"

namespace godwit {

inline constexpr size_t kMaxPacketNumberSize = 4;  // RFC 9000 §17.1

// The fewest bytes from which the receiver recovers `number`, which lies above `largest_acked`
// (nullopt: no packet of this space was acknowledged yet). `later_packets` is how many packets sent
// after this one may overtake it.
constexpr size_t PacketNumberSize(PacketNumber number, std::optional<PacketNumber> largest_acked,
                                  uint64_t later_packets = 0) {
  const int64_t unacked_count =
      largest_acked.has_value() ? number - *largest_acked : number - PacketNumber(0) + 1;
  GODWIT_DCHECK_GT(unacked_count, 0);
  // RFC 9000 §17.1: the range of the encoding is more than twice the distance. The same keeps the
  // number less than half a range below the next one expected after `later_packets` others.
  const uint64_t distance = std::max(static_cast<uint64_t>(unacked_count), later_packets + 1);
  const size_t size = (static_cast<size_t>(std::bit_width(distance)) + 1 + 7) / 8;
  // Our sent packets that wait for an acknowledgment are fewer than 2^31 by orders of magnitude.
  GODWIT_CHECK_LE(size, kMaxPacketNumberSize);
  return size;
}

// Writes the `size` least significant bytes of `number`.
inline void WritePacketNumber(PacketNumber number, size_t size, ByteWriter& writer) {
  const uint64_t value = number.value();
  switch (size) {
    case 1:
      return writer.WriteUint8(static_cast<uint8_t>(value));
    case 2:
      return writer.WriteUint16(static_cast<uint16_t>(value));
    case 3:
      writer.WriteUint8(static_cast<uint8_t>(value >> 16));
      return writer.WriteUint16(static_cast<uint16_t>(value));
    case 4:
      return writer.WriteUint32(static_cast<uint32_t>(value));
  }
  GODWIT_UNREACHABLE();
}

// The number closest to the next one expected whose `size` (1 to 4) least significant bytes are
// `truncated`. `largest_processed` is the largest that was authenticated in this space, nullopt if
// none was. RFC 9000 A.3.
//
// Any input gives a valid PacketNumber: a wrong guess is refused by the AEAD, whose nonce it is.
// RFC 9001 §9.5: until then the number is a secret, so no branch depends on it.
constexpr PacketNumber ExpandPacketNumber(uint32_t truncated, size_t size,
                                          std::optional<PacketNumber> largest_processed) {
  const uint64_t expected = largest_processed.has_value() ? largest_processed->value() + 1 : 0;
  const uint64_t window = uint64_t{1} << (8 * size);
  // From half a window below `expected`, exclusive, to half a window above it.
  const uint64_t ahead = (truncated - expected) & (window - 1);
  const uint64_t is_behind = ahead > window / 2;
  uint64_t number = expected + ahead - window * is_behind;
  // Packet numbers are 0 to 2^62-1: beyond either end the other side's number is the only one. A
  // number below 0 has wrapped around and is above kMaxPacketNumber + window.
  const uint64_t is_below = number > kMaxPacketNumber + window;
  number += window * is_below;
  const uint64_t is_above = number > kMaxPacketNumber;
  number -= window * is_above;
  return PacketNumber(number);
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_PACKET_NUMBER_CODEC_H_
