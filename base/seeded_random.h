// SPDX-License-Identifier: Apache-2.0
//
// SeededRandom: a Random that gives the same bytes for the same seed and the same calls, on every
// machine. For tests and the simulator only: whoever sees 8 bytes of it knows all that follow.
//
// The generator is SplitMix64: 64 bits of state, every seed is good, and neighbouring seeds give
// unrelated sequences.
#ifndef GODWIT_BASE_SEEDED_RANDOM_H_
#define GODWIT_BASE_SEEDED_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/environment.h"

namespace godwit {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  // Every call takes whole 64-bit steps and throws the unused bytes of the last one away.
  void Fill(std::span<uint8_t> bytes) override {
    uint64_t word = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (i % 8 == 0) word = Step();
      bytes[i] = static_cast<uint8_t>(word >> (8 * (i % 8)));
    }
  }

 private:
  uint64_t Step() {
    // An odd step visits all 2^64 states; the two multiplications spread every bit over the output.
    state_ += 0x9e3779b97f4a7c15;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  uint64_t state_;
};

}  // namespace godwit

#endif  // GODWIT_BASE_SEEDED_RANDOM_H_
