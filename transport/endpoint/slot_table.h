// SPDX-License-Identifier: Apache-2.0
//
// SlotTable: the connections of an endpoint in numbered slots. A slot is used again, the latest one
// first, so that the arrays which are indexed by slot stay small; the generation tells a slot's
// users apart. A slot that has used up its generations is never used again.
//
// Invariant: every slot is occupied, in the list of free ones, or used up.
#ifndef GODWIT_TRANSPORT_ENDPOINT_SLOT_TABLE_H_
#define GODWIT_TRANSPORT_ENDPOINT_SLOT_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "godwit/connection_handle.h"

namespace godwit {

template <typename T>
class SlotTable {
 public:
  size_t size() const { return size_; }
  // One more than the highest slot that ever was occupied.
  uint32_t slot_count() const { return static_cast<uint32_t>(slots_.size()); }

  ConnectionHandle Insert(T value) {
    if (free_.empty()) {
      GODWIT_CHECK_LT(slots_.size(), std::numeric_limits<uint32_t>::max() - 1);
      free_.push_back(slot_count());
      slots_.emplace_back();
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    Slot& place = slots_[slot];
    place.value.emplace(std::move(value));
    ++place.generation;
    ++size_;
    return {slot, place.generation};
  }

  // `slot` is occupied.
  void Erase(uint32_t slot) {
    GODWIT_CHECK(is_occupied(slot));
    slots_[slot].value.reset();
    --size_;
    if (slots_[slot].generation != kLastGeneration) free_.push_back(slot);
  }

  bool is_occupied(uint32_t slot) const {
    return slot < slots_.size() && slots_[slot].value.has_value();
  }
  // `slot` is occupied.
  T& operator[](uint32_t slot) {
    GODWIT_DCHECK(is_occupied(slot));
    return *slots_[slot].value;
  }
  const T& operator[](uint32_t slot) const {
    GODWIT_DCHECK(is_occupied(slot));
    return *slots_[slot].value;
  }
  ConnectionHandle HandleOf(uint32_t slot) const {
    GODWIT_DCHECK(is_occupied(slot));
    return {slot, slots_[slot].generation};
  }

  // Null if what `handle` named is gone.
  T* Find(ConnectionHandle handle) {
    if (!is_occupied(handle.slot)) return nullptr;
    Slot& place = slots_[handle.slot];
    return place.generation == handle.generation ? &*place.value : nullptr;
  }

  void CheckInvariants() const {
    size_t occupied = 0;
    size_t used_up = 0;
    for (const Slot& slot : slots_) {
      if (slot.value.has_value()) {
        ++occupied;
      } else if (slot.generation == kLastGeneration) {
        ++used_up;
      }
    }
    GODWIT_CHECK_EQ(occupied, size_);
    GODWIT_CHECK_EQ(occupied + used_up + free_.size(), slots_.size());
    for (const uint32_t slot : free_) GODWIT_CHECK(!is_occupied(slot));
  }

 private:
  static constexpr uint32_t kLastGeneration = std::numeric_limits<uint32_t>::max();

  struct Slot {
    std::optional<T> value;
    uint32_t generation = 0;
  };

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t size_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_SLOT_TABLE_H_
