// SPDX-License-Identifier: Apache-2.0
//
// IntrusiveRing: a circle of objects linked through a member of theirs, with a front. Joining,
// leaving from anywhere and passing the front on take constant time and no memory.
//
// It owns nothing: who destroys an object takes it out first. A hook is in one ring at a time, and
// only that ring may take it out.
#ifndef GODWIT_TRANSPORT_STREAMS_INTRUSIVE_RING_H_
#define GODWIT_TRANSPORT_STREAMS_INTRUSIVE_RING_H_

#include "base/check.h"

namespace godwit {

template <typename Node>
struct RingHook {
  Node* previous = nullptr;
  Node* next = nullptr;

  bool is_linked() const { return next != nullptr; }
};

template <typename Node, RingHook<Node> Node::*kHook>
class IntrusiveRing {
 public:
  bool empty() const { return front_ == nullptr; }
  Node* front() const { return front_; }
  // The one behind `node`; behind the last it is the front.
  static Node* Next(const Node& node) { return (node.*kHook).next; }

  void PushBack(Node& node) {
    RingHook<Node>& hook = node.*kHook;
    GODWIT_DCHECK(!hook.is_linked());
    if (front_ == nullptr) {
      hook = {&node, &node};
      front_ = &node;
      return;
    }
    Node* const last = (front_->*kHook).previous;
    hook = {last, front_};
    (last->*kHook).next = &node;
    (front_->*kHook).previous = &node;
  }

  void Remove(Node& node) {
    RingHook<Node>& hook = node.*kHook;
    GODWIT_DCHECK(hook.is_linked());
    if (hook.next == &node) {
      GODWIT_DCHECK(front_ == &node);
      front_ = nullptr;
    } else {
      (hook.previous->*kHook).next = hook.next;
      (hook.next->*kHook).previous = hook.previous;
      if (front_ == &node) front_ = hook.next;
    }
    hook = {};
  }

  // The front becomes the last. The ring is not empty.
  void Rotate() { front_ = (front_->*kHook).next; }

 private:
  Node* front_ = nullptr;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_INTRUSIVE_RING_H_
