// SPDX-License-Identifier: Apache-2.0
//
// Stream: the two parts of a stream, and its places in the lists of the StreamMap.
//
// Invariant: a part that the stream does not have (RFC 9000 §2.1: a unidirectional one carries data
// one way) stays as it was made. An idle stream takes no memory besides this.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_H_

#include <cstdint>

#include "godwit/stream_id.h"
#include "transport/streams/intrusive_ring.h"
#include "transport/streams/recv_stream.h"
#include "transport/streams/send_stream.h"
#include "transport/streams/stream_scheduler.h"

namespace godwit {

struct Stream : ScheduledStream {
  struct Params {
    StreamId id;
    bool has_send;
    bool has_recv;
    uint64_t send_limit_bytes;
    uint64_t recv_window_bytes;
  };

  explicit Stream(const Params& params)
      : ScheduledStream(params.id),
        send(params.send_limit_bytes),
        recv(params.recv_window_bytes),
        has_send(params.has_send),
        has_recv(params.has_recv) {}

  bool is_over() const { return (!has_send || send.is_over()) && (!has_recv || recv.is_over()); }
  bool HasPendingControl() const { return send.HasPendingControl() || recv.HasPendingControl(); }

  RingHook<Stream> control_hook;  // In the StreamControlQueue.
  // The bytes behind the last field of each are used for what follows.
  [[no_unique_address]] SendStream send;
  [[no_unique_address]] RecvStream recv;
  const bool has_send;
  const bool has_recv;
  bool is_listed_as_borrowing = false;  // In the StreamReceiver's list.
  bool is_waiting_to_write = false;     // In the StreamSender's list.
  uint8_t waiting_events = 0;           // To be polled: a bit for each StreamEvent::Kind.
};

// A connection may have a thousand, and most are idle.
static_assert(sizeof(Stream) <= 608);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_H_
