// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/endpoint_state.h"

#include "base/limits.h"
#include "congestion/builtin_controllers.h"

namespace godwit {
namespace {

StatelessResetKey ResetKeyOf(const EndpointEnvironment& environment) {
  return StatelessResetKey(environment.stateless_reset_key.has_value()
                               ? *environment.stateless_reset_key
                               : SecretKey::Generate(*environment.random));
}

}  // namespace

EndpointState::EndpointState(const EndpointConfig& endpoint_config,
                             const EndpointEnvironment& endpoint_environment)
    : config(endpoint_config),
      environment(endpoint_environment),
      drops(environment.events, stats),
      random_ids(*environment.random),
      connection_ids(environment.connection_ids != nullptr ? *environment.connection_ids
                                                           : random_ids),
      connection_id_bytes(connection_ids.size_bytes()),
      reset_key(ResetKeyOf(environment)),
      pools{.send_blocks = SendBlockPool(kMaxFreeSendBlocks),
            .receive_blocks = ReceiveBlockPool(kMaxFreeReceiveBlocks)},
      connection_environment{.random = environment.random,
                             .events = &drops,
                             .pools = &pools,
                             .scratch = &scratch,
                             .controller = FindCongestionControllerFactory(
                                 config.congestion_controllers, config.congestion_controller)},
      connections(config.memory_budget_bytes, *environment.random),
      limiter({.max_connections = config.max_connections,
               .max_half_open = config.max_half_open,
               .max_per_second_per_source = config.max_accepts_per_second_per_source},
              *environment.random),
      responder(reset_key, *environment.random, config.stateless_replies_per_second),
      train(kMaxGsoBytes) {}

TlsTime EndpointState::TimeAt(Timestamp now) const {
  const int64_t seconds = (now - wall_clock.now).ToMilliseconds() / 1'000;
  return {.now = now, .wall = wall_clock.wall.PlusSeconds(seconds)};
}

std::optional<ConnectionId> EndpointState::NewConnectionId() {
  for (int attempt = 0; attempt < kMaxConnectionIdAttempts; ++attempt) {
    const ConnectionId id = connection_ids.Generate();
    if (id.size() == connection_id_bytes && !connections.IsInUse(id)) return id;
  }
  return std::nullopt;
}

}  // namespace godwit
