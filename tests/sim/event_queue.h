// SPDX-License-Identifier: Apache-2.0
//
// EventQueue: virtual time. What is to happen later stands in it; running the next entry moves the
// time to it. There is no other clock in the simulator.
//
// Invariant: entries run in the order of their times, and those of one time in the order in which
// they were put in, so that a run depends on nothing but what is in it.
#ifndef GODWIT_TESTS_SIM_EVENT_QUEUE_H_
#define GODWIT_TESTS_SIM_EVENT_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "godwit/time.h"

namespace godwit {

class EventQueue {
 public:
  using Action = std::function<void()>;

  explicit EventQueue(Timestamp start) : now_(start) {}
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  Timestamp now() const { return now_; }
  bool empty() const { return entries_.empty(); }
  // Infinite() if nothing is to come.
  Timestamp next_time() const {
    return entries_.empty() ? Timestamp::Infinite() : entries_.front().time;
  }
  uint64_t events_run() const { return events_run_; }

  // At `time`, or now if that has passed.
  void At(Timestamp time, Action action) {
    GODWIT_CHECK(!time.is_infinite() || time == Timestamp::InfinitePast());
    entries_.push_back({std::max(time, now_), next_sequence_++, std::move(action)});
    std::push_heap(entries_.begin(), entries_.end(), RunsLater);
  }
  void After(Duration delay, Action action) { At(now_ + delay, std::move(action)); }

  // There is one.
  void RunNext() {
    GODWIT_CHECK(!entries_.empty());
    std::pop_heap(entries_.begin(), entries_.end(), RunsLater);
    const Entry entry = std::move(entries_.back());
    entries_.pop_back();
    now_ = entry.time;
    ++events_run_;
    entry.action();
  }

 private:
  struct Entry {
    Timestamp time;
    uint64_t sequence;
    Action action;
  };

  static bool RunsLater(const Entry& a, const Entry& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }

  Timestamp now_;
  uint64_t next_sequence_ = 0;
  uint64_t events_run_ = 0;
  std::vector<Entry> entries_;  // A heap, the next one in front.
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_EVENT_QUEUE_H_
