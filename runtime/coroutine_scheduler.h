// SPDX-License-Identifier: Apache-2.0
//
// CoroutineScheduler: the tasks of one loop: which are there, and which go on when. It alone
// resumes coroutines (but for awaitables of an application's own), from calls of the loop, one
// after the other; what wakes them only says that they are to go on.
//
// CoroutineWait: the one way in which a task waits: in a list that somebody wakes, or until a time.
//
// Threads: the loop's, or any one while the loop does not run.
//
// Invariants:
//  1. No coroutine is resumed inside of another one, nor inside of a call here but the loop's.
//  2. No frame is destroyed while it runs: a task that cancels itself ends where it waits next.
//  3. After End() there are no tasks, and none begins.
#ifndef GODWIT_RUNTIME_COROUTINE_SCHEDULER_H_
#define GODWIT_RUNTIME_COROUTINE_SCHEDULER_H_

#include <coroutine>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "godwit/loop.h"
#include "godwit/task.h"
#include "godwit/time.h"
#include "runtime/coroutine_wait_list.h"

namespace godwit {

// A task that was given to a loop. The scheduler has one reference, until its frame is destroyed.
class CoroutineRoot final : public internal_task::Root,
                            public std::enable_shared_from_this<CoroutineRoot> {
 public:
  // `scheduler` outlives the task.
  CoroutineRoot(CoroutineScheduler* scheduler, Task<> task);

  CoroutineScheduler& scheduler() { return scheduler_; }
  // Destroys the task. Nothing happens if it has ended, as it has after the scheduler's End().
  void Cancel();
  // It has ended by itself.
  bool is_done() const { return is_done_; }
  CoroutineWaitList& done() { return done_; }

 private:
  friend class CoroutineScheduler;

  CoroutineScheduler& scheduler_;
  Task<> task_;
  bool is_done_ = false;
  bool is_cancelled_ = false;
  CoroutineWaitEntry begin_;
  CoroutineWaitList done_;
};

class CoroutineScheduler {
 public:
  // `loop` lives until End() has returned.
  explicit CoroutineScheduler(Loop* loop) : loop_(*loop) {}
  ~CoroutineScheduler() { End(); }
  CoroutineScheduler(const CoroutineScheduler&) = delete;
  CoroutineScheduler& operator=(const CoroutineScheduler&) = delete;

  Loop& loop() { return loop_; }
  bool has_ended() const { return has_ended_; }

  // After End() the task is destroyed.
  std::shared_ptr<CoroutineRoot> Start(Task<> task);
  // All of `list` goes on, in its order.
  void Wake(CoroutineWaitList& list);
  void Wake(CoroutineWaitEntry& entry);
  // Destroys all tasks. Not inside of one.
  void End();

  // Around what the loop calls: those whom this wakes go on at its end.
  class Turn {
   public:
    explicit Turn(CoroutineScheduler* scheduler) : scheduler_(*scheduler) {
      ++scheduler_.turn_depth_;
    }
    ~Turn() {
      if (--scheduler_.turn_depth_ == 0) scheduler_.Drain();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    CoroutineScheduler& scheduler_;
  };

 private:
  friend class CoroutineRoot;

  static void OnDone(internal_task::Root* root);

  // Has Drain() called where nobody does.
  void DrainLater();
  void Drain();
  void Resume(CoroutineWaitEntry& entry);
  void Destroy(CoroutineRoot& root);
  void DestroyEnded();

  Loop& loop_;
  bool has_ended_ = false;
  std::unordered_set<std::shared_ptr<CoroutineRoot>> roots_;
  CoroutineWaitList ready_;
  std::vector<std::shared_ptr<CoroutineRoot>> ended_;  // To be destroyed, as nothing of them runs.
  CoroutineRoot* running_ = nullptr;
  int turn_depth_ = 0;
  bool is_draining_ = false;
  std::optional<Loop::CallId> drain_call_;
};

// `co_await CoroutineWait(list)`: until the list is woken. True: it was, false: it is `deadline`.
// The list lives as long as this waits.
class CoroutineWait {
 public:
  explicit CoroutineWait(CoroutineWaitList& list, Timestamp deadline = Timestamp::Infinite())
      : list_(list), deadline_(deadline) {}
  ~CoroutineWait() { StopTimer(); }
  CoroutineWait(const CoroutineWait&) = delete;
  CoroutineWait& operator=(const CoroutineWait&) = delete;

  bool await_ready() const { return false; }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    Begin(waiting, static_cast<CoroutineRoot*>(waiting.promise().root));
  }
  bool await_resume();

 private:
  void Begin(std::coroutine_handle<> waiting, CoroutineRoot* root);
  void OnDeadline();
  void StopTimer();

  CoroutineWaitList& list_;
  const Timestamp deadline_;
  CoroutineWaitEntry entry_;
  std::optional<Loop::CallId> timer_;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_COROUTINE_SCHEDULER_H_
