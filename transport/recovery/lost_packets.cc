// SPDX-License-Identifier: Apache-2.0
#include "transport/recovery/lost_packets.h"

#include "base/check.h"
#include "base/limits.h"

namespace godwit {

void LostPackets::Remember(const SentPacketRing& ring, const SentPacketRing::Entry& entry,
                           Timestamp now) {
  if (packets_.size() == kMaxRememberedLosses) Erase({0, 1});
  packets_.PushBack({
      .packet = entry.sent.packet,
      .declared_lost_at = now,
      .path = entry.sent.path,
      .frames_begin = frames_.end(),
      .frame_count = entry.frame_count,
      .is_ack_eliciting = entry.sent.is_ack_eliciting,
      .is_mtu_probe = entry.sent.is_mtu_probe,
  });
  for (uint32_t i = 0; i < entry.frame_count; ++i) frames_.Push(ring.frame(entry, i));
}

LostPackets::Slice LostPackets::Find(uint64_t first, uint64_t last) const {
  return {LowerBound(first), LowerBound(last + 1)};
}

void LostPackets::Erase(Slice slice) {
  packets_.Erase(slice.begin, slice.end - slice.begin);
  ReleaseFrames();
}

void LostPackets::ForgetBefore(Timestamp time) {
  size_t count = 0;
  while (count < packets_.size() && packets_[count].declared_lost_at < time) ++count;
  if (count != 0) Erase({0, count});
}

size_t LostPackets::LowerBound(uint64_t number) const {
  size_t begin = 0;
  size_t end = packets_.size();
  while (begin != end) {
    const size_t middle = begin + (end - begin) / 2;
    if (packets_[middle].packet.packet_number < number) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

void LostPackets::ReleaseFrames() {
  // Frames of packets that were erased in between go with the older ones.
  const uint32_t begin = packets_.empty() ? frames_.end() : packets_.front().frames_begin;
  frames_.PopFront(begin - frames_.begin());
}

void LostPackets::CheckInvariants() const {
  GODWIT_CHECK_LE(packets_.size(), kMaxRememberedLosses);
  size_t frame_count = 0;
  for (size_t i = 0; i < packets_.size(); ++i) {
    frame_count += packets_[i].frame_count;
    if (i == 0) continue;
    GODWIT_CHECK_LT(packets_[i - 1].packet.packet_number, packets_[i].packet.packet_number);
    GODWIT_CHECK(packets_[i - 1].declared_lost_at <= packets_[i].declared_lost_at);
  }
  GODWIT_CHECK_LE(frame_count, frames_.size());
}

}  // namespace godwit
