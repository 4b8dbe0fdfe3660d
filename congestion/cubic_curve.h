// SPDX-License-Identifier: Apache-2.0
//
// CubicCurve: the window as a cubic function of time, W_cubic(t) = C (t - K)^3 + W_max (RFC 9438
// §4.2), in bytes. It knows neither losses nor acknowledgments; Cubic makes one at the start of
// every congestion avoidance stage.
//
// Integers only, so that every machine and compiler draws the same curve. Times are held in units
// of 2^-20 s (about a microsecond), cubes in 128 bits.
//
// Invariants: K >= 0, and the curve never falls.
#ifndef GODWIT_CONGESTION_CUBIC_CURVE_H_
#define GODWIT_CONGESTION_CUBIC_CURVE_H_

#include <cstdint>

#include "godwit/time.h"

namespace godwit {

class CubicCurve {
 public:
  CubicCurve() = default;  // Stays at 0.

  struct Shape {
    // The window at which the curve is flat, and the one at t = 0, in bytes; kMaxWindowBytes at
    // most. If the first is not the larger one, the curve starts flat at the second (K = 0).
    uint64_t plateau_bytes = 0;
    uint64_t start_bytes = 0;
    // A segment of the RFC.
    uint64_t max_datagram_bytes = 0;
  };
  explicit CubicCurve(const Shape& shape);

  // K: how long after the start the plateau is reached.
  Duration plateau_time() const { return plateau_time_; }
  uint64_t plateau_bytes() const { return plateau_bytes_; }

  // `t`: since the start of the stage, any value. 2^50 bytes at most.
  uint64_t BytesAt(Duration t) const;

 private:
  Duration plateau_time_;
  uint64_t plateau_bytes_ = 0;
  uint64_t max_datagram_bytes_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_CUBIC_CURVE_H_
