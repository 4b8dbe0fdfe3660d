// SPDX-License-Identifier: Apache-2.0
//
// The two switches of a connection: a received frame goes to the part that it is for, and the fate
// of a sent frame to the part that sent it. RFC 9000 §13.3, §19.
//
// It decides nothing else: what a frame means is its part's business. Packets are opened by
// receive_path.h; acknowledgments are worked off by loss_recovery.h.
#ifndef GODWIT_TRANSPORT_CONNECTION_FRAME_DISPATCHER_H_
#define GODWIT_TRANSPORT_CONNECTION_FRAME_DISPATCHER_H_

#include <cstdint>
#include <span>

#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "base/path_id.h"
#include "base/result.h"
#include "crypto/tls_session.h"
#include "transport/connection/connection_parts.h"
#include "transport/recovery/packet_fates.h"
#include "transport/wire/frame.h"

namespace godwit {

// The packet that a frame came in.
struct FrameSource {
  TlsTime now;
  Timestamp received_at;
  EncryptionLevel level;
  PathId path;
  std::span<const uint8_t> dcid;
  uint64_t key_generation;  // Of a 1-RTT packet.
};

Result DispatchFrame(ConnectionParts& parts, const Frame& frame, const FrameSource& source);

void RouteAcked(ConnectionParts& parts, PacketNumberSpace space, const FrameFate& fate);
void RouteLost(ConnectionParts& parts, PacketNumberSpace space, const FrameFate& fate);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_FRAME_DISPATCHER_H_
