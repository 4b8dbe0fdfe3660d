// SPDX-License-Identifier: Apache-2.0
#include "godwit/absl_time.h"

#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "gtest/gtest.h"

#include "godwit/time.h"

namespace godwit {
namespace {

TEST(AbslTimeTest, FiniteDurationsGoBothWaysUnchanged) {
  constexpr int64_t kLongestNs = std::numeric_limits<int64_t>::max() - 1;
  for (const int64_t ns : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{1'500'000'000},
                           int64_t{-1'500'000'000}, kLongestNs, -kLongestNs}) {
    const Duration d = Duration::Nanoseconds(ns);

    EXPECT_EQ(ToAbsl(d), absl::Nanoseconds(ns));
    EXPECT_EQ(FromAbsl(ToAbsl(d)), d);
  }
}

TEST(AbslTimeTest, InfinitiesGoBothWays) {
  EXPECT_EQ(ToAbsl(Duration::Infinite()), absl::InfiniteDuration());
  EXPECT_EQ(ToAbsl(-Duration::Infinite()), -absl::InfiniteDuration());
  EXPECT_EQ(FromAbsl(absl::InfiniteDuration()), Duration::Infinite());
  EXPECT_EQ(FromAbsl(-absl::InfiniteDuration()), -Duration::Infinite());
}

TEST(AbslTimeTest, LongerThanThreeHundredYearsIsInfinite) {
  const absl::Duration three_hundred_years = absl::Hours(24 * 365 * 300);

  EXPECT_EQ(FromAbsl(three_hundred_years), Duration::Infinite());
  EXPECT_EQ(FromAbsl(-three_hundred_years), -Duration::Infinite());
}

TEST(AbslTimeTest, PartsOfANanosecondAreCutOffTowardsZero) {
  EXPECT_EQ(FromAbsl(absl::Nanoseconds(7) / 4), Duration::Nanoseconds(1));
  EXPECT_EQ(FromAbsl(absl::Nanoseconds(-7) / 4), Duration::Nanoseconds(-1));
}

}  // namespace
}  // namespace godwit
