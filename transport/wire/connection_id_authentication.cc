// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/connection_id_authentication.h"

#include "base/protocol_errors.h"

namespace godwit {
namespace {

Result AuthenticateInitialSource(const TransportParameters& parameters,
                                 const ConnectionId& expected) {
  // RFC 9000 §7.3: both endpoints send it, an empty one too.
  if (!parameters.initial_source_connection_id) return kInitialSourceConnectionIdMissing;
  if (*parameters.initial_source_connection_id != expected) {
    return kInitialSourceConnectionIdMismatch;
  }
  return Result::Ok();
}

}  // namespace

Result AuthenticateServerConnectionIds(const TransportParameters& server_parameters,
                                       const ServerHandshakeConnectionIds& expected) {
  GODWIT_RETURN_IF_ERROR(AuthenticateInitialSource(server_parameters, expected.initial_source));
  const auto& original = server_parameters.original_destination_connection_id;
  if (!original) return kOriginalDestinationConnectionIdMissing;
  if (*original != expected.original_destination) return kOriginalDestinationConnectionIdMismatch;
  const auto& retry = server_parameters.retry_source_connection_id;
  if (retry == expected.retry_source) return Result::Ok();
  // RFC 9000 §7.3: present if and only if there was a Retry packet.
  if (!expected.retry_source) return kRetrySourceConnectionIdUnexpected;
  if (!retry) return kRetrySourceConnectionIdMissing;
  return kRetrySourceConnectionIdMismatch;
}

Result AuthenticateClientConnectionIds(const TransportParameters& client_parameters,
                                       const ConnectionId& initial_source) {
  return AuthenticateInitialSource(client_parameters, initial_source);
}

}  // namespace godwit
