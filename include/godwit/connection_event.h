// SPDX-License-Identifier: Apache-2.0
//
// ConnectionEvent: what the application of a connection is told, one at a time, after the packets
// of a batch were processed. Never while it is inside a call of the connection.
#ifndef GODWIT_INCLUDE_CONNECTION_EVENT_H_
#define GODWIT_INCLUDE_CONNECTION_EVENT_H_

#include <cstdint>

#include "godwit/stream_event.h"

namespace godwit {

// What became of a DATAGRAM frame of ours.
struct DatagramFeedback {
  enum class Fate : uint8_t {
    kSent,   // Is in a packet.
    kAcked,  // Arrived. After kLost: it was late, not lost.
    kLost,
    kDroppedQueueFull,
    kDroppedTooLarge,  // The path, or its connection ids, leave less room than when it was queued.
  };
  Fate fate;
  uint64_t id;

  friend bool operator==(const DatagramFeedback&, const DatagramFeedback&) = default;
};

struct ConnectionEvent {
  enum class Kind : uint8_t {
    kHandshakeComplete,   // Streams can be used, the peer is who it says.
    kHandshakeConfirmed,  // RFC 9001 §4.1.2: the peer knows that too.
    kStream,              // See `stream`.
    kDatagramReceived,    // At least one waits in the queue.
    kDatagramFeedback,    // See `datagram`.
    kMaxDatagramPayloadChanged,
    kPathChanged,  // The peer's address is another one now.
    kClosed,       // The last event. Why: CloseReason.
  };

  Kind kind;
  StreamEvent stream = {};
  DatagramFeedback datagram = {};
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CONNECTION_EVENT_H_
