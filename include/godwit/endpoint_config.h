// SPDX-License-Identifier: Apache-2.0
//
// EndpointConfig: what an application decides about an endpoint and the connections in it. Checked
// once, where the endpoint is made.
#ifndef GODWIT_INCLUDE_ENDPOINT_CONFIG_H_
#define GODWIT_INCLUDE_ENDPOINT_CONFIG_H_

#include <cstdint>
#include <string>

#include "godwit/congestion_controller.h"
#include "godwit/connection_config.h"

namespace godwit {

struct EndpointConfig {
  // Of every connection.
  ConnectionConfig connection;

  // "cubic", "new_reno", or a name in the registry.
  std::string congestion_controller = std::string(kCubic);
  CongestionControllerRegistry congestion_controllers;

  // At one time, accepted and opened ones together.
  uint64_t max_connections = 200'000;
  // Accepted ones whose handshake is not complete. Beyond it a client's first packet is ignored,
  // and its retransmission may find room.
  uint64_t max_half_open = 2'048;
  // From one /24 of IPv4 or one /56 of IPv6, which is about what one customer of a provider has. As
  // many may come at once.
  uint64_t max_accepts_per_second_per_source = 1'000;

  // Of data that connections hold for their peers and their applications, and of windows that have
  // grown. The state of the connections themselves is not counted: max_connections bounds it.
  uint64_t memory_budget_bytes = uint64_t{1} << 30;

  // Of each kind (Version Negotiation, stateless reset, refusal). 0: none are sent.
  uint64_t stateless_replies_per_second = 1'000;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_ENDPOINT_CONFIG_H_
