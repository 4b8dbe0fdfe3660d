// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard_ids.h"

#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

class ShardIdsCountTest : public testing::TestWithParam<uint32_t> {};

TEST_P(ShardIdsCountTest, PacketsToAnIdOfAShardBelongToThatShard) {
  const uint32_t count = GetParam();
  SeededRandom random(7);
  for (uint32_t index = 0; index < count; ++index) {
    ShardIds ids({.index = index, .count = count}, &random);
    for (int i = 0; i < 20; ++i) {
      const ConnectionId id = ids.Generate();
      std::vector<uint8_t> short_packet = {0x40};
      std::vector<uint8_t> long_packet = {0xc0, 0, 0, 0, 1, 8};
      short_packet.insert(short_packet.end(), id.bytes().begin(), id.bytes().end());
      long_packet.insert(long_packet.end(), id.bytes().begin(), id.bytes().end());

      EXPECT_EQ(id.size(), ids.size_bytes());
      EXPECT_EQ(ShardOf(short_packet, count), index);
      EXPECT_EQ(ShardOf(long_packet, count), index);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Counts, ShardIdsCountTest, testing::Values(1, 2, 3, 4, 7, 100, 255, 256));

TEST(ShardIdsTest, AllFirstBytesOfAShardAreUsed) {
  SeededRandom random(7);
  ShardIds ids({.index = 1, .count = 3}, &random);
  std::set<uint8_t> first_bytes;

  for (int i = 0; i < 5'000; ++i) first_bytes.insert(ids.Generate().bytes()[0]);

  EXPECT_EQ(first_bytes.size(), 85U);
  EXPECT_EQ(*first_bytes.begin(), 1);
  EXPECT_EQ(*first_bytes.rbegin(), 253);
}

TEST(ShardIdsTest, WhatHasNoIdBelongsToTheFirstShard) {
  const std::vector<std::vector<uint8_t>> packets = {
      {}, {0x40}, {0xc0}, {0xc0, 0, 0, 0, 1}, {0xc0, 0, 0, 0, 1, 8}, {0xc0, 0, 0, 0, 1, 0, 3}};

  for (const auto& packet : packets) EXPECT_EQ(ShardOf(packet, 4), 0U);
}

}  // namespace
}  // namespace godwit
