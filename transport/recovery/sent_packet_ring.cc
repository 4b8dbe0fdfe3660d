// SPDX-License-Identifier: Apache-2.0
#include "transport/recovery/sent_packet_ring.h"

#include <bit>
#include <utility>

#include "base/limits.h"

namespace godwit {

static_assert(kMaxSentFramesPerPacket <= UINT8_MAX);

void SentPacketRing::Grow() {
  const size_t larger_size = entries_ == nullptr ? kFirstCapacity : 2 * capacity();
  // Lengths of runs are 32 bits. Far above what the owner permits.
  GODWIT_CHECK_LT(larger_size, UINT32_MAX);
  auto larger = std::make_unique<Entry[]>(larger_size);
  for (uint64_t i = first_; i != end_; ++i) larger[i & (larger_size - 1)] = entries_[i & mask_];
  entries_ = std::move(larger);
  mask_ = larger_size - 1;
}

void SentPacketRing::CheckInvariants() const {
  GODWIT_CHECK_LE(first_, end_);
  GODWIT_CHECK_LE(size(), capacity());
  GODWIT_CHECK(capacity() == 0 || std::has_single_bit(capacity()));
  uint64_t settled_end = first_;  // Of the runs so far.
  size_t frame_count = 0;
  for (uint64_t i = first_; i != end_; ++i) {
    const Entry& entry = (*this)[i];
    frame_count += entry.frame_count;
    if (entry.state == State::kOutstanding) {
      GODWIT_CHECK_EQ(entry.sent.packet.packet_number, i);
      GODWIT_CHECK_LE(settled_end, i);
      GODWIT_CHECK(!entry.sent.is_ack_eliciting || entry.sent.is_in_flight);
    } else {
      GODWIT_CHECK_GE(entry.run_length, 1);
      if (i + entry.run_length > settled_end) settled_end = i + entry.run_length;
    }
  }
  GODWIT_CHECK_LE(settled_end, end_);
  GODWIT_CHECK_EQ(frame_count, frames_.size());
}

}  // namespace godwit
