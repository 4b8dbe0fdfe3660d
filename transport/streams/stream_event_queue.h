// SPDX-License-Identifier: Apache-2.0
//
// StreamEventQueue: events of streams, in the order in which they happened, until the application
// polls them. An event that already waits is not queued again, so a peer can make it no longer than
// the number of streams times the kinds of events.
//
// Whether an event is still worth telling when it is polled is the StreamMap's to say.
//
// Invariant: of each kind, at most one event of each stream waits, and then the stream knows of it.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_EVENT_QUEUE_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_EVENT_QUEUE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "godwit/stream_event.h"
#include "godwit/stream_id.h"
#include "transport/delivery/ring_vector.h"
#include "transport/streams/stream.h"

namespace godwit {

class StreamEventQueue {
 public:
  void Push(Stream& stream, StreamEvent::Kind kind, uint64_t error_code = 0) {
    const auto bit = static_cast<uint8_t>(1U << static_cast<unsigned>(kind));
    if ((stream.waiting_events & bit) != 0) return;
    stream.waiting_events |= bit;
    events_.PushBack({kind, stream.id.direction(), stream.id, error_code});
  }

  // About no stream. At most one of a direction waits.
  void PushStreamsAvailable(StreamDirection direction) {
    bool& is_waiting = is_available_waiting_[static_cast<size_t>(direction)];
    if (is_waiting) return;
    is_waiting = true;
    events_.PushBack({StreamEvent::Kind::kStreamsAvailable, direction, StreamId(), 0});
  }

  bool empty() const { return events_.empty(); }

  // Not when empty(). The stream of the result, if it still exists, is to be told by MarkPolled().
  StreamEvent Pop() {
    const StreamEvent event = events_.front();
    events_.PopFront();
    if (event.kind == StreamEvent::Kind::kStreamsAvailable) {
      is_available_waiting_[static_cast<size_t>(event.direction)] = false;
    }
    return event;
  }
  static void MarkPolled(Stream& stream, StreamEvent::Kind kind) {
    stream.waiting_events &= static_cast<uint8_t>(~(1U << static_cast<unsigned>(kind)));
  }

 private:
  RingVector<StreamEvent, 2> events_;
  std::array<bool, 2> is_available_waiting_{};
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_EVENT_QUEUE_H_
