// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/ack_ranges.h"

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <vector>

#include "gtest/gtest.h"

#include "base/packet_number.h"
#include "tests/transport/wire/hex_bytes.h"

namespace godwit {
namespace {

AckRange Range(uint64_t smallest, uint64_t largest) {
  return {PacketNumber(smallest), PacketNumber(largest)};
}

TEST(AckRangesTest, TheFirstRangeNeedsNoBytes) {
  const AckRanges ranges(Range(3, 9), 1, {});

  const std::vector<AckRange> decoded(std::ranges::begin(ranges), ++ranges.begin());

  EXPECT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges.largest_acked(), PacketNumber(9));
  EXPECT_TRUE(++ranges.begin() == ranges.end());
  EXPECT_EQ(decoded, std::vector<AckRange>{Range(3, 9)});
}

TEST(AckRangesTest, GapsAndLengthsAreOneLessThanTheyCount) {
  // Gap 0 and length 0: one missing, one there. Gap 1 and length 64 (two bytes).
  const std::vector<uint8_t> bytes = HexBytes("00 00 01 4040");
  const AckRanges ranges(Range(100, 100), 3, bytes);
  std::vector<AckRange> decoded;

  for (const AckRange range : ranges) decoded.push_back(range);

  EXPECT_EQ(decoded, (std::vector<AckRange>{Range(100, 100), Range(98, 98), Range(31, 95)}));
}

TEST(AckRangesTest, BytesBehindTheLastRangeAreLeftAlone) {
  const std::vector<uint8_t> bytes = HexBytes("00 00 ff");
  const AckRanges ranges(Range(7, 9), 2, bytes);
  std::vector<AckRange> decoded;

  for (const AckRange range : ranges) decoded.push_back(range);

  EXPECT_EQ(decoded, (std::vector<AckRange>{Range(7, 9), Range(5, 5)}));
}

TEST(AckRangesTest, AnIteratorCanBeCopiedAndGoneOnFrom) {
  const std::vector<uint8_t> bytes = HexBytes("00 00 00 00");
  const AckRanges ranges(Range(9, 9), 3, bytes);

  AckRanges::Iterator it = ranges.begin();
  const AckRanges::Iterator first = it++;
  const AckRanges::Iterator second = it;
  ++it;

  EXPECT_EQ(*first, Range(9, 9));
  EXPECT_EQ(*second, Range(7, 7));
  EXPECT_EQ(*it, Range(5, 5));
  EXPECT_NE(first, second);
  EXPECT_EQ(first, ranges.begin());
  EXPECT_TRUE(++it == ranges.end());
}

TEST(AckRangesTest, RangesMayEndAtPacketNumberZero) {
  const std::vector<uint8_t> bytes = HexBytes("00 01");
  const AckRanges ranges(Range(3, 3), 2, bytes);

  EXPECT_EQ(*++ranges.begin(), Range(0, 1));
}

using AckRangesDeathTest = testing::Test;

TEST(AckRangesDeathTest, MoreRangesThanBytesEndTheProcess) {
  const AckRanges ranges(Range(9, 9), 2, {});
  AckRanges::Iterator it = ranges.begin();

  EXPECT_DEATH(++it, "GODWIT_CHECK failed");
}

}  // namespace
}  // namespace godwit
