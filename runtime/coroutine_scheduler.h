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
//  2. No frame is destroyed while it runs, nor while a task that it has started does: where these
//     cancel it, it ends when they wait next.
//  3. After End() there are no tasks, and none begins.
#ifndef GODWIT_RUNTIME_COROUTINE_SCHEDULER_H_
#define GODWIT_RUNTIME_COROUTINE_SCHEDULER_H_

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
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
  // Destroys the task, or, from the task itself and those that it has started, directly or not,
  // what is left of it when the one that runs waits next: that may be at work on its locals.
  // Nothing happens if it has ended, as it has after the scheduler's End().
  void Cancel();
  // It has ended by itself.
  bool is_done() const { return is_done_; }
  CoroutineWaitList& done() { return done_; }

 private:
  friend class CoroutineScheduler;

  CoroutineScheduler& scheduler_;
  Task<> task_;
  std::weak_ptr<CoroutineRoot> starter_;  // The one that ran when this was started.
  bool is_done_ = false;
  bool is_cancelled_ = false;
  CoroutineWaitEntry begin_;
  CoroutineWaitList done_;
};

class CoroutineScheduler {
 public:
  // `loop` lives until End() has returned.
  // `clock` says what the loop's would if it were looked at now: tasks may have taken long since.
  explicit CoroutineScheduler(Loop* loop, std::function<Timestamp()> clock = Loop::Now)
      : loop_(*loop), clock_(std::move(clock)) {}
  ~CoroutineScheduler() { End(); }
  CoroutineScheduler(const CoroutineScheduler&) = delete;
  CoroutineScheduler& operator=(const CoroutineScheduler&) = delete;

  Loop& loop() { return loop_; }
  Timestamp ReadClock() const { return clock_(); }
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
  // It runs, or one that it has started, directly or not.
  bool IsAtWorkFor(const CoroutineRoot& root) const;
  void DestroyEnded();

  Loop& loop_;
  const std::function<Timestamp()> clock_;
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
