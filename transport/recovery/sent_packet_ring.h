// SPDX-License-Identifier: Apache-2.0
//
// SentPacketRing: the sent packets of a packet number space from the oldest one that is still of
// interest to the newest (RFC 9002 A.1), in a circular array at their number modulo its length: no
// packet is ever searched for, and none costs an allocation once the array has its working size.
//
// Numbers in between that are settled (acknowledged, or skipped on purpose) keep their entries
// until everything before them has gone. An ACK frame names them again and again, which must cost
// nothing: so each knows how many entries from itself on are settled for certain.
//
// It decides nothing about fates. How many packets it holds is its owner's to bound.
//
// Invariants: entries are those of the numbers from first() to end(), not included; the frames of
// an outstanding entry are in the frame ring; a run of settled entries is not longer than it says
// it is, and contains no outstanding entry.
#ifndef GODWIT_TRANSPORT_RECOVERY_SENT_PACKET_RING_H_
#define GODWIT_TRANSPORT_RECOVERY_SENT_PACKET_RING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

#include "base/check.h"
#include "transport/delivery/sent_frame.h"
#include "transport/recovery/sent_frame_ring.h"
#include "transport/recovery/sent_packet.h"

namespace godwit {

class SentPacketRing {
 public:
  enum class State : uint8_t { kOutstanding, kAcked, kSkipped };

  struct Entry {
    SentPacket sent;
    union {
      uint32_t frames_begin;    // Outstanding: the position in the frame ring.
      uint32_t run_length = 0;  // Settled: so many entries from this one on are, or more.
    };
    State state = State::kSkipped;
    uint8_t frame_count = 0;
    bool is_requeued = false;  // Its frames were handed out for a probe.
  };

  bool empty() const { return first_ == end_; }
  size_t size() const { return end_ - first_; }
  // Of the oldest entry; end() if there is none.
  uint64_t first() const { return first_; }
  // The number of the next packet.
  uint64_t end() const { return end_; }

  Entry& operator[](uint64_t number) {
    GODWIT_DCHECK_LT(number - first_, size());
    return entries_[number & mask_];
  }
  const Entry& operator[](uint64_t number) const {
    GODWIT_DCHECK_LT(number - first_, size());
    return entries_[number & mask_];
  }
  Entry& front() { return (*this)[first_]; }

  // `i` below entry.frame_count; the entry is outstanding.
  const SentFrame& frame(const Entry& entry, uint32_t i) const {
    return frames_[entry.frames_begin + i];
  }

  // packet.packet.packet_number is end().
  void Push(const SentPacket& packet, std::span<const SentFrame> frames) {
    GODWIT_DCHECK_EQ(packet.packet.packet_number, end_);
    Entry& entry = PushEntry();
    entry.sent = packet;
    entry.frames_begin = frames_.end();
    entry.state = State::kOutstanding;
    entry.frame_count = static_cast<uint8_t>(frames.size());
    entry.is_requeued = false;
    for (const SentFrame& frame : frames) frames_.Push(frame);
  }

  void PushSkipped() {
    Entry& entry = PushEntry();
    entry = Entry();
    entry.run_length = 1;
  }

  void PopFront() {
    frames_.PopFront(front().frame_count);
    ++first_;
  }

  // Forgets all entries and gives up the memory.
  void Clear() {
    first_ = end_;
    mask_ = 0;
    entries_.reset();
    frames_.Clear();
  }

  void CheckInvariants() const;

 private:
  static constexpr size_t kFirstCapacity = 8;

  size_t capacity() const { return entries_ == nullptr ? 0 : mask_ + 1; }

  Entry& PushEntry() {
    if (size() == capacity()) [[unlikely]] {
      Grow();
    }
    return entries_[end_++ & mask_];
  }

  void Grow();

  std::unique_ptr<Entry[]> entries_;
  uint64_t mask_ = 0;
  uint64_t first_ = 0;
  uint64_t end_ = 0;
  SentFrameRing frames_;
};

static_assert(sizeof(SentPacketRing::Entry) == 80);
static_assert(std::is_trivially_copyable_v<SentPacketRing::Entry>);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_SENT_PACKET_RING_H_
