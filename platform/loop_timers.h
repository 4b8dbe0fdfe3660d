// SPDX-License-Identifier: Apache-2.0
//
// LoopTimers: the timers of an event loop: callbacks with deadlines, run in the order of their
// deadlines, equal ones in the order in which they were set. It reads no clock and waits for
// nothing.
//
// A binary heap over a table of slots: O(log n) to set, move and remove. Memory grows to the
// highest number of timers at one time and is used again; setting a timer allocates nothing then,
// apart from what a std::function needs for more than two words of captures.
//
// Invariants:
//  1. A TimerId is never used again, so that a late Remove() or Reschedule() touches no other
//  timer.
//  2. A round of RunDue() runs only what was set before it began, and all of that which is due: no
//     callback can keep others from running by setting timers of its own.
#ifndef GODWIT_PLATFORM_LOOP_TIMERS_H_
#define GODWIT_PLATFORM_LOOP_TIMERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "godwit/time.h"

namespace godwit {

// Names one timer of one loop, also after it has run. A value; by default it names none.
class TimerId {
 public:
  constexpr TimerId() = default;

  friend constexpr bool operator==(TimerId, TimerId) = default;

 private:
  friend class LoopTimers;

  constexpr TimerId(uint64_t serial, uint32_t slot) : serial_(serial), slot_(slot) {}

  uint64_t serial_ = 0;
  uint32_t slot_ = 0;
};

class LoopTimers {
 public:
  LoopTimers() = default;
  LoopTimers(const LoopTimers&) = delete;
  LoopTimers& operator=(const LoopTimers&) = delete;

  // The callback may add, remove and reschedule any timer. Infinite(): not before it is
  // rescheduled.
  TimerId Add(Timestamp deadline, std::function<void()> callback);

  // Nothing happens if the timer has run or was removed.
  void Remove(TimerId id);

  // False if the timer has run or was removed. From inside of the timer's own callback it is true,
  // and the timer lives on with its id: so a timer that repeats needs no new callback each time.
  bool Reschedule(TimerId id, Timestamp deadline);

  // Infinite() if there is none.
  Timestamp Earliest() const;

  // Runs what is due. Not from inside of a callback.
  void RunDue(Timestamp now);

  void Clear();

  void CheckInvariants() const;

 private:
  static constexpr size_t kNotInHeap = SIZE_MAX;

  struct Node {
    Timestamp deadline;
    uint64_t order;  // Of setting: grows by one each time.
    uint32_t slot;

    bool Before(const Node& other) const {
      return deadline != other.deadline ? deadline < other.deadline : order < other.order;
    }
  };
  struct Slot {
    uint64_t serial = 0;  // 0: free.
    size_t heap_index = kNotInHeap;
    std::function<void()> callback;
  };

  Slot* Find(TimerId id);
  uint32_t TakeSlot();
  void FreeSlot(uint32_t slot);
  void RunFirst();
  void Insert(uint32_t slot, Timestamp deadline);
  void RemoveNode(size_t index);
  void SiftUp(size_t index, Node node);
  void SiftDown(size_t index, Node node);
  void Place(size_t index, const Node& node);

  std::vector<Node> heap_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  uint64_t last_serial_ = 0;
  uint64_t next_order_ = 0;
  // The time of the last RunDue(). Deadlines before it count as equal to it (invariant 2): the past
  // of a new timer must not come before what has been due for longer.
  Timestamp floor_ = Timestamp::InfinitePast();
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_LOOP_TIMERS_H_
