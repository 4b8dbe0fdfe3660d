// SPDX-License-Identifier: Apache-2.0
//
// SlotQueue: slots of a table in the order in which they are served, each at most once: connections
// that have something to send, to tell, or to copy. Round robin is Front() and MoveToBack().
//
// A doubly linked list in an array that is indexed by slot: every operation takes constant time,
// and nothing is allocated once the highest slot was there.
//
// Invariants: a slot is linked in both directions or not at all; the ring has one place more, at
// index 0, where it begins and ends.
#ifndef GODWIT_TRANSPORT_ENDPOINT_SLOT_QUEUE_H_
#define GODWIT_TRANSPORT_ENDPOINT_SLOT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.h"

namespace godwit {

class SlotQueue {
 public:
  bool empty() const { return links_[kEnds].next == kEnds; }
  bool Contains(uint32_t slot) const {
    return IndexOf(slot) < links_.size() && links_[IndexOf(slot)].next != kUnlinked;
  }
  std::optional<uint32_t> Front() const {
    if (empty()) return std::nullopt;
    return links_[kEnds].next - 1;
  }

  // Nothing happens if it is in the queue.
  void PushBack(uint32_t slot) {
    // So it is with every call of the application but the first.
    if (Contains(slot)) [[likely]] {
      return;
    }
    Join(slot);
  }
  // Nothing happens if it is not in the queue.
  void Remove(uint32_t slot) {
    if (Contains(slot)) Unlink(static_cast<uint32_t>(IndexOf(slot)));
  }
  // It is in the queue.
  void MoveToBack(uint32_t slot) {
    GODWIT_DCHECK(Contains(slot));
    Unlink(static_cast<uint32_t>(IndexOf(slot)));
    LinkBack(static_cast<uint32_t>(IndexOf(slot)));
  }

  void CheckInvariants() const {
    size_t count = 0;
    uint32_t index = kEnds;
    do {
      const uint32_t next = links_[index].next;
      GODWIT_CHECK_LT(next, links_.size());
      GODWIT_CHECK_EQ(links_[next].previous, index);
      index = next;
      ++count;
      GODWIT_CHECK_LE(count, links_.size());
    } while (index != kEnds);
    size_t linked = 0;
    for (const Link& link : links_) linked += link.next != kUnlinked ? 1 : 0;
    GODWIT_CHECK_EQ(linked, count);
  }

 private:
  static constexpr uint32_t kEnds = 0;
  static constexpr uint32_t kUnlinked = UINT32_MAX;

  struct Link {
    uint32_t next = kUnlinked;
    uint32_t previous = kUnlinked;
  };

  static size_t IndexOf(uint32_t slot) { return size_t{slot} + 1; }

  [[gnu::noinline]] void Join(uint32_t slot) {
    if (IndexOf(slot) >= links_.size()) links_.resize(IndexOf(slot) + 1);
    LinkBack(static_cast<uint32_t>(IndexOf(slot)));
  }

  void LinkBack(uint32_t index) {
    const uint32_t last = links_[kEnds].previous;
    links_[index] = {kEnds, last};
    links_[last].next = index;
    links_[kEnds].previous = index;
  }
  void Unlink(uint32_t index) {
    const Link link = links_[index];
    links_[link.previous].next = link.next;
    links_[link.next].previous = link.previous;
    links_[index] = {};
  }

  std::vector<Link> links_ = {{kEnds, kEnds}};
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_SLOT_QUEUE_H_
