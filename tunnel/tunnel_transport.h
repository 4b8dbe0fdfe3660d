// SPDX-License-Identifier: Apache-2.0
//
// What a tunnel asks of the transport, the same on both sides: windows, streams, timeouts, and what
// a connection says of itself. Numbers and their reasons are in the .cc.
#ifndef GODWIT_TUNNEL_TUNNEL_TRANSPORT_H_
#define GODWIT_TUNNEL_TUNNEL_TRANSPORT_H_

#include "godwit/connection_ref.h"
#include "godwit/endpoint_config.h"
#include "godwit/time.h"
#include "godwit/tls_config.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_session.h"
#include "tunnel/tunnel_status.h"

namespace godwit::tunnel {

EndpointConfig TransportConfig(const TunnelCommonConfig& config);
TlsCertificate TlsIdentity(const Identity& identity);

TunnelPeerStatus StatusOf(const TunnelSession& session, Duration connected_for);
void Add(const FlowTotals& more, FlowTotals& sum);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUNNEL_TRANSPORT_H_
