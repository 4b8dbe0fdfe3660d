// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/packet_header_encoder.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "tests/transport/wire/hex_bytes.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/protected_packet.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Copy(std::span<const uint8_t> view) { return Bytes(view.begin(), view.end()); }

// A whole packet with `payload_size` bytes of frames and tag, all zero.
Bytes LongPacket(const LongHeader& header, size_t payload_size) {
  Bytes packet(LongHeaderSize(header) + payload_size);
  ByteWriter writer(packet);
  const LongHeaderLayout layout = EncodeLongHeader(header, writer);
  EXPECT_EQ(writer.position(), LongHeaderSize(header));
  EXPECT_EQ(layout.packet_number_offset + header.packet_number_size, LongHeaderSize(header));
  SetPacketLength(packet, layout);
  return packet;
}

Bytes ShortPacket(const ShortHeader& header, size_t payload_size) {
  Bytes packet(ShortHeaderSize(header.dcid.size(), header.packet_number_size) + payload_size);
  ByteWriter writer(packet);
  EncodeShortHeader(header, writer);
  EXPECT_EQ(writer.space_left(), payload_size);
  return packet;
}

// RFC 9001 A.2: 1162 bytes of frames and the tag.
TEST(PacketHeaderEncoderTest, ClientInitialExampleOfTheRfc) {
  const Bytes dcid = HexBytes("8394c8f03e515708");
  const LongHeader header{.level = EncryptionLevel::kInitial,
                          .dcid = dcid,
                          .packet_number = PacketNumber(2),
                          .packet_number_size = 4};

  const Bytes packet = LongPacket(header, 1162 + 16);

  EXPECT_EQ(Copy(std::span(packet).first(LongHeaderSize(header))),
            HexBytes("c300000001088394c8f03e5157080000449e00000002"));
}

// RFC 9001 A.3: 99 bytes of frames and the tag.
TEST(PacketHeaderEncoderTest, ServerInitialExampleOfTheRfc) {
  const Bytes scid = HexBytes("f067a5502a4262b5");
  const LongHeader header{.level = EncryptionLevel::kInitial,
                          .scid = scid,
                          .packet_number = PacketNumber(1),
                          .packet_number_size = 2};

  const Bytes packet = LongPacket(header, 99 + 16);

  EXPECT_EQ(Copy(std::span(packet).first(LongHeaderSize(header))),
            HexBytes("c1000000010008f067a5502a4262b50040750001"));
}

// RFC 9001 A.5.
TEST(PacketHeaderEncoderTest, ShortHeaderExampleOfTheRfc) {
  const Bytes packet =
      ShortPacket({.packet_number = PacketNumber(654360564), .packet_number_size = 3}, 0);

  EXPECT_EQ(packet, HexBytes("4200bff4"));
}

TEST(PacketHeaderEncoderTest, TypesFollowTheTableOfTheRfc) {
  const auto first_byte = [](EncryptionLevel level) {
    return LongPacket({.level = level, .packet_number_size = 1}, 20)[0];
  };

  EXPECT_EQ(first_byte(EncryptionLevel::kInitial), 0xc0);
  EXPECT_EQ(first_byte(EncryptionLevel::kZeroRtt), 0xd0);
  EXPECT_EQ(first_byte(EncryptionLevel::kHandshake), 0xe0);
}

TEST(PacketHeaderEncoderTest, BitsOfTheShortHeaderAreSet) {
  const auto first_byte = [](const ShortHeader& header) { return ShortPacket(header, 0)[0]; };

  EXPECT_EQ(first_byte({.packet_number_size = 1}), 0x40);
  EXPECT_EQ(first_byte({.packet_number_size = 4}), 0x43);
  EXPECT_EQ(first_byte({.packet_number_size = 1, .spin_bit = true}), 0x60);
  EXPECT_EQ(first_byte({.packet_number_size = 1, .key_phase_bit = true}), 0x44);
}

// RFC 9287 §3.1.
TEST(PacketHeaderEncoderTest, GreasedFixedBitIsZero) {
  EXPECT_EQ(ShortPacket({.packet_number_size = 1, .fixed_bit = FixedBit::kGreased}, 0)[0], 0x00);
  EXPECT_EQ(LongPacket({.level = EncryptionLevel::kHandshake,
                        .packet_number_size = 1,
                        .fixed_bit = FixedBit::kGreased},
                       20)[0],
            0xa0);
}

TEST(PacketHeaderEncoderTest, LengthCountsNumberPayloadAndTagInItsWidth) {
  const auto length_of = [](VarintWidth width, size_t payload_size) {
    const LongHeader header{
        .level = EncryptionLevel::kHandshake, .packet_number_size = 3, .length_width = width};
    const Bytes packet = LongPacket(header, payload_size);
    return Copy(std::span(packet).subspan(7, ByteCount(width)));
  };

  EXPECT_EQ(length_of(VarintWidth::k1, 60), HexBytes("3f"));
  EXPECT_EQ(length_of(VarintWidth::k2, 60), HexBytes("403f"));
  EXPECT_EQ(length_of(VarintWidth::k2, 16380), HexBytes("7fff"));
  EXPECT_EQ(length_of(VarintWidth::k4, 16381), HexBytes("80004000"));
  EXPECT_EQ(length_of(VarintWidth::k8, 60), HexBytes("c00000000000003f"));
}

TEST(PacketHeaderEncoderTest, CoalescedHeadersCountFromTheirOwnStart) {
  const LongHeader initial{.level = EncryptionLevel::kInitial, .packet_number_size = 1};
  const LongHeader handshake{.level = EncryptionLevel::kHandshake, .packet_number_size = 1};
  const size_t initial_size = LongHeaderSize(initial) + 30;
  Bytes datagram(initial_size + LongHeaderSize(handshake) + 40);
  ByteWriter writer(datagram);

  const LongHeaderLayout initial_layout = EncodeLongHeader(initial, writer);
  writer.WriteZeros(30);
  const LongHeaderLayout handshake_layout = EncodeLongHeader(handshake, writer);
  writer.WriteZeros(40);
  SetPacketLength(std::span(datagram).first(initial_size), initial_layout);
  SetPacketLength(std::span(datagram).subspan(initial_size), handshake_layout);

  DatagramSplitter splitter(datagram, PacketRules(0));
  DatagramPart part;
  ASSERT_TRUE(splitter.Next(&part));
  EXPECT_EQ(part.bytes().size(), initial_size);
  ASSERT_TRUE(splitter.Next(&part));
  EXPECT_EQ(part.packet().level(), EncryptionLevel::kHandshake);
  EXPECT_EQ(part.bytes().size(), datagram.size() - initial_size);
}

// RFC 9001 §5.4.2: as many bytes of frames, and a tag, are enough for a sample.
TEST(PacketHeaderEncoderTest, MinFrameBytesMakePacketsThatCanBeRead) {
  for (size_t size = 1; size <= kMaxPacketNumberSize; ++size) {
    Bytes packet = ShortPacket({.packet_number_size = size}, MinFrameBytes(size) + 16);

    DatagramSplitter splitter(packet, PacketRules(0));
    DatagramPart part;
    ASSERT_TRUE(splitter.Next(&part));
    EXPECT_EQ(part.kind(), DatagramPart::Kind::kPacket);

    if (MinFrameBytes(size) > 0) {
      packet.pop_back();
      DatagramSplitter smaller(packet, PacketRules(0));
      ASSERT_TRUE(smaller.Next(&part));
      EXPECT_EQ(part.kind(), DatagramPart::Kind::kDropped);
    }
  }
}

Bytes RandomBytes(Random& random, size_t size) {
  Bytes bytes(size);
  random.Fill(bytes);
  return bytes;
}

FixedBit RandomFixedBit(Random& random) {
  return random.UniformBelow(2) == 0 ? FixedBit::kSet : FixedBit::kGreased;
}

TEST(PacketHeaderEncoderTest, RandomLongHeadersComeBack) {
  SeededRandom random(6);
  constexpr EncryptionLevel kLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kZeroRtt,
                                         EncryptionLevel::kHandshake};
  for (int i = 0; i < 20'000; ++i) {
    const Bytes dcid = RandomBytes(random, random.UniformBelow(21));
    const Bytes scid = RandomBytes(random, random.UniformBelow(21));
    LongHeader header{
        .level = kLevels[random.UniformBelow(3)],
        .dcid = dcid,
        .scid = scid,
        .packet_number = PacketNumber(random.NextUint64() & 0x7fffffff),
        .packet_number_size = 1 + random.UniformBelow(4),
        .length_width = random.UniformBelow(2) == 0 ? VarintWidth::k2 : VarintWidth::k4,
        .fixed_bit = RandomFixedBit(random)};
    const Bytes token = RandomBytes(
        random, header.level == EncryptionLevel::kInitial ? random.UniformBelow(300) : 0);
    header.token = token;
    Bytes packet = LongPacket(header, 20 + random.UniformBelow(1000));

    DatagramSplitter splitter(packet, PacketRules(0, FixedBitRule::kIgnored));
    DatagramPart part;
    ASSERT_TRUE(splitter.Next(&part));
    ASSERT_EQ(part.kind(), DatagramPart::Kind::kPacket);
    const EncryptedPacket read = part.packet().HeaderProtectionRemoved(
        header.packet_number.value() == 0
            ? std::nullopt
            : std::optional(PacketNumber(header.packet_number.value() - 1)));

    ASSERT_EQ(read.level(), header.level);
    ASSERT_EQ(Copy(read.dcid()), dcid);
    ASSERT_EQ(Copy(read.scid()), scid);
    ASSERT_EQ(Copy(read.token()), token);
    ASSERT_EQ(read.packet_number(), header.packet_number);
    ASSERT_EQ(read.header().size(), LongHeaderSize(header));
    ASSERT_EQ(read.size(), packet.size());
    ASSERT_EQ((packet[0] & kFixedBit) != 0, header.fixed_bit == FixedBit::kSet);
    ASSERT_FALSE(splitter.Next(&part));
  }
}

TEST(PacketHeaderEncoderTest, RandomShortHeadersComeBack) {
  SeededRandom random(7);
  for (int i = 0; i < 20'000; ++i) {
    const Bytes dcid = RandomBytes(random, random.UniformBelow(21));
    const ShortHeader header{.dcid = dcid,
                             .packet_number = PacketNumber(1 + (random.NextUint64() >> 3)),
                             .packet_number_size = 1 + random.UniformBelow(4),
                             .spin_bit = random.UniformBelow(2) == 0,
                             .key_phase_bit = random.UniformBelow(2) == 0,
                             .fixed_bit = RandomFixedBit(random)};
    Bytes packet = ShortPacket(header, 20 + random.UniformBelow(1000));

    DatagramSplitter splitter(
        packet, PacketRules(dcid.size(), FixedBitRule::kIgnored));
    DatagramPart part;
    ASSERT_TRUE(splitter.Next(&part));
    ASSERT_EQ(part.kind(), DatagramPart::Kind::kPacket);
    const EncryptedPacket read =
        part.packet().HeaderProtectionRemoved(PacketNumber(header.packet_number.value() - 1));

    ASSERT_EQ(read.level(), EncryptionLevel::kOneRtt);
    ASSERT_EQ(Copy(read.dcid()), dcid);
    ASSERT_EQ(read.packet_number(), header.packet_number);
    ASSERT_EQ(read.spin_bit(), header.spin_bit);
    ASSERT_EQ(read.key_phase_bit(), header.key_phase_bit);
    ASSERT_EQ(read.header().size(), ShortHeaderSize(dcid.size(), header.packet_number_size));
  }
}

TEST(PacketHeaderEncoderDeathTest, HeadersThatCannotBeSentAreOurBug) {
  const Bytes id_21(21);
  const Bytes token(1);
  Bytes buffer(200);
  ByteWriter writer(buffer);

  EXPECT_DEATH(EncodeLongHeader({.level = EncryptionLevel::kOneRtt}, writer), "GODWIT_CHECK");
  EXPECT_DEATH(EncodeLongHeader({.dcid = id_21}, writer), "GODWIT_CHECK");
  EXPECT_DEATH(EncodeLongHeader({.scid = id_21}, writer), "GODWIT_CHECK");
  EXPECT_DEATH(EncodeLongHeader({.level = EncryptionLevel::kHandshake, .token = token}, writer),
               "GODWIT_CHECK");
  EXPECT_DEATH(EncodeLongHeader({.packet_number_size = 0}, writer), "GODWIT_CHECK");
  EXPECT_DEATH(EncodeShortHeader({.dcid = id_21}, writer), "GODWIT_CHECK");
}

TEST(PacketHeaderEncoderDeathTest, LengthThatDoesNotFitIsOurBug) {
  Bytes packet(20'000);
  ByteWriter writer(packet);
  const LongHeaderLayout layout = EncodeLongHeader({.length_width = VarintWidth::k2}, writer);

  EXPECT_DEATH(SetPacketLength(packet, layout), "GODWIT_CHECK");
  EXPECT_DEATH(SetPacketLength(std::span(packet).first(5), layout), "GODWIT_CHECK");
}

}  // namespace
}  // namespace godwit
