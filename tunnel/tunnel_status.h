// SPDX-License-Identifier: Apache-2.0
//
// TunnelStatus: a tunnel in numbers, at one moment, for people and for programs that watch it.
// Plain values; how they are shown is decided elsewhere.
#ifndef GODWIT_TUNNEL_TUNNEL_STATUS_H_
#define GODWIT_TUNNEL_TUNNEL_STATUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "godwit/connection_stats.h"
#include "godwit/public_key_hash.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "tunnel/tcp_flow.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_message.h"

namespace godwit::tunnel {

// A connection to the other side.
struct TunnelPeerStatus {
  PublicKeyHash key;
  // The path: `local` is [::] where the kernel chooses.
  SocketAddress local;
  SocketAddress address;
  Duration connected_for;
  // What the transport says: rtt, loss, bytes on the wire, congestion window, datagram size.
  ConnectionStats transport;
  // Of the largest UDP packet that needs no fragments.
  uint64_t max_udp_payload_bytes = 0;
  // Of the flows on it, in bytes of their applications.
  FlowTotals bytes;
  uint64_t tcp_flows = 0;
  uint64_t udp_flows = 0;
  uint64_t flows_opened = 0;  // Since it was connected.
};

// A -R, as the client sees it.
struct RemoteForwardStatus {
  Forward forward;
  bool is_answered = false;
  ReplyStatus status = ReplyStatus::kOk;
  SocketAddress bound;
  std::string text;  // Why not.
};

struct TunnelStatus {
  // Of a client: the tunnel stands. Of a server: it listens.
  bool is_up = false;
  Duration up_for;
  std::vector<TunnelPeerStatus> peers;
  // Of all connections there were.
  FlowTotals bytes;
  uint64_t flows_opened = 0;
  uint64_t connections = 0;
  // Of a client: TCP connections that wait for the tunnel.
  uint64_t waiting = 0;
  std::string last_error;
  std::vector<RemoteForwardStatus> remote_forwards;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUNNEL_STATUS_H_
