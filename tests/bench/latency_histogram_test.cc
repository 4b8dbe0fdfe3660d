// SPDX-License-Identifier: Apache-2.0
#include "bench/latency_histogram.h"

#include <cstdint>

#include "gtest/gtest.h"

#include "godwit/time.h"

namespace godwit {
namespace {

TEST(LatencyHistogramTest, IsAllZeroWithoutDurations) {
  const LatencyHistogram histogram;

  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), Duration::Zero());
  EXPECT_EQ(histogram.max(), Duration::Zero());
  EXPECT_EQ(histogram.mean(), Duration::Zero());
  EXPECT_EQ(histogram.Quantile(500), Duration::Zero());
  EXPECT_EQ(histogram.ToJson(), "[]");
}

TEST(LatencyHistogramTest, ShortDurationsAreExact) {
  LatencyHistogram histogram;
  for (int64_t ns = 1; ns <= 200; ++ns) histogram.Add(Duration::Nanoseconds(ns));

  EXPECT_EQ(histogram.Quantile(1), Duration::Nanoseconds(1));
  EXPECT_EQ(histogram.Quantile(500), Duration::Nanoseconds(100));
  EXPECT_EQ(histogram.Quantile(990), Duration::Nanoseconds(198));
  EXPECT_EQ(histogram.Quantile(1000), Duration::Nanoseconds(200));
}

TEST(LatencyHistogramTest, QuantilesAreWithinOnePercentAbove) {
  for (int64_t ns = 1; ns < Duration::Seconds(3'600).ToNanoseconds(); ns = ns * 21 / 20 + 1) {
    LatencyHistogram histogram;
    histogram.Add(Duration::Nanoseconds(ns));
    histogram.Add(Duration::Seconds(3'600));

    const int64_t median = histogram.Quantile(500).ToNanoseconds();

    ASSERT_GE(median, ns);
    ASSERT_LE(median - ns, ns / 100) << ns;
  }
}

TEST(LatencyHistogramTest, TailIsSeenWhereItBegins) {
  LatencyHistogram histogram;
  for (int i = 0; i < 990; ++i) histogram.Add(Duration::Microseconds(10));
  for (int i = 0; i < 10; ++i) histogram.Add(Duration::Milliseconds(5));

  EXPECT_LT(histogram.Quantile(990), Duration::Microseconds(11));
  EXPECT_EQ(histogram.Quantile(991), Duration::Milliseconds(5));
  EXPECT_EQ(histogram.min(), Duration::Microseconds(10));
  EXPECT_EQ(histogram.max(), Duration::Milliseconds(5));
  EXPECT_EQ(histogram.mean(), Duration::Nanoseconds(59'900));
}

TEST(LatencyHistogramTest, WhatIsOutOfRangeCountsAtItsEnds) {
  LatencyHistogram histogram;
  histogram.Add(Duration::Nanoseconds(-5));
  histogram.Add(Duration::Infinite());

  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.min(), Duration::Zero());
  EXPECT_EQ(histogram.max(), Duration::Seconds(3'600));
}

TEST(LatencyHistogramTest, JsonHasTheBucketsThatAreNotEmpty) {
  LatencyHistogram histogram;
  histogram.Add(Duration::Nanoseconds(255));
  histogram.Add(Duration::Nanoseconds(256));
  histogram.Add(Duration::Nanoseconds(257));
  histogram.Add(Duration::Nanoseconds(512));

  EXPECT_EQ(histogram.ToJson(), "[[255, 1], [257, 2], [515, 1]]");
}

}  // namespace
}  // namespace godwit
