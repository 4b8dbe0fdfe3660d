// SPDX-License-Identifier: Apache-2.0
#include "transport/path/peer_cids.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"

namespace godwit {

static_assert(kActiveConnectionIdLimit > kMaxPaths, "an id for each path and one in reserve");

PeerCids::PeerCids(const ConnectionId& first, PathId active_path) : active_path_(active_path) {
  entries_.reserve(kActiveConnectionIdLimit);
  Entry& entry = entries_.emplace_back();
  entry.id = first;
  entry.path = active_path;
}

void PeerCids::ReplaceFirst(const ConnectionId& id) {
  // RFC 9000 §7.2: only in the handshake, and nothing is issued before its end.
  GODWIT_CHECK_EQ(entries_.size(), 1);
  GODWIT_CHECK_EQ(entries_.front().sequence_number, 0);
  entries_.front().id = id;
}

void PeerCids::SetFirstToken(const StatelessResetToken& token) {
  GODWIT_CHECK_EQ(entries_.front().sequence_number, 0);
  entries_.front().token = token;
}

Result PeerCids::OnPreferredAddress(const ConnectionId& id, const StatelessResetToken& token) {
  return OnNewConnectionIdFrame({.sequence_number = 1,
                                 .retire_prior_to = 0,
                                 .connection_id = id,
                                 .stateless_reset_token = token});
}

const ConnectionId& PeerCids::current() const { return For(active_path_); }

const ConnectionId& PeerCids::For(PathId path) const {
  if (is_empty()) return entries_.front().id;
  const Entry* entry = FindFor(path);
  GODWIT_CHECK(entry != nullptr);
  return entry->id;
}

bool PeerCids::HasFor(PathId path) const { return is_empty() || FindFor(path) != nullptr; }

bool PeerCids::AssignTo(PathId path) {
  if (HasFor(path)) return true;
  Entry* spare = FindSpare();
  if (spare == nullptr) return false;
  spare->path = path;
  return true;
}

void PeerCids::SetActivePath(PathId path) {
  GODWIT_CHECK(HasFor(path));
  active_path_ = path;
  ReplaceOverdue();
}

void PeerCids::Release(PathId path) {
  GODWIT_CHECK(path != active_path_);
  if (is_empty()) return;
  const Entry* entry = FindFor(path);
  // RFC 9000 §5.1.2: an id whose path is not used any more is retired.
  if (entry != nullptr) Retire(static_cast<size_t>(entry - entries_.data()));
}

void PeerCids::HandOverTo(PathId path) {
  if (!is_empty()) {
    GODWIT_CHECK(!HasFor(path));
    for (Entry& entry : entries_) {
      if (entry.path == active_path_) entry.path = path;
    }
  }
  active_path_ = path;
}

bool PeerCids::Rotate() {
  if (is_empty()) return false;
  Entry* spare = FindSpare();
  if (spare == nullptr) return false;
  const Entry* used = FindFor(active_path_);
  spare->path = active_path_;
  Retire(static_cast<size_t>(used - entries_.data()));
  return true;
}

size_t PeerCids::spare_count() const {
  if (is_empty()) return 0;
  return static_cast<size_t>(
      std::ranges::count_if(entries_, [](const Entry& entry) { return !entry.path.has_value(); }));
}

Result PeerCids::OnNewConnectionIdFrame(const NewConnectionIdFrame& frame) {
  // RFC 9000 §19.15.
  if (is_empty()) return kNewConnectionIdAfterEmptyConnectionId;
  bool is_known = false;
  GODWIT_RETURN_IF_ERROR(CheckAgainstKnown(frame, is_known));
  // RFC 9000 §5.1.2: what is to be retired goes before the new id is counted.
  RetirePriorTo(frame.retire_prior_to);
  if (!is_known) AddOrRetire(frame);
  ReplaceOverdue();
  // RFC 9000 §5.1.1.
  if (active_count() > kActiveConnectionIdLimit) return kConnectionIdsAboveLimit;
  // RFC 9000 §5.1.2: CVE-2024-22189. Ids count along with retirements, because our side can turn
  // the one into the other at any time.
  if (entries_.size() + retirements_.size() > kMaxPeerConnectionIdsTracked) {
    return kConnectionIdRetirementsAboveLimit;
  }
  return Result::Ok();
}

// RFC 9000 §19.15, §10.3.2. Retired ids are forgotten and can not be compared with.
Result PeerCids::CheckAgainstKnown(const NewConnectionIdFrame& frame, bool& is_known) const {
  for (const Entry& entry : entries_) {
    const bool has_token = entry.token.has_value();
    const bool is_same_token = has_token && *entry.token == frame.stateless_reset_token;
    if (entry.sequence_number == frame.sequence_number) {
      if (entry.id != frame.connection_id) return kNewConnectionIdSequenceReused;
      if (has_token && !is_same_token) return kNewConnectionIdRepeated;
      is_known = true;
    } else {
      if (entry.id == frame.connection_id) return kNewConnectionIdRepeated;
      if (is_same_token) return kNewConnectionIdTokenReused;
    }
  }
  return Result::Ok();
}

void PeerCids::RetirePriorTo(uint64_t retire_prior_to) {
  // RFC 9000 §19.15: smaller values than an earlier one have no effect.
  if (retire_prior_to <= retire_prior_to_) return;
  retire_prior_to_ = retire_prior_to;
  for (size_t i = entries_.size(); i-- > 0;) {
    Entry& entry = entries_[i];
    if (entry.sequence_number >= retire_prior_to) continue;
    if (entry.path.has_value()) {
      entry.is_overdue = true;
    } else {
      Retire(i);
    }
  }
}

void PeerCids::AddOrRetire(const NewConnectionIdFrame& frame) {
  const Seen seen = NoteSeen(frame.sequence_number);
  // We had it, and have retired it: the frame comes late.
  if (seen == Seen::kYes) return;
  // RFC 9000 §19.15: asked to be retired before it came. The same for an id so old that we do not
  // know whether we had it: retiring it again does no harm, using it might.
  if (frame.sequence_number < retire_prior_to_ || seen == Seen::kForgotten) {
    AddRetirement(frame.sequence_number);
    return;
  }
  Entry& entry = entries_.emplace_back();
  entry.sequence_number = frame.sequence_number;
  entry.id = frame.connection_id;
  entry.token = frame.stateless_reset_token;
}

PeerCids::Seen PeerCids::NoteSeen(uint64_t sequence_number) {
  if (sequence_number > largest_seen_) {
    const uint64_t step = sequence_number - largest_seen_;
    seen_bits_ = step < kSeenWindow ? seen_bits_ << step | 1 : 1;
    largest_seen_ = sequence_number;
    return Seen::kNo;
  }
  const uint64_t age = largest_seen_ - sequence_number;
  if (age >= kSeenWindow) return Seen::kForgotten;
  const uint64_t bit = uint64_t{1} << age;
  if ((seen_bits_ & bit) != 0) return Seen::kYes;
  seen_bits_ |= bit;
  return Seen::kNo;
}

void PeerCids::ReplaceOverdue() {
  for (size_t i = entries_.size(); i-- > 0;) {
    // The active path first: the others can do without for a while.
    if (entries_[i].is_overdue && entries_[i].path == active_path_) Rotate();
  }
  for (size_t i = entries_.size(); i-- > 0;) {
    if (!entries_[i].is_overdue || entries_[i].path == active_path_) continue;
    if (Entry* spare = FindSpare(); spare != nullptr) spare->path = entries_[i].path;
    Retire(i);
  }
}

void PeerCids::Retire(size_t index) {
  AddRetirement(entries_[index].sequence_number);
  entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(index));
}

void PeerCids::AddRetirement(uint64_t sequence_number) {
  const bool is_under_way = std::ranges::any_of(retirements_, [=](const Retirement& retirement) {
    return retirement.sequence_number == sequence_number;
  });
  if (is_under_way) return;
  Retirement& retirement = retirements_.emplace_back();
  retirement.sequence_number = sequence_number;
  retirement.announcement.Set({});
  ++pending_count_;
}

void PeerCids::WriteFrames(FrameWriter& writer) {
  // RFC 9000 §9.1: not a probing frame.
  if (writer.mode() == PacketMode::kPathOnly) return;
  for (Retirement& retirement : retirements_) {
    if (pending_count_ == 0) return;
    if (!retirement.announcement.HasPending()) continue;
    const RetireConnectionIdFrame frame{.sequence_number = retirement.sequence_number};
    if (!writer.Write(frame, SentFrame::RetireConnectionId(retirement.sequence_number))) return;
    retirement.announcement.OnSent(writer.packet_number());
    --pending_count_;
  }
}

void PeerCids::OnFrameAcked(PacketNumber number, const SentFrame& frame) {
  const auto retirement =
      std::ranges::find(retirements_, frame.sequence_number(), &Retirement::sequence_number);
  if (retirement == retirements_.end()) return;
  const bool was_pending = retirement->announcement.HasPending();
  if (!retirement->announcement.OnAcked(number)) return;
  if (was_pending) --pending_count_;
  retirements_.erase(retirement);
}

void PeerCids::OnFrameLost(PacketNumber number, const SentFrame& frame) {
  const auto retirement =
      std::ranges::find(retirements_, frame.sequence_number(), &Retirement::sequence_number);
  if (retirement == retirements_.end()) return;
  if (retirement->announcement.OnLost(number)) ++pending_count_;
}

bool PeerCids::IsResetToken(const StatelessResetToken& token) const {
  // RFC 9000 §10.3.1: all are compared, whatever the result, and each in constant time.
  bool is_found = false;
  for (const Entry& entry : entries_) {
    const bool is_used = entry.path.has_value() && entry.token.has_value();
    if (is_used) is_found |= *entry.token == token;
  }
  return is_found;
}

size_t PeerCids::active_count() const {
  return static_cast<size_t>(
      std::ranges::count_if(entries_, [](const Entry& entry) { return !entry.is_overdue; }));
}

const PeerCids::Entry* PeerCids::FindFor(PathId path) const {
  const auto entry =
      std::ranges::find_if(entries_, [path](const Entry& e) { return e.path == path; });
  return entry != entries_.end() ? &*entry : nullptr;
}

PeerCids::Entry* PeerCids::FindSpare() {
  Entry* oldest = nullptr;
  for (Entry& entry : entries_) {
    if (entry.path.has_value()) continue;
    if (oldest == nullptr || entry.sequence_number < oldest->sequence_number) oldest = &entry;
  }
  return oldest;
}

void PeerCids::CheckInvariants() const {
  GODWIT_CHECK(HasFor(active_path_));
  GODWIT_CHECK_LE(active_count(), kActiveConnectionIdLimit);
  GODWIT_CHECK_LE(entries_.size() + retirements_.size(), kMaxPeerConnectionIdsTracked);
  if (is_empty()) {
    GODWIT_CHECK_EQ(entries_.size(), 1);
    GODWIT_CHECK(retirements_.empty());
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    GODWIT_CHECK_EQ(entry.is_overdue, entry.sequence_number < retire_prior_to_);
    // Only the active path has to keep an id that should be retired, for want of another.
    if (entry.is_overdue) GODWIT_CHECK(entry.path == active_path_ && spare_count() == 0);
    for (size_t j = 0; j < i; ++j) {
      GODWIT_CHECK(entry.id != entries_[j].id);
      GODWIT_CHECK_NE(entry.sequence_number, entries_[j].sequence_number);
      if (entry.path.has_value()) GODWIT_CHECK(entry.path != entries_[j].path);
    }
  }
  size_t pending = 0;
  for (const Retirement& retirement : retirements_) {
    retirement.announcement.CheckInvariants();
    if (retirement.announcement.HasPending()) ++pending;
    for (const Entry& entry : entries_) {
      GODWIT_CHECK_NE(entry.sequence_number, retirement.sequence_number);
    }
  }
  GODWIT_CHECK_EQ(pending, pending_count_);
}

}  // namespace godwit
