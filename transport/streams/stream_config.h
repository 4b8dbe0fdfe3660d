// SPDX-License-Identifier: Apache-2.0
//
// StreamConfig: what a connection grants its peer, and how much its streams may keep in memory.
// The first six numbers are also what our transport parameters declare (RFC 9000 §18.2).
//
// Invariants (StreamMap checks them): windows are at most kMaxStreamOffset, counts at most
// kMaxStreams; a maximum window below the initial one means that it never grows.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_CONFIG_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_CONFIG_H_

#include <cstdint>

namespace godwit {

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

  // Written and not acknowledged, of all streams together.
  uint64_t max_send_buffer_bytes = uint64_t{8} << 20;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_CONFIG_H_
