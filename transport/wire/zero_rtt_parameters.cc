// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/zero_rtt_parameters.h"

#include <cstdint>

#include "base/protocol_errors.h"

namespace godwit {
namespace {

using T = TransportParameters;

// RFC 9000 §7.4.1: what a server that accepts 0-RTT must not make smaller.
constexpr uint64_t T::*kLimits[] = {
    &T::active_connection_id_limit,
    &T::initial_max_data,
    &T::initial_max_stream_data_bidi_local,
    &T::initial_max_stream_data_bidi_remote,
    &T::initial_max_stream_data_uni,
    &T::initial_max_streams_bidi,
    &T::initial_max_streams_uni,
};

}  // namespace

TransportParameters RememberedForZeroRtt(const TransportParameters& server_parameters) {
  TransportParameters remembered;
  for (uint64_t T::*const limit : kLimits) remembered.*limit = server_parameters.*limit;
  // RFC 9000 §7.4.1: a client remembers all that it understands and is not told to forget. By name,
  // so that a new parameter is forgotten until its document was read: min_ack_delay must be,
  // version_information speaks of one handshake, and grease_quic_bit of a ticket permits nothing
  // (RFC 9287 §3.1: the fixed bit is not cleared before the peer of this connection said so).
  remembered.max_idle_timeout = server_parameters.max_idle_timeout;
  remembered.max_udp_payload_size = server_parameters.max_udp_payload_size;
  remembered.disable_active_migration = server_parameters.disable_active_migration;
  remembered.max_datagram_frame_size = server_parameters.max_datagram_frame_size;
  return remembered;
}

Result CheckZeroRttParameters(const ZeroRttParameters& parameters) {
  const TransportParameters& remembered = parameters.remembered;
  const TransportParameters& current = parameters.current;
  for (uint64_t T::*const limit : kLimits) {
    if (current.*limit < remembered.*limit) return kZeroRttLimitReduced;
  }
  // RFC 9221 §3.
  if (current.max_datagram_frame_size < remembered.max_datagram_frame_size) {
    return kZeroRttDatagramSizeReduced;
  }
  return Result::Ok();
}

}  // namespace godwit
