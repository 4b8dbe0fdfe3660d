// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/byte_reader.h"

#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/transport/wire/hex_bytes.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

// The one varint in `bytes`, which must be consumed whole.
uint64_t ReadOneVarint(const Bytes& bytes) {
  ByteReader reader(bytes);
  uint64_t value = ~uint64_t{0};
  EXPECT_TRUE(reader.ReadVarint(&value));
  EXPECT_TRUE(reader.is_at_end());
  return value;
}

TEST(ByteReaderTest, IntegersAreBigEndian) {
  const Bytes bytes = HexBytes("01 0203 04050607 08090a0b0c0d0e0f");
  ByteReader reader(bytes);
  uint8_t u8 = 0;
  uint16_t u16 = 0;
  uint32_t u32 = 0;
  uint64_t u64 = 0;

  ASSERT_TRUE(reader.ReadUint8(&u8));
  ASSERT_TRUE(reader.ReadUint16(&u16));
  ASSERT_TRUE(reader.ReadUint32(&u32));
  ASSERT_TRUE(reader.ReadUint64(&u64));

  EXPECT_EQ(u8, 0x01);
  EXPECT_EQ(u16, 0x0203);
  EXPECT_EQ(u32, 0x04050607u);
  EXPECT_EQ(u64, 0x08090a0b0c0d0e0fu);
  EXPECT_TRUE(reader.is_at_end());
}

// RFC 9000 A.1.
TEST(ByteReaderTest, VarintExamplesOfTheRfcDecode) {
  EXPECT_EQ(ReadOneVarint(HexBytes("c2197c5eff14e88c")), 151288809941952652u);
  EXPECT_EQ(ReadOneVarint(HexBytes("9d7f3e7d")), 494878333u);
  EXPECT_EQ(ReadOneVarint(HexBytes("7bbd")), 15293u);
  EXPECT_EQ(ReadOneVarint(HexBytes("25")), 37u);
  EXPECT_EQ(ReadOneVarint(HexBytes("4025")), 37u);
}

TEST(ByteReaderTest, VarintBoundsOfEachWidthDecode) {
  EXPECT_EQ(ReadOneVarint(HexBytes("00")), 0u);
  EXPECT_EQ(ReadOneVarint(HexBytes("3f")), 63u);
  EXPECT_EQ(ReadOneVarint(HexBytes("4000")), 0u);
  EXPECT_EQ(ReadOneVarint(HexBytes("7fff")), 16383u);
  EXPECT_EQ(ReadOneVarint(HexBytes("80000000")), 0u);
  EXPECT_EQ(ReadOneVarint(HexBytes("bfffffff")), 1073741823u);
  EXPECT_EQ(ReadOneVarint(HexBytes("c000000000000000")), 0u);
  EXPECT_EQ(ReadOneVarint(HexBytes("ffffffffffffffff")), kMaxVarint);
}

TEST(ByteReaderTest, EveryTruncationOfAVarintIsRefused) {
  for (const char* whole : {"25", "7bbd", "9d7f3e7d", "c2197c5eff14e88c"}) {
    const Bytes bytes = HexBytes(whole);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const Bytes truncated(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
      ByteReader reader(truncated);
      uint64_t value = 42;

      EXPECT_FALSE(reader.ReadVarint(&value)) << whole << " cut to " << size;
      EXPECT_EQ(value, 42u);
      EXPECT_EQ(reader.remaining(), size);
    }
  }
}

// Each read of more than is there, at every distance from the end.
TEST(ByteReaderTest, FailedReadsConsumeNothingAndKeepTheirOutput) {
  const Bytes eight(8, 0xff);
  for (size_t size = 0; size < 8; ++size) {
    const std::span<const uint8_t> bytes = std::span(eight).first(size);
    ByteReader reader(bytes);
    uint8_t u8 = 1;
    uint16_t u16 = 2;
    uint32_t u32 = 3;
    uint64_t u64 = 4;
    std::span<const uint8_t> view;

    EXPECT_EQ(ByteReader(bytes).ReadUint8(&u8), size >= 1);
    EXPECT_EQ(ByteReader(bytes).ReadUint16(&u16), size >= 2);
    EXPECT_EQ(ByteReader(bytes).ReadUint32(&u32), size >= 4);
    EXPECT_FALSE(reader.ReadUint64(&u64));
    EXPECT_FALSE(reader.ReadBytes(size + 1, &view));
    EXPECT_FALSE(reader.Skip(size + 1));

    EXPECT_EQ(reader.position(), 0u);
    EXPECT_EQ(u64, 4u);
    EXPECT_TRUE(view.empty());
    EXPECT_EQ(u32, size < 4 ? 3u : 0xffffffffu);
    EXPECT_EQ(u16, size < 2 ? 2u : 0xffffu);
    EXPECT_EQ(u8, size < 1 ? 1u : 0xffu);
  }
}

TEST(ByteReaderTest, SizesThatWouldOverflowAPointerAreRefused) {
  const Bytes bytes(16);
  ByteReader reader(bytes);
  std::span<const uint8_t> view;
  ASSERT_TRUE(reader.Skip(4));

  EXPECT_FALSE(reader.ReadBytes(~uint64_t{0}, &view));
  EXPECT_FALSE(reader.ReadBytes(kMaxVarint, &view));
  EXPECT_FALSE(reader.Skip(~uint64_t{0} - 3));

  EXPECT_EQ(reader.position(), 4u);
}

TEST(ByteReaderTest, BytesAreAViewOfTheInput) {
  const Bytes bytes = HexBytes("00010203");
  ByteReader reader(bytes);
  std::span<const uint8_t> view;
  ASSERT_TRUE(reader.Skip(1));

  ASSERT_TRUE(reader.ReadBytes(2, &view));

  EXPECT_EQ(view.data(), bytes.data() + 1);
  EXPECT_EQ(view.size(), 2u);
  EXPECT_EQ(reader.consumed().size(), 3u);
  EXPECT_EQ(reader.rest().data(), bytes.data() + 3);
}

TEST(ByteReaderTest, PrefixedBytesFollowTheirLength) {
  const Bytes bytes = HexBytes("02aabb 4001cc 00");
  ByteReader reader(bytes);
  std::span<const uint8_t> first;
  std::span<const uint8_t> second;
  std::span<const uint8_t> third = first;

  ASSERT_TRUE(reader.ReadUint8PrefixedBytes(&first));
  ASSERT_TRUE(reader.ReadVarintPrefixedBytes(&second));
  ASSERT_TRUE(reader.ReadVarintPrefixedBytes(&third));

  EXPECT_EQ(Bytes(first.begin(), first.end()), HexBytes("aabb"));
  EXPECT_EQ(Bytes(second.begin(), second.end()), HexBytes("cc"));
  EXPECT_TRUE(third.empty());
  EXPECT_TRUE(reader.is_at_end());
}

TEST(ByteReaderTest, PrefixedBytesThatAreCutOffLeaveThePrefixToo) {
  for (const char* text : {"", "01", "03aabb", "40", "4003aabb", "ffffffffffffffff00"}) {
    const Bytes bytes = HexBytes(text);
    ByteReader reader(bytes);
    std::span<const uint8_t> view;

    EXPECT_FALSE(reader.ReadVarintPrefixedBytes(&view)) << text;
    EXPECT_EQ(reader.position(), 0u);
    EXPECT_TRUE(view.empty());
  }
  for (const char* text : {"", "01", "ffaabb"}) {
    const Bytes bytes = HexBytes(text);
    ByteReader reader(bytes);
    std::span<const uint8_t> view;

    EXPECT_FALSE(reader.ReadUint8PrefixedBytes(&view)) << text;
    EXPECT_EQ(reader.position(), 0u);
  }
}

TEST(ByteReaderTest, PeekingConsumesNothing) {
  const Bytes bytes = HexBytes("a1");
  ByteReader reader(bytes);
  uint8_t value = 0;

  ASSERT_TRUE(reader.PeekUint8(&value));
  EXPECT_EQ(value, 0xa1);
  EXPECT_EQ(reader.remaining(), 1u);

  ASSERT_TRUE(reader.Skip(1));
  EXPECT_FALSE(reader.PeekUint8(&value));
}

TEST(ByteReaderTest, RestIsConsumedWhole) {
  const Bytes bytes = HexBytes("0102");
  ByteReader reader(bytes);

  const std::span<const uint8_t> rest = reader.ReadRest();

  EXPECT_EQ(rest.size(), 2u);
  EXPECT_TRUE(reader.is_at_end());
  EXPECT_TRUE(reader.ReadRest().empty());
}

// Runs that begin and end at every place of a word.
TEST(ByteReaderTest, ZerosAreSkippedUpToTheFirstOtherByte) {
  for (size_t lead = 0; lead < 9; ++lead) {
    for (size_t zeros = 0; zeros < 40; ++zeros) {
      Bytes bytes(lead, 0xee);
      bytes.resize(lead + zeros, 0);
      ByteReader to_end(bytes);
      ASSERT_TRUE(to_end.Skip(lead));
      EXPECT_EQ(to_end.SkipZeros(), zeros);
      EXPECT_TRUE(to_end.is_at_end());

      bytes.push_back(1);
      bytes.push_back(0);
      ByteReader to_one(bytes);
      ASSERT_TRUE(to_one.Skip(lead));
      EXPECT_EQ(to_one.SkipZeros(), zeros);
      EXPECT_EQ(to_one.remaining(), 2u);
    }
  }
}

TEST(ByteReaderTest, AnEmptySpanHasNothingToRead) {
  ByteReader reader(std::span<const uint8_t>{});
  uint8_t value = 0;

  EXPECT_TRUE(reader.is_at_end());
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_FALSE(reader.ReadUint8(&value));
  EXPECT_EQ(reader.SkipZeros(), 0u);
  EXPECT_TRUE(reader.Skip(0));
}

}  // namespace
}  // namespace godwit
