// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/packet_builder.h"

#include <algorithm>

#include "base/check.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/packet_first_byte.h"

namespace godwit {
namespace {

// Frames for which it is worth to begin a long-header packet.
constexpr size_t kMinFrameRoom = 64;

LongHeader LongHeaderOf(const PacketBuilder::Header& header) {
  return {.level = header.level,
          .dcid = header.dcid.bytes(),
          .scid = header.scid.bytes(),
          .packet_number = header.number,
          .packet_number_size = header.number_size};
}

}  // namespace

bool PacketBuilder::Fits(const Header& header, size_t room_bytes) {
  if (header.level == EncryptionLevel::kOneRtt) {
    return ShortHeaderSize(header.dcid.size(), header.number_size) + kMinOneRttFrameRoom +
               kAeadTagLength <=
           room_bytes;
  }
  const size_t header_size = LongHeaderSize(LongHeaderOf(header));
  return header_size + kMinFrameRoom + kAeadTagLength <= room_bytes;
}

PacketBuilder::PacketBuilder(const Header& header, std::span<uint8_t> room)
    : number_size_(header.number_size),
      number_(header.number),
      room_(room),
      header_size_(WriteHeader(header, room)),
      frames_(room.subspan(header_size_, room.size() - header_size_ - kAeadTagLength),
              {.level = header.level, .mode = header.mode, .number = header.number}) {}

size_t PacketBuilder::WriteHeader(const Header& header, std::span<uint8_t> room) {
  ByteWriter writer(room);
  if (header.level == EncryptionLevel::kOneRtt) {
    EncodeShortHeader({.dcid = header.dcid.bytes(),
                       .packet_number = header.number,
                       .packet_number_size = header.number_size,
                       .key_phase_bit = header.key_phase},
                      writer);
  } else {
    layout_ = EncodeLongHeader(LongHeaderOf(header), writer);
  }
  return writer.position();
}

size_t PacketBuilder::size() const {
  const size_t payload = std::max(frames_.payload_size(), MinFrameBytes(number_size_));
  return header_size_ + payload + kAeadTagLength;
}

OutgoingPacket PacketBuilder::Finish(size_t min_size) {
  const size_t size_with_padding = std::max(size(), min_size);
  GODWIT_CHECK_LE(size_with_padding, room_.size());
  const size_t unpadded = header_size_ + frames_.payload_size() + kAeadTagLength;
  if (size_with_padding > unpadded) {
    GODWIT_CHECK(!frames_.is_complete());
    const auto padding =
        room_.subspan(header_size_ + frames_.frames_size(), size_with_padding - unpadded);
    std::fill(padding.begin(), padding.end(), uint8_t{0});
    is_padded_ = true;
  }
  const std::span<uint8_t> bytes = room_.first(size_with_padding);
  if (level() != EncryptionLevel::kOneRtt) SetPacketLength(bytes, layout_);
  return {bytes, header_size_, number_, frames_.scattered_data()};
}

}  // namespace godwit
