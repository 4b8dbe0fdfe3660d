// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/packet_number_codec.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/seeded_random.h"
#include "tests/transport/wire/hex_bytes.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t LowBytes(uint64_t value, size_t size) {
  return static_cast<uint32_t>(value & ((uint64_t{1} << (8 * size)) - 1));
}

// RFC 9000 A.2.
TEST(PacketNumberCodecTest, SizeExamplesOfTheRfc) {
  const PacketNumber largest_acked(0xabe8b3);

  EXPECT_EQ(PacketNumberSize(PacketNumber(0xac5c02), largest_acked), 2u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(0xace8fe), largest_acked), 3u);
}

// RFC 9000 §17.1: more than twice the distance, so 128 does not fit into one byte.
TEST(PacketNumberCodecTest, SizeGrowsWhereTwiceTheDistanceReachesTheRange) {
  const std::optional<PacketNumber> largest_acked = PacketNumber(1000);

  EXPECT_EQ(PacketNumberSize(PacketNumber(1001), largest_acked), 1u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(1127), largest_acked), 1u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(1128), largest_acked), 2u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(1000 + 0x7fff), largest_acked), 2u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(1000 + 0x8000), largest_acked), 3u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(1000 + 0x7fffff), largest_acked), 3u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(1000 + 0x800000), largest_acked), 4u);
}

// RFC 9000 §17.1: the full number, before anything was acknowledged.
TEST(PacketNumberCodecTest, WithoutAcknowledgmentTheSizeHoldsTheWholeNumber) {
  EXPECT_EQ(PacketNumberSize(PacketNumber(0), std::nullopt), 1u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(126), std::nullopt), 1u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(127), std::nullopt), 2u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(0x7ffe), std::nullopt), 2u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(0x7fff), std::nullopt), 3u);
}

TEST(PacketNumberCodecTest, RoomForLaterPacketsWidensTheSize) {
  const std::optional<PacketNumber> largest_acked = PacketNumber(99);

  EXPECT_EQ(PacketNumberSize(PacketNumber(100), largest_acked, 0), 1u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(100), largest_acked, 126), 1u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(100), largest_acked, 127), 2u);
  EXPECT_EQ(PacketNumberSize(PacketNumber(100), largest_acked, kDuplicateWindowPackets), 2u);
}

TEST(PacketNumberCodecDeathTest, MoreThanFourBytesIsOurBug) {
  EXPECT_DEATH(static_cast<void>(PacketNumberSize(PacketNumber(0x80000000), PacketNumber(0))),
               "GODWIT_CHECK");
}

// RFC 9000 A.3.
TEST(PacketNumberCodecTest, ExpansionExampleOfTheRfc) {
  EXPECT_EQ(ExpandPacketNumber(0x9b32, 2, PacketNumber(0xa82f30ea)), PacketNumber(0xa82f9b32));
}

// RFC 9001 A.5.
TEST(PacketNumberCodecTest, ExpansionOfTheShortHeaderExample) {
  EXPECT_EQ(ExpandPacketNumber(49140, 3, PacketNumber(654360563)), PacketNumber(654360564));
}

TEST(PacketNumberCodecTest, ExpansionTakesHalfAWindowAboveTheNextExpected) {
  const std::optional<PacketNumber> largest = PacketNumber(0x1000);  // 0x1001 is expected.

  EXPECT_EQ(ExpandPacketNumber(0x81, 1, largest), PacketNumber(0x1081));
  EXPECT_EQ(ExpandPacketNumber(0x82, 1, largest), PacketNumber(0xf82));
}

TEST(PacketNumberCodecTest, WithoutAnyPacketExpansionGivesTheNumberItself) {
  for (size_t size = 1; size <= 4; ++size) {
    const uint64_t half_window = uint64_t{1} << (8 * size - 1);
    EXPECT_EQ(ExpandPacketNumber(0, size, std::nullopt), PacketNumber(0));
    EXPECT_EQ(ExpandPacketNumber(static_cast<uint32_t>(half_window), size, std::nullopt),
              PacketNumber(half_window));
    // There is no number below zero to prefer.
    EXPECT_EQ(ExpandPacketNumber(LowBytes(~uint64_t{0}, size), size, std::nullopt),
              PacketNumber(2 * half_window - 1));
  }
}

TEST(PacketNumberCodecTest, ExpansionNeverLeavesTheRangeOfPacketNumbers) {
  const std::optional<PacketNumber> largest = PacketNumber(kMaxPacketNumber);
  for (size_t size = 1; size <= 4; ++size) {
    const uint32_t all_ones = LowBytes(~uint64_t{0}, size);

    EXPECT_EQ(ExpandPacketNumber(all_ones, size, largest), PacketNumber(kMaxPacketNumber));
    EXPECT_EQ(ExpandPacketNumber(0, size, largest), PacketNumber(kMaxPacketNumber - all_ones));
    EXPECT_EQ(ExpandPacketNumber(all_ones, size, PacketNumber(kMaxPacketNumber - 1)),
              PacketNumber(kMaxPacketNumber));
  }
}

// Against the definition in words of RFC 9000 §17.1: of all numbers with these low bytes, the one
// closest to the next expected.
TEST(PacketNumberCodecTest, ExpansionIsTheClosestNumber) {
  SeededRandom random(2);
  for (int i = 0; i < 100'000; ++i) {
    const size_t size = 1 + random.UniformBelow(4);
    const uint64_t largest = random.NextUint64() >> (2 + random.UniformBelow(62));
    const uint32_t truncated = LowBytes(random.NextUint64(), size);
    const uint64_t window = uint64_t{1} << (8 * size);

    const uint64_t expanded = ExpandPacketNumber(truncated, size, PacketNumber(largest)).value();

    ASSERT_EQ(LowBytes(expanded, size), truncated);
    const auto distance = [expected = largest + 1](uint64_t number) {
      return number > expected ? number - expected : expected - number;
    };
    if (expanded + window <= kMaxPacketNumber) {
      ASSERT_LT(distance(expanded), distance(expanded + window));
    }
    if (expanded >= window) {
      ASSERT_LE(distance(expanded), distance(expanded - window));
    }
  }
}

TEST(PacketNumberCodecTest, ChosenSizesExpandToTheSameNumber) {
  SeededRandom random(3);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t largest_acked = random.NextUint64() >> (2 + random.UniformBelow(62));
    const uint64_t distance = 1 + random.UniformBelow(uint64_t{1} << (1 + random.UniformBelow(29)));
    const uint64_t later = random.UniformBelow(uint64_t{1} << (1 + random.UniformBelow(20)));
    if (largest_acked + distance + later > kMaxPacketNumber) continue;
    const PacketNumber number(largest_acked + distance);
    const size_t size = PacketNumberSize(number, PacketNumber(largest_acked), later);
    // The receiver has processed something between what it acknowledged and the last packet that
    // may have overtaken this one.
    const uint64_t processed = largest_acked + random.UniformBelow(distance + later + 1);
    const uint32_t truncated = LowBytes(number.value(), size);

    ASSERT_EQ(ExpandPacketNumber(truncated, size, PacketNumber(processed)), number);
    ASSERT_EQ(ExpandPacketNumber(truncated, size, PacketNumber(largest_acked)), number);
    ASSERT_EQ(ExpandPacketNumber(truncated, size, PacketNumber(number.value() + later)), number);
  }
}

TEST(PacketNumberCodecTest, LeastSignificantBytesAreWritten) {
  const PacketNumber number(0x0102030405);
  std::array<uint8_t, 10> buffer;
  ByteWriter writer(buffer);

  for (size_t size = 1; size <= 4; ++size) WritePacketNumber(number, size, writer);

  EXPECT_EQ(Bytes(buffer.begin(), buffer.end()), HexBytes("05 0405 030405 02030405"));
}

TEST(PacketNumberCodecDeathTest, FiveBytesCannotBeWritten) {
  std::array<uint8_t, 10> buffer;
  ByteWriter writer(buffer);

  EXPECT_DEATH(WritePacketNumber(PacketNumber(0), 0, writer), "GODWIT_UNREACHABLE");
  EXPECT_DEATH(WritePacketNumber(PacketNumber(0), 5, writer), "GODWIT_UNREACHABLE");
}

}  // namespace
}  // namespace godwit
