// SPDX-License-Identifier: Apache-2.0
//
// What the application is told when it asks of a stream what cannot be: one function a mistake, so
// that the words stand together. Each says what to do instead.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_STATUS_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_STATUS_H_

#include <cstdint>

#include "absl/status/status.h"

#include "godwit/stream_id.h"
#include "transport/streams/stream.h"
#include "transport/streams/stream_table.h"

namespace godwit::stream_status {

// The id is of no stream in the table.
absl::Status NotFound(StreamId id, const StreamTable& table);
absl::Status NoSuchPart(StreamId id, StreamTable::Part part);
absl::Status LimitReached(StreamDirection direction);
// The sending part is not writable, or not resettable.
absl::Status NotWritable(const Stream& stream);
absl::Status NotResettable(const Stream& stream);
absl::Status ReadingStopped(StreamId id);
absl::Status NotReadable(const Stream& stream, uint64_t byte_count);
absl::Status ErrorCodeTooLarge(uint64_t error_code);
absl::Status UrgencyTooLarge(uint64_t urgency);

}  // namespace godwit::stream_status

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_STATUS_H_
