// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/stateless_packets.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "tests/transport/wire/hex_bytes.h"
#include "transport/wire/datagram_splitter.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Copy(std::span<const uint8_t> view) { return Bytes(view.begin(), view.end()); }

Bytes Written(const VersionNegotiationResponse& response) {
  Bytes packet(VersionNegotiationSize(response));
  ByteWriter writer(packet);
  WriteVersionNegotiation(response, writer);
  EXPECT_EQ(writer.space_left(), 0u);
  return packet;
}

Bytes Written(const RetryHeader& header) {
  Bytes packet(RetrySizeWithoutTag(header));
  ByteWriter writer(packet);
  WriteRetryWithoutTag(header, writer);
  EXPECT_EQ(writer.space_left(), 0u);
  return packet;
}

// ---- Version Negotiation ----

TEST(VersionNegotiationTest, ConnectionIdsAreEchoedCrosswise) {
  const Bytes dcid = HexBytes("aabbcc");
  const Bytes scid = HexBytes("dd");
  const std::array<uint32_t, 2> versions = {kVersion1, 0x1a2a3a4a};

  const Bytes packet = Written({.received_dcid = dcid,
                                .received_scid = scid,
                                .received_version = 0x99,
                                .supported_versions = versions,
                                .random_bits = 0x15});

  EXPECT_EQ(packet, HexBytes("d5 00000000 01 dd 03 aabbcc 00000001 1a2a3a4a"));
}

TEST(VersionNegotiationTest, RandomBitsLeaveHeaderFormAndFixedBitAlone) {
  const std::array<uint32_t, 1> versions = {kVersion1};

  EXPECT_EQ(Written({.supported_versions = versions, .random_bits = 0x00})[0], 0xc0);
  EXPECT_EQ(Written({.supported_versions = versions, .random_bits = 0xff})[0], 0xff);
}

// RFC 9000 §6.2: the client discards a packet that lists the version which it chose. Which one that
// was is its choice alone, a reserved one not excepted.
TEST(VersionNegotiationTest, TheVersionOfTheClientIsNotListed) {
  const std::array<uint32_t, 4> versions = {0x1a2a3a4a, kVersion1, 0x1a2a3a4a, kVersion2};

  const Bytes packet = Written({.received_version = 0x1a2a3a4a, .supported_versions = versions});

  EXPECT_EQ(packet, HexBytes("c0 00000000 00 00 00000001 6b3343cf"));
}

TEST(VersionNegotiationTest, WrittenPacketsAreReadBack) {
  SeededRandom random(8);
  for (int i = 0; i < 10'000; ++i) {
    Bytes dcid(random.UniformBelow(256));
    Bytes scid(random.UniformBelow(256));
    random.Fill(dcid);
    random.Fill(scid);
    std::vector<uint32_t> versions(1 + random.UniformBelow(10));
    for (uint32_t& version : versions) {
      version = 1 + static_cast<uint32_t>(random.UniformBelow(UINT32_MAX - 1));
    }
    Bytes packet = Written({.received_dcid = dcid,
                            .received_scid = scid,
                            .received_version = UINT32_MAX,
                            .supported_versions = versions,
                            .random_bits = static_cast<uint8_t>(random.NextUint64())});

    DatagramSplitter splitter(packet, PacketRules(0));
    DatagramPart part;
    ASSERT_TRUE(splitter.Next(&part));
    ASSERT_EQ(part.kind(), DatagramPart::Kind::kVersionNegotiation);
    const auto read = VersionNegotiationPacket::Parse(part.bytes());

    ASSERT_TRUE(read.has_value());
    ASSERT_EQ(Copy(read->dcid()), scid);
    ASSERT_EQ(Copy(read->scid()), dcid);
    ASSERT_EQ(read->version_count(), versions.size());
    for (size_t v = 0; v < versions.size(); ++v) {
      ASSERT_EQ(read->version(v), versions[v]);
      ASSERT_TRUE(read->Lists(versions[v]));
    }
    ASSERT_FALSE(read->Lists(UINT32_MAX));
  }
}

// RFC 8999 §6: a list that is empty or ends within a version is ignored.
TEST(VersionNegotiationTest, EveryTruncationButAtAVersionsEndIsRefused) {
  const Bytes whole = HexBytes("80 00000000 02 aabb 01 cc 00000001 00000002");
  for (size_t size = 0; size <= whole.size(); ++size) {
    const Bytes truncated(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));

    const auto packet = VersionNegotiationPacket::Parse(truncated);

    ASSERT_EQ(packet.has_value(), size == 14 || size == 18) << size;
    if (packet.has_value()) {
      EXPECT_EQ(packet->version_count(), (size - 10) / 4);
    }
  }
}

TEST(VersionNegotiationTest, OtherPacketsAreRefused) {
  EXPECT_FALSE(VersionNegotiationPacket::Parse(HexBytes("80 00000001 00 00 00000001")));
  EXPECT_FALSE(VersionNegotiationPacket::Parse(HexBytes("00 00000000 00 00 00000001")));
}

TEST(VersionNegotiationDeathTest, AnEmptyListIsOurBug) {
  Bytes buffer(100);
  ByteWriter writer(buffer);

  EXPECT_DEATH(WriteVersionNegotiation({}, writer), "GODWIT_CHECK");
}

// ---- Retry ----

// RFC 9001 A.4.
TEST(RetryTest, ExampleOfTheRfcIsRead) {
  const Bytes bytes =
      HexBytes("ff000000010008f067a5502a4262b574 6f6b656e04a265ba2eff4d829058fb3f 0f2496ba");

  const auto packet = RetryPacket::Parse(bytes);

  ASSERT_TRUE(packet.has_value());
  EXPECT_TRUE(packet->dcid().empty());
  EXPECT_EQ(Copy(packet->scid()), HexBytes("f067a5502a4262b5"));
  EXPECT_EQ(Copy(packet->token()), HexBytes("746f6b656e"));
  EXPECT_EQ(Copy(packet->integrity_tag()), HexBytes("04a265ba2eff4d829058fb3f0f2496ba"));
  EXPECT_EQ(Copy(packet->bytes_without_tag()),
            HexBytes("ff000000010008f067a5502a4262b5746f6b656e"));
}

// RFC 9001 A.4, §5.8.
TEST(RetryTest, ExampleOfTheRfcIsWritten) {
  const Bytes scid = HexBytes("f067a5502a4262b5");
  const Bytes token = HexBytes("746f6b656e");

  const Bytes packet = Written(RetryHeader{.scid = scid, .token = token, .random_bits = 0x0f});

  EXPECT_EQ(packet, HexBytes("ff000000010008f067a5502a4262b5746f6b656e"));

  const ConnectionId original_dcid = *ConnectionId::FromBytes(HexBytes("8394c8f03e515708"));
  Bytes pseudo_packet(RetryPseudoPacketSize(original_dcid, packet));
  ByteWriter writer(pseudo_packet);
  WriteRetryPseudoPacket(original_dcid, packet, writer);
  EXPECT_EQ(writer.space_left(), 0u);
  EXPECT_EQ(pseudo_packet, HexBytes("088394c8f03e515708 ff000000010008f067a5502a4262b5746f6b656e"));
}

TEST(RetryTest, RandomBitsStayInTheirFourBits) {
  const Bytes token(1);

  EXPECT_EQ(Written(RetryHeader{.token = token, .random_bits = 0x00})[0], 0xf0);
  EXPECT_EQ(Written(RetryHeader{.token = token, .random_bits = 0xf5})[0], 0xf5);
}

TEST(RetryTest, WrittenPacketsAreReadBack) {
  SeededRandom random(9);
  for (int i = 0; i < 10'000; ++i) {
    Bytes dcid(random.UniformBelow(21));
    Bytes scid(random.UniformBelow(21));
    Bytes token(1 + random.UniformBelow(200));
    Bytes tag(kRetryIntegrityTagSize);
    for (Bytes* bytes : {&dcid, &scid, &token, &tag}) random.Fill(*bytes);
    Bytes packet = Written(RetryHeader{.dcid = dcid,
                                       .scid = scid,
                                       .token = token,
                                       .random_bits = static_cast<uint8_t>(random.NextUint64())});
    const Bytes without_tag = packet;
    packet.insert(packet.end(), tag.begin(), tag.end());

    DatagramSplitter splitter(packet, PacketRules(0));
    DatagramPart part;
    ASSERT_TRUE(splitter.Next(&part));
    ASSERT_EQ(part.kind(), DatagramPart::Kind::kRetry);
    const auto read = RetryPacket::Parse(part.bytes());

    ASSERT_TRUE(read.has_value());
    ASSERT_EQ(Copy(read->dcid()), dcid);
    ASSERT_EQ(Copy(read->scid()), scid);
    ASSERT_EQ(Copy(read->token()), token);
    ASSERT_EQ(Copy(read->integrity_tag()), tag);
    ASSERT_EQ(Copy(read->bytes_without_tag()), without_tag);
  }
}

// RFC 9000 §17.2.5.2: the last truncation that is refused leaves an empty token.
TEST(RetryTest, EveryTruncationUpToAnEmptyTokenIsRefused) {
  Bytes whole = HexBytes("f0 00000001 01 aa 01 bb 77");
  whole.insert(whole.end(), kRetryIntegrityTagSize, 0xee);
  for (size_t size = 0; size <= whole.size(); ++size) {
    const Bytes truncated(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));

    EXPECT_EQ(RetryPacket::Parse(truncated).has_value(), size == whole.size()) << size;
  }
}

TEST(RetryTest, OtherVersionsAreRefused) {
  const std::string rest = "00 00 77" + std::string(2 * kRetryIntegrityTagSize, 'e');

  EXPECT_TRUE(RetryPacket::Parse(HexBytes("f0 00000001" + rest)).has_value());
  for (const char* version : {"00000000", "00000002", "6b3343cf", "1a2a3a4a"}) {
    EXPECT_FALSE(RetryPacket::Parse(HexBytes("f0" + std::string(version) + rest)).has_value())
        << version;
  }
}

TEST(RetryTest, OtherTypesAreRefused) {
  const std::string rest = "00000001 00 00 77" + std::string(2 * kRetryIntegrityTagSize, 'e');

  for (const char* first : {"c0", "d0", "e0", "cf", "df", "ef", "70", "7f"}) {
    EXPECT_FALSE(RetryPacket::Parse(HexBytes(first + rest)).has_value()) << first;
  }
  // Any unused bits, and a fixed bit that may be greased: RFC 9287 §3.
  for (const char* first : {"f0", "ff", "b0", "bf"}) {
    EXPECT_TRUE(RetryPacket::Parse(HexBytes(first + rest)).has_value()) << first;
  }
}

// RFC 9000 §17.2.
TEST(RetryTest, ConnectionIdsMayHaveTwentyBytesAndNotMore) {
  const std::string id_20 = "14" + std::string(40, 'd');
  const std::string id_21 = "15" + std::string(42, 'd');
  const std::string rest = "77" + std::string(2 * kRetryIntegrityTagSize, 'e');

  EXPECT_TRUE(RetryPacket::Parse(HexBytes("f0 00000001" + id_20 + id_20 + rest)).has_value());
  EXPECT_FALSE(RetryPacket::Parse(HexBytes("f0 00000001" + id_21 + "00" + rest)).has_value());
  EXPECT_FALSE(RetryPacket::Parse(HexBytes("f0 00000001 00" + id_21 + rest)).has_value());
}

TEST(RetryDeathTest, RetryThatCannotBeSentIsOurBug) {
  const Bytes id_21(21);
  const Bytes token(1);
  Bytes buffer(100);
  ByteWriter writer(buffer);

  EXPECT_DEATH(WriteRetryWithoutTag({}, writer), "GODWIT_CHECK");
  EXPECT_DEATH(WriteRetryWithoutTag({.dcid = id_21, .token = token}, writer), "GODWIT_CHECK");
  EXPECT_DEATH(WriteRetryWithoutTag({.scid = id_21, .token = token}, writer), "GODWIT_CHECK");
}

// ---- Stateless reset ----

// RFC 9000 §10.3.3.
TEST(StatelessResetTest, ResetIsSmallerThanWhatProvokedIt) {
  SeededRandom random(10);
  for (size_t provoking = 0; provoking <= 1500; ++provoking) {
    for (int i = 0; i < 20; ++i) {
      const std::optional<size_t> size = StatelessResetSize(provoking, random);

      ASSERT_EQ(size.has_value(), provoking >= 23) << provoking;
      if (!size.has_value()) continue;
      ASSERT_LT(*size, provoking);
      ASSERT_GE(*size, kMinStatelessResetSize);
      ASSERT_LE(*size, kMaxStatelessResetSize);
    }
  }
}

// RFC 9000 §10.3.
TEST(StatelessResetTest, SmallPacketsAreAnsweredOneByteSmaller) {
  SeededRandom random(11);
  for (size_t provoking = 23; provoking <= 43; ++provoking) {
    EXPECT_EQ(StatelessResetSize(provoking, random), provoking - 1);
  }
}

// RFC 9000 §10.3.3: from 41 bytes on it cannot be told from a packet.
TEST(StatelessResetTest, LargePacketsAreAnsweredInEverySizeFrom42) {
  SeededRandom random(12);
  std::set<size_t> sizes;

  for (int i = 0; i < 2000; ++i) sizes.insert(*StatelessResetSize(1200, random));

  EXPECT_EQ(*sizes.begin(), 42u);
  EXPECT_EQ(*sizes.rbegin(), kMaxStatelessResetSize);
  EXPECT_EQ(sizes.size(), kMaxStatelessResetSize - 42 + 1);
}

TEST(StatelessResetTest, ResetLooksLikeAShortHeaderAndEndsInTheToken) {
  SeededRandom random(13);
  const Bytes token_bytes = HexBytes("000102030405060708090a0b0c0d0e0f");
  const StatelessResetToken token(std::span<const uint8_t>(token_bytes).first<16>());
  std::array<size_t, 8> ones{};
  for (int i = 0; i < 10'000; ++i) {
    Bytes datagram(22 + random.UniformBelow(30), 0);

    WriteStatelessReset(token, random, datagram);

    ASSERT_EQ(datagram[0] & 0xc0, 0x40);
    ASSERT_EQ(Copy(std::span(datagram).last(16)), token_bytes);
    ASSERT_EQ(CandidateResetToken(datagram), token);
    for (size_t bit = 0; bit < 8; ++bit) ones[bit] += (datagram[0] >> bit) & 1;
  }
  // The other bits of the first byte are random: each is set about every second time.
  for (size_t bit = 0; bit < 6; ++bit) {
    EXPECT_GT(ones[bit], 4700u);
    EXPECT_LT(ones[bit], 5300u);
  }
}

TEST(StatelessResetTest, UnpredictableBytesDifferFromResetToReset) {
  SeededRandom random(14);
  const StatelessResetToken token;
  std::set<Bytes> starts;
  for (int i = 0; i < 1000; ++i) {
    Bytes datagram(22);
    WriteStatelessReset(token, random, datagram);
    starts.insert(Copy(std::span(datagram).first(6)));
  }

  EXPECT_EQ(starts.size(), 1000u);
}

TEST(StatelessResetTest, DatagramsBelowTheLeastPacketHoldNoToken) {
  for (size_t size = 0; size < 40; ++size) {
    const Bytes datagram(size, 0x55);

    EXPECT_EQ(CandidateResetToken(datagram).has_value(), size >= 21);
  }
}

// RFC 9000 §10.3: other versions may use long headers for it.
TEST(StatelessResetTest, TokenIsFoundBehindALongHeaderToo) {
  Bytes datagram = HexBytes("c0 00000001 00");
  datagram.insert(datagram.end(), 16, 0x77);

  const auto token = CandidateResetToken(datagram);

  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(Copy(token->bytes()), Bytes(16, 0x77));
}

TEST(StatelessResetDeathTest, ResetBelowItsLeastSizeIsOurBug) {
  SeededRandom random(15);
  Bytes datagram(21);

  EXPECT_DEATH(WriteStatelessReset(StatelessResetToken(), random, datagram), "GODWIT_CHECK");
}

}  // namespace
}  // namespace godwit
