// SPDX-License-Identifier: Apache-2.0
//
// Random: where godwit's core gets unpredictable bytes from. It draws none itself, so that a whole
// network can be simulated from a seed; what runs on a real one is given a generator of
// the kernel's (getrandom).
#ifndef GODWIT_INCLUDE_RANDOM_H_
#define GODWIT_INCLUDE_RANDOM_H_

#include <cstdint>
#include <span>

namespace godwit {

// Source of unpredictable bytes: connection ids, path challenges, skipped packet numbers. Must be a
// cryptographically secure generator wherever a real peer is on the other side.
class Random {
 public:
  virtual ~Random() = default;

  virtual void Fill(std::span<uint8_t> bytes) = 0;

  // All 64-bit values alike. The same on machines of either byte order for the same bytes.
  uint64_t NextUint64();

  // All of 0 .. bound-1 alike, without the bias of a plain remainder. `bound` must not be 0.
  uint64_t UniformBelow(uint64_t bound);
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_RANDOM_H_
