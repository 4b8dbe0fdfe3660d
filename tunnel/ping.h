// SPDX-License-Identifier: Apache-2.0
//
// `godwit-tunnel ping`: connects to a server as a client does, keys and all, and measures round
// trips with packets that the tunnel does not answer but QUIC acknowledges. Two at a time and too
// large to share a packet: RFC 9000 §13.2.2 has the second acknowledged at once.
#ifndef GODWIT_TUNNEL_PING_H_
#define GODWIT_TUNNEL_PING_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/time.h"
#include "tunnel/options.h"
#include "tunnel/tunnel_config.h"

namespace godwit::tunnel {

struct PingResult {
  uint64_t sent = 0;
  uint64_t answered = 0;
  Duration shortest = Duration::Infinite();
  Duration longest;
  Duration sum;
};

// Says what happens in lines to `print`, and returns when all is said. The error is one line.
absl::StatusOr<PingResult> Ping(const PingOptions& options, const Identity& identity,
                                const std::function<void(const std::string& line)>& print);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_PING_H_
