// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/stream_status.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace godwit::stream_status {

absl::Status NotFound(StreamId id, const StreamTable& table) {
  if (table.WasOpened(id)) {
    return absl::NotFoundError(
        absl::StrCat("stream ", id.value(), " is over; forget its id when its last event came"));
  }
  return absl::NotFoundError(
      absl::StrCat("stream ", id.value(), " was never opened; take ids from Open() or kOpened"));
}

absl::Status NoSuchPart(StreamId id, StreamTable::Part part) {
  return absl::InvalidArgumentError(
      part == StreamTable::Part::kSend
          ? absl::StrCat("stream ", id.value(), " of the peer is unidirectional; only read from it")
          : absl::StrCat("stream ", id.value(), " is unidirectional and ours; only write to it"));
}

absl::Status LimitReached(StreamDirection direction) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "the peer permits no more ",
      direction == StreamDirection::kBidirectional ? "bidirectional" : "unidirectional",
      " streams now; try again when kStreamsAvailable comes"));
}

absl::Status NotWritable(const Stream& stream) {
  return absl::FailedPreconditionError(absl::StrCat(
      "stream ", stream.id.value(), stream.send.is_reset() ? " was reset" : " was finished",
      "; open another one to send more"));
}

absl::Status NotResettable(const Stream& stream) {
  return absl::FailedPreconditionError(
      absl::StrCat("stream ", stream.id.value(),
                   stream.send.is_reset() ? " was reset before" : " was delivered whole",
                   "; there is nothing to reset"));
}

absl::Status ReadingStopped(StreamId id) {
  return absl::FailedPreconditionError(
      absl::StrCat("StopSending() was called for stream ", id.value(), "; read no more from it"));
}

absl::Status NotReadable(const Stream& stream, uint64_t byte_count) {
  return absl::InvalidArgumentError(
      absl::StrCat("stream ", stream.id.value(), " has ", stream.recv.readable_bytes(),
                   " readable bytes, not ", byte_count, "; consume no more than Peek() showed"));
}

absl::Status ErrorCodeTooLarge(uint64_t error_code) {
  return absl::InvalidArgumentError(
      absl::StrCat("error code ", error_code, " is above 2^62-1; choose a smaller one"));
}

absl::Status UrgencyTooLarge(uint64_t urgency) {
  return absl::InvalidArgumentError(
      absl::StrCat("urgency ", urgency, " is above 7; choose one from 0 (most urgent) to 7"));
}

}  // namespace godwit::stream_status
