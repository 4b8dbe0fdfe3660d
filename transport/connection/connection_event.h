// SPDX-License-Identifier: Apache-2.0
//
// ConnectionEvent: what the application of a connection is told, one at a time, after the packets
// of a batch were processed. Never while it is inside a call of the connection.
#ifndef GODWIT_TRANSPORT_CONNECTION_CONNECTION_EVENT_H_
#define GODWIT_TRANSPORT_CONNECTION_CONNECTION_EVENT_H_

#include <cstdint>

#include "transport/streams/datagram_queue.h"
#include "transport/streams/stream_event.h"

namespace godwit {

struct ConnectionEvent {
  enum class Kind : uint8_t {
    kHandshakeComplete,   // Streams can be used, the peer is who it says.
    kHandshakeConfirmed,  // RFC 9001 §4.1.2: the peer knows that too.
    kStream,              // See `stream`.
    kDatagramReceived,    // At least one waits in the queue.
    kDatagramFeedback,    // See `datagram`.
    kMaxDatagramPayloadChanged,
    kPathChanged,  // The peer's address is another one now.
    kClosed,       // The last event. See Connection::close_reason().
  };

  Kind kind;
  StreamEvent stream = {};
  DatagramQueue::Feedback datagram = {};
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_CONNECTION_EVENT_H_
