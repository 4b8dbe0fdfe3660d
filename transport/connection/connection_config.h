// SPDX-License-Identifier: Apache-2.0
//
// ConnectionConfig: what an application decides about a connection, and ConnectionEnvironment: what
// connections of one endpoint share. Values are checked where the endpoint is configured; here they
// are taken as they are.
#ifndef GODWIT_TRANSPORT_CONNECTION_CONNECTION_CONFIG_H_
#define GODWIT_TRANSPORT_CONNECTION_CONNECTION_CONFIG_H_

#include <cstdint>

#include "base/environment.h"
#include "congestion/rtt_estimator.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"
#include "transport/lifecycle/idle_timer.h"
#include "transport/path/mtu_discovery.h"
#include "transport/streams/datagram_queue.h"
#include "transport/streams/stream_config.h"
#include "transport/streams/stream_pools.h"

namespace godwit {

struct ConnectionScratch;

struct ConnectionConfig {
  StreamConfig streams;
  DatagramQueue::Config datagrams;
  // RFC 9221 §3: bytes of a DATAGRAM frame that the peer may send, type and length included. 0: the
  // peer may not send any.
  uint64_t max_datagram_frame_size = 65'535;
  IdleTimer::Config idle;
  MtuDiscovery::Config mtu;
  // From the first packet to the end of the handshake.
  Duration handshake_timeout = Duration::Seconds(10);
  // RFC 9002 §6.2.1: the backoff of probe timeouts does not go beyond this, or 3 PTO if that is
  // more.
  Duration pto_ceiling = Duration::Seconds(2);
  // RFC 9000 §18.2: how long we may hold an acknowledgment back.
  Duration max_ack_delay = Duration::Milliseconds(25);
  // RFC 9002 §6.2.2.
  Duration initial_rtt = kInitialRtt;
  // RFC 9000 §9: of a server: the client may move.
  bool allows_migration = true;
  // Not null; outlives the connection.
  const CongestionControllerFactory* controller = nullptr;
};

// All of it outlives the connection, and belongs to the same thread.
struct ConnectionEnvironment {
  Random* random = nullptr;
  EventSink* events = nullptr;
  StreamPools* pools = nullptr;
  ConnectionScratch* scratch = nullptr;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_CONNECTION_CONFIG_H_
