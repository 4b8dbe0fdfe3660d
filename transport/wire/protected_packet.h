// SPDX-License-Identifier: Apache-2.0
//
// A received QUIC version 1 packet on its way to plain text, a type for each stage, so that no step
// can be left out:
//
//   ProtectedPacket   as DatagramSplitter found it
//     | header protection is removed in place (crypto)
//   EncryptedPacket   its number and key phase are known
//     | the payload is opened in place (crypto)
//   PlainPacket       its payload may be read
//
// All are small views; the datagram stays where it is and belongs to the caller. Views of
// connection ids and token stay valid through all stages, because only the first byte, the packet
// number and the payload are rewritten. Here is no cryptography: whoever calls the transitions has
// done it.
//
// RFC 9000 §17.2, §17.3; RFC 9001 §5.3, §5.4. Invariant of the layout: the bytes reach at least
// kMinProtectedBytes beyond the packet number's offset.
#ifndef GODWIT_TRANSPORT_WIRE_PROTECTED_PACKET_H_
#define GODWIT_TRANSPORT_WIRE_PROTECTED_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/check.h"
#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "transport/wire/big_endian.h"
#include "transport/wire/packet_first_byte.h"
#include "transport/wire/packet_number_codec.h"

namespace godwit {

// Where the fields of a packet are, counted from its first byte. Aligned so that it is copied in
// one piece: a load that spans smaller stores just made waits for them.
struct alignas(8) PacketLayout {
  uint16_t token_offset = 0;
  uint16_t token_size = 0;
  uint16_t packet_number_offset = 0;
  uint8_t dcid_offset = 0;
  uint8_t dcid_size = 0;
  uint8_t scid_size = 0;  // A size byte stands between dcid and scid.
  EncryptionLevel level = EncryptionLevel::kOneRtt;
};

static_assert(kMaxDatagramBytes <= UINT16_MAX);

// What all stages can say. `bytes` is the packet alone, without those coalesced with it.
class PacketFields {
 public:
  EncryptionLevel level() const { return layout_.level; }
  bool has_long_header() const { return layout_.level != EncryptionLevel::kOneRtt; }
  size_t size() const { return bytes_.size(); }

  std::span<const uint8_t> dcid() const {
    return bytes_.subspan(layout_.dcid_offset, layout_.dcid_size);
  }
  // Empty in a 1-RTT packet.
  std::span<const uint8_t> scid() const {
    if (!has_long_header()) return {};
    return bytes_.subspan(size_t{layout_.dcid_offset} + layout_.dcid_size + 1, layout_.scid_size);
  }
  // Empty except in an Initial packet. RFC 9000 §17.2.2: one from a server must not have any; the
  // caller, who knows what it is, looks.
  std::span<const uint8_t> token() const {
    return bytes_.subspan(layout_.token_offset, layout_.token_size);
  }

  // RFC 9000 §17.4: only for 1-RTT packets; not covered by header protection.
  bool spin_bit() const { return (bytes_[0] & kSpinBit) != 0; }

 protected:
  PacketFields(std::span<uint8_t> bytes, const PacketLayout& layout)
      : bytes_(bytes), layout_(layout) {
    GODWIT_DCHECK_GE(bytes.size(), layout.packet_number_offset + kMinProtectedBytes);
  }

  std::span<uint8_t> bytes_;
  PacketLayout layout_;
};

class PlainPacket : public PacketFields {
 public:
  PacketNumber packet_number() const { return packet_number_; }

  // RFC 9001 §6: of a 1-RTT packet.
  bool key_phase_bit() const { return (bytes_[0] & kKeyPhaseBit) != 0; }

  // The frames.
  std::span<const uint8_t> payload() const { return payload_; }

  // RFC 9000 §17.2, §17.3.1: reserved bits that are not 0 close the connection. RFC 9001 §9.5: only
  // after the packet was opened, else an attacker learns what header protection hides; that is why
  // no earlier stage has this function.
  Result CheckReservedBits() const {
    if (has_long_header()) {
      if ((bytes_[0] & kLongReservedBits) != 0) return kLongHeaderReservedBitsSet;
    } else {
      if ((bytes_[0] & kShortReservedBits) != 0) return kShortHeaderReservedBitsSet;
    }
    return Result::Ok();
  }

 private:
  friend class EncryptedPacket;

  PlainPacket(const PacketFields& fields, PacketNumber packet_number,
              std::span<const uint8_t> payload)
      : PacketFields(fields), packet_number_(packet_number), payload_(payload) {}

  PacketNumber packet_number_;
  std::span<const uint8_t> payload_;
};

class EncryptedPacket : public PacketFields {
 public:
  PacketNumber packet_number() const { return packet_number_; }

  // RFC 9001 §6: of a 1-RTT packet; not yet authenticated.
  bool key_phase_bit() const { return (bytes_[0] & kKeyPhaseBit) != 0; }

  // RFC 9001 §5.3: the associated data of the AEAD, packet number included.
  std::span<const uint8_t> header() const { return bytes_.first(header_size()); }

  // Ciphertext and tag, to be opened in place.
  std::span<uint8_t> protected_payload() const { return bytes_.subspan(header_size()); }

  // After protected_payload() was opened in place to `payload_size` bytes at its start.
  PlainPacket PayloadOpened(size_t payload_size) && {
    GODWIT_CHECK_LE(header_size() + payload_size, bytes_.size());
    return PlainPacket(*this, packet_number_, bytes_.subspan(header_size(), payload_size));
  }

 private:
  friend class ProtectedPacket;

  EncryptedPacket(const PacketFields& fields, std::optional<PacketNumber> largest_processed)
      : PacketFields(fields), packet_number_(ReadPacketNumber(largest_processed)) {}

  size_t packet_number_size() const { return size_t{1} + (bytes_[0] & kPacketNumberSizeMask); }
  size_t header_size() const { return layout_.packet_number_offset + packet_number_size(); }

  PacketNumber ReadPacketNumber(std::optional<PacketNumber> largest_processed) const {
    const size_t size = packet_number_size();
    // The layout's invariant: four bytes are there however few belong to the packet number.
    const uint32_t four_bytes = LoadBigEndian32(&bytes_[layout_.packet_number_offset]);
    const uint32_t truncated = four_bytes >> (8 * (kMaxPacketNumberSize - size));
    return ExpandPacketNumber(truncated, size, largest_processed);
  }

  PacketNumber packet_number_;
};

class ProtectedPacket : public PacketFields {
 public:
  // For DatagramSplitter.
  ProtectedPacket(std::span<uint8_t> bytes, const PacketLayout& layout)
      : PacketFields(bytes, layout) {}

  // The whole packet, in which the crypto side removes header protection.
  std::span<uint8_t> bytes() const { return bytes_; }
  size_t packet_number_offset() const { return layout_.packet_number_offset; }

  // RFC 9001 §5.4.2.
  std::span<const uint8_t, kHeaderProtectionSampleSize> sample() const {
    return bytes_.subspan(layout_.packet_number_offset + kHeaderProtectionSampleOffset)
        .first<kHeaderProtectionSampleSize>();
  }

  // After header protection was removed in place. `largest_processed`: the largest packet number
  // authenticated in SpaceOf(level()), nullopt if there is none.
  EncryptedPacket HeaderProtectionRemoved(std::optional<PacketNumber> largest_processed) && {
    return EncryptedPacket(*this, largest_processed);
  }
};

static_assert(sizeof(ProtectedPacket) <= 32);
static_assert(sizeof(PlainPacket) <= 64);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_PROTECTED_PACKET_H_
