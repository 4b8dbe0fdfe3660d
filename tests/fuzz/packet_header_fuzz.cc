// SPDX-License-Identifier: Apache-2.0
//
// Splits a datagram, reads every packet in it, encodes what was read again and compares. The first
// byte of the input chooses the rules, the rest is the datagram.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/packet_number.h"
#include "godwit/connection_id.h"
#include "transport/wire/byte_reader.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/invariant_header.h"
#include "transport/wire/packet_first_byte.h"
#include "transport/wire/packet_header_encoder.h"
#include "transport/wire/protected_packet.h"
#include "transport/wire/stateless_packets.h"
#include "transport/wire/varint.h"
#include "transport/wire/version.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

bool AreEqual(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return std::ranges::equal(a, b);
}

// Two headers may differ in the reserved bits, which we never set.
void CheckSameHeader(std::span<const uint8_t> received, std::span<const uint8_t> encoded,
                     uint8_t reserved_bits) {
  GODWIT_CHECK_EQ(received.size(), encoded.size());
  GODWIT_CHECK_EQ(received[0] & ~reserved_bits, encoded[0]);
  GODWIT_CHECK(AreEqual(received.subspan(1), encoded.subspan(1)));
}

FixedBit FixedBitOf(const EncryptedPacket& packet) {
  return (packet.header()[0] & kFixedBit) != 0 ? FixedBit::kSet : FixedBit::kGreased;
}

size_t PacketNumberSizeOf(const EncryptedPacket& packet) {
  return size_t{1} + (packet.header()[0] & kPacketNumberSizeMask);
}

void CheckShortHeader(const EncryptedPacket& packet) {
  const ShortHeader header{.dcid = packet.dcid(),
                           .packet_number = packet.packet_number(),
                           .packet_number_size = PacketNumberSizeOf(packet),
                           .spin_bit = packet.spin_bit(),
                           .key_phase_bit = packet.key_phase_bit(),
                           .fixed_bit = FixedBitOf(packet)};
  Bytes encoded(ShortHeaderSize(header.dcid.size(), header.packet_number_size));
  ByteWriter writer(encoded);

  EncodeShortHeader(header, writer);

  GODWIT_CHECK_EQ(writer.space_left(), 0);
  CheckSameHeader(packet.header(), encoded, kShortReservedBits);
}

void CheckLongHeader(const EncryptedPacket& packet) {
  // Between the end of the token, or where one would end, and the packet number.
  const uint8_t* const length_field = packet.token().data() + packet.token().size();
  const size_t packet_number_size = PacketNumberSizeOf(packet);
  const uint8_t* const packet_number =
      packet.header().data() + packet.header().size() - packet_number_size;
  const LongHeader header{.level = packet.level(),
                          .dcid = packet.dcid(),
                          .scid = packet.scid(),
                          .token = packet.token(),
                          .packet_number = packet.packet_number(),
                          .packet_number_size = packet_number_size,
                          .length_width = static_cast<VarintWidth>(packet_number - length_field),
                          .fixed_bit = FixedBitOf(packet)};
  const size_t payload_size = packet.protected_payload().size();
  Bytes encoded(LongHeaderSize(header) + payload_size);
  ByteWriter writer(encoded);

  const LongHeaderLayout layout = EncodeLongHeader(header, writer);
  SetPacketLength(encoded, layout);

  GODWIT_CHECK_EQ(writer.space_left(), payload_size);
  // A token size that was not minimal is written shorter.
  const size_t written_size = encoded.size() - payload_size;
  if (written_size == packet.header().size()) {
    CheckSameHeader(packet.header(), std::span(encoded).first(written_size), kLongReservedBits);
  } else {
    GODWIT_CHECK(packet.level() == EncryptionLevel::kInitial);
    GODWIT_CHECK_LT(written_size, packet.header().size());
  }

  DatagramSplitter splitter(encoded, PacketRules(0, FixedBitRule::kIgnored));
  DatagramPart part;
  GODWIT_CHECK(splitter.Next(&part));
  GODWIT_CHECK_EQ(part.kind(), DatagramPart::Kind::kPacket);
  GODWIT_CHECK(part.packet().level() == packet.level());
  GODWIT_CHECK(AreEqual(part.packet().dcid(), packet.dcid()));
  GODWIT_CHECK(AreEqual(part.packet().scid(), packet.scid()));
  GODWIT_CHECK(AreEqual(part.packet().token(), packet.token()));
  GODWIT_CHECK_EQ(part.packet().size(), encoded.size());
}

void CheckPacket(const DatagramPart& part) {
  GODWIT_CHECK_EQ(part.packet().sample().size(), kHeaderProtectionSampleSize);
  // Whatever was processed before: encoding takes the low bytes of the number again.
  EncryptedPacket packet = part.packet().HeaderProtectionRemoved(PacketNumber(1'000'000'000));
  if (packet.has_long_header()) {
    CheckLongHeader(packet);
  } else {
    CheckShortHeader(packet);
  }
  const size_t payload_size = packet.protected_payload().size() - kHeaderProtectionSampleSize;
  const PlainPacket plain = std::move(packet).PayloadOpened(payload_size);
  GODWIT_CHECK_EQ(plain.payload().size(), payload_size);
  const uint8_t reserved = plain.has_long_header() ? kLongReservedBits : kShortReservedBits;
  GODWIT_CHECK_EQ(plain.CheckReservedBits().ok(), (part.bytes()[0] & reserved) == 0);
}

void CheckRetry(std::span<const uint8_t> bytes) {
  const std::optional<RetryPacket> packet = RetryPacket::Parse(bytes);
  if (!packet.has_value()) return;
  const RetryHeader header{.dcid = packet->dcid(),
                           .scid = packet->scid(),
                           .token = packet->token(),
                           .random_bits = bytes[0]};
  Bytes encoded(RetrySizeWithoutTag(header));
  ByteWriter writer(encoded);

  WriteRetryWithoutTag(header, writer);

  GODWIT_CHECK_EQ(writer.space_left(), 0);
  GODWIT_CHECK_EQ(encoded[0], bytes[0] | kFixedBit);
  GODWIT_CHECK(AreEqual(std::span(encoded).subspan(1), packet->bytes_without_tag().subspan(1)));
  GODWIT_CHECK_EQ(encoded.size() + packet->integrity_tag().size(), bytes.size());

  Bytes pseudo_packet(RetryPseudoPacketSize(ConnectionId(), encoded));
  ByteWriter pseudo_writer(pseudo_packet);
  WriteRetryPseudoPacket(ConnectionId(), encoded, pseudo_writer);
  GODWIT_CHECK_EQ(pseudo_writer.space_left(), 0);
}

void CheckVersionNegotiation(std::span<const uint8_t> bytes) {
  const std::optional<VersionNegotiationPacket> packet = VersionNegotiationPacket::Parse(bytes);
  if (!packet.has_value()) return;
  std::vector<uint32_t> versions;
  for (size_t i = 0; i < packet->version_count(); ++i) versions.push_back(packet->version(i));
  for (const uint32_t version : versions) GODWIT_CHECK(packet->Lists(version));
  if (packet->Lists(kVersionNegotiation)) return;  // A list that we never write.
  const VersionNegotiationResponse response{.received_dcid = packet->scid(),
                                            .received_scid = packet->dcid(),
                                            .supported_versions = versions,
                                            .random_bits = bytes[0]};
  Bytes encoded(VersionNegotiationSize(response));
  ByteWriter writer(encoded);

  WriteVersionNegotiation(response, writer);

  GODWIT_CHECK_EQ(writer.space_left(), 0);
  GODWIT_CHECK_EQ(encoded[0], bytes[0] | kFixedBit);
  GODWIT_CHECK(AreEqual(std::span(encoded).subspan(1), bytes.subspan(1)));
}

void CheckInvariantHeader(std::span<const uint8_t> datagram, size_t short_header_dcid_size) {
  InvariantHeader header;
  if (!ParseInvariantHeader(datagram, short_header_dcid_size, &header)) return;
  const size_t size = header.is_long()
                          ? InvariantLongHeaderSize(header.dcid.size(), header.scid.size())
                          : 1 + header.dcid.size();
  GODWIT_CHECK_EQ(size + header.rest.size(), datagram.size());
}

void CheckDatagram(std::span<uint8_t> datagram, const PacketRules& rules) {
  CheckInvariantHeader(datagram, rules.short_header().dcid_size);
  GODWIT_CHECK_EQ(CandidateResetToken(datagram).has_value(), datagram.size() >= kMinPacketSize);

  DatagramSplitter splitter(datagram, rules);
  std::optional<Bytes> first_dcid;
  size_t covered = 0;
  for (DatagramPart part; splitter.Next(&part);) {
    GODWIT_CHECK(!part.bytes().empty());
    GODWIT_CHECK(part.bytes().data() == datagram.data() + covered);
    covered += part.bytes().size();
    switch (part.kind()) {
      case DatagramPart::Kind::kPacket: {
        const std::span<const uint8_t> dcid = part.packet().dcid();
        if (!first_dcid.has_value()) first_dcid.emplace(dcid.begin(), dcid.end());
        CheckPacket(part);
        break;
      }
      case DatagramPart::Kind::kRetry:
        GODWIT_CHECK_EQ(part.bytes().size(), datagram.size());
        CheckRetry(part.bytes());
        break;
      case DatagramPart::Kind::kVersionNegotiation:
        GODWIT_CHECK_EQ(part.bytes().size(), datagram.size());
        CheckVersionNegotiation(part.bytes());
        break;
      case DatagramPart::Kind::kDropped:
        GODWIT_CHECK(!ToString(part.drop_reason()).empty());
        break;
    }
    if (part.kind() == DatagramPart::Kind::kPacket) {
      GODWIT_CHECK(AreEqual(part.packet().dcid(), *first_dcid));
    }
  }
  GODWIT_CHECK_EQ(covered, datagram.size());
}

}  // namespace
}  // namespace godwit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  godwit::ByteReader reader({data, size});
  uint8_t choice = 0;
  if (!reader.ReadUint8(&choice)) return 0;
  const godwit::PacketRules rules(
      (choice & 0x1fu) % (godwit::ConnectionId::kMaxSize + 1),
      (choice & 0x20) != 0 ? godwit::FixedBitRule::kIgnored : godwit::FixedBitRule::kMustBeSet);
  // A copy of exactly its size, so that a read past the end is seen.
  std::vector<uint8_t> datagram(reader.rest().begin(), reader.rest().end());
  godwit::CheckDatagram(datagram, rules);
  return 0;
}
