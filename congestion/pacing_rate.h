// SPDX-License-Identifier: Apache-2.0
//
// The pacing rate and the send quantum of a controller that thinks in windows (RFC 9002 §7.7), and
// the bounds of its window. Cubic and NewReno share them; what the pacer does with the rate is its
// own.
#ifndef GODWIT_CONGESTION_PACING_RATE_H_
#define GODWIT_CONGESTION_PACING_RATE_H_

#include <algorithm>
#include <cstdint>

#include "base/limits.h"
#include "godwit/bandwidth.h"
#include "godwit/time.h"

namespace godwit {

// No window grows beyond: 1 TiB. More than any path holds, and far enough from 2^64 for sums and
// small multiples not to overflow.
inline constexpr uint64_t kMaxWindowBytes = uint64_t{1} << 40;

// Infinite() before there is an RTT sample (`smoothed_rtt` zero): the initial window bounds what
// leaves then, and the initial RTT would slow a handshake down for nothing.
constexpr Bandwidth WindowPacingRate(uint64_t window_bytes, Duration smoothed_rtt,
                                     bool is_slow_start) {
  // RFC 9002 §7.7: a little above the window's own rate, so that variation of the RTT does not
  // leave the window unused. Slow start doubles the window within a round trip; the rate must lead.
  const uint64_t bytes = is_slow_start ? 2 * window_bytes : window_bytes + window_bytes / 4;
  return Bandwidth::FromBytesAndDuration(bytes, smoothed_rtt);
}

// About 1 ms of the rate; at least 2 datagrams, at most what one system call takes.
constexpr uint64_t SendQuantumBytes(Bandwidth pacing_rate, uint64_t max_datagram_bytes) {
  const uint64_t most = std::max<uint64_t>(kMaxGsoBytes, 2 * max_datagram_bytes);
  return std::clamp(pacing_rate.BytesIn(Duration::Milliseconds(1)), 2 * max_datagram_bytes, most);
}

}  // namespace godwit

#endif  // GODWIT_CONGESTION_PACING_RATE_H_
