// SPDX-License-Identifier: Apache-2.0
//
// The deadlines of a connection: which is the next, and what each does. RFC 9000 §8.2.4, §10.1,
// §10.2; RFC 9002 §6; RFC 9001 §6.
//
// Deadlines that only make something pending (acknowledgments, pacing) need nothing done here:
// whoever is woken asks for what is to be sent.
#ifndef GODWIT_TRANSPORT_CONNECTION_TIMEOUT_PATH_H_
#define GODWIT_TRANSPORT_CONNECTION_TIMEOUT_PATH_H_

#include "godwit/time.h"
#include "transport/connection/connection_parts.h"

namespace godwit {

// Infinite: none. A past one is due at once.
Timestamp NextDeadline(const ConnectionParts& parts);

void OnTimeout(ConnectionParts& parts, Timestamp now);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_TIMEOUT_PATH_H_
