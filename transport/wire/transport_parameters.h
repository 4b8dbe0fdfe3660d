// SPDX-License-Identifier: Apache-2.0
//
// Transport parameters: what each endpoint declares about itself in the TLS handshake, to bytes and
// back. RFC 9000 §7.4, §18; RFC 9221 §3 (max_datagram_frame_size); RFC 9287 §3 (grease_quic_bit);
// RFC 9368 §3 (version_information); draft-ietf-quic-ack-frequency §3 (min_ack_delay).
//
// Whether the connection ids in them are the right ones is decided in
// connection_id_authentication.h, whether the version is in version_authentication.h, what a client
// may remember of them in zero_rtt_parameters.h.
//
// Invariants:
//  1. What ParseTransportParameters() accepts keeps every rule that its sender must keep by itself;
//     WriteTransportParameters() writes nothing else.
//  2. A parameter that is left out and one that has its default mean the same, so defaults are
//     never written.
//  3. Parsing takes at most kMaxTransportParameterBytes, n log n time and no memory but the
//  stack's.
#ifndef GODWIT_TRANSPORT_WIRE_TRANSPORT_PARAMETERS_H_
#define GODWIT_TRANSPORT_WIRE_TRANSPORT_PARAMETERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/limits.h"
#include "base/result.h"
#include "godwit/connection_id.h"
#include "godwit/perspective.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/version_information.h"

namespace godwit {

// RFC 9000 §9.6, §18.2: where a server wants to be talked to once the handshake is over, with the
// connection id of sequence number 1 to use there.
struct PreferredAddress {
  // Absent: the server offers none of this family. An unspecified address or port 0 counts as
  // absent, as no datagram can be sent there.
  std::optional<SocketAddress> ipv4;
  std::optional<SocketAddress> ipv6;
  ConnectionId connection_id;  // Not empty.
  StatelessResetToken stateless_reset_token;

  friend bool operator==(const PreferredAddress&, const PreferredAddress&) = default;
};

// The names are those of the RFCs. Initialized to what an absent parameter means; std::optional
// where absence is no value. Sizes and limits of data are in bytes.
struct TransportParameters {
  // RFC 9000 §18.2. Zero: no idle timeout. Infinite stands for what Duration cannot hold.
  Duration max_idle_timeout;
  uint64_t max_udp_payload_size = kMaxDatagramBytes;
  uint64_t initial_max_data = 0;
  uint64_t initial_max_stream_data_bidi_local = 0;
  uint64_t initial_max_stream_data_bidi_remote = 0;
  uint64_t initial_max_stream_data_uni = 0;
  uint64_t initial_max_streams_bidi = 0;
  uint64_t initial_max_streams_uni = 0;
  uint64_t ack_delay_exponent = 3;
  Duration max_ack_delay = Duration::Milliseconds(25);
  bool disable_active_migration = false;
  uint64_t active_connection_id_limit = kMinActiveConnectionIdLimit;
  std::optional<ConnectionId> initial_source_connection_id;

  // RFC 9000 §18.2: a server's only.
  std::optional<ConnectionId> original_destination_connection_id;
  std::optional<ConnectionId> retry_source_connection_id;
  std::optional<StatelessResetToken> stateless_reset_token;
  std::optional<PreferredAddress> preferred_address;

  // RFC 9221 §3: type and length of the frame included. Zero: DATAGRAM frames are not accepted.
  uint64_t max_datagram_frame_size = 0;
  // RFC 9287 §3: accepts packets with the fixed bit cleared.
  bool grease_quic_bit = false;
  // draft-ietf-quic-ack-frequency §3. Absent: ACK_FREQUENCY and IMMEDIATE_ACK are not accepted.
  std::optional<Duration> min_ack_delay;
  std::optional<VersionInformation> version_information;

  friend bool operator==(const TransportParameters&, const TransportParameters&) = default;
};

// Whether `parameters` keep the rules for what a `sender` may declare: ranges, and what the
// parameters demand of each other. RFC 9000 §18.2 and the sections above.
Result CheckTransportParameters(const TransportParameters& parameters, Perspective sender);

// Reads the whole `block`, the contents of the TLS extension, that `sender` sent. Unknown and
// reserved parameters are skipped. After an error `parameters` are what they were.
Result ParseTransportParameters(std::span<const uint8_t> block, Perspective sender,
                                TransportParameters* parameters);

// RFC 9000 §18.1: a parameter whose id is of the form 31 * N + 27 means nothing; receivers must
// skip it. Sent so that they do.
struct ReservedTransportParameter {
  uint64_t random_bits = 0;  // Choose N.
  std::span<const uint8_t> value;
};

// How to write, besides what. Without, parameters come in a fixed order and no others.
struct TransportParameterEncoding {
  std::optional<ReservedTransportParameter> reserved = std::nullopt;
  // Parameters come in an order that depends on this alone: peers must not rely on any. From a
  // random source, it also keeps the order from telling which implementation this is.
  std::optional<uint64_t> order_seed = std::nullopt;
};

// Exactly what WriteTransportParameters() takes.
size_t EncodedSize(const TransportParameters& parameters,
                   const TransportParameterEncoding& encoding = {});

// Durations are rounded up to the units of the wire. It is our own bug (GODWIT_CHECK) if
// CheckTransportParameters() refuses the parameters, if a number is above kMaxVarint, a duration
// negative, a preferred address of the wrong family or not one to send to, or the whole above
// kMaxTransportParameterBytes.
void WriteTransportParameters(const TransportParameters& parameters, Perspective sender,
                              const TransportParameterEncoding& encoding, ByteWriter& writer);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_TRANSPORT_PARAMETERS_H_
