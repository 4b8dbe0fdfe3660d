// SPDX-License-Identifier: Apache-2.0
//
// StreamEnds: what has ended a stream for those who read or write it through a handle, and the
// status that says so: the same for blocking.h and coroutine.h. It decides nothing: a stream's
// channel notes here what was called and what it has heard, and asks whether a call can go on.
//
// Threads: as its owner has it.
#ifndef GODWIT_RUNTIME_STREAM_ENDS_H_
#define GODWIT_RUNTIME_STREAM_ENDS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"

#include "godwit/perspective.h"
#include "godwit/stream_id.h"

namespace godwit {

// Which sides of a stream we have.
struct StreamSides {
  bool can_read = true;
  bool can_write = true;

  static StreamSides Of(StreamId id, Perspective ours) {
    const bool is_ours = id.initiator() == ours;
    return {.can_read = id.is_bidirectional() || !is_ours,
            .can_write = id.is_bidirectional() || is_ours};
  }
};

struct StreamEnds {
  // OK if there is or may come something.
  absl::Status WhyNotReadable() const;
  // OK if something is or will be taken.
  absl::Status WhyNotWritable() const;

  const StreamSides sides;
  // By StopSending(), and by the peer.
  bool is_stopped_here = false;
  std::optional<uint64_t> reset_code = std::nullopt;
  // By Reset(), and by the peer.
  bool is_reset_here = false;
  std::optional<uint64_t> stopped_code = std::nullopt;
  absl::Status connection_end = absl::OkStatus();  // OK while it is open.
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_STREAM_ENDS_H_
