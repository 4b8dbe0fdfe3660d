// SPDX-License-Identifier: Apache-2.0
#include "transport/recovery/ack_tracker.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "transport/wire/ack_ranges.h"
#include "transport/wire/frame_encoder.h"

namespace godwit {
namespace {

// RFC 9000 §18.2: what a peer assumes if we say nothing else.
constexpr Duration kDefaultMaxAckDelay = Duration::Milliseconds(25);

// RFC 9000 §13.2.2: an ACK frame for every second ack-eliciting packet.
constexpr uint64_t kDefaultAckElicitingThreshold = 2;

constexpr size_t kInlineRanges = 4;  // Of IntervalSet: they need no heap.

// The ranges of a set as an ACK frame takes them.
class DescendingAckRanges {
 public:
  class Iterator {
   public:
    using value_type = AckRange;
    using difference_type = std::ptrdiff_t;
    using Base = std::reverse_iterator<IntervalSet::Iterator>;

    Iterator() = default;
    explicit Iterator(const Base& base) : base_(base) {}

    AckRange operator*() const {
      const Interval& range = *base_;
      return {PacketNumber(range.begin), PacketNumber(range.end - 1)};
    }
    Iterator& operator++() {
      ++base_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(base_++); }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.base_ == b.base_; }

   private:
    Base base_;
  };

  explicit DescendingAckRanges(const IntervalSet& set) : ranges_(set.Descending()) {}

  Iterator begin() const { return Iterator(ranges_.begin()); }
  Iterator end() const { return Iterator(ranges_.end()); }

 private:
  IntervalSet::DescendingRanges ranges_;
};

}  // namespace

AckTracker::AckTracker(PacketNumberSpace space)
    : max_ack_delay_(kDefaultMaxAckDelay),
      // RFC 9000 §13.2.1: Initial and Handshake packets are acknowledged immediately.
      ack_eliciting_threshold_(
          space == PacketNumberSpace::kApplication ? kDefaultAckElicitingThreshold : 1) {}

AckTracker::Novelty AckTracker::Check(PacketNumber number) const {
  if (number.value() >= received_end_) return Novelty::kNew;
  if (!IsInWindow(number.value())) return Novelty::kTooOld;
  return IsMarked(number.value()) ? Novelty::kDuplicate : Novelty::kNew;
}

void AckTracker::OnPacketReceived(const Received& packet) {
  GODWIT_DCHECK(Check(packet.number) == Novelty::kNew);
  const uint64_t number = packet.number.value();
  if (number >= received_end_) largest_received_at_ = packet.received_at;
  MarkReceived(number);
  // A range below all others that finds no room is not acknowledged: it was long ago.
  ranges_.Add(number);
  CountEcn(packet.ecn);
  if (!packet.is_ack_eliciting) return;

  ++ack_eliciting_since_last_ack_;
  deadline_ = std::min(deadline_, packet.received_at + max_ack_delay_);
  // RFC 9000 §13.2.1: what speaks of loss or congestion is reported at once.
  if (IsOutOfOrder(number) || packet.ecn == EcnMark::kCe) {
    deadline_ = Timestamp::InfinitePast();
  } else if (ack_eliciting_since_last_ack_ >= ack_eliciting_threshold_) {
    deadline_ = std::min(deadline_, RegularAckTime(packet.received_at));
  }
  ack_eliciting_end_ = std::max(ack_eliciting_end_, number + 1);
}

Timestamp AckTracker::RegularAckTime(Timestamp now) const {
  const Timestamp earliest = last_ack_at_ + min_interval_;
  return earliest <= now ? Timestamp::InfinitePast() : earliest;
}

bool AckTracker::IsOutOfOrder(uint64_t number) const {
  if (number < ack_eliciting_end_) return true;
  // The last range contains `number`: something is missing if it does not reach back to the
  // ack-eliciting packet before, other than by our forgetting.
  return ranges_.back().begin > std::max(ack_eliciting_end_, forgotten_below_);
}

void AckTracker::RequestImmediateAck() { deadline_ = Timestamp::InfinitePast(); }

void AckTracker::SetDelayPolicy(Duration max_ack_delay, uint64_t ack_eliciting_threshold) {
  GODWIT_CHECK(max_ack_delay >= Duration::Zero());
  GODWIT_CHECK_GE(ack_eliciting_threshold, 1);
  max_ack_delay_ = max_ack_delay;
  ack_eliciting_threshold_ = ack_eliciting_threshold;
}

bool AckTracker::WriteAck(FrameWriter& writer, Timestamp now, uint64_t ack_delay_exponent) {
  if (ranges_.empty()) return false;
  // RFC 9000 §13.2.5: of the largest packet.
  const Duration delay = std::max(now - largest_received_at_, Duration::Zero());
  AckFrameFields fields{
      .encoded_ack_delay = static_cast<uint64_t>(delay.ToMicroseconds()) >> ack_delay_exponent,
      .ecn_counts = {}};
  // RFC 9000 §13.4.1: marks that were seen are reported, from then on in each ACK frame.
  if (ecn_counts_ != EcnCounts{}) fields.ecn_counts = ecn_counts_;
  if (!writer.WriteAck(fields, DescendingAckRanges(ranges_), kMaxAckRangesSent)) return false;
  deadline_ = Timestamp::Infinite();
  last_ack_at_ = now;
  ack_eliciting_since_last_ack_ = 0;
  ++acks_since_heard_;
  return true;
}

void AckTracker::OnAckFrameAcked(PacketNumber largest_acked_in_it) {
  if (received_end_ == 0) return;
  acks_since_heard_ = 0;
  // RFC 9000 §13.2.3: the largest number received stays, for every ACK frame.
  const uint64_t bound = std::min(largest_acked_in_it.value() + 1, received_end_ - 1);
  ranges_.RemoveBelow(bound);
  forgotten_below_ = std::max(forgotten_below_, bound);
}

void AckTracker::ReleaseSpareMemory() {
  // What is missing so long is not under way any more; if it comes it counts as a duplicate.
  window_.reset();
  if (ranges_.range_count() > kInlineRanges) return;
  // The moved-from set has its heap no more.
  const IntervalSet ranges = std::move(ranges_);
  for (const Interval& range : ranges) ranges_.Add(range);
}

bool AckTracker::IsInWindow(uint64_t number) const {
  return number + kDuplicateWindowPackets >= received_end_;
}

bool AckTracker::IsMarked(uint64_t number) const {
  if (window_ == nullptr) return true;
  const uint64_t place = number % kDuplicateWindowPackets;
  return ((*window_)[place / 64] >> (place % 64) & 1) != 0;
}

void AckTracker::MarkReceived(uint64_t number) {
  if (number > received_end_) OpenGap(number);
  received_end_ = std::max(received_end_, number + 1);
  if (window_ == nullptr) return;
  const uint64_t place = number % kDuplicateWindowPackets;
  (*window_)[place / 64] |= uint64_t{1} << (place % 64);
}

void AckTracker::OpenGap(uint64_t end) {
  if (window_ == nullptr) {
    window_ = std::make_unique<Window>();
    window_->fill(~uint64_t{0});
  }
  // The places still have the marks of numbers that fall out of the window.
  const uint64_t begin =
      std::max(received_end_, end - std::min<uint64_t>(end, kDuplicateWindowPackets));
  for (uint64_t number = begin; number < end;) {
    const uint64_t place = number % kDuplicateWindowPackets;
    uint64_t& word = (*window_)[place / 64];
    if (place % 64 == 0 && end - number >= 64) {
      word = 0;
      number += 64;
    } else {
      word &= ~(uint64_t{1} << (place % 64));
      ++number;
    }
  }
}

void AckTracker::CountEcn(EcnMark mark) {
  switch (mark) {
    case EcnMark::kNotEct:
      return;
    case EcnMark::kEct1:
      ++ecn_counts_.ect1_count;
      return;
    case EcnMark::kEct0:
      ++ecn_counts_.ect0_count;
      return;
    case EcnMark::kCe:
      ++ecn_counts_.ce_count;
      return;
  }
}

void AckTracker::CheckInvariants() const {
  ranges_.CheckInvariants();
  GODWIT_CHECK_LE(ranges_.range_count(), kMaxAckRangesTracked);
  GODWIT_CHECK_LE(ack_eliciting_end_, received_end_);
  GODWIT_CHECK_LE(forgotten_below_, received_end_);
  GODWIT_CHECK_EQ(ranges_.empty(), received_end_ == 0);
  GODWIT_CHECK(ranges_.empty() || ranges_.back().end == received_end_);
  for (const Interval& range : ranges_) {
    for (uint64_t number = range.begin; number != range.end; ++number) {
      if (IsInWindow(number)) GODWIT_CHECK(IsMarked(number));
    }
  }
}

}  // namespace godwit
