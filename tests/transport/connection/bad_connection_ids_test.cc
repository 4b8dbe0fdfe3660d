// SPDX-License-Identifier: Apache-2.0
//
// What a peer can do wrong with connection ids. RFC 9000 §5.1, §10.3, §19.15, §19.16.

#include <cstdint>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

class BadConnectionIdsTest : public testing::Test {
 protected:
  BadConnectionIdsTest() { stage_.CompleteHandshake(); }

  void ExpectFatal(const raw::Bytes& frame, const ProtocolError& error) {
    ExpectOpen(stage_);
    stage_.Send(frame);
    ExpectClosedFor(stage_, error, frame[0]);
  }

  PuppetStage stage_;
};

// ---- NEW_CONNECTION_ID ----

TEST_F(BadConnectionIdsTest, AsManyAsTheLimitAreTaken) {
  for (uint8_t n = 1; n < kActiveConnectionIdLimit; ++n) {
    stage_.Send(raw::NewConnectionId(n, 0, n));
  }

  ExpectOpen(stage_);
}

TEST_F(BadConnectionIdsTest, OneMoreThanTheLimit) {
  for (uint8_t n = 1; n < kActiveConnectionIdLimit; ++n) {
    stage_.Send(raw::NewConnectionId(n, 0, n));
  }

  ExpectFatal(raw::NewConnectionId(kActiveConnectionIdLimit, 0, 99), kConnectionIdsAboveLimit);
}

TEST_F(BadConnectionIdsTest, RepeatedFrameIsTaken) {
  stage_.Send(raw::NewConnectionId(1, 0, 1));
  stage_.Send(raw::NewConnectionId(1, 0, 1));

  ExpectOpen(stage_);
}

TEST_F(BadConnectionIdsTest, OneIdUnderTwoSequenceNumbers) {
  stage_.Send(raw::NewConnectionId(1, 0, 1));

  ExpectFatal(raw::NewConnectionId(2, 0, 1), kNewConnectionIdRepeated);
}

TEST_F(BadConnectionIdsTest, OneIdWithTwoTokens) {
  const raw::Bytes id = {1, 2, 3, 4};
  stage_.Send(raw::NewConnectionId({.sequence_number = 1, .id = id, .token = raw::Bytes(16, 1)}));

  ExpectFatal(raw::NewConnectionId({.sequence_number = 1, .id = id, .token = raw::Bytes(16, 2)}),
              kNewConnectionIdRepeated);
}

TEST_F(BadConnectionIdsTest, TwoIdsUnderOneSequenceNumber) {
  stage_.Send(raw::NewConnectionId(1, 0, 1));

  ExpectFatal(raw::NewConnectionId(1, 0, 2), kNewConnectionIdSequenceReused);
}

TEST_F(BadConnectionIdsTest, TwoIdsWithOneToken) {
  const raw::Bytes token(16, 7);
  stage_.Send(raw::NewConnectionId({.sequence_number = 1, .id = {1, 2, 3, 4}, .token = token}));

  ExpectFatal(raw::NewConnectionId({.sequence_number = 2, .id = {5, 6, 7, 8}, .token = token}),
              kNewConnectionIdTokenReused);
}

TEST_F(BadConnectionIdsTest, EmptyId) {
  ExpectFatal(raw::NewConnectionId({.sequence_number = 1, .id = {}}),
              kNewConnectionIdLengthInvalid);
}

TEST_F(BadConnectionIdsTest, IdAboveTwentyBytes) {
  ExpectFatal(raw::NewConnectionId({.sequence_number = 1, .id = raw::Bytes(21, 1)}),
              kNewConnectionIdLengthInvalid);
}

TEST_F(BadConnectionIdsTest, RetirePriorToAboveTheSequenceNumber) {
  ExpectFatal(raw::NewConnectionId(1, 2, 1), kNewConnectionIdRetirePriorToTooLarge);
}

TEST(BadConnectionIdsOfEmptyTest, NewIdFromAPeerThatChoseTheEmptyOne) {
  PuppetStage stage({.puppet_id_bytes = 0});
  stage.CompleteHandshake();

  stage.Send(raw::NewConnectionId(1, 0, 1));

  ExpectClosedFor(stage, kNewConnectionIdAfterEmptyConnectionId, 0x18);
}

// CVE-2024-22189: each frame retires all ids before it, and nothing is ever acknowledged.
TEST_F(BadConnectionIdsTest, FloodOfRetirementsEndsTheConnection) {
  uint64_t sequence_number = 0;
  while (stage_.subject().close_phase() == CloseState::Phase::kOpen) {
    ++sequence_number;
    ASSERT_LE(sequence_number, kMaxPeerConnectionIdsTracked + 1);
    stage_.Send(raw::NewConnectionId(sequence_number, sequence_number,
                                     static_cast<uint8_t>(sequence_number)));
  }

  ExpectClosedFor(stage_, kConnectionIdRetirementsAboveLimit, 0x18);
}

TEST_F(BadConnectionIdsTest, AsManyRetirementsThatAreAcknowledgedAreNoFlood) {
  for (uint64_t n = 1; n <= 4 * kMaxPeerConnectionIdsTracked; ++n) {
    stage_.Send(raw::NewConnectionId(n, n, static_cast<uint8_t>(n)));
    stage_.Settle();
  }

  ExpectOpen(stage_);
}

TEST_F(BadConnectionIdsTest, EachRetirementIsTold) {
  stage_.Send(raw::NewConnectionId(1, 1, 1));

  const std::vector<SeenDatagram> sent = stage_.Take();

  const auto* const frame = FindFrame<RetireConnectionIdFrame>(sent);
  ASSERT_NE(frame, nullptr);
  EXPECT_EQ(frame->sequence_number, 0u);
  EXPECT_EQ(TextOf(sent.back().packets.back().dcid.bytes()),
            TextOf(raw::Bytes{0xc1, 1, 1, 1, 1, 1, 1, 1}));
}

// ---- RETIRE_CONNECTION_ID ----

TEST_F(BadConnectionIdsTest, RetirementOfAnIdThatWasNeverGiven) {
  ExpectFatal(raw::RetireConnectionId(stage_.given_ids().size()), kRetireConnectionIdUnissued);
}

TEST_F(BadConnectionIdsTest, RetirementOfTheLargestNumber) {
  ExpectFatal(raw::RetireConnectionId(kMaxVarint), kRetireConnectionIdUnissued);
}

TEST_F(BadConnectionIdsTest, RetirementOfTheIdOfItsPacket) {
  ExpectFatal(raw::RetireConnectionId(0), kRetireConnectionIdInUse);
}

TEST_F(BadConnectionIdsTest, RetiredIdIsReplaced) {
  stage_.puppet().SetRemoteId(stage_.given_ids()[1]);

  const std::vector<SeenDatagram> sent = stage_.Exchange(raw::RetireConnectionId(0));

  ExpectOpen(stage_);
  const auto* const frame = FindFrame<NewConnectionIdFrame>(sent);
  ASSERT_NE(frame, nullptr);
  EXPECT_EQ(frame->connection_id, stage_.given_ids().back());
  EXPECT_EQ(frame->stateless_reset_token, stage_.TokenOf(stage_.given_ids().back()));
}

TEST_F(BadConnectionIdsTest, RetirementTwiceIsTaken) {
  stage_.puppet().SetRemoteId(stage_.given_ids()[1]);

  stage_.Send(raw::RetireConnectionId(0));
  stage_.Send(raw::RetireConnectionId(0));
  stage_.Advance(Duration::Seconds(5));
  stage_.Send(raw::RetireConnectionId(0));

  ExpectOpen(stage_);
}

// Each in a packet with an id that was retired just before, which is still routed.
TEST_F(BadConnectionIdsTest, PeerThatRetiresAllItsIds) {
  const size_t count = stage_.given_ids().size();
  for (size_t n = 0; n < count; ++n) {
    stage_.puppet().SetRemoteId(stage_.given_ids()[(n + 1) % count]);
    stage_.Send(raw::RetireConnectionId(n));
  }
  stage_.Advance(Duration::Seconds(5));
  stage_.puppet().SetRemoteId(stage_.given_ids().back());

  stage_.Send(raw::Ping());

  ExpectOpen(stage_);
}

TEST(BadConnectionIdsOfEmptyTest, PeerThatRetiresItsOnlyId) {
  // An endpoint that finds no more ids.
  PuppetStage stage({.gives_connection_ids = false});
  stage.CompleteHandshake();
  stage.puppet().SetRemoteId(*ConnectionId::FromBytes(raw::Bytes(8, 0xaa)));

  stage.Send(raw::RetireConnectionId(0));
  stage.Advance(Duration::Seconds(5));
  stage.Send(raw::Ping());

  ExpectOpen(stage);
}

TEST(BadConnectionIdsOfEmptyTest, RetirementOfTheEmptyId) {
  PuppetStage stage({.subject = Perspective::kClient, .subject_id_bytes = 0});
  stage.CompleteHandshake();

  stage.Send(raw::RetireConnectionId(0));

  ExpectClosedFor(stage, kRetireConnectionIdWithoutConnectionIds, 0x19);
}

}  // namespace
}  // namespace godwit
