// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/probability.h"

#include <gtest/gtest.h>

#include "base/seeded_random.h"

namespace godwit {
namespace {

TEST(ProbabilityTest, NeverAndAlwaysTakeNothingFromTheDice) {
  SeededRandom dice(1);
  SeededRandom untouched(1);

  EXPECT_FALSE(Probability().Happens(dice));
  EXPECT_TRUE(Probability::Percent(100).Happens(dice));

  EXPECT_EQ(dice.NextUint64(), untouched.NextUint64());
}

TEST(ProbabilityTest, HappensAsOftenAsItSays) {
  SeededRandom dice(1);
  const Probability one_in_a_thousand = Probability::PerBillion(1'000'000);

  int count = 0;
  for (int i = 0; i < 1'000'000; ++i) count += one_in_a_thousand.Happens(dice) ? 1 : 0;

  EXPECT_NEAR(count, 1'000, 130);  // Four standard deviations.
}

TEST(ProbabilityTest, MoreThanOneIsOne) {
  EXPECT_EQ(Probability::PerBillion(Probability::kOne + 1), Probability::Percent(100));
  EXPECT_EQ(Probability::Percent(101), Probability::Percent(100));
}

}  // namespace
}  // namespace godwit
