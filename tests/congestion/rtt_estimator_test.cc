// SPDX-License-Identifier: Apache-2.0
#include "congestion/rtt_estimator.h"

#include <algorithm>
#include <cstdint>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr Duration Ms(int64_t count) { return Duration::Milliseconds(count); }
constexpr Duration Us(int64_t count) { return Duration::Microseconds(count); }

RttEstimator EstimatorAfter(Duration first_rtt) {
  RttEstimator estimator;
  estimator.OnMeasurement({.rtt = first_rtt});
  return estimator;
}

TEST(RttEstimatorTest, InitialRttIsAssumedUntilTheFirstSample) {
  const RttEstimator estimator;

  EXPECT_FALSE(estimator.has_sample());
  EXPECT_EQ(estimator.smoothed_rtt(), Ms(333));
  EXPECT_EQ(estimator.rttvar(), Us(166'500));
  EXPECT_EQ(estimator.PtoBase(Duration::Zero()), Ms(333 + 666));
  EXPECT_TRUE(estimator.summary().smoothed.is_zero());
  EXPECT_TRUE(estimator.summary().min.is_zero());
}

TEST(RttEstimatorTest, FirstSampleReplacesTheInitialRttAndIgnoresTheDelay) {
  RttEstimator estimator(Ms(500));

  estimator.OnMeasurement({.rtt = Ms(60), .ack_delay = Ms(20)});

  EXPECT_TRUE(estimator.has_sample());
  EXPECT_EQ(estimator.latest_rtt(), Ms(60));
  EXPECT_EQ(estimator.min_rtt(), Ms(60));
  EXPECT_EQ(estimator.smoothed_rtt(), Ms(60));
  EXPECT_EQ(estimator.rttvar(), Ms(30));
}

TEST(RttEstimatorTest, LaterSamplesMoveAnEighthAndAQuarter) {
  RttEstimator estimator = EstimatorAfter(Ms(80));

  estimator.OnMeasurement({.rtt = Ms(160)});

  EXPECT_EQ(estimator.smoothed_rtt(), Ms(90));  // 80 * 7/8 + 160 / 8
  EXPECT_EQ(estimator.rttvar(), Ms(50));        // 40 * 3/4 + |80 - 160| / 4
  EXPECT_EQ(estimator.latest_rtt(), Ms(160));
  EXPECT_EQ(estimator.min_rtt(), Ms(80));
}

TEST(RttEstimatorTest, ReportedDelayIsSubtracted) {
  RttEstimator estimator = EstimatorAfter(Ms(80));

  estimator.OnMeasurement({.rtt = Ms(100), .ack_delay = Ms(12)});

  EXPECT_EQ(estimator.smoothed_rtt(), Ms(81));  // 80 * 7/8 + 88 / 8
  EXPECT_EQ(estimator.latest_rtt(), Ms(100));
}

TEST(RttEstimatorTest, DelayThatReachesMinRttIsStillSubtracted) {
  RttEstimator estimator = EstimatorAfter(Ms(80));

  estimator.OnMeasurement({.rtt = Ms(100), .ack_delay = Ms(20)});

  EXPECT_EQ(estimator.smoothed_rtt(), Ms(80));
}

TEST(RttEstimatorTest, DelayThatWouldUndercutMinRttIsNotBelieved) {
  RttEstimator estimator = EstimatorAfter(Ms(80));

  estimator.OnMeasurement({.rtt = Ms(88), .ack_delay = Ms(9)});

  EXPECT_EQ(estimator.smoothed_rtt(), Ms(81));  // 80 * 7/8 + 88 / 8
}

TEST(RttEstimatorTest, MaxAckDelayCapsTheDelayOnceTheHandshakeIsConfirmed) {
  RttEstimator before = EstimatorAfter(Ms(80));
  RttEstimator after = EstimatorAfter(Ms(80));

  before.OnMeasurement({.rtt = Ms(160), .ack_delay = Ms(64)});
  after.OnMeasurement({.rtt = Ms(160), .ack_delay = Ms(64), .max_ack_delay = Ms(16)});

  EXPECT_EQ(before.smoothed_rtt(), Ms(82));  // 80 * 7/8 + 96 / 8
  EXPECT_EQ(after.smoothed_rtt(), Ms(88));   // 80 * 7/8 + 144 / 8
}

TEST(RttEstimatorTest, MinRttIgnoresTheDelay) {
  RttEstimator estimator = EstimatorAfter(Ms(80));

  estimator.OnMeasurement({.rtt = Ms(70), .ack_delay = Ms(30)});

  EXPECT_EQ(estimator.min_rtt(), Ms(70));
}

TEST(RttEstimatorTest, PersistentCongestionRefreshesMinRttAlone) {
  RttEstimator estimator = EstimatorAfter(Ms(80));
  estimator.OnMeasurement({.rtt = Ms(240)});
  const Duration smoothed_rtt = estimator.smoothed_rtt();

  estimator.OnPersistentCongestion();

  EXPECT_EQ(estimator.min_rtt(), Ms(240));
  EXPECT_EQ(estimator.smoothed_rtt(), smoothed_rtt);
  estimator.CheckInvariants();
}

TEST(RttEstimatorTest, PtoIsSmoothedPlusFourDeviationsPlusTheDelay) {
  const RttEstimator estimator = EstimatorAfter(Ms(80));

  EXPECT_EQ(estimator.PtoBase(Ms(25)), Ms(80 + 4 * 40 + 25));
}

TEST(RttEstimatorTest, PtoLeavesAtLeastTheTimerGranularity) {
  RttEstimator estimator = EstimatorAfter(Us(100));
  for (int i = 0; i < 100; ++i) estimator.OnMeasurement({.rtt = Us(100)});

  EXPECT_EQ(estimator.PtoBase(Duration::Zero()), Us(1'100));
}

TEST(RttEstimatorTest, ClocksThatStandStillOrJumpGivePlausibleValues) {
  RttEstimator estimator = EstimatorAfter(Duration::Zero());
  EXPECT_TRUE(estimator.has_sample());
  estimator.CheckInvariants();

  estimator.OnMeasurement({.rtt = Ms(-5), .ack_delay = Duration::Infinite()});
  estimator.CheckInvariants();
  estimator.OnMeasurement({.rtt = Duration::Infinite(), .ack_delay = -Duration::Infinite()});
  estimator.CheckInvariants();

  EXPECT_EQ(estimator.latest_rtt(), kMaxRtt);
}

TEST(RttEstimatorTest, SmoothedRttStaysBetweenTheLeastAndTheGreatestSample) {
  SeededRandom random(9002);
  RttEstimator estimator;
  Duration greatest;
  for (int i = 0; i < 20'000; ++i) {
    RttMeasurement measurement{.rtt = Us(static_cast<int64_t>(1 + random.UniformBelow(500'000))),
                               .ack_delay = Us(static_cast<int64_t>(random.UniformBelow(400'000)))};
    if (random.UniformBelow(2) == 0) measurement.max_ack_delay = Ms(25);
    greatest = std::max(greatest, measurement.rtt);

    estimator.OnMeasurement(measurement);

    estimator.CheckInvariants();
    ASSERT_GE(estimator.smoothed_rtt(), estimator.min_rtt());
    ASSERT_LE(estimator.smoothed_rtt(), greatest);
    ASSERT_LE(estimator.rttvar(), greatest);
  }
}

}  // namespace
}  // namespace godwit
