// SPDX-License-Identifier: Apache-2.0
#include "runtime/stream_ends.h"

#include "absl/strings/str_cat.h"

namespace godwit {

absl::Status StreamEnds::WhyNotReadable() const {
  if (!sides.can_read) {
    return absl::FailedPreconditionError("the stream is unidirectional, and for writing");
  }
  if (is_stopped_here) return absl::FailedPreconditionError("StopSending() was called");
  if (reset_code.has_value()) {
    return absl::AbortedError(absl::StrCat("the peer reset the stream, error ", *reset_code));
  }
  return connection_end;
}

absl::Status StreamEnds::WhyNotWritable() const {
  if (!sides.can_write) {
    return absl::FailedPreconditionError("the stream is unidirectional, and for reading");
  }
  if (stopped_code.has_value()) {
    return absl::AbortedError(
        absl::StrCat("the peer stopped reading the stream, error ", *stopped_code));
  }
  if (is_reset_here) return absl::FailedPreconditionError("Reset() was called");
  return connection_end;
}

}  // namespace godwit
