// SPDX-License-Identifier: Apache-2.0
//
// Bandwidth: a rate in bits per second, made only by functions that name their unit, so
// that bits and bytes cannot be mixed up. It converts between bytes, time and rate for the
// pacer, the bandwidth sampler and the statistics; it measures nothing itself.
//
// Invariants:
//  1. Never negative: negative inputs become Zero().
//  2. Never overflows: rates from 2^63 - 1 bit/s up are Infinite(), which is sticky.
//  3. Rounding never makes a sender faster: rates and byte counts round down, times up.
#ifndef GODWIT_INCLUDE_BANDWIDTH_H_
#define GODWIT_INCLUDE_BANDWIDTH_H_

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>

#include "godwit/ratio.h"
#include "godwit/time.h"

namespace godwit {

// A value: safe to copy between threads, not synchronised. No operation fails or allocates.
class Bandwidth {
 public:
  constexpr Bandwidth() = default;  // Zero().

  [[nodiscard]] static constexpr Bandwidth BitsPerSecond(int64_t count) {
    return Bandwidth(std::max<int64_t>(count, 0));
  }
  [[nodiscard]] static constexpr Bandwidth KilobitsPerSecond(int64_t count) {
    return FromUnits(count, 1'000);
  }
  [[nodiscard]] static constexpr Bandwidth MegabitsPerSecond(int64_t count) {
    return FromUnits(count, 1'000'000);
  }
  [[nodiscard]] static constexpr Bandwidth BytesPerSecond(int64_t count) {
    return FromUnits(count, 8);
  }
  // The rate that carries `bytes` in `duration`. No bytes give Zero(), whatever the
  // duration; some bytes in no (or negative) time give Infinite().
  [[nodiscard]] static constexpr Bandwidth FromBytesAndDuration(uint64_t bytes, Duration duration) {
    if (bytes == 0 || duration == Duration::Infinite()) {
      return Zero();
    }
    if (duration <= Duration::Zero()) {
      return Infinite();
    }
    const uint64_t ns = static_cast<uint64_t>(duration.ToNanoseconds());
    uint64_t scaled = 0;
    if (!__builtin_mul_overflow(bytes, kBitNanoseconds, &scaled)) [[likely]] {
      return FromWide(scaled / ns);
    }
    return FromWide(Wide{bytes} * kBitNanoseconds / ns);
  }
  [[nodiscard]] static constexpr Bandwidth Zero() { return Bandwidth(); }
  // Faster than any other: means "no limit".
  [[nodiscard]] static constexpr Bandwidth Infinite() { return Bandwidth(kInfinite); }

  // Infinite() gives the largest int64.
  [[nodiscard]] constexpr int64_t ToBitsPerSecond() const { return bits_per_second_; }
  // Rounded down. Infinite() gives the largest int64.
  [[nodiscard]] constexpr int64_t ToBytesPerSecond() const {
    return is_infinite() ? kInfinite : bits_per_second_ / 8;
  }

  [[nodiscard]] constexpr bool is_zero() const { return bits_per_second_ == 0; }
  [[nodiscard]] constexpr bool is_infinite() const { return bits_per_second_ == kInfinite; }

  // How many whole bytes this rate carries in `duration`: 0 if that is negative, the
  // largest uint64 if there is no limit (the rate is infinite, or the rate is not zero
  // and the duration is infinite) or the count does not fit.
  [[nodiscard]] constexpr uint64_t BytesIn(Duration duration) const {
    if (is_zero() || duration < Duration::Zero()) {
      return 0;
    }
    if (is_infinite() || duration.is_infinite()) {
      return kMaxBytes;
    }
    const uint64_t bits_per_second = static_cast<uint64_t>(bits_per_second_);
    const uint64_t ns = static_cast<uint64_t>(duration.ToNanoseconds());
    uint64_t scaled = 0;
    if (!__builtin_mul_overflow(bits_per_second, ns, &scaled)) [[likely]] {
      return scaled / kBitNanoseconds;
    }
    const Wide bytes = Wide{bits_per_second} * ns / kBitNanoseconds;
    return bytes > kMaxBytes ? kMaxBytes : static_cast<uint64_t>(bytes);
  }

  // How long `bytes` take at this rate, rounded up to a nanosecond. Zero() for no bytes
  // and at an infinite rate, else Infinite() at a rate of zero.
  [[nodiscard]] constexpr Duration TimeToSend(uint64_t bytes) const {
    if (bytes == 0 || is_infinite()) {
      return Duration::Zero();
    }
    if (is_zero()) {
      return Duration::Infinite();
    }
    const uint64_t bits_per_second = static_cast<uint64_t>(bits_per_second_);
    uint64_t scaled = 0;
    Wide ns = 0;
    if (!__builtin_mul_overflow(bytes, kBitNanoseconds, &scaled)) [[likely]] {
      ns = scaled / bits_per_second + (scaled % bits_per_second != 0 ? 1 : 0);
    } else {
      ns = (Wide{bytes} * kBitNanoseconds + bits_per_second - 1) / bits_per_second;
    }
    return ns < static_cast<uint64_t>(kInfinite) ? Duration::Nanoseconds(static_cast<int64_t>(ns))
                                                 : Duration::Infinite();
  }

  // Exact product, rounded down. A negative factor gives Zero(); a denominator of 0
  // gives Infinite(), as does an infinite rate times 0.
  friend constexpr Bandwidth operator*(Bandwidth rate, Ratio ratio) {
    return BitsPerSecond(internal_time::Scale(rate.bits_per_second_, ratio));
  }
  friend constexpr Bandwidth operator*(Ratio ratio, Bandwidth rate) { return rate * ratio; }
  // Rounded to double's 53 bits, then down. A negative factor and NaN give Zero(); an
  // infinite rate times 0 stays infinite.
  friend constexpr Bandwidth operator*(Bandwidth rate, double factor) {
    if (!(factor >= 0.0)) {
      return Zero();
    }
    if (rate.is_infinite()) {
      return rate;
    }
    const double product = static_cast<double>(rate.bits_per_second_) * factor;
    if (product >= 0x1p63) {
      return Infinite();
    }
    // Zero() times an infinite factor is NaN, which must not reach the conversion.
    return product > 0.0 ? Bandwidth(static_cast<int64_t>(product)) : Zero();
  }
  friend constexpr Bandwidth operator*(double factor, Bandwidth rate) { return rate * factor; }

  friend constexpr auto operator<=>(Bandwidth, Bandwidth) = default;
  friend constexpr bool operator==(Bandwidth, Bandwidth) = default;

 private:
  using Wide = unsigned __int128;

  static constexpr int64_t kInfinite = std::numeric_limits<int64_t>::max();
  static constexpr uint64_t kMaxBytes = std::numeric_limits<uint64_t>::max();
  // Bits in a byte times nanoseconds in a second.
  static constexpr uint64_t kBitNanoseconds = 8'000'000'000;

  explicit constexpr Bandwidth(int64_t bits_per_second) : bits_per_second_(bits_per_second) {}

  static constexpr Bandwidth FromUnits(int64_t count, int64_t bits_per_second) {
    return BitsPerSecond(internal_time::Multiply(bits_per_second, count));
  }
  static constexpr Bandwidth FromWide(Wide bits_per_second) {
    return bits_per_second < static_cast<uint64_t>(kInfinite)
               ? Bandwidth(static_cast<int64_t>(bits_per_second))
               : Infinite();
  }

  int64_t bits_per_second_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_BANDWIDTH_H_
