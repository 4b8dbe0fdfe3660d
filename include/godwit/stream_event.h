// SPDX-License-Identifier: Apache-2.0
//
// StreamEvent: what happened to a stream that the application may want to act on. A fact of the
// moment at which it happened, not of the moment at which it is polled.
#ifndef GODWIT_INCLUDE_STREAM_EVENT_H_
#define GODWIT_INCLUDE_STREAM_EVENT_H_

#include <cstdint>

#include "godwit/stream_id.h"

namespace godwit {

struct StreamEvent {
  enum class Kind : uint8_t {
    kOpened,        // By the peer. Comes before every other event of the stream.
    kReadable,      // More can be read than when this was last polled.
    kWritable,      // There is room again, after a write that took less than it was given.
    kFinished,      // All that the peer sends on this stream has come; some may wait to be read.
    kReset,         // RESET_STREAM: the peer gave up sending, what was not read is gone.
    kStopped,       // STOP_SENDING: the peer gave up reading; the stream was reset in answer.
    kSendComplete,  // The peer has everything, the end of the stream too.
    kStreamsAvailable,  // OpenStream() failed, and would not now. The id means nothing.
  };

  Kind kind;
  StreamDirection direction;  // Of the stream, or that can be opened again.
  StreamId id;
  uint64_t error_code = 0;  // Of kReset and kStopped: the peer application's.

  friend constexpr bool operator==(const StreamEvent&, const StreamEvent&) = default;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_STREAM_EVENT_H_
