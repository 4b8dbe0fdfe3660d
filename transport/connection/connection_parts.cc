// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/connection_parts.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "transport/connection/packet_builder.h"
#include "transport/wire/packet_header_encoder.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

Path::Params FirstPath(const ConnectionConfig& config, const ConnectionEnvironment& environment,
                       const ConnectionStart& start) {
  return {.id = PathId(0),
          .four_tuple = start.four_tuple,
          .factory = environment.controller,
          .initial_rtt = config.initial_rtt,
          .mtu = config.mtu,
          // RFC 9000 §8.1: a client chose its server's address.
          .is_validated = start.perspective == Perspective::kClient,
          .now = start.now};
}

}  // namespace

ConnectionParts::ConnectionParts(const ConnectionConfig& connection_config,
                                 const ConnectionEnvironment& environment,
                                 const ConnectionStart& start,
                                 std::unique_ptr<TlsSession> tls_session)
    : perspective(start.perspective),
      is_peer_validation_complete(start.perspective == Perspective::kServer),
      config(connection_config),
      env(environment),
      tls(std::move(tls_session)),
      ids(start.ids),
      keys(start.perspective, start.ids.original_destination.bytes()),
      handshake(start.perspective, start.now + connection_config.handshake_timeout),
      idle(connection_config.idle, start.now),
      spaces{std::make_unique<PacketSpace>(PacketNumberSpace::kInitial),
             std::make_unique<PacketSpace>(PacketNumberSpace::kHandshake),
             std::make_unique<PacketSpace>(PacketNumberSpace::kApplication)},
      probe_timer(connection_config.pto_ceiling),
      streams(start.perspective, connection_config.streams),
      datagrams(connection_config.datagrams),
      paths(FirstPath(connection_config, environment, start),
            {.perspective = start.perspective,
             .is_migration_allowed = connection_config.allows_migration}),
      local_cids(start.local_cid, start.local_cid_token),
      peer_cids(start.peer_cid),
      blocked(SendBlockedBy::kHandshake, start.now) {
  SpaceFor(EncryptionLevel::kOneRtt).acks().SetDelayPolicy(config.max_ack_delay, 2);
}

bool ConnectionParts::HasCreditToSend() const {
  const uint64_t least =
      handshake.is_complete() ? PacketBuilder::kMinOneRttBytes : kMinInitialDatagramBytes;
  return paths.active().AmplificationCredit() >= least;
}

Duration ConnectionParts::Pto() const { return paths.active().rtt().PtoBase(peer.max_ack_delay); }

uint64_t ConnectionParts::MaxDatagramPayloadBytes() const {
  if (peer.max_datagram_frame_size == 0) return 0;
  const uint64_t mtu = paths.active().mtu().max_datagram_bytes();
  // With a length: a frame that does not fill its packet to the last byte needs one.
  const uint64_t frame_header = 1 + VarintSize(mtu);
  const uint64_t around = ShortHeaderSize(peer_cids.current().size(), kMaxPacketNumberSize) +
                          kAeadTagLength + frame_header;
  const uint64_t frame = peer.max_datagram_frame_size;
  return std::min(mtu - around, frame > frame_header ? frame - frame_header : 0);
}

StreamContext ConnectionParts::StreamContextAt(Timestamp now) const {
  return {.now = now,
          .smoothed_rtt = paths.active().rtt().smoothed_rtt(),
          .may_grow_windows = may_grow_windows,
          .pools = env.pools};
}

void ConnectionParts::Drop(Timestamp now, DropReason reason, size_t bytes) {
  ++counters.packets_dropped;
  env.events->OnPacketDropped(now, reason, bytes);
}

void ConnectionParts::Fail(Result error, uint64_t frame_type, Timestamp now) {
  if (!is_open()) return;
  close.CloseByProtocolError(error.error(), frame_type, tls->failure_reason(), now, Pto());
}

void ConnectionParts::UseActivePath(Timestamp now) {
  const PathId id = paths.active().id();
  // RFC 9000 §9.5. Without a spare id the path goes on with the one that it can be linked by,
  // rather than not at all.
  if (peer_cids.AssignTo(id)) peer_cids.SetActivePath(id);
  probe_timer.Reset();
  // RFC 9002 §7.6.2: what is lost before this path's own first sample is no persistent congestion.
  if (!paths.active().rtt().has_sample()) first_rtt_sample_time = Timestamp::Infinite();
  streams.SetCongestionWindow(paths.active().controller().congestion_window_bytes());
  OnMaxDatagramBytesChanged(now);
}

void ConnectionParts::ReleasePath(PathId path) {
  if (path != peer_cids.active_path()) return peer_cids.Release(path);
  // The path in use has been using that id, for want of one of its own.
  peer_cids.HandOverTo(paths.active().id());
}

void ConnectionParts::OnMaxDatagramBytesChanged(Timestamp now) {
  Path& path = paths.active();
  path.SetMaxDatagramBytes(path.mtu().max_datagram_bytes(), now);
  datagrams.OnMaxPayloadChanged(MaxDatagramPayloadBytes());
  events.max_datagram_payload_changed = true;
}

}  // namespace godwit
