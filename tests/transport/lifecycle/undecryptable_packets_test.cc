// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/undecryptable_packets.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"

namespace godwit {
namespace {

constexpr PathId kPath(3);
constexpr Timestamp kNow = Timestamp::FromNanoseconds(17);

bool Keep(UndecryptablePackets& packets, EncryptionLevel level, size_t size, uint8_t content = 0) {
  const std::vector<uint8_t> bytes(size, content);
  return packets.Keep(level, bytes, kPath, kNow, EcnMark::kEct0);
}

TEST(UndecryptablePacketsTest, PacketComesBackWithAllThatIsKnownOfIt) {
  UndecryptablePackets packets;
  ASSERT_TRUE(Keep(packets, EncryptionLevel::kHandshake, 100, 0xab));

  const auto ready = packets.TakeReady(EncryptionLevel::kHandshake);

  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].level, EncryptionLevel::kHandshake);
  EXPECT_EQ(ready[0].bytes, std::vector<uint8_t>(100, 0xab));
  EXPECT_EQ(ready[0].path, kPath);
  EXPECT_EQ(ready[0].received_at, kNow);
  EXPECT_EQ(ready[0].ecn, EcnMark::kEct0);
}

TEST(UndecryptablePacketsTest, OnlyTheLevelsPacketsAreTakenInTheirOrder) {
  UndecryptablePackets packets;
  ASSERT_TRUE(Keep(packets, EncryptionLevel::kOneRtt, 50, 1));
  ASSERT_TRUE(Keep(packets, EncryptionLevel::kHandshake, 50, 2));
  ASSERT_TRUE(Keep(packets, EncryptionLevel::kOneRtt, 50, 3));

  EXPECT_TRUE(packets.TakeReady(EncryptionLevel::kZeroRtt).empty());
  const auto ready = packets.TakeReady(EncryptionLevel::kOneRtt);

  ASSERT_EQ(ready.size(), 2u);
  EXPECT_EQ(ready[0].bytes[0], 1);
  EXPECT_EQ(ready[1].bytes[0], 3);
  EXPECT_EQ(packets.held_bytes(), 50u);
  packets.CheckInvariants();
  EXPECT_EQ(packets.TakeReady(EncryptionLevel::kHandshake).size(), 1u);
  EXPECT_TRUE(packets.empty());
  packets.CheckInvariants();
}

TEST(UndecryptablePacketsTest, PacketsAreCounted) {
  UndecryptablePackets packets;
  for (size_t i = 0; i < kMaxUndecryptablePackets; ++i) {
    ASSERT_TRUE(Keep(packets, EncryptionLevel::kOneRtt, 30));
  }

  EXPECT_FALSE(Keep(packets, EncryptionLevel::kOneRtt, 30));
  packets.CheckInvariants();
}

TEST(UndecryptablePacketsTest, BytesAreCounted) {
  UndecryptablePackets packets;
  ASSERT_TRUE(Keep(packets, EncryptionLevel::kOneRtt, kMaxUndecryptableBytes - 100));

  EXPECT_FALSE(Keep(packets, EncryptionLevel::kOneRtt, 101));
  EXPECT_TRUE(Keep(packets, EncryptionLevel::kOneRtt, 100));
  packets.CheckInvariants();
}

TEST(UndecryptablePacketsTest, InitialWindowOfAPeerFits) {
  UndecryptablePackets packets;

  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Keep(packets, EncryptionLevel::kOneRtt, 1472));
}

TEST(UndecryptablePacketsTest, TakenPacketsMakeRoom) {
  UndecryptablePackets packets;
  ASSERT_TRUE(Keep(packets, EncryptionLevel::kHandshake, kMaxUndecryptableBytes));

  packets.TakeReady(EncryptionLevel::kHandshake);

  EXPECT_TRUE(Keep(packets, EncryptionLevel::kOneRtt, kMaxUndecryptableBytes));
}

TEST(UndecryptablePacketsTest, ClearedOnesAreGone) {
  UndecryptablePackets packets;
  ASSERT_TRUE(Keep(packets, EncryptionLevel::kHandshake, 100));

  packets.Clear();

  EXPECT_TRUE(packets.empty());
  EXPECT_EQ(packets.held_bytes(), 0u);
  packets.CheckInvariants();
}

}  // namespace
}  // namespace godwit
