// SPDX-License-Identifier: Apache-2.0
#include "transport/path/path_manager.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/packet_number.h"
#include "base/path_id.h"
#include "godwit/drop_reason.h"
#include "tests/transport/path/path_world.h"
#include "transport/delivery/sent_frame.h"

namespace godwit {
namespace {

using Arrival = PathWorld::Arrival;
using Migration = PathManager::Migration;
using Packet = PathWorld::Packet;

// ---- Which path a datagram belongs to. RFC 9000 §9. ----

TEST(PathManagerTest, DatagramOfTheFirstPathIsKnown) {
  PathWorld world;

  const Arrival arrival = world.Arrive(kHome);

  EXPECT_TRUE(arrival.is_known);
  EXPECT_EQ(arrival.path, PathId(0));
  EXPECT_FALSE(arrival.drop.has_value());
  EXPECT_EQ(world.manager.next_deadline(), Timestamp::Infinite());
  EXPECT_FALSE(world.manager.NextPathWithFrames().has_value());
}

TEST(PathManagerTest, UnknownAddressBecomesACandidate) {
  PathWorld world;

  const Arrival arrival = world.Arrive(kElsewhere, 100);

  EXPECT_FALSE(arrival.is_known);
  EXPECT_FALSE(arrival.drop.has_value());
  EXPECT_EQ(arrival.path, PathId(1));
  ASSERT_NE(world.manager.Find(kElsewhere), nullptr);
  EXPECT_EQ(world.manager.Find(kElsewhere)->AmplificationCredit(), 300u);
  EXPECT_EQ(world.manager.Find(PathId(1)), world.manager.Find(kElsewhere));
  EXPECT_EQ(world.active_tuple(), kHome);
  EXPECT_TRUE(world.Arrive(kElsewhere).is_known);
}

TEST(PathManagerTest, NobodyMovesBeforeTheHandshakeIsConfirmed) {
  PathWorld world;

  const PathManager::Arrival arrival =
      world.manager.OnUnknownFourTuple(kElsewhere, 1'200, false, world.now);

  EXPECT_EQ(arrival.drop, DropReason::kMigrationForbidden);
  EXPECT_EQ(arrival.path, PathId(0));
  EXPECT_EQ(world.manager.path_count(), 1u);
}

TEST(PathManagerTest, NobodyMovesIfWeForbadeIt) {
  PathWorld world({.config = {.is_migration_allowed = false}});

  EXPECT_EQ(world.Arrive(kElsewhere).drop, DropReason::kMigrationForbidden);
  EXPECT_EQ(world.manager.path_count(), 1u);
}

TEST(PathManagerTest, ServersDoNotMove) {
  PathWorld world({.config = {.perspective = Perspective::kClient}});

  EXPECT_EQ(world.Arrive(kElsewhere).drop, DropReason::kUnknownPeerAddress);
  EXPECT_EQ(world.Arrive(kOtherPort).drop, DropReason::kUnknownPeerAddress);
  EXPECT_EQ(world.manager.path_count(), 1u);
}

// RFC 9000 §9.2: the server's address is what was validated.
TEST(PathManagerTest, ClientMovesToItsNewAddressWithoutALimit) {
  PathWorld world({.config = {.perspective = Perspective::kClient}});
  const FourTuple moved = TupleFrom("192.0.2.1:1000", "198.51.100.77:443");

  const Migration migration = world.Receive(moved, Packet::kNonProbing, 100);

  EXPECT_EQ(migration, Migration::kMigrated);
  EXPECT_EQ(world.active_tuple(), moved);
  EXPECT_EQ(world.manager.active().AmplificationCredit(), std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(world.ChallengeTo(moved).has_value());
}

TEST(PathManagerTest, ClientReturnsIfItsNewAddressDoesNotAnswer) {
  PathWorld world({.config = {.perspective = Perspective::kClient}});
  world.Receive(TupleFrom("192.0.2.1:1000", "198.51.100.77:443"));

  const PathWorld::Passed passed = world.Pass(Duration::Seconds(4));

  EXPECT_EQ(passed.reverted_count, 1u);
  EXPECT_EQ(world.active_tuple(), kHome);
}

TEST(PathManagerTest, LocalAddressThatTheSystemChoosesMatchesAnyOfItsPort) {
  const FourTuple unspecified = TupleFrom("192.0.2.1:1000", "0.0.0.0:5000");
  PathWorld world({.config = {.perspective = Perspective::kClient}, .first = unspecified});

  EXPECT_TRUE(world.Arrive(TupleFrom("192.0.2.1:1000", "10.0.0.7:5000")).is_known);
  EXPECT_FALSE(world.Arrive(TupleFrom("192.0.2.1:1000", "10.0.0.7:5001")).is_known);
  EXPECT_EQ(world.active_tuple(), unspecified);
}

// ---- The peer has moved. RFC 9000 §9.3. ----

TEST(PathManagerTest, NewestNonProbingPacketMoves) {
  PathWorld world;

  EXPECT_EQ(world.Receive(kElsewhere), Migration::kMigrated);
  EXPECT_EQ(world.active_tuple(), kElsewhere);
  EXPECT_EQ(world.Receive(kElsewhere), Migration::kNone);
}

TEST(PathManagerTest, ReorderedPacketDoesNotMove) {
  PathWorld world;

  EXPECT_EQ(world.Receive(kElsewhere, Packet::kOld), Migration::kNone);
  EXPECT_EQ(world.active_tuple(), kHome);
  EXPECT_FALSE(world.manager.NextPathWithFrames().has_value());
}

// RFC 9000 §9.1, §9.6.3.
TEST(PathManagerTest, ProbingPacketDoesNotMoveButIsProbedInTurn) {
  PathWorld world;

  EXPECT_EQ(world.Receive(kElsewhere, Packet::kProbing), Migration::kNone);

  EXPECT_EQ(world.active_tuple(), kHome);
  const std::vector<PathWorld::Sent> sent = world.SendAll();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, kElsewhere);
  EXPECT_EQ(sent[0].content.challenges.size(), 1u);
}

TEST(PathManagerTest, PathThatWasProbedNeedsNoSecondProof) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kProbing);
  world.Answer(*world.ChallengeTo(kElsewhere));

  world.Receive(kElsewhere);

  EXPECT_TRUE(world.manager.active().is_validated());
  EXPECT_FALSE(world.ChallengeTo(kElsewhere).has_value());
}

// RFC 9000 §9.4.
TEST(PathManagerTest, OtherIpAddressStartsFromNothing) {
  PathWorld world;
  UseActive(world);
  world.manager.active().SetMaxDatagramBytes(1'400, world.now);

  world.Receive(kElsewhere);

  const Path& active = world.manager.active();
  EXPECT_EQ(active.id(), PathId(1));
  EXPECT_FALSE(active.rtt().has_sample());
  EXPECT_EQ(active.rtt().smoothed_rtt(), kInitialRtt);
  EXPECT_EQ(active.controller().congestion_window_bytes(), InitialWindowBytes(1'200));
  EXPECT_EQ(active.bytes_in_flight(), 0u);
  EXPECT_EQ(active.max_datagram_bytes(), 1'200u);
  EXPECT_FALSE(active.is_validated());
  EXPECT_EQ(world.manager.Find(PathId(0))->bytes_in_flight(), 5u * 1'200);
}

TEST(PathManagerTest, OtherPortKeepsEverythingButTheValidation) {
  PathWorld world;
  const uint64_t window_bytes = UseActive(world);
  world.manager.active().SetMaxDatagramBytes(1'400, world.now);

  const Migration migration = world.Receive(kOtherPort, Packet::kNonProbing, 500);

  const Path& active = world.manager.active();
  EXPECT_EQ(migration, Migration::kMigrated);
  EXPECT_EQ(active.id(), PathId(0));
  EXPECT_EQ(active.four_tuple(), kOtherPort);
  EXPECT_EQ(active.rtt().smoothed_rtt(), Duration::Milliseconds(30));
  EXPECT_EQ(active.controller().congestion_window_bytes(), window_bytes);
  EXPECT_EQ(active.bytes_in_flight(), 5u * 1'200);
  EXPECT_EQ(active.max_datagram_bytes(), 1'400u);
  EXPECT_FALSE(active.is_validated());
  EXPECT_EQ(active.AmplificationCredit(), 1'500u);
  EXPECT_EQ(world.manager.Find(PathId(1))->four_tuple(), kHome);
  EXPECT_TRUE(world.manager.Find(PathId(1))->is_validated());
  EXPECT_EQ(world.Arrive(kOtherPort).path, PathId(0));
  EXPECT_EQ(world.Arrive(kHome).path, PathId(1));
}

// RFC 9000 §9.3.3.
TEST(PathManagerTest, BothAddressesAreChallenged) {
  for (const FourTuple& to : {kElsewhere, kOtherPort}) {
    PathWorld world;
    world.Receive(to);

    std::set<FourTuple> challenged;
    for (const PathWorld::Sent& sent : world.SendAll()) {
      EXPECT_EQ(sent.content.challenges.size(), 1u);
      EXPECT_EQ(sent.bytes, 1'200u);
      challenged.insert(sent.to);
    }

    EXPECT_EQ(challenged, (std::set{kHome, to}));
  }
}

TEST(PathManagerTest, AnswerValidatesThePathOnWhichTheChallengeWasSent) {
  PathWorld world;
  world.Receive(kElsewhere);
  const auto challenge = world.ChallengeTo(kElsewhere);

  world.Answer(*challenge);

  EXPECT_TRUE(world.manager.active().is_validated());
  EXPECT_EQ(world.active_tuple(), kElsewhere);
  EXPECT_EQ(world.Pass(Duration::Seconds(60)).reverted_count, 0u);
  EXPECT_EQ(world.active_tuple(), kElsewhere);
}

TEST(PathManagerTest, AnswerFollowsTheAddressWhenThePortAloneChanges) {
  PathWorld world;
  world.Receive(kOtherPort, Packet::kProbing);
  const auto challenge = world.ChallengeTo(kOtherPort);
  world.Receive(kOtherPort);
  EXPECT_FALSE(world.manager.active().is_validated());

  world.Answer(*challenge);

  EXPECT_TRUE(world.manager.active().is_validated());
  EXPECT_EQ(world.active_tuple(), kOtherPort);
}

TEST(PathManagerTest, ForeignAnswersAreIgnored) {
  PathWorld world;
  world.Receive(kElsewhere);
  world.SendAll();

  world.Answer({1, 2, 3, 4, 5, 6, 7, 8});

  EXPECT_FALSE(world.manager.active().is_validated());
}

TEST(PathManagerTest, OldPathGoesWhenItDoesNotAnswer) {
  PathWorld world;
  world.Receive(kElsewhere);
  world.Answer(*world.ChallengeTo(kElsewhere));

  const PathWorld::Passed passed = world.Pass(Duration::Seconds(4));

  EXPECT_EQ(passed.abandoned, std::vector{PathId(0)});
  EXPECT_EQ(world.manager.path_count(), 1u);
  EXPECT_EQ(world.manager.next_deadline(), Timestamp::Infinite());
}

TEST(PathManagerTest, OldPathThatAnswersStaysForAWhile) {
  PathWorld world;
  world.Receive(kElsewhere);
  for (const PathWorld::Sent& sent : world.SendAll()) world.Answer(sent.content.challenges[0]);

  EXPECT_TRUE(world.Pass(Duration::Seconds(29)).abandoned.empty());
  EXPECT_EQ(world.Pass(Duration::Seconds(2)).abandoned, std::vector{PathId(0)});
  EXPECT_EQ(world.manager.next_deadline(), Timestamp::Infinite());
}

TEST(PathManagerTest, PathThatIsLeftLaterStaysAsLong) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kProbing);
  world.Answer(*world.ChallengeTo(kElsewhere));
  world.Pass(Duration::Seconds(20));
  world.Receive(kElsewhere);
  world.Pass(Duration::Seconds(20));
  world.Receive(kHome, Packet::kProbing);
  world.Answer(*world.ChallengeTo(kHome));

  world.Receive(kHome);
  world.TimeOut();

  EXPECT_NE(world.manager.Find(kElsewhere), nullptr);
}

TEST(PathManagerTest, NewPathKnowsNothingThatTheFirstWasToldOfItself) {
  Path::Params first = ValidatedParams();
  first.four_tuple = kHome;
  first.initial_rtt = Duration::Milliseconds(5);
  first.max_datagram_bytes = 1'400;
  PathManager manager(first, {});

  const PathManager::Arrival arrival =
      manager.OnUnknownFourTuple(kElsewhere, 1'200, true, kStart);

  const Path& path = *manager.Find(arrival.path);
  EXPECT_EQ(path.rtt().smoothed_rtt(), kInitialRtt);
  EXPECT_EQ(path.max_datagram_bytes(), 1'200u);
}

// ---- Amplification on a new path. RFC 9000 §8, §8.2.1. ----

TEST(PathManagerTest, ChallengeIsShortIfCreditDoesNotCoverMore) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kNonProbing, 399);
  const PathId id = world.manager.active().id();

  EXPECT_FALSE(world.manager.PathNeedsFullDatagram(id));
  world.Arrive(kElsewhere, 1);
  EXPECT_TRUE(world.manager.PathNeedsFullDatagram(id));
}

TEST(PathManagerTest, ShortChallengeIsFollowedByAFullOne) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kNonProbing, 30);
  const PathId id = world.manager.active().id();
  const PathWorld::Sent first = world.SendOn(id);
  ASSERT_EQ(first.bytes, PathWorld::kShortDatagramBytes);

  world.Answer(first.content.challenges[0]);

  EXPECT_TRUE(world.manager.active().is_validated());
  EXPECT_TRUE(world.manager.PathNeedsFullDatagram(id));
  const PathWorld::Sent second = world.SendOn(id);
  EXPECT_EQ(second.bytes, 1'200u);
  ASSERT_EQ(second.content.challenges.size(), 1u);
  EXPECT_NE(second.content.challenges[0], first.content.challenges[0]);
  world.Answer(second.content.challenges[0]);
  EXPECT_FALSE(world.manager.HasPendingFrames(id));
  EXPECT_EQ(world.Pass(Duration::Seconds(60)).reverted_count, 0u);
}

TEST(PathManagerTest, PathThatDoesNotCarry1200BytesIsLeft) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kNonProbing, 30);
  world.Answer(*world.ChallengeTo(kElsewhere));

  const PathWorld::Passed passed = world.Pass(Duration::Seconds(4));

  EXPECT_EQ(passed.reverted_count, 1u);
  EXPECT_EQ(world.active_tuple(), kHome);
}

TEST(PathManagerTest, PathWithoutCreditIsNotOfferedForSending) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kProbing, 10);

  EXPECT_TRUE(world.manager.HasPendingFrames(PathId(1)));
  EXPECT_FALSE(world.manager.NextPathWithFrames().has_value());
  world.Arrive(kElsewhere, 10);
  EXPECT_EQ(world.manager.NextPathWithFrames(), PathId(1));
}

// RFC 9000 §8.2.2.
TEST(PathManagerTest, AnswersWaitForTheWindow) {
  PathWorld world;
  world.manager.OnPathChallengeFrame({.data = {5}}, PathId(0));
  Path& path = world.manager.active();
  const uint64_t window_bytes = path.controller().congestion_window_bytes();
  ASSERT_EQ(world.manager.NextPathWithFrames(), PathId(0));

  // 1199 bytes are left, and the datagram must have 1200.
  path.OnPacketSent(0, window_bytes - 1'199, world.now);

  EXPECT_FALSE(world.manager.NextPathWithFrames().has_value());
  path.OnPacketsDiscarded(1);
  EXPECT_EQ(world.manager.NextPathWithFrames(), PathId(0));
}

// RFC 9000 §9.4.
TEST(PathManagerTest, ChallengePassesAWindowFullOfPacketsForTheOldPort) {
  PathWorld world;
  Path& path = world.manager.active();
  path.OnPacketSent(0, path.controller().congestion_window_bytes(), world.now);

  world.Receive(kOtherPort, Packet::kNonProbing, 32);

  ASSERT_EQ(path.four_tuple(), kOtherPort);
  EXPECT_EQ(path.BudgetFor(world.now, PacketMode::kNormal, 60).blocked, Path::Blocked::kCongestion);
  EXPECT_TRUE(world.ChallengeTo(kOtherPort).has_value());
}

TEST(PathManagerTest, CreditFollowsTheAddressThroughAChangeOfPort) {
  PathWorld world;
  world.Receive(kOtherPort, Packet::kProbing, 1'000);
  world.SendOn(PathId(1));
  ASSERT_EQ(world.manager.Find(kOtherPort)->AmplificationCredit(), 1'800u);

  world.Receive(kOtherPort, Packet::kNonProbing, 100);

  EXPECT_EQ(world.manager.active().AmplificationCredit(), 2'100u);
}

// ---- Answers. RFC 9000 §8.2.2. ----

TEST(PathManagerTest, AnswerGoesWhereTheChallengeCameFrom) {
  PathWorld world;
  world.Arrive(kElsewhere);
  world.manager.OnPathChallengeFrame({.data = {5}}, PathId(1));

  EXPECT_EQ(world.manager.NextPathWithFrames(), PathId(1));
  EXPECT_FALSE(world.manager.HasPendingFrames(PathId(0)));
  EXPECT_TRUE(world.manager.PathNeedsFullDatagram(PathId(1)));
  const PathWorld::Sent sent = world.SendOn(PathId(1));

  EXPECT_EQ(sent.to, kElsewhere);
  EXPECT_EQ(sent.bytes, 1'200u);
  EXPECT_EQ(sent.content.responses, std::vector{PathChallengeData{5}});
  EXPECT_EQ(sent.content.ping_count, 0u);
}

TEST(PathManagerTest, OwedAnswerFollowsTheAddressToo) {
  PathWorld world;
  world.Arrive(kOtherPort);
  world.manager.OnPathChallengeFrame({.data = {5}}, PathId(1));
  world.Receive(kOtherPort);

  bool is_answered = false;
  for (const PathWorld::Sent& sent : world.SendAll()) {
    if (sent.content.responses.empty()) continue;
    EXPECT_EQ(sent.to, kOtherPort);
    is_answered = true;
  }
  EXPECT_TRUE(is_answered);
}

TEST(PathManagerTest, ChallengeFromAPathThatIsGoneIsNotAnswered) {
  PathWorld world;

  world.manager.OnPathChallengeFrame({.data = {5}}, PathId(9));

  EXPECT_FALSE(world.manager.NextPathWithFrames().has_value());
}

TEST(PathManagerTest, PathsThatAreNotInUseComeFirst) {
  PathWorld world;
  world.Arrive(kElsewhere);
  for (const PathId id : {PathId(0), PathId(1)}) {
    world.manager.OnPathChallengeFrame({.data = {5}}, id);
  }

  EXPECT_EQ(world.manager.NextPathWithFrames(), PathId(1));
  world.SendOn(PathId(1));
  EXPECT_EQ(world.manager.NextPathWithFrames(), PathId(0));
}

// RFC 9000 §9.3.3.
TEST(PathManagerTest, AnswerOnTheActivePathComesInANonProbingPacket) {
  PathWorld world;
  world.manager.OnPathChallengeFrame({.data = {5}}, PathId(0));
  PathPacket packet(0, PacketMode::kNormal);

  world.manager.WriteFrames(packet.writer(), PathId(0), world.now);

  EXPECT_EQ(packet.Read().responses.size(), 1u);
  EXPECT_EQ(packet.Read().ping_count, 1u);
  EXPECT_FALSE(packet.writer().is_probing());
}

TEST(PathManagerTest, NoPingIsNeededWhereAnotherFrameSaysTheSame) {
  PathWorld world;
  world.manager.OnPathChallengeFrame({.data = {5}}, PathId(0));
  PathPacket packet(0, PacketMode::kNormal);
  ASSERT_TRUE(packet.writer().Write(PingFrame{}, SentFrame::Ping()));

  world.manager.WriteFrames(packet.writer(), PathId(0), world.now);

  EXPECT_EQ(packet.Read().ping_count, 1u);
}

TEST(PathManagerTest, ChallengeAloneBringsNoPing) {
  PathWorld world;
  world.Receive(kElsewhere);
  PathPacket packet(0, PacketMode::kNormal);

  world.manager.WriteFrames(packet.writer(), PathId(1), world.now);

  EXPECT_EQ(packet.Read().challenges.size(), 1u);
  EXPECT_EQ(packet.Read().ping_count, 0u);
}

// ---- Losses, and what concerns all paths ----

TEST(PathManagerTest, LossOfAChallengeShortensTheWaitForTheNext) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kProbing);
  world.Pass(kInitialPto);
  ASSERT_EQ(world.next_number, 2u);
  ASSERT_GT(world.manager.next_deadline(), world.now + kInitialPto);

  world.manager.OnFrameLost(PacketNumber(1), SentFrame::PathResponse(PathId(1)));
  EXPECT_GT(world.manager.next_deadline(), world.now + kInitialPto);
  world.manager.OnFrameLost(PacketNumber(1), SentFrame::PathChallenge(PathId(1)));
  EXPECT_EQ(world.manager.next_deadline(), world.now + kInitialPto);

  world.Pass(kInitialPto);
  EXPECT_EQ(world.next_number, 3u);
}

TEST(PathManagerTest, ProbesToAnUnknownNetworkKeepToTheInitialPto) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kProbing);
  world.SendAll();

  EXPECT_EQ(world.manager.next_deadline(), world.now + kInitialPto);
}

TEST(PathManagerTest, ProbesToTheSameNetworkKeepToItsPto) {
  PathWorld world;
  world.Receive(kOtherPort, Packet::kProbing);
  world.SendAll();

  EXPECT_EQ(world.manager.next_deadline(), world.now + PathWorld::kPto);
}

TEST(PathManagerTest, ControllerIsSwitchedOnAllPathsAndLaterOnes) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kProbing);

  world.manager.SwitchController(*Factory(kNewReno), world.now);
  world.Arrive(kAttacker);

  for (const PathId id : {PathId(0), PathId(1), PathId(2)}) {
    EXPECT_EQ(world.manager.Find(id)->controller().name(), kNewReno);
  }
}

TEST(PathManagerTest, PeersDatagramSizeIsToldToAllPathsAndLaterOnes) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kProbing);
  ASSERT_FALSE(world.manager.active().mtu().wants_probe(world.now));

  world.manager.OnPeerMaxUdpPayload(65'527);
  world.Arrive(kAttacker);

  for (const PathId id : {PathId(0), PathId(1), PathId(2)}) {
    EXPECT_TRUE(world.manager.Find(id)->mtu().wants_probe(world.now));
  }
}

}  // namespace
}  // namespace godwit
