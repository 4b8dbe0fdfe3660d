// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/timer_queue.h"

#include <algorithm>

#include "base/check.h"

namespace godwit {

void TimerQueue::Set(uint32_t slot, Timestamp deadline) {
  if (slot >= deadlines_.size()) {
    if (deadline == Timestamp::Infinite()) return;
    deadlines_.resize(size_t{slot} + 1, Timestamp::Infinite());
    node_of_slot_.resize(size_t{slot} + 1, kNoNode);
  }
  deadlines_[slot] = deadline;
  const uint32_t index = node_of_slot_[slot];
  if (index == kNoNode) {
    if (deadline == Timestamp::Infinite()) return;
    heap_.push_back({deadline, slot});
    SiftUp(heap_.size() - 1);
  } else if (deadline < heap_[index].key) {
    heap_[index].key = deadline;
    SiftUp(index);
  }
}

Timestamp TimerQueue::deadline(uint32_t slot) const {
  return slot < deadlines_.size() ? deadlines_[slot] : Timestamp::Infinite();
}

Timestamp TimerQueue::Earliest() {
  Settle();
  return heap_.empty() ? Timestamp::Infinite() : heap_.front().key;
}

std::optional<uint32_t> TimerQueue::PopExpired(Timestamp now) {
  Settle();
  if (heap_.empty() || heap_.front().key > now) return std::nullopt;
  const uint32_t slot = heap_.front().slot;
  deadlines_[slot] = Timestamp::Infinite();
  RemoveTop();
  return slot;
}

void TimerQueue::Settle() {
  // Each round undoes one Set() that was put off.
  while (!heap_.empty()) {
    Node& top = heap_.front();
    const Timestamp deadline = deadlines_[top.slot];
    if (deadline == top.key) return;
    if (deadline == Timestamp::Infinite()) {
      RemoveTop();
    } else {
      top.key = deadline;
      SiftDown(0);
    }
  }
}

void TimerQueue::RemoveTop() {
  node_of_slot_[heap_.front().slot] = kNoNode;
  const Node last = heap_.back();
  heap_.pop_back();
  if (heap_.empty()) return;
  heap_.front() = last;
  SiftDown(0);
}

void TimerQueue::SiftUp(size_t index) {
  const Node node = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / kArity;
    if (heap_[parent].key <= node.key) break;
    Place(index, heap_[parent]);
    index = parent;
  }
  Place(index, node);
}

void TimerQueue::SiftDown(size_t index) {
  const Node node = heap_[index];
  for (;;) {
    const size_t first = index * kArity + 1;
    if (first >= heap_.size()) break;
    const size_t end = std::min(first + kArity, heap_.size());
    size_t least = first;
    for (size_t child = first + 1; child < end; ++child) {
      if (heap_[child].key < heap_[least].key) least = child;
    }
    if (node.key <= heap_[least].key) break;
    Place(index, heap_[least]);
    index = least;
  }
  Place(index, node);
}

void TimerQueue::CheckInvariants() const {
  GODWIT_CHECK_EQ(deadlines_.size(), node_of_slot_.size());
  for (size_t i = 0; i < heap_.size(); ++i) {
    GODWIT_CHECK_LT(heap_[i].slot, node_of_slot_.size());
    GODWIT_CHECK_EQ(node_of_slot_[heap_[i].slot], i);
    GODWIT_CHECK_LE(heap_[i].key, deadlines_[heap_[i].slot]);
    if (i > 0) GODWIT_CHECK_LE(heap_[(i - 1) / kArity].key, heap_[i].key);
  }
  size_t node_count = 0;
  for (size_t slot = 0; slot < deadlines_.size(); ++slot) {
    if (node_of_slot_[slot] != kNoNode) {
      ++node_count;
    } else {
      GODWIT_CHECK_EQ(deadlines_[slot], Timestamp::Infinite());
    }
  }
  GODWIT_CHECK_EQ(node_count, heap_.size());
}

}  // namespace godwit
