// SPDX-License-Identifier: Apache-2.0
//
// PathManager against spoofed addresses, forwarded packets and floods, and under rebinding, which
// looks much the same. RFC 9000 §9.3.1 to §9.3.3.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/path_id.h"
#include "godwit/drop_reason.h"
#include "tests/transport/path/path_world.h"
#include "transport/path/path_manager.h"

namespace godwit {
namespace {

using Arrival = PathWorld::Arrival;
using Migration = PathManager::Migration;
using Packet = PathWorld::Packet;

// ---- Attacks. RFC 9000 §9.3.1 to §9.3.3. ----

TEST(PathAttackTest, SpoofedAddressDoesNotKeepTheConnection) {
  for (const FourTuple& spoofed : {kAttacker, kOtherPort}) {
    PathWorld world;
    const uint64_t window_bytes = UseActive(world);
    world.Receive(spoofed);
    ASSERT_EQ(world.active_tuple(), spoofed);

    const PathWorld::Passed passed = world.Pass(Duration::Seconds(4));

    EXPECT_EQ(passed.reverted_count, 1u);
    EXPECT_EQ(passed.abandoned, std::vector{PathId(1)});
    EXPECT_EQ(world.active_tuple(), kHome);
    EXPECT_TRUE(world.manager.active().is_validated());
    // As it was.
    EXPECT_EQ(world.manager.active().id(), PathId(0));
    EXPECT_EQ(world.manager.active().controller().congestion_window_bytes(), window_bytes);
    EXPECT_EQ(world.manager.active().bytes_in_flight(), 5u * 1'200);
    EXPECT_EQ(world.manager.path_count(), 1u);
    EXPECT_EQ(world.manager.next_deadline(), Timestamp::Infinite());
  }
}

TEST(PathAttackTest, NextGenuinePacketTurnsBackAtOnce) {
  for (const FourTuple& spoofed : {kAttacker, kOtherPort}) {
    PathWorld world;
    world.Receive(spoofed);

    EXPECT_EQ(world.Receive(kHome), Migration::kMigrated);

    EXPECT_EQ(world.active_tuple(), kHome);
    EXPECT_TRUE(world.manager.active().is_validated());
    EXPECT_EQ(world.manager.active().id(), PathId(0));
    EXPECT_EQ(world.Pass(Duration::Seconds(4)).reverted_count, 0u);
    EXPECT_EQ(world.active_tuple(), kHome);
    EXPECT_EQ(world.manager.path_count(), 1u);
  }
}

TEST(PathAttackTest, ManyForwardedPacketsDoNotStealTheConnection) {
  PathWorld world;
  size_t challenge_count = 0;
  for (size_t i = 0; i < 200; ++i) {
    world.Receive(NumberedTuple(i));
    for (const PathWorld::Sent& sent : world.Pass(Duration::Milliseconds(10)).sent) {
      challenge_count += sent.content.challenges.size();
    }
    world.Receive(kHome);
    ASSERT_EQ(world.active_tuple(), kHome);
    ASSERT_TRUE(world.manager.active().is_validated());
  }

  // One to each false address, and one series to the true one in 3 s.
  EXPECT_LE(challenge_count, 230u);
  world.Pass(Duration::Seconds(40));
  EXPECT_EQ(world.active_tuple(), kHome);
  EXPECT_EQ(world.manager.path_count(), 1u);
}

TEST(PathAttackTest, LastValidatedPathOutlivesItsOwnSilence) {
  // Nothing gets through for long: neither address answers.
  PathWorld world;
  world.Receive(kElsewhere);

  const PathWorld::Passed passed = world.Pass(Duration::Seconds(120));

  EXPECT_EQ(passed.reverted_count, 1u);
  EXPECT_EQ(passed.no_viable_path_count, 0u);
  EXPECT_EQ(world.active_tuple(), kHome);
  // The peer is still where it was, and is heard again.
  EXPECT_EQ(world.Receive(kElsewhere), Migration::kMigrated);
  world.Answer(*world.ChallengeTo(kElsewhere));
  EXPECT_TRUE(world.manager.active().is_validated());
}

TEST(PathAttackTest, LastValidatedPathIsKeptThroughSeveralMoves) {
  PathWorld world;
  for (size_t i = 0; i < 20; ++i) {
    world.Receive(NumberedTuple(i));
    world.Pass(Duration::Milliseconds(500));
  }

  const PathWorld::Passed passed = world.Pass(Duration::Seconds(4));

  EXPECT_EQ(passed.reverted_count, 1u);
  EXPECT_EQ(world.active_tuple(), kHome);
}

TEST(PathAttackTest, ReturnsToTheLatestOfSeveralValidatedPaths) {
  PathWorld world;
  world.Receive(kElsewhere);
  for (const PathWorld::Sent& sent : world.SendAll()) world.Answer(sent.content.challenges[0]);
  world.Receive(kAttacker);

  EXPECT_EQ(world.Pass(Duration::Seconds(4)).reverted_count, 1u);

  EXPECT_EQ(world.active_tuple(), kElsewhere);
}

TEST(PathAttackTest, ReturnsToThePathThatWasUsedRatherThanToOneThatWasOnlyProbed) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kProbing);
  world.Answer(*world.ChallengeTo(kElsewhere));
  world.Receive(kAttacker);

  EXPECT_EQ(world.Pass(Duration::Seconds(4)).reverted_count, 1u);

  EXPECT_EQ(world.active_tuple(), kHome);
}

TEST(PathAttackTest, WithoutAValidatedPathThereIsNothingToReturnTo) {
  PathWorld world({.is_first_validated = false});
  world.Receive(kElsewhere);

  const PathWorld::Passed passed = world.Pass(Duration::Seconds(4));

  EXPECT_EQ(passed.reverted_count, 0u);
  EXPECT_EQ(passed.no_viable_path_count, 1u);
}

// ---- Rebinding ----

TEST(PathAttackTest, RebindingEverySecondIsFollowed) {
  for (const bool is_same_ip : {true, false}) {
    PathWorld world;
    for (uint16_t i = 0; i < 100; ++i) {
      const FourTuple moved =
          is_same_ip ? TupleFrom("192.0.2.1:" + std::to_string(2'000 + i)) : NumberedTuple(i);
      EXPECT_EQ(world.Receive(moved), Migration::kMigrated);
      EXPECT_EQ(world.active_tuple(), moved);
      const auto challenge = world.ChallengeTo(moved);
      ASSERT_TRUE(challenge.has_value());
      world.Pass(Duration::Milliseconds(50));
      world.Answer(*challenge);
      const PathWorld::Passed passed = world.Pass(Duration::Milliseconds(950));
      EXPECT_EQ(passed.reverted_count, 0u);
      EXPECT_LE(world.manager.path_count(), kMaxPaths);
    }
    EXPECT_EQ(world.manager.active().id() == PathId(0), is_same_ip);
    world.Pass(Duration::Seconds(40));
    EXPECT_EQ(world.manager.path_count(), 1u);
  }
}

// ---- Floods ----

TEST(PathAttackTest, FloodOfUnauthenticatedAddressesTakesOnePlaceAndOneId) {
  PathWorld world;
  world.Receive(kElsewhere, Packet::kProbing);
  const auto challenge = world.ChallengeTo(kElsewhere);

  for (size_t i = 0; i < 1'000; ++i) {
    const Arrival arrival = world.Arrive(NumberedTuple(i), 50);
    EXPECT_EQ(arrival.path, PathId(2));
    EXPECT_FALSE(arrival.is_known);
    EXPECT_FALSE(arrival.evicted.has_value());
    EXPECT_EQ(world.manager.Find(PathId(2))->AmplificationCredit(), 150u);
  }

  EXPECT_EQ(world.manager.path_count(), 3u);
  EXPECT_FALSE(world.manager.NextPathWithFrames().has_value());
  world.Answer(*challenge);
  EXPECT_TRUE(world.manager.Find(kElsewhere)->is_validated());
}

TEST(PathAttackTest, AddressFromWhichNothingWasAuthenticatedIsForgotten) {
  PathWorld world;
  world.Arrive(kAttacker);

  const PathWorld::Passed passed = world.Pass(Duration::Seconds(3));

  EXPECT_EQ(passed.abandoned, std::vector{PathId(1)});
  EXPECT_TRUE(passed.sent.empty());
  EXPECT_EQ(world.manager.next_deadline(), Timestamp::Infinite());
}

TEST(PathAttackTest, OldestUnvalidatedCandidateGivesWay) {
  PathWorld world;
  world.Receive(NumberedTuple(1), Packet::kProbing);
  const auto challenge = world.ChallengeTo(NumberedTuple(1));
  world.Receive(NumberedTuple(2), Packet::kProbing);
  world.Receive(NumberedTuple(3), Packet::kProbing);
  world.Answer(*challenge);

  const Arrival arrival = world.Arrive(NumberedTuple(4));

  EXPECT_EQ(arrival.evicted, PathId(2));
  EXPECT_EQ(world.manager.Find(PathId(2)), nullptr);
  EXPECT_NE(world.manager.Find(NumberedTuple(1)), nullptr);
  EXPECT_NE(world.manager.Find(NumberedTuple(3)), nullptr);
  EXPECT_EQ(world.manager.path_count(), kMaxPaths);
}

TEST(PathAttackTest, AgeGoesWithTheAddress) {
  PathWorld world;
  // Three addresses that are not validated; the first has changed places with the third.
  world.Receive(TupleFrom("192.0.2.1:1"));
  world.Receive(kElsewhere, Packet::kProbing);
  world.Receive(TupleFrom("192.0.2.1:3"));

  world.Arrive(kAttacker);

  EXPECT_EQ(world.active_tuple(), TupleFrom("192.0.2.1:3"));
  EXPECT_EQ(world.manager.Find(TupleFrom("192.0.2.1:1")), nullptr);
  EXPECT_NE(world.manager.Find(kElsewhere), nullptr);
  EXPECT_NE(world.manager.Find(kHome), nullptr);
}

TEST(PathAttackTest, OfValidatedPathsTheOneWithTheOldestProofGivesWay) {
  PathWorld world;
  std::vector<PathChallengeData> challenges;
  for (size_t i = 0; i < 3; ++i) {
    world.Receive(NumberedTuple(i), Packet::kProbing);
    challenges.push_back(*world.ChallengeTo(NumberedTuple(i)));
  }
  for (const size_t i : {1, 0, 2}) world.Answer(challenges[i]);

  EXPECT_EQ(world.Arrive(kAttacker).evicted, PathId(2));
}

TEST(PathAttackTest, FloodOfAuthenticatedAddressesLeavesTheActiveAndTheLastValidatedPath) {
  PathWorld world;
  world.Receive(kElsewhere);
  ASSERT_FALSE(world.manager.active().is_validated());

  for (size_t i = 0; i < 1'000; ++i) {
    world.Receive(NumberedTuple(i), Packet::kProbing);
    EXPECT_LE(world.manager.path_count(), kMaxPaths);
    EXPECT_EQ(world.active_tuple(), kElsewhere);
    EXPECT_NE(world.manager.Find(kHome), nullptr);
  }

  EXPECT_EQ(world.Pass(Duration::Seconds(4)).reverted_count, 1u);
  EXPECT_EQ(world.active_tuple(), kHome);
}

TEST(PathAttackTest, WhenAllIdsAreUsedNoNewPathBegins) {
  PathWorld world({.first_id = PathId(std::numeric_limits<uint32_t>::max() - 1)});

  world.Receive(kElsewhere, Packet::kProbing);
  const Arrival arrival = world.Arrive(kAttacker);

  EXPECT_EQ(world.manager.Find(kElsewhere)->id(), PathId(std::numeric_limits<uint32_t>::max()));
  EXPECT_EQ(arrival.drop, DropReason::kMigrationForbidden);
}

TEST(PathAttackTest, FloodOfChallengesIsAnsweredByTheNewest) {
  PathWorld world;
  for (uint8_t i = 0; i < 200; ++i) {
    world.manager.OnPathChallengeFrame({.data = {i}}, PathId(0));
  }

  const std::vector<PathWorld::Sent> sent = world.SendAll();

  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].content.responses.size(), kMaxPathResponsesPending);
  EXPECT_EQ(sent[0].content.responses.back(), (PathChallengeData{199}));
}

}  // namespace
}  // namespace godwit
