// SPDX-License-Identifier: Apache-2.0
//
// DatagramRing: a first-in first-out queue of byte strings in one piece of memory, so that queueing
// many small datagrams costs neither an allocation each nor more than 4 bytes beside their own.
//
// It decides where they lie. How many and how much it may hold is its owner's to bound.
//
// Each is kept in one piece. The memory doubles when one finds no place in it, and is given back
// when the ring becomes empty, unless it is small.
//
// Invariants: a record is a header of 4 bytes and its data, at a multiple of 4. A record that would
// not fit before the end of the memory lies at its begin, and a mark says so. The first record was
// not discarded: discarded ones go as soon as nothing is in front of them.
#ifndef GODWIT_TRANSPORT_STREAMS_DATAGRAM_RING_H_
#define GODWIT_TRANSPORT_STREAMS_DATAGRAM_RING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/check.h"

namespace godwit {

class DatagramRing {
 public:
  DatagramRing() = default;

  bool empty() const { return count_ == 0; }
  // Without discarded ones.
  size_t count() const { return count_; }
  // From the front to the back, discarded ones included.
  size_t record_count() const { return record_count_; }
  uint64_t data_bytes() const { return data_bytes_; }
  // What the ring has allocated.
  uint64_t held_bytes() const { return capacity_; }

  // At most kMaxDatagramBytes.
  void PushBack(std::span<const uint8_t> data);

  // The next two want a ring that is not empty.
  std::span<const uint8_t> front() const;
  void PopFront();

  // Discards each record above `max_bytes` and calls `on_discarded(index)` for it, in order. The
  // index counts records from the front, as they were when the call began.
  template <typename OnDiscarded>
  void DiscardAbove(uint64_t max_bytes, OnDiscarded&& on_discarded);

  void CheckInvariants() const;

 private:
  static constexpr uint32_t kDiscarded = uint32_t{1} << 31;
  static constexpr uint32_t kWrap = ~uint32_t{0};  // Instead of a header: go on at the begin.
  static constexpr size_t kHeaderBytes = sizeof(uint32_t);

  static size_t RecordBytes(size_t data_size) {
    return kHeaderBytes + (data_size + kHeaderBytes - 1) / kHeaderBytes * kHeaderBytes;
  }
  static size_t SizeOf(uint32_t header) { return header & ~kDiscarded; }

  uint32_t HeaderAt(size_t position) const;
  void SetHeaderAt(size_t position, uint32_t header);
  // Where the record is that begins at `position`, if not at the begin of the memory.
  size_t Resolve(size_t position) const;
  size_t NextAfter(size_t position) const;
  // Where a record of that size goes; capacity_ if there is no place.
  size_t FindPlace(size_t record_bytes) const;
  void Grow(size_t record_bytes);
  void PopDiscarded();

  std::unique_ptr<uint8_t[]> memory_;
  size_t capacity_ = 0;
  size_t head_ = 0;  // The first record.
  size_t tail_ = 0;  // Behind the last one. Equal to head_: empty or full.
  size_t count_ = 0;
  size_t record_count_ = 0;
  uint64_t data_bytes_ = 0;
};

template <typename OnDiscarded>
void DatagramRing::DiscardAbove(uint64_t max_bytes, OnDiscarded&& on_discarded) {
  size_t position = head_;
  for (size_t index = 0; index < record_count_; ++index) {
    position = Resolve(position);
    const uint32_t header = HeaderAt(position);
    const size_t size = SizeOf(header);
    if ((header & kDiscarded) == 0 && size > max_bytes) {
      SetHeaderAt(position, header | kDiscarded);
      --count_;
      data_bytes_ -= size;
      on_discarded(index);
    }
    position = NextAfter(position);
  }
  PopDiscarded();
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_DATAGRAM_RING_H_
