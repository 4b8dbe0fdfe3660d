// SPDX-License-Identifier: Apache-2.0
//
// CoroutineWaitList: who waits for one thing, in the order of coming. An entry lies in the frame of
// the coroutine that waits, so that none is allocated, and leaves the list by its own end: nothing
// is left of a coroutine that is destroyed.
//
// Threads: the loop's.
//
// Invariant: an entry is in one list or in none. A list that ends lets go of its entries.
#ifndef GODWIT_RUNTIME_COROUTINE_WAIT_LIST_H_
#define GODWIT_RUNTIME_COROUTINE_WAIT_LIST_H_

#include <coroutine>
#include <utility>

namespace godwit {

class CoroutineRoot;

class CoroutineWaitEntry {
 public:
  CoroutineWaitEntry() = default;
  ~CoroutineWaitEntry() { Unlink(); }
  CoroutineWaitEntry(const CoroutineWaitEntry&) = delete;
  CoroutineWaitEntry& operator=(const CoroutineWaitEntry&) = delete;

  void Unlink() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }

  std::coroutine_handle<> waiting;  // What is to go on.
  CoroutineRoot* root = nullptr;    // Of which it is a part.
  bool is_woken = false;            // What it waits for has come.

 private:
  friend class CoroutineWaitList;

  // A ring, in which the list has an entry too.
  CoroutineWaitEntry* previous_ = this;
  CoroutineWaitEntry* next_ = this;
};

class CoroutineWaitList {
 public:
  CoroutineWaitList() = default;
  ~CoroutineWaitList() {
    while (!empty()) ring_.next_->Unlink();
  }

  bool empty() const { return ring_.next_ == &ring_; }
  // Takes it out of the list that it is in.
  void PushBack(CoroutineWaitEntry& entry) {
    entry.Unlink();
    entry.next_ = &ring_;
    entry.previous_ = std::exchange(ring_.previous_, &entry);
    entry.previous_->next_ = &entry;
  }
  // There must be one.
  CoroutineWaitEntry& PopFront() {
    CoroutineWaitEntry& first = *ring_.next_;
    first.Unlink();
    return first;
  }

 private:
  CoroutineWaitEntry ring_;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_COROUTINE_WAIT_LIST_H_
