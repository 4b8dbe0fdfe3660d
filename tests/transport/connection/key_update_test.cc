// SPDX-License-Identifier: Apache-2.0
//
// Key updates in packets. RFC 9001 §6.

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

class KeyUpdateTest : public testing::Test {
 protected:
  KeyUpdateTest() { stage_.CompleteHandshake(); }

  // The connection does what it puts off until a batch is over; nothing is sent.
  void EndBatch() { stage_.subject().OnTimeout(stage_.time()); }

  PuppetStage stage_;
};

TEST_F(KeyUpdateTest, PeersUpdateIsFollowed) {
  stage_.puppet().UpdateKeys();
  stage_.Send(raw::Ping());
  const std::vector<SeenDatagram> sent = stage_.Exchange(raw::Ping());

  ASSERT_EQ(CountPackets(sent), 1u);
  EXPECT_TRUE(sent[0].packets[0].key_phase);
  EXPECT_EQ(stage_.subject().Stats().key_updates, 1u);
  EXPECT_TRUE(stage_.drops().empty());
}

TEST_F(KeyUpdateTest, PeersUpdatesAreFollowedManyTimes) {
  for (uint64_t i = 1; i <= 20; ++i) {
    stage_.puppet().UpdateKeys();
    stage_.Send(raw::Ping());
    stage_.Send(raw::Ping());
    stage_.Settle();
    stage_.Advance(Duration::Seconds(1));
    EXPECT_EQ(stage_.subject().Stats().key_updates, i);
  }
  EXPECT_TRUE(stage_.drops().empty());
  ExpectOpen(stage_);
}

TEST_F(KeyUpdateTest, PacketsOfTheOldKeysThatAreLateAreRead) {
  const raw::Bytes late = stage_.puppet().Seal({.frames = raw::Stream(0, 0, BytesOf("late"))});
  stage_.puppet().UpdateKeys();
  stage_.Send(raw::Ping());
  EndBatch();

  stage_.Deliver(late);

  EXPECT_EQ(TextOf(stage_.ReadAll(StreamId(0))), "late");
}

TEST_F(KeyUpdateTest, OldKeysGoAfterThreePtos) {
  const raw::Bytes late = stage_.puppet().Seal({.frames = raw::Stream(0, 0, BytesOf("late"))});
  stage_.puppet().UpdateKeys();
  stage_.Send(raw::Ping());
  stage_.Advance(Duration::Seconds(2));

  stage_.Deliver(late);

  EXPECT_EQ(stage_.drops(), std::vector{DropReason::kDecryptFailed});
  ExpectOpen(stage_);
}

TEST_F(KeyUpdateTest, OursIsDoneOnRequest) {
  ASSERT_TRUE(stage_.subject().UpdateKeys(stage_.now()).ok());
  stage_.Send(raw::Ping());
  const std::vector<SeenDatagram> sent = stage_.Exchange(raw::Ping());

  ASSERT_EQ(CountPackets(sent), 1u);
  EXPECT_TRUE(sent[0].packets[0].key_phase);
  EXPECT_EQ(stage_.subject().Stats().key_updates, 1u);
}

TEST_F(KeyUpdateTest, OursIsNotRepeatedBeforeItIsAcknowledged) {
  ASSERT_TRUE(stage_.subject().UpdateKeys(stage_.now()).ok());
  EXPECT_EQ(stage_.subject().UpdateKeys(stage_.now()).code(),
            absl::StatusCode::kFailedPrecondition);
  stage_.Send(raw::Ping());
  stage_.Send(raw::Ping());
  stage_.Pump();
  stage_.Advance(Duration::Seconds(5));
  EXPECT_FALSE(stage_.subject().UpdateKeys(stage_.now()).ok());
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage_.subject().WriteStream(id, BytesOf("x")).ok());
  stage_.Pump();

  stage_.puppet().UpdateKeys();
  stage_.Settle();
  EXPECT_FALSE(stage_.subject().UpdateKeys(stage_.now()).ok());
  stage_.Advance(Duration::Seconds(2));

  EXPECT_TRUE(stage_.subject().UpdateKeys(stage_.now()).ok());
}

TEST_F(KeyUpdateTest, SecondUpdateBeforeTheFirstIsAcknowledged) {
  stage_.puppet().UpdateKeys();
  stage_.Send(raw::Ping());
  EndBatch();
  stage_.puppet().UpdateKeys();

  stage_.Send(raw::Ping());

  ExpectClosedFor(stage_, kKeyUpdateUnconfirmed, 0);
}

TEST_F(KeyUpdateTest, AcknowledgmentOfNewKeysWithOldKeys) {
  ASSERT_TRUE(stage_.subject().UpdateKeys(stage_.now()).ok());
  stage_.Send(raw::Ping());
  stage_.Send(raw::Ping());
  stage_.Pump();

  stage_.SendPacket(
      {.frames = stage_.puppet().AckOfAllSeen(EncryptionLevel::kOneRtt), .generation = 0});

  ExpectClosedFor(stage_, kKeyUpdateNotFollowed, 0x02);
}

TEST_F(KeyUpdateTest, AcknowledgmentOfOldPacketsWithOldKeysIsTaken) {
  const raw::Bytes ack = stage_.puppet().AckOfAllSeen(EncryptionLevel::kOneRtt);
  ASSERT_TRUE(stage_.subject().UpdateKeys(stage_.now()).ok());
  stage_.Send(raw::Ping());
  stage_.Send(raw::Ping());
  stage_.Pump();

  stage_.SendPacket({.frames = ack, .generation = 0});

  ExpectOpen(stage_);
}

TEST_F(KeyUpdateTest, NewKeysBelowANumberOfOldKeys) {
  const uint64_t number = stage_.puppet().next_number(EncryptionLevel::kOneRtt);
  stage_.SendPacket({.frames = raw::Ping(), .number = number + 5});
  stage_.puppet().UpdateKeys();

  stage_.SendPacket({.frames = raw::Ping(), .number = number});

  ExpectClosedFor(stage_, kKeyPhaseReversed, 0);
}

// Its phase says that it is sealed with the keys after the new ones.
TEST_F(KeyUpdateTest, OldKeysWithALargerNumberAreDropped) {
  stage_.puppet().UpdateKeys();
  stage_.Send(raw::Ping());
  EndBatch();

  stage_.SendPacket({.frames = raw::Ping(), .generation = 0});

  EXPECT_EQ(stage_.drops(), std::vector{DropReason::kDecryptFailed});
  ExpectOpen(stage_);
}

TEST_F(KeyUpdateTest, FlippedPhaseBitWithoutNewKeysIsDropped) {
  stage_.SendPacket({.frames = raw::Ping(), .first_byte_mask = 0x04});

  EXPECT_EQ(stage_.drops(), std::vector{DropReason::kDecryptFailed});
  EXPECT_EQ(stage_.subject().Stats().key_updates, 0u);
  ExpectOpen(stage_);
}

TEST_F(KeyUpdateTest, KeysOfTheDistantFutureAreDropped) {
  stage_.SendPacket({.frames = raw::Ping(), .generation = 3});
  stage_.SendPacket({.frames = raw::Ping(), .generation = 2});

  EXPECT_EQ(stage_.drops(), std::vector(2, DropReason::kDecryptFailed));
  ExpectOpen(stage_);
}

TEST(KeyUpdateBeforeConfirmationTest, IsRefused) {
  PuppetStage stage({.subject = Perspective::kClient});
  stage.Settle();
  ASSERT_TRUE(stage.subject().is_handshake_complete());

  EXPECT_EQ(stage.subject().UpdateKeys(stage.now()).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace godwit
