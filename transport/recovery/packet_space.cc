// SPDX-License-Identifier: Apache-2.0
#include "transport/recovery/packet_space.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"
#include "congestion/rtt_estimator.h"
#include "transport/wire/packet_number_codec.h"

namespace godwit {
namespace {

// RFC 9000 §13.3: whether what the frame said is said again when it is lost. Of the rest its owner
// at most wants to know.
bool IsSentAgain(const SentFrame& frame) {
  switch (frame.kind()) {
    case FrameKind::kPadding:
    case FrameKind::kPing:
    case FrameKind::kAck:
    case FrameKind::kPathChallenge:
    case FrameKind::kPathResponse:
    case FrameKind::kDatagram:
      return false;
    default:
      return true;
  }
}

}  // namespace

PacketSpace::PacketSpace(PacketNumberSpace space) : acks_(space), space_(space) {}

size_t PacketSpace::NextPacketNumberSize(uint64_t later_packets) const {
  return PacketNumberSize(next_packet_number(), largest_acked(), later_packets);
}

void PacketSpace::OnPacketSent(const SentPacket& packet, std::span<const SentFrame> frames,
                               Random& random) {
  GODWIT_CHECK_EQ(packet.packet.packet_number, sent_.end());
  GODWIT_CHECK_LT(packet.packet.packet_number, kMaxPacketNumber);
  GODWIT_CHECK_LE(frames.size(), kMaxSentFramesPerPacket);
  sent_.Push(packet, frames);
  ++outstanding_count_;
  if (packet.is_in_flight) {
    ++in_flight_count_;
  } else if (in_flight_count_ == 0 && outstanding_count_ > kMaxAckOnlyPackets) {
    LeaveOutstanding(sent_.front());
    sent_.PopFront();
    PopSettled();
  }
  if (packet.is_ack_eliciting) {
    GODWIT_DCHECK(packet.is_in_flight);
    ++ack_eliciting_count_;
    last_ack_eliciting_sent_time_ = packet.packet.sent_time;
  }
  // RFC 9000 §21.4. Not during the handshake: its few packets would not be worth an attack.
  if (space_ == PacketNumberSpace::kApplication && skipped_.IsSkipDue(outstanding_count_, random))
      [[unlikely]] {
    skipped_.Add(sent_.end());
    sent_.PushSkipped();
  }
}

Result PacketSpace::OnAckFrame(const AckRanges& ranges, PathId path, Timestamp now,
                               PacketFates& fates) {
  const uint64_t largest = ranges.largest_acked().value();
  if (largest >= sent_.end()) return kAckOfUnsentPacket;
  const bool has_lost = lost_ != nullptr && !lost_->empty();
  const uint64_t lowest_of_interest = has_lost ? lost_->lowest_number() : sent_.first();
  const uint64_t lowest_skipped = skipped_.lowest();
  absl::InlinedVector<AckRange, kMaxAckRangesSent> open_ranges;
  for (const AckRange& range : ranges) {
    if (skipped_.ContainsAny(range.smallest.value(), range.largest.value())) {
      return kAckOfSkippedPacket;
    }
    if (range.largest.value() >= lowest_of_interest) {
      open_ranges.push_back(range);
    } else if (range.largest.value() < lowest_skipped) {
      break;
    }
  }

  if (largest >= acked_end_) {
    acked_end_ = largest + 1;
    if (largest >= sent_.first() && sent_[largest].state == State::kOutstanding) {
      largest_acked_sent_time_ = sent_[largest].sent.packet.sent_time;
    }
  }
  AckContext context{.path = path, .now = now, .largest = largest, .fates = &fates};
  // Upwards, because fates are reported in ascending order.
  for (size_t i = open_ranges.size(); i-- > 0;) {
    const uint64_t first = open_ranges[i].smallest.value();
    const uint64_t last = open_ranges[i].largest.value();
    if (has_lost) AckLost(first, last, context);
    AckOutstanding(std::max(first, sent_.first()), last, context);
  }
  // RFC 9002 §5.1: a sample needs the largest packet, and an ack-eliciting one, newly acknowledged.
  if (context.has_ack_eliciting) fates.rtt_source = context.largest_newly_acked;
  fates.largest_acked_sent_time = largest_acked_sent_time_;
  PopSettled();
  return Result::Ok();
}

void PacketSpace::AckOutstanding(uint64_t first, uint64_t last, AckContext& context) {
  Entry* previous_run = nullptr;
  for (uint64_t number = first; number <= last;) {
    Entry& entry = sent_[number];
    if (entry.state == State::kOutstanding) [[likely]] {
      AckEntry(entry, context);
      entry.state = State::kAcked;
      entry.run_length = static_cast<uint32_t>(last - number + 1);
      previous_run = nullptr;
      ++number;
      continue;
    }
    // Settled long ago. Adjacent runs grow together as they are passed, so that however a peer
    // arranges its ranges, passing over them becomes cheap.
    number += entry.run_length;
    if (previous_run != nullptr) previous_run->run_length += entry.run_length;
    previous_run = &entry;
  }
}

void PacketSpace::NoteNewlyAcked(const TransmittedPacket& packet, PathId path,
                                 bool is_ack_eliciting, AckContext& context) const {
  context.fates->has_newly_acked = true;
  context.has_ack_eliciting |= is_ack_eliciting;
  if (packet.packet_number == context.largest) {
    context.largest_newly_acked = {packet.sent_time, path};
  }
}

void PacketSpace::AckEntry(const Entry& entry, AckContext& context) {
  PacketFates& fates = *context.fates;
  NoteNewlyAcked(entry.sent.packet, entry.sent.path, entry.sent.is_ack_eliciting, context);
  const PacketNumber number(entry.sent.packet.packet_number);
  for (uint32_t i = 0; i < entry.frame_count; ++i) {
    fates.acked_frames.push_back({number, sent_.frame(entry, i)});
  }
  LeaveOutstanding(entry);
  if (!entry.sent.is_in_flight) return;
  if (entry.sent.path != context.path) {
    fates.other_paths.push_back(
        {entry.sent.path, entry.sent.packet, true, entry.sent.is_mtu_probe});
    return;
  }
  fates.acked.push_back(entry.sent.packet);
  if (entry.sent.is_mtu_probe) fates.mtu_probes.push_back({entry.sent.packet.bytes, true});
}

void PacketSpace::AckLost(uint64_t first, uint64_t last, AckContext& context) {
  const LostPackets::Slice slice = lost_->Find(first, last);
  if (slice.begin == slice.end) return;
  PacketFates& fates = *context.fates;
  for (size_t i = slice.begin; i != slice.end; ++i) {
    const LostPackets::Packet& lost = (*lost_)[i];
    const uint64_t number = lost.packet.packet_number;
    NoteNewlyAcked(lost.packet, lost.path, lost.is_ack_eliciting, context);
    for (uint32_t j = 0; j < lost.frame_count; ++j) {
      fates.acked_frames.push_back({PacketNumber(number), lost_->frame(lost, j)});
    }
    if (lost.path != context.path) continue;
    if (lost.is_mtu_probe) {
      fates.mtu_probes.push_back({lost.packet.bytes, true});
      continue;
    }
    fates.spurious.push_back({lost.packet, lost.declared_lost_at});
    fates.max_spurious_distance =
        std::max(fates.max_spurious_distance, DistanceToLargestAcked(number));
    fates.max_spurious_lateness =
        std::max(fates.max_spurious_lateness, context.now - lost.packet.sent_time);
  }
  lost_->Erase(slice);
  // RFC 9002 §7.6.2: something was delivered in the time that had seemed lost.
  persistent_congestion_.OnDelivered();
}

void PacketSpace::DetectLost(const LossInputs& inputs, ReorderingWindow& window,
                             PacketFates& fates) {
  if (lost_ != nullptr) lost_->ForgetBefore(inputs.now - inputs.persistent_duration);
  // RFC 9002 §6.1.2.
  const Duration rtt = std::max(inputs.latest_rtt, inputs.smoothed_rtt);
  const Duration loss_delay = std::max(rtt * window.time_threshold(), kTimerGranularity);
  const Timestamp lost_send_time = inputs.now - loss_delay;
  const uint64_t packet_threshold = window.packet_threshold();
  const size_t lost_before = fates.lost.size();
  loss_time_ = Timestamp::Infinite();
  for (PopSettled(); !sent_.empty(); PopSettled()) {
    const Entry& entry = sent_.front();
    if (!IsFull()) {
      // RFC 9002 §6.1: it was sent before an acknowledged packet, and passed one of the thresholds.
      if (sent_.first() >= acked_end_) break;
      if (entry.sent.is_in_flight && entry.sent.packet.sent_time > lost_send_time &&
          DistanceToLargestAcked(sent_.first()) < packet_threshold) {
        loss_time_ = entry.sent.packet.sent_time + loss_delay;
        break;
      }
    }
    RemoveFront(inputs, fates);
  }
  if (fates.lost.size() != lost_before) window.OnLoss(inputs.now, inputs.smoothed_rtt);
}

void PacketSpace::RemoveFront(const LossInputs& inputs, PacketFates& fates) {
  const Entry& entry = sent_.front();
  // RFC 9002 §6.1: only packets in flight are lost. Others have nothing that anybody misses.
  if (entry.sent.is_in_flight) ReportLost(entry, inputs, fates);
  LeaveOutstanding(entry);
  sent_.PopFront();
}

void PacketSpace::ReportLost(const Entry& entry, const LossInputs& inputs, PacketFates& fates) {
  const PacketNumber number(entry.sent.packet.packet_number);
  for (uint32_t i = 0; i < entry.frame_count; ++i) {
    const SentFrame& frame = sent_.frame(entry, i);
    if (!entry.is_requeued || !IsSentAgain(frame)) fates.lost_frames.push_back({number, frame});
  }
  if (lost_ == nullptr) lost_ = std::make_unique<LostPackets>();
  lost_->Remember(sent_, entry, inputs.now);
  if (entry.sent.path != inputs.path) {
    fates.other_paths.push_back(
        {entry.sent.path, entry.sent.packet, false, entry.sent.is_mtu_probe});
    return;
  }
  if (entry.sent.is_mtu_probe) {
    // RFC 9000 §14.4: too large for the path, most likely, and no sign of congestion.
    fates.mtu_probes.push_back({entry.sent.packet.bytes, false});
    fates.lost_probe_bytes += entry.sent.packet.bytes;
    return;
  }
  fates.lost.push_back(entry.sent.packet);
  // RFC 9002 §7.6.2: packets sent after the first RTT sample count, and only ack-eliciting ones.
  if (!inputs.has_rtt_sample || !entry.sent.is_ack_eliciting) return;
  const Timestamp since = std::max(inputs.first_rtt_sample_time, inputs.acked_elsewhere_sent_time);
  if (persistent_congestion_.OnLost(entry.sent.packet.sent_time, since,
                                    inputs.persistent_duration)) {
    fates.is_persistent_congestion = true;
  }
}

bool PacketSpace::RequeueOldestForProbe(PacketFates& fates) {
  const size_t frames_before = fates.lost_frames.size();
  for (uint64_t number = sent_.first(); number != sent_.end();) {
    Entry& entry = sent_[number];
    if (entry.state != State::kOutstanding) {
      number += entry.run_length;
      continue;
    }
    if (!entry.is_requeued) {
      for (uint32_t i = 0; i < entry.frame_count; ++i) {
        const SentFrame& frame = sent_.frame(entry, i);
        if (IsSentAgain(frame)) fates.lost_frames.push_back({PacketNumber(number), frame});
      }
      entry.is_requeued = true;
      if (fates.lost_frames.size() != frames_before) return true;
    }
    ++number;
  }
  return false;
}

uint64_t PacketSpace::DiscardAll(PathId path) {
  const uint64_t bytes = bytes_in_flight(path);
  sent_.Clear();
  lost_.reset();
  persistent_congestion_.OnDelivered();
  loss_time_ = Timestamp::Infinite();
  outstanding_count_ = 0;
  in_flight_count_ = 0;
  ack_eliciting_count_ = 0;
  acks_ = AckTracker(space_);
  acks_.ReleaseSpareMemory();
  return bytes;
}

void PacketSpace::ReleaseSpareMemory() {
  acks_.ReleaseSpareMemory();
  lost_.reset();
  if (in_flight_count_ != 0) return;
  sent_.Clear();
  outstanding_count_ = 0;
  loss_time_ = Timestamp::Infinite();
}

Timestamp PacketSpace::loss_time() const {
  return IsFull() ? Timestamp::InfinitePast() : loss_time_;
}

std::optional<PacketNumber> PacketSpace::largest_acked() const {
  if (acked_end_ == 0) return {};
  return PacketNumber(acked_end_ - 1);
}

uint64_t PacketSpace::bytes_in_flight(PathId path) const {
  uint64_t bytes = 0;
  for (uint64_t number = sent_.first(); number != sent_.end(); ++number) {
    const Entry& entry = sent_[number];
    if (entry.state != State::kOutstanding) continue;
    if (entry.sent.is_in_flight && entry.sent.path == path) bytes += entry.sent.packet.bytes;
  }
  return bytes;
}

void PacketSpace::LeaveOutstanding(const Entry& entry) {
  --outstanding_count_;
  if (entry.sent.is_in_flight) --in_flight_count_;
  if (entry.sent.is_ack_eliciting) --ack_eliciting_count_;
}

void PacketSpace::PopSettled() {
  while (!sent_.empty() && sent_.front().state != State::kOutstanding) {
    if (sent_.front().state == State::kAcked) persistent_congestion_.OnDelivered();
    sent_.PopFront();
  }
}

uint64_t PacketSpace::DistanceToLargestAcked(uint64_t number) const {
  if (number >= acked_end_) return 0;
  const uint64_t largest_acked = acked_end_ - 1;
  // RFC 9002 A.10: the threshold is meant for numbers without gaps.
  return largest_acked - number - skipped_.Count(number, largest_acked);
}

void PacketSpace::CheckInvariants() const {
  acks_.CheckInvariants();
  sent_.CheckInvariants();
  if (lost_ != nullptr) {
    lost_->CheckInvariants();
    // All lost numbers lie before the ring.
    GODWIT_CHECK_EQ(lost_->Find(0, sent_.first() - 1).end, lost_->size());
  }
  GODWIT_CHECK(sent_.empty() || sent_[sent_.first()].state == State::kOutstanding);
  GODWIT_CHECK_LE(acked_end_, sent_.end());
  uint64_t outstanding_count = 0;
  uint64_t in_flight_count = 0;
  uint64_t ack_eliciting_count = 0;
  for (uint64_t number = sent_.first(); number != sent_.end(); ++number) {
    const Entry& entry = sent_[number];
    if (entry.state != State::kOutstanding) continue;
    ++outstanding_count;
    if (entry.sent.is_in_flight) ++in_flight_count;
    if (entry.sent.is_ack_eliciting) ++ack_eliciting_count;
  }
  GODWIT_CHECK_EQ(outstanding_count, outstanding_count_);
  GODWIT_CHECK_EQ(in_flight_count, in_flight_count_);
  GODWIT_CHECK_EQ(ack_eliciting_count, ack_eliciting_count_);
}

}  // namespace godwit
