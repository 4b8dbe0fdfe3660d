// SPDX-License-Identifier: Apache-2.0
//
// Chance: how probable something is, and the throw of the dice for it. In millionths, because whole
// numbers are the same on every machine.
#ifndef GODWIT_TESTS_SIM_CHANCE_H_
#define GODWIT_TESTS_SIM_CHANCE_H_

#include <cstdint>

#include "base/environment.h"

namespace godwit {

class Chance {
 public:
  constexpr Chance() = default;  // Never.

  static constexpr Chance Never() { return Chance(0); }
  static constexpr Chance Always() { return Chance(kOne); }
  static constexpr Chance Percent(uint64_t percent) { return Chance(percent * (kOne / 100)); }
  static constexpr Chance PerMillion(uint64_t parts) { return Chance(parts); }

  constexpr uint64_t per_million() const { return parts_; }

  // What never or always happens takes nothing from `random`, so that a fault which is off does not
  // change the others.
  bool Happens(Random& random) const {
    if (parts_ == 0) return false;
    return parts_ >= kOne || random.UniformBelow(kOne) < parts_;
  }

 private:
  static constexpr uint64_t kOne = 1'000'000;

  explicit constexpr Chance(uint64_t parts) : parts_(parts) {}

  uint64_t parts_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_CHANCE_H_
