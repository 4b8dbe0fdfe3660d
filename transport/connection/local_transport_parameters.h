// SPDX-License-Identifier: Apache-2.0
//
// The transport parameters that we declare, from the configuration and the connection ids of the
// handshake. RFC 9000 §7.3, §7.4, §18.2.
#ifndef GODWIT_TRANSPORT_CONNECTION_LOCAL_TRANSPORT_PARAMETERS_H_
#define GODWIT_TRANSPORT_CONNECTION_LOCAL_TRANSPORT_PARAMETERS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "base/environment.h"
#include "godwit/connection_config.h"
#include "godwit/connection_id.h"
#include "godwit/perspective.h"
#include "transport/connection/connection_environment.h"

namespace godwit {

struct LocalHandshakeIds {
  ConnectionId initial_source;
  // Of a server.
  std::optional<ConnectionId> original_destination = std::nullopt;
  std::optional<StatelessResetToken> stateless_reset_token = std::nullopt;
};

// As the TLS extension carries them: in random order, with one that means nothing among them.
std::vector<uint8_t> EncodeLocalTransportParameters(const ConnectionConfig& config,
                                                    Perspective perspective,
                                                    const LocalHandshakeIds& ids, Random& random);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_LOCAL_TRANSPORT_PARAMETERS_H_
