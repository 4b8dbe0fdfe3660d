// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/too_big_message.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace godwit {
namespace {

const RouterAddresses kRouter = {.ipv4 = {10, 0, 1, 1},
                                 .ipv6 = {0xfd, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}};

// UDP from 10.0.1.2 to 10.0.2.2, "don't fragment".
std::vector<uint8_t> Ipv4Packet(size_t bytes) {
  std::vector<uint8_t> packet(bytes, 0xab);
  const uint8_t header[] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 1, 2, 10, 0, 2, 2};
  std::copy(std::begin(header), std::end(header), packet.begin());
  return packet;
}

// UDP from fd00:0:0:1::2 to fd00:0:0:2::2.
std::vector<uint8_t> Ipv6Packet(size_t bytes) {
  std::vector<uint8_t> packet(bytes, 0xab);
  const uint8_t header[] = {0x60, 0, 0, 0, 0, 0, 17, 64,                          //
                            0xfd, 0, 0, 0, 0, 0, 0,  1,  0, 0, 0, 0, 0, 0, 0, 2,  //
                            0xfd, 0, 0, 0, 0, 0, 0,  2,  0, 0, 0, 0, 0, 0, 0, 2};
  std::copy(std::begin(header), std::end(header), packet.begin());
  return packet;
}

// 0xffff over bytes that hold their own checksum.
uint32_t OnesComplementSum(std::span<const uint8_t> bytes, uint32_t sum = 0) {
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) sum += bytes[i] << 8 | bytes[i + 1];
  if (bytes.size() % 2 == 1) sum += bytes.back() << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

TEST(TooBigMessageTest, Ipv4SenderLearnsTheMtu) {
  const std::vector<uint8_t> packet = Ipv4Packet(1'500);

  const std::vector<uint8_t> answer = MakeTooBigMessage(packet, 1'300, kRouter);

  ASSERT_EQ(answer.size(), 576u);
  EXPECT_TRUE(std::equal(&answer[12], &answer[16], kRouter.ipv4.begin()));
  EXPECT_TRUE(std::equal(&answer[16], &answer[20], &packet[12]));
  EXPECT_EQ(answer[9], 1);   // ICMP
  EXPECT_EQ(answer[20], 3);  // Unreachable:
  EXPECT_EQ(answer[21], 4);  // fragmentation needed.
  EXPECT_EQ(answer[26] << 8 | answer[27], 1'300);
  EXPECT_TRUE(std::equal(answer.begin() + 28, answer.end(), packet.begin()));
  EXPECT_EQ(OnesComplementSum(std::span(answer).first(20)), 0xffffu);
  EXPECT_EQ(OnesComplementSum(std::span(answer).subspan(20)), 0xffffu);
}

TEST(TooBigMessageTest, Ipv6SenderLearnsTheMtu) {
  const std::vector<uint8_t> packet = Ipv6Packet(1'500);

  const std::vector<uint8_t> answer = MakeTooBigMessage(packet, 1'300, kRouter);

  ASSERT_EQ(answer.size(), 1'280u);
  EXPECT_TRUE(std::equal(&answer[8], &answer[24], kRouter.ipv6.begin()));
  EXPECT_TRUE(std::equal(&answer[24], &answer[40], &packet[8]));
  EXPECT_EQ(answer[6], 58);  // ICMPv6
  EXPECT_EQ(answer[40], 2);  // Packet too big.
  EXPECT_EQ(answer[46] << 8 | answer[47], 1'300);
  EXPECT_TRUE(std::equal(answer.begin() + 48, answer.end(), packet.begin()));
  const uint32_t pseudo_header = OnesComplementSum(std::span(answer).subspan(8, 32)) + 1'240 + 58;
  EXPECT_EQ(OnesComplementSum(std::span(answer).subspan(40), pseudo_header), 0xffffu);
}

TEST(TooBigMessageTest, Ipv4PacketThatMayBeFragmentedHasNoAnswer) {
  std::vector<uint8_t> packet = Ipv4Packet(1'500);
  packet[6] = 0;

  EXPECT_TRUE(MakeTooBigMessage(packet, 1'300, kRouter).empty());
}

TEST(TooBigMessageTest, ErrorsAreNotAnsweredButEchoesAre) {
  std::vector<uint8_t> ipv4 = Ipv4Packet(1'500);
  ipv4[9] = 1;
  std::vector<uint8_t> ipv6 = Ipv6Packet(1'500);
  ipv6[6] = 58;

  for (const uint8_t error : {3, 11}) {
    ipv4[20] = error;
    EXPECT_TRUE(MakeTooBigMessage(ipv4, 1'300, kRouter).empty());
  }
  ipv6[40] = 1;
  EXPECT_TRUE(MakeTooBigMessage(ipv6, 1'300, kRouter).empty());
  ipv4[20] = 8;
  EXPECT_FALSE(MakeTooBigMessage(ipv4, 1'300, kRouter).empty());
  ipv6[40] = 128;
  EXPECT_FALSE(MakeTooBigMessage(ipv6, 1'300, kRouter).empty());
}

TEST(TooBigMessageTest, NoBytesMakeItReadBeyondThem) {
  for (const uint8_t first : {0x00, 0x40, 0x45, 0x4f, 0x60, 0xff}) {
    for (size_t bytes = 0; bytes < 80; ++bytes) {
      std::vector<uint8_t> packet(bytes, 0x40);
      if (bytes > 0) packet[0] = first;

      const std::vector<uint8_t> answer = MakeTooBigMessage(packet, 1'300, kRouter);

      EXPECT_TRUE(answer.empty() || answer.size() > bytes);
    }
  }
}

}  // namespace
}  // namespace godwit
