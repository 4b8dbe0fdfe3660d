// SPDX-License-Identifier: Apache-2.0
//
// Authentication of the handshake's connection ids: RFC 9000 §7.3. Initial and Retry packets are
// not protected from an attacker on the path, the TLS handshake is; so each endpoint repeats the
// connection ids of its packets in its transport parameters, and its peer compares.
//
// Connection ids are not secret here: anyone on the path has seen them.
#ifndef GODWIT_TRANSPORT_WIRE_CONNECTION_ID_AUTHENTICATION_H_
#define GODWIT_TRANSPORT_WIRE_CONNECTION_ID_AUTHENTICATION_H_

#include <optional>

#include "base/result.h"
#include "godwit/connection_id.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

// What a client has seen and sent before it has its server's transport parameters.
struct ServerHandshakeConnectionIds {
  // Destination Connection ID of the very first Initial packet that the client sent, before any
  // Retry packet.
  ConnectionId original_destination;
  // Source Connection ID of the Retry packet that the client acted on.
  std::optional<ConnectionId> retry_source;
  // Source Connection ID of the first Initial packet from the server.
  ConnectionId initial_source;
};

Result AuthenticateServerConnectionIds(const TransportParameters& server_parameters,
                                       const ServerHandshakeConnectionIds& expected);

// `initial_source`: Source Connection ID of the client's first Initial packet. It does not change
// after a Retry packet.
Result AuthenticateClientConnectionIds(const TransportParameters& client_parameters,
                                       const ConnectionId& initial_source);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_CONNECTION_ID_AUTHENTICATION_H_
