// SPDX-License-Identifier: Apache-2.0
#include "tunnel/ip_packet.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace godwit::tunnel {
namespace {

SocketAddress Ip(std::string_view text) { return *SocketAddress::ParseIp(text, 0); }

std::vector<uint8_t> Ipv4Packet() {
  std::vector<uint8_t> packet(20 + 8);
  packet[0] = 0x45;
  const std::vector<uint8_t> addresses = {10, 7, 0, 2, 192, 0, 2, 1};
  std::copy(addresses.begin(), addresses.end(), packet.begin() + 12);
  return packet;
}

std::vector<uint8_t> Ipv6Packet() {
  std::vector<uint8_t> packet(40 + 8);
  packet[0] = 0x60;
  packet[8] = 0xfd;
  packet[23] = 1;
  packet[24] = 0x20;
  packet[25] = 0x01;
  packet[39] = 2;
  return packet;
}

TEST(IpPacketTest, AddressesOfIpv4AreRead) {
  const auto addresses = ParseIpPacket(Ipv4Packet());

  ASSERT_TRUE(addresses.has_value());
  EXPECT_EQ(addresses->source, Ip("10.7.0.2"));
  EXPECT_EQ(addresses->destination, Ip("192.0.2.1"));
}

TEST(IpPacketTest, AddressesOfIpv6AreRead) {
  const auto addresses = ParseIpPacket(Ipv6Packet());

  ASSERT_TRUE(addresses.has_value());
  EXPECT_EQ(addresses->source, Ip("fd00::1"));
  EXPECT_EQ(addresses->destination, Ip("2001::2"));
}

TEST(IpPacketTest, APacketThatEndsWithinItsHeaderIsNone) {
  for (const auto& [packet, header_bytes] :
       {std::pair(Ipv4Packet(), size_t{20}), std::pair(Ipv6Packet(), size_t{40})}) {
    for (size_t size = 0; size < header_bytes; ++size) {
      EXPECT_FALSE(ParseIpPacket(std::span(packet).first(size)).has_value()) << size;
    }
    EXPECT_TRUE(ParseIpPacket(std::span(packet).first(header_bytes)).has_value());
  }
}

TEST(IpPacketTest, OtherVersionsOfIpAreNone) {
  for (int version = 0; version < 16; ++version) {
    std::vector<uint8_t> packet = Ipv6Packet();
    packet[0] = static_cast<uint8_t>(version << 4);

    EXPECT_EQ(ParseIpPacket(packet).has_value(), version == 4 || version == 6) << version;
  }
}

TEST(IpPacketTest, ADatagramCarriesAPacketAsItIs) {
  const std::vector<uint8_t> packet = Ipv4Packet();

  const std::vector<uint8_t> datagram = MakeIpDatagram(packet);

  EXPECT_EQ(datagram.size(), kIpDatagramHeaderBytes + packet.size());
  const auto read = ParseIpDatagram(datagram);
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(std::ranges::equal(*read, packet));
}

TEST(IpPacketTest, DatagramsOfOtherKindsAreNone) {
  std::vector<uint8_t> datagram = MakeIpDatagram(Ipv4Packet());
  for (int kind = 0; kind < 256; ++kind) {
    datagram[0] = static_cast<uint8_t>(kind);

    EXPECT_EQ(ParseIpDatagram(datagram).has_value(), kind == 2) << kind;
  }
}

TEST(IpPacketTest, ADatagramWithoutAPacketIsNone) {
  const std::vector<uint8_t> datagram = MakeIpDatagram({});

  EXPECT_FALSE(ParseIpDatagram(datagram).has_value());
  EXPECT_FALSE(ParseIpDatagram({}).has_value());
}

}  // namespace
}  // namespace godwit::tunnel
