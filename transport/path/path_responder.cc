// SPDX-License-Identifier: Apache-2.0
#include "transport/path/path_responder.h"

#include <algorithm>

#include "base/check.h"
#include "transport/delivery/sent_frame.h"

namespace godwit {

void PathResponder::OnPathChallenge(const PathChallengeFrame& frame) {
  if (count_ == pending_.size()) RemoveFirst(1);
  pending_[count_++] = frame.data;
}

void PathResponder::WriteFrames(FrameWriter& writer, PathId path) {
  size_t written = 0;
  while (written < count_ && writer.Write(PathResponseFrame{.data = pending_[written]},
                                          SentFrame::PathResponse(path))) {
    ++written;
  }
  RemoveFirst(written);
}

void PathResponder::RemoveFirst(size_t count) {
  std::copy(pending_.begin() + count, pending_.begin() + count_, pending_.begin());
  count_ -= count;
}

void PathResponder::CheckInvariants() const { GODWIT_CHECK_LE(count_, pending_.size()); }

}  // namespace godwit
