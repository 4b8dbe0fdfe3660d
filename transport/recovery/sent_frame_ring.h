// SPDX-License-Identifier: Apache-2.0
//
// SentFrameRing: the SentFrames of many packets, one behind the other in a circular array, so that
// a packet needs no memory of its own for them. Whoever keeps the packets keeps for each where its
// frames begin and how many they are, and gives up the frames of the oldest packets first.
//
// Positions count all frames ever pushed, modulo 2^32; they stay valid when the array grows.
//
// Invariants: size() <= the array's length, a power of two or, before the first frame, 0.
#ifndef GODWIT_TRANSPORT_RECOVERY_SENT_FRAME_RING_H_
#define GODWIT_TRANSPORT_RECOVERY_SENT_FRAME_RING_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"
#include "transport/delivery/sent_frame.h"

namespace godwit {

class SentFrameRing {
 public:
  // Of the oldest frame, and of the next one pushed.
  uint32_t begin() const { return begin_; }
  uint32_t end() const { return end_; }
  size_t size() const { return end_ - begin_; }

  const SentFrame& operator[](uint32_t position) const {
    GODWIT_DCHECK_LT(position - begin_, size());
    return places_[position & mask_];
  }

  void Push(const SentFrame& frame) {
    if (size() == places_.size()) [[unlikely]] {
      Grow();
    }
    places_[end_ & mask_] = frame;
    ++end_;
  }

  void PopFront(size_t count) {
    GODWIT_DCHECK_LE(count, size());
    begin_ += static_cast<uint32_t>(count);
  }

  // Gives up the memory too.
  void Clear() {
    places_ = std::vector<SentFrame>();
    mask_ = 0;
    begin_ = end_;
  }

 private:
  static constexpr size_t kFirstCapacity = 16;

  [[gnu::noinline]] void Grow() {
    const size_t larger_size = places_.empty() ? kFirstCapacity : 2 * places_.size();
    GODWIT_CHECK_LT(larger_size, UINT32_MAX);
    std::vector<SentFrame> larger(larger_size, SentFrame::Ping());
    const auto larger_mask = static_cast<uint32_t>(larger_size - 1);
    for (uint32_t i = begin_; i != end_; ++i) larger[i & larger_mask] = places_[i & mask_];
    places_ = std::move(larger);
    mask_ = larger_mask;
  }

  std::vector<SentFrame> places_;
  uint32_t mask_ = 0;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_SENT_FRAME_RING_H_
