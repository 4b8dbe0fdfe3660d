// SPDX-License-Identifier: Apache-2.0
//
// Path: what may leave, and why not.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/bandwidth.h"
#include "godwit/time.h"
#include "tests/transport/path/logging_controller.h"
#include "tests/transport/path/path_fixture.h"
#include "transport/delivery/frame_writer.h"
#include "transport/path/path.h"

namespace godwit {
namespace {

using Blocked = Path::Blocked;

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

// ---- Amplification. RFC 9000 §8.1. ----

TEST(PathBudgetTest, NothingMayBeSentToAnAddressFromWhichNothingCame) {
  const Path path(UnvalidatedParams());

  for (const PacketMode mode :
       {PacketMode::kNormal, PacketMode::kProbe, PacketMode::kPathOnly, PacketMode::kClosing}) {
    const Path::Budget budget = path.BudgetFor(kStart, mode, 1);
    EXPECT_EQ(budget.bytes, 0u);
    EXPECT_EQ(budget.blocked, Blocked::kAmplification);
  }
  EXPECT_EQ(path.AmplificationCredit(), 0u);
}

TEST(PathBudgetTest, CreditIsThreeTimesWhatCameToTheByte) {
  Path path(UnvalidatedParams());

  path.OnDatagramReceived(101);
  EXPECT_EQ(path.AmplificationCredit(), 303u);
  path.OnDatagramSent(300);
  EXPECT_EQ(path.AmplificationCredit(), 3u);
  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kProbe, 3).bytes, 3u);
  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kProbe, 4).bytes, 0u);
  path.OnDatagramSent(3);
  EXPECT_EQ(path.AmplificationCredit(), 0u);
  path.OnDatagramReceived(1);
  EXPECT_EQ(path.AmplificationCredit(), 3u);
  path.CheckInvariants();
}

TEST(PathBudgetTest, CreditCutsTheTrainToWholePackets) {
  Path path(UnvalidatedParams());
  path.OnDatagramReceived(1'250);

  const Path::Budget budget = path.BudgetFor(kStart, PacketMode::kNormal, kPacketBytes);

  EXPECT_EQ(budget.bytes, 3 * kPacketBytes);
  EXPECT_EQ(budget.blocked, Blocked::kNot);
}

TEST(PathBudgetTest, ValidatedAddressHasNoLimit) {
  Path path(UnvalidatedParams());
  path.OnDatagramReceived(1);

  path.OnValidated();
  path.OnDatagramSent(1'000'000);

  EXPECT_TRUE(path.is_validated());
  EXPECT_EQ(path.AmplificationCredit(), kUnlimited);
  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, kPacketBytes).bytes, kInitialWindow);
  path.CheckInvariants();
}

TEST(PathBudgetTest, RandomTrafficNeverExceedsTheCredit) {
  SeededRandom random(11);
  for (int run = 0; run < 50; ++run) {
    Path path(UnvalidatedParams());
    uint64_t received_bytes = 0;
    uint64_t sent_bytes = 0;
    for (int step = 0; step < 300; ++step) {
      if (random.UniformBelow(3) == 0) {
        const uint64_t bytes = random.UniformBelow(1'500);
        path.OnDatagramReceived(bytes);
        received_bytes += bytes;
      }
      const uint64_t packet_bytes = 1 + random.UniformBelow(1'400);
      const Path::Budget budget = path.BudgetFor(kStart, PacketMode::kProbe, packet_bytes);
      const uint64_t left_bytes = 3 * received_bytes - sent_bytes;
      ASSERT_EQ(budget.bytes > 0, left_bytes >= packet_bytes);
      ASSERT_EQ(budget.blocked,
                left_bytes >= packet_bytes ? Blocked::kNot : Blocked::kAmplification);
      ASSERT_LE(budget.bytes, left_bytes);
      path.OnDatagramSent(budget.bytes);
      sent_bytes += budget.bytes;
      path.CheckInvariants();
    }
  }
}

// ---- Window. RFC 9002 §7. ----

TEST(PathBudgetTest, FreshPathTakesTheInitialWindowAndNoMore) {
  Path path(ValidatedParams());

  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, kPacketBytes).bytes, kInitialWindow);
  Send(path, 10, kStart);

  const Path::Budget full = path.BudgetFor(kStart, PacketMode::kNormal, kPacketBytes);
  EXPECT_EQ(full.bytes, 0u);
  EXPECT_EQ(full.blocked, Blocked::kCongestion);
  EXPECT_EQ(full.release_time, Timestamp::Infinite());
}

TEST(PathBudgetTest, NoSliverIsGranted) {
  Path path(ValidatedParams());
  Send(path, 9, kStart);
  path.OnPacketSent(9, 1, kStart);  // 1199 bytes are left.

  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, kPacketBytes).bytes, 0u);
  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, 1'199).bytes, 1'199u);
  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, 500).bytes, 1'000u);
}

TEST(PathBudgetTest, PacketLargerThanTheWindowGoesWhenNothingIsInFlight) {
  Path path(ValidatedParams());

  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, 60'000).bytes, 60'000u);
  path.OnPacketSent(0, 1, kStart);
  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, 60'000).blocked, Blocked::kCongestion);
}

// RFC 9002 §7.5.
TEST(PathBudgetTest, ProbesPassTheFullWindowAndThePacer) {
  Path path(ValidatedParams());
  const auto first = Send(path, 10, kStart);
  Acknowledge(path, std::span(first).first(1), kStart + kRtt);
  Send(path, 50, kStart + kRtt, 10);

  EXPECT_GE(path.BudgetFor(kStart + kRtt, PacketMode::kProbe, kPacketBytes).bytes, kPacketBytes);
  EXPECT_EQ(path.BudgetFor(kStart + kRtt, PacketMode::kPathOnly, kPacketBytes).blocked,
            Blocked::kCongestion);
}

TEST(PathBudgetTest, TrainIsNoLongerThanTheQuantum) {
  ControllerLog log;
  const LoggingFactory factory(&log, {.window_bytes = 1'000'000, .quantum_bytes = 5'000});
  const Path path(ParamsWith(factory));

  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, kPacketBytes).bytes, 4 * kPacketBytes);
  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kProbe, kPacketBytes).bytes, 4 * kPacketBytes);
  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, 6'000).bytes, 6'000u);
}

// ---- Pacing. RFC 9002 §7.7. ----

// 100 bytes a microsecond: 100,000 a millisecond.
constexpr Bandwidth kRate = Bandwidth::BitsPerSecond(800'000'000);
// The pacer has all the credit that it ever has.
constexpr Timestamp kRested = kStart + Duration::Seconds(1);

TEST(PathBudgetTest, PacedTrainIsAtMostAMillisecondOfTheRate) {
  ControllerLog log;
  const LoggingFactory factory(
      &log, {.window_bytes = 10'000'000, .rate = kRate, .quantum_bytes = 1'000'000});
  Path path(ParamsWith(factory));

  const Path::Budget budget = path.BudgetFor(kRested, PacketMode::kNormal, kPacketBytes);

  EXPECT_EQ(budget.bytes, 100'000 / kPacketBytes * kPacketBytes);
}

TEST(PathBudgetTest, BlockedByThePacerItSaysWhenHalfAQuantumMayLeave) {
  ControllerLog log;
  const LoggingFactory factory(
      &log, {.window_bytes = 10'000'000, .rate = kRate, .quantum_bytes = 60'000});
  Path path(ParamsWith(factory));
  path.OnPacketSent(0, 100'000, kRested);
  path.OnTrainSent(kRested, 100'000);

  const Path::Budget budget = path.BudgetFor(kRested, PacketMode::kNormal, kPacketBytes);

  EXPECT_EQ(budget.bytes, 0u);
  EXPECT_EQ(budget.blocked, Blocked::kPacing);
  EXPECT_EQ(budget.release_time, kRested + Duration::Microseconds(300));
  EXPECT_EQ(path.BudgetFor(budget.release_time, PacketMode::kNormal, kPacketBytes).bytes,
            30'000 / kPacketBytes * kPacketBytes);
}

TEST(PathBudgetTest, ReleaseTimeDoesNotWaitForMoreThanTheWindowTakes) {
  ControllerLog log;
  const LoggingFactory factory(&log,
                               {.window_bytes = 102'500, .rate = kRate, .quantum_bytes = 60'000});
  Path path(ParamsWith(factory));
  path.OnPacketSent(0, 100'000, kRested);
  path.OnTrainSent(kRested, 100'000);

  const Path::Budget budget = path.BudgetFor(kRested, PacketMode::kNormal, kPacketBytes);

  EXPECT_EQ(budget.release_time, kRested + Duration::Microseconds(25));
  EXPECT_EQ(path.BudgetFor(budget.release_time, PacketMode::kNormal, kPacketBytes).bytes,
            2 * kPacketBytes);
}

TEST(PathBudgetTest, PathFramesAreNotPaced) {
  ControllerLog log;
  const LoggingFactory factory(&log, {.window_bytes = 10'000'000, .rate = kRate});
  Path path(ParamsWith(factory));
  path.OnPacketSent(0, 100'000, kStart);
  path.OnTrainSent(kStart, 100'000);

  EXPECT_EQ(path.BudgetFor(kStart, PacketMode::kNormal, kPacketBytes).bytes, 0u);
  EXPECT_GE(path.BudgetFor(kStart, PacketMode::kPathOnly, kPacketBytes).bytes, kPacketBytes);
}

TEST(PathBudgetTest, MtuProbeAboveTheBurstIsNotHeldBackForEver) {
  ControllerLog log;
  const LoggingFactory factory(&log, {.rate = Bandwidth::BitsPerSecond(800'000)});
  Path path(ParamsWith(factory));
  Send(path, 10, kStart);
  ASSERT_EQ(path.pacer().burst_bytes(), 2 * kPacketBytes);

  const Path::Budget early = path.BudgetFor(kStart, PacketMode::kNormal, 9'000);
  const Path::Budget later = path.BudgetFor(early.release_time, PacketMode::kNormal, 9'000);

  EXPECT_EQ(early.blocked, Blocked::kPacing);
  EXPECT_EQ(early.release_time, kStart + Duration::Milliseconds(24));
  EXPECT_EQ(later.bytes, 9'000u);
}

TEST(PathBudgetTest, ReleaseTimeIsNeverInVain) {
  SeededRandom random(5);
  ControllerLog log;
  for (int run = 0; run < 200; ++run) {
    const LoggingFactory factory(&log, {.window_bytes = 1'000'000,
                                        .rate = Bandwidth::BitsPerSecond(static_cast<int64_t>(
                                            100'000 + random.UniformBelow(10'000'000'000))),
                                        .quantum_bytes = 2'400 + random.UniformBelow(60'000)});
    Path path(ParamsWith(factory));
    Timestamp now = kStart;
    for (uint64_t number = 0; number < 50 && path.bytes_in_flight() < 900'000;) {
      const uint64_t packet_bytes = 40 + random.UniformBelow(1'160);
      const Path::Budget budget = path.BudgetFor(now, PacketMode::kNormal, packet_bytes);
      if (budget.blocked == Blocked::kPacing) {
        ASSERT_GT(budget.release_time, now);
        now = budget.release_time;
        ASSERT_GE(path.BudgetFor(now, PacketMode::kNormal, packet_bytes).bytes, packet_bytes);
        continue;
      }
      ASSERT_GE(budget.bytes, packet_bytes);
      path.OnPacketSent(number++, budget.bytes, now);
      path.OnTrainSent(now, budget.bytes);
      path.CheckInvariants();
    }
  }
}

TEST(PathBudgetTest, PacerFollowsTheControllersRate) {
  Path path(ValidatedParams());
  EXPECT_TRUE(path.pacer().rate().is_infinite());
  const auto packets = Send(path, 10, kStart);

  Acknowledge(path, packets, kStart + kRtt);

  EXPECT_FALSE(path.pacer().rate().is_infinite());
  EXPECT_EQ(path.pacer().rate(), path.controller().pacing_rate());
}

}  // namespace
}  // namespace godwit
