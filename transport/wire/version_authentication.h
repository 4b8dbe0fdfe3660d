// SPDX-License-Identifier: Apache-2.0
//
// Authentication of the version: RFC 9368 §4. The version field of long headers is not protected
// from an attacker on the path, the TLS handshake is; so each endpoint repeats the version in its
// version_information, and its peer compares. A peer may leave the parameter out.
//
// Not here: what a client that acted on a Version Negotiation packet has to demand beyond this.
// godwit speaks one version and never acts on such a packet.
#ifndef GODWIT_TRANSPORT_WIRE_VERSION_AUTHENTICATION_H_
#define GODWIT_TRANSPORT_WIRE_VERSION_AUTHENTICATION_H_

#include <cstdint>
#include <span>

#include "base/result.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

// `version_in_use`: that of the long headers, in both.
Result AuthenticateClientVersion(const TransportParameters& client_parameters,
                                 uint32_t version_in_use);

// `offered`: the Available Versions that the client sent.
Result AuthenticateServerVersion(const TransportParameters& server_parameters,
                                 std::span<const uint32_t> offered, uint32_t version_in_use);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_VERSION_AUTHENTICATION_H_
