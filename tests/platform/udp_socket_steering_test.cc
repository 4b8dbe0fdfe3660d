// SPDX-License-Identifier: Apache-2.0
#include "platform/udp_socket_steering.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "platform/udp_socket.h"
#include "tests/platform/udp_socket_fixture.h"

namespace godwit {
namespace {

constexpr size_t kPacketBytes = 100;

std::vector<uint8_t> ShortHeader(uint8_t first_id_byte) {
  std::vector<uint8_t> packet(kPacketBytes);
  packet[0] = 0x4f;
  packet[1] = first_id_byte;
  packet[6] = static_cast<uint8_t>(~first_id_byte);
  return packet;
}

std::vector<uint8_t> LongHeader(uint8_t first_id_byte) {
  std::vector<uint8_t> packet(kPacketBytes);
  packet[0] = 0xcf;
  packet[1] = static_cast<uint8_t>(~first_id_byte);
  packet[5] = 8;
  packet[6] = first_id_byte;
  return packet;
}

// `count` sockets with one address, in the order of their opening.
std::vector<UdpSocket> OpenGroup(size_t count) {
  UdpSocketConfig config = ConfigFor("127.0.0.1:0");
  config.reuses_port = true;
  std::vector<UdpSocket> group;
  for (size_t i = 0; i < count; ++i) {
    group.push_back(OpenUdp(config));
    config.local = group.front().local_address();
  }
  return group;
}

void ExpectArrivesAt(UdpSocket& expected, const std::vector<uint8_t>& packet) {
  // From another port each time, so that no hash of addresses can be right by chance for long.
  UdpSocket sender = OpenUdp("127.0.0.1:0");
  const Transmit transmit = Train(packet, packet.size(), expected.local_address());

  sender.Send({&transmit, 1});

  EXPECT_EQ(Joined(ReceiveAll(expected, 1)), packet);
}

TEST(UdpSocketSteeringTest, ShortHeaderGoesToTheShardOfItsConnectionId) {
  std::vector<UdpSocket> group = OpenGroup(3);
  ASSERT_TRUE(group[1].AttachReusePortSteering(3).ok());

  for (const uint8_t byte : {0, 1, 2, 3, 4, 100, 255}) {
    ExpectArrivesAt(group[byte % 3], ShortHeader(byte));
  }
}

TEST(UdpSocketSteeringTest, LongHeaderGoesToTheShardOfItsConnectionId) {
  std::vector<UdpSocket> group = OpenGroup(3);
  ASSERT_TRUE(group[0].AttachReusePortSteering(3).ok());

  for (const uint8_t byte : {0, 1, 2, 3, 4, 100, 255}) {
    ExpectArrivesAt(group[byte % 3], LongHeader(byte));
  }
}

TEST(UdpSocketSteeringTest, OneShardGetsEverything) {
  std::vector<UdpSocket> group = OpenGroup(1);
  ASSERT_TRUE(group[0].AttachReusePortSteering(1).ok());

  ExpectArrivesAt(group[0], ShortHeader(7));
  ExpectArrivesAt(group[0], LongHeader(200));
}

TEST(UdpSocketSteeringTest, PayloadWithoutTheByteGoesToTheFirst) {
  std::vector<UdpSocket> group = OpenGroup(2);
  ASSERT_TRUE(group[0].AttachReusePortSteering(2).ok());

  ExpectArrivesAt(group[0], {0x40});
  ExpectArrivesAt(group[0], {0xc0, 1, 1, 1, 1, 1});
}

TEST(UdpSocketSteeringTest, CountOutOfRangeIsRefused) {
  UdpSocket socket = OpenUdp("127.0.0.1:0");

  EXPECT_EQ(socket.AttachReusePortSteering(0).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(socket.AttachReusePortSteering(257).code(), absl::StatusCode::kInvalidArgument);
}

TEST(UdpSocketSteeringTest, ProgramTakesUpTo256Shards) {
  EXPECT_EQ(ReusePortSteeringProgram(256)[5].k, 256u);
}

}  // namespace
}  // namespace godwit
