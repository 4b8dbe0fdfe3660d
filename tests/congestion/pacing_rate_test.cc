// SPDX-License-Identifier: Apache-2.0
#include "congestion/pacing_rate.h"

#include "gtest/gtest.h"

#include "godwit/bandwidth.h"
#include "godwit/time.h"

namespace godwit {
namespace {

TEST(PacingRateTest, WindowPerRttTimesFiveQuartersOrTwo) {
  const Duration rtt = Duration::Milliseconds(100);

  EXPECT_EQ(WindowPacingRate(100'000, rtt, /*is_slow_start=*/false),
            Bandwidth::BytesPerSecond(1'250'000));
  EXPECT_EQ(WindowPacingRate(100'000, rtt, /*is_slow_start=*/true),
            Bandwidth::BytesPerSecond(2'000'000));
}

TEST(PacingRateTest, NoLimitBeforeThereIsASample) {
  EXPECT_TRUE(WindowPacingRate(12'000, Duration::Zero(), /*is_slow_start=*/true).is_infinite());
}

TEST(PacingRateTest, LargestWindowHasARate) {
  EXPECT_GT(WindowPacingRate(kMaxWindowBytes, Duration::Nanoseconds(1), /*is_slow_start=*/true),
            Bandwidth::MegabitsPerSecond(1'000'000));
}

TEST(SendQuantumTest, IsAMillisecondOfTheRateWithinBounds) {
  EXPECT_EQ(SendQuantumBytes(Bandwidth::MegabitsPerSecond(1), 1'200), 2'400);
  EXPECT_EQ(SendQuantumBytes(Bandwidth::MegabitsPerSecond(100), 1'200), 12'500);
  EXPECT_EQ(SendQuantumBytes(Bandwidth::MegabitsPerSecond(10'000), 1'200), 65'507);
  EXPECT_EQ(SendQuantumBytes(Bandwidth::Infinite(), 1'200), 65'507);
  EXPECT_EQ(SendQuantumBytes(Bandwidth::Infinite(), 65'527), 131'054);
}

}  // namespace
}  // namespace godwit
