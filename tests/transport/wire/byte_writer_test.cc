// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/byte_writer.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/seeded_random.h"
#include "tests/transport/wire/hex_bytes.h"
#include "transport/wire/byte_reader.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes WrittenVarint(uint64_t value) {
  std::array<uint8_t, kMaxVarintBytes> buffer;
  ByteWriter writer(buffer);
  writer.WriteVarint(value);
  return Bytes(writer.written().begin(), writer.written().end());
}

Bytes WrittenVarint(uint64_t value, VarintWidth width) {
  std::array<uint8_t, kMaxVarintBytes> buffer;
  ByteWriter writer(buffer);
  writer.WriteVarintWithWidth(value, width);
  return Bytes(writer.written().begin(), writer.written().end());
}

TEST(ByteWriterTest, IntegersAreBigEndian) {
  std::array<uint8_t, 15> buffer;
  ByteWriter writer(buffer);

  writer.WriteUint8(0x01);
  writer.WriteUint16(0x0203);
  writer.WriteUint32(0x04050607);
  writer.WriteUint64(0x08090a0b0c0d0e0f);

  EXPECT_EQ(Bytes(buffer.begin(), buffer.end()), HexBytes("0102030405060708090a0b0c0d0e0f"));
  EXPECT_EQ(writer.space_left(), 0u);
  EXPECT_EQ(writer.position(), 15u);
}

// RFC 9000 A.1.
TEST(ByteWriterTest, VarintExamplesOfTheRfcEncode) {
  EXPECT_EQ(WrittenVarint(151288809941952652), HexBytes("c2197c5eff14e88c"));
  EXPECT_EQ(WrittenVarint(494878333), HexBytes("9d7f3e7d"));
  EXPECT_EQ(WrittenVarint(15293), HexBytes("7bbd"));
  EXPECT_EQ(WrittenVarint(37), HexBytes("25"));
  EXPECT_EQ(WrittenVarint(37, VarintWidth::k2), HexBytes("4025"));
}

TEST(ByteWriterTest, VarintsAreMinimalAtTheBoundsOfEachWidth) {
  EXPECT_EQ(WrittenVarint(0), HexBytes("00"));
  EXPECT_EQ(WrittenVarint(63), HexBytes("3f"));
  EXPECT_EQ(WrittenVarint(64), HexBytes("4040"));
  EXPECT_EQ(WrittenVarint(16383), HexBytes("7fff"));
  EXPECT_EQ(WrittenVarint(16384), HexBytes("80004000"));
  EXPECT_EQ(WrittenVarint(1073741823), HexBytes("bfffffff"));
  EXPECT_EQ(WrittenVarint(1073741824), HexBytes("c000000040000000"));
  EXPECT_EQ(WrittenVarint(kMaxVarint), HexBytes("ffffffffffffffff"));
}

TEST(ByteWriterTest, VarintsTakeTheWidthTheyAreGiven) {
  EXPECT_EQ(WrittenVarint(5, VarintWidth::k1), HexBytes("05"));
  EXPECT_EQ(WrittenVarint(5, VarintWidth::k2), HexBytes("4005"));
  EXPECT_EQ(WrittenVarint(5, VarintWidth::k4), HexBytes("80000005"));
  EXPECT_EQ(WrittenVarint(5, VarintWidth::k8), HexBytes("c000000000000005"));
}

static_assert(VarintSize(0) == 1);
static_assert(VarintSize(63) == 1);
static_assert(VarintSize(64) == 2);
static_assert(VarintSize(16383) == 2);
static_assert(VarintSize(16384) == 4);
static_assert(VarintSize(1073741823) == 4);
static_assert(VarintSize(1073741824) == 8);
static_assert(VarintSize(kMaxVarint) == 8);
static_assert(MaxVarintOf(VarintWidth::k8) == kMaxVarint);

TEST(ByteWriterTest, RandomVarintsOfEveryWidthComeBack) {
  SeededRandom random(1);
  for (int i = 0; i < 40'000; ++i) {
    // As many of each magnitude.
    const uint64_t value = random.NextUint64() >> (2 + random.UniformBelow(62));
    const VarintWidth minimal = VarintWidthOf(value);
    for (const VarintWidth width :
         {VarintWidth::k1, VarintWidth::k2, VarintWidth::k4, VarintWidth::k8}) {
      if (width < minimal) continue;
      const Bytes bytes = WrittenVarint(value, width);
      ByteReader reader(bytes);
      uint64_t read = 0;

      ASSERT_TRUE(reader.ReadVarint(&read));
      ASSERT_EQ(read, value);
      ASSERT_EQ(reader.position(), ByteCount(width));
    }
    ASSERT_EQ(WrittenVarint(value).size(), VarintSize(value));
  }
}

TEST(ByteWriterTest, NothingBehindTheWrittenBytesIsTouched) {
  for (const uint64_t value : {uint64_t{1}, uint64_t{1000}, uint64_t{1'000'000}}) {
    std::array<uint8_t, 16> buffer;
    buffer.fill(0xee);
    ByteWriter writer(buffer);

    writer.WriteVarint(value);

    for (size_t i = writer.position(); i < buffer.size(); ++i) EXPECT_EQ(buffer[i], 0xee);
  }
}

TEST(ByteWriterTest, PrefixedBytesFollowTheirLength) {
  std::array<uint8_t, 7> buffer;
  ByteWriter writer(buffer);

  writer.WriteVarintPrefixedBytes(HexBytes("aabb"));
  writer.WriteUint8PrefixedBytes(HexBytes("cc"));
  writer.WriteUint8PrefixedBytes({});
  writer.WriteVarintPrefixedBytes({});

  EXPECT_EQ(Bytes(buffer.begin(), buffer.end()), HexBytes("02aabb01cc0000"));
}

TEST(ByteWriterTest, ReservedBytesAreFilledInLater) {
  std::array<uint8_t, 4> buffer;
  buffer.fill(0xee);
  ByteWriter writer(buffer);

  const std::span<uint8_t> reserved = writer.Reserve(2);
  writer.WriteZeros(1);
  writer.WriteUint8(7);
  ByteWriter(reserved).WriteVarintWithWidth(9, VarintWidth::k2);

  EXPECT_EQ(Bytes(buffer.begin(), buffer.end()), HexBytes("40090007"));
}

// Each write, one byte short of room.
TEST(ByteWriterDeathTest, WritingPastTheEndIsOurBug) {
  std::array<uint8_t, 8> buffer;
  const auto room_for = [&buffer](size_t size) {
    return ByteWriter(std::span<uint8_t>(buffer).first(size));
  };

  EXPECT_DEATH(room_for(0).WriteUint8(0), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(1).WriteUint16(0), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(3).WriteUint32(0), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(7).WriteUint64(0), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(0).WriteVarint(0), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(1).WriteVarint(64), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(3).WriteVarint(16384), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(7).WriteVarint(kMaxVarint), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(3).WriteVarintWithWidth(0, VarintWidth::k4), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(1).WriteBytes(HexBytes("0102")), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(1).WriteZeros(2), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(1).Reserve(2), "GODWIT_CHECK");
  EXPECT_DEATH(room_for(1).Reserve(~size_t{0}), "GODWIT_CHECK");
}

TEST(ByteWriterDeathTest, ValuesThatDoNotFitAreOurBug) {
  std::array<uint8_t, 512> buffer;
  ByteWriter writer(buffer);

  EXPECT_DEATH(writer.WriteVarint(kMaxVarint + 1), "GODWIT_CHECK");
  EXPECT_DEATH(writer.WriteVarintWithWidth(64, VarintWidth::k1), "GODWIT_CHECK");
  EXPECT_DEATH(writer.WriteVarintWithWidth(16384, VarintWidth::k2), "GODWIT_CHECK");
  EXPECT_DEATH(writer.WriteUint8PrefixedBytes(Bytes(256)), "GODWIT_CHECK");
}

}  // namespace
}  // namespace godwit
