// SPDX-License-Identifier: Apache-2.0
#include "platform/loop_timers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace godwit {

TimerId LoopTimers::Add(Timestamp deadline, std::function<void()> callback) {
  const uint32_t index = TakeSlot();
  Slot& slot = slots_[index];
  slot.serial = ++last_serial_;
  slot.callback = std::move(callback);
  Insert(index, deadline);
  return TimerId(slot.serial, index);
}

void LoopTimers::Remove(TimerId id) {
  Slot* const slot = Find(id);
  if (slot == nullptr) return;
  if (slot->heap_index != kNotInHeap) RemoveNode(slot->heap_index);
  // Destroyed last, as what it captures may use the timers on its end.
  const std::function<void()> callback = std::move(slot->callback);
  FreeSlot(id.slot_);
}

bool LoopTimers::Reschedule(TimerId id, Timestamp deadline) {
  Slot* const slot = Find(id);
  if (slot == nullptr) return false;
  if (slot->heap_index != kNotInHeap) RemoveNode(slot->heap_index);
  Insert(id.slot_, deadline);
  return true;
}

Timestamp LoopTimers::Earliest() const {
  return heap_.empty() ? Timestamp::Infinite() : heap_[0].deadline;
}

void LoopTimers::RunDue(Timestamp now) {
  floor_ = std::max(floor_, now);
  const uint64_t end = next_order_;
  while (!heap_.empty() && heap_[0].deadline <= now && heap_[0].order < end) {
    RunFirst();
  }
}

void LoopTimers::RunFirst() {
  const uint32_t index = heap_[0].slot;
  const uint64_t serial = slots_[index].serial;
  RemoveNode(0);
  // Not in the table while it runs: that may grow, and the timer may be removed.
  std::function<void()> callback = std::move(slots_[index].callback);
  callback();
  Slot& slot = slots_[index];
  if (slot.serial != serial) return;
  if (slot.heap_index == kNotInHeap) {
    FreeSlot(index);
  } else {
    slot.callback = std::move(callback);
  }
}

void LoopTimers::Clear() {
  const std::vector<Slot> slots = std::move(slots_);  // Destroyed last, as in Remove().
  slots_.clear();
  heap_.clear();
  free_slots_.clear();
}

LoopTimers::Slot* LoopTimers::Find(TimerId id) {
  if (id.slot_ >= slots_.size() || id.serial_ == 0) return nullptr;
  Slot& slot = slots_[id.slot_];
  return slot.serial == id.serial_ ? &slot : nullptr;
}

uint32_t LoopTimers::TakeSlot() {
  if (free_slots_.empty()) {
    slots_.emplace_back();
    return static_cast<uint32_t>(slots_.size() - 1);
  }
  const uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  return index;
}

void LoopTimers::FreeSlot(uint32_t index) {
  slots_[index].serial = 0;
  slots_[index].callback = nullptr;
  free_slots_.push_back(index);
}

void LoopTimers::Insert(uint32_t slot, Timestamp deadline) {
  heap_.emplace_back();
  SiftUp(heap_.size() - 1,
         {.deadline = std::max(deadline, floor_), .order = next_order_++, .slot = slot});
}

void LoopTimers::RemoveNode(size_t index) {
  slots_[heap_[index].slot].heap_index = kNotInHeap;
  const Node last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  if (index > 0 && last.Before(heap_[(index - 1) / 2])) {
    SiftUp(index, last);
  } else {
    SiftDown(index, last);
  }
}

void LoopTimers::SiftUp(size_t index, Node node) {
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!node.Before(heap_[parent])) break;
    Place(index, heap_[parent]);
    index = parent;
  }
  Place(index, node);
}

void LoopTimers::SiftDown(size_t index, Node node) {
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].Before(heap_[child])) ++child;
    if (!heap_[child].Before(node)) break;
    Place(index, heap_[child]);
    index = child;
  }
  Place(index, node);
}

void LoopTimers::Place(size_t index, const Node& node) {
  heap_[index] = node;
  slots_[node.slot].heap_index = index;
}

void LoopTimers::CheckInvariants() const {
  for (size_t i = 0; i < heap_.size(); ++i) {
    GODWIT_CHECK_EQ(slots_[heap_[i].slot].heap_index, i);
    GODWIT_CHECK_NE(slots_[heap_[i].slot].serial, 0);
    GODWIT_CHECK_LT(heap_[i].order, next_order_);
    if (i > 0) GODWIT_CHECK(heap_[(i - 1) / 2].Before(heap_[i]));
  }
  for (const uint32_t index : free_slots_) {
    GODWIT_CHECK_EQ(slots_[index].serial, 0);
    GODWIT_CHECK_EQ(slots_[index].heap_index, kNotInHeap);
  }
}

}  // namespace godwit
