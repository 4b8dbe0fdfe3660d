// SPDX-License-Identifier: Apache-2.0
//
// EndpointStats: an endpoint in numbers. What one connection does is in ConnectionStats.
#ifndef GODWIT_INCLUDE_ENDPOINT_STATS_H_
#define GODWIT_INCLUDE_ENDPOINT_STATS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "godwit/drop_reason.h"
#include "godwit/refusal_reason.h"

namespace godwit {

struct EndpointStats {
  // ---- Since the endpoint was made ----

  uint64_t datagrams_received = 0;
  uint64_t bytes_received = 0;

  // By Connect().
  uint64_t connections_opened = 0;
  uint64_t connections_accepted = 0;
  // Accepted, and forgotten at once: nothing in the first datagram was authentic.
  uint64_t connections_discarded = 0;
  // Client's first packets, by RefusalReason.
  std::array<uint64_t, kRefusalReasonCount> refused = {};
  // Whose application was told so, or would have been if it had heard of them.
  uint64_t connections_closed = 0;

  uint64_t version_negotiations_sent = 0;
  uint64_t stateless_resets_sent = 0;
  // CONNECTION_CLOSE packets to clients that were refused.
  uint64_t refusals_sent = 0;
  // Connections that a stateless reset closed.
  uint64_t stateless_resets_received = 0;

  // Datagrams and single packets that were put away unread, by DropReason, those of connections
  // included.
  std::array<uint64_t, kDropReasonCount> drops = {};
  uint64_t dropped_bytes = 0;

  // ---- Now ----

  uint64_t connections = 0;  // Those that are closing included.
  uint64_t half_open = 0;
  // Of the memory budget.
  uint64_t held_bytes = 0;

  uint64_t refused_because(RefusalReason reason) const {
    return refused[static_cast<size_t>(reason)];
  }
  uint64_t dropped_because(DropReason reason) const { return drops[static_cast<size_t>(reason)]; }
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_ENDPOINT_STATS_H_
