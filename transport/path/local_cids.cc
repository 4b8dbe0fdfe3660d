// SPDX-License-Identifier: Apache-2.0
#include "transport/path/local_cids.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"

namespace godwit {

LocalCids::LocalCids(const ConnectionId& first, std::optional<StatelessResetToken> first_token)
    : id_bytes_(static_cast<uint8_t>(first.size())) {
  Entry& entry = entries_.emplace_back();
  entry.id = first;
  // The handshake tells it to the peer; here it is compared with.
  if (first_token.has_value()) entry.token = *first_token;
}

void LocalCids::OnPeerParameters(uint64_t active_connection_id_limit) {
  // RFC 9000 §18.2: smaller ones are invalid and refused where they are read.
  GODWIT_CHECK_GE(active_connection_id_limit, kMinActiveConnectionIdLimit);
  wanted_active_count_ = static_cast<size_t>(
      std::min<uint64_t>(active_connection_id_limit, kMaxNewConnectionIdsPending));
  entries_.reserve(wanted_active_count_);
}

size_t LocalCids::active_count() const {
  return static_cast<size_t>(std::ranges::count_if(entries_, [this](const Entry& entry) {
    return !entry.is_retired() && entry.sequence_number >= retire_prior_to_;
  }));
}

size_t LocalCids::wanted_count() const {
  // RFC 9000 §5.1.1: who chose the empty id issues none.
  if (id_bytes_ == 0) return 0;
  const size_t active = active_count();
  if (active >= wanted_active_count_) return 0;
  return std::min(wanted_active_count_ - active, kMaxLocalConnectionIds - entries_.size());
}

void LocalCids::Add(const ConnectionId& id, const StatelessResetToken& token) {
  GODWIT_CHECK_GT(wanted_count(), 0);
  GODWIT_CHECK(!id.empty());
  for (const Entry& entry : entries_) {
    GODWIT_DCHECK(entry.id != id);
    GODWIT_DCHECK(!(entry.token == token));
  }
  Entry& entry = entries_.emplace_back();
  entry.sequence_number = next_sequence_number_++;
  entry.id = id;
  entry.token = token;
  entry.announcement.Set({});
  ++pending_count_;
}

bool LocalCids::RotateAll() {
  if (id_bytes_ == 0 || wanted_active_count_ == 0) return false;
  const bool is_rotating = std::ranges::any_of(entries_, [this](const Entry& entry) {
    return !entry.is_retired() && entry.sequence_number < retire_prior_to_;
  });
  // RFC 9000 §5.1.2: one update of Retire Prior To at a time.
  if (is_rotating) return false;
  retire_prior_to_ = next_sequence_number_;
  return true;
}

Result LocalCids::OnRetireConnectionIdFrame(const RetireConnectionIdFrame& frame,
                                            std::span<const uint8_t> dcid_of_packet, Timestamp now,
                                            Duration pto) {
  // RFC 9000 §19.16.
  if (id_bytes_ == 0) return kRetireConnectionIdWithoutConnectionIds;
  if (frame.sequence_number >= next_sequence_number_) return kRetireConnectionIdUnissued;
  Entry* entry = Find(frame.sequence_number);
  // Retired before, and its grace is over.
  if (entry == nullptr) return Result::Ok();
  // It exists and waits to be sent: the peer can not know of it.
  if (entry->announcement.state() == ValueState::kRequested) return kRetireConnectionIdUnissued;
  if (std::ranges::equal(entry->id.bytes(), dcid_of_packet)) return kRetireConnectionIdInUse;
  if (entry->is_retired()) return Result::Ok();
  if (entry->announcement.HasPending()) --pending_count_;
  entry->announcement.Cancel();
  entry->unroute_at = now + 3 * pto;
  return Result::Ok();
}

std::optional<ConnectionId> LocalCids::PollRetired(Timestamp now) {
  const auto entry = std::ranges::find_if(
      entries_, [now](const Entry& candidate) { return candidate.unroute_at <= now; });
  if (entry == entries_.end()) return std::nullopt;
  const ConnectionId id = entry->id;
  entries_.erase(entry);
  return id;
}

Timestamp LocalCids::next_deadline() const {
  Timestamp deadline = Timestamp::Infinite();
  for (const Entry& entry : entries_) deadline = std::min(deadline, entry.unroute_at);
  return deadline;
}

void LocalCids::WriteFrames(FrameWriter& writer) {
  for (Entry& entry : entries_) {
    if (pending_count_ == 0) return;
    if (!entry.announcement.HasPending()) continue;
    const NewConnectionIdFrame frame{
        .sequence_number = entry.sequence_number,
        // RFC 9000 §19.15: not above the sequence number. What an older id leaves out, its
        // successors say.
        .retire_prior_to = std::min(retire_prior_to_, entry.sequence_number),
        .connection_id = entry.id,
        .stateless_reset_token = entry.token,
    };
    if (!writer.Write(frame, SentFrame::NewConnectionId(entry.sequence_number))) return;
    entry.announcement.OnSent(writer.packet_number());
    --pending_count_;
  }
}

void LocalCids::OnFrameAcked(PacketNumber number, const SentFrame& frame) {
  Entry* entry = Find(frame.sequence_number());
  if (entry == nullptr) return;
  const bool was_pending = entry->announcement.HasPending();
  if (entry->announcement.OnAcked(number) && was_pending) --pending_count_;
}

void LocalCids::OnFrameLost(PacketNumber number, const SentFrame& frame) {
  Entry* entry = Find(frame.sequence_number());
  if (entry != nullptr && entry->announcement.OnLost(number)) ++pending_count_;
}

LocalCids::Entry* LocalCids::Find(uint64_t sequence_number) {
  const auto entry = std::ranges::find(entries_, sequence_number, &Entry::sequence_number);
  return entry != entries_.end() ? &*entry : nullptr;
}

void LocalCids::CheckInvariants() const {
  GODWIT_CHECK_LE(entries_.size(), kMaxLocalConnectionIds);
  GODWIT_CHECK_LE(active_count(), std::max<size_t>(wanted_active_count_, 1));
  GODWIT_CHECK_LE(retire_prior_to_, next_sequence_number_);
  size_t pending = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    GODWIT_CHECK_LT(entry.sequence_number, next_sequence_number_);
    if (i > 0) GODWIT_CHECK_GT(entry.sequence_number, entries_[i - 1].sequence_number);
    GODWIT_CHECK_EQ(entry.id.empty(), id_bytes_ == 0);
    entry.announcement.CheckInvariants();
    if (entry.announcement.HasPending()) ++pending;
    if (entry.is_retired()) GODWIT_CHECK(entry.announcement.state() == ValueState::kIdle);
  }
  GODWIT_CHECK_EQ(pending, pending_count_);
  if (id_bytes_ == 0) GODWIT_CHECK_EQ(entries_.size(), 1);
}

}  // namespace godwit
