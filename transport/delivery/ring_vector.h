// SPDX-License-Identifier: Apache-2.0
//
// RingVector: a sequence in a circular array that grows and shrinks at both ends in constant time;
// insertion and removal in between move the shorter side. What the parts of this folder keep their
// ranges and blocks in.
//
// The first kInlineCapacity elements live in the object. The array grows by doubling and never
// shrinks, so a sequence that has reached its working size allocates nothing more. How large it may
// become is its owner's to bound.
//
// Invariant: places outside the sequence hold T(), so that a removed element owns nothing any more.
#ifndef GODWIT_TRANSPORT_DELIVERY_RING_VECTOR_H_
#define GODWIT_TRANSPORT_DELIVERY_RING_VECTOR_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace godwit {

template <typename T, size_t kInlineCapacity>
class RingVector {
  static_assert(std::has_single_bit(kInlineCapacity), "positions wrap by a mask");
  static_assert(std::is_nothrow_move_assignable_v<T>);

 public:
  RingVector() = default;
  RingVector(RingVector&& other) noexcept { TakeFrom(other); }
  RingVector& operator=(RingVector&& other) noexcept {
    if (this != &other) {
      Clear();
      TakeFrom(other);
    }
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  T& operator[](size_t index) { return data()[Place(index)]; }
  const T& operator[](size_t index) const { return data()[Place(index)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void PushBack(T value) {
    if (size_ > mask_) [[unlikely]] {
      Grow();
    }
    data()[(head_ + size_) & mask_] = std::move(value);
    ++size_;
  }

  void PopFront() {
    Release(front());
    head_ = (head_ + 1) & mask_;
    --size_;
  }

  // `value` becomes the element number `index`, at most size().
  void Insert(size_t index, T value) {
    GODWIT_DCHECK_LE(index, size_);
    if (size_ > mask_) Grow();
    ++size_;
    if (index < size_ / 2) {
      head_ = (head_ - 1) & mask_;
      for (size_t i = 0; i < index; ++i) (*this)[i] = std::move((*this)[i + 1]);
    } else {
      for (size_t i = size_ - 1; i > index; --i) (*this)[i] = std::move((*this)[i - 1]);
    }
    (*this)[index] = std::move(value);
  }

  // Removes `count` elements from number `first` on.
  void Erase(size_t first, size_t count) {
    GODWIT_DCHECK_LE(first + count, size_);
    if (count == 0) return;
    const size_t behind = size_ - first - count;
    if (first < behind) {
      for (size_t i = first; i-- > 0;) (*this)[i + count] = std::move((*this)[i]);
      for (size_t i = 0; i < count; ++i) Release((*this)[i]);
      head_ = static_cast<uint32_t>(Place(count));
    } else {
      for (size_t i = first; i < first + behind; ++i) (*this)[i] = std::move((*this)[i + count]);
      for (size_t i = first + behind; i < size_; ++i) Release((*this)[i]);
    }
    size_ -= static_cast<uint32_t>(count);
  }

  void Clear() {
    for (size_t i = 0; i < size_; ++i) Release((*this)[i]);
    head_ = 0;
    size_ = 0;
  }

 private:
  T* data() { return heap_ != nullptr ? heap_.get() : inline_.data(); }
  const T* data() const { return heap_ != nullptr ? heap_.get() : inline_.data(); }

  size_t Place(size_t index) const {
    GODWIT_DCHECK_LT(index, size_);
    return (head_ + index) & mask_;
  }

  static void Release(T& element) {
    if constexpr (!std::is_trivially_destructible_v<T>) element = T();
  }

  [[gnu::noinline]] void Grow() {
    const size_t capacity = size_t{mask_} + 1;
    GODWIT_CHECK_LE(capacity, std::numeric_limits<uint32_t>::max() / 2);
    auto larger = std::make_unique<T[]>(2 * capacity);
    for (size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    heap_ = std::move(larger);
    mask_ = static_cast<uint32_t>(2 * capacity - 1);
    head_ = 0;
  }

  // Leaves `other` empty. This one is empty.
  void TakeFrom(RingVector& other) {
    if (other.heap_ != nullptr) {
      heap_ = std::move(other.heap_);
      mask_ = std::exchange(other.mask_, kInlineMask);
      head_ = std::exchange(other.head_, 0);
      size_ = std::exchange(other.size_, 0);
    } else {
      for (size_t i = 0; i < other.size_; ++i) PushBack(std::move(other[i]));
      other.Clear();
    }
  }

  static constexpr uint32_t kInlineMask = kInlineCapacity - 1;

  std::unique_ptr<T[]> heap_;  // Null: the elements are inline.
  uint32_t mask_ = kInlineMask;
  uint32_t head_ = 0;
  uint32_t size_ = 0;
  std::array<T, kInlineCapacity> inline_{};
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_DELIVERY_RING_VECTOR_H_
