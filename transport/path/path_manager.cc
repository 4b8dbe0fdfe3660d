// SPDX-License-Identifier: Apache-2.0
#include "transport/path/path_manager.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "transport/wire/frame.h"

namespace godwit {

namespace {

// The packet that is asked for when frames of a path want to be sent: a short header with the
// longest connection id and packet number, a PATH_CHALLENGE or PATH_RESPONSE, and the AEAD's tag.
constexpr uint64_t kPathPacketBytes = 1 + kMaxConnectionIdBytes + 4 + 9 + 16;

// An address from which nothing was authenticated is forgotten after this; RFC 9000 §8.2.4 takes
// the same for one that does not answer.
constexpr Duration kUnauthenticatedLifetime = 3 * kInitialPto;

bool DiffersInPortsOnly(const FourTuple& a, const FourTuple& b) {
  return a.peer.SameIp(b.peer) && a.local.SameIp(b.local);
}

bool HasFourTuple(const Path& path, const FourTuple& four_tuple) {
  const FourTuple& own = path.four_tuple();
  if (own.peer != four_tuple.peer) return false;
  // A client that left the choice of its address to the system learns it from no one but datagrams.
  return own.local == four_tuple.local ||
         (own.local.is_any() && own.local.port() == four_tuple.local.port());
}

}  // namespace

PathManager::PathManager(const Path::Params& first, const Config& config)
    : factory_(first.factory), mtu_(first.mtu), config_(config), next_id_(first.id.next()) {
  slots_.push_back(std::make_unique<Slot>(first));
  active_ = slots_.front().get();
  active_->standing.is_authenticated = true;
}

// ---- Which paths there are ----

PathManager::Slot* PathManager::FindSlot(PathId id) const {
  if (active_->path.id() == id) return active_;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (slot->path.id() == id) return slot.get();
  }
  return nullptr;
}

PathManager::Slot* PathManager::FindSlot(const FourTuple& four_tuple) const {
  if (HasFourTuple(active_->path, four_tuple)) return active_;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (HasFourTuple(slot->path, four_tuple)) return slot.get();
  }
  return nullptr;
}

Path* PathManager::Find(PathId id) {
  Slot* const slot = FindSlot(id);
  return slot == nullptr ? nullptr : &slot->path;
}

Path* PathManager::Find(const FourTuple& four_tuple) {
  Slot* const slot = FindSlot(four_tuple);
  return slot == nullptr ? nullptr : &slot->path;
}

PathManager::Arrival PathManager::OnUnknownFourTuple(const FourTuple& four_tuple, uint64_t bytes,
                                                     bool is_handshake_confirmed, Timestamp now) {
  GODWIT_DCHECK(FindSlot(four_tuple) == nullptr);
  if (const std::optional<DropReason> refusal = RefusalOf(four_tuple, is_handshake_confirmed)) {
    return {.path = active().id(), .drop = refusal, .evicted = {}};
  }
  return AddCandidate(four_tuple, bytes, now);
}

std::optional<DropReason> PathManager::RefusalOf(const FourTuple& four_tuple,
                                                 bool is_handshake_confirmed) const {
  // RFC 9000 §9: servers do not move, and what comes from elsewhere is not theirs.
  if (config_.perspective == Perspective::kClient &&
      four_tuple.peer != active().four_tuple().peer) {
    return DropReason::kUnknownPeerAddress;
  }
  // RFC 9000 §9: addresses stay as they are until the handshake is confirmed.
  if (!is_handshake_confirmed || !config_.is_migration_allowed || !next_id_.has_value()) {
    return DropReason::kMigrationForbidden;
  }
  return std::nullopt;
}

PathManager::Arrival PathManager::AddCandidate(const FourTuple& four_tuple, uint64_t bytes,
                                               Timestamp now) {
  Slot* candidate = nullptr;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (!slot->standing.is_authenticated) candidate = slot.get();
  }
  std::optional<PathId> evicted;
  if (candidate != nullptr) {
    // Nothing was ever sent there: not even the id has been used.
    candidate->path.ReplaceAddress(four_tuple);
  } else {
    if (slots_.size() == kMaxPaths) {
      const Slot* const victim = EvictionVictim();
      evicted = victim->path.id();
      Remove(victim);
    }
    // RFC 9000 §9.4: whatever was known of the first path says nothing of others.
    const Path::Params params = {.id = *next_id_,
                                 .four_tuple = four_tuple,
                                 .factory = factory_,
                                 .max_datagram_bytes = mtu_.min_mtu,
                                 .initial_rtt = kInitialRtt,
                                 .mtu = mtu_,
                                 .is_validated = false,
                                 .now = now};
    const bool is_last_id = next_id_->value() == std::numeric_limits<uint32_t>::max();
    next_id_ = is_last_id ? std::nullopt : std::optional(next_id_->next());
    slots_.push_back(std::make_unique<Slot>(params));
    candidate = slots_.back().get();
    if (peer_max_udp_payload_bytes_.has_value()) {
      candidate->path.mtu().OnPeerMaxUdpPayload(*peer_max_udp_payload_bytes_);
    }
  }
  candidate->standing.rank = ++last_rank_;
  candidate->standing.expires_at = now + kUnauthenticatedLifetime;
  if (config_.perspective == Perspective::kClient) {
    // RFC 9000 §9.2: the server was validated at its address, which has not changed.
    candidate->path.OnValidated();
    candidate->standing.awaits_proof = true;
  }
  candidate->path.OnDatagramReceived(bytes);
  return {.path = candidate->path.id(), .drop = {}, .evicted = evicted};
}

PathManager::Slot* PathManager::EvictionVictim() const {
  Slot* victim = nullptr;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (slot.get() == active_) continue;
    // Unproven ones before proven ones, and of each the oldest: the fallback comes last.
    const bool is_worse = victim == nullptr || (slot->is_proven() == victim->is_proven()
                                                    ? slot->standing.rank < victim->standing.rank
                                                    : victim->is_proven());
    if (is_worse) victim = slot.get();
  }
  GODWIT_CHECK(victim != nullptr);
  return victim;
}

PathManager::Slot* PathManager::Fallback() const {
  Slot* best = nullptr;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (slot.get() == active_ || !slot->is_proven()) continue;
    if (best == nullptr || slot->standing.rank > best->standing.rank) best = slot.get();
  }
  return best;
}

bool PathManager::MustKeep(const Slot& slot) const {
  if (&slot == active_) return true;
  // RFC 9000 §9.3.2: the last validated address, until another one is.
  return !active_->is_proven() && &slot == Fallback();
}

void PathManager::Remove(const Slot* slot) {
  GODWIT_CHECK(slot != active_);
  const auto position = std::find_if(
      slots_.begin(), slots_.end(),
      [slot](const std::unique_ptr<Slot>& candidate) { return candidate.get() == slot; });
  GODWIT_CHECK(position != slots_.end());
  slots_.erase(position);
}

// ---- Migration and validation ----

PathManager::Migration PathManager::OnPacketAuthenticated(const MigrationFacts& facts,
                                                          Random& random) {
  if (facts.path == active_->path.id()) return Migration::kNone;
  Slot* const slot = FindSlot(facts.path);
  if (slot == nullptr) return Migration::kNone;
  slot->standing.is_authenticated = true;

  // A path other than the one in use may be longer: RFC 9000 §8.2.4, and §8.2.1, which wants no
  // more probes than of Initial packets.
  const bool is_same_nat = DiffersInPortsOnly(slot->path.four_tuple(), active().four_tuple());
  const Duration pto = is_same_nat ? facts.pto : std::max(facts.pto, kInitialPto);
  // RFC 9000 §9.3, and for probing packets §9.6.3.
  const bool moves = facts.is_largest_packet_number && !facts.is_probing;
  PathValidator& validator = slot->standing.validator;
  if ((moves || facts.is_probing) && !slot->is_proven() && !validator.is_active()) {
    validator.Start(facts.now, pto, random);
    slot->standing.expires_at = Timestamp::Infinite();
  }
  if (!moves) return Migration::kNone;

  Slot* const left = Activate(slot, facts.now);
  // RFC 9000 §9.3.3: the former path too, as the packet may be a copy that somebody sent on.
  if (!left->standing.validator.is_active()) {
    left->standing.validator.Start(facts.now, facts.pto, random);
  }
  return Migration::kMigrated;
}

PathManager::Slot* PathManager::Activate(Slot* target, Timestamp now) {
  Slot* left = active_;
  if (DiffersInPortsOnly(target->path.four_tuple(), active().four_tuple())) {
    // RFC 9000 §9.4: congestion and RTT state are kept, and so the addresses change places.
    active_->path.SwapAddresses(target->path);
    std::swap(active_->standing, target->standing);
    left = target;
  } else {
    active_ = target;
  }
  left->standing.expires_at = now + kUnusedPathLifetime;
  if (left->is_proven()) left->standing.rank = ++last_rank_;
  return left;
}

Result PathManager::OnPathResponseFrame(const PathResponseFrame& frame, Timestamp now,
                                        Random& random) {
  // RFC 9000 §8.2.3: whatever path it came on, it validates the one that was challenged.
  for (const std::unique_ptr<Slot>& slot : slots_) {
    Standing& standing = slot->standing;
    const PathValidator::Proof proof = standing.validator.OnPathResponse(frame);
    if (proof == PathValidator::Proof::kNone) continue;
    slot->path.OnValidated();
    standing.awaits_proof = proof == PathValidator::Proof::kAddress;
    if (standing.awaits_proof) {
      // RFC 9000 §8.2.1: once more, now that nothing forbids 1200 bytes.
      standing.validator.Start(now, standing.validator.pto(), random);
    } else {
      standing.rank = ++last_rank_;
      if (slot.get() != active_) standing.expires_at = now + kUnusedPathLifetime;
    }
    break;
  }
  return Result::Ok();
}

void PathManager::OnPathChallengeFrame(const PathChallengeFrame& frame, PathId path) {
  Slot* const slot = FindSlot(path);
  if (slot == nullptr) return;
  slot->standing.is_authenticated = true;
  slot->standing.responder.OnPathChallenge(frame);
}

// ---- Sending ----

bool PathManager::HasPendingFrames(PathId path) const {
  const Slot* const slot = FindSlot(path);
  return slot != nullptr && slot->HasPendingFrames();
}

bool PathManager::CanSendFrames(const Slot& slot) const {
  if (!slot.HasPendingFrames()) return false;
  const uint64_t bytes =
      PathNeedsFullDatagram(slot.path.id()) ? kMinInitialDatagramBytes : kPathPacketBytes;
  // RFC 9000 §9.4: challenges, which are few, pass a full window: what fills it may all have gone
  // to an address that is no more. §8.2.2: answers, which a peer can ask for at will, do not.
  const PacketMode mode =
      slot.standing.validator.HasPendingFrames() ? PacketMode::kProbe : PacketMode::kPathOnly;
  // Time plays no part: these packets are not paced.
  return slot.path.BudgetFor(Timestamp(), mode, bytes).bytes != 0;
}

std::optional<PathId> PathManager::NextPathWithFrames() const {
  for (const std::unique_ptr<Slot>& slot : slots_) {
    if (slot.get() != active_ && CanSendFrames(*slot)) return slot->path.id();
  }
  if (CanSendFrames(*active_)) return active_->path.id();
  return std::nullopt;
}

bool PathManager::PathNeedsFullDatagram(PathId path) const {
  const Slot* const slot = FindSlot(path);
  return slot != nullptr && slot->HasPendingFrames() &&
         slot->path.AmplificationCredit() >= kMinInitialDatagramBytes;
}

void PathManager::WriteFrames(FrameWriter& writer, PathId path, Timestamp now) {
  Slot* const slot = FindSlot(path);
  if (slot == nullptr) return;
  const PathValidator::Expansion expansion = PathNeedsFullDatagram(path)
                                                 ? PathValidator::Expansion::kFull
                                                 : PathValidator::Expansion::kShort;
  const bool owes_response = slot->standing.responder.HasPendingFrames();
  slot->standing.responder.WriteFrames(writer, path);
  slot->standing.validator.WriteFrames(writer, path, expansion, now);
  // RFC 9000 §9.3.3: the peer may ask because somebody made it believe that we moved. Packets to
  // other paths than the active one are kPathOnly.
  if (owes_response && writer.mode() != PacketMode::kPathOnly && writer.is_probing()) {
    static_cast<void>(writer.Write(PingFrame{}, SentFrame::Ping()));
  }
}

void PathManager::OnFrameLost(PacketNumber number, const SentFrame& frame) {
  if (frame.kind() != FrameKind::kPathChallenge) return;
  for (const std::unique_ptr<Slot>& slot : slots_) slot->standing.validator.OnChallengeLost(number);
}

// ---- Time ----

Timestamp PathManager::next_deadline() const {
  Timestamp deadline = Timestamp::Infinite();
  for (const std::unique_ptr<Slot>& slot : slots_) {
    deadline = std::min(deadline, slot->standing.validator.next_deadline());
    if (!MustKeep(*slot)) deadline = std::min(deadline, slot->standing.expires_at);
  }
  return deadline;
}

PathManager::TimeoutOutcome PathManager::OnTimeout(Timestamp now, Random& random) {
  TimeoutOutcome outcome;
  // Only a failure of the active path changes it, and only after all have had their turn: which
  // path to return to depends on them.
  bool is_active_failed = false;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    const bool is_failed =
        slot->standing.validator.OnTimeout(now, random) == PathValidator::Outcome::kFailed;
    if (!is_failed) continue;
    if (slot.get() == active_) {
      // A path that was proven before it was left and used again needs no second proof.
      is_active_failed = !active_->is_proven();
    } else {
      // It was of no use, or is no longer.
      slot->standing.expires_at = now;
    }
  }
  if (is_active_failed) RevertOrGiveUp(now, outcome);
  for (size_t i = slots_.size(); i-- > 0;) {
    Slot* const slot = slots_[i].get();
    if (slot->standing.expires_at > now || MustKeep(*slot)) continue;
    outcome.abandoned.push_back(slot->path.id());
    Remove(slot);
  }
  return outcome;
}

void PathManager::RevertOrGiveUp(Timestamp now, TimeoutOutcome& outcome) {
  Slot* const fallback = Fallback();
  if (fallback == nullptr) {
    // RFC 9000 §9: without a valid path there is nothing to send on.
    outcome.no_viable_path = true;
    return;
  }
  // RFC 9000 §9.3.2.
  Slot* const failed = Activate(fallback, now);
  failed->standing.expires_at = now;
  outcome.reverted = true;
}

// ---- All paths ----

void PathManager::OnPeerMaxUdpPayload(uint64_t max_udp_payload_bytes) {
  peer_max_udp_payload_bytes_ = max_udp_payload_bytes;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    slot->path.mtu().OnPeerMaxUdpPayload(max_udp_payload_bytes);
  }
}

void PathManager::SwitchController(const CongestionControllerFactory& factory, Timestamp now) {
  factory_ = &factory;
  for (const std::unique_ptr<Slot>& slot : slots_) slot->path.SwitchController(factory, now);
}

void PathManager::CheckInvariants() const {
  GODWIT_CHECK_GE(slots_.size(), 1u);
  GODWIT_CHECK_LE(slots_.size(), kMaxPaths);
  size_t active_count = 0;
  size_t unauthenticated_count = 0;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = *slots_[i];
    slot.path.CheckInvariants();
    slot.standing.validator.CheckInvariants();
    slot.standing.responder.CheckInvariants();
    if (&slot == active_) ++active_count;
    if (!slot.standing.is_authenticated) {
      ++unauthenticated_count;
      GODWIT_CHECK(!slot.HasPendingFrames());
    }
    for (size_t j = 0; j < i; ++j) {
      GODWIT_CHECK(slots_[j]->path.id() != slot.path.id());
      GODWIT_CHECK(slots_[j]->path.four_tuple() != slot.path.four_tuple());
    }
    // Whatever is not in use goes one day.
    if (&slot != active_ && !slot.standing.validator.is_active()) {
      GODWIT_CHECK(slot.standing.expires_at != Timestamp::Infinite());
    }
  }
  GODWIT_CHECK_EQ(active_count, 1u);
  GODWIT_CHECK(active_->standing.is_authenticated);
  GODWIT_CHECK_LE(unauthenticated_count, 1u);
}

}  // namespace godwit
