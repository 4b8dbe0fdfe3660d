// SPDX-License-Identifier: Apache-2.0
#include "godwit/random.h"

#include <array>

namespace godwit {

uint64_t Random::NextUint64() {
  std::array<uint8_t, 8> bytes;
  Fill(bytes);
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return value;
}

uint64_t Random::UniformBelow(uint64_t bound) {
  if (bound == 0) __builtin_trap();
  // 2^64 mod bound, in 64 bits. Without that many of the lowest values, what remains is a multiple
  // of `bound`, so that every remainder stands for equally many values. Fewer than half are
  // refused.
  const uint64_t refused = (0 - bound) % bound;
  uint64_t value;
  do {
    value = NextUint64();
  } while (value < refused);
  return value % bound;
}

}  // namespace godwit
