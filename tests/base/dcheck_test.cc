// SPDX-License-Identifier: Apache-2.0
//
// Built twice: with NDEBUG and without.
#include "gtest/gtest.h"

#include "base/check.h"

namespace godwit {
namespace {

#ifdef NDEBUG

TEST(DcheckTest, WithNdebugNothingIsEvaluated) {
  int evaluations = 0;

  GODWIT_DCHECK(++evaluations == 100);
  GODWIT_DCHECK_EQ(++evaluations, 100);
  GODWIT_DCHECK_NE(++evaluations, evaluations);
  GODWIT_DCHECK_LT(100, ++evaluations);
  GODWIT_DCHECK_LE(100, ++evaluations);
  GODWIT_DCHECK_GT(++evaluations, 100);
  GODWIT_DCHECK_GE(++evaluations, 100);

  EXPECT_EQ(evaluations, 0);
}

TEST(DcheckTest, WithNdebugCheckStays) {
  EXPECT_DEATH(GODWIT_CHECK(false), "GODWIT_CHECK failed: false");
  EXPECT_DEATH(GODWIT_CHECK_EQ(1, 2), "GODWIT_CHECK_EQ failed: 1 == 2 \\(1 vs 2\\)");
}

#else

TEST(DcheckTest, WithoutNdebugArgumentsAreEvaluatedOnce) {
  int evaluations = 0;

  GODWIT_DCHECK(++evaluations == 1);
  GODWIT_DCHECK_EQ(++evaluations, 2);

  EXPECT_EQ(evaluations, 2);
}

TEST(DcheckTest, WithoutNdebugFailureAbortsUnderItsOwnName) {
  EXPECT_DEATH(GODWIT_DCHECK(1 > 2), "dcheck_test\\.cc:[0-9]+: GODWIT_DCHECK failed: 1 > 2\n");
  EXPECT_DEATH(GODWIT_DCHECK_EQ(1, 2), "GODWIT_DCHECK_EQ failed: 1 == 2 \\(1 vs 2\\)");
  EXPECT_DEATH(GODWIT_DCHECK_NE(2, 2), "GODWIT_DCHECK_NE failed: 2 != 2 \\(2 vs 2\\)");
  EXPECT_DEATH(GODWIT_DCHECK_LT(2, 2), "GODWIT_DCHECK_LT failed: 2 < 2 \\(2 vs 2\\)");
  EXPECT_DEATH(GODWIT_DCHECK_LE(3, 2), "GODWIT_DCHECK_LE failed: 3 <= 2 \\(3 vs 2\\)");
  EXPECT_DEATH(GODWIT_DCHECK_GT(2, 2), "GODWIT_DCHECK_GT failed: 2 > 2 \\(2 vs 2\\)");
  EXPECT_DEATH(GODWIT_DCHECK_GE(1, 2), "GODWIT_DCHECK_GE failed: 1 >= 2 \\(1 vs 2\\)");
}

#endif

}  // namespace
}  // namespace godwit
