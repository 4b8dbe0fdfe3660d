// SPDX-License-Identifier: Apache-2.0
#include "transport/path/peer_cids.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/packet_number.h"
#include "base/path_id.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "godwit/connection_id.h"
#include "tests/transport/path/written_frames.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {
namespace {

constexpr PathId kFirstPath(0);
constexpr PathId kSecondPath(1);
constexpr PathId kThirdPath(2);

ConnectionId IdOf(uint64_t number) {
  std::array<uint8_t, 8> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  return *ConnectionId::FromBytes(bytes);
}

StatelessResetToken TokenOf(uint64_t number) {
  std::array<uint8_t, StatelessResetToken::kSize> bytes = {0xaa};
  for (size_t i = 0; i < 8; ++i) bytes[8 + i] = static_cast<uint8_t>(number >> (8 * i));
  return StatelessResetToken(bytes);
}

class PeerCidsTest : public testing::Test {
 protected:
  Result Issue(uint64_t sequence_number, uint64_t retire_prior_to = 0) {
    return Receive(
        {sequence_number, retire_prior_to, IdOf(sequence_number), TokenOf(sequence_number)});
  }

  Result Receive(const NewConnectionIdFrame& frame) {
    const Result result = cids_.OnNewConnectionIdFrame(frame);
    if (result.ok()) cids_.CheckInvariants();
    return result;
  }

  // The sequence numbers that a packet retires.
  std::vector<uint64_t> Write(uint64_t packet_number, const PacketRoom& room = {}) {
    std::vector<uint64_t> sequence_numbers;
    for (const auto& frame : WriteInPacket<RetireConnectionIdFrame>(cids_, packet_number, room)) {
      sequence_numbers.push_back(frame.sequence_number);
    }
    cids_.CheckInvariants();
    return sequence_numbers;
  }

  void Ack(uint64_t packet_number, const std::vector<uint64_t>& sequence_numbers) {
    for (const uint64_t sequence : sequence_numbers) {
      cids_.OnFrameAcked(PacketNumber(packet_number), SentFrame::RetireConnectionId(sequence));
    }
    cids_.CheckInvariants();
  }

  using Numbers = std::vector<uint64_t>;

  PeerCids cids_{IdOf(0)};
};

// ---- Paths: RFC 9000 §9.5 ----

TEST_F(PeerCidsTest, TheFirstIdIsTheFirstPaths) {
  EXPECT_EQ(cids_.current(), IdOf(0));
  EXPECT_EQ(cids_.For(kFirstPath), IdOf(0));
  EXPECT_FALSE(cids_.HasFor(kSecondPath));
  EXPECT_EQ(cids_.spare_count(), 0u);
}

TEST_F(PeerCidsTest, AServersChoiceReplacesTheFirstIdOfAClient) {
  cids_.ReplaceFirst(IdOf(77));

  EXPECT_EQ(cids_.current(), IdOf(77));
  EXPECT_FALSE(cids_.HasPendingFrames()) << "ids of the client's making are not retired";
}

TEST_F(PeerCidsTest, ANewPathGetsAnIdOfItsOwn) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(Issue(2).ok());

  EXPECT_TRUE(cids_.AssignTo(kSecondPath));
  EXPECT_TRUE(cids_.AssignTo(kThirdPath));

  EXPECT_EQ(cids_.For(kFirstPath), IdOf(0));
  EXPECT_EQ(cids_.For(kSecondPath), IdOf(1));
  EXPECT_EQ(cids_.For(kThirdPath), IdOf(2));
  cids_.CheckInvariants();
}

TEST_F(PeerCidsTest, APathKeepsItsId) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(Issue(2).ok());
  ASSERT_TRUE(cids_.AssignTo(kSecondPath));

  EXPECT_TRUE(cids_.AssignTo(kSecondPath));
  cids_.SetActivePath(kSecondPath);
  cids_.SetActivePath(kFirstPath);

  EXPECT_EQ(cids_.For(kFirstPath), IdOf(0));
  EXPECT_EQ(cids_.For(kSecondPath), IdOf(1));
  EXPECT_EQ(cids_.spare_count(), 1u);
}

TEST_F(PeerCidsTest, WithoutASpareIdThereIsNoNewPath) {
  EXPECT_FALSE(cids_.AssignTo(kSecondPath));
  EXPECT_FALSE(cids_.HasFor(kSecondPath));

  ASSERT_TRUE(Issue(1).ok());
  EXPECT_TRUE(cids_.AssignTo(kSecondPath));
}

TEST_F(PeerCidsTest, TheActivePathDecidesWhichIdIsCurrent) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.AssignTo(kSecondPath));

  cids_.SetActivePath(kSecondPath);

  EXPECT_EQ(cids_.current(), IdOf(1));
}

TEST_F(PeerCidsTest, TheIdOfAPathThatWasGivenUpIsRetired) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.AssignTo(kSecondPath));
  cids_.SetActivePath(kSecondPath);

  cids_.Release(kFirstPath);
  cids_.Release(kThirdPath);

  EXPECT_FALSE(cids_.HasFor(kFirstPath));
  EXPECT_EQ(Write(1), Numbers({0}));
}

TEST_F(PeerCidsTest, ThePathInUseTakesOverTheIdOfOneThatIsGone) {
  ASSERT_FALSE(cids_.AssignTo(kSecondPath));

  cids_.HandOverTo(kSecondPath);

  EXPECT_EQ(cids_.active_path(), kSecondPath);
  EXPECT_EQ(cids_.current(), IdOf(0));
  EXPECT_EQ(cids_.For(kSecondPath), IdOf(0));
  EXPECT_FALSE(cids_.HasFor(kFirstPath));
  EXPECT_EQ(Write(1), Numbers{});
}

TEST_F(PeerCidsTest, RotationTakesTheNextIdAndRetiresTheOld) {
  ASSERT_TRUE(Issue(1).ok());

  EXPECT_TRUE(cids_.Rotate());

  EXPECT_EQ(cids_.current(), IdOf(1));
  EXPECT_EQ(Write(1), Numbers({0}));
  EXPECT_FALSE(cids_.Rotate()) << "there is no other";
  EXPECT_EQ(cids_.current(), IdOf(1));
}

// ---- RETIRE_CONNECTION_ID: RFC 9000 §13.3, §19.16 ----

TEST_F(PeerCidsTest, ALostRetirementIsSentAgainUntilAcknowledged) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.Rotate());
  ASSERT_EQ(Write(1), Numbers({0}));
  EXPECT_FALSE(cids_.HasPendingFrames());

  cids_.OnFrameLost(PacketNumber(1), SentFrame::RetireConnectionId(0));
  EXPECT_EQ(Write(2), Numbers({0}));
  Ack(2, {0});

  EXPECT_EQ(cids_.retirement_count(), 0u);
  cids_.OnFrameLost(PacketNumber(1), SentFrame::RetireConnectionId(0));
  EXPECT_FALSE(cids_.HasPendingFrames());
}

TEST_F(PeerCidsTest, ALateAcknowledgmentSparesTheRepetition) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.Rotate());
  Write(1);
  cids_.OnFrameLost(PacketNumber(1), SentFrame::RetireConnectionId(0));

  Ack(1, {0});

  EXPECT_FALSE(cids_.HasPendingFrames());
}

// RFC 9000 §9.1: RETIRE_CONNECTION_ID is no probing frame.
TEST_F(PeerCidsTest, RetirementsDoNotGoOutOnPathsThatAreOnlyProbed) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.Rotate());

  EXPECT_EQ(Write(1, {.mode = PacketMode::kPathOnly}), Numbers());
  EXPECT_EQ(Write(2, {.bytes = 1}), Numbers()) << "no room";
  EXPECT_EQ(Write(3), Numbers({0}));
}

// ---- NEW_CONNECTION_ID: RFC 9000 §5.1.1, §19.15 ----

TEST_F(PeerCidsTest, ThePeerMayIssueAsManyAsWeGranted) {
  for (uint64_t sequence = 1; sequence < kActiveConnectionIdLimit; ++sequence) {
    ASSERT_TRUE(Issue(sequence).ok());
  }

  EXPECT_EQ(Issue(kActiveConnectionIdLimit), Result(kConnectionIdsAboveLimit));
}

TEST_F(PeerCidsTest, WhatItAsksToRetireMakesRoom) {
  for (uint64_t sequence = 1; sequence < kActiveConnectionIdLimit; ++sequence) {
    ASSERT_TRUE(Issue(sequence).ok());
  }

  EXPECT_TRUE(Issue(kActiveConnectionIdLimit, 1).ok());

  EXPECT_EQ(cids_.current(), IdOf(1));
  EXPECT_EQ(Write(1), Numbers({0}));
}

TEST_F(PeerCidsTest, TheSameFrameTwiceIsFine) {
  ASSERT_TRUE(Issue(1).ok());

  EXPECT_TRUE(Issue(1).ok());

  EXPECT_EQ(cids_.spare_count(), 1u);
  EXPECT_FALSE(cids_.HasPendingFrames());
}

TEST_F(PeerCidsTest, ARepetitionMayRaiseRetirePriorTo) {
  ASSERT_TRUE(Issue(1).ok());

  EXPECT_TRUE(Issue(1, 1).ok());

  EXPECT_EQ(cids_.current(), IdOf(1));
  EXPECT_EQ(Write(1), Numbers({0}));
}

TEST_F(PeerCidsTest, ARepetitionOfARetiredIdDoesNotBringItBack) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(Issue(2).ok());
  ASSERT_TRUE(cids_.Rotate());
  ASSERT_TRUE(cids_.Rotate());
  ASSERT_EQ(Write(1), Numbers({0, 1}));

  EXPECT_TRUE(Issue(1).ok());
  Ack(1, {0, 1});
  EXPECT_TRUE(Issue(1).ok());

  EXPECT_EQ(cids_.spare_count(), 0u);
  EXPECT_FALSE(cids_.HasPendingFrames());
  EXPECT_FALSE(cids_.Rotate());
}

TEST_F(PeerCidsTest, IdsMayComeInAnyOrder) {
  for (const uint64_t sequence : {3, 1, 4, 2}) ASSERT_TRUE(Issue(sequence).ok());

  EXPECT_EQ(cids_.spare_count(), 4u);
  ASSERT_TRUE(cids_.Rotate());
  EXPECT_EQ(cids_.current(), IdOf(1)) << "the oldest first";
}

TEST_F(PeerCidsTest, AnIdWithAnotherSequenceNumberIsAnError) {
  ASSERT_TRUE(Issue(1).ok());

  EXPECT_EQ(Receive({2, 0, IdOf(1), TokenOf(2)}), Result(kNewConnectionIdRepeated));
  EXPECT_EQ(Receive({2, 0, IdOf(0), TokenOf(2)}), Result(kNewConnectionIdRepeated));
}

TEST_F(PeerCidsTest, AnIdWithAnotherTokenIsAnError) {
  ASSERT_TRUE(Issue(1).ok());

  EXPECT_EQ(Receive({1, 0, IdOf(1), TokenOf(9)}), Result(kNewConnectionIdRepeated));
}

TEST_F(PeerCidsTest, ASequenceNumberWithAnotherIdIsAnError) {
  ASSERT_TRUE(Issue(1).ok());

  EXPECT_EQ(Receive({1, 0, IdOf(9), TokenOf(1)}), Result(kNewConnectionIdSequenceReused));
  EXPECT_EQ(Receive({0, 0, IdOf(9), TokenOf(9)}), Result(kNewConnectionIdSequenceReused));
}

// RFC 9000 §10.3.2.
TEST_F(PeerCidsTest, ATokenForTwoIdsIsAnError) {
  cids_.SetFirstToken(TokenOf(0));
  ASSERT_TRUE(Issue(1).ok());

  EXPECT_EQ(Receive({2, 0, IdOf(2), TokenOf(1)}), Result(kNewConnectionIdTokenReused));
  EXPECT_EQ(Receive({2, 0, IdOf(2), TokenOf(0)}), Result(kNewConnectionIdTokenReused));
}

TEST_F(PeerCidsTest, ThePreferredAddressHasTheSecondId) {
  ASSERT_TRUE(cids_.OnPreferredAddress(IdOf(1), TokenOf(1)).ok());

  EXPECT_TRUE(Issue(1).ok());
  EXPECT_EQ(cids_.spare_count(), 1u);
  EXPECT_EQ(Receive({1, 0, IdOf(9), TokenOf(9)}), Result(kNewConnectionIdSequenceReused));
}

TEST_F(PeerCidsTest, APreferredAddressWithTheFirstIdIsAnError) {
  EXPECT_EQ(cids_.OnPreferredAddress(IdOf(0), TokenOf(1)), Result(kNewConnectionIdRepeated));
}

// ---- Retire Prior To: RFC 9000 §5.1.2, §19.15 ----

TEST_F(PeerCidsTest, RetirePriorToMovesEveryPathThatItCan) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(Issue(2).ok());
  ASSERT_TRUE(cids_.AssignTo(kSecondPath));

  ASSERT_TRUE(Issue(3, 2).ok());

  EXPECT_EQ(cids_.For(kFirstPath), IdOf(2));
  EXPECT_EQ(cids_.For(kSecondPath), IdOf(3));
  EXPECT_EQ(Write(1).size(), 2u);
}

TEST_F(PeerCidsTest, TheActivePathGoesFirstAndTheOthersWait) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.AssignTo(kSecondPath));
  cids_.SetActivePath(kSecondPath);

  ASSERT_TRUE(Issue(2, 2).ok());

  EXPECT_EQ(cids_.current(), IdOf(2));
  EXPECT_FALSE(cids_.HasFor(kFirstPath));
  EXPECT_FALSE(cids_.AssignTo(kFirstPath));
  ASSERT_TRUE(Issue(3, 2).ok());
  EXPECT_TRUE(cids_.AssignTo(kFirstPath));
  EXPECT_EQ(cids_.For(kFirstPath), IdOf(3));
}

TEST_F(PeerCidsTest, AnIdThatComesAfterItsRetirementIsRetiredAtOnce) {
  ASSERT_TRUE(Issue(5, 5).ok());
  ASSERT_EQ(Write(1), Numbers({0}));
  Ack(1, {0});

  ASSERT_TRUE(Issue(3).ok());

  EXPECT_EQ(Write(2), Numbers({3}));
  EXPECT_EQ(cids_.spare_count(), 0u);
  Ack(2, {3});
  ASSERT_TRUE(Issue(3).ok());
  EXPECT_FALSE(cids_.HasPendingFrames()) << "unless that was done already";
}

TEST_F(PeerCidsTest, ASmallerRetirePriorToHasNoEffect) {
  ASSERT_TRUE(Issue(2, 2).ok());

  ASSERT_TRUE(Issue(3, 1).ok());

  EXPECT_EQ(cids_.current(), IdOf(2));
  EXPECT_EQ(Write(1), Numbers({0}));
}

TEST_F(PeerCidsTest, TheActivePathKeepsItsIdUntilThereIsAnother) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.AssignTo(kSecondPath));
  cids_.Release(kSecondPath);
  ASSERT_EQ(Write(1), Numbers({1}));

  ASSERT_TRUE(Issue(1, 1).ok()) << "on its way before the peer knew that 1 was retired";

  EXPECT_EQ(cids_.current(), IdOf(0));
  EXPECT_FALSE(cids_.HasPendingFrames());
  ASSERT_TRUE(Issue(2, 1).ok());
  EXPECT_EQ(cids_.current(), IdOf(2));
  EXPECT_EQ(Write(2), Numbers({0}));
}

TEST_F(PeerCidsTest, AnOverdueIdGoesWhenItsPathIsNotActiveAnyMore) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.AssignTo(kSecondPath));
  ASSERT_TRUE(Issue(1, 1).ok());
  ASSERT_EQ(cids_.current(), IdOf(0)) << "the other id has its path";

  cids_.SetActivePath(kSecondPath);

  EXPECT_FALSE(cids_.HasFor(kFirstPath));
  EXPECT_EQ(cids_.current(), IdOf(1));
  EXPECT_EQ(Write(1), Numbers({0}));
}

TEST_F(PeerCidsTest, AnIdTooOldToBeRememberedIsRetiredAgainAndNotUsed) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(Issue(2).ok());
  ASSERT_TRUE(cids_.Rotate());
  ASSERT_TRUE(cids_.Rotate());
  Ack(1, Write(1));
  ASSERT_TRUE(Issue(1'000).ok());

  ASSERT_TRUE(Issue(1).ok());

  EXPECT_EQ(Write(2), Numbers({1}));
  EXPECT_EQ(cids_.spare_count(), 1u);
}

TEST_F(PeerCidsTest, AGapInTheSequenceNumbersMayBeFilledLater) {
  ASSERT_TRUE(Issue(1'000).ok());

  for (const uint64_t sequence : {960, 999, 937}) ASSERT_TRUE(Issue(sequence).ok());

  EXPECT_EQ(cids_.spare_count(), 4u);
  EXPECT_FALSE(cids_.HasPendingFrames());
}

TEST_F(PeerCidsTest, TheGreatestSequenceNumbersWork) {
  ASSERT_TRUE(Issue(kMaxVarint, kMaxVarint).ok());

  EXPECT_EQ(cids_.current(), IdOf(kMaxVarint));
  EXPECT_EQ(Write(1), Numbers({0}));
  ASSERT_TRUE(Issue(kMaxVarint - 1).ok());
  EXPECT_EQ(Write(2), Numbers({kMaxVarint - 1}));
  ASSERT_TRUE(Issue(5).ok());
  EXPECT_EQ(Write(3), Numbers({5}));
}

// ---- Floods ----

// CVE-2024-22189.
TEST_F(PeerCidsTest, RetirementsThatAreNeverAcknowledgedEndTheConnection) {
  Result result = Result::Ok();
  uint64_t sequence = 0;
  while (result.ok()) {
    ++sequence;
    ASSERT_LT(sequence, 1'000u);
    result = Issue(sequence, sequence);
    if (!result.ok()) break;
    Write(sequence);
    cids_.OnFrameLost(PacketNumber(sequence), SentFrame::RetireConnectionId(sequence - 1));
  }

  EXPECT_EQ(result, Result(kConnectionIdRetirementsAboveLimit));
  EXPECT_EQ(sequence, kMaxPeerConnectionIdsTracked);
  // RFC 9000 §5.1.2: at least twice the limit are allowed.
  EXPECT_GE(sequence, 2 * kActiveConnectionIdLimit);
}

TEST_F(PeerCidsTest, TheSameWithIdsThatAreLateEndsToo) {
  Result result = Issue(1'000'000, 1'000'000);
  uint64_t sequence = 0;
  while (result.ok()) {
    ++sequence;
    ASSERT_LT(sequence, 1'000u);
    result = Issue(sequence);
  }

  EXPECT_EQ(result, Result(kConnectionIdRetirementsAboveLimit));
}

TEST_F(PeerCidsTest, APeerThatAcknowledgesMayRetireForEver) {
  for (uint64_t sequence = 1; sequence < 10'000; ++sequence) {
    ASSERT_TRUE(Issue(sequence, sequence).ok());
    Ack(sequence, Write(sequence));
  }

  EXPECT_EQ(cids_.current(), IdOf(9'999));
  EXPECT_EQ(cids_.retirement_count(), 0u);
}

TEST_F(PeerCidsTest, RepetitionsOfOneFrameCostNothing) {
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.Rotate());
  ASSERT_TRUE(Issue(1'000, 500).ok());

  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(Issue(1).ok());
    ASSERT_TRUE(Issue(1'000, 500).ok());
    ASSERT_TRUE(Issue(3).ok());
  }

  EXPECT_EQ(cids_.retirement_count(), 3u);
}

// ---- Empty ids ----

class PeerCidsEmptyTest : public testing::Test {
 protected:
  PeerCids cids_{ConnectionId()};
};

TEST_F(PeerCidsEmptyTest, EveryPathUsesTheEmptyId) {
  EXPECT_TRUE(cids_.AssignTo(kSecondPath));
  EXPECT_TRUE(cids_.For(kSecondPath).empty());
  cids_.SetActivePath(kSecondPath);
  cids_.Release(kFirstPath);

  EXPECT_TRUE(cids_.current().empty());
  EXPECT_FALSE(cids_.HasPendingFrames());
  EXPECT_FALSE(cids_.Rotate());
  cids_.CheckInvariants();
}

// RFC 9000 §19.15.
TEST_F(PeerCidsEmptyTest, ANewIdAfterTheEmptyOneIsAnError) {
  EXPECT_EQ(cids_.OnNewConnectionIdFrame({1, 0, IdOf(1), TokenOf(1)}),
            Result(kNewConnectionIdAfterEmptyConnectionId));
}

// ---- Stateless reset: RFC 9000 §10.3.1 ----

TEST_F(PeerCidsTest, TokensOfUsedIdsResetTheConnection) {
  EXPECT_FALSE(cids_.IsResetToken(StatelessResetToken())) << "a client has no first token";
  cids_.SetFirstToken(TokenOf(0));
  ASSERT_TRUE(Issue(1).ok());
  ASSERT_TRUE(cids_.AssignTo(kSecondPath));

  EXPECT_TRUE(cids_.IsResetToken(TokenOf(0)));
  EXPECT_TRUE(cids_.IsResetToken(TokenOf(1)));
  EXPECT_FALSE(cids_.IsResetToken(TokenOf(2)));
}

TEST_F(PeerCidsTest, TokensOfUnusedAndOfRetiredIdsDoNot) {
  cids_.SetFirstToken(TokenOf(0));
  ASSERT_TRUE(Issue(1).ok());

  EXPECT_FALSE(cids_.IsResetToken(TokenOf(1)));
  ASSERT_TRUE(cids_.Rotate());
  EXPECT_FALSE(cids_.IsResetToken(TokenOf(0)));
  EXPECT_TRUE(cids_.IsResetToken(TokenOf(1)));
}

}  // namespace
}  // namespace godwit
