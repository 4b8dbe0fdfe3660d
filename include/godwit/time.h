// SPDX-License-Identifier: Apache-2.0
//
// Duration and Timestamp: time as 64-bit nanoseconds, cheap enough for every packet.
// There is no clock here and no way to read one: the caller hands time in, from any
// monotonic source, and alone knows the epoch. absl_time.h converts from abseil's time.
//
// Invariants:
//  1. The two ends of the int64 range are infinities, everything between is finite.
//  2. Arithmetic never overflows: what leaves the finite range becomes the infinity of
//     its sign.
//  3. Infinity is sticky: an infinite left operand is the result of + and -, then an
//     infinite right one is (so Infinite() - Infinite() is Infinite()).
#ifndef GODWIT_INCLUDE_TIME_H_
#define GODWIT_INCLUDE_TIME_H_

#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>

#include "godwit/ratio.h"

namespace godwit {

// Arithmetic on nanoseconds with the invariants above; not for use outside of godwit's
// public headers.
namespace internal_time {

inline constexpr int64_t kInfinite = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kMinusInfinite = std::numeric_limits<int64_t>::min();

constexpr bool IsInfinite(int64_t ns) { return ns == kInfinite || ns == kMinusInfinite; }

constexpr int64_t InfinityOfSign(bool negative) { return negative ? kMinusInfinite : kInfinite; }

constexpr int64_t Negate(int64_t ns) {
  if (IsInfinite(ns)) [[unlikely]] {
    return InfinityOfSign(ns > 0);
  }
  return -ns;
}

constexpr int64_t Add(int64_t a, int64_t b) {
  if (IsInfinite(a)) [[unlikely]] {
    return a;
  }
  if (IsInfinite(b)) [[unlikely]] {
    return b;
  }
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) [[unlikely]] {
    return InfinityOfSign(a < 0);
  }
  return sum;
}

constexpr int64_t Subtract(int64_t a, int64_t b) {
  if (IsInfinite(a)) [[unlikely]] {
    return a;
  }
  if (IsInfinite(b)) [[unlikely]] {
    return InfinityOfSign(b > 0);
  }
  int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) [[unlikely]] {
    return InfinityOfSign(a < 0);
  }
  return difference;
}

constexpr int64_t Multiply(int64_t ns, int64_t factor) {
  int64_t product = 0;
  const bool overflow = __builtin_mul_overflow(ns, factor, &product);
  if (overflow || IsInfinite(ns)) [[unlikely]] {
    return InfinityOfSign((ns < 0) != (factor < 0));
  }
  return product;
}

constexpr int64_t Divide(int64_t ns, int64_t divisor) {
  if (divisor == 0 || IsInfinite(ns)) [[unlikely]] {
    return InfinityOfSign((ns < 0) != (divisor < 0));
  }
  return ns / divisor;
}

constexpr int64_t Scale(int64_t ns, Ratio ratio) {
  if (ratio.denominator == 0 || IsInfinite(ns)) [[unlikely]] {
    return InfinityOfSign(((ns < 0) != (ratio.numerator < 0)) != (ratio.denominator < 0));
  }
  int64_t product = 0;
  const bool overflow = __builtin_mul_overflow(ns, ratio.numerator, &product);
  if (!overflow && ratio.denominator > 0) [[likely]] {
    return product / ratio.denominator;
  }
  const __int128 quotient = static_cast<__int128>(ns) * ratio.numerator / ratio.denominator;
  if (quotient > kInfinite || quotient < kMinusInfinite) {
    return InfinityOfSign(quotient < 0);
  }
  return static_cast<int64_t>(quotient);
}

}  // namespace internal_time

// A signed span of time, in nanoseconds: about 292 years either way, or infinite.
// A value: safe to copy between threads, not synchronised. No operation fails or allocates.
class Duration {
 public:
  constexpr Duration() = default;  // Zero().

  // Counts that leave the finite range give an infinity. The smallest and the largest
  // int64 nanosecond counts are the infinities themselves.
  [[nodiscard]] static constexpr Duration Nanoseconds(int64_t count) { return Duration(count); }
  [[nodiscard]] static constexpr Duration Microseconds(int64_t count) {
    return Duration(internal_time::Multiply(1'000, count));
  }
  [[nodiscard]] static constexpr Duration Milliseconds(int64_t count) {
    return Duration(internal_time::Multiply(1'000'000, count));
  }
  [[nodiscard]] static constexpr Duration Seconds(int64_t count) {
    return Duration(internal_time::Multiply(1'000'000'000, count));
  }
  [[nodiscard]] static constexpr Duration Zero() { return Duration(); }
  // Longer than any other. -Infinite() is shorter than any other.
  [[nodiscard]] static constexpr Duration Infinite() { return Duration(internal_time::kInfinite); }

  // Whole units, cut off towards zero. The infinities give the ends of the int64 range
  // (in ToSecondsDouble(), those of double).
  [[nodiscard]] constexpr int64_t ToNanoseconds() const { return ns_; }
  [[nodiscard]] constexpr int64_t ToMicroseconds() const { return WholeUnits(1'000); }
  [[nodiscard]] constexpr int64_t ToMilliseconds() const { return WholeUnits(1'000'000); }
  [[nodiscard]] constexpr double ToSecondsDouble() const { return *this / Seconds(1); }

  [[nodiscard]] constexpr bool is_zero() const { return ns_ == 0; }
  // True of both infinities.
  [[nodiscard]] constexpr bool is_infinite() const { return internal_time::IsInfinite(ns_); }

  constexpr Duration operator-() const { return Duration(internal_time::Negate(ns_)); }
  constexpr Duration& operator+=(Duration other) { return *this = *this + other; }
  constexpr Duration& operator-=(Duration other) { return *this = *this - other; }

  friend constexpr Duration operator+(Duration a, Duration b) {
    return Duration(internal_time::Add(a.ns_, b.ns_));
  }
  friend constexpr Duration operator-(Duration a, Duration b) {
    return Duration(internal_time::Subtract(a.ns_, b.ns_));
  }
  // An infinite duration stays infinite and takes the sign of the product (0 counts as
  // positive). Use a Ratio for fractions: floating-point factors do not compile.
  friend constexpr Duration operator*(Duration a, int64_t factor) {
    return Duration(internal_time::Multiply(a.ns_, factor));
  }
  friend constexpr Duration operator*(int64_t factor, Duration a) { return a * factor; }
  // Cuts off towards zero. Division by 0 gives the infinity of the duration's sign.
  friend constexpr Duration operator/(Duration a, int64_t divisor) {
    return Duration(internal_time::Divide(a.ns_, divisor));
  }
  // Exact product, then cut off towards zero: no intermediate result overflows.
  friend constexpr Duration operator*(Duration a, Ratio ratio) {
    return Duration(internal_time::Scale(a.ns_, ratio));
  }
  // How often `b` goes into `a`. Never NaN: an infinite `a` or a zero `b` gives an
  // infinity of the sign that both together have, a finite `a` in an infinite `b` gives 0.
  friend constexpr double operator/(Duration a, Duration b) {
    if (a.is_infinite() || b.is_zero()) [[unlikely]] {
      constexpr double kInfiniteRatio = std::numeric_limits<double>::infinity();
      return (a.ns_ < 0) != (b.ns_ < 0) ? -kInfiniteRatio : kInfiniteRatio;
    }
    if (b.is_infinite()) [[unlikely]] {
      return 0.0;
    }
    return static_cast<double>(a.ns_) / static_cast<double>(b.ns_);
  }
  template <std::floating_point T>
  friend constexpr Duration operator*(Duration, T) = delete;
  template <std::floating_point T>
  friend constexpr Duration operator*(T, Duration) = delete;
  template <std::floating_point T>
  friend constexpr Duration operator/(Duration, T) = delete;

  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr bool operator==(Duration, Duration) = default;

 private:
  explicit constexpr Duration(int64_t ns) : ns_(ns) {}

  [[nodiscard]] constexpr int64_t WholeUnits(int64_t unit_ns) const {
    return is_infinite() ? ns_ : ns_ / unit_ns;
  }

  int64_t ns_ = 0;
};

// A point in time: nanoseconds since an epoch that only the caller knows. Timestamps of
// different epochs must not meet. A value: safe to copy between threads, not synchronised.
class Timestamp {
 public:
  constexpr Timestamp() = default;  // Zero().

  [[nodiscard]] static constexpr Timestamp FromNanoseconds(int64_t since_epoch) {
    return Timestamp(since_epoch);
  }
  // The caller's epoch itself.
  [[nodiscard]] static constexpr Timestamp Zero() { return Timestamp(); }
  // Later than any other: as a deadline it means "never".
  [[nodiscard]] static constexpr Timestamp Infinite() {
    return Timestamp(internal_time::kInfinite);
  }
  // Earlier than any other: as a deadline it means "at once".
  [[nodiscard]] static constexpr Timestamp InfinitePast() {
    return Timestamp(internal_time::kMinusInfinite);
  }

  // The infinities give the ends of the int64 range.
  [[nodiscard]] constexpr int64_t ToNanoseconds() const { return ns_; }

  // True of Infinite() and InfinitePast().
  [[nodiscard]] constexpr bool is_infinite() const { return internal_time::IsInfinite(ns_); }

  constexpr Timestamp& operator+=(Duration d) { return *this = *this + d; }
  constexpr Timestamp& operator-=(Duration d) { return *this = *this - d; }

  friend constexpr Timestamp operator+(Timestamp t, Duration d) {
    return Timestamp(internal_time::Add(t.ns_, d.ToNanoseconds()));
  }
  friend constexpr Timestamp operator-(Timestamp t, Duration d) {
    return Timestamp(internal_time::Subtract(t.ns_, d.ToNanoseconds()));
  }
  friend constexpr Duration operator-(Timestamp a, Timestamp b) {
    return Duration::Nanoseconds(internal_time::Subtract(a.ns_, b.ns_));
  }

  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
  friend constexpr bool operator==(Timestamp, Timestamp) = default;

 private:
  explicit constexpr Timestamp(int64_t ns) : ns_(ns) {}

  int64_t ns_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_TIME_H_
