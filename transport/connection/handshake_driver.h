// SPDX-License-Identifier: Apache-2.0
//
// What follows from the progress of TLS: keys are installed, what TLS wants to say is queued, the
// peer's transport parameters reach the parts that they bind, levels are thrown away. RFC 9001 §4,
// RFC 9000 §7.3, §7.4.
//
// It reads no packets and sends none.
#ifndef GODWIT_TRANSPORT_CONNECTION_HANDSHAKE_DRIVER_H_
#define GODWIT_TRANSPORT_CONNECTION_HANDSHAKE_DRIVER_H_

#include "base/encryption_level.h"
#include "base/result.h"
#include "godwit/time.h"
#include "transport/connection/connection_parts.h"

namespace godwit {

// After TLS was given CRYPTO data, and once at the start.
Result AdvanceHandshake(ConnectionParts& parts, Timestamp now);

// RFC 9001 §4.1.2: once the handshake is confirmed. Does nothing the second time.
void OnHandshakeConfirmed(ConnectionParts& parts);

// RFC 9001 §4.9: nothing is sent or read at `level` any more.
void DiscardLevel(ConnectionParts& parts, EncryptionLevel level);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_HANDSHAKE_DRIVER_H_
