// SPDX-License-Identifier: Apache-2.0
//
// TimerQueue: one deadline for each slot of a table, and which is the earliest. Made for a hundred
// thousand connections of which few do anything.
//
// A 4-ary heap in which a slot has at most one node. A deadline that moves later, which is what a
// busy connection's does all the time, is only noted; its node moves when it has come to the top.
// So that costs O(1), everything else O(log n). Memory grows with the highest slot, and nothing is
// allocated after that.
//
// It reads no clock and calls nobody. Slots are the caller's small numbers.
//
// Invariants: the key of a node is not later than the deadline of its slot; keys are in heap order;
// a slot without a node has no deadline.
#ifndef GODWIT_TRANSPORT_ENDPOINT_TIMER_QUEUE_H_
#define GODWIT_TRANSPORT_ENDPOINT_TIMER_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "godwit/time.h"

namespace godwit {

class TimerQueue {
 public:
  // Infinite(): the slot has none.
  void Set(uint32_t slot, Timestamp deadline);
  Timestamp deadline(uint32_t slot) const;

  // Infinite() if no slot has a deadline. Not const: it sorts what was put off.
  Timestamp Earliest();
  // The slot with the earliest deadline, which it loses; nothing if that is later than `now`.
  std::optional<uint32_t> PopExpired(Timestamp now);

  void CheckInvariants() const;

 private:
  struct Node {
    Timestamp key;
    uint32_t slot;
  };

  static constexpr uint32_t kNoNode = std::numeric_limits<uint32_t>::max();
  static constexpr size_t kArity = 4;

 public:
  // Bytes of memory that each slot takes, apart from what vectors hold in reserve.
  static constexpr size_t kBytesPerSlot = sizeof(Node) + sizeof(Timestamp) + sizeof(uint32_t);

 private:
  // Brings the earliest deadline to the top.
  void Settle();
  void RemoveTop();
  void SiftUp(size_t index);
  void SiftDown(size_t index);
  void Place(size_t index, const Node& node) {
    heap_[index] = node;
    node_of_slot_[node.slot] = static_cast<uint32_t>(index);
  }

  std::vector<Node> heap_;
  std::vector<Timestamp> deadlines_;    // By slot.
  std::vector<uint32_t> node_of_slot_;  // By slot: its index in the heap.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_TIMER_QUEUE_H_
