// SPDX-License-Identifier: Apache-2.0
#include "godwit/time.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "gtest/gtest.h"

#include "godwit/ratio.h"

namespace godwit {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

constexpr Duration kInfinite = Duration::Infinite();
constexpr Duration kLongest = Duration::Nanoseconds(kMax - 1);

// Both infinities, the finite values beside them, and what overflows on the way.
constexpr std::array<int64_t, 17> kEdges = {
    kMin, kMin + 1, kMin + 2,    kMin / 2, -3'000'000'000, -1'001,       -7,       -1,  0,
    1,    7,        999'999'999, kMax / 2, kMax / 3,       kMax / 2 + 1, kMax - 1, kMax};

constexpr bool IsInfinite(int64_t ns) { return ns == kMin || ns == kMax; }

// The finite result that is written with more bits, brought back into range.
int64_t Saturated(__int128 exact) {
  return static_cast<int64_t>(std::clamp<__int128>(exact, kMin, kMax));
}

template <typename A, typename B>
concept Multiplicable = requires(A a, B b) {
  a* b;
};

static_assert(sizeof(Duration) == 8 && std::is_trivially_copyable_v<Duration>);
static_assert(sizeof(Timestamp) == 8 && std::is_trivially_copyable_v<Timestamp>);
static_assert(Multiplicable<Duration, int> && Multiplicable<int, Duration>);
static_assert(!Multiplicable<Duration, double> && !Multiplicable<float, Duration>);
static_assert(!std::is_convertible_v<int64_t, Duration>);
static_assert(!std::is_convertible_v<int64_t, Timestamp>);
static_assert(Duration::Seconds(1) + Duration::Milliseconds(-1) == Duration::Microseconds(999'000));

TEST(DurationTest, UnitsAreNanosecondsTimesTheirSize) {
  EXPECT_EQ(Duration::Nanoseconds(7).ToNanoseconds(), 7);
  EXPECT_EQ(Duration::Microseconds(7).ToNanoseconds(), 7'000);
  EXPECT_EQ(Duration::Milliseconds(-7).ToNanoseconds(), -7'000'000);
  EXPECT_EQ(Duration::Seconds(7).ToNanoseconds(), 7'000'000'000);
  EXPECT_EQ(Duration(), Duration::Zero());
  EXPECT_TRUE(Duration().is_zero());
  EXPECT_FALSE(Duration::Nanoseconds(-1).is_zero());
}

TEST(DurationTest, CountsThatDoNotFitAreInfinite) {
  EXPECT_EQ(Duration::Seconds(9'223'372'036).ToNanoseconds(), 9'223'372'036'000'000'000);
  EXPECT_EQ(Duration::Seconds(9'223'372'037), kInfinite);
  EXPECT_EQ(Duration::Seconds(-9'223'372'037), -kInfinite);
  EXPECT_EQ(Duration::Milliseconds(kMax), kInfinite);
  EXPECT_EQ(Duration::Milliseconds(kMin), -kInfinite);
  EXPECT_EQ(Duration::Microseconds(kMin), -kInfinite);
  EXPECT_EQ(Duration::Nanoseconds(kMax), kInfinite);
  EXPECT_EQ(Duration::Nanoseconds(kMin), -kInfinite);
}

TEST(DurationTest, ConversionsToWholeUnitsCutOffTowardsZero) {
  const Duration d = Duration::Nanoseconds(1'999'999);

  EXPECT_EQ(d.ToMicroseconds(), 1'999);
  EXPECT_EQ(d.ToMilliseconds(), 1);
  EXPECT_EQ((-d).ToMicroseconds(), -1'999);
  EXPECT_EQ((-d).ToMilliseconds(), -1);
  EXPECT_DOUBLE_EQ(d.ToSecondsDouble(), 0.001999999);
}

TEST(DurationTest, InfinityConvertsToTheEndsOfTheRange) {
  EXPECT_EQ(kInfinite.ToMicroseconds(), kMax);
  EXPECT_EQ(kInfinite.ToMilliseconds(), kMax);
  EXPECT_EQ((-kInfinite).ToMilliseconds(), kMin);
  EXPECT_EQ(kInfinite.ToSecondsDouble(), std::numeric_limits<double>::infinity());
  EXPECT_EQ((-kInfinite).ToSecondsDouble(), -std::numeric_limits<double>::infinity());
  EXPECT_LT(kLongest.ToMilliseconds(), kMax);
}

TEST(DurationTest, OnlyTheEndsOfTheRangeAreInfinite) {
  EXPECT_TRUE(kInfinite.is_infinite());
  EXPECT_TRUE((-kInfinite).is_infinite());
  EXPECT_FALSE(kLongest.is_infinite());
  EXPECT_FALSE((-kLongest).is_infinite());
  EXPECT_FALSE(Duration::Zero().is_infinite());
}

TEST(DurationTest, NegationSwapsTheInfinitiesAndSaturates) {
  EXPECT_EQ((-kInfinite).ToNanoseconds(), kMin);
  EXPECT_EQ(-(-kInfinite), kInfinite);
  EXPECT_EQ(-Duration::Nanoseconds(5), Duration::Nanoseconds(-5));
  EXPECT_EQ(-kLongest, Duration::Nanoseconds(-(kMax - 1)));
  EXPECT_EQ(-Duration::Nanoseconds(kMin + 1), kInfinite);
}

TEST(DurationTest, SumsAndDifferencesSaturateAndKeepInfinity) {
  for (const int64_t a : kEdges) {
    for (const int64_t b : kEdges) {
      const int64_t sum = (Duration::Nanoseconds(a) + Duration::Nanoseconds(b)).ToNanoseconds();
      const int64_t difference =
          (Duration::Nanoseconds(a) - Duration::Nanoseconds(b)).ToNanoseconds();

      if (IsInfinite(a)) {
        EXPECT_EQ(sum, a) << a << " " << b;
        EXPECT_EQ(difference, a) << a << " " << b;
      } else if (IsInfinite(b)) {
        EXPECT_EQ(sum, b) << a << " " << b;
        EXPECT_EQ(difference, b == kMax ? kMin : kMax) << a << " " << b;
      } else {
        EXPECT_EQ(sum, Saturated(static_cast<__int128>(a) + b)) << a << " " << b;
        EXPECT_EQ(difference, Saturated(static_cast<__int128>(a) - b)) << a << " " << b;
      }
    }
  }
}

TEST(DurationTest, ProductsAndQuotientsSaturateAndKeepInfinity) {
  for (const int64_t a : kEdges) {
    for (const int64_t b : kEdges) {
      const int64_t product = (Duration::Nanoseconds(a) * b).ToNanoseconds();
      const int64_t quotient = (Duration::Nanoseconds(a) / b).ToNanoseconds();
      const int64_t infinity = (a < 0) != (b < 0) ? kMin : kMax;

      EXPECT_EQ(product, IsInfinite(a) ? infinity : Saturated(static_cast<__int128>(a) * b))
          << a << " " << b;
      EXPECT_EQ(quotient,
                IsInfinite(a) || b == 0 ? infinity : Saturated(static_cast<__int128>(a) / b))
          << a << " " << b;
      EXPECT_EQ(b * Duration::Nanoseconds(a), Duration::Nanoseconds(a) * b);
    }
  }
}

TEST(DurationTest, ScalingByARatioIsExactAndSaturates) {
  for (const int64_t a : kEdges) {
    for (const int64_t numerator : kEdges) {
      for (const int64_t denominator : kEdges) {
        const Ratio ratio{.numerator = numerator, .denominator = denominator};
        const int64_t scaled = (Duration::Nanoseconds(a) * ratio).ToNanoseconds();

        const bool negative = ((a < 0) != (numerator < 0)) != (denominator < 0);
        const int64_t expected =
            IsInfinite(a) || denominator == 0
                ? (negative ? kMin : kMax)
                : Saturated(static_cast<__int128>(a) * numerator / denominator);
        EXPECT_EQ(scaled, expected) << a << " * " << numerator << " / " << denominator;
      }
    }
  }
}

TEST(DurationTest, QuotientOfDurationsIsNeverNan) {
  constexpr double kInfiniteRatio = std::numeric_limits<double>::infinity();
  for (const int64_t a : kEdges) {
    for (const int64_t b : kEdges) {
      const double ratio = Duration::Nanoseconds(a) / Duration::Nanoseconds(b);

      if (IsInfinite(a) || b == 0) {
        EXPECT_EQ(ratio, (a < 0) != (b < 0) ? -kInfiniteRatio : kInfiniteRatio) << a << " " << b;
      } else if (IsInfinite(b)) {
        EXPECT_EQ(ratio, 0.0) << a << " " << b;
      } else {
        EXPECT_DOUBLE_EQ(ratio, static_cast<double>(a) / static_cast<double>(b)) << a << " " << b;
      }
    }
  }
}

TEST(DurationTest, CompoundAssignmentSaturatesToo) {
  Duration d = kLongest;

  d += Duration::Nanoseconds(1);
  EXPECT_EQ(d, kInfinite);

  d -= Duration::Seconds(1);
  EXPECT_EQ(d, kInfinite);

  d = Duration::Seconds(3);
  d -= Duration::Seconds(1);
  EXPECT_EQ(d, Duration::Seconds(2));
}

TEST(DurationTest, OrderIsByLength) {
  EXPECT_LT(-kInfinite, -kLongest);
  EXPECT_LT(Duration::Nanoseconds(-1), Duration::Zero());
  EXPECT_LT(kLongest, kInfinite);
  EXPECT_EQ(std::min(Duration::Seconds(1), kInfinite), Duration::Seconds(1));
  EXPECT_EQ(std::max(Duration::Seconds(1), -kInfinite), Duration::Seconds(1));
}

TEST(TimestampTest, EpochIsZero) {
  EXPECT_EQ(Timestamp(), Timestamp::Zero());
  EXPECT_EQ(Timestamp::Zero().ToNanoseconds(), 0);
  EXPECT_EQ(Timestamp::FromNanoseconds(-3).ToNanoseconds(), -3);
}

TEST(TimestampTest, InfiniteIsAfterAndInfinitePastBeforeAllOthers) {
  const Timestamp last = Timestamp::FromNanoseconds(kMax - 1);
  const Timestamp first = Timestamp::FromNanoseconds(kMin + 1);

  EXPECT_LT(last, Timestamp::Infinite());
  EXPECT_GT(first, Timestamp::InfinitePast());
  EXPECT_TRUE(Timestamp::Infinite().is_infinite());
  EXPECT_TRUE(Timestamp::InfinitePast().is_infinite());
  EXPECT_FALSE(last.is_infinite());
  EXPECT_FALSE(first.is_infinite());
  EXPECT_FALSE(Timestamp::Zero().is_infinite());
}

TEST(TimestampTest, ArithmeticAgreesWithThatOfDurations) {
  for (const int64_t a : kEdges) {
    for (const int64_t b : kEdges) {
      const Timestamp t = Timestamp::FromNanoseconds(a);
      const Duration d = Duration::Nanoseconds(b);
      Timestamp advanced = t;
      advanced += d;
      Timestamp receded = t;
      receded -= d;

      EXPECT_EQ((t + d).ToNanoseconds(), (Duration::Nanoseconds(a) + d).ToNanoseconds());
      EXPECT_EQ((t - d).ToNanoseconds(), (Duration::Nanoseconds(a) - d).ToNanoseconds());
      EXPECT_EQ(t - Timestamp::FromNanoseconds(b), Duration::Nanoseconds(a) - d);
      EXPECT_EQ(advanced, t + d);
      EXPECT_EQ(receded, t - d);
    }
  }
}

TEST(TimestampTest, NeverStaysNever) {
  EXPECT_EQ(Timestamp::Infinite() - Duration::Seconds(1), Timestamp::Infinite());
  EXPECT_EQ(Timestamp::Zero() + Duration::Infinite(), Timestamp::Infinite());
  EXPECT_EQ(Timestamp::Infinite() - Timestamp::Zero(), Duration::Infinite());
  EXPECT_EQ(Timestamp::Infinite() - Timestamp::Infinite(), Duration::Infinite());
  EXPECT_EQ(Timestamp::FromNanoseconds(kMax - 1) + Duration::Seconds(1), Timestamp::Infinite());
}

}  // namespace
}  // namespace godwit
