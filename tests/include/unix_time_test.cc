// SPDX-License-Identifier: Apache-2.0
#include "godwit/unix_time.h"

#include <cstdint>
#include <limits>
#include <type_traits>

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

static_assert(!std::is_convertible_v<int64_t, UnixTime>, "a bare number has no epoch");
static_assert(std::is_trivially_copyable_v<UnixTime>);
static_assert(sizeof(UnixTime) == 8);

TEST(UnixTimeTest, DefaultIsTheEpoch) { EXPECT_EQ(UnixTime().seconds(), 0); }

TEST(UnixTimeTest, LaterIsGreater) {
  const UnixTime earlier = UnixTime::FromSeconds(1'700'000'000);

  const UnixTime later = earlier.PlusSeconds(1);

  EXPECT_LT(earlier, later);
  EXPECT_NE(earlier, later);
  EXPECT_EQ(later.PlusSeconds(-1), earlier);
}

TEST(UnixTimeTest, DifferenceHasASign) {
  const UnixTime noon = UnixTime::FromSeconds(43'200);
  const UnixTime one = UnixTime::FromSeconds(46'800);

  EXPECT_EQ(one.SecondsSince(noon), 3'600);
  EXPECT_EQ(noon.SecondsSince(one), -3'600);
}

TEST(UnixTimeTest, ArithmeticSaturatesInsteadOfOverflowing) {
  const UnixTime first = UnixTime::FromSeconds(kMin);
  const UnixTime last = UnixTime::FromSeconds(kMax);

  EXPECT_EQ(last.PlusSeconds(1).seconds(), kMax);
  EXPECT_EQ(first.PlusSeconds(-1).seconds(), kMin);
  EXPECT_EQ(last.SecondsSince(first), kMax);
  EXPECT_EQ(first.SecondsSince(last), kMin);
}

}  // namespace
}  // namespace godwit
