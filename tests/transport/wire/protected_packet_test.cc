// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/protected_packet.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "tests/transport/wire/hex_bytes.h"
#include "transport/wire/datagram_splitter.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kTagSize = 16;

Bytes Copy(std::span<const uint8_t> view) { return Bytes(view.begin(), view.end()); }

// A packet whose protection crypto would have removed: `header` as it is before protection,
// `frames` and a tag.
Bytes Unprotected(std::string_view header, const Bytes& frames) {
  Bytes bytes = HexBytes(header);
  bytes.insert(bytes.end(), frames.begin(), frames.end());
  bytes.insert(bytes.end(), kTagSize, 0xee);
  return bytes;
}

ProtectedPacket OnlyPacket(Bytes& datagram, size_t short_header_dcid_size = 0) {
  DatagramSplitter splitter(datagram, PacketRules(short_header_dcid_size));
  DatagramPart part;
  GODWIT_CHECK(splitter.Next(&part));
  GODWIT_CHECK_EQ(part.kind(), DatagramPart::Kind::kPacket);
  return part.packet();
}

// RFC 9001 A.2.
TEST(ProtectedPacketTest, ClientInitialExampleOfTheRfc) {
  constexpr std::string_view kHeader = "c300000001088394c8f03e5157080000449e00000002";
  const Bytes frames(1162, 0x06);
  Bytes datagram = Unprotected(kHeader, frames);

  EncryptedPacket encrypted = OnlyPacket(datagram).HeaderProtectionRemoved(std::nullopt);

  EXPECT_EQ(encrypted.level(), EncryptionLevel::kInitial);
  EXPECT_EQ(encrypted.packet_number(), PacketNumber(2));
  EXPECT_EQ(Copy(encrypted.header()), HexBytes(kHeader));
  EXPECT_EQ(encrypted.protected_payload().size(), 1178u);

  const PlainPacket plain = std::move(encrypted).PayloadOpened(1162);
  EXPECT_EQ(plain.packet_number(), PacketNumber(2));
  EXPECT_EQ(Copy(plain.payload()), frames);
  EXPECT_EQ(Copy(plain.dcid()), HexBytes("8394c8f03e515708"));
  EXPECT_TRUE(plain.CheckReservedBits().ok());
}

// RFC 9001 A.3.
TEST(ProtectedPacketTest, ServerInitialExampleOfTheRfc) {
  constexpr std::string_view kHeader = "c1000000010008f067a5502a4262b50040750001";
  const Bytes frames(99, 0x02);
  Bytes datagram = Unprotected(kHeader, frames);

  EncryptedPacket encrypted = OnlyPacket(datagram).HeaderProtectionRemoved(std::nullopt);

  EXPECT_EQ(encrypted.packet_number(), PacketNumber(1));
  EXPECT_EQ(Copy(encrypted.header()), HexBytes(kHeader));
  EXPECT_EQ(encrypted.protected_payload().size(), frames.size() + kTagSize);

  const PlainPacket plain = std::move(encrypted).PayloadOpened(frames.size());
  EXPECT_EQ(Copy(plain.payload()), frames);
  EXPECT_EQ(Copy(plain.scid()), HexBytes("f067a5502a4262b5"));
}

// RFC 9001 A.5.
TEST(ProtectedPacketTest, ShortHeaderExampleOfTheRfc) {
  Bytes datagram = Unprotected("4200bff4", HexBytes("01"));

  EncryptedPacket encrypted = OnlyPacket(datagram).HeaderProtectionRemoved(PacketNumber(654360563));

  EXPECT_EQ(encrypted.level(), EncryptionLevel::kOneRtt);
  EXPECT_EQ(encrypted.packet_number(), PacketNumber(654360564));
  EXPECT_EQ(Copy(encrypted.header()), HexBytes("4200bff4"));
  EXPECT_FALSE(encrypted.key_phase_bit());
  EXPECT_FALSE(encrypted.spin_bit());

  const PlainPacket plain = std::move(encrypted).PayloadOpened(1);
  EXPECT_EQ(Copy(plain.payload()), HexBytes("01"));
  EXPECT_TRUE(plain.CheckReservedBits().ok());
}

TEST(ProtectedPacketTest, PacketNumbersOfEverySizeAreRead) {
  const Bytes frames(4, 0x01);
  for (uint8_t size = 1; size <= 4; ++size) {
    Bytes datagram = HexBytes("40 01020304");
    datagram[0] |= static_cast<uint8_t>(size - 1);
    datagram.insert(datagram.end(), frames.begin(), frames.end());
    datagram.insert(datagram.end(), kTagSize, 0xee);
    constexpr uint64_t kExpected[] = {0x01, 0x0102, 0x010203, 0x01020304};

    const EncryptedPacket encrypted = OnlyPacket(datagram).HeaderProtectionRemoved(std::nullopt);

    EXPECT_EQ(encrypted.packet_number(), PacketNumber(kExpected[size - 1]));
    EXPECT_EQ(encrypted.header().size(), 1u + size);
  }
}

TEST(ProtectedPacketTest, SpinAndKeyPhaseBitsAreRead) {
  for (const uint8_t bits : {0x00, 0x20, 0x04, 0x24}) {
    Bytes datagram = Unprotected("40 aabb 00", Bytes(3, 0x01));
    datagram[0] |= bits;
    ProtectedPacket packet = OnlyPacket(datagram, 2);

    EXPECT_EQ(packet.spin_bit(), (bits & 0x20) != 0);
    EncryptedPacket encrypted = std::move(packet).HeaderProtectionRemoved(std::nullopt);
    EXPECT_EQ(encrypted.key_phase_bit(), (bits & 0x04) != 0);
    const PlainPacket plain = std::move(encrypted).PayloadOpened(3);
    EXPECT_EQ(plain.key_phase_bit(), (bits & 0x04) != 0);
    EXPECT_EQ(plain.spin_bit(), (bits & 0x20) != 0);
    EXPECT_EQ(Copy(plain.dcid()), HexBytes("aabb"));
  }
}

// RFC 9000 §17.2, §17.3.1.
TEST(ProtectedPacketTest, EachReservedBitIsRefused) {
  for (const uint8_t bit : {0x04, 0x08}) {
    Bytes datagram = Unprotected("e0 00000001 00 00 14 00", Bytes(3, 0x01));
    datagram[0] |= bit;
    const PlainPacket plain =
        OnlyPacket(datagram).HeaderProtectionRemoved(std::nullopt).PayloadOpened(3);

    EXPECT_EQ(plain.CheckReservedBits(), Result(kLongHeaderReservedBitsSet));
  }
  for (const uint8_t bit : {0x08, 0x10}) {
    Bytes datagram = Unprotected("40 00", Bytes(3, 0x01));
    datagram[0] |= bit;
    const PlainPacket plain =
        OnlyPacket(datagram).HeaderProtectionRemoved(std::nullopt).PayloadOpened(3);

    EXPECT_EQ(plain.CheckReservedBits(), Result(kShortHeaderReservedBitsSet));
  }
}

TEST(ProtectedPacketTest, OtherBitsOfTheFirstByteAreNotReserved) {
  Bytes long_header = Unprotected("e3 00000001 00 00 14 00000000", {});
  Bytes short_header = Unprotected("67 00000000", {});

  EXPECT_TRUE(OnlyPacket(long_header)
                  .HeaderProtectionRemoved(std::nullopt)
                  .PayloadOpened(0)
                  .CheckReservedBits()
                  .ok());
  EXPECT_TRUE(OnlyPacket(short_header)
                  .HeaderProtectionRemoved(std::nullopt)
                  .PayloadOpened(0)
                  .CheckReservedBits()
                  .ok());
}

TEST(ProtectedPacketDeathTest, PayloadLargerThanThePacketIsOurBug) {
  Bytes datagram = Unprotected("40 00", Bytes(3, 0x01));
  EncryptedPacket encrypted = OnlyPacket(datagram).HeaderProtectionRemoved(std::nullopt);

  EXPECT_DEATH(static_cast<void>(std::move(encrypted).PayloadOpened(3 + kTagSize + 1)),
               "GODWIT_CHECK");
}

}  // namespace
}  // namespace godwit
