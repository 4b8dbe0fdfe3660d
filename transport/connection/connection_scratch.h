// SPDX-License-Identifier: Apache-2.0
//
// ConnectionScratch: working memory of the paths, one for all connections of an endpoint, because
// only one of them works at a time. Nothing in it means anything between two calls.
#ifndef GODWIT_TRANSPORT_CONNECTION_CONNECTION_SCRATCH_H_
#define GODWIT_TRANSPORT_CONNECTION_CONNECTION_SCRATCH_H_

#include <array>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "crypto/header_protector.h"
#include "crypto/packet_protector.h"
#include "transport/recovery/packet_fates.h"
#include "transport/wire/protected_packet.h"

namespace godwit {

struct ConnectionScratch {
  PacketFates fates;
  // 1-RTT packets of the train that is being filled.
  std::vector<OutgoingPacket> train;
  // Short-header packets of a run of datagrams, whose headers are uncovered in one call.
  std::vector<HeaderPosition> headers;
  std::array<std::optional<ProtectedPacket>, kMaxGsoSegments> uncovered;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_CONNECTION_SCRATCH_H_
