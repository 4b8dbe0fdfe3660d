// SPDX-License-Identifier: Apache-2.0
//
// EventLoop: waits, on epoll, for file descriptors, timers and calls from other threads, and runs
// their callbacks on one thread. A wake-up: wait, read the clock once, run what is ready
// (level-triggered; posted calls too), then the timers that are due, so that what has arrived is
// seen before a timer concludes that it has not. With nothing to do it never wakes. It waits to the
// nanosecond where the kernel can (epoll_pwait2, Linux 5.11), else to the next millisecond.
//
// Threads: while Run() or RunOnce() runs, everything but Post() and Stop() is for that thread alone
// (checked unless NDEBUG). At other times any thread may use the loop, one after the other.
//
// Invariants:
//  1. No callback of a descriptor runs after its Unwatch(), whatever was ready in the same wake-up,
//     and also when the number of the descriptor is in use again.
//  2. A callback that unwatches or cancels itself is destroyed only after it has returned.
#ifndef GODWIT_PLATFORM_EVENT_LOOP_H_
#define GODWIT_PLATFORM_EVENT_LOOP_H_

#include <sys/epoll.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/check.h"
#include "godwit/loop.h"
#include "godwit/time.h"
#include "platform/loop_timers.h"
#include "platform/post_queue.h"
#include "platform/suspend_detector.h"

namespace godwit {

class EventLoop {
 public:
  static absl::StatusOr<std::unique_ptr<EventLoop>> Create();
  // Destroys all callbacks; what they hold may still call Unwatch(), Cancel() and Post().
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Of this wake-up, on MonotonicClock; outside of callbacks as of the last UpdateNow() or wake-up.
  Timestamp now() const { return now_; }
  void UpdateNow();

  // This thread may use the loop: it runs here, or nowhere.
  bool IsRightThread() const {
    const std::thread::id owner = running_thread_.load(std::memory_order_relaxed);
    return owner == std::thread::id() || owner == std::this_thread::get_id();
  }
  // Unless NDEBUG.
  void CheckThread() const { GODWIT_DCHECK(IsRightThread()); }

  // `fd` stays the caller's, who calls Unwatch() before closing it. An error if the kernel refuses
  // (regular files cannot be watched) or if `fd` is watched already.
  absl::Status Watch(int fd, FdInterest interest, std::function<void(FdEvents)> callback);
  // `fd` must be watched.
  absl::Status Modify(int fd, FdInterest interest);
  // Nothing happens if `fd` is not watched.
  void Unwatch(int fd);

  // See LoopTimers for what ids and deadlines mean. A deadline that has passed is due at the next
  // wake-up, which then does not wait.
  TimerId CallAt(Timestamp deadline, std::function<void()> callback);
  void Cancel(TimerId id);
  bool Reschedule(TimerId id, Timestamp deadline);

  // From any thread: runs `call` on the loop's, in the order of posting. Who may outlive the loop
  // posts through post_queue() instead: after the loop's end that drops the call and says so.
  void Post(std::function<void()> call);
  const std::shared_ptr<PostQueue>& post_queue() const { return post_queue_; }

  // What to call when the machine has been suspended, at once when it runs again, before the timers
  // that passed meanwhile. One for the loop; null for none.
  void SetResumeCallback(std::function<void(Duration slept)> callback);

  // What to call at the end of every wake-up: whatever other callbacks have left to be done. One
  // for the loop; null for none.
  void SetSettleCallback(std::function<void()> callback);
  // What to ask before a wake-up waits: true if there is something to settle already, by calls that
  // were made outside of callbacks. Then it does not wait, but looks at the clock and at what has
  // arrived before it settles: now() may be long ago. One for the loop; null for none.
  void SetHasWorkCallback(std::function<bool()> callback);

  // One wake-up: waits until something happens, a timer is due or it is `until`, whichever is
  // first. InfinitePast(): does not wait. May return early with nothing done (signals), or with
  // nothing done but what there was to settle.
  void RunOnce(Timestamp until);
  // Wake-ups until Stop().
  void Run();
  // From any thread: Run() returns after the current wake-up. If it does not run, the next Run()
  // returns at once. Ends one Run() only.
  void Stop();

  // To live inside of another loop: wait until fd() is readable or it is NextWakeup(), then
  // RunOnce(Timestamp::InfinitePast()). Infinite() if there is no timer.
  int fd() const { return epoll_fd_; }
  Timestamp NextWakeup() const;

 private:
  struct Watched {
    uint32_t generation;
    std::function<void(FdEvents)> callback;
  };
  class RunningScope;

  static constexpr size_t kMaxEvents = 64;  // Of one wake-up; the others follow in the next.

  EventLoop(int epoll_fd, int resume_fd, std::shared_ptr<PostQueue> post_queue);

  absl::Status WatchOwnFds();
  void WakeUp(Timestamp until);
  // The number of events, at the beginning of `events`.
  size_t Wait(Timestamp until, std::span<epoll_event> events);
  void RunFdCallbacks(std::span<const epoll_event> events);
  void OnResumeFd();

  const int epoll_fd_;
  const int resume_fd_;
  const std::shared_ptr<PostQueue> post_queue_;
  Timestamp now_;
  LoopTimers timers_;
  // By descriptor. On the heap each, as a callback that runs must not move when the table grows.
  std::vector<std::unique_ptr<Watched>> watched_;
  std::vector<std::unique_ptr<Watched>> unwatched_;  // Destroyed when no callback runs.
  uint32_t last_generation_ = 0;
  SuspendDetector suspend_detector_;
  std::function<void(Duration)> resume_callback_;
  std::function<void()> settle_callback_;
  std::function<bool()> has_work_callback_;
  bool has_pwait2_ = true;
  bool is_running_ = false;
  std::atomic<bool> stop_requested_ = false;
  std::atomic<std::thread::id> running_thread_;  // None unless Run() or RunOnce() runs.
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_EVENT_LOOP_H_
