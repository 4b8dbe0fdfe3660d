// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/packet_header_encoder.h"

#include "transport/wire/invariant_header.h"

namespace godwit {

size_t LongHeaderSize(const LongHeader& header) {
  size_t size = InvariantLongHeaderSize(header.dcid.size(), header.scid.size()) +
                ByteCount(header.length_width) + header.packet_number_size;
  if (header.level == EncryptionLevel::kInitial) {
    size += VarintSize(header.token.size()) + header.token.size();
  }
  return size;
}

LongHeaderLayout EncodeLongHeader(const LongHeader& header, ByteWriter& writer) {
  GODWIT_CHECK_NE(header.level, EncryptionLevel::kOneRtt);
  GODWIT_CHECK_LE(header.dcid.size(), kMaxConnectionIdBytes);
  GODWIT_CHECK_LE(header.scid.size(), kMaxConnectionIdBytes);
  GODWIT_CHECK(header.token.empty() || header.level == EncryptionLevel::kInitial);
  GODWIT_CHECK_GE(header.packet_number_size, 1);

  const size_t start = writer.position();
  // RFC 9000 §17.2, table 5: the types count as the levels do.
  unsigned first = kLongHeaderBit | (static_cast<unsigned>(header.level) << kLongPacketTypeShift) |
                   static_cast<unsigned>(header.packet_number_size - 1);
  if (header.fixed_bit == FixedBit::kSet) first |= kFixedBit;
  writer.WriteUint8(static_cast<uint8_t>(first));
  writer.WriteUint32(header.version);
  writer.WriteUint8PrefixedBytes(header.dcid);
  writer.WriteUint8PrefixedBytes(header.scid);
  if (header.level == EncryptionLevel::kInitial) writer.WriteVarintPrefixedBytes(header.token);

  LongHeaderLayout layout;
  layout.length_offset = writer.position() - start;
  writer.WriteVarintWithWidth(0, header.length_width);
  layout.packet_number_offset = writer.position() - start;
  WritePacketNumber(header.packet_number, header.packet_number_size, writer);
  return layout;
}

void SetPacketLength(std::span<uint8_t> packet, const LongHeaderLayout& layout) {
  GODWIT_CHECK_LE(layout.packet_number_offset, packet.size());
  const size_t field_size = layout.packet_number_offset - layout.length_offset;
  // RFC 9000 §17.2: the Length counts packet number, payload and tag.
  ByteWriter(packet.subspan(layout.length_offset, field_size))
      .WriteVarintWithWidth(packet.size() - layout.packet_number_offset,
                            static_cast<VarintWidth>(field_size));
}

}  // namespace godwit
