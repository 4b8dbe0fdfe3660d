// SPDX-License-Identifier: Apache-2.0
//
// PathResponder: the PATH_RESPONSE frames that one path owes (RFC 9000 §8.2.2). Each challenge is
// answered once and its answer not repeated when it is lost: the peer will ask again (RFC 9000
// §13.3). A flood of challenges pushes out the oldest.
//
// Invariant: at most kMaxPathResponsesPending wait.
#ifndef GODWIT_TRANSPORT_PATH_PATH_RESPONDER_H_
#define GODWIT_TRANSPORT_PATH_PATH_RESPONDER_H_

#include <array>
#include <cstddef>

#include "base/limits.h"
#include "base/path_id.h"
#include "transport/delivery/frame_writer.h"
#include "transport/wire/frame.h"

namespace godwit {

class PathResponder {
 public:
  void OnPathChallenge(const PathChallengeFrame& frame);

  bool HasPendingFrames() const { return count_ != 0; }
  // `path`: on which the challenges came, and to which the packet goes.
  void WriteFrames(FrameWriter& writer, PathId path);

  void CheckInvariants() const;

 private:
  void RemoveFirst(size_t count);

  std::array<PathChallengeData, kMaxPathResponsesPending> pending_ = {};  // Oldest first.
  size_t count_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_PATH_PATH_RESPONDER_H_
