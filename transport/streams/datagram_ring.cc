// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/datagram_ring.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace godwit {
namespace {

constexpr size_t kFirstCapacityBytes = 2048;

}  // namespace

void DatagramRing::PushBack(std::span<const uint8_t> data) {
  GODWIT_CHECK_LE(data.size(), kMaxDatagramBytes);
  const size_t record_bytes = RecordBytes(data.size());
  size_t place = FindPlace(record_bytes);
  if (place == capacity_) {
    Grow(record_bytes);
    place = tail_;
  } else if (place != tail_ && tail_ < capacity_) {
    SetHeaderAt(tail_, kWrap);
  }
  SetHeaderAt(place, static_cast<uint32_t>(data.size()));
  if (!data.empty()) std::memcpy(&memory_[place + kHeaderBytes], data.data(), data.size());
  tail_ = place + record_bytes;
  ++count_;
  ++record_count_;
  data_bytes_ += data.size();
}

std::span<const uint8_t> DatagramRing::front() const {
  GODWIT_CHECK_GT(count_, 0);
  const uint32_t header = HeaderAt(head_);
  return std::span(memory_.get() + head_ + kHeaderBytes, SizeOf(header));
}

void DatagramRing::PopFront() {
  GODWIT_CHECK_GT(count_, 0);
  const uint32_t header = HeaderAt(head_);
  SetHeaderAt(head_, header | kDiscarded);
  --count_;
  data_bytes_ -= SizeOf(header);
  PopDiscarded();
}

void DatagramRing::PopDiscarded() {
  while (record_count_ > 0 && (HeaderAt(head_) & kDiscarded) != 0) {
    head_ = NextAfter(head_);
    --record_count_;
    if (record_count_ > 0) head_ = Resolve(head_);
  }
  if (record_count_ == 0) {
    head_ = 0;
    tail_ = 0;
    if (capacity_ > kKeptDatagramQueueBytes) {
      memory_.reset();
      capacity_ = 0;
    }
  }
}

uint32_t DatagramRing::HeaderAt(size_t position) const {
  GODWIT_DCHECK_LE(position + kHeaderBytes, capacity_);
  uint32_t header = 0;
  std::memcpy(&header, &memory_[position], kHeaderBytes);
  return header;
}

void DatagramRing::SetHeaderAt(size_t position, uint32_t header) {
  GODWIT_DCHECK_LE(position + kHeaderBytes, capacity_);
  std::memcpy(&memory_[position], &header, kHeaderBytes);
}

size_t DatagramRing::Resolve(size_t position) const {
  return position == capacity_ || HeaderAt(position) == kWrap ? 0 : position;
}

size_t DatagramRing::NextAfter(size_t position) const {
  return position + RecordBytes(SizeOf(HeaderAt(position)));
}

// Behind tail_ there is always room for a mark, unless tail_ is the end of the memory.
size_t DatagramRing::FindPlace(size_t record_bytes) const {
  if (record_count_ == 0 || tail_ > head_) {
    if (capacity_ - tail_ >= record_bytes) return tail_;
    if (record_count_ != 0 && head_ >= record_bytes) return 0;
  } else if (head_ - tail_ >= record_bytes) {
    return tail_;
  }
  return capacity_;
}

void DatagramRing::Grow(size_t record_bytes) {
  const size_t capacity =
      std::bit_ceil(std::max({2 * capacity_, kFirstCapacityBytes, capacity_ + record_bytes}));
  auto memory = std::make_unique_for_overwrite<uint8_t[]>(capacity);
  size_t end = 0;
  size_t position = head_;
  for (size_t i = 0; i < record_count_; ++i) {
    position = Resolve(position);
    const size_t size = NextAfter(position) - position;
    std::memcpy(&memory[end], &memory_[position], size);
    end += size;
    position += size;
  }
  memory_ = std::move(memory);
  capacity_ = capacity;
  head_ = 0;
  tail_ = end;
}

void DatagramRing::CheckInvariants() const {
  GODWIT_CHECK_LE(count_, record_count_);
  GODWIT_CHECK_EQ(count_ == 0, record_count_ == 0);
  size_t count = 0;
  uint64_t data_bytes = 0;
  size_t position = head_;
  for (size_t i = 0; i < record_count_; ++i) {
    position = Resolve(position);
    const uint32_t header = HeaderAt(position);
    if (i == 0) GODWIT_CHECK_EQ(header & kDiscarded, 0);
    if ((header & kDiscarded) == 0) {
      ++count;
      data_bytes += SizeOf(header);
    }
    position = NextAfter(position);
  }
  GODWIT_CHECK_EQ(position, tail_);
  GODWIT_CHECK_EQ(count, count_);
  GODWIT_CHECK_EQ(data_bytes, data_bytes_);
}

}  // namespace godwit
