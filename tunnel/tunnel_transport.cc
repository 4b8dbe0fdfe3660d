// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_transport.h"

namespace godwit::tunnel {

EndpointConfig TransportConfig(const TunnelCommonConfig& config) {
  EndpointConfig endpoint;
  endpoint.congestion_controller = config.congestion;
  StreamConfig& streams = endpoint.connection.streams;
  // A flow whose application does not read keeps its stream's window filled, for as long as it
  // pleases, and with the connection's window all flows would stand still. So that is as large as
  // memory permits: for 900 such flows that never went fast. Less than what the budget gives
  // without a fight, as who sends beyond the budget sends in vain.
  endpoint.memory_budget_bytes = uint64_t{512} << 20;
  streams.initial_max_data = uint64_t{448} << 20;
  streams.max_connection_window_bytes = streams.initial_max_data;
  streams.initial_max_stream_data_bidi_local = uint64_t{512} << 10;
  streams.initial_max_stream_data_bidi_remote = uint64_t{512} << 10;
  // 16 MiB in a round trip: 200 Mbit/s to a satellite, for each flow.
  streams.max_stream_window_bytes = uint64_t{16} << 20;
  // Such a window, and as much again that waits. This bounds memory only: how much of a program's
  // data is taken ahead of the path follows the path (transport/streams/send_quota.h).
  streams.max_send_buffer_bytes = uint64_t{32} << 20;
  // One for each TCP connection and each UDP flow.
  streams.max_streams_bidi = 8'192;
  streams.max_streams_uni = 0;
  // UDP's applications would have a packet lost rather than late.
  endpoint.connection.datagrams.max_send_bytes = uint64_t{256} << 10;
  endpoint.connection.datagrams.when_send_full = DatagramDrop::kOldest;
  endpoint.connection.idle.max_idle_timeout = config.give_up;
  endpoint.connection.idle.keep_alive_interval = config.keep_alive;
  return endpoint;
}

TlsCertificate TlsIdentity(const Identity& identity) {
  return {.chain = PemSource::Text(identity.certificate_chain_pem),
          .private_key = PemSource::Text(identity.private_key_pem)};
}

TunnelPeerStatus StatusOf(const TunnelSession& session, Duration connected_for) {
  TunnelPeerStatus status;
  const ConnectionRef& connection = session.connection();
  if (const auto info = connection.Info(); info.ok()) {
    status.key = info->peer_public_key_hash.value_or(PublicKeyHash());
    status.local = info->four_tuple.local;
    status.address = info->four_tuple.peer;
  }
  if (const auto stats = connection.Stats(); stats.ok()) status.transport = *stats;
  status.connected_for = connected_for;
  status.max_udp_payload_bytes = connection.max_datagram_payload_bytes();
  status.bytes = session.totals();
  status.tcp_flows = session.tcp_flow_count();
  status.udp_flows = session.udp_flow_count();
  status.flows_opened = session.flows_opened();
  return status;
}

void Add(const FlowTotals& more, FlowTotals& sum) {
  sum.bytes_to_peer += more.bytes_to_peer;
  sum.bytes_from_peer += more.bytes_from_peer;
}

}  // namespace godwit::tunnel
