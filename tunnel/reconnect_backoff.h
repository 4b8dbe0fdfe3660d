// SPDX-License-Identifier: Apache-2.0
//
// ReconnectBackoff: how long to wait before the next attempt to connect: twice as long each time,
// up to a bound, and by chance between half of that and all of it, so that the clients of a server
// that comes back do not come back together.
#ifndef GODWIT_TUNNEL_RECONNECT_BACKOFF_H_
#define GODWIT_TUNNEL_RECONNECT_BACKOFF_H_

#include <algorithm>

#include "godwit/random.h"
#include "godwit/time.h"

namespace godwit::tunnel {

class ReconnectBackoff {
 public:
  static constexpr Duration kFirst = Duration::Milliseconds(200);
  static constexpr Duration kMost = Duration::Seconds(15);

  // `random` outlives it.
  explicit ReconnectBackoff(Random* random) : random_(*random) {}

  Duration Next() {
    const Duration base = next_;
    next_ = std::min(next_ * 2, kMost);
    const auto half = static_cast<uint64_t>(base.ToNanoseconds() / 2);
    return Duration::Nanoseconds(static_cast<int64_t>(half + random_.UniformBelow(half + 1)));
  }
  // A connection has stood, or the network is another one.
  void Reset() { next_ = kFirst; }

 private:
  Random& random_;
  Duration next_ = kFirst;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_RECONNECT_BACKOFF_H_
