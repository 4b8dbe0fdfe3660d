// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/seeded_random.h"
#include "tunnel/udp_datagram.h"
#include "tunnel/udp_reassembler.h"

namespace godwit::tunnel {
namespace {

using Packet = std::vector<uint8_t>;

constexpr Timestamp kNow = Timestamp::FromNanoseconds(1'000'000'000);

Packet RandomPacket(size_t size) {
  Packet packet(size);
  SeededRandom(size).Fill(packet);
  return packet;
}

std::vector<Packet> Cut(const Packet& packet, size_t max_bytes, uint16_t number = 1) {
  std::vector<Packet> frames;
  CutUdpPacket(9, number, packet, max_bytes, [&frames](std::span<const uint8_t> frame) {
    frames.emplace_back(frame.begin(), frame.end());
  });
  return frames;
}

TEST(UdpDatagramTest, PacketThatFitsIsOneFrameWithFiveBytesMore) {
  const Packet packet = RandomPacket(1'195);

  const std::vector<Packet> frames = Cut(packet, 1'200);

  ASSERT_EQ(frames.size(), 1);
  EXPECT_EQ(frames[0].size(), 1'200);
  const auto read = ParseUdpDatagram(frames[0]);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->flow, 9);
  EXPECT_EQ(read->count, 1);
  EXPECT_TRUE(std::ranges::equal(read->payload, packet));
}

TEST(UdpDatagramTest, EmptyPacketIsCarried) {
  const std::vector<Packet> frames = Cut({}, 1'200);

  ASSERT_EQ(frames.size(), 1);
  EXPECT_TRUE(ParseUdpDatagram(frames[0])->payload.empty());
}

TEST(UdpDatagramTest, FragmentsKeepToTheSize) {
  for (const size_t size : {1'196, 2'382, 2'383, 8'192, 65'535}) {
    for (const Packet& frame : Cut(RandomPacket(size), 1'200)) EXPECT_LE(frame.size(), 1'200);
  }
}

TEST(UdpDatagramTest, PathThatTakesNoDatagramsGetsNone) {
  EXPECT_TRUE(Cut(RandomPacket(100), 0).empty());
  EXPECT_TRUE(Cut(RandomPacket(100), 9).empty());
  // 65,535 bytes in 128 parts are 512 each.
  EXPECT_TRUE(Cut(RandomPacket(65'535), 512).empty());
}

TEST(UdpDatagramTest, WhatIsNoDatagramIsNotRead) {
  const std::vector<Packet> table = {
      {},
      {0, 0, 0, 0},                     // Too short for a flow.
      {2, 0, 0, 0, 1, 0},               // No such kind.
      {1, 0, 0, 0, 1, 0, 1, 0, 2},      // A fragment of nothing.
      {1, 0, 0, 0, 1, 0, 1, 2, 2, 7},   // The third of two.
      {1, 0, 0, 0, 1, 0, 1, 0, 1, 7},   // The only one.
      {1, 0, 0, 0, 1, 0, 1, 0, 0, 7},   // The first of none.
      {1, 0, 0, 0, 1, 0, 1, 0, 129, 7}  // Of too many.
  };
  for (const Packet& bytes : table) EXPECT_FALSE(ParseUdpDatagram(bytes).has_value());
}

std::optional<Packet> AddAll(UdpReassembler& reassembler, const std::vector<Packet>& frames,
                             Timestamp now = kNow) {
  std::optional<Packet> whole;
  for (const Packet& frame : frames) {
    const auto result = reassembler.Add(*ParseUdpDatagram(frame), now);
    if (result.has_value()) whole = result;
  }
  return whole;
}

TEST(UdpReassemblerTest, FragmentsInAnyOrderAndTwiceMakeThePacket) {
  const Packet packet = RandomPacket(8'192);
  std::vector<Packet> frames = Cut(packet, 1'200);
  std::ranges::reverse(frames);
  frames.insert(frames.begin() + 3, frames.front());
  UdpReassembler reassembler;

  EXPECT_EQ(AddAll(reassembler, frames), packet);
  EXPECT_EQ(reassembler.packet_count(), 0);
  EXPECT_EQ(reassembler.held_bytes(), 0);
}

TEST(UdpReassemblerTest, PacketsInTurnsAreKeptApart) {
  const Packet first = RandomPacket(2'000);
  const Packet second = RandomPacket(2'001);
  const std::vector<Packet> a = Cut(first, 1'200, 1);
  const std::vector<Packet> b = Cut(second, 1'200, 2);
  UdpReassembler reassembler;

  EXPECT_EQ(AddAll(reassembler, {a[0], b[0], a[1]}), first);
  EXPECT_EQ(AddAll(reassembler, {b[1]}), second);
}

TEST(UdpReassemblerTest, PartThatDoesNotComeInTimeGivesThePacketUp) {
  const std::vector<Packet> frames = Cut(RandomPacket(2'000), 1'200);
  UdpReassembler reassembler;
  AddAll(reassembler, {frames[0]});

  const auto late = AddAll(reassembler, {frames[1]}, kNow + UdpReassembler::kPatience);

  EXPECT_FALSE(late.has_value());
  EXPECT_EQ(reassembler.packet_count(), 1);  // The late one began anew.
}

TEST(UdpReassemblerTest, PartsThatDisagreeOnTheirCountAreDropped) {
  UdpReassembler reassembler;
  const Packet part = RandomPacket(10);
  reassembler.Add({.flow = 1, .packet = 1, .index = 0, .count = 3, .payload = part}, kNow);

  reassembler.Add({.flow = 1, .packet = 1, .index = 1, .count = 2, .payload = part}, kNow);

  EXPECT_EQ(reassembler.packet_count(), 0);
  EXPECT_EQ(reassembler.held_bytes(), 0);
}

TEST(UdpReassemblerTest, NoPacketGrowsBeyondWhatUdpCarries) {
  UdpReassembler reassembler;
  const Packet part = RandomPacket(60'000);
  reassembler.Add({.flow = 1, .packet = 1, .index = 0, .count = 3, .payload = part}, kNow);

  reassembler.Add({.flow = 1, .packet = 1, .index = 1, .count = 3, .payload = part}, kNow);

  EXPECT_EQ(reassembler.held_bytes(), 0);
}

TEST(UdpReassemblerTest, WhatItKeepsIsBounded) {
  UdpReassembler reassembler;
  const Packet part = RandomPacket(60'000);
  for (uint16_t number = 0; number < 1'000; ++number) {
    reassembler.Add({.flow = 1, .packet = number, .index = 0, .count = 2, .payload = part}, kNow);

    ASSERT_LE(reassembler.held_bytes(), UdpReassembler::kMaxBytes);
  }
  const Packet small = RandomPacket(1);
  for (uint16_t number = 0; number < 1'000; ++number) {
    reassembler.Add({.flow = 2, .packet = number, .index = 0, .count = 2, .payload = small}, kNow);

    ASSERT_LE(reassembler.packet_count(), UdpReassembler::kMaxPackets);
  }
}

}  // namespace
}  // namespace godwit::tunnel
