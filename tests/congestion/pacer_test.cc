// SPDX-License-Identifier: Apache-2.0
#include "congestion/pacer.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/bandwidth.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr uint64_t kPacket = 1'200;
constexpr Timestamp kStart = Timestamp::FromNanoseconds(5'000'000'000);

constexpr Duration Us(int64_t count) { return Duration::Microseconds(count); }

// At `rate` since kStart, without an initial burst and with an empty bucket.
Pacer EmptyPacer(Bandwidth rate) {
  Pacer pacer(0);
  pacer.SetRate(kStart, rate, kPacket);
  pacer.OnSent(kStart, pacer.BudgetBytes(kStart));
  return pacer;
}

TEST(PacerTest, NothingIsHeldBackBeforeThereIsARate) {
  const Pacer pacer(12'000);

  EXPECT_EQ(pacer.BudgetBytes(kStart), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(pacer.ReleaseTime(1'000'000), Timestamp::InfinitePast());
}

TEST(PacerTest, InitialBurstLeavesAtOnceHoweverLowTheRate) {
  Pacer pacer(12'000);
  pacer.SetRate(kStart, Bandwidth::KilobitsPerSecond(96), kPacket);

  EXPECT_EQ(pacer.BudgetBytes(kStart), 12'000);
  EXPECT_LE(pacer.ReleaseTime(2 * kPacket), kStart);
  pacer.OnSent(kStart, 12'000);

  EXPECT_EQ(pacer.BudgetBytes(kStart), 0);
  EXPECT_EQ(pacer.ReleaseTime(kPacket), kStart + Duration::Milliseconds(100));
}

TEST(PacerTest, InitialBurstIsGivenOnce) {
  Pacer pacer(12'000);
  pacer.OnSent(kStart, 12'000);  // Without a rate yet.

  pacer.SetRate(kStart, Bandwidth::KilobitsPerSecond(96), kPacket);
  pacer.OnSent(kStart, pacer.BudgetBytes(kStart));

  EXPECT_LE(pacer.BudgetBytes(kStart + Duration::Seconds(100)), 2 * kPacket);
}

TEST(PacerTest, BudgetGrowsWithTimeAtTheRate) {
  const Pacer pacer = EmptyPacer(Bandwidth::MegabitsPerSecond(96));

  EXPECT_EQ(pacer.BudgetBytes(kStart), 0);
  EXPECT_EQ(pacer.BudgetBytes(kStart + Us(100)), kPacket);
  EXPECT_EQ(pacer.BudgetBytes(kStart + Us(250)), 3'000);
}

TEST(PacerTest, BurstIsOneMillisecondOfTheRate) {
  const Pacer pacer = EmptyPacer(Bandwidth::MegabitsPerSecond(96));

  EXPECT_EQ(pacer.burst_bytes(), 12'000);
  EXPECT_EQ(pacer.BudgetBytes(kStart + Duration::Seconds(10)), 12'000);
}

TEST(PacerTest, BurstIsTwoDatagramsAtLowRates) {
  const Pacer pacer = EmptyPacer(Bandwidth::MegabitsPerSecond(1));

  EXPECT_EQ(pacer.burst_bytes(), 2 * kPacket);
  EXPECT_EQ(pacer.BudgetBytes(kStart + Duration::Seconds(10)), 2 * kPacket);
}

TEST(PacerTest, ReleaseTimeIsTheFirstMomentWithEnoughBudget) {
  const Pacer pacer = EmptyPacer(Bandwidth::BitsPerSecond(7'777'777));

  const Timestamp release = pacer.ReleaseTime(kPacket);

  EXPECT_GE(pacer.BudgetBytes(release), kPacket);
  EXPECT_LT(pacer.BudgetBytes(release - Duration::Nanoseconds(1)), kPacket);
}

TEST(PacerTest, WaitingForMoreThanABurstIsWaitingForABurst) {
  const Pacer pacer = EmptyPacer(Bandwidth::MegabitsPerSecond(96));

  EXPECT_EQ(pacer.ReleaseTime(1'000'000), kStart + Duration::Milliseconds(1));
}

TEST(PacerTest, PacketsThatDoNotAskDelayThoseThatFollow) {
  Pacer pacer = EmptyPacer(Bandwidth::MegabitsPerSecond(96));

  pacer.OnSent(kStart, kPacket);

  EXPECT_EQ(pacer.ReleaseTime(kPacket), kStart + Us(200));
}

TEST(PacerTest, DebtIsNeverMoreThanABurst) {
  Pacer pacer = EmptyPacer(Bandwidth::MegabitsPerSecond(96));

  for (int i = 0; i < 1'000; ++i) pacer.OnSent(kStart, kPacket);

  EXPECT_EQ(pacer.ReleaseTime(kPacket), kStart + Us(1'100));
  pacer.CheckInvariants();
}

TEST(PacerTest, CreditIsEarnedAtTheRateOfItsTime) {
  Pacer pacer = EmptyPacer(Bandwidth::MegabitsPerSecond(96));

  pacer.SetRate(kStart + Us(100), Bandwidth::MegabitsPerSecond(48), kPacket);

  EXPECT_EQ(pacer.BudgetBytes(kStart + Us(200)), kPacket + kPacket / 2);
}

TEST(PacerTest, SlowerRateTakesTheLargerBurstAway) {
  Pacer pacer(0);
  pacer.SetRate(kStart, Bandwidth::MegabitsPerSecond(1'000), kPacket);
  const Timestamp later = kStart + Duration::Seconds(1);

  pacer.SetRate(later, Bandwidth::MegabitsPerSecond(1), kPacket);

  EXPECT_EQ(pacer.BudgetBytes(later), 2 * kPacket);
}

TEST(PacerTest, TimeThatRunsBackwardsEarnsNothing) {
  Pacer pacer = EmptyPacer(Bandwidth::MegabitsPerSecond(96));

  pacer.OnSent(kStart - Duration::Seconds(1), kPacket);

  EXPECT_EQ(pacer.ReleaseTime(kPacket), kStart + Us(200));
}

TEST(PacerTest, MillionPacketsTakeExactlyAsLongAsTheRateSays) {
  // Neither the packets nor the nanoseconds divide evenly.
  constexpr int64_t kBitsPerSecond = 9'876'543'217;
  constexpr uint64_t kOddPacket = 1'451;
  constexpr int64_t kPackets = 1'000'000;
  Pacer pacer = EmptyPacer(Bandwidth::BitsPerSecond(kBitsPerSecond));

  Timestamp now = kStart;
  for (int64_t i = 0; i < kPackets; ++i) {
    now = std::max(now, pacer.ReleaseTime(kOddPacket));
    ASSERT_GE(pacer.BudgetBytes(now), kOddPacket);
    pacer.OnSent(now, kOddPacket);
  }

  const __int128 exact_ns = __int128{kPackets} * kOddPacket * 8'000'000'000 / kBitsPerSecond;
  EXPECT_NEAR(static_cast<double>((now - kStart).ToNanoseconds()), static_cast<double>(exact_ns),
              1.0);
}

TEST(PacerTest, NoSpanOfTimeCarriesMoreThanRateAndBurst) {
  SeededRandom random(77);
  const Bandwidth rate = Bandwidth::MegabitsPerSecond(200);
  Pacer pacer = EmptyPacer(rate);
  struct Sent {
    Timestamp at;
    uint64_t bytes_before;
  };
  std::vector<Sent> sends;
  Timestamp now = kStart;
  uint64_t total_bytes = 0;
  for (int i = 0; i < 3'000; ++i) {
    // Comes by at odd times, sometimes after a long pause, and takes what it may.
    now += Us(static_cast<int64_t>(random.UniformBelow(i % 50 == 0 ? 20'000 : 400)));
    uint64_t budget = pacer.BudgetBytes(now);
    while (budget >= kPacket && random.UniformBelow(8) != 0) {
      sends.push_back({now, total_bytes});
      pacer.OnSent(now, kPacket);
      total_bytes += kPacket;
      budget = pacer.BudgetBytes(now);
      pacer.CheckInvariants();
    }
  }

  for (size_t first = 0; first < sends.size(); ++first) {
    for (size_t last = first; last < std::min(sends.size(), first + 200); ++last) {
      const uint64_t bytes = sends[last].bytes_before + kPacket - sends[first].bytes_before;
      const Duration span = sends[last].at - sends[first].at;
      ASSERT_LE(bytes, rate.BytesIn(span) + pacer.burst_bytes() + 1);
    }
  }
  EXPECT_GT(sends.size(), 2'000);
}

TEST(PacerTest, AnyOrderOfCallsKeepsTheInvariants) {
  SeededRandom random(78);
  Pacer pacer(12'000);
  Timestamp now = kStart;
  for (int i = 0; i < 200'000; ++i) {
    now += Duration::Nanoseconds(
        static_cast<int64_t>(random.NextUint64() >> 1 >> (10 + random.UniformBelow(50))));
    switch (random.UniformBelow(4)) {
      case 0:
        pacer.SetRate(now,
                      Bandwidth::BitsPerSecond(static_cast<int64_t>(random.NextUint64() >> 1 >>
                                                                    random.UniformBelow(63))),
                      1'200 + random.UniformBelow(8'000));
        break;
      case 1:
        pacer.OnSent(now, random.NextUint64() >> random.UniformBelow(64));
        break;
      case 2:
        pacer.OnSent(now, std::min<uint64_t>(pacer.BudgetBytes(now), 65'507));
        break;
      default:
        const Timestamp release = pacer.ReleaseTime(kPacket);
        ASSERT_TRUE(release.is_infinite() || pacer.BudgetBytes(release) >= kPacket);
        break;
    }
    pacer.CheckInvariants();
  }
}

}  // namespace
}  // namespace godwit
