// SPDX-License-Identifier: Apache-2.0
//
// ConnectionStats: a connection in numbers, at one moment. Counters count from its start.
#ifndef GODWIT_INCLUDE_CONNECTION_STATS_H_
#define GODWIT_INCLUDE_CONNECTION_STATS_H_

#include <cstdint>
#include <string_view>

#include "godwit/bandwidth.h"
#include "godwit/time.h"

namespace godwit {

// What keeps a connection from sending more.
enum class SendBlockedBy : uint8_t {
  kNothing,  // There is something to send, and it may be sent.
  kApplication,
  kPeerFlowControl,
  kCongestionWindow,
  kPacing,
  kAmplification,
  kHandshake,
};

struct ConnectionStats {
  // Counters.
  uint64_t datagrams_sent = 0;
  uint64_t datagrams_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  uint64_t packets_sent = 0;
  uint64_t packets_received = 0;  // Opened, and no duplicates.
  uint64_t packets_dropped = 0;
  uint64_t packets_lost = 0;
  uint64_t packets_spuriously_lost = 0;
  uint64_t ptos = 0;
  uint64_t ack_frames_received = 0;
  uint64_t key_updates = 0;
  uint64_t path_changes = 0;
  uint64_t mtu_probes_lost = 0;

  // Now.
  Duration smoothed_rtt;
  Duration min_rtt;
  Duration latest_rtt;
  uint64_t congestion_window_bytes = 0;
  uint64_t bytes_in_flight = 0;
  Bandwidth pacing_rate;
  uint64_t max_datagram_bytes = 0;
  uint64_t packet_reordering_threshold = 0;
  std::string_view congestion_controller;
  SendBlockedBy blocked_by = SendBlockedBy::kApplication;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CONNECTION_STATS_H_
