// SPDX-License-Identifier: Apache-2.0
//
// Which frames go into a packet, in one visible list: the order is the priority. RFC 9000 §12.5,
// §13.2, §13.3.
//
// It does not know how many packets may be sent; that is send_path.h.
#ifndef GODWIT_TRANSPORT_CONNECTION_FRAME_SCHEDULER_H_
#define GODWIT_TRANSPORT_CONNECTION_FRAME_SCHEDULER_H_

#include "base/encryption_level.h"
#include "godwit/time.h"
#include "transport/connection/connection_parts.h"
#include "transport/delivery/frame_writer.h"
#include "transport/streams/stream_map.h"

namespace godwit {

// What a packet may hold.
enum class SendPermission : uint8_t {
  kEverything,
  kAcknowledgments,  // What does not count as in flight (RFC 9002 §3).
};

// Whether a packet of `level` would not be empty.
bool HasFramesFor(const ConnectionParts& parts, EncryptionLevel level, SendPermission permission,
                  Timestamp now);

struct FrameOrder {
  SendPermission permission;
  StreamMap::Fill fill;
};

// For a packet on the active path.
void WriteFrames(ConnectionParts& parts, const FrameOrder& order, Timestamp now,
                 FrameWriter& writer);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_FRAME_SCHEDULER_H_
