// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <csignal>
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace godwit {
namespace {

enum class Color : uint8_t { kRed = 3, kBlue = 7 };

// Usable in constant expressions as long as it holds.
constexpr int Half(int even) {
  GODWIT_CHECK_EQ(even % 2, 0);
  GODWIT_CHECK(even >= 0);
  return even / 2;
}
static_assert(Half(8) == 4);

TEST(CheckTest, FailureNamesFileLineAndCondition) {
  const int legs = 4;

  EXPECT_DEATH(GODWIT_CHECK(legs == 2),
               "tests/base/check_test\\.cc:[0-9]+: GODWIT_CHECK failed: legs == 2\n");
}

// abort, not exit: destructors of a broken program must not run, and a core dump is wanted.
TEST(CheckTest, FailureRaisesSigabrt) {
  EXPECT_EXIT(GODWIT_CHECK(false), testing::KilledBySignal(SIGABRT), "GODWIT_CHECK failed");
  EXPECT_EXIT(GODWIT_CHECK_EQ(1, 2), testing::KilledBySignal(SIGABRT), "GODWIT_CHECK_EQ failed");
  EXPECT_EXIT(GODWIT_UNREACHABLE(), testing::KilledBySignal(SIGABRT), "GODWIT_UNREACHABLE");
}

TEST(CheckTest, ConditionThatHoldsDoesNothing) {
  GODWIT_CHECK(true);
  GODWIT_CHECK_EQ(1, 1);
  GODWIT_CHECK_NE(1, 2);
  GODWIT_CHECK_LT(1, 2);
  GODWIT_CHECK_LE(2, 2);
  GODWIT_CHECK_GT(2, 1);
  GODWIT_CHECK_GE(2, 2);
}

TEST(CheckTest, EachComparisonFailsWhereItsOperatorIsFalse) {
  EXPECT_DEATH(GODWIT_CHECK_EQ(1, 2), "GODWIT_CHECK_EQ failed: 1 == 2 \\(1 vs 2\\)");
  EXPECT_DEATH(GODWIT_CHECK_NE(2, 2), "GODWIT_CHECK_NE failed: 2 != 2 \\(2 vs 2\\)");
  EXPECT_DEATH(GODWIT_CHECK_LT(2, 2), "GODWIT_CHECK_LT failed: 2 < 2 \\(2 vs 2\\)");
  EXPECT_DEATH(GODWIT_CHECK_LE(3, 2), "GODWIT_CHECK_LE failed: 3 <= 2 \\(3 vs 2\\)");
  EXPECT_DEATH(GODWIT_CHECK_GT(2, 2), "GODWIT_CHECK_GT failed: 2 > 2 \\(2 vs 2\\)");
  EXPECT_DEATH(GODWIT_CHECK_GE(1, 2), "GODWIT_CHECK_GE failed: 1 >= 2 \\(1 vs 2\\)");
}

TEST(CheckTest, OperandsPrintInFullWidthWithSign) {
  const int64_t least = std::numeric_limits<int64_t>::min();
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  const int8_t small = -5;

  EXPECT_DEATH(GODWIT_CHECK_EQ(least, most), "\\(-9223372036854775808 vs 18446744073709551615\\)");
  EXPECT_DEATH(GODWIT_CHECK_EQ(small, true), "\\(-5 vs 1\\)");
}

TEST(CheckTest, EnumeratorsPrintAsNumbers) {
  EXPECT_DEATH(GODWIT_CHECK_EQ(Color::kRed, Color::kBlue),
               "failed: Color::kRed == Color::kBlue \\(3 vs 7\\)");
}

TEST(CheckTest, OtherTypesCompareButDoNotPrint) {
  const int legs = 4;
  const int* const none = nullptr;

  GODWIT_CHECK_NE(&legs, none);
  EXPECT_DEATH(GODWIT_CHECK_EQ(&legs, none), "failed: &legs == none \\(\\? vs \\?\\)");
}

TEST(CheckTest, NegativeIsBelowUnsigned) {
  const int negative = -1;
  const uint64_t large = 1;

  GODWIT_CHECK_LT(negative, large);
  GODWIT_CHECK_LE(negative, large);
  GODWIT_CHECK_GT(large, negative);
  GODWIT_CHECK_GE(large, negative);
  GODWIT_CHECK_NE(negative, std::numeric_limits<uint64_t>::max());
}

TEST(CheckTest, ArgumentsAreEvaluatedOnce) {
  int evaluations = 0;

  GODWIT_CHECK(++evaluations == 1);
  GODWIT_CHECK_EQ(++evaluations, 2);
  GODWIT_CHECK_LT(2, ++evaluations);

  EXPECT_EQ(evaluations, 3);
}

TEST(CheckTest, UnreachableSaysWhere) {
  EXPECT_DEATH(GODWIT_UNREACHABLE(), "tests/base/check_test\\.cc:[0-9]+: GODWIT_UNREACHABLE");
}

}  // namespace
}  // namespace godwit
