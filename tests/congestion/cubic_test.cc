// SPDX-License-Identifier: Apache-2.0
#include "congestion/cubic.h"

#include <algorithm>
#include <cmath>
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

// A Cubic sender with its path.
struct Sender {
  explicit Sender(const CongestionControllerParams& params) : cubic(params) {}
  explicit Sender(uint64_t packets) : Sender(AvoidingWith(packets)) {}

  double window() const { return static_cast<double>(cubic.congestion_window_bytes()) / kPacket; }

  // Fills the window and loses one packet of it. The rest is acknowledged a round trip later, and
  // the reduced window is on its way.
  void LoseOneOfAWindow(Duration rtt = kRtt) {
    path.SendWindow();
    path.Advance(rtt);
    path.Resolve({.lost = 1, .acked = path.in_flight_count() - 1});
    path.SendWindow();
  }

  void RunFor(Duration duration, size_t batches = 10) {
    const Timestamp end = path.now() + duration;
    while (path.now() < end) path.RunRound(kRtt, batches);
  }

  Cubic cubic;
  PathDriver path{&cubic, kPacket};
};

TEST(CubicTest, StartsWithTheInitialWindowInSlowStart) {
  Sender sender({.max_datagram_bytes = kPacket});

  EXPECT_EQ(sender.window(), 10);
  EXPECT_TRUE(sender.cubic.is_slow_start());
  sender.path.SendWindow();
  sender.path.Advance(kRtt);
  sender.path.Ack(10);

  EXPECT_EQ(sender.window(), 20);
  EXPECT_EQ(sender.cubic.pacing_rate(), Bandwidth::FromBytesAndDuration(40 * kPacket, kRtt));
}

TEST(CubicTest, LossLeavesSevenTenths) {
  Sender sender(100);

  sender.LoseOneOfAWindow();

  EXPECT_EQ(sender.window(), 70);
  EXPECT_EQ(sender.cubic.Handover().ssthresh_bytes, 70 * kPacket);
  EXPECT_EQ(sender.cubic.max_bytes(), 100 * kPacket);
  EXPECT_FALSE(sender.cubic.is_slow_start());
}

TEST(CubicTest, LossesOfOneRoundTripAreAnsweredOnce) {
  Sender sender(100);
  sender.path.SendWindow();
  sender.path.Advance(kRtt);

  sender.path.Resolve({.lost = 1, .acked = 3});
  sender.path.Resolve({.lost = 10, .acked = 1});
  sender.path.Resolve({.acked = 10, .ecn_ce_count = 3});

  EXPECT_EQ(sender.window(), 70);
}

TEST(CubicTest, EcnMarkIsAnsweredLikeALoss) {
  Sender sender(100);
  sender.path.SendWindow();
  sender.path.Advance(kRtt);

  sender.path.Resolve({.acked = 3, .ecn_ce_count = 1});

  EXPECT_EQ(sender.window(), 70);
}

TEST(CubicTest, WindowAfterALossFollowsTheCurveOfTheRfc) {
  Sender sender(1'000);
  sender.LoseOneOfAWindow();
  const double k = std::cbrt(300 / 0.4);

  // The stage starts with the first acknowledgment of a packet sent after the loss.
  while (sender.cubic.Handover().is_in_recovery) sender.path.RunStep(kRtt, kRtt / 10);
  const Timestamp start = sender.path.now();
  double t = 0;
  double worst = 0;
  while (t < 2 * k) {
    sender.path.RunRound(kRtt, 10);
    t = (sender.path.now() - start).ToSecondsDouble();
    const double exact = 0.4 * std::pow(t - k, 3) + 1'000;
    worst = std::max(worst, std::abs(sender.window() / exact - 1));
  }

  EXPECT_LT(worst, 0.002);
  EXPECT_GT(sender.window(), 1'250);
  RecordProperty("worst_deviation_ppm", static_cast<int>(worst * 1e6));
}

TEST(CubicTest, CurveDoesNotDependOnTheRoundTripTime) {
  Sender fast(1'000);
  Sender slow(1'000);
  fast.LoseOneOfAWindow(Duration::Milliseconds(40));
  slow.LoseOneOfAWindow(Duration::Milliseconds(160));

  for (int i = 0; i < 200; ++i) fast.path.RunRound(Duration::Milliseconds(40), 10);
  for (int i = 0; i < 50; ++i) slow.path.RunRound(Duration::Milliseconds(160), 40);

  EXPECT_NEAR(fast.window() / slow.window(), 1.0, 0.02);
}

TEST(CubicTest, SmallWindowsGrowLikeReno) {
  Sender sender(20);
  sender.LoseOneOfAWindow();
  ASSERT_EQ(sender.window(), 14);

  // 9/17 of a packet a round trip up to the window of before, then one.
  for (int i = 0; i < 8; ++i) sender.path.RunRound(Duration::Milliseconds(10), 5);
  EXPECT_NEAR(sender.window(), 14 + 8 * 9.0 / 17, 1.2);
  for (int i = 0; i < 24; ++i) sender.path.RunRound(Duration::Milliseconds(10), 5);

  EXPECT_NEAR(sender.window(), 20 + (32 - 6 * 17.0 / 9), 3.0);
  EXPECT_EQ(sender.cubic.congestion_window_bytes(), sender.cubic.reno_bytes());
}

TEST(CubicTest, GrowthOfLessThanAByteIsNotLostInRounding) {
  // Each packet adds 9/17 * 1200 / 1400 of a byte.
  Sender sender(2'000);
  sender.LoseOneOfAWindow(Duration::Milliseconds(1));
  ASSERT_EQ(sender.window(), 1'400);

  for (int i = 0; i < 150; ++i) sender.path.RunRound(Duration::Milliseconds(1), 1'000);

  EXPECT_NEAR(sender.window(), 1'400 + 150 * 9.0 / 17, 5);
}

TEST(CubicTest, GrowthIsAtMostHalfTheWindowPerRoundTrip) {
  Sender sender(10);
  sender.LoseOneOfAWindow();
  sender.RunFor(Duration::Seconds(2));
  const double before = sender.window();

  // The curve runs away while a round trip takes a minute.
  sender.path.Advance(Duration::Seconds(60));
  sender.path.Ack(sender.path.in_flight_count());

  EXPECT_LE(sender.window(), before * 1.5);
  EXPECT_GT(sender.window(), before);
}

TEST(CubicTest, FastConvergenceLowersThePlateauOfAFlowThatLosesGround) {
  Sender sender(100);
  sender.LoseOneOfAWindow();
  sender.RunFor(Duration::Milliseconds(500));
  const uint64_t window_bytes = sender.cubic.congestion_window_bytes();
  ASSERT_LT(window_bytes, 100 * kPacket);

  sender.LoseOneOfAWindow();

  EXPECT_EQ(sender.cubic.max_bytes(), window_bytes * 17 / 20);
  EXPECT_EQ(sender.cubic.congestion_window_bytes(), window_bytes * 7 / 10);
}

TEST(CubicTest, PlateauOfAFlowThatGainedGroundIsItsWindow) {
  Sender sender(100);
  sender.LoseOneOfAWindow();
  sender.RunFor(Duration::Seconds(10));
  const uint64_t window_bytes = sender.cubic.congestion_window_bytes();
  ASSERT_GT(window_bytes, 100 * kPacket);

  sender.LoseOneOfAWindow();

  EXPECT_EQ(sender.cubic.max_bytes(), window_bytes);
}

TEST(CubicTest, UndoBringsBackEverything) {
  Sender sender(100);
  Sender twin(100);
  for (Sender* each : {&sender, &twin}) {
    each->LoseOneOfAWindow();
    each->RunFor(Duration::Seconds(4));
  }
  ASSERT_EQ(sender.window(), twin.window());

  sender.path.AckLost(1);  // Too late, of a stage whose window was outgrown: nothing to undo.
  sender.path.Resolve({.lost = 2, .acked = 8});
  EXPECT_LT(sender.window(), twin.window());
  sender.path.AckLost(1);
  EXPECT_LT(sender.window(), twin.window());
  sender.path.AckLost(1);
  twin.path.Ack(10);

  EXPECT_NEAR(sender.window(), twin.window(), 0.2);
  EXPECT_EQ(sender.cubic.max_bytes(), twin.cubic.max_bytes());
  EXPECT_NEAR(static_cast<double>(sender.cubic.reno_bytes()),
              static_cast<double>(twin.cubic.reno_bytes()), 0.2 * kPacket);
  EXPECT_EQ(sender.cubic.Handover().ssthresh_bytes, twin.cubic.Handover().ssthresh_bytes);
  for (Sender* each : {&sender, &twin}) {
    each->path.SendWindow();
    each->RunFor(Duration::Seconds(4));
  }
  EXPECT_NEAR(sender.window() / twin.window(), 1.0, 0.01);
}

TEST(CubicTest, UndoBringsBackSlowStart) {
  Sender sender({.max_datagram_bytes = kPacket});
  sender.path.SendWindow();
  sender.path.Advance(kRtt);
  sender.path.Resolve({.lost = 1, .acked = 4});
  ASSERT_FALSE(sender.cubic.is_slow_start());

  sender.path.AckLost(1);

  EXPECT_EQ(sender.window(), 10);
  EXPECT_TRUE(sender.cubic.is_slow_start());
  EXPECT_EQ(sender.cubic.Handover().ssthresh_bytes, std::nullopt);
}

TEST(CubicTest, UndoDoesNotShrinkAWindowThatHasOutgrownTheOldOne) {
  Sender sender(20);
  sender.LoseOneOfAWindow();
  sender.RunFor(Duration::Seconds(5));
  const double window = sender.window();
  ASSERT_GT(window, 20);

  sender.path.AckLost(1);

  EXPECT_EQ(sender.window(), window);
}

TEST(CubicTest, EcnMarkForbidsTheUndo) {
  Sender sender(100);
  sender.path.SendWindow();
  sender.path.Advance(kRtt);
  sender.path.Resolve({.lost = 1, .acked = 3, .ecn_ce_count = 1});

  sender.path.AckLost(1);

  EXPECT_EQ(sender.window(), 70);
}

TEST(CubicTest, PersistentCongestionLeavesTheMinimumAndAStageOfItsOwn) {
  Sender sender(100);
  sender.path.SendWindow();
  sender.path.Advance(Duration::Seconds(5));
  sender.path.Resolve({.lost = 100, .is_persistent_congestion = true});
  ASSERT_EQ(sender.window(), 2);
  ASSERT_TRUE(sender.cubic.is_slow_start());

  // Slow start up to 70, then a curve that is flat there (RFC 9438 §4.8).
  sender.path.SendWindow();
  while (sender.cubic.is_slow_start()) sender.path.RunRound(kRtt, 10);
  sender.path.RunRound(kRtt, 10);
  EXPECT_NEAR(sender.window(), 70, 1);
  EXPECT_NEAR(static_cast<double>(sender.cubic.max_bytes()) / kPacket, 70, 1);
  sender.RunFor(Duration::Seconds(8));

  EXPECT_NEAR(sender.window(), 70 + 0.4 * 8 * 8 * 8, 10);
}

TEST(CubicTest, WindowNeverFallsBelowTwoDatagrams) {
  Sender sender({.max_datagram_bytes = kPacket});
  for (int i = 0; i < 10; ++i) sender.LoseOneOfAWindow();

  EXPECT_EQ(sender.window(), 2);
}

TEST(CubicTest, ApplicationThatDoesNotFillTheWindowDoesNotGrowIt) {
  Sender sender(100);
  sender.path.Send(20);
  sender.path.RunDry();

  for (int i = 0; i < 2'000; ++i) {
    sender.path.Advance(kRtt);
    sender.path.Ack(20);
    sender.path.Send(20);
    sender.path.RunDry();
  }

  EXPECT_EQ(sender.window(), 100);
}

TEST(CubicTest, TimeWithoutUseOfTheWindowDoesNotCount) {
  Sender sender(1'000);
  Sender twin(1'000);
  for (Sender* each : {&sender, &twin}) {
    each->LoseOneOfAWindow();
    each->RunFor(Duration::Seconds(4));
  }
  const double window = sender.window();

  sender.path.Advance(kRtt);
  sender.path.Ack(sender.path.in_flight_count());
  for (int i = 0; i < 1'000; ++i) {  // 50 s with a fiftieth of the window.
    sender.path.Send(20);
    sender.path.RunDry();
    sender.path.Advance(kRtt);
    sender.path.Ack(20);
  }
  EXPECT_NEAR(sender.window() / window, 1.0, 0.01);
  sender.path.SendWindow();
  for (Sender* each : {&sender, &twin}) each->RunFor(Duration::Seconds(12));

  EXPECT_NEAR(sender.window() / twin.window(), 1.0, 0.02);
}

TEST(CubicTest, IdleTimeDoesNotCount) {
  Sender sender(1'000);
  Sender twin(1'000);
  for (Sender* each : {&sender, &twin}) {
    each->LoseOneOfAWindow();
    each->RunFor(Duration::Seconds(4));
  }

  sender.path.Advance(kRtt);
  sender.path.Ack(sender.path.in_flight_count());
  sender.path.Advance(Duration::Seconds(300));
  sender.path.RestartFromIdle();
  sender.path.SendWindow();
  for (Sender* each : {&sender, &twin}) each->RunFor(Duration::Seconds(12));

  EXPECT_NEAR(sender.window() / twin.window(), 1.0, 0.02);
}

TEST(CubicTest, HystartLeavesSlowStartWithoutALoss) {
  Sender sender({.max_datagram_bytes = kPacket});
  sender.path.SendWindow();
  Duration rtt = kRtt;
  for (int i = 0; i < 20 && sender.cubic.is_slow_start(); ++i) {
    sender.path.RunRound(rtt, 16);
    if (i >= 4) rtt += Duration::Milliseconds(10);  // From then on a queue builds up.
  }

  EXPECT_FALSE(sender.cubic.is_slow_start());
  EXPECT_EQ(sender.cubic.Handover().ssthresh_bytes.has_value(), true);
  EXPECT_LT(sender.window(), 10 * 64 * 4);
  EXPECT_EQ(sender.cubic.max_bytes(), sender.cubic.Handover().ssthresh_bytes);
}

TEST(CubicTest, SlowStartAfterPersistentCongestionIsAsFastAsTheFirst) {
  Sender sender({.max_datagram_bytes = kPacket});
  sender.path.SendWindow();
  // HyStart++ sees a queue build up and finishes.
  for (int i = 0; i < 10; ++i) sender.path.RunRound(kRtt + i * Duration::Milliseconds(20), 16);
  ASSERT_FALSE(sender.cubic.is_slow_start());
  sender.path.Advance(kRtt * 100);
  sender.path.Resolve({.lost = sender.path.in_flight_count(), .is_persistent_congestion = true});
  ASSERT_EQ(sender.window(), 2);

  sender.path.SendWindow();
  sender.path.Advance(kRtt);
  sender.path.Ack(2);

  EXPECT_EQ(sender.window(), 4);
  EXPECT_TRUE(sender.cubic.is_slow_start());
}

TEST(CubicTest, LargerDatagramsEnlargeTheInitialWindowAndTheMinimum) {
  Cubic fresh({.max_datagram_bytes = kPacket});
  Sender used(2);
  used.LoseOneOfAWindow();

  fresh.OnMaxDatagramBytesChanged(1'452);
  used.cubic.OnMaxDatagramBytesChanged(1'452);

  EXPECT_EQ(fresh.congestion_window_bytes(), 14'520);
  EXPECT_EQ(used.cubic.congestion_window_bytes(), 2 * 1'452);
  used.cubic.CheckInvariants();
}

TEST(CubicTest, SuccessorGoesOnWhereItsPredecessorWas) {
  Sender sender(100);
  sender.LoseOneOfAWindow();
  Cubic successor({.now = sender.path.now(),
                   .max_datagram_bytes = kPacket,
                   .rtt = sender.path.rtt().summary(),
                   .predecessor = sender.cubic.Handover()});

  sender.path.SwitchTo(&successor);

  EXPECT_EQ(successor.congestion_window_bytes(), 70 * kPacket);
  EXPECT_EQ(successor.pacing_rate(), sender.cubic.pacing_rate());
  EXPECT_TRUE(successor.Handover().is_in_recovery);
  sender.path.Advance(kRtt);
  sender.path.Resolve({.lost = 1, .acked = 30});  // Sent before the change: answered already.
  EXPECT_EQ(successor.congestion_window_bytes(), 70 * kPacket);
}

}  // namespace
}  // namespace godwit
