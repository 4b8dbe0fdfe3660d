// SPDX-License-Identifier: Apache-2.0
//
// Probability: how likely a fault is, and the throw of the dice for it. In billionths, so that a
// profile's "0.00001%" is exact and the same on every machine.
//
// Invariant: 0 <= parts <= one billion.
#ifndef GODWIT_BENCH_EMULATOR_PROBABILITY_H_
#define GODWIT_BENCH_EMULATOR_PROBABILITY_H_

#include <algorithm>
#include <cstdint>

#include "base/environment.h"

namespace godwit {

class Probability {
 public:
  static constexpr uint64_t kOne = 1'000'000'000;

  constexpr Probability() = default;  // Never.

  // More than kOne counts as kOne.
  static constexpr Probability PerBillion(uint64_t parts) {
    return Probability(std::min(parts, kOne));
  }
  static constexpr Probability Percent(uint64_t percent) {
    return PerBillion(std::min<uint64_t>(percent, 100) * (kOne / 100));
  }

  constexpr uint64_t per_billion() const { return parts_; }
  constexpr bool is_zero() const { return parts_ == 0; }

  // Takes nothing from `random` for what never or always happens.
  bool Happens(Random& random) const {
    if (parts_ == 0) return false;
    return parts_ == kOne || random.UniformBelow(kOne) < parts_;
  }

  friend constexpr bool operator==(Probability, Probability) = default;

 private:
  explicit constexpr Probability(uint64_t parts) : parts_(parts) {}

  uint64_t parts_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_PROBABILITY_H_
