// SPDX-License-Identifier: Apache-2.0
//
// EndpointState: what the functions of one endpoint share. Only files of this folder include it:
// endpoint.cc, which serves and sends, and arrival_path.h, which receives and accepts.
//
// The order of members matters: connections refer to everything above them until they die.
#ifndef GODWIT_TRANSPORT_ENDPOINT_ENDPOINT_STATE_H_
#define GODWIT_TRANSPORT_ENDPOINT_ENDPOINT_STATE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/stateless_reset_key.h"
#include "crypto/tls_session.h"
#include "godwit/connection_config.h"
#include "godwit/connection_id.h"
#include "godwit/connection_id_generator.h"
#include "godwit/drop_reason.h"
#include "godwit/endpoint_stats.h"
#include "godwit/time.h"
#include "transport/connection/connection_scratch.h"
#include "transport/endpoint/accept_limiter.h"
#include "transport/endpoint/connection_registry.h"
#include "transport/endpoint/drop_counter.h"
#include "transport/endpoint/endpoint.h"
#include "transport/endpoint/endpoint_config.h"
#include "transport/endpoint/random_connection_ids.h"
#include "transport/endpoint/stateless_responder.h"
#include "transport/streams/stream_pools.h"

namespace godwit {

struct EndpointState {
  // Both were validated.
  EndpointState(const EndpointConfig& endpoint_config,
                const EndpointEnvironment& endpoint_environment);

  // What every call that brings a time goes by: a clock that goes back stands still here, so that
  // time never goes back for connections.
  Timestamp Advance(Timestamp now) {
    latest_time = std::max(latest_time, now);
    return latest_time;
  }
  TlsTime TimeAt(Timestamp now) const;
  void Drop(Timestamp now, DropReason reason, size_t bytes) {
    drops.OnPacketDropped(now, reason, bytes);
  }
  // One that leads nowhere; nothing if the generator has none.
  std::optional<ConnectionId> NewConnectionId();

  EndpointConfig config;
  const EndpointEnvironment environment;
  EndpointStats stats;
  DropCounter drops;
  RandomConnectionIds random_ids;
  ConnectionIdGenerator& connection_ids;
  const size_t connection_id_bytes;
  const StatelessResetKey reset_key;
  StreamPools pools;
  ConnectionScratch scratch;
  const ConnectionEnvironment connection_environment;
  ConnectionRegistry connections;
  AcceptLimiter limiter;
  StatelessResponder responder;
  // The datagrams that PollTransmit() gave last.
  std::vector<uint8_t> train;
  // Taken from its connection, and not yet by the application.
  std::optional<EndpointEvent> next_event;
  // The application was just told that this connection is closed, and may look at it.
  std::optional<uint32_t> closed_slot;
  TlsTime wall_clock;
  Timestamp latest_time = Timestamp::InfinitePast();
  bool is_stopped = false;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_ENDPOINT_STATE_H_
