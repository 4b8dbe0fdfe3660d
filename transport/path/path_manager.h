// SPDX-License-Identifier: Apache-2.0
//
// PathManager: the network paths of one connection: which path a datagram belongs to, which one is
// in use, when the peer has moved, and whether it really has (RFC 9000 §8.2, §9). It owns the paths
// and what is going on to validate them.
//
// It does not choose connection ids, send anything, or measure. Migrations start at the client
// (RFC 9000 §9); here the server learns of them, and the client of a change of its own address.
//
// What it holds against attackers, besides the limit on amplification:
//  - A new address costs a place only. Until a packet from it was authenticated there is one such
//    place, which the next new address takes; then the oldest that is not validated gives way.
//  - Who copies a packet and sends it on from elsewhere (RFC 9000 §9.3.2, §9.3.3) makes us probe
//    both addresses; the next packet that comes on the true path turns us back, and if none does,
//    the failure to validate. The last validated path is kept until the one in use is validated.
//
// Ids: a path that differs from the one in use by its ports alone is probably behind the same NAT.
// When it comes into use it is the addresses that move: the active path keeps its id and all that
// it knows, and the id of the candidate then stands for the old addresses (RFC 9000 §9.4).
//
// Invariants: 1 to kMaxPaths paths, ids and four-tuples unlike; the active one is never removed,
// nor the last validated one as long as the active one has not been proven.
#ifndef GODWIT_TRANSPORT_PATH_PATH_MANAGER_H_
#define GODWIT_TRANSPORT_PATH_PATH_MANAGER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/container/inlined_vector.h"

#include "base/environment.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "base/path_id.h"
#include "base/result.h"
#include "godwit/congestion_controller.h"
#include "godwit/drop_reason.h"
#include "godwit/four_tuple.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/sent_frame.h"
#include "transport/path/path.h"
#include "transport/path/path_responder.h"
#include "transport/path/path_validator.h"
#include "transport/wire/frame.h"

namespace godwit {

// For how long a path is kept that was left, or validated and never used.
inline constexpr Duration kUnusedPathLifetime = Duration::Seconds(30);

class PathManager {
 public:
  struct Config {
    Perspective perspective = Perspective::kServer;
    // If not, peers that appear elsewhere are not heard (RFC 9000 §9: disable_active_migration).
    bool is_migration_allowed = true;
  };

  // Later paths start like `first`, with the next ids and the initial RTT; its factory must outlive
  // the manager.
  PathManager(const Path::Params& first, const Config& config);

  Path& active() { return active_->path; }
  const Path& active() const { return active_->path; }
  // Null if there is none (any more). Valid until the next call of a function that is not const.
  Path* Find(PathId id);
  Path* Find(const FourTuple& four_tuple);
  size_t path_count() const { return slots_.size(); }

  // ---- Datagrams ----

  struct Arrival {
    PathId path;  // The active one if the datagram is to be dropped.
    std::optional<DropReason> drop;
    // A path that gave way and is gone.
    std::optional<PathId> evicted;
  };
  // A datagram that belongs to no path: Find() was null. Counts it towards the credit of the new
  // path, whatever it contains.
  Arrival OnUnknownFourTuple(const FourTuple& four_tuple, uint64_t bytes,
                             bool is_handshake_confirmed, Timestamp now);

  struct MigrationFacts {
    PathId path;
    // Of the packets that are not probing ones it has the largest number (RFC 9000 §9.3).
    bool is_largest_packet_number;
    bool is_probing;
    Timestamp now;
    Duration pto;  // Of the active path, without backoff.
  };
  enum class Migration : uint8_t { kNone, kMigrated };
  // A packet of the application's packet number space was authenticated and its frames were taken.
  // kMigrated: active() has other addresses now, and perhaps another id.
  Migration OnPacketAuthenticated(const MigrationFacts& facts, Random& random);

  // Never an error: an answer can come after we gave up.
  Result OnPathResponseFrame(const PathResponseFrame& frame, Timestamp now, Random& random);
  void OnPathChallengeFrame(const PathChallengeFrame& frame, PathId path);

  // ---- Sending ----

  bool HasPendingFrames(PathId path) const;
  // A path that has frames and may send them now, whatever BudgetFor() says; those not in use
  // first. For all others that have frames credit forbids it, or for answers the window.
  std::optional<PathId> NextPathWithFrames() const;
  // RFC 9000 §8.2.1, §8.2.2: the datagram in which the path's frames go out must be expanded to
  // 1200 bytes. To be asked before they are written. False if there are none, or the path's credit
  // does not allow it.
  bool PathNeedsFullDatagram(PathId path) const;
  // On the active path the packet should not be kPathOnly: RFC 9000 §9.3.3 asks us to show by a
  // non-probing packet that the path is in use.
  void WriteFrames(FrameWriter& writer, PathId path, Timestamp now);
  // `frame`: a PATH_CHALLENGE. Their acknowledgments prove nothing (RFC 9000 §8.2.3).
  void OnFrameLost(PacketNumber number, const SentFrame& frame);

  // ---- Time ----

  Timestamp next_deadline() const;
  struct TimeoutOutcome {
    bool reverted = false;  // active() has its former addresses again, and perhaps its former id.
    bool no_viable_path = false;                       // Nothing is left to turn to.
    absl::InlinedVector<PathId, kMaxPaths> abandoned;  // Gone.
  };
  TimeoutOutcome OnTimeout(Timestamp now, Random& random);

  // ---- For all paths, later ones included ----

  void OnPeerMaxUdpPayload(uint64_t max_udp_payload_bytes);
  // `factory` must outlive the manager.
  void SwitchController(const CongestionControllerFactory& factory, Timestamp now);

  void CheckInvariants() const;

 private:
  // What goes with an address rather than with the congestion state.
  struct Standing {
    PathValidator validator;
    PathResponder responder;
    bool is_authenticated = false;  // A packet that came from there was.
    // Not limited, but not proven either: a client's new address, or 1200 bytes have not passed.
    bool awaits_proof = false;
    // Counts events: when it came, and when it was last known to be good.
    uint64_t rank = 0;
    Timestamp expires_at = Timestamp::Infinite();  // Unless it must be kept.
  };

  struct Slot {
    explicit Slot(const Path::Params& params) : path(params) {}

    bool is_proven() const { return path.is_validated() && !standing.awaits_proof; }
    bool HasPendingFrames() const {
      return standing.validator.HasPendingFrames() || standing.responder.HasPendingFrames();
    }

    Path path;
    Standing standing;
  };

  Slot* FindSlot(PathId id) const;
  Slot* FindSlot(const FourTuple& four_tuple) const;
  std::optional<DropReason> RefusalOf(const FourTuple& four_tuple,
                                      bool is_handshake_confirmed) const;
  Arrival AddCandidate(const FourTuple& four_tuple, uint64_t bytes, Timestamp now);
  Slot* EvictionVictim() const;
  // The best proven path besides the active one; null if there is none.
  Slot* Fallback() const;
  bool MustKeep(const Slot& slot) const;
  void Remove(const Slot* slot);
  // Brings the addresses of `target` into use; the slot that has the former ones afterwards.
  Slot* Activate(Slot* target, Timestamp now);
  void RevertOrGiveUp(Timestamp now, TimeoutOutcome& outcome);
  bool CanSendFrames(const Slot& slot) const;

  // Of later paths.
  const CongestionControllerFactory* factory_;
  MtuDiscovery::Config mtu_;
  Config config_;
  std::optional<uint64_t> peer_max_udp_payload_bytes_;
  uint64_t last_rank_ = 0;
  std::optional<PathId> next_id_;  // None: there are no more.
  absl::InlinedVector<std::unique_ptr<Slot>, 1> slots_;
  Slot* active_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_PATH_PATH_MANAGER_H_
