// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/datagram_splitter.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/seeded_random.h"
#include "godwit/drop_reason.h"
#include "tests/transport/wire/hex_bytes.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;
using Kind = DatagramPart::Kind;

Bytes Copy(std::span<const uint8_t> view) { return Bytes(view.begin(), view.end()); }

// `header` and then `size` bytes of what might be ciphertext.
Bytes WithPayload(std::string_view header, size_t size) {
  Bytes bytes = HexBytes(header);
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<uint8_t>(0xa0 + i));
  return bytes;
}

Bytes Join(std::initializer_list<Bytes> packets) {
  Bytes datagram;
  for (const Bytes& packet : packets) {
    datagram.insert(datagram.end(), packet.begin(), packet.end());
  }
  return datagram;
}

// Small packets for the connection id 01020304, each with 20 bytes of number and payload.
Bytes InitialPacket() { return WithPayload("c0 00000001 04 01020304 00 00 14", 20); }
Bytes ZeroRttPacket() { return WithPayload("d0 00000001 04 01020304 00 14", 20); }
Bytes HandshakePacket() { return WithPayload("e0 00000001 04 01020304 00 14", 20); }
Bytes OneRttPacket() { return WithPayload("40 01020304", 20); }

constexpr PacketRules kRules(4);

std::vector<DatagramPart> Split(Bytes& datagram, const PacketRules& rules = kRules) {
  std::vector<DatagramPart> parts;
  DatagramSplitter splitter(datagram, rules);
  for (DatagramPart part; splitter.Next(&part);) parts.push_back(part);
  return parts;
}

// For datagrams that are dropped as one.
DropReason OnlyDropReason(Bytes datagram, const PacketRules& rules = kRules) {
  const std::vector<DatagramPart> parts = Split(datagram, rules);
  EXPECT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts.at(0).kind(), Kind::kDropped);
  EXPECT_EQ(parts.at(0).bytes().size(), datagram.size());
  return parts.at(0).drop_reason();
}

// RFC 9001 A.2: 1182 bytes of number and payload.
TEST(DatagramSplitterTest, ClientInitialExampleOfTheRfc) {
  Bytes datagram = WithPayload("c000000001088394c8f03e5157080000449e7b9aec34", 1178);
  ASSERT_EQ(datagram.size(), 1200u);

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 1u);
  ASSERT_EQ(parts[0].kind(), Kind::kPacket);
  const ProtectedPacket packet = parts[0].packet();
  EXPECT_EQ(packet.level(), EncryptionLevel::kInitial);
  EXPECT_TRUE(packet.has_long_header());
  EXPECT_EQ(Copy(packet.dcid()), HexBytes("8394c8f03e515708"));
  EXPECT_TRUE(packet.scid().empty());
  EXPECT_TRUE(packet.token().empty());
  EXPECT_EQ(packet.packet_number_offset(), 18u);
  EXPECT_EQ(packet.size(), 1200u);
  EXPECT_EQ(packet.sample().data(), datagram.data() + 22);
}

// RFC 9001 A.3.
TEST(DatagramSplitterTest, ServerInitialExampleOfTheRfc) {
  Bytes datagram = HexBytes(
      "cf000000010008f067a5502a4262b500 4075c0d95a482cd0991cd25b0aac406a"
      "5816b6394100f37a1c69797554780bb3 8cc5a99f5ede4cf73c3ec2493a1839b3"
      "dbcba3f6ea46c5b7684df3548e7ddeb9 c3bf9c73cc3f3bded74b562bfb19fb84"
      "022f8ef4cdd93795d77d06edbb7aaf2f 58891850abbdca3d20398c276456cbc4"
      "2158407dd074ee");

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 1u);
  ASSERT_EQ(parts[0].kind(), Kind::kPacket);
  const ProtectedPacket packet = parts[0].packet();
  EXPECT_EQ(packet.level(), EncryptionLevel::kInitial);
  EXPECT_TRUE(packet.dcid().empty());
  EXPECT_EQ(Copy(packet.scid()), HexBytes("f067a5502a4262b5"));
  EXPECT_EQ(packet.size(), datagram.size());
  EXPECT_EQ(Copy(packet.sample()), HexBytes("2cd0991cd25b0aac406a5816b6394100"));
}

// RFC 9001 A.4.
TEST(DatagramSplitterTest, RetryExampleOfTheRfc) {
  Bytes datagram =
      HexBytes("ff000000010008f067a5502a4262b574 6f6b656e04a265ba2eff4d829058fb3f 0f2496ba");

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].kind(), Kind::kRetry);
  EXPECT_EQ(parts[0].bytes().size(), datagram.size());
}

// RFC 9001 A.5: the smallest packet that there is.
TEST(DatagramSplitterTest, ShortHeaderExampleOfTheRfc) {
  Bytes datagram = HexBytes("4cfe4189655e5cd55c41f69080575d7999c25a5bfb");

  const std::vector<DatagramPart> parts = Split(datagram, PacketRules(0));

  ASSERT_EQ(parts.size(), 1u);
  ASSERT_EQ(parts[0].kind(), Kind::kPacket);
  const ProtectedPacket packet = parts[0].packet();
  EXPECT_EQ(packet.level(), EncryptionLevel::kOneRtt);
  EXPECT_FALSE(packet.has_long_header());
  EXPECT_TRUE(packet.dcid().empty());
  EXPECT_TRUE(packet.scid().empty());
  EXPECT_TRUE(packet.token().empty());
  EXPECT_EQ(packet.packet_number_offset(), 1u);
  EXPECT_EQ(Copy(packet.sample()), HexBytes("5e5cd55c41f69080575d7999c25a5bfb"));
}

TEST(DatagramSplitterTest, CoalescedPacketsComeInOrder) {
  Bytes datagram = Join({InitialPacket(), ZeroRttPacket(), HandshakePacket(), OneRttPacket()});

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 4u);
  for (const DatagramPart& part : parts) {
    ASSERT_EQ(part.kind(), Kind::kPacket);
    EXPECT_EQ(Copy(part.packet().dcid()), HexBytes("01020304"));
  }
  EXPECT_EQ(parts[0].packet().level(), EncryptionLevel::kInitial);
  EXPECT_EQ(parts[1].packet().level(), EncryptionLevel::kZeroRtt);
  EXPECT_EQ(parts[2].packet().level(), EncryptionLevel::kHandshake);
  EXPECT_EQ(parts[3].packet().level(), EncryptionLevel::kOneRtt);
  EXPECT_EQ(Copy(parts[0].bytes()), InitialPacket());
  EXPECT_EQ(Copy(parts[1].bytes()), ZeroRttPacket());
  EXPECT_EQ(Copy(parts[2].bytes()), HandshakePacket());
  EXPECT_EQ(Copy(parts[3].bytes()), OneRttPacket());
}

TEST(DatagramSplitterTest, TokenIsAView) {
  Bytes datagram = WithPayload("c0 00000001 00 02 5566 03 aabbcc 4014", 20);

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 1u);
  ASSERT_EQ(parts[0].kind(), Kind::kPacket);
  EXPECT_EQ(parts[0].packet().token().data(), datagram.data() + 10);
  EXPECT_EQ(Copy(parts[0].packet().token()), HexBytes("aabbcc"));
  EXPECT_EQ(Copy(parts[0].packet().scid()), HexBytes("5566"));
  EXPECT_EQ(parts[0].packet().packet_number_offset(), 15u);
}

TEST(DatagramSplitterTest, AnEmptyDatagramHasNoParts) {
  Bytes datagram;

  EXPECT_TRUE(Split(datagram).empty());
}

// RFC 9000 §12.2.
TEST(DatagramSplitterTest, PacketsForAnotherConnectionIdAreSkippedNotTheOnesBehind) {
  Bytes stranger = HandshakePacket();
  stranger[6] ^= 1;
  Bytes datagram = Join({InitialPacket(), stranger, HandshakePacket()});

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].kind(), Kind::kPacket);
  ASSERT_EQ(parts[1].kind(), Kind::kDropped);
  EXPECT_EQ(parts[1].drop_reason(), DropReason::kCoalescedMismatch);
  EXPECT_EQ(Copy(parts[1].bytes()), stranger);
  EXPECT_EQ(parts[2].kind(), Kind::kPacket);
}

TEST(DatagramSplitterTest, PacketsForALongerOrShorterConnectionIdAreSkipped) {
  const Bytes longer = WithPayload("e0 00000001 05 0102030405 00 14", 20);
  const Bytes shorter = WithPayload("e0 00000001 03 010203 00 14", 20);
  const Bytes empty = WithPayload("e0 00000001 00 00 14", 20);
  Bytes datagram = Join({InitialPacket(), longer, shorter, empty, HandshakePacket()});

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 5u);
  for (size_t i = 1; i < 4; ++i) {
    ASSERT_EQ(parts[i].kind(), Kind::kDropped);
    EXPECT_EQ(parts[i].drop_reason(), DropReason::kCoalescedMismatch);
  }
  EXPECT_EQ(parts[4].kind(), Kind::kPacket);
}

TEST(DatagramSplitterTest, ShortHeaderForAnotherConnectionIdIsSkipped) {
  Bytes stranger = OneRttPacket();
  stranger[4] ^= 0x80;
  Bytes datagram = Join({InitialPacket(), stranger});

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 2u);
  ASSERT_EQ(parts[1].kind(), Kind::kDropped);
  EXPECT_EQ(parts[1].drop_reason(), DropReason::kCoalescedMismatch);
}

// The id of the first packet counts even where that packet itself is unusable.
TEST(DatagramSplitterTest, UnusableFirstPacketStillSetsTheConnectionId) {
  const Bytes tiny = WithPayload("e0 00000001 04 01020304 00 13", 19);
  Bytes stranger = HandshakePacket();
  stranger[6] ^= 1;
  Bytes datagram = Join({tiny, stranger, HandshakePacket()});

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 3u);
  ASSERT_EQ(parts[0].kind(), Kind::kDropped);
  EXPECT_EQ(parts[0].drop_reason(), DropReason::kTooShort);
  ASSERT_EQ(parts[1].kind(), Kind::kDropped);
  EXPECT_EQ(parts[1].drop_reason(), DropReason::kCoalescedMismatch);
  EXPECT_EQ(parts[2].kind(), Kind::kPacket);
}

TEST(DatagramSplitterTest, TrailingZerosAreDroppedOnce) {
  Bytes datagram = Join({InitialPacket(), Bytes(1000, 0)});

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].kind(), Kind::kPacket);
  ASSERT_EQ(parts[1].kind(), Kind::kDropped);
  EXPECT_EQ(parts[1].drop_reason(), DropReason::kInvalidHeader);
  EXPECT_EQ(parts[1].bytes().size(), 1000u);
}

TEST(DatagramSplitterTest, TrailingGarbageIsDroppedOnce) {
  for (const char* garbage : {"40", "c0", "ffffffff", "40aabbccddeeff", "8000000001000000"}) {
    Bytes datagram = Join({InitialPacket(), HexBytes(garbage)});

    const std::vector<DatagramPart> parts = Split(datagram);

    ASSERT_EQ(parts.size(), 2u) << garbage;
    EXPECT_EQ(parts[0].kind(), Kind::kPacket);
    EXPECT_EQ(parts[1].kind(), Kind::kDropped);
  }
}

// RFC 9001 §5.4.2.
TEST(DatagramSplitterTest, PacketWithoutAWholeSampleIsDroppedAndTheNextIsTaken) {
  const Bytes tiny = WithPayload("c0 00000001 04 01020304 00 00 13", 19);
  Bytes datagram = Join({tiny, HandshakePacket()});

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 2u);
  ASSERT_EQ(parts[0].kind(), Kind::kDropped);
  EXPECT_EQ(parts[0].drop_reason(), DropReason::kTooShort);
  EXPECT_EQ(Copy(parts[0].bytes()), tiny);
  EXPECT_EQ(parts[1].kind(), Kind::kPacket);
}

TEST(DatagramSplitterTest, LengthOfZeroIsDroppedAndTheNextIsTaken) {
  Bytes datagram = Join({HexBytes("e0 00000001 04 01020304 00 00"), HandshakePacket()});

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 2u);
  ASSERT_EQ(parts[0].kind(), Kind::kDropped);
  EXPECT_EQ(parts[0].drop_reason(), DropReason::kTooShort);
  EXPECT_EQ(parts[1].kind(), Kind::kPacket);
}

// RFC 9000 §17.2, §17.3.1.
TEST(DatagramSplitterTest, FixedBitZeroIsRefusedUnlessGreased) {
  for (Bytes packet : {InitialPacket(), ZeroRttPacket(), HandshakePacket(), OneRttPacket()}) {
    packet[0] &= static_cast<uint8_t>(~kFixedBit);

    EXPECT_EQ(OnlyDropReason(packet), DropReason::kInvalidHeader);

    const std::vector<DatagramPart> parts =
        Split(packet, PacketRules(4, FixedBitRule::kIgnored));
    ASSERT_EQ(parts.size(), 1u);
    EXPECT_EQ(parts[0].kind(), Kind::kPacket);
  }
}

TEST(DatagramSplitterTest, UnknownVersionsEndTheDatagram) {
  for (const char* version : {"00000002", "6b3343cf", "1a2a3a4a", "ff00001d"}) {
    const Bytes unknown = WithPayload("c0" + std::string(version) + "04 01020304 00 14", 20);

    EXPECT_EQ(OnlyDropReason(Join({unknown, HandshakePacket()})), DropReason::kUnknownVersion);
  }
}

// RFC 9000 §17.2.1: nothing else in the datagram, and any first byte of a long header.
TEST(DatagramSplitterTest, VersionNegotiationTakesTheWholeDatagram) {
  Bytes datagram = HexBytes("80 00000000 01 aa 01 bb 00000001 1a2a3a4a");

  const std::vector<DatagramPart> parts = Split(datagram);

  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].kind(), Kind::kVersionNegotiation);
  EXPECT_EQ(Copy(parts[0].bytes()), datagram);
}

TEST(DatagramSplitterTest, VersionNegotiationAndRetryAreNeverCoalesced) {
  const Bytes version_negotiation = HexBytes("c0 00000000 04 01020304 00 00000001");
  const Bytes retry = WithPayload("f0 00000001 04 01020304 00", 40);
  for (const Bytes& late : {version_negotiation, retry}) {
    Bytes datagram = Join({HandshakePacket(), late});

    const std::vector<DatagramPart> parts = Split(datagram);

    ASSERT_EQ(parts.size(), 2u);
    ASSERT_EQ(parts[1].kind(), Kind::kDropped);
    EXPECT_EQ(parts[1].drop_reason(), DropReason::kInvalidHeader);
  }
}

// RFC 9000 §17.2.
TEST(DatagramSplitterTest, ConnectionIdsMayHaveTwentyBytesAndNotMore) {
  const std::string id_20(40, 'd');
  const std::string id_21(42, 'd');
  Bytes both_20 = WithPayload("e0 00000001 14" + id_20 + "14" + id_20 + "14", 20);

  EXPECT_EQ(Split(both_20).at(0).kind(), Kind::kPacket);
  EXPECT_EQ(OnlyDropReason(WithPayload("e0 00000001 15" + id_21 + "00 14", 20)),
            DropReason::kInvalidHeader);
  EXPECT_EQ(OnlyDropReason(WithPayload("e0 00000001 00 15" + id_21 + "14", 20)),
            DropReason::kInvalidHeader);
}

TEST(DatagramSplitterTest, EveryTruncationIsTooShort) {
  const Bytes with_token = WithPayload("c0 00000001 04 01020304 02 5566 4003 aabbcc 4014", 20);
  for (const Bytes& whole :
       {InitialPacket(), with_token, ZeroRttPacket(), HandshakePacket(), OneRttPacket()}) {
    for (size_t size = 1; size < whole.size(); ++size) {
      const Bytes truncated(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));

      EXPECT_EQ(OnlyDropReason(truncated), DropReason::kTooShort) << size;
    }
  }
}

TEST(DatagramSplitterTest, LengthsThatLieAreTooShort) {
  // A Length one too large, and the largest there is, in each width.
  for (const char* length : {"15", "4015", "80000015", "c000000000000015", "3f", "7fff", "bfffffff",
                             "ffffffffffffffff"}) {
    EXPECT_EQ(OnlyDropReason(WithPayload("e0 00000001 00 00" + std::string(length), 20)),
              DropReason::kTooShort)
        << length;
  }
  // The same for the token of an Initial packet, which hides the Length.
  for (const char* length : {"16", "4016", "3f", "bfffffff", "ffffffffffffffff"}) {
    EXPECT_EQ(OnlyDropReason(WithPayload("c0 00000001 00 00" + std::string(length) + "14", 20)),
              DropReason::kTooShort)
        << length;
  }
}

// RFC 9000 §16: a Length need not be minimal.
TEST(DatagramSplitterTest, LengthsOfAnyWidthAreTaken) {
  for (const char* length : {"14", "4014", "80000014", "c000000000000014"}) {
    Bytes datagram = WithPayload("c0 00000001 00 00 00" + std::string(length), 20);

    const std::vector<DatagramPart> parts = Split(datagram);

    ASSERT_EQ(parts.size(), 1u);
    EXPECT_EQ(parts[0].kind(), Kind::kPacket) << length;
  }
}

TEST(DatagramSplitterTest, DatagramsLargerThanUdpAllowsAreDropped) {
  Bytes largest = WithPayload("40 01020304", kMaxDatagramBytes - 5);
  Bytes larger = WithPayload("40 01020304", kMaxDatagramBytes - 4);

  EXPECT_EQ(Split(largest).at(0).kind(), Kind::kPacket);
  EXPECT_EQ(OnlyDropReason(larger), DropReason::kInvalidHeader);
}

TEST(DatagramSplitterTest, OneShortPacketIsToldFromAllElse) {
  const Bytes packet = OneRttPacket();
  Bytes without_fixed_bit = packet;
  without_fixed_bit[0] &= static_cast<uint8_t>(~0x40);
  const Bytes too_short(packet.begin(), packet.begin() + 5 + kMinProtectedBytes - 1);
  const auto is_short = [](const Bytes& datagram, FixedBitRule fixed_bit) {
    return DatagramSplitter::IsShortPacket(datagram, PacketRules(4, fixed_bit));
  };

  EXPECT_TRUE(is_short(packet, FixedBitRule::kMustBeSet));
  EXPECT_TRUE(is_short(without_fixed_bit, FixedBitRule::kIgnored));
  EXPECT_FALSE(is_short(without_fixed_bit, FixedBitRule::kMustBeSet));
  EXPECT_FALSE(is_short(HandshakePacket(), FixedBitRule::kMustBeSet));
  EXPECT_FALSE(is_short(too_short, FixedBitRule::kMustBeSet));
  EXPECT_FALSE(
      is_short(WithPayload("40 01020304", kMaxDatagramBytes - 4), FixedBitRule::kMustBeSet));
  EXPECT_FALSE(is_short({}, FixedBitRule::kMustBeSet));
}

// Mutations of good datagrams get further than noise does.
TEST(DatagramSplitterTest, PartsCoverAnyDatagramInOrder) {
  SeededRandom random(5);
  const Bytes good = Join({InitialPacket(), ZeroRttPacket(), HandshakePacket(), OneRttPacket()});
  for (int i = 0; i < 20'000; ++i) {
    Bytes datagram = good;
    for (uint64_t flips = random.UniformBelow(8); flips > 0; --flips) {
      datagram[random.UniformBelow(datagram.size())] = static_cast<uint8_t>(random.NextUint64());
    }
    datagram.resize(random.UniformBelow(datagram.size() + 1));
    const PacketRules rules{random.UniformBelow(21), random.UniformBelow(2) == 0
                                                         ? FixedBitRule::kMustBeSet
                                                         : FixedBitRule::kIgnored};

    const uint8_t* expected_start = datagram.data();
    const std::vector<DatagramPart> parts = Split(datagram, rules);
    const bool is_short_packet = parts.size() == 1 &&
                                 parts.front().kind() == DatagramPart::Kind::kPacket &&
                                 !parts.front().packet().has_long_header();
    ASSERT_EQ(DatagramSplitter::IsShortPacket(datagram, rules), is_short_packet);
    for (const DatagramPart& part : parts) {
      ASSERT_EQ(part.bytes().data(), expected_start);
      ASSERT_FALSE(part.bytes().empty());
      expected_start += part.bytes().size();
    }
    ASSERT_EQ(expected_start, datagram.data() + datagram.size());
  }
}

}  // namespace
}  // namespace godwit
