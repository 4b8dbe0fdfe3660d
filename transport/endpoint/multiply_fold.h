// SPDX-License-Identifier: Apache-2.0
//
// MultiplyFold: mixes two words into one for hash tables. If one of them is secret and random, who
// chooses the other cannot tell which values collide. Not for cryptography.
#ifndef GODWIT_TRANSPORT_ENDPOINT_MULTIPLY_FOLD_H_
#define GODWIT_TRANSPORT_ENDPOINT_MULTIPLY_FOLD_H_

#include <cstdint>

namespace godwit {

// All bits of the product, folded into one word.
constexpr uint64_t MultiplyFold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_MULTIPLY_FOLD_H_
