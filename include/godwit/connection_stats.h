// SPDX-License-Identifier: Apache-2.0
//
// ConnectionStats: a connection in numbers, at one moment.
//
// GSO: a connection makes trains, and says how many and how long. Whether they left as such is a
// matter of the socket: see UdpSocketStats and OffloadText() of Client and Server.
//
// ECN: marks of received packets are counted, and reported to the peer (RFC 9000 §13.4.1). What is
// sent carries none, so that peers have none to report, and no path is validated for them (RFC 9000
// §13.4.2).
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

// For how long each of them did, from the start of the connection until now, or until it was
// closed. Every moment counts for exactly one: the shares are each one's part of total(). Kept
// without reading a clock: a change counts from the time that came with the call in which it was
// found.
struct SendBlockedTimes {
  Duration nothing;            // There was something to send, and it might be sent.
  Duration application;        // It had written nothing that was not sent.
  Duration peer_flow_control;  // Of a stream, or of the connection. RFC 9000 §4.1.
  Duration congestion_window;
  Duration pacing;
  // Too little had come from the peer's address, which was not validated. RFC 9000 §8.1.
  Duration amplification;
  Duration handshake;  // It was not complete.

  Duration total() const {
    return nothing + application + peer_flow_control + congestion_window + pacing + amplification +
           handshake;
  }
};

// What has happened since the start.
struct ConnectionCounters {
  uint64_t datagrams_sent = 0;
  uint64_t datagrams_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  // What a socket that has GSO sends with one call for many datagrams: trains of two and more, and
  // how many datagrams were in these.
  uint64_t trains_sent = 0;
  uint64_t train_datagrams_sent = 0;
  uint64_t packets_sent = 0;
  uint64_t packets_received = 0;  // Opened, and no duplicates.
  // Of these, with a mark: ECT(0), ECT(1), CE (RFC 3168 §5).
  uint64_t ect0_packets_received = 0;
  uint64_t ect1_packets_received = 0;
  uint64_t ce_packets_received = 0;
  uint64_t packets_dropped = 0;
  uint64_t packets_lost = 0;
  uint64_t packets_spuriously_lost = 0;
  uint64_t ptos = 0;
  uint64_t ack_frames_received = 0;
  uint64_t path_changes = 0;
  uint64_t mtu_probes_lost = 0;
};

// And what is so now.
struct ConnectionStats : ConnectionCounters {
  uint64_t key_updates = 0;  // Since the start.
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
  SendBlockedTimes blocked_times;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CONNECTION_STATS_H_
