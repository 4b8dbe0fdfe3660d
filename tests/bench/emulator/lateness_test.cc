// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/lateness.h"

#include <gtest/gtest.h>

namespace godwit {
namespace {

TEST(LatenessTest, PercentilesAreTheLeastThatSoManyDoNotExceed) {
  Lateness lateness;

  for (int us = 1; us <= 100; ++us) lateness.Add(Duration::Microseconds(us));

  EXPECT_EQ(lateness.Percentile(50), Duration::Microseconds(50));
  EXPECT_EQ(lateness.Percentile(99), Duration::Microseconds(99));
  EXPECT_EQ(lateness.max(), Duration::Microseconds(100));
  EXPECT_EQ(lateness.count(), 100u);
}

TEST(LatenessTest, WhatIsBeyondTheScaleIsTheMaximum) {
  Lateness lateness;

  lateness.Add(Duration::Milliseconds(11));
  lateness.Add(Duration::Seconds(2));

  EXPECT_EQ(lateness.Percentile(50), Duration::Seconds(2));
}

TEST(LatenessTest, WhatIsEarlyCountsAsInTime) {
  Lateness lateness;

  lateness.Add(-Duration::Microseconds(5));

  EXPECT_EQ(lateness.Percentile(99), Duration::Zero());
  EXPECT_EQ(lateness.max(), Duration::Zero());
}

TEST(LatenessTest, NothingIsNotLate) { EXPECT_EQ(Lateness().Percentile(99), Duration::Zero()); }

}  // namespace
}  // namespace godwit
