// SPDX-License-Identifier: Apache-2.0
#include "congestion/cubic_curve.h"

#include <algorithm>

namespace godwit {

namespace {

using Wide = __int128;

// Fractional bits of times, of C and of their products.
constexpr int kFractionBits = 20;
constexpr int64_t kOne = int64_t{1} << kFractionBits;

// RFC 9438 §5.1: C is 0.4 segments/s^3.
constexpr int64_t kC = 4 * kOne / 10;

// Farther from the plateau the cube would leave 128 bits; at 34 minutes it is far above any window.
constexpr Duration kFarthest = Duration::Seconds(2047);

constexpr int64_t ToFixed(Duration duration) {
  return duration.ToNanoseconds() * kOne / 1'000'000'000;
}
constexpr Duration FromFixed(int64_t fixed) {
  return Duration::Nanoseconds(fixed * 1'000'000'000 / kOne);
}

static_assert(ToFixed(kFarthest) < int64_t{1} << 31);

// The largest integer whose cube is not larger than `value`, bit by bit. Once per stage.
int64_t CubeRoot(Wide value) {
  int64_t root = 0;
  for (int bit = 31; bit >= 0; --bit) {
    const int64_t candidate = root | (int64_t{1} << bit);
    if (Wide{candidate} * candidate * candidate <= value) root = candidate;
  }
  return root;
}

}  // namespace

CubicCurve::CubicCurve(const Shape& shape)
    : plateau_bytes_(std::max(shape.plateau_bytes, shape.start_bytes)),
      max_datagram_bytes_(shape.max_datagram_bytes) {
  // RFC 9438 §4.2: K = cubic root of (W_max - cwnd_epoch) / C. With t = root / 2^20, t^3 has 60
  // fractional bits; 20 of them cancel with those of C.
  const Wide climb = static_cast<Wide>(plateau_bytes_ - shape.start_bytes);
  const Wide cube = (climb << (4 * kFractionBits)) / (Wide{kC} * Wide{max_datagram_bytes_});
  plateau_time_ = std::min(FromFixed(CubeRoot(cube)), kFarthest);
}

uint64_t CubicCurve::BytesAt(Duration t) const {
  const Duration from_plateau = std::clamp(t - plateau_time_, -kFarthest, kFarthest);
  const int64_t x = ToFixed(from_plateau);
  const Wide cube = Wide{(x * x) >> kFractionBits} * x >> kFractionBits;
  const Wide climb = cube * Wide{kC} * Wide{max_datagram_bytes_} >> (2 * kFractionBits);
  const Wide bytes = static_cast<Wide>(plateau_bytes_) + climb;
  return bytes > 0 ? static_cast<uint64_t>(bytes) : 0;
}

}  // namespace godwit
