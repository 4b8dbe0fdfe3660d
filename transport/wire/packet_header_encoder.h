// SPDX-License-Identifier: Apache-2.0
//
// Headers of packets that we send, before protection: RFC 9000 §17.2.2 to §17.2.4, §17.3.1. Retry
// and Version Negotiation are in stateless_packets.h.
//
// The Length of a long header is reserved by EncodeLongHeader and filled in by SetPacketLength when
// the packet is complete. Which packet number size, spin value or key phase to use is decided by
// the caller. Sizes are exact; a wrong argument is our own mistake and dies in GODWIT_CHECK.
#ifndef GODWIT_TRANSPORT_WIRE_PACKET_HEADER_ENCODER_H_
#define GODWIT_TRANSPORT_WIRE_PACKET_HEADER_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/packet_first_byte.h"
#include "transport/wire/packet_number_codec.h"
#include "transport/wire/varint.h"
#include "transport/wire/version.h"

namespace godwit {

// What a long header says. The spans are read when it is encoded, not later.
struct LongHeader {
  EncryptionLevel level = EncryptionLevel::kInitial;  // Not kOneRtt.
  uint32_t version = kVersion1;
  std::span<const uint8_t> dcid = {};
  std::span<const uint8_t> scid = {};
  std::span<const uint8_t> token = {};  // Empty except in a client's Initial packets.
  PacketNumber packet_number = PacketNumber(0);
  size_t packet_number_size = kMaxPacketNumberSize;
  // Of the Length field: k2 for packets up to 16 KiB.
  VarintWidth length_width = VarintWidth::k2;
  FixedBit fixed_bit = FixedBit::kSet;
};

// Where an encoded long header has what is needed to complete the packet, counted from its start.
struct LongHeaderLayout {
  size_t length_offset;
  size_t packet_number_offset;
};

// Bytes of the header, packet number included.
size_t LongHeaderSize(const LongHeader& header);

// Appends exactly LongHeaderSize() bytes. The Length is wrong until SetPacketLength.
LongHeaderLayout EncodeLongHeader(const LongHeader& header, ByteWriter& writer);

// Sets the Length of `packet`: everything from its first byte to the end of the AEAD tag, whether
// or not payload and tag are there already.
void SetPacketLength(std::span<uint8_t> packet, const LongHeaderLayout& layout);

// What the header of a 1-RTT packet says.
struct ShortHeader {
  std::span<const uint8_t> dcid = {};
  PacketNumber packet_number = PacketNumber(0);
  size_t packet_number_size = kMaxPacketNumberSize;
  bool spin_bit = false;       // RFC 9000 §17.4
  bool key_phase_bit = false;  // RFC 9001 §6
  FixedBit fixed_bit = FixedBit::kSet;
};

// Bytes of the header, packet number included.
constexpr size_t ShortHeaderSize(size_t dcid_size, size_t packet_number_size) {
  return 1 + dcid_size + packet_number_size;
}

// Appends exactly ShortHeaderSize() bytes.
inline void EncodeShortHeader(const ShortHeader& header, ByteWriter& writer) {
  GODWIT_CHECK_LE(header.dcid.size(), kMaxConnectionIdBytes);
  GODWIT_DCHECK_GE(header.packet_number_size, 1);
  unsigned first = static_cast<unsigned>(header.packet_number_size - 1);
  if (header.fixed_bit == FixedBit::kSet) first |= kFixedBit;
  if (header.spin_bit) first |= kSpinBit;
  if (header.key_phase_bit) first |= kKeyPhaseBit;
  writer.WriteUint8(static_cast<uint8_t>(first));
  writer.WriteBytes(header.dcid);
  WritePacketNumber(header.packet_number, header.packet_number_size, writer);
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_PACKET_HEADER_ENCODER_H_
