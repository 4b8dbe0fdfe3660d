// SPDX-License-Identifier: Apache-2.0
//
// PacketSpace::DetectLost. RFC 9002 §6.1, §7.6, A.10.

#include <array>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/packet_number.h"
#include "godwit/time.h"
#include "tests/transport/recovery/space_driver.h"
#include "transport/delivery/sent_frame.h"

namespace godwit {
namespace {

using Numbers = std::vector<uint64_t>;

// ---- Packet threshold. RFC 9002 §6.1.1 ----

TEST(PacketThresholdTest, PacketThreeBelowTheLargestAckedIsLost) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 5);

  driver.AckAndDetectAt(AtMs(100), {{4, 4}});

  EXPECT_EQ(driver.acked(), (Numbers{4}));
  EXPECT_EQ(driver.lost(), (Numbers{0, 1}));
  EXPECT_EQ(driver.lost_frames(), (Numbers{0, 1}));
  EXPECT_EQ(driver.space.bytes_in_flight(kPath), 2 * kPacketBytes);
}

TEST(PacketThresholdTest, PacketsAboveTheLargestAckedAreNotLost) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 5);

  driver.AckAndDetectAt(AtMs(5'000), {{0, 0}});

  EXPECT_TRUE(driver.lost().empty());
  EXPECT_EQ(driver.space.loss_time(), Timestamp::Infinite());
}

TEST(PacketThresholdTest, NothingAckedMeansNothingLost) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 5);

  driver.DetectAt(AtMs(60'000));

  EXPECT_TRUE(driver.lost().empty());
}

TEST(PacketThresholdTest, WiderWindowWaitsLonger) {
  SpaceDriver driver;
  driver.window.OnSpuriousLoss(5, Duration::Zero(), Duration::Milliseconds(100));
  driver.SendManyAt(AtMs(0), 8);

  driver.AckAndDetectAt(AtMs(100), {{5, 5}});
  EXPECT_TRUE(driver.lost().empty());
  driver.AckAndDetectAt(AtMs(100), {{7, 7}});

  EXPECT_EQ(driver.lost(), (Numbers{0, 1}));
}

TEST(PacketThresholdTest, LostOnlyOnce) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 5);
  driver.AckAndDetectAt(AtMs(100), {{4, 4}});

  driver.AckAndDetectAt(AtMs(101), {{4, 4}});

  EXPECT_TRUE(driver.lost().empty());
  EXPECT_TRUE(driver.lost_frames().empty());
}

TEST(PacketThresholdTest, SkippedNumbersAreNoDistance) {
  SpaceDriver driver(PacketNumberSpace::kApplication);
  // Until a number has been skipped; then two packets more.
  uint64_t before = driver.SendAt(AtMs(0));
  while (driver.space.next_packet_number().value() == before + 1) before = driver.SendAt(AtMs(0));
  driver.SendAt(AtMs(0));
  const uint64_t last = driver.SendAt(AtMs(0));
  ASSERT_EQ(last, before + 3);

  driver.AckAndDetectAt(AtMs(100), {{last, last}});

  // `before` is three numbers below, but only two packets.
  ASSERT_FALSE(driver.lost().empty());
  EXPECT_EQ(driver.lost().back(), before - 1);
}

// ---- Time threshold. RFC 9002 §6.1.2 ----

TEST(TimeThresholdTest, TimerIsSetForThePacketThatMightBeLost) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0));
  driver.SendAt(AtMs(10));

  driver.AckAndDetectAt(AtMs(110), {{1, 1}});

  // 9/8 of 100 ms after it was sent.
  EXPECT_TRUE(driver.lost().empty());
  EXPECT_EQ(driver.space.loss_time(), Timestamp() + Duration::Microseconds(112'500));
}

TEST(TimeThresholdTest, PacketIsLostWhenTheTimerSays) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0));
  driver.SendAt(AtMs(10));
  driver.AckAndDetectAt(AtMs(110), {{1, 1}});
  const Timestamp time = driver.space.loss_time();

  driver.DetectAt(time - Duration::Nanoseconds(1));
  EXPECT_TRUE(driver.lost().empty());
  EXPECT_EQ(driver.space.loss_time(), time);
  driver.DetectAt(time);

  EXPECT_EQ(driver.lost(), (Numbers{0}));
  EXPECT_EQ(driver.space.loss_time(), Timestamp::Infinite());
}

TEST(TimeThresholdTest, LongerOfLatestAndSmoothedRttCounts) {
  for (const bool is_latest_longer : {false, true}) {
    SpaceDriver driver;
    driver.inputs.latest_rtt = Duration::Milliseconds(is_latest_longer ? 160 : 80);
    driver.inputs.smoothed_rtt = Duration::Milliseconds(is_latest_longer ? 80 : 160);
    driver.SendManyAt(AtMs(0), 2);

    driver.AckAndDetectAt(AtMs(100), {{1, 1}});

    EXPECT_EQ(driver.space.loss_time(), AtMs(180));
  }
}

TEST(TimeThresholdTest, IsAMillisecondAtLeast) {
  SpaceDriver driver;
  driver.inputs.latest_rtt = Duration::Microseconds(50);
  driver.inputs.smoothed_rtt = Duration::Microseconds(50);
  driver.SendManyAt(AtMs(0), 2);

  driver.AckAndDetectAt(AtMs(0), {{1, 1}});

  EXPECT_EQ(driver.space.loss_time(), AtMs(1));
}

TEST(TimeThresholdTest, WiderWindowWaitsLonger) {
  SpaceDriver driver;
  driver.window.OnSpuriousLoss(1, Duration::Milliseconds(140), Duration::Milliseconds(100));
  driver.SendManyAt(AtMs(0), 2);

  driver.AckAndDetectAt(AtMs(100), {{1, 1}});

  EXPECT_EQ(driver.space.loss_time(), AtMs(150));
}

TEST(TimeThresholdTest, TimerFollowsTheOldestPacket) {
  SpaceDriver driver;
  for (const int64_t ms : {0, 10, 20}) driver.SendAt(AtMs(ms));
  driver.AckAndDetectAt(AtMs(105), {{2, 2}});
  EXPECT_EQ(driver.space.loss_time(), Timestamp() + Duration::Microseconds(112'500));

  driver.AckAndDetectAt(AtMs(106), {{2, 2}, {0, 0}});

  EXPECT_EQ(driver.space.loss_time(), Timestamp() + Duration::Microseconds(122'500));
}

TEST(TimeThresholdTest, TimerEndsWhenThePacketIsAcked) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 2);
  driver.AckAndDetectAt(AtMs(100), {{1, 1}});

  driver.AckAndDetectAt(AtMs(101), {{0, 1}});

  EXPECT_EQ(driver.space.loss_time(), Timestamp::Infinite());
}

// ---- Packets that are not in flight ----

TEST(AckOnlyPacketTest, IsNeverLost) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), kAckOnly);
  for (int i = 0; i < 4; ++i) driver.SendAt(AtMs(10));

  driver.AckAndDetectAt(AtMs(110), {{4, 4}});

  EXPECT_EQ(driver.lost(), (Numbers{1}));
  EXPECT_EQ(driver.lost_frames(), (Numbers{1}));
}

TEST(AckOnlyPacketTest, SetsNoTimer) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), kAckOnly);
  driver.SendAt(AtMs(10));

  driver.AckAndDetectAt(AtMs(11), {{1, 1}});

  EXPECT_EQ(driver.space.loss_time(), Timestamp::Infinite());
  EXPECT_EQ(driver.space.outstanding_count(), 0u);
}

TEST(AckOnlyPacketTest, MakesEarlierPacketsLost) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0));
  for (int i = 0; i < 3; ++i) driver.SendAt(AtMs(1), kAckOnly);

  driver.AckAndDetectAt(AtMs(50), {{3, 3}});

  EXPECT_EQ(driver.lost(), (Numbers{0}));
}

// ---- MTU probes and other paths ----

TEST(MtuProbeTest, LossIsReportedApart) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), kMtuProbe);
  driver.SendManyAt(AtMs(0), 3);

  driver.AckAndDetectAt(AtMs(100), {{1, 3}});

  EXPECT_TRUE(driver.lost().empty());
  ASSERT_EQ(driver.fates.mtu_probes.size(), 1u);
  EXPECT_EQ(driver.fates.mtu_probes[0].bytes, kPacketBytes);
  EXPECT_FALSE(driver.fates.mtu_probes[0].is_acked);
  EXPECT_EQ(driver.fates.lost_probe_bytes, kPacketBytes);
  EXPECT_EQ(driver.lost_frames(), (Numbers{0}));
  EXPECT_EQ(driver.space.bytes_in_flight(kPath), 0u);
}

TEST(MtuProbeTest, LossDoesNotCountForTheReorderingWindow) {
  SpaceDriver driver;
  driver.window.OnSpuriousLoss(9, Duration::Zero(), Duration::Milliseconds(100));
  for (int64_t i = 0; i < 40; ++i) {
    const uint64_t probe = driver.SendAt(AtMs(i * 1000), kMtuProbe);
    driver.SendAt(AtMs(i * 1000));
    driver.AckAndDetectAt(AtMs(i * 1000 + 200), {{probe + 1, probe + 1}});
  }

  EXPECT_EQ(driver.window.packet_threshold(), 10u);
}

TEST(OtherPathTest, LossIsReportedApart) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), {.path = kOtherPath});
  driver.SendAt(AtMs(0), {.path = kOtherPath, .is_mtu_probe = true});
  driver.SendManyAt(AtMs(0), 3);

  driver.AckAndDetectAt(AtMs(100), {{4, 4}});

  EXPECT_TRUE(driver.lost().empty());
  EXPECT_TRUE(driver.fates.mtu_probes.empty());
  ASSERT_EQ(driver.fates.other_paths.size(), 2u);
  EXPECT_EQ(driver.fates.other_paths[0].path, kOtherPath);
  EXPECT_EQ(driver.fates.other_paths[0].packet.packet_number, 0u);
  EXPECT_FALSE(driver.fates.other_paths[0].is_acked);
  EXPECT_FALSE(driver.fates.other_paths[0].is_mtu_probe);
  EXPECT_TRUE(driver.fates.other_paths[1].is_mtu_probe);
  EXPECT_EQ(driver.lost_frames(), (Numbers{0, 1}));
}

// ---- Spurious losses ----

// Packets 0 to 9 were sent at 0, 9 was acknowledged at 100 and the first seven are lost.
SpaceDriver WithSevenLost() {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 10);
  driver.AckAndDetectAt(AtMs(100), {{9, 9}});
  return driver;
}

TEST(SpuriousLossTest, LateAckIsRecognised) {
  SpaceDriver driver = WithSevenLost();
  ASSERT_EQ(driver.lost(), (Numbers{0, 1, 2, 3, 4, 5, 6}));

  driver.AckAndDetectAt(AtMs(107), {{9, 9}, {3, 5}, {1, 1}});

  EXPECT_EQ(driver.spurious(), (Numbers{1, 3, 4, 5}));
  EXPECT_EQ(driver.fates.spurious[0].declared_lost_at, AtMs(100));
  EXPECT_EQ(driver.acked_frames(), (Numbers{1, 3, 4, 5}));
  EXPECT_TRUE(driver.acked().empty());
  EXPECT_TRUE(driver.fates.has_newly_acked);
  EXPECT_EQ(driver.fates.max_spurious_distance, 8u);
  EXPECT_EQ(driver.fates.max_spurious_lateness, Duration::Milliseconds(107));
}

TEST(SpuriousLossTest, IsReportedOnce) {
  SpaceDriver driver = WithSevenLost();
  driver.AckAndDetectAt(AtMs(107), {{9, 9}, {3, 5}});

  driver.AckAndDetectAt(AtMs(108), {{9, 9}, {2, 5}});

  EXPECT_EQ(driver.spurious(), (Numbers{2}));
}

TEST(SpuriousLossTest, MakesNoRttSample) {
  SpaceDriver driver = WithSevenLost();

  driver.AckAndDetectAt(AtMs(107), {{9, 9}, {3, 5}});

  EXPECT_FALSE(driver.fates.rtt_source.has_value());
}

TEST(SpuriousLossTest, LargestOfItsFrameIsUnambiguous) {
  SpaceDriver driver = WithSevenLost();

  driver.AckAndDetectAt(AtMs(107), {{5, 5}});

  ASSERT_TRUE(driver.fates.rtt_source.has_value());
  EXPECT_EQ(driver.fates.rtt_source->sent_time, AtMs(0));
}

TEST(SpuriousLossTest, ThresholdsThatLearntFromItAcceptTheSameAgain) {
  SpaceDriver driver = WithSevenLost();
  driver.AckAndDetectAt(AtMs(130), {{9, 9}, {0, 6}});
  driver.window.OnSpuriousLoss(driver.fates.max_spurious_distance,
                               driver.fates.max_spurious_lateness, driver.inputs.smoothed_rtt);
  driver.SendManyAt(AtMs(200), 10);

  driver.AckAndDetectAt(AtMs(300), {{19, 19}, {9, 9}});
  EXPECT_TRUE(driver.lost().empty());
  driver.AckAndDetectAt(AtMs(330), {{10, 19}});

  EXPECT_TRUE(driver.lost().empty());
  EXPECT_EQ(driver.acked(), (Numbers{10, 11, 12, 13, 14, 15, 16, 17, 18}));
}

TEST(SpuriousLossTest, IsForgottenAfterThreePtos) {
  for (const int64_t late_ms : {600, 601}) {
    SpaceDriver driver = WithSevenLost();

    driver.DetectAt(AtMs(100 + late_ms));
    driver.AckAndDetectAt(AtMs(100 + late_ms), {{9, 9}, {0, 0}});

    EXPECT_EQ(driver.fates.spurious.size(), late_ms == 600 ? 1u : 0u);
  }
}

TEST(SpuriousLossTest, NewestLossesAreRemembered) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), kMaxRememberedLosses + 5);
  driver.AckAndDetectAt(AtMs(100), {{kMaxRememberedLosses + 4, kMaxRememberedLosses + 4}});
  ASSERT_EQ(driver.lost().size(), kMaxRememberedLosses + 2);

  driver.AckAndDetectAt(AtMs(101), {{0, kMaxRememberedLosses + 4}});

  EXPECT_EQ(driver.spurious().size(), kMaxRememberedLosses);
  EXPECT_EQ(driver.spurious().front(), 2u);
}

TEST(SpuriousLossTest, MtuProbeThatComesLateHasTheSizeConfirmed) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), kMtuProbe);
  driver.SendManyAt(AtMs(0), 3);
  driver.AckAndDetectAt(AtMs(100), {{3, 3}});

  driver.AckAndDetectAt(AtMs(101), {{3, 3}, {0, 0}});

  EXPECT_TRUE(driver.spurious().empty());
  ASSERT_EQ(driver.fates.mtu_probes.size(), 1u);
  EXPECT_TRUE(driver.fates.mtu_probes[0].is_acked);
}

TEST(SpuriousLossTest, OtherPathLearnsNothing) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), {.path = kOtherPath});
  driver.SendManyAt(AtMs(0), 3);
  driver.AckAndDetectAt(AtMs(100), {{3, 3}});

  driver.AckAndDetectAt(AtMs(101), {{3, 3}, {0, 0}});

  EXPECT_TRUE(driver.spurious().empty());
  EXPECT_TRUE(driver.fates.other_paths.empty());
  EXPECT_EQ(driver.acked_frames(), (Numbers{0}));
}

// ---- Persistent congestion. RFC 9002 §7.6 ----

// The example of RFC 9002 §7.6.3, its seconds as 100 ms: a PTO of 200 and a duration of 600, and
// its packet n as our n-1. A packet is acknowledged 20 ms after it was sent.
class PersistentCongestionTest : public testing::Test {
 protected:
  PersistentCongestionTest() {
    driver_.inputs.latest_rtt = Duration::Milliseconds(20);
    driver_.inputs.smoothed_rtt = Duration::Milliseconds(20);
    driver_.SendAt(AtMs(0));
    driver_.SendAt(AtMs(100));
    driver_.AckAndDetectAt(AtMs(120), {{0, 0}});
  }

  void SendRestOfTheExample(const SentKind& third_to_seventh = {}) {
    for (const int64_t ms : {200, 300, 400, 500, 600}) driver_.SendAt(AtMs(ms), third_to_seventh);
    driver_.SendAt(AtMs(800));
    driver_.SendAt(AtMs(1200));
  }

  SpaceDriver driver_;
};

TEST_F(PersistentCongestionTest, ExampleOfTheRfcEstablishesIt) {
  SendRestOfTheExample();

  driver_.AckAndDetectAt(AtMs(1220), {{8, 8}});

  EXPECT_EQ(driver_.lost(), (Numbers{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(driver_.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, DurationMustBeExceeded) {
  for (const int64_t duration_ms : {699, 700}) {
    SpaceDriver driver;
    driver.inputs.persistent_duration = Duration::Milliseconds(duration_ms);
    for (const int64_t ms : {100, 800, 1200}) driver.SendAt(AtMs(ms));

    driver.AckAndDetectAt(AtMs(1220), {{2, 2}});

    EXPECT_EQ(driver.lost(), (Numbers{0, 1}));
    EXPECT_EQ(driver.fates.is_persistent_congestion, duration_ms == 699);
  }
}

TEST_F(PersistentCongestionTest, PacketDeliveredInBetweenPreventsIt) {
  SendRestOfTheExample();

  driver_.AckAndDetectAt(AtMs(1220), {{8, 8}, {3, 3}});

  EXPECT_EQ(driver_.lost(), (Numbers{1, 2, 4, 5, 6, 7}));
  EXPECT_FALSE(driver_.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, PacketDeliveredAndReportedEarlierPreventsIt) {
  SendRestOfTheExample();
  // So wide that nothing is lost yet.
  driver_.window.OnSpuriousLoss(100, Duration::Zero(), Duration::Milliseconds(20));
  driver_.inputs.smoothed_rtt = Duration::Seconds(10);
  driver_.AckAndDetectAt(AtMs(1200), {{3, 3}});
  ASSERT_TRUE(driver_.lost().empty());
  driver_.inputs.smoothed_rtt = Duration::Milliseconds(20);

  driver_.AckAndDetectAt(AtMs(1220), {{8, 8}});

  EXPECT_EQ(driver_.lost(), (Numbers{1, 2, 4, 5, 6, 7}));
  EXPECT_FALSE(driver_.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, LossesFoundAtDifferentTimesAreOneRun) {
  for (const int64_t ms : {150, 170, 190, 750, 760, 770, 780}) driver_.SendAt(AtMs(ms));
  driver_.inputs.latest_rtt = Duration::Milliseconds(1000);
  driver_.AckAndDetectAt(AtMs(790), {{6, 6}});
  ASSERT_EQ(driver_.lost(), (Numbers{1, 2, 3}));
  EXPECT_FALSE(driver_.fates.is_persistent_congestion);

  driver_.AckAndDetectAt(AtMs(800), {{8, 8}, {6, 6}});

  EXPECT_EQ(driver_.lost(), (Numbers{4, 5}));
  EXPECT_TRUE(driver_.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, IsDeclaredAgainOnlyAfterTheDurationAgain) {
  for (const int64_t ms : {750, 760, 770, 780, 785, 790}) driver_.SendAt(AtMs(ms));
  driver_.inputs.latest_rtt = Duration::Milliseconds(1000);
  driver_.AckAndDetectAt(AtMs(795), {{5, 5}});
  ASSERT_EQ(driver_.lost(), (Numbers{1, 2}));
  ASSERT_TRUE(driver_.fates.is_persistent_congestion);

  driver_.AckAndDetectAt(AtMs(800), {{7, 7}, {5, 5}});

  EXPECT_EQ(driver_.lost(), (Numbers{3, 4}));
  EXPECT_FALSE(driver_.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, PacketsBeforeTheFirstRttSampleDoNotCount) {
  driver_.inputs.first_rtt_sample_time = AtMs(100);
  SendRestOfTheExample();

  driver_.AckAndDetectAt(AtMs(1220), {{8, 8}});

  // From 200 to 800.
  EXPECT_FALSE(driver_.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, NeedsAnRttSample) {
  driver_.inputs.has_rtt_sample = false;
  SendRestOfTheExample();

  driver_.AckAndDetectAt(AtMs(1220), {{8, 8}});

  EXPECT_FALSE(driver_.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, DeliveryInAnotherSpacePreventsIt) {
  driver_.inputs.acked_elsewhere_sent_time = AtMs(450);
  SendRestOfTheExample();

  driver_.AckAndDetectAt(AtMs(1220), {{8, 8}});

  EXPECT_FALSE(driver_.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, BothEndsMustBeAckEliciting) {
  for (const bool is_ack_eliciting : {false, true}) {
    SpaceDriver driver;
    driver.SendAt(AtMs(0), {.is_ack_eliciting = is_ack_eliciting});
    for (const int64_t ms : {100, 200, 300, 400, 500}) driver.SendAt(AtMs(ms));
    driver.SendAt(AtMs(650), {.is_ack_eliciting = is_ack_eliciting});
    driver.SendAt(AtMs(900));

    driver.AckAndDetectAt(AtMs(1000), {{7, 7}});

    EXPECT_EQ(driver.lost().size(), 7u);
    EXPECT_EQ(driver.fates.is_persistent_congestion, is_ack_eliciting);
  }
}

TEST_F(PersistentCongestionTest, MtuProbesDoNotCount) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), kMtuProbe);
  driver.SendAt(AtMs(700), kMtuProbe);
  driver.SendAt(AtMs(900));

  driver.AckAndDetectAt(AtMs(1000), {{2, 2}});

  EXPECT_EQ(driver.fates.mtu_probes.size(), 2u);
  EXPECT_FALSE(driver.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, LateAckEndsTheRun) {
  for (const int64_t ms : {150, 750, 760, 770, 780, 790}) driver_.SendAt(AtMs(ms));
  driver_.inputs.latest_rtt = Duration::Milliseconds(1000);
  driver_.AckAndDetectAt(AtMs(780), {{5, 5}});
  ASSERT_EQ(driver_.lost(), (Numbers{1, 2}));
  driver_.AckAndDetectAt(AtMs(790), {{5, 5}, {2, 2}});
  ASSERT_EQ(driver_.spurious(), (Numbers{2}));

  driver_.AckAndDetectAt(AtMs(800), {{7, 7}, {5, 5}});

  EXPECT_EQ(driver_.lost(), (Numbers{3, 4}));
  EXPECT_FALSE(driver_.fates.is_persistent_congestion);
}

TEST_F(PersistentCongestionTest, SkippedNumberWasNotDelivered) {
  SpaceDriver driver(PacketNumberSpace::kApplication);
  uint64_t before = driver.SendAt(AtMs(0));
  while (driver.space.next_packet_number().value() == before + 1) before = driver.SendAt(AtMs(0));
  driver.AckAndDetectAt(AtMs(50), {{0, before - 1}});
  driver.SendAt(AtMs(700));
  const uint64_t last = driver.SendAt(AtMs(900));

  driver.AckAndDetectAt(AtMs(1000), {{last, last}});

  EXPECT_EQ(driver.lost(), (Numbers{before, before + 2}));
  EXPECT_TRUE(driver.fates.is_persistent_congestion);
}

// ---- The bound of the ring ----

TEST(SentPacketBoundTest, OldestPacketsOfTooManyAreLost) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), kMaxSentPackets);
  EXPECT_EQ(driver.space.loss_time(), Timestamp::Infinite());
  driver.SendManyAt(AtMs(0), 2);

  EXPECT_EQ(driver.space.loss_time(), Timestamp::InfinitePast());
  driver.DetectAt(AtMs(1));

  EXPECT_EQ(driver.lost(), (Numbers{0, 1}));
  EXPECT_EQ(driver.space.loss_time(), Timestamp::Infinite());
  EXPECT_EQ(driver.space.outstanding_count(), kMaxSentPackets);
}

TEST(SentPacketBoundTest, WhatHoldsTooManyAckOnlyPacketsIsLost) {
  SpaceDriver driver;
  const uint64_t held_up = driver.SendAt(AtMs(0));
  for (uint64_t i = 0; i < kMaxAckOnlyPacketsBehind; ++i) driver.SendAt(AtMs(0), kAckOnly);
  EXPECT_EQ(driver.space.loss_time(), Timestamp::Infinite());
  driver.SendAt(AtMs(0), kAckOnly);

  EXPECT_EQ(driver.space.loss_time(), Timestamp::InfinitePast());
  driver.DetectAt(AtMs(1));

  EXPECT_EQ(driver.lost(), (Numbers{held_up}));
  EXPECT_EQ(driver.space.loss_time(), Timestamp::Infinite());
}

}  // namespace
}  // namespace godwit
