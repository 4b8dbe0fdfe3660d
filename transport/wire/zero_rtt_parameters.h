// SPDX-License-Identifier: Apache-2.0
//
// The part of a server's transport parameters that outlives its connection, so that a client can
// send 0-RTT data within its limits. RFC 9000 §7.4.1; RFC 9221 §3; draft-ietf-quic-ack-frequency
// §3.
//
// The remembered part is a TransportParameters itself, in which everything that must not be
// remembered has its default: what holds for a client until the handshake gives it the new ones.
// For the session ticket it is written with WriteTransportParameters(), without an encoding's
// extras, and read with ParseTransportParameters(), both times as a server's.
#ifndef GODWIT_TRANSPORT_WIRE_ZERO_RTT_PARAMETERS_H_
#define GODWIT_TRANSPORT_WIRE_ZERO_RTT_PARAMETERS_H_

#include "base/result.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

TransportParameters RememberedForZeroRtt(const TransportParameters& server_parameters);

struct ZeroRttParameters {
  const TransportParameters& remembered;
  // Those of the connection that carries the 0-RTT data.
  const TransportParameters& current;
};

// Whether the server reduced nothing that 0-RTT data within the remembered limits could violate. A
// client asks once 0-RTT was accepted; a server asks before, and rejects 0-RTT if the answer is no.
Result CheckZeroRttParameters(const ZeroRttParameters& parameters);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_ZERO_RTT_PARAMETERS_H_
