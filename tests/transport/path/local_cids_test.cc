// SPDX-License-Identifier: Apache-2.0
#include "transport/path/local_cids.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/packet_number.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "base/seeded_random.h"
#include "godwit/connection_id.h"
#include "godwit/time.h"
#include "tests/transport/path/written_frames.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {
namespace {

constexpr Timestamp kStart = Timestamp::FromNanoseconds(1'000'000'000);
constexpr Duration kPto = Duration::Milliseconds(100);

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

std::vector<ConnectionId> Routed(const LocalCids& cids) {
  std::vector<ConnectionId> ids;
  for (size_t i = 0; i < cids.routed_count(); ++i) ids.push_back(cids.routed(i));
  return ids;
}

class LocalCidsTest : public testing::Test {
 protected:
  std::vector<NewConnectionIdFrame> Write(uint64_t packet_number, const PacketRoom& room = {}) {
    return WriteInPacket<NewConnectionIdFrame>(cids_, packet_number, room);
  }

  // Adds what is wanted, with ids of rising numbers.
  void AddWanted() {
    while (cids_.wanted_count() > 0) {
      cids_.Add(IdOf(next_id_), TokenOf(next_id_));
      ++next_id_;
    }
    cids_.CheckInvariants();
  }

  // A packet to the id `dcid` that retires `sequence_number`.
  Result Retire(uint64_t sequence_number, const ConnectionId& dcid, Timestamp now = kStart) {
    const Result result =
        cids_.OnRetireConnectionIdFrame({sequence_number}, dcid.bytes(), now, kPto);
    cids_.CheckInvariants();
    return result;
  }

  LocalCids cids_{IdOf(0), TokenOf(0)};
  uint64_t next_id_ = 1;
};

// ---- RFC 9000 §5.1.1 ----

TEST_F(LocalCidsTest, NothingIsWantedBeforeThePeersLimitIsKnown) {
  EXPECT_EQ(cids_.wanted_count(), 0u);
  EXPECT_FALSE(cids_.HasPendingFrames());
  EXPECT_EQ(Routed(cids_), std::vector{IdOf(0)});
  cids_.CheckInvariants();
}

TEST_F(LocalCidsTest, ThePeersLimitCountsTheFirstIdToo) {
  cids_.OnPeerParameters(4);

  EXPECT_EQ(cids_.wanted_count(), 3u);
}

TEST_F(LocalCidsTest, APeerWithAHugeLimitGetsOurs) {
  cids_.OnPeerParameters(kMaxVarint);

  EXPECT_EQ(cids_.wanted_count(), kMaxNewConnectionIdsPending - 1);
}

TEST_F(LocalCidsTest, SequenceNumbersCountUpByOne) {
  cids_.OnPeerParameters(4);
  AddWanted();

  const std::vector<NewConnectionIdFrame> frames = Write(7);

  ASSERT_EQ(frames.size(), 3u);
  for (uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(frames[i].sequence_number, i + 1);
    EXPECT_EQ(frames[i].retire_prior_to, 0u);
    EXPECT_EQ(frames[i].connection_id, IdOf(i + 1));
    EXPECT_EQ(frames[i].stateless_reset_token, TokenOf(i + 1));
  }
  EXPECT_FALSE(cids_.HasPendingFrames());
}

TEST_F(LocalCidsTest, AnIdIsRoutedBeforeItIsAnnounced) {
  cids_.OnPeerParameters(2);

  cids_.Add(IdOf(1), TokenOf(1));

  EXPECT_EQ(Routed(cids_), (std::vector{IdOf(0), IdOf(1)}));
}

// RFC 9000 §13.3.
TEST_F(LocalCidsTest, ALostAnnouncementIsSentAgain) {
  cids_.OnPeerParameters(3);
  AddWanted();
  Write(7);

  cids_.OnFrameLost(PacketNumber(7), SentFrame::NewConnectionId(2));

  const std::vector<NewConnectionIdFrame> frames = Write(8);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].sequence_number, 2u);
  EXPECT_EQ(frames[0].connection_id, IdOf(2));
}

TEST_F(LocalCidsTest, ALateAcknowledgmentSparesTheRepetition) {
  cids_.OnPeerParameters(2);
  AddWanted();
  Write(7);
  cids_.OnFrameLost(PacketNumber(7), SentFrame::NewConnectionId(1));
  ASSERT_TRUE(cids_.HasPendingFrames());

  cids_.OnFrameAcked(PacketNumber(7), SentFrame::NewConnectionId(1));

  EXPECT_FALSE(cids_.HasPendingFrames());
  cids_.CheckInvariants();
}

TEST_F(LocalCidsTest, WhatDoesNotFitWaitsForTheNextPacket) {
  cids_.OnPeerParameters(8);
  AddWanted();

  EXPECT_EQ(Write(1, {.bytes = 60}).size(), 2u);
  EXPECT_TRUE(cids_.HasPendingFrames());
  EXPECT_EQ(Write(2).size(), 5u);
  EXPECT_FALSE(cids_.HasPendingFrames());
  cids_.CheckInvariants();
}

// RFC 9000 §9.1: NEW_CONNECTION_ID is a probing frame.
TEST_F(LocalCidsTest, IdsGoOutOnPathsThatAreOnlyProbedToo) {
  cids_.OnPeerParameters(2);
  AddWanted();

  EXPECT_EQ(Write(1, {.mode = PacketMode::kPathOnly}).size(), 1u);
}

// ---- RFC 9000 §5.1.2, §19.16 ----

TEST_F(LocalCidsTest, ARetiredIdIsReplaced) {
  cids_.OnPeerParameters(4);
  AddWanted();
  Write(1);

  ASSERT_TRUE(Retire(0, IdOf(1)).ok());

  EXPECT_EQ(cids_.wanted_count(), 1u);
  AddWanted();
  EXPECT_EQ(Write(2)[0].sequence_number, 4u);
}

TEST_F(LocalCidsTest, ARetiredIdIsRoutedForThreePtosMore) {
  cids_.OnPeerParameters(4);
  AddWanted();
  Write(1);
  ASSERT_TRUE(Retire(0, IdOf(1)).ok());

  EXPECT_EQ(cids_.next_deadline(), kStart + 3 * kPto);
  EXPECT_EQ(cids_.PollRetired(kStart + 2 * kPto), std::nullopt);
  EXPECT_EQ(Routed(cids_).front(), IdOf(0));
  EXPECT_EQ(cids_.PollRetired(kStart + 3 * kPto), IdOf(0));
  EXPECT_EQ(cids_.PollRetired(kStart + 3 * kPto), std::nullopt);
  EXPECT_EQ(Routed(cids_).front(), IdOf(1));
  EXPECT_EQ(cids_.next_deadline(), Timestamp::Infinite());
}

TEST_F(LocalCidsTest, RetiringAgainDoesNotLengthenTheGrace) {
  cids_.OnPeerParameters(4);
  AddWanted();
  Write(1);
  ASSERT_TRUE(Retire(0, IdOf(1)).ok());

  ASSERT_TRUE(Retire(0, IdOf(1), kStart + kPto).ok());
  EXPECT_EQ(cids_.PollRetired(kStart + 3 * kPto), IdOf(0));
  EXPECT_TRUE(Retire(0, IdOf(1), kStart + 5 * kPto).ok()) << "a repetition that comes very late";

  EXPECT_EQ(cids_.next_deadline(), Timestamp::Infinite());
}

TEST_F(LocalCidsTest, ARetiredIdIsNotAnnouncedAgain) {
  cids_.OnPeerParameters(3);
  AddWanted();
  Write(1);
  cids_.OnFrameLost(PacketNumber(1), SentFrame::NewConnectionId(1));

  ASSERT_TRUE(Retire(1, IdOf(2)).ok());

  EXPECT_FALSE(cids_.HasPendingFrames());
  cids_.OnFrameLost(PacketNumber(1), SentFrame::NewConnectionId(1));
  cids_.OnFrameAcked(PacketNumber(1), SentFrame::NewConnectionId(1));
  EXPECT_FALSE(cids_.HasPendingFrames());
  cids_.CheckInvariants();
}

TEST_F(LocalCidsTest, RetiringWhatWasNeverIssuedIsAnError) {
  cids_.OnPeerParameters(3);
  AddWanted();
  Write(1);

  EXPECT_EQ(Retire(3, IdOf(0)), Result(kRetireConnectionIdUnissued));
  EXPECT_EQ(Retire(kMaxVarint, IdOf(0)), Result(kRetireConnectionIdUnissued));
}

TEST_F(LocalCidsTest, RetiringWhatWasNotSentYetIsAnError) {
  cids_.OnPeerParameters(3);
  AddWanted();
  ASSERT_EQ(Write(1, {.bytes = 40}).size(), 1u);

  EXPECT_EQ(Retire(2, IdOf(0)), Result(kRetireConnectionIdUnissued));
  EXPECT_TRUE(Retire(1, IdOf(0)).ok());
}

TEST_F(LocalCidsTest, RetiringTheIdOfThePacketItselfIsAnError) {
  cids_.OnPeerParameters(3);
  AddWanted();
  Write(1);

  EXPECT_EQ(Retire(0, IdOf(0)), Result(kRetireConnectionIdInUse));
  EXPECT_EQ(Retire(1, IdOf(1)), Result(kRetireConnectionIdInUse));
}

TEST(LocalCidsEmptyTest, AnEndpointWithTheEmptyIdIssuesNothing) {
  LocalCids cids(ConnectionId(), std::nullopt);

  cids.OnPeerParameters(8);

  EXPECT_EQ(cids.wanted_count(), 0u);
  EXPECT_FALSE(cids.RotateAll());
  EXPECT_EQ(cids.OnRetireConnectionIdFrame({0}, {}, kStart, kPto),
            Result(kRetireConnectionIdWithoutConnectionIds));
  cids.CheckInvariants();
}

// ---- Rotation ----

TEST_F(LocalCidsTest, RotationReplacesAllIds) {
  cids_.OnPeerParameters(3);
  AddWanted();
  Write(1);

  ASSERT_TRUE(cids_.RotateAll());

  EXPECT_EQ(cids_.wanted_count(), 3u);
  AddWanted();
  const std::vector<NewConnectionIdFrame> frames = Write(2);
  ASSERT_EQ(frames.size(), 3u);
  for (const NewConnectionIdFrame& frame : frames) EXPECT_EQ(frame.retire_prior_to, 3u);
  EXPECT_EQ(cids_.routed_count(), 6u) << "until the peer has retired them";
}

// RFC 9000 §19.15: Retire Prior To is not above the sequence number.
TEST_F(LocalCidsTest, OlderIdsThatAreSentAgainAskForNoMoreThanTheyMay) {
  cids_.OnPeerParameters(3);
  AddWanted();
  Write(1);
  ASSERT_TRUE(cids_.RotateAll());
  AddWanted();
  Write(2);

  cids_.OnFrameLost(PacketNumber(1), SentFrame::NewConnectionId(1));
  cids_.OnFrameLost(PacketNumber(2), SentFrame::NewConnectionId(5));

  const std::vector<NewConnectionIdFrame> frames = Write(3);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].retire_prior_to, 1u);
  EXPECT_EQ(frames[1].retire_prior_to, 3u);
}

// RFC 9000 §5.1.2.
TEST_F(LocalCidsTest, OneRotationAtATime) {
  cids_.OnPeerParameters(3);
  EXPECT_FALSE(LocalCids(IdOf(0), std::nullopt).RotateAll()) << "before the handshake is complete";
  AddWanted();
  Write(1);
  ASSERT_TRUE(cids_.RotateAll());
  EXPECT_FALSE(cids_.RotateAll());
  AddWanted();
  Write(2);

  ASSERT_TRUE(Retire(0, IdOf(3)).ok());
  ASSERT_TRUE(Retire(1, IdOf(3)).ok());
  EXPECT_FALSE(cids_.RotateAll());
  ASSERT_TRUE(Retire(2, IdOf(3)).ok());
  EXPECT_TRUE(cids_.RotateAll());
}

// ---- Floods ----

TEST_F(LocalCidsTest, APeerThatRetiresAllTheTimeGetsNoMoreThanTheBoundInThreePtos) {
  cids_.OnPeerParameters(8);
  AddWanted();
  uint64_t packet_number = 0;
  Write(packet_number++);

  uint64_t issued_count = 0;
  for (uint64_t sequence = 0; sequence < 1'000; ++sequence) {
    const uint64_t before = next_id_;
    if (sequence >= next_id_ - 1) break;  // There must be one left to send the packet to.
    ASSERT_TRUE(Retire(sequence, IdOf(next_id_ - 1)).ok());
    AddWanted();
    Write(packet_number++);
    issued_count += next_id_ - before;
    EXPECT_LE(cids_.routed_count(), kMaxLocalConnectionIds);
  }

  EXPECT_EQ(issued_count, kMaxLocalConnectionIds - kMaxNewConnectionIdsPending);
  while (cids_.PollRetired(kStart + 3 * kPto).has_value()) {
  }
  EXPECT_EQ(cids_.wanted_count(), kMaxNewConnectionIdsPending - 1);
}

// A peer that keeps the rules, over a link that loses frames, with rotations: the two sides agree
// in the end about which ids are active.
TEST(LocalCidsModelTest, BothSidesAgreeWhateverIsLost) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SeededRandom random(seed);
    LocalCids cids(IdOf(0), TokenOf(0));
    cids.OnPeerParameters(4);
    uint64_t next_id = 1;
    uint64_t packet_number = 0;
    Timestamp now = kStart;
    std::set<uint64_t> peer_active = {0};
    std::set<uint64_t> peer_retired;
    uint64_t peer_retire_prior_to = 0;

    for (int step = 0; step < 400; ++step) {
      now += Duration::Milliseconds(20);
      const bool is_lossy = step < 300;
      while (cids.wanted_count() > 0) {
        cids.Add(IdOf(next_id), TokenOf(next_id));
        ++next_id;
      }
      for (const NewConnectionIdFrame& frame :
           WriteInPacket<NewConnectionIdFrame>(cids, packet_number, {.bytes = 100})) {
        const SentFrame sent = SentFrame::NewConnectionId(frame.sequence_number);
        if (is_lossy && random.UniformBelow(2) == 0) {
          cids.OnFrameLost(PacketNumber(packet_number), sent);
          continue;
        }
        peer_retire_prior_to = std::max(peer_retire_prior_to, frame.retire_prior_to);
        if (peer_retired.count(frame.sequence_number) == 0) {
          peer_active.insert(frame.sequence_number);
        }
        cids.OnFrameAcked(PacketNumber(packet_number), sent);
      }
      ++packet_number;
      size_t in_force = 0;
      for (const uint64_t sequence : peer_active) in_force += sequence >= peer_retire_prior_to;
      ASSERT_LE(in_force, 4u) << "seed " << seed;
      const uint64_t user = *peer_active.rbegin();
      const bool is_whim = is_lossy && random.UniformBelow(10) == 0;
      while (peer_active.size() > 1 && (*peer_active.begin() < peer_retire_prior_to || is_whim)) {
        const uint64_t retired = *peer_active.begin();
        peer_active.erase(peer_active.begin());
        peer_retired.insert(retired);
        ASSERT_TRUE(cids.OnRetireConnectionIdFrame({retired}, IdOf(user).bytes(), now, kPto).ok());
        if (is_whim) break;
      }
      if (is_lossy && random.UniformBelow(30) == 0) cids.RotateAll();
      while (cids.PollRetired(now).has_value()) {
      }
      cids.CheckInvariants();
    }

    EXPECT_EQ(cids.routed_count(), 4u) << "seed " << seed;
    EXPECT_EQ(peer_active.size(), 4u) << "seed " << seed;
    for (size_t i = 0; i < cids.routed_count(); ++i) {
      bool is_known = false;
      for (const uint64_t sequence : peer_active) is_known |= IdOf(sequence) == cids.routed(i);
      EXPECT_TRUE(is_known);
    }
  }
}

}  // namespace
}  // namespace godwit
