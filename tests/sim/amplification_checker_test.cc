// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/amplification_checker.h"

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "godwit/socket_address.h"
#include "tests/sim/sim_packet.h"

namespace godwit {
namespace {

constexpr size_t kClient = 0;
constexpr size_t kServer = 1;

SocketAddress AddressOf(uint8_t last) {
  const std::array<uint8_t, 4> ip = {10, 0, 0, last};
  return SocketAddress::FromIpv4(ip, 4433);
}

// A datagram with one long-header packet of version 1, whose type has those two bits.
std::vector<uint8_t> LongHeaderDatagram(uint8_t type, size_t size) {
  std::vector<uint8_t> bytes(size);
  bytes[0] = static_cast<uint8_t>(0xc0 | type << 4);
  bytes[4] = 1;
  bytes[5] = 8;  // A destination connection id, and none of the source.
  size_t position = 15;
  if (type == 0) bytes[position++] = 0;  // No token.
  const size_t length = size - position - 2;
  bytes[position] = static_cast<uint8_t>(0x40 | length >> 8);
  bytes[position + 1] = static_cast<uint8_t>(length);
  return bytes;
}
std::vector<uint8_t> Initial(size_t size) { return LongHeaderDatagram(0, size); }
std::vector<uint8_t> Handshake(size_t size) { return LongHeaderDatagram(2, size); }
std::vector<uint8_t> OneRtt(size_t size) {
  std::vector<uint8_t> bytes(size);
  bytes[0] = 0x40;
  return bytes;
}

class AmplificationCheckerTest : public testing::Test {
 protected:
  AmplificationCheckerTest() { checker_.AddServer(kServer); }

  void FromClient(const SocketAddress& source, std::vector<uint8_t> payload, uint64_t number = 0) {
    checker_.OnDelivered(kClient, kServer,
                         {.number = number, .source = source, .payload = std::move(payload)});
  }
  void FromServer(const SocketAddress& destination, size_t bytes) {
    checker_.OnSent(kServer, kClient, {.destination = destination, .payload = OneRtt(bytes)});
  }
  bool found() const { return !checker_.problem().empty(); }

  const SocketAddress first_ = AddressOf(1);
  const SocketAddress second_ = AddressOf(2);
  std::set<uint64_t> path_responses_;
  AmplificationChecker checker_{
      [this](const SimPacket& packet) { return path_responses_.contains(packet.number); }};
};

TEST_F(AmplificationCheckerTest, ThreeTimesWhatCameIsAllowed) {
  FromClient(first_, Initial(1200));

  FromServer(first_, 1200);
  FromServer(first_, 2400);

  EXPECT_EQ(checker_.problem(), "");
}

TEST_F(AmplificationCheckerTest, OneByteMoreIsFound) {
  FromClient(first_, Initial(1200));

  FromServer(first_, 3600);
  FromServer(first_, 1);

  EXPECT_TRUE(found());
}

TEST_F(AmplificationCheckerTest, EachAddressHasItsOwnCredit) {
  FromClient(first_, Handshake(1200));
  FromClient(second_, OneRtt(100));

  FromServer(first_, 100'000);
  EXPECT_FALSE(found());
  FromServer(second_, 301);

  EXPECT_TRUE(found());
}

TEST_F(AmplificationCheckerTest, AddressThatSentNothingGetsNothing) {
  FromServer(first_, 1);

  EXPECT_TRUE(found());
}

TEST_F(AmplificationCheckerTest, HandshakePacketProvesTheAddress) {
  FromClient(first_, Handshake(100));

  FromServer(first_, 100'000);

  EXPECT_EQ(checker_.problem(), "");
}

TEST_F(AmplificationCheckerTest, HandshakePacketBehindAnInitialOneProvesItToo) {
  std::vector<uint8_t> datagram = Initial(600);
  const std::vector<uint8_t> handshake = Handshake(600);
  datagram.insert(datagram.end(), handshake.begin(), handshake.end());
  FromClient(first_, datagram);

  FromServer(first_, 100'000);

  EXPECT_EQ(checker_.problem(), "");
}

TEST_F(AmplificationCheckerTest, ProofStays) {
  FromClient(first_, Handshake(100));
  FromClient(first_, Initial(1200));
  FromClient(first_, OneRtt(100));

  FromServer(first_, 100'000);

  EXPECT_EQ(checker_.problem(), "");
}

TEST_F(AmplificationCheckerTest, OtherPacketsProveNothing) {
  for (const std::vector<uint8_t>& datagram :
       {Initial(100), OneRtt(100), std::vector<uint8_t>(100, 0xff), std::vector<uint8_t>()}) {
    AmplificationChecker checker([](const SimPacket&) { return false; });
    checker.AddServer(kServer);
    checker.OnDelivered(kClient, kServer, {.source = first_, .payload = datagram});
    checker.OnSent(kServer, kClient, {.destination = first_, .payload = OneRtt(301)});

    EXPECT_NE(checker.problem(), "");
  }
}

TEST_F(AmplificationCheckerTest, PathResponseProvesTheAddressFromWhichItComes) {
  path_responses_ = {17};
  FromClient(first_, OneRtt(100), 16);
  FromClient(second_, OneRtt(100), 17);

  FromServer(second_, 100'000);
  EXPECT_FALSE(found());
  FromServer(first_, 301);

  EXPECT_TRUE(found());
}

TEST_F(AmplificationCheckerTest, ClientsMaySendWhatTheyWant) {
  checker_.OnSent(kClient, kServer, {.destination = first_, .payload = Initial(1200)});

  EXPECT_EQ(checker_.problem(), "");
}

}  // namespace
}  // namespace godwit
