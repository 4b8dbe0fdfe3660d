// SPDX-License-Identifier: Apache-2.0
//
// PeerCids: the connection ids that the peer has given a connection, and which of them each path
// uses. RFC 9000 §5.1, §9.5, §10.3.1, §19.15, §19.16.
//
// It decides which id a path gets, what is retired when, and what a peer may demand of us. It does
// not know what paths are beyond their ids, nor when to migrate.
//
// RETIRE_CONNECTION_ID frames that the peer does not acknowledge are kept, and a peer that makes us
// keep more than a few is one that attacks (CVE-2024-22189): the connection ends.
//
// Invariants:
//  1. An id is used on one path, and a path keeps its id until the peer or our side retires it.
//  2. The active path always has an id. If the peer retired it and has given no other, it is used
//     until the next one comes, and retired only then.
//  3. At most kActiveConnectionIdLimit ids that are not retired; together with the retirements
//     under way at most kMaxPeerConnectionIdsTracked.
#ifndef GODWIT_TRANSPORT_PATH_PEER_CIDS_H_
#define GODWIT_TRANSPORT_PATH_PEER_CIDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/packet_number.h"
#include "base/path_id.h"
#include "base/result.h"
#include "godwit/connection_id.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/reliable_value.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {

class PeerCids {
 public:
  // `first` is used on `active_path`. A client begins with an id of its own making.
  explicit PeerCids(const ConnectionId& first, PathId active_path = PathId(0));

  // ---- The first id, during the handshake ----

  // The server has chosen another one, in a Retry packet or its first Initial.
  void ReplaceFirst(const ConnectionId& id);
  // RFC 9000 §18.2: stateless_reset_token.
  void SetFirstToken(const StatelessResetToken& token);
  // RFC 9000 §5.1.1: preferred_address brings the id with sequence number 1.
  Result OnPreferredAddress(const ConnectionId& id, const StatelessResetToken& token);

  // ---- Paths ----

  // The id of the active path.
  const ConnectionId& current() const;
  // The path has an id, by AssignTo().
  const ConnectionId& For(PathId path) const;
  bool HasFor(PathId path) const;
  // Gives the path an id that no path has used, unless it has one. False if there is none: nothing
  // can be sent on that path until the peer issues more.
  bool AssignTo(PathId path);
  // The path has an id. Long headers and Rotate() mean this path.
  void SetActivePath(PathId path);
  PathId active_path() const { return active_path_; }
  // Retires the id of a path that was given up, if it has one. Not for the active path.
  void Release(PathId path);
  // The active path was given up, and `path`, which has no id and found none, goes on with its id.
  void HandOverTo(PathId path);
  // The active path takes a fresh id and retires the one that it had. False if there is none.
  bool Rotate();
  // Ids that no path uses.
  size_t spare_count() const;

  // ---- Frames ----

  Result OnNewConnectionIdFrame(const NewConnectionIdFrame& frame);

  bool HasPendingFrames() const { return pending_count_ != 0; }
  void WriteFrames(FrameWriter& writer);
  void OnFrameAcked(PacketNumber number, const SentFrame& frame);
  void OnFrameLost(PacketNumber number, const SentFrame& frame);

  // Whether a datagram that ends in `token` is a stateless reset. In a time that does not depend on
  // the tokens. RFC 9000 §10.3.1: ids that are not in use do not count.
  bool IsResetToken(const StatelessResetToken& token) const;

  // Retirements that the peer has not acknowledged.
  size_t retirement_count() const { return retirements_.size(); }

  void CheckInvariants() const;

 private:
  struct Entry {
    uint64_t sequence_number = 0;
    ConnectionId id;
    std::optional<StatelessResetToken> token;
    std::optional<PathId> path;
    bool is_overdue = false;  // The peer wants it retired.
  };
  struct Retirement {
    uint64_t sequence_number = 0;
    ReliableSignal announcement;
  };

  // Sequence numbers below the largest seen for which we know whether they came.
  static constexpr uint64_t kSeenWindow = 64;

  enum class Seen : uint8_t { kNo, kYes, kForgotten };

  // Every other id has bytes.
  bool is_empty() const { return entries_.front().id.empty(); }
  const Entry* FindFor(PathId path) const;
  Entry* FindSpare();
  // `is_known` becomes true if the frame is about an id that is held.
  Result CheckAgainstKnown(const NewConnectionIdFrame& frame, bool& is_known) const;
  void RetirePriorTo(uint64_t retire_prior_to);
  // A frame about an id that is not held.
  void AddOrRetire(const NewConnectionIdFrame& frame);
  // Whether an id with this sequence number came before.
  Seen NoteSeen(uint64_t sequence_number);
  // Retires what is overdue, and gives those paths other ids as far as there are any.
  void ReplaceOverdue();
  // Moves entry number `index` to the retirements.
  void Retire(size_t index);
  void AddRetirement(uint64_t sequence_number);
  // RFC 9000 §5.1.1: what counts towards the limit that we granted.
  size_t active_count() const;

  std::vector<Entry> entries_;
  std::vector<Retirement> retirements_;
  uint64_t retire_prior_to_ = 0;
  uint64_t largest_seen_ = 0;
  uint64_t seen_bits_ = 1;  // Bit n: largest_seen_ - n was seen.
  size_t pending_count_ = 0;
  PathId active_path_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_PATH_PEER_CIDS_H_
