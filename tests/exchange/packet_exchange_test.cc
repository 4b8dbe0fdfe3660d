// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/seeded_random.h"
#include "tests/exchange/packet_pair.h"

namespace godwit {
namespace {

std::vector<uint8_t> RandomBytes(size_t size) {
  std::vector<uint8_t> bytes(size);
  SeededRandom random(7);
  random.Fill(bytes);
  return bytes;
}

TEST(PacketExchangeTest, HandshakeOverPacketsCompletesOnBothSides) {
  PacketPair pair;

  ASSERT_TRUE(pair.Handshake().ok());

  EXPECT_TRUE(pair.client().session().facts().handshake_complete);
  EXPECT_TRUE(pair.server().session().facts().handshake_complete);
  EXPECT_TRUE(pair.client().handshake_confirmed());
  EXPECT_TRUE(pair.server().handshake_confirmed());
  EXPECT_EQ(pair.client().dropped_packets() + pair.server().dropped_packets(), 0);
  EXPECT_EQ(pair.server().session().facts().application_protocol, "echo");
  ASSERT_TRUE(pair.client().peer_parameters().has_value());
  EXPECT_EQ(pair.client().peer_parameters()->initial_max_data, 1 << 20);
  EXPECT_TRUE(pair.server().peer_parameters().has_value());
}

TEST(PacketExchangeTest, EveryDatagramWithAnInitialPacketHas1200Bytes) {
  PacketPair pair;
  std::vector<size_t> sizes;

  ASSERT_TRUE(pair.Handshake([&sizes](Perspective, DatagramBytes& datagram) {
                    // RFC 9000 §14.1, and §17.2 for the first byte.
                    if ((datagram[0] & 0xf0) == 0xc0) sizes.push_back(datagram.size());
                  })
                  .ok());

  EXPECT_GE(sizes.size(), 3);
  for (const size_t size : sizes) EXPECT_EQ(size, kMinInitialDatagramBytes);
}

TEST(PacketExchangeTest, DatagramsCoalescePacketsOfDifferentLevels) {
  PacketPair pair;

  ASSERT_TRUE(pair.Handshake().ok());

  std::set<EncryptionLevel> levels;
  for (const PacketRecord& record : pair.client().TakeReceived()) levels.insert(record.level);
  EXPECT_EQ(levels,
            (std::set<EncryptionLevel>{EncryptionLevel::kInitial, EncryptionLevel::kHandshake,
                                       EncryptionLevel::kOneRtt}));
}

TEST(PacketExchangeTest, DamagedDatagramIsDroppedAndTheHandshakeDoesNotComplete) {
  PacketPair pair;

  const Result result = pair.Handshake(
      [](Perspective, DatagramBytes& datagram) { datagram[datagram.size() / 2] ^= 0x01; });

  EXPECT_TRUE(result.ok());
  EXPECT_EQ(pair.server().dropped_packets(), 1);
  EXPECT_FALSE(pair.server().session().facts().handshake_complete);
}

TEST(PacketExchangeTest, StreamDataArrivesByteForByteInTrainsSealedFromItsOwnMemory) {
  PacketPair pair;
  ASSERT_TRUE(pair.Handshake().ok());
  const std::vector<uint8_t> data = RandomBytes(300'000);

  ASSERT_TRUE(pair.Transfer(data, 1452, 44).ok());

  EXPECT_EQ(pair.server().stream_data(), data);
  EXPECT_EQ(pair.server().dropped_packets(), 0);
}

}  // namespace
}  // namespace godwit
