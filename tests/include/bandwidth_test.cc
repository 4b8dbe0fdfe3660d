// SPDX-License-Identifier: Apache-2.0
#include "godwit/bandwidth.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "gtest/gtest.h"

#include "godwit/ratio.h"
#include "godwit/time.h"

namespace godwit {
namespace {

using Wide = unsigned __int128;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr uint64_t kMaxBytes = std::numeric_limits<uint64_t>::max();
constexpr Wide kBitNanoseconds = 8'000'000'000;

constexpr std::array<int64_t, 11> kRates = {
    1,        7,        8,        9'600,   999'999'937, 10'000'000'000, 400'000'000'001,
    kMax / 8, kMax / 2, kMax - 2, kMax - 1};
constexpr std::array<uint64_t, 10> kByteCounts = {1,
                                                  1'200,
                                                  65'535,
                                                  2'305'843'009,
                                                  2'305'843'010,
                                                  uint64_t{1} << 40,
                                                  uint64_t{1} << 62,
                                                  uint64_t{1} << 63,
                                                  kMaxBytes - 1,
                                                  kMaxBytes};
constexpr std::array<int64_t, 8> kNanoseconds = {
    1, 999, 1'000'000, 1'000'000'007, 86'400'000'000'000, kMax / 2, kMax - 2, kMax - 1};

static_assert(sizeof(Bandwidth) == 8 && std::is_trivially_copyable_v<Bandwidth>);
static_assert(!std::is_convertible_v<int64_t, Bandwidth>);
static_assert(Bandwidth::MegabitsPerSecond(8) == Bandwidth::BytesPerSecond(1'000'000));
// As a double it rounds up to 2^63, which no int64 holds; only the compiler would tell.
static_assert((Bandwidth::BitsPerSecond(kMax - 1) * 1.0).is_infinite());

TEST(BandwidthTest, UnitsAreBitsTimesTheirSize) {
  EXPECT_EQ(Bandwidth::BitsPerSecond(7).ToBitsPerSecond(), 7);
  EXPECT_EQ(Bandwidth::KilobitsPerSecond(7).ToBitsPerSecond(), 7'000);
  EXPECT_EQ(Bandwidth::MegabitsPerSecond(7).ToBitsPerSecond(), 7'000'000);
  EXPECT_EQ(Bandwidth::BytesPerSecond(7).ToBitsPerSecond(), 56);
  EXPECT_EQ(Bandwidth::BitsPerSecond(15).ToBytesPerSecond(), 1);
  EXPECT_EQ(Bandwidth(), Bandwidth::Zero());
}

TEST(BandwidthTest, NegativeRatesBecomeZero) {
  EXPECT_TRUE(Bandwidth::BitsPerSecond(-1).is_zero());
  EXPECT_TRUE(Bandwidth::BitsPerSecond(kMin).is_zero());
  EXPECT_TRUE(Bandwidth::KilobitsPerSecond(-1).is_zero());
  EXPECT_TRUE(Bandwidth::MegabitsPerSecond(kMin).is_zero());
  EXPECT_TRUE(Bandwidth::BytesPerSecond(kMin).is_zero());
}

TEST(BandwidthTest, RatesThatDoNotFitAreInfinite) {
  EXPECT_TRUE(Bandwidth::BitsPerSecond(kMax).is_infinite());
  EXPECT_FALSE(Bandwidth::BitsPerSecond(kMax - 1).is_infinite());
  EXPECT_TRUE(Bandwidth::KilobitsPerSecond(kMax).is_infinite());
  EXPECT_TRUE(Bandwidth::MegabitsPerSecond(kMax / 1'000'000 + 1).is_infinite());
  EXPECT_FALSE(Bandwidth::MegabitsPerSecond(kMax / 1'000'000).is_infinite());
  EXPECT_TRUE(Bandwidth::BytesPerSecond(kMax / 8 + 1).is_infinite());
  EXPECT_EQ(Bandwidth::Infinite().ToBitsPerSecond(), kMax);
  EXPECT_EQ(Bandwidth::Infinite().ToBytesPerSecond(), kMax);
}

TEST(BandwidthTest, RateOfBytesInATimeIsRoundedDown) {
  EXPECT_EQ(Bandwidth::FromBytesAndDuration(1'250'000, Duration::Seconds(1)),
            Bandwidth::MegabitsPerSecond(10));
  for (const uint64_t bytes : kByteCounts) {
    for (const int64_t ns : kNanoseconds) {
      const Bandwidth rate = Bandwidth::FromBytesAndDuration(bytes, Duration::Nanoseconds(ns));

      const Wide exact = bytes * kBitNanoseconds / static_cast<uint64_t>(ns);
      EXPECT_EQ(rate.ToBitsPerSecond(), static_cast<int64_t>(std::min<Wide>(exact, kMax)))
          << bytes << " bytes in " << ns << " ns";
    }
  }
}

TEST(BandwidthTest, RateOfNothingIsZeroAndOfSomethingInNoTimeInfinite) {
  EXPECT_TRUE(Bandwidth::FromBytesAndDuration(0, Duration::Zero()).is_zero());
  EXPECT_TRUE(Bandwidth::FromBytesAndDuration(0, Duration::Seconds(1)).is_zero());
  EXPECT_TRUE(Bandwidth::FromBytesAndDuration(1, Duration::Infinite()).is_zero());
  EXPECT_TRUE(Bandwidth::FromBytesAndDuration(1, Duration::Zero()).is_infinite());
  EXPECT_TRUE(Bandwidth::FromBytesAndDuration(1, Duration::Nanoseconds(-1)).is_infinite());
  EXPECT_TRUE(Bandwidth::FromBytesAndDuration(1, -Duration::Infinite()).is_infinite());
}

TEST(BandwidthTest, BytesInATimeAreRoundedDownAndSaturate) {
  for (const int64_t bits_per_second : kRates) {
    for (const int64_t ns : kNanoseconds) {
      const Bandwidth rate = Bandwidth::BitsPerSecond(bits_per_second);

      const Wide exact = Wide{static_cast<uint64_t>(bits_per_second)} * static_cast<uint64_t>(ns) /
                         kBitNanoseconds;
      EXPECT_EQ(rate.BytesIn(Duration::Nanoseconds(ns)),
                static_cast<uint64_t>(std::min<Wide>(exact, kMaxBytes)))
          << bits_per_second << " bit/s for " << ns << " ns";
    }
  }
}

TEST(BandwidthTest, BytesInATimeAtTheLimits) {
  const Bandwidth rate = Bandwidth::MegabitsPerSecond(10);

  EXPECT_EQ(rate.BytesIn(Duration::Zero()), 0u);
  EXPECT_EQ(rate.BytesIn(Duration::Seconds(-1)), 0u);
  EXPECT_EQ(rate.BytesIn(-Duration::Infinite()), 0u);
  EXPECT_EQ(rate.BytesIn(Duration::Infinite()), kMaxBytes);
  EXPECT_EQ(Bandwidth::Zero().BytesIn(Duration::Infinite()), 0u);
  EXPECT_EQ(Bandwidth::Infinite().BytesIn(Duration::Zero()), kMaxBytes);
  EXPECT_EQ(Bandwidth::Infinite().BytesIn(Duration::Nanoseconds(-1)), 0u);
}

TEST(BandwidthTest, TimeToSendIsRoundedUpAndSaturates) {
  for (const int64_t bits_per_second : kRates) {
    for (const uint64_t bytes : kByteCounts) {
      const Bandwidth rate = Bandwidth::BitsPerSecond(bits_per_second);

      const Wide divisor = static_cast<uint64_t>(bits_per_second);
      const Wide exact = (bytes * kBitNanoseconds + divisor - 1) / divisor;
      EXPECT_EQ(rate.TimeToSend(bytes).ToNanoseconds(),
                static_cast<int64_t>(std::min<Wide>(exact, kMax)))
          << bytes << " bytes at " << bits_per_second << " bit/s";
    }
  }
}

TEST(BandwidthTest, WhatTimeToSendGivesIsEnoughForTheBytes) {
  for (const int64_t bits_per_second : kRates) {
    const Bandwidth rate = Bandwidth::BitsPerSecond(bits_per_second);

    EXPECT_GE(rate.BytesIn(rate.TimeToSend(1'200)), 1'200u) << bits_per_second;
  }
}

TEST(BandwidthTest, TimeToSendAtTheLimits) {
  EXPECT_EQ(Bandwidth::Zero().TimeToSend(0), Duration::Zero());
  EXPECT_EQ(Bandwidth::Zero().TimeToSend(1), Duration::Infinite());
  EXPECT_EQ(Bandwidth::Infinite().TimeToSend(kMaxBytes), Duration::Zero());
  EXPECT_EQ(Bandwidth::BitsPerSecond(1).TimeToSend(kMaxBytes), Duration::Infinite());
}

TEST(BandwidthTest, RatioScalesExactly) {
  const Bandwidth rate = Bandwidth::BitsPerSecond(kMax - 1);

  EXPECT_EQ((rate * Ratio{1, 3}).ToBitsPerSecond(), (kMax - 1) / 3);
  EXPECT_EQ((Ratio{kMax, kMax} * rate), rate);
  EXPECT_EQ((Bandwidth::BitsPerSecond(10) * Ratio{5, 4}).ToBitsPerSecond(), 12);
  EXPECT_TRUE((rate * Ratio{5, 4}).is_infinite());
  EXPECT_TRUE((rate * Ratio{-5, 4}).is_zero());
  EXPECT_TRUE((rate * Ratio{1, 0}).is_infinite());
  EXPECT_TRUE((Bandwidth::Infinite() * Ratio{0, 1}).is_infinite());
  EXPECT_TRUE((Bandwidth::Infinite() * Ratio{1, 2}).is_infinite());
}

TEST(BandwidthTest, FactorScalesAndSaturates) {
  const Bandwidth rate = Bandwidth::MegabitsPerSecond(10);
  constexpr double kHuge = std::numeric_limits<double>::infinity();

  EXPECT_EQ(rate * 1.25, Bandwidth::KilobitsPerSecond(12'500));
  EXPECT_EQ(2.0 * rate, Bandwidth::MegabitsPerSecond(20));
  EXPECT_TRUE((rate * 0.0).is_zero());
  EXPECT_TRUE((rate * -0.5).is_zero());
  EXPECT_TRUE((rate * std::numeric_limits<double>::quiet_NaN()).is_zero());
  EXPECT_TRUE((rate * 1e30).is_infinite());
  EXPECT_TRUE((rate * kHuge).is_infinite());
  EXPECT_TRUE((Bandwidth::Zero() * kHuge).is_zero());
  EXPECT_TRUE((Bandwidth::Infinite() * 0.5).is_infinite());
  EXPECT_TRUE((Bandwidth::Infinite() * 0.0).is_infinite());
  EXPECT_TRUE((Bandwidth::Infinite() * -1.0).is_zero());
}

TEST(BandwidthTest, OrderIsByRate) {
  EXPECT_LT(Bandwidth::Zero(), Bandwidth::BitsPerSecond(1));
  EXPECT_LT(Bandwidth::BitsPerSecond(kMax - 1), Bandwidth::Infinite());
  EXPECT_EQ(std::max(Bandwidth::KilobitsPerSecond(1), Bandwidth::BitsPerSecond(999)),
            Bandwidth::BitsPerSecond(1'000));
}

}  // namespace
}  // namespace godwit
