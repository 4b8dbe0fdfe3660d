// SPDX-License-Identifier: Apache-2.0
//
// ConnectionParts: the parts of one connection by value, and the few facts that belong to none of
// them. Only files of this folder include it. No part knows another one: receive_path, send_path
// and timeout_path take what one part reports and tell it to the others.
#ifndef GODWIT_TRANSPORT_CONNECTION_CONNECTION_PARTS_H_
#define GODWIT_TRANSPORT_CONNECTION_CONNECTION_PARTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "crypto/tls_session.h"
#include "godwit/connection_config.h"
#include "godwit/connection_id.h"
#include "godwit/connection_stats.h"
#include "godwit/drop_reason.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "transport/connection/connection_environment.h"
#include "transport/connection/connection_scratch.h"
#include "transport/connection/send_block_tally.h"
#include "transport/lifecycle/close_state.h"
#include "transport/lifecycle/crypto_streams.h"
#include "transport/lifecycle/handshake_state.h"
#include "transport/lifecycle/idle_timer.h"
#include "transport/lifecycle/key_manager.h"
#include "transport/lifecycle/undecryptable_packets.h"
#include "transport/path/local_cids.h"
#include "transport/path/path_manager.h"
#include "transport/path/peer_cids.h"
#include "transport/recovery/packet_space.h"
#include "transport/recovery/probe_timer.h"
#include "transport/recovery/reordering_window.h"
#include "transport/streams/datagram_queue.h"
#include "transport/streams/stream_map.h"

namespace godwit {

// What Connection::PollEvent() has to tell besides what the parts say themselves.
struct PendingEvents {
  bool handshake_complete = false;
  bool handshake_confirmed = false;
  bool datagram_received = false;
  bool max_datagram_payload_changed = false;
  bool path_changed = false;
  bool is_close_told = false;

  // Of those that are told before the streams' own.
  bool has_urgent() const {
    return handshake_complete | handshake_confirmed | path_changed | max_datagram_payload_changed;
  }
};

// The connection ids of the handshake, which its end authenticates. RFC 9000 §7.3.
struct HandshakeIds {
  ConnectionId original_destination;
  std::optional<ConnectionId> peer_source =
      std::nullopt;  // None: a client that has not heard of its server.
};

// What stays of the peer's transport parameters once all parts have heard of them.
struct PeerPromises {
  Duration max_ack_delay = Duration::Zero();
  uint64_t ack_delay_exponent = 3;  // RFC 9000 §18.2: of Initial and Handshake packets too.
  uint64_t max_datagram_frame_size = 0;
};

// What counts of packet number spaces that are gone: the latest times of both.
struct DiscardedSpaces {
  Timestamp largest_acked_sent_time = Timestamp::InfinitePast();
  Timestamp last_ack_eliciting_sent_time = Timestamp::InfinitePast();
};

// Who begins, and with what.
struct ConnectionStart {
  Perspective perspective;
  FourTuple four_tuple;
  ConnectionId local_cid;
  std::optional<StatelessResetToken> local_cid_token = std::nullopt;
  ConnectionId peer_cid;  // Where the first packet goes to.
  HandshakeIds ids;
  Timestamp now;
};

struct ConnectionParts {
  ConnectionParts(const ConnectionConfig& connection_config,
                  const ConnectionEnvironment& environment, const ConnectionStart& start,
                  std::unique_ptr<TlsSession> tls_session);

  // The level's keys were not discarded.
  PacketSpace& SpaceFor(EncryptionLevel level) {
    return *spaces[static_cast<size_t>(SpaceOf(level))];
  }
  const PacketSpace& SpaceFor(EncryptionLevel level) const {
    return *spaces[static_cast<size_t>(SpaceOf(level))];
  }
  bool is_client() const { return perspective == Perspective::kClient; }
  bool is_open() const { return close.phase() == CloseState::Phase::kOpen; }

  // Whether the limit on amplification (RFC 9000 §8.1, §9.3) leaves room for a packet. What it
  // forbids has no time.
  bool HasCreditToSend() const;

  // RFC 9002 §6.2.1, without backoff, of the application's packets.
  Duration Pto() const;
  uint64_t MaxDatagramPayloadBytes() const;
  StreamContext StreamContextAt(Timestamp now) const;
  void Drop(Timestamp now, DropReason reason, size_t bytes);
  // Closes for what the peer did, unless it is closed already.
  void Fail(Result error, uint64_t frame_type, Timestamp now);
  // The peer has moved, or has turned out not to have: another path is active.
  void UseActivePath(Timestamp now);
  // A path is gone, and its connection id is free.
  void ReleasePath(PathId path);
  // The path's datagram size is another one now.
  void OnMaxDatagramBytesChanged(Timestamp now);

  const Perspective perspective;
  // RFC 9002 §A.6: a client knows that its server believes its address.
  bool is_peer_validation_complete;
  bool may_grow_windows = true;
  // Packets that are to be sent because a timer fired, whatever the window says.
  std::array<uint8_t, kPacketNumberSpaceCount> probes_due = {};
  PendingEvents events;
  const ConnectionConfig& config;
  const ConnectionEnvironment env;
  std::unique_ptr<TlsSession> tls;
  HandshakeIds ids;
  PeerPromises peer;

  KeyManager keys;
  CryptoStreams crypto;
  HandshakeState handshake;
  IdleTimer idle;
  CloseState close;
  UndecryptablePackets undecryptable;

  // Null: its keys were discarded.
  std::array<std::unique_ptr<PacketSpace>, kPacketNumberSpaceCount> spaces;
  DiscardedSpaces discarded_spaces;
  ReorderingWindow reordering;
  ProbeTimer probe_timer;

  StreamMap streams;
  DatagramQueue datagrams;

  PathManager paths;
  LocalCids local_cids;
  PeerCids peer_cids;

  // Of 1-RTT packets that were no path probes. RFC 9000 §9.3.
  PacketNumber largest_non_probing = PacketNumber::None();
  // Of the active path, at the latest.
  Timestamp first_rtt_sample_time = Timestamp::Infinite();
  // When pacing lets go what waits now. Infinite: nothing waits for it.
  Timestamp pacing_release = Timestamp::Infinite();
  // When memory that only traffic needs is given back. Infinite: it was.
  Timestamp quiet_at = Timestamp::Infinite();
  SendBlockTally blocked;
  ConnectionCounters counters;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_CONNECTION_PARTS_H_
