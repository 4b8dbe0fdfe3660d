// SPDX-License-Identifier: Apache-2.0
//
// BlockingDoor: the way from the handles of blocking.h to the loop that runs their connections, and
// what is left of it when the loop is gone: a closed door, through which calls get lost.
//
// Threads: any, but for PostLater().
#ifndef GODWIT_RUNTIME_BLOCKING_DOOR_H_
#define GODWIT_RUNTIME_BLOCKING_DOOR_H_

#include <functional>
#include <mutex>
#include <utility>

#include "godwit/loop.h"
#include "godwit/time.h"

namespace godwit {

class BlockingDoor {
 public:
  // Before it, and after Close(), calls are dropped. `loop` lives until Close() has returned.
  void Open(Loop* loop) {
    const std::lock_guard lock(mutex_);
    loop_ = loop;
  }
  void Close() { Open(nullptr); }

  // Runs `call` on the loop's thread, in the order of posting, or destroys it.
  void Post(std::function<void()> call) {
    const std::lock_guard lock(mutex_);
    if (loop_ != nullptr) loop_->Post(std::move(call));
  }

  // On the loop's thread: runs `call` there after `delay`, or destroys it.
  void PostLater(Duration delay, std::function<void()> call) {
    const std::lock_guard lock(mutex_);
    if (loop_ != nullptr) loop_->CallAt(loop_->now() + delay, std::move(call));
  }

 private:
  std::mutex mutex_;
  Loop* loop_ = nullptr;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_BLOCKING_DOOR_H_
