// SPDX-License-Identifier: Apache-2.0
//
// Ratio: an exact factor for Duration and Bandwidth, such as the 9/8 of RFC 9002's
// time threshold. It decides nothing: how it rounds and saturates is said where it is
// applied. A denominator of 0 is allowed there and scales to infinity.
#ifndef GODWIT_INCLUDE_RATIO_H_
#define GODWIT_INCLUDE_RATIO_H_

#include <cstdint>

namespace godwit {

// A value: safe to copy between threads, not synchronised.
struct Ratio {
  int64_t numerator = 1;
  int64_t denominator = 1;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_RATIO_H_
