// SPDX-License-Identifier: Apache-2.0
//
// ConnectionConfig: what an application decides about a connection: what it grants its peer, how
// long it waits, how much it keeps in memory. Every value has a default that is safe on the open
// internet. Values are checked where the endpoint is made, and errors name the field, what it is
// and what is allowed.
#ifndef GODWIT_INCLUDE_CONNECTION_CONFIG_H_
#define GODWIT_INCLUDE_CONNECTION_CONFIG_H_

#include <cstdint>

#include "godwit/time.h"

namespace godwit {

// What a connection grants its peer, and how much its streams may keep in memory. The first six
// numbers are also what our transport parameters declare (RFC 9000 §18.2). A maximum window below
// the initial one is an error.
struct StreamConfig {
  uint64_t initial_max_data = uint64_t{1} << 20;
  // As RFC 9000 §18.2 has it: "local" streams are those that the sender of the parameter opens.
  uint64_t initial_max_stream_data_bidi_local = uint64_t{256} << 10;
  uint64_t initial_max_stream_data_bidi_remote = uint64_t{256} << 10;
  uint64_t initial_max_stream_data_uni = uint64_t{256} << 10;
  // Open at one time by the peer, of each direction.
  uint64_t max_streams_bidi = 128;
  uint64_t max_streams_uni = 128;

  // What windows grow to where the bandwidth-delay product asks for it.
  uint64_t max_connection_window_bytes = uint64_t{64} << 20;
  uint64_t max_stream_window_bytes = uint64_t{64} << 20;

  // Written and not acknowledged, of all streams together: a bound on memory. How much of it is
  // used follows the path: besides what is in flight, data of two congestion windows may wait to be
  // sent, or 256 KiB if that is more, and of each stream 16 KiB in any case. So the end of a stream
  // is a few round trips behind its last write, however slow the path.
  uint64_t max_send_buffer_bytes = uint64_t{8} << 20;
};

// What a full queue of datagrams does with one more.
enum class DatagramDrop : uint8_t {
  kOldest,  // Makes room: what matters is the latest.
  kNewest,  // Refuses it: what matters is what came first.
};

// DATAGRAM frames (RFC 9221) that wait to be sent or read.
struct DatagramConfig {
  // Payload that waits, in bytes.
  uint64_t max_send_bytes = uint64_t{1} << 20;
  uint64_t max_recv_bytes = uint64_t{1} << 20;
  DatagramDrop when_send_full = DatagramDrop::kNewest;
  DatagramDrop when_recv_full = DatagramDrop::kOldest;
};

// RFC 9000 §10.1.
struct IdleConfig {
  // What we declare to the peer. Zero or infinite: we close no idle connection.
  Duration max_idle_timeout = Duration::Seconds(30);
  // A PING goes out when nothing was received and nothing sent that elicits an acknowledgment for
  // so long. At most half of the idle timeout is waited. Zero: no PING.
  Duration keep_alive_interval = Duration::Zero();
};

// How large a datagram may be, in bytes of UDP payload. RFC 9000 §14, RFC 8899.
struct MtuConfig {
  // What the path is trusted to carry without proof, 1200 or above.
  uint64_t min_mtu = 1200;
  // Ethernet's 1500 without the headers of IPv6 and UDP. At most 65,527.
  uint64_t max_mtu = 1452;
  bool enabled = true;  // If not, every datagram keeps to min_mtu.
};

struct ConnectionConfig {
  StreamConfig streams;
  DatagramConfig datagrams;
  // RFC 9221 §3: bytes of a DATAGRAM frame that the peer may send, type and length included. 0: the
  // peer may not send any.
  uint64_t max_datagram_frame_size = 65'535;
  IdleConfig idle;
  MtuConfig mtu;
  // From the first packet to the end of the handshake.
  Duration handshake_timeout = Duration::Seconds(10);
  // RFC 9002 §6.2.1: the backoff of probe timeouts does not go beyond this, or 3 PTO if that is
  // more.
  Duration pto_ceiling = Duration::Seconds(2);
  // RFC 9000 §18.2: how long we may hold an acknowledgment back.
  Duration max_ack_delay = Duration::Milliseconds(25);
  // RFC 9002 §6.2.2.
  Duration initial_rtt = Duration::Milliseconds(333);
  // RFC 9000 §9: of a server: the client may move.
  bool allows_migration = true;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CONNECTION_CONFIG_H_
