// SPDX-License-Identifier: Apache-2.0
#include "congestion/cubic_curve.h"

#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr uint64_t kSegment = 1'452;

Duration Seconds(double seconds) {
  return Duration::Nanoseconds(static_cast<int64_t>(seconds * 1e9));
}

CubicCurve Curve(uint64_t plateau_segments, uint64_t start_segments) {
  return CubicCurve({.plateau_bytes = plateau_segments * kSegment,
                     .start_bytes = start_segments * kSegment,
                     .max_datagram_bytes = kSegment});
}

// RFC 9438 §4.2, in segments and seconds.
double WindowOfRfc(double t, double w_max, double cwnd_epoch) {
  const double k = std::cbrt((w_max - cwnd_epoch) / 0.4);
  return 0.4 * std::pow(t - k, 3) + w_max;
}

TEST(CubicCurveTest, PlateauTimeIsTheCubeRootOfTheClimb) {
  EXPECT_NEAR(Curve(100, 60).plateau_time().ToSecondsDouble(), std::cbrt(40 / 0.4), 1e-5);
  EXPECT_NEAR(Curve(1'000, 700).plateau_time().ToSecondsDouble(), std::cbrt(300 / 0.4), 1e-5);
  EXPECT_NEAR(Curve(100'000, 70'000).plateau_time().ToSecondsDouble(), std::cbrt(3e4 / 0.4), 1e-4);
}

TEST(CubicCurveTest, StartsAtTheStartAndIsFlatAtThePlateau) {
  const CubicCurve curve = Curve(1'000, 700);

  EXPECT_NEAR(static_cast<double>(curve.BytesAt(Duration::Zero())), 700.0 * kSegment, 20.0);
  EXPECT_EQ(curve.BytesAt(curve.plateau_time()), 1'000 * kSegment);
  EXPECT_NEAR(static_cast<double>(curve.BytesAt(curve.plateau_time() + Seconds(1))),
              1'000.4 * kSegment, 2.0);
}

TEST(CubicCurveTest, WindowFollowsTheFormulaOfTheRfc) {
  for (const uint64_t w_max : {10u, 350u, 1'000u, 20'000u, 700'000u}) {
    const uint64_t start = w_max * 7 / 10;
    const CubicCurve curve = Curve(w_max, start);
    for (double t = 0; t < 300; t += 0.37) {
      const double exact = WindowOfRfc(t, static_cast<double>(w_max), static_cast<double>(start));
      const double ours = static_cast<double>(curve.BytesAt(Seconds(t))) / kSegment;
      ASSERT_NEAR(ours, exact, exact * 1e-4 + 0.01) << "W_max " << w_max << " t " << t;
    }
  }
}

TEST(CubicCurveTest, PlateauBelowTheStartMeansFlatAtTheStart) {
  const CubicCurve curve = Curve(50, 60);

  EXPECT_TRUE(curve.plateau_time().is_zero());
  EXPECT_EQ(curve.BytesAt(Duration::Zero()), 60 * kSegment);
}

TEST(CubicCurveTest, NeverFallsAndNeverOverflows) {
  SeededRandom random(9438);
  for (int i = 0; i < 2'000; ++i) {
    const uint64_t plateau = random.NextUint64() >> (24 + random.UniformBelow(30));
    const CubicCurve curve({.plateau_bytes = plateau,
                            .start_bytes = random.UniformBelow(plateau + 1),
                            .max_datagram_bytes = 1'200 + random.UniformBelow(64'000)});
    ASSERT_GE(curve.plateau_time(), Duration::Zero());
    uint64_t before = 0;
    Duration t = Duration::Zero();
    while (!t.is_infinite()) {
      const uint64_t bytes = curve.BytesAt(t);
      ASSERT_GE(bytes, before);
      ASSERT_LE(bytes, uint64_t{1} << 50);
      before = bytes;
      t = t * 2 + Duration::Nanoseconds(static_cast<int64_t>(random.UniformBelow(1'000'000)));
    }
    ASSERT_GE(curve.BytesAt(Duration::Infinite()), before);
    ASSERT_LE(curve.BytesAt(-Duration::Infinite()), plateau);
  }
}

}  // namespace
}  // namespace godwit
