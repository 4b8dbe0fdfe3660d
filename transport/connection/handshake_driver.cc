// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/handshake_driver.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"

namespace godwit {
namespace {

void ApplyPeerParameters(ConnectionParts& parts, Timestamp now) {
  const TransportParameters& peer = *parts.handshake.peer_parameters();
  parts.peer = {.max_ack_delay = peer.max_ack_delay,
                .ack_delay_exponent = peer.ack_delay_exponent,
                .max_datagram_frame_size = peer.max_datagram_frame_size};
  parts.streams.OnPeerParameters(peer);
  parts.idle.OnPeerTimeout(peer.max_idle_timeout);
  if (peer.stateless_reset_token.has_value()) {
    parts.peer_cids.SetFirstToken(*peer.stateless_reset_token);
  }
  parts.paths.OnPeerMaxUdpPayload(peer.max_udp_payload_size);
  parts.OnMaxDatagramBytesChanged(now);
}

Result ReadPeerParameters(ConnectionParts& parts, Timestamp now) {
  if (parts.handshake.has_read_peer_parameters()) return Result::Ok();
  const TlsFacts facts = parts.tls->facts();
  if (facts.peer_transport_parameters.empty() && !facts.handshake_complete) return Result::Ok();
  // A client has them from a Handshake packet, which comes after the server's Initial.
  GODWIT_CHECK(parts.ids.peer_source.has_value());
  GODWIT_RETURN_IF_ERROR(parts.handshake.OnPeerParameters(
      facts.peer_transport_parameters, {.peer_initial_source = *parts.ids.peer_source,
                                        .original_destination = parts.ids.original_destination}));
  ApplyPeerParameters(parts, now);
  return Result::Ok();
}

}  // namespace

Result AdvanceHandshake(ConnectionParts& parts, Timestamp now) {
  while (const std::optional<TlsSecret> secret = parts.tls->PollSecret()) {
    parts.keys.InstallSecret(*secret);
  }
  while (const std::optional<std::string> line = parts.tls->PollKeyLogLine()) {
    parts.env.events->OnKeyLogLine(*line);
  }
  parts.crypto.CollectFrom(*parts.tls, parts.env.pools->send_blocks);
  GODWIT_RETURN_IF_ERROR(ReadPeerParameters(parts, now));
  if (parts.tls->facts().handshake_complete && parts.handshake.OnTlsComplete()) {
    parts.events.handshake_complete = true;
    parts.local_cids.OnPeerParameters(
        parts.handshake.peer_parameters()->active_connection_id_limit);
    parts.handshake.ForgetPeerParameters();
    // RFC 9001 §4.1.2: of a server, this confirms it.
    if (parts.handshake.is_confirmed()) OnHandshakeConfirmed(parts);
  }
  return Result::Ok();
}

void OnHandshakeConfirmed(ConnectionParts& parts) {
  if (parts.keys.is_discarded(EncryptionLevel::kHandshake)) return;
  parts.is_peer_validation_complete = true;
  parts.keys.one_rtt().OnHandshakeConfirmed();
  // RFC 9001 §4.9.2. The Initial keys have gone with the first Handshake packet.
  DiscardLevel(parts, EncryptionLevel::kInitial);
  DiscardLevel(parts, EncryptionLevel::kHandshake);
  parts.events.handshake_confirmed = true;
}

void DiscardLevel(ConnectionParts& parts, EncryptionLevel level) {
  if (parts.keys.is_discarded(level)) return;
  parts.keys.Discard(level);
  parts.crypto.DiscardLevel(level, parts.env.pools->send_blocks, parts.env.pools->receive_blocks);
  Path& path = parts.paths.active();
  // RFC 9002 §6.4: its packets leave flight, and the backoff begins anew (§6.2.2).
  std::unique_ptr<PacketSpace>& space = parts.spaces[static_cast<size_t>(SpaceOf(level))];
  path.OnPacketsDiscarded(space->DiscardAll(path.id()));
  DiscardedSpaces& discarded = parts.discarded_spaces;
  discarded.largest_acked_sent_time =
      std::max(discarded.largest_acked_sent_time, space->largest_acked_sent_time());
  discarded.last_ack_eliciting_sent_time =
      std::max(discarded.last_ack_eliciting_sent_time, space->last_ack_eliciting_sent_time());
  space = nullptr;
  parts.probes_due[static_cast<size_t>(SpaceOf(level))] = 0;
  parts.probe_timer.Reset();
}

}  // namespace godwit
