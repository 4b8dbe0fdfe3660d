// SPDX-License-Identifier: Apache-2.0
//
// StreamControlQueue: the streams that have frames about themselves to send (RESET_STREAM,
// STOP_SENDING, MAX_STREAM_DATA, STREAM_DATA_BLOCKED), oldest first.
//
// Which frames, the streams decide (send_stream.h, recv_stream.h).
//
// Invariant: once Refresh() was called after a change, a stream is in the queue exactly if it
// HasPendingControl().
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_CONTROL_QUEUE_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_CONTROL_QUEUE_H_

#include "transport/delivery/frame_writer.h"
#include "transport/streams/intrusive_ring.h"
#include "transport/streams/stream.h"

namespace godwit {

class StreamControlQueue {
 public:
  bool empty() const { return streams_.empty(); }

  // What the stream has to send may have changed.
  void Refresh(Stream& stream) {
    const bool is_queued = stream.control_hook.is_linked();
    if (is_queued == stream.HasPendingControl()) return;
    if (is_queued) {
      streams_.Remove(stream);
    } else {
      streams_.PushBack(stream);
    }
  }

  // The stream goes away.
  void Forget(Stream& stream) {
    if (stream.control_hook.is_linked()) streams_.Remove(stream);
  }

  void WriteFrames(FrameWriter& writer) {
    while (Stream* const stream = streams_.front()) {
      if (!stream->recv.WriteControlFrames(stream->id, writer)) return;
      if (!stream->send.WriteControlFrames(stream->id, writer)) return;
      streams_.Remove(*stream);
    }
  }

 private:
  IntrusiveRing<Stream, &Stream::control_hook> streams_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_CONTROL_QUEUE_H_
