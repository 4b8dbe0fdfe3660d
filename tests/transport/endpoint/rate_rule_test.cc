// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/rate_rule.h"

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr Timestamp kStart = Timestamp::FromNanoseconds(5'000'000'000);

int AdmittedAt(const RateRule& rule, Timestamp now, Timestamp& full_at) {
  int count = 0;
  while (count < 10'000 && rule.Admit(now, full_at)) ++count;
  return count;
}

TEST(RateRuleTest, SecondsWorthMayComeAtOnce) {
  const RateRule rule(10);
  Timestamp full_at = RateRule::Full();

  EXPECT_EQ(AdmittedAt(rule, kStart, full_at), 10);
}

TEST(RateRuleTest, OneMoreIsAdmittedAfterEachInterval) {
  const RateRule rule(10);
  Timestamp full_at = RateRule::Full();
  AdmittedAt(rule, kStart, full_at);

  EXPECT_EQ(AdmittedAt(rule, kStart + Duration::Milliseconds(99), full_at), 0);
  EXPECT_EQ(AdmittedAt(rule, kStart + Duration::Milliseconds(100), full_at), 1);
  EXPECT_EQ(AdmittedAt(rule, kStart + Duration::Milliseconds(400), full_at), 3);
}

TEST(RateRuleTest, LongRestGivesNoMoreThanASecondsWorth) {
  const RateRule rule(10);
  Timestamp full_at = RateRule::Full();
  AdmittedAt(rule, kStart, full_at);

  EXPECT_EQ(AdmittedAt(rule, kStart + Duration::Seconds(3'600), full_at), 10);
}

TEST(RateRuleTest, OneASecondIsOneASecond) {
  const RateRule rule(1);
  Timestamp full_at = RateRule::Full();

  EXPECT_EQ(AdmittedAt(rule, kStart, full_at), 1);
  EXPECT_EQ(AdmittedAt(rule, kStart + Duration::Milliseconds(999), full_at), 0);
  EXPECT_EQ(AdmittedAt(rule, kStart + Duration::Seconds(1), full_at), 1);
}

TEST(RateRuleTest, ZeroAdmitsNothing) {
  const RateRule rule(0);
  Timestamp full_at = RateRule::Full();

  EXPECT_EQ(AdmittedAt(rule, kStart, full_at), 0);
}

TEST(RateRuleTest, TimeThatGoesBackAdmitsNothingExtra) {
  const RateRule rule(10);
  Timestamp full_at = RateRule::Full();
  AdmittedAt(rule, kStart, full_at);

  EXPECT_EQ(AdmittedAt(rule, kStart - Duration::Seconds(1), full_at), 0);
}

}  // namespace
}  // namespace godwit
