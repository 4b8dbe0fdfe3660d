// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/send_buffer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

#include "base/check.h"
#include "base/limits.h"

namespace godwit {

namespace {

std::span<const uint8_t> BytesOf(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

void SendBuffer::Append(std::span<const uint8_t> data, SendBlockPool& pool) {
  GODWIT_CHECK(!is_finished());
  GODWIT_CHECK(!is_reset_);
  GODWIT_CHECK_LE(data.size(), kMaxStreamOffset - written_end_);
  AppendCopy(data, pool);
}

void SendBuffer::Append(const absl::Cord& data, SendBlockPool& pool) {
  GODWIT_CHECK(!is_finished());
  GODWIT_CHECK(!is_reset_);
  GODWIT_CHECK_LE(data.size(), kMaxStreamOffset - written_end_);
  size_t position = 0;
  for (const absl::string_view chunk : data.Chunks()) {
    if (chunk.size() < kMinOwnedChunkBytes) {
      AppendCopy(BytesOf(chunk), pool);
    } else {
      AppendOwned(data.Subcord(position, chunk.size()));
    }
    position += chunk.size();
  }
}

void SendBuffer::AppendCopy(std::span<const uint8_t> data, SendBlockPool& pool) {
  while (!data.empty()) {
    const bool has_room = !segments_.empty() && segments_.back().block != nullptr &&
                          segments_.back().end - segments_.back().begin < kSendBlockBytes;
    if (!has_room) {
      Segment segment;
      segment.begin = written_end_;
      segment.end = written_end_;
      segment.block = pool.Take();
      segment.data = segment.block->bytes.data();
      segments_.PushBack(std::move(segment));
    }
    Segment& last = segments_.back();
    const size_t used = last.end - last.begin;
    const size_t size = std::min(data.size(), kSendBlockBytes - used);
    std::memcpy(&last.block->bytes[used], data.data(), size);
    last.end += size;
    written_end_ += size;
    data = data.subspan(size);
  }
}

void SendBuffer::AppendOwned(absl::Cord chunk) {
  const auto flat = chunk.TryFlat();
  GODWIT_CHECK(flat.has_value());
  Segment segment;
  segment.begin = written_end_;
  segment.end = written_end_ + flat->size();
  // Stays where it is when the Cord moves: chunks of this size are not inside the object.
  segment.data = BytesOf(*flat).data();
  segment.owned = std::move(chunk);
  written_end_ = segment.end;
  segments_.PushBack(std::move(segment));
}

void SendBuffer::Finish() {
  GODWIT_CHECK(!is_finished());
  GODWIT_CHECK(!is_reset_);
  fin_ = FinState::kUnsent;
}

bool SendBuffer::HasPending(uint64_t max_end_offset) const {
  if (!lost_.empty()) return true;
  if (sent_end_ < written_end_) return sent_end_ < max_end_offset;
  return is_fin_pending();
}

StreamRange SendBuffer::RangeOf(Interval bytes) const {
  const bool is_fin = bytes.end == written_end_ && is_finished() && fin_ != FinState::kAcked;
  return {bytes.begin, bytes.size(), is_fin};
}

std::optional<StreamRange> SendBuffer::Next(const Limits& limits) const {
  const uint64_t unsent_end = std::max(sent_end_, std::min(written_end_, limits.max_end_offset));
  Interval bytes = {sent_end_, unsent_end};
  if (!lost_.empty()) {
    bytes = lost_.front();
    // Lost bytes right in front of unsent ones fill the packet up with these.
    if (bytes.end == sent_end_) bytes.end = unsent_end;
  }
  if (bytes.empty()) {
    if (sent_end_ < written_end_ || !is_fin_pending()) return std::nullopt;
    return RangeOf(bytes);
  }
  if (limits.max_bytes == 0) return std::nullopt;
  if (bytes.size() > limits.max_bytes) bytes.end = bytes.begin + limits.max_bytes;
  return RangeOf(bytes);
}

std::optional<StreamRange> SendBuffer::OldestUnacked(uint64_t max_bytes) const {
  Interval bytes = {acked_end_, acked_.empty() ? sent_end_ : acked_.front().begin};
  if (bytes.empty()) {
    if (fin_ != FinState::kInFlight && fin_ != FinState::kLost) return std::nullopt;
    return RangeOf(bytes);
  }
  if (max_bytes == 0) return std::nullopt;
  if (bytes.size() > max_bytes) bytes.end = bytes.begin + max_bytes;
  return RangeOf(bytes);
}

// `offset_bytes` is in a segment.
size_t SendBuffer::SegmentAt(uint64_t offset_bytes) const {
  size_t low = 0;
  if (segments_[unsent_segment_].begin <= offset_bytes) {
    // Data that was never sent, mostly: here or right behind.
    low = unsent_segment_;
    while (segments_[low].end <= offset_bytes) ++low;
    return low;
  }
  size_t high = unsent_segment_;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (segments_[middle].begin <= offset_bytes) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

std::span<const uint8_t> SendBuffer::View(const StreamRange& range) const {
  if (range.length_bytes == 0) return {};
  GODWIT_DCHECK_GE(range.offset_bytes, acked_end_);
  GODWIT_CHECK_LE(range.end_bytes(), written_end_);
  const Segment& segment = segments_[SegmentAt(range.offset_bytes)];
  const uint64_t size = std::min(segment.end, range.end_bytes()) - range.offset_bytes;
  return {segment.data + (range.offset_bytes - segment.begin), size};
}

void SendBuffer::CopyTo(uint64_t offset_bytes, std::span<uint8_t> to) const {
  if (to.empty()) return;
  GODWIT_DCHECK_GE(offset_bytes, acked_end_);
  GODWIT_CHECK_LE(offset_bytes + to.size(), written_end_);
  for (size_t i = SegmentAt(offset_bytes); !to.empty(); ++i) {
    const Segment& segment = segments_[i];
    const size_t size = std::min<uint64_t>(segment.end - offset_bytes, to.size());
    std::memcpy(to.data(), segment.data + (offset_bytes - segment.begin), size);
    offset_bytes += size;
    to = to.subspan(size);
  }
}

uint64_t SendBuffer::OnSent(const StreamRange& range) {
  GODWIT_CHECK(!is_reset_);
  GODWIT_CHECK_LE(range.offset_bytes, sent_end_);
  GODWIT_CHECK_LE(range.end_bytes(), written_end_);
  // Lost bytes that cannot be taken out stay lost, and are sent once more.
  if (!lost_.empty()) lost_.Subtract({range.offset_bytes, range.end_bytes()});
  if (range.is_fin) {
    GODWIT_CHECK(is_finished());
    GODWIT_CHECK_EQ(range.end_bytes(), written_end_);
    if (fin_ != FinState::kAcked) fin_ = FinState::kInFlight;
  }
  if (range.end_bytes() <= sent_end_) return 0;
  const uint64_t newly_sent = range.end_bytes() - sent_end_;
  sent_end_ = range.end_bytes();
  // Never behind the last segment: it may still grow.
  while (unsent_segment_ + 1 < segments_.size() && segments_[unsent_segment_].end <= sent_end_) {
    ++unsent_segment_;
  }
  return newly_sent;
}

uint64_t SendBuffer::OnAcked(const StreamRange& range, SendBlockPool& pool) {
  if (is_reset_) return 0;
  GODWIT_CHECK_LE(range.end_bytes(), sent_end_);
  if (range.is_fin) {
    GODWIT_CHECK(is_finished());
    fin_ = FinState::kAcked;
  }
  if (range.end_bytes() <= acked_end_) return 0;
  const uint64_t unacked_before = unacked_bytes();
  const Interval bytes = {std::max(range.offset_bytes, acked_end_), range.end_bytes()};
  if (bytes.begin == acked_end_) {
    // Never refused: what goes is the front of the first lost range.
    lost_.RemoveBelow(bytes.end);
    acked_.RemoveBelow(bytes.end);
    acked_end_ = bytes.end;
    if (!acked_.empty() && acked_.front().begin == acked_end_) {
      acked_end_ = acked_.front().end;
      acked_.RemoveBelow(acked_end_);
    }
    ReleaseAcked(pool);
  } else if (!RecordAcked(bytes)) {
    MarkLost(bytes);
  }
  return unacked_before - unacked_bytes();
}

// False if there is no room for it; what of it was lost is not any more, or all still is.
bool SendBuffer::RecordAcked(Interval bytes) {
  if (!lost_.empty() && lost_.Subtract(bytes).is_refused) return false;
  return !acked_.Add(bytes).is_refused;
}

uint64_t SendBuffer::OnLost(const StreamRange& range) {
  if (is_reset_) return 0;
  GODWIT_CHECK_LE(range.end_bytes(), sent_end_);
  if (range.is_fin && fin_ == FinState::kInFlight) fin_ = FinState::kLost;
  const uint64_t lost_before = lost_.covered_count();
  MarkLost({range.offset_bytes, range.end_bytes()});
  return lost_.covered_count() - lost_before;
}

void SendBuffer::MarkLost(Interval bytes) {
  uint64_t from = std::max(bytes.begin, acked_end_);
  while (from < bytes.end) {
    const Interval unacked = acked_.FirstGap(from);
    if (unacked.begin >= bytes.end) return;
    const uint64_t end = std::min(unacked.end, bytes.end);
    if (lost_.Add({unacked.begin, end}).is_refused) return MarkAllUnackedLost();
    from = end;
  }
}

void SendBuffer::MarkAllUnackedLost() {
  lost_.Clear();
  for (uint64_t from = acked_end_; from < sent_end_;) {
    const Interval unacked = acked_.FirstGap(from);
    if (unacked.begin >= sent_end_) return;
    from = std::min(unacked.end, sent_end_);
    const IntervalSet::Change change = lost_.Add({unacked.begin, from});
    GODWIT_CHECK(!change.is_refused);
  }
}

void SendBuffer::ReleaseAcked(SendBlockPool& pool) {
  while (!segments_.empty() && segments_.front().end <= acked_end_) {
    if (segments_.front().block != nullptr) pool.Give(std::move(segments_.front().block));
    segments_.PopFront();
    if (unsent_segment_ > 0) --unsent_segment_;
  }
}

void SendBuffer::Reset(SendBlockPool& pool) {
  is_reset_ = true;
  written_end_ = sent_end_;
  acked_end_ = sent_end_;
  fin_ = FinState::kNone;
  acked_.Clear();
  lost_.Clear();
  while (!segments_.empty()) {
    if (segments_.front().block != nullptr) pool.Give(std::move(segments_.front().block));
    segments_.PopFront();
  }
  unsent_segment_ = 0;
}

void SendBuffer::CheckInvariants() const {
  GODWIT_CHECK_LE(acked_end_, sent_end_);
  GODWIT_CHECK_LE(sent_end_, written_end_);
  acked_.CheckInvariants();
  lost_.CheckInvariants();
  if (!acked_.empty()) {
    GODWIT_CHECK_GT(acked_.front().begin, acked_end_);
    GODWIT_CHECK_LE(acked_.back().end, sent_end_);
  }
  if (!lost_.empty()) {
    GODWIT_CHECK_GE(lost_.front().begin, acked_end_);
    GODWIT_CHECK_LE(lost_.back().end, sent_end_);
  }
  for (const Interval& lost : lost_) {
    const Interval unacked = acked_.FirstGap(lost.begin);
    GODWIT_CHECK_EQ(unacked.begin, lost.begin);
    GODWIT_CHECK_GE(unacked.end, lost.end);
  }
  const bool is_fin_sent = is_finished() && fin_ != FinState::kUnsent;
  if (is_fin_sent) GODWIT_CHECK_EQ(sent_end_, written_end_);

  if (segments_.empty()) {
    GODWIT_CHECK_EQ(acked_end_, written_end_);
    GODWIT_CHECK_EQ(unsent_segment_, 0);
    return;
  }
  GODWIT_CHECK_LE(segments_.front().begin, acked_end_);
  GODWIT_CHECK_GT(segments_.front().end, acked_end_);
  GODWIT_CHECK_EQ(segments_.back().end, written_end_);
  GODWIT_CHECK_LT(unsent_segment_, segments_.size());
  for (size_t i = 0; i < segments_.size(); ++i) {
    GODWIT_CHECK_LT(segments_[i].begin, segments_[i].end);
    if (i != 0) GODWIT_CHECK_EQ(segments_[i - 1].end, segments_[i].begin);
    if (i < unsent_segment_) GODWIT_CHECK_LE(segments_[i].end, sent_end_);
    GODWIT_CHECK_NE(segments_[i].block == nullptr, segments_[i].owned.empty());
  }
}

}  // namespace godwit
