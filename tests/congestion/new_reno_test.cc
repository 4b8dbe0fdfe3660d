// SPDX-License-Identifier: Apache-2.0
#include "congestion/new_reno.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "gtest/gtest.h"

#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"
#include "tests/congestion/path_driver.h"

namespace godwit {
namespace {

constexpr uint64_t kPacket = 1'200;
constexpr Duration kRtt = Duration::Milliseconds(50);

// In congestion avoidance with a window of `packets` packets, none of them sent.
CongestionControllerParams AvoidingWith(uint64_t packets) {
  return {.max_datagram_bytes = kPacket,
          .predecessor = CongestionHandover{.congestion_window_bytes = packets * kPacket,
                                            .ssthresh_bytes = packets * kPacket}};
}

class NewRenoTest : public testing::Test {
 protected:
  uint64_t window() const { return reno_.congestion_window_bytes(); }
  std::optional<uint64_t> ssthresh() const { return reno_.Handover().ssthresh_bytes; }

  NewReno reno_{{.max_datagram_bytes = kPacket}};
  PathDriver path_{&reno_, kPacket};
};

class NewRenoAvoidanceTest : public testing::Test {
 protected:
  uint64_t window() const { return reno_.congestion_window_bytes(); }

  NewReno reno_{AvoidingWith(20)};
  PathDriver path_{&reno_, kPacket};
};

TEST_F(NewRenoTest, StartsWithTheInitialWindowInSlowStart) {
  EXPECT_EQ(window(), 12'000);
  EXPECT_TRUE(reno_.is_slow_start());
  EXPECT_EQ(ssthresh(), std::nullopt);
  EXPECT_TRUE(reno_.pacing_rate().is_infinite());
}

TEST_F(NewRenoTest, SlowStartGrowsByWhatIsAcknowledged) {
  path_.SendWindow();
  path_.Advance(kRtt);

  path_.Ack(4);

  EXPECT_EQ(window(), 12'000 + 4 * kPacket);
}

TEST_F(NewRenoTest, SlowStartPacesAtTwiceTheWindowPerRtt) {
  path_.SendWindow();
  path_.Advance(kRtt);

  path_.Ack(10);

  EXPECT_EQ(window(), 24'000);
  EXPECT_EQ(reno_.pacing_rate(), Bandwidth::FromBytesAndDuration(48'000, kRtt));
}

TEST_F(NewRenoTest, LossHalvesTheWindowAtOnceAndEndsSlowStart) {
  path_.SendWindow();
  path_.Advance(kRtt);

  path_.Resolve({.lost = 1, .acked = 3});

  EXPECT_EQ(window(), 6'000);
  EXPECT_EQ(ssthresh(), 6'000);
  EXPECT_FALSE(reno_.is_slow_start());
  EXPECT_TRUE(reno_.Handover().is_in_recovery);
}

TEST_F(NewRenoTest, LossesOfOneRoundTripAreAnsweredOnce) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 3});

  path_.Resolve({.lost = 1, .acked = 1});
  path_.Advance(kRtt);
  path_.Resolve({.lost = 2});

  EXPECT_EQ(window(), 6'000);
}

TEST_F(NewRenoTest, LossOfAPacketSentAfterTheReductionIsAnsweredAgain) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 9});
  path_.Advance(kRtt / 2);
  path_.Send(4);
  path_.Advance(kRtt);

  path_.Resolve({.lost = 1, .acked = 3});

  EXPECT_EQ(window(), 3'000);
}

TEST_F(NewRenoTest, NothingGrowsUntilAPacketSentInRecoveryIsAcknowledged) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 4});

  path_.Advance(kRtt / 2);
  path_.Ack(5);
  EXPECT_EQ(window(), 6'000);
  EXPECT_TRUE(reno_.Handover().is_in_recovery);
  path_.Send(5);
  path_.Advance(kRtt);
  path_.Ack(5);

  EXPECT_FALSE(reno_.Handover().is_in_recovery);
  EXPECT_EQ(window(), 6'000 + kPacket);
}

TEST_F(NewRenoTest, EcnMarkIsAnsweredLikeALoss) {
  path_.SendWindow();
  path_.Advance(kRtt);

  path_.Resolve({.acked = 3, .ecn_ce_count = 1});
  path_.Resolve({.acked = 3, .ecn_ce_count = 2});

  EXPECT_EQ(window(), 6'000);
  EXPECT_EQ(ssthresh(), 6'000);
}

TEST_F(NewRenoTest, PersistentCongestionLeavesTheMinimumAndSlowStart) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Ack(10);
  path_.SendWindow();
  path_.Advance(kRtt * 40);

  path_.Resolve({.lost = 20, .is_persistent_congestion = true});

  EXPECT_EQ(window(), 2 * kPacket);
  EXPECT_TRUE(reno_.is_slow_start());
  EXPECT_EQ(ssthresh(), 12'000);
}

TEST_F(NewRenoTest, SlowStartAfterPersistentCongestionIsAsFastAsTheFirst) {
  path_.SendWindow();
  // HyStart++ sees a queue build up and finishes.
  for (int i = 0; i < 10; ++i) path_.RunRound(kRtt + i * Duration::Milliseconds(20), 16);
  ASSERT_FALSE(reno_.is_slow_start());
  path_.Advance(kRtt * 100);
  path_.Resolve({.lost = path_.in_flight_count(), .is_persistent_congestion = true});
  ASSERT_EQ(window(), 2 * kPacket);

  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Ack(2);

  EXPECT_EQ(window(), 4 * kPacket);
  EXPECT_TRUE(reno_.is_slow_start());
}

TEST_F(NewRenoTest, WindowNeverFallsBelowTwoDatagrams) {
  for (int i = 0; i < 10; ++i) {
    path_.Advance(kRtt);
    path_.Send(1);
    path_.Advance(kRtt);
    path_.Resolve({.lost = 1});
  }

  EXPECT_EQ(window(), 2 * kPacket);
  EXPECT_EQ(ssthresh(), 2 * kPacket);
}

TEST_F(NewRenoTest, SpuriousLossBringsBackWindowAndSlowStart) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 2, .acked = 3});

  path_.AckLost(1);
  EXPECT_EQ(window(), 6'000);
  path_.AckLost(1);

  EXPECT_EQ(window(), 12'000);
  EXPECT_TRUE(reno_.is_slow_start());
  EXPECT_FALSE(reno_.Handover().is_in_recovery);
}

TEST_F(NewRenoTest, RealLossInTheSamePeriodForbidsTheUndo) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 3});
  path_.Resolve({.lost = 1, .acked = 1});

  path_.AckLost(1);

  EXPECT_EQ(window(), 6'000);
}

TEST_F(NewRenoTest, EcnMarkForbidsTheUndo) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 3});
  path_.Resolve({.acked = 1, .ecn_ce_count = 1});

  path_.AckLost(1);

  EXPECT_EQ(window(), 6'000);
}

TEST_F(NewRenoTest, LossesOfAnEarlierPeriodUndoNothing) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 9});
  path_.Advance(kRtt);
  path_.Send(5);
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 4});

  path_.AckLost(1);  // The loss of the first period.

  EXPECT_EQ(window(), 3'000);
}

TEST_F(NewRenoTest, UndoneReductionIsMadeAgainByTheNextLoss) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 3});
  path_.AckLost(1);

  path_.Resolve({.lost = 1});

  EXPECT_EQ(window(), 6'000);
}

TEST_F(NewRenoTest, ApplicationThatDoesNotFillTheWindowDoesNotGrowIt) {
  path_.Send(2);
  path_.RunDry();
  for (int i = 0; i < 20; ++i) {
    path_.Advance(kRtt);
    path_.Ack(2);
    path_.Send(2);
    path_.RunDry();
  }

  EXPECT_EQ(window(), 12'000);
}

TEST_F(NewRenoTest, PacingThatDelaysPacketsIsNoWantOfData) {
  path_.Send(6);  // The other four are still held back by the pacer.
  path_.Advance(kRtt);

  path_.Ack(6);

  EXPECT_EQ(window(), 12'000 + 6 * kPacket);
}

TEST_F(NewRenoTest, LargerDatagramsEnlargeTheInitialWindow) {
  reno_.OnMaxDatagramBytesChanged(1'452);

  EXPECT_EQ(window(), 14'520);
}

TEST_F(NewRenoTest, LargerDatagramsLeaveAUsedWindowAloneButForItsMinimum) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 3});

  reno_.OnMaxDatagramBytesChanged(1'452);
  EXPECT_EQ(window(), 6'000);
  reno_.OnMaxDatagramBytesChanged(9'000);

  EXPECT_EQ(window(), 18'000);
  reno_.CheckInvariants();
}

TEST_F(NewRenoAvoidanceTest, GrowsByOneDatagramPerWindow) {
  path_.SendWindow();
  path_.Advance(kRtt);

  path_.Ack(19);
  EXPECT_EQ(window(), 20 * kPacket);
  path_.Ack(1);

  EXPECT_EQ(window(), 21 * kPacket);
}

TEST(NewRenoGrowthTest, IsAPacketARoundTripHoweverAcknowledgmentsAreBundled) {
  for (const size_t batches : {1u, 8u, 40u}) {
    NewReno reno(AvoidingWith(20));
    PathDriver path(&reno, kPacket);
    path.SendWindow();

    for (int i = 0; i < 100; ++i) path.RunRound(kRtt, batches);

    EXPECT_NEAR(static_cast<double>(reno.congestion_window_bytes()) / kPacket, 120.0, 2.0);
  }
}

TEST_F(NewRenoAvoidanceTest, PacesAQuarterAboveTheWindowPerRtt) {
  path_.SendWindow();
  path_.Advance(kRtt);

  path_.Ack(1);

  EXPECT_EQ(reno_.pacing_rate(), Bandwidth::FromBytesAndDuration(25 * kPacket, kRtt));
}

TEST_F(NewRenoAvoidanceTest, SuccessorInheritsWindowThresholdAndRecovery) {
  path_.SendWindow();
  path_.Advance(kRtt);
  path_.Resolve({.lost = 1, .acked = 1});
  const CongestionHandover handover = reno_.Handover();

  NewReno successor({.now = path_.now(), .max_datagram_bytes = kPacket, .predecessor = handover});
  path_.SwitchTo(&successor);
  path_.Resolve({.lost = 1, .acked = 1});

  EXPECT_EQ(handover.min_rtt, kRtt);
  EXPECT_EQ(successor.congestion_window_bytes(), 10 * kPacket);
  EXPECT_TRUE(successor.Handover().is_in_recovery);
  EXPECT_FALSE(successor.is_slow_start());
}

TEST(NewRenoHandoverTest, AbsurdWindowsAreBroughtIntoBounds) {
  const NewReno tiny(
      {.predecessor = CongestionHandover{.congestion_window_bytes = 0, .ssthresh_bytes = 0}});
  const NewReno huge({.predecessor = CongestionHandover{.congestion_window_bytes = ~uint64_t{0}}});

  EXPECT_EQ(tiny.congestion_window_bytes(), 2'400);
  EXPECT_EQ(huge.congestion_window_bytes(), uint64_t{1} << 40);
  tiny.CheckInvariants();
  huge.CheckInvariants();
}

}  // namespace
}  // namespace godwit
