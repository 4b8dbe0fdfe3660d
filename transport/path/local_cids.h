// SPDX-License-Identifier: Apache-2.0
//
// LocalCids: the connection ids that a connection has given its peer, by which packets find it.
// RFC 9000 §5.1, §19.15, §19.16.
//
// It decides how many ids the peer should have, announces them until acknowledged, and when a
// retired one need not be routed any more. It neither generates ids or tokens nor routes: its owner
// adds what wanted_count() asks for, and removes from its table what PollRetired() names.
//
// An endpoint that chose the empty connection id has one entry and never issues others.
//
// Invariants:
//  1. Sequence numbers count up by one, and entries are in their order (RFC 9000 §5.1.1).
//  2. The peer holds at most its active_connection_id_limit of ids that we did not ask it to
//     retire.
//  3. At most kMaxLocalConnectionIds are routed, retired ones included: a peer that retires as fast
//     as it can gets that many ids in three PTOs.
#ifndef GODWIT_TRANSPORT_PATH_LOCAL_CIDS_H_
#define GODWIT_TRANSPORT_PATH_LOCAL_CIDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/packet_number.h"
#include "base/result.h"
#include "godwit/connection_id.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/reliable_value.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {

class LocalCids {
 public:
  // `first` is the Source Connection ID of the handshake, `first_token` what a server says for it
  // in its transport parameters.
  LocalCids(const ConnectionId& first, std::optional<StatelessResetToken> first_token);

  // RFC 9000 §18.2. From now on ids are wanted, so call it once the handshake is complete.
  void OnPeerParameters(uint64_t active_connection_id_limit);

  // How many ids to add.
  size_t wanted_count() const;
  // A fresh id, already routed, and of the length of the first. Only if one is wanted.
  void Add(const ConnectionId& id, const StatelessResetToken& token);

  // Asks the peer to retire all ids that it has; as many new ones are wanted for it. False, and
  // nothing happens, while it has not retired all that it was asked to (RFC 9000 §5.1.2), before
  // OnPeerParameters(), and where the id is empty.
  bool RotateAll();

  // `dcid_of_packet`: of the packet with the frame. `pto`: of the path that it came on.
  Result OnRetireConnectionIdFrame(const RetireConnectionIdFrame& frame,
                                   std::span<const uint8_t> dcid_of_packet, Timestamp now,
                                   Duration pto);

  // An id that packets on their way can not carry any more: to be unrouted. Call until nothing
  // comes.
  std::optional<ConnectionId> PollRetired(Timestamp now);
  // When PollRetired() has something next. Infinite() if nothing is retired.
  Timestamp next_deadline() const;

  bool HasPendingFrames() const { return pending_count_ != 0; }
  void WriteFrames(FrameWriter& writer);
  void OnFrameAcked(PacketNumber number, const SentFrame& frame);
  void OnFrameLost(PacketNumber number, const SentFrame& frame);

  // Bytes of every id.
  size_t id_bytes() const { return id_bytes_; }

  // Everything that is routed, in the order of sequence numbers.
  size_t routed_count() const { return entries_.size(); }
  const ConnectionId& routed(size_t index) const { return entries_[index].id; }

  // What the peer has of ids that it was not asked to retire, and those on their way to it.
  size_t active_count() const;

  void CheckInvariants() const;

 private:
  struct Entry {
    uint64_t sequence_number = 0;
    ConnectionId id;
    StatelessResetToken token;
    ReliableSignal announcement;  // Idle for the first, which the handshake announced.
    // Infinite() until the peer has retired it.
    Timestamp unroute_at = Timestamp::Infinite();

    bool is_retired() const { return unroute_at != Timestamp::Infinite(); }
  };

  Entry* Find(uint64_t sequence_number);

  std::vector<Entry> entries_;
  uint64_t next_sequence_number_ = 1;
  uint64_t retire_prior_to_ = 0;
  size_t wanted_active_count_ = 0;  // 0: not known yet.
  size_t pending_count_ = 0;        // Entries whose announcement is pending.
  uint8_t id_bytes_;                // 0: no others are issued.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_PATH_LOCAL_CIDS_H_
