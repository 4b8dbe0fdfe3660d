// SPDX-License-Identifier: Apache-2.0
#include "platform/event_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

uint32_t ToEpollEvents(FdInterest interest) {
  return (interest.readable ? EPOLLIN : 0U) | (interest.writable ? EPOLLOUT : 0U);
}

FdEvents FromEpollEvents(uint32_t events) {
  return {.readable = (events & EPOLLIN) != 0,
          .writable = (events & EPOLLOUT) != 0,
          .error = (events & (EPOLLERR | EPOLLHUP)) != 0};
}

// The generation tells an event of what was watched from one of what has the number now.
uint64_t ToEventTag(int fd, uint32_t generation) {
  return uint64_t{generation} << 32 | static_cast<uint32_t>(fd);
}

// A timer that expires when the wall clock is set, and so too when the machine resumes (its clock
// jumps then), but never by itself: the kernel's only word of a resumption that a program without
// privileges gets. Epoll's own timeout does not count the sleep.
absl::StatusOr<int> OpenResumeFd() {
  const int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot make a timerfd");
  itimerspec never = {};
  never.it_value.tv_sec = 9'000'000'000;  // The year 2255; the kernel's time ends in 2262.
  if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) != 0) {
    const absl::Status status = absl::ErrnoToStatus(errno, "cannot set a timerfd");
    close(fd);
    return status;
  }
  return fd;
}

timespec ToTimespec(Duration d) {
  timespec result = {};
  result.tv_sec = d.ToNanoseconds() / 1'000'000'000;
  result.tv_nsec = d.ToNanoseconds() % 1'000'000'000;
  return result;
}

// Rounded up: not to wake before a deadline, find nothing due and wake again.
int ToWholeMilliseconds(const timespec* timeout) {
  if (timeout == nullptr) return -1;
  const int64_t ms = int64_t{timeout->tv_sec} * 1'000 + (timeout->tv_nsec + 999'999) / 1'000'000;
  return static_cast<int>(std::min<int64_t>(ms, std::numeric_limits<int>::max()));
}

}  // namespace

class EventLoop::RunningScope {
 public:
  explicit RunningScope(EventLoop* loop) : loop_(loop) {
    GODWIT_CHECK(!loop->is_running_);
    loop->is_running_ = true;
    loop->running_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  ~RunningScope() {
    loop_->running_thread_.store(std::thread::id(), std::memory_order_relaxed);
    loop_->is_running_ = false;
  }
  RunningScope(const RunningScope&) = delete;
  RunningScope& operator=(const RunningScope&) = delete;

 private:
  EventLoop* const loop_;
};

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  absl::StatusOr<std::shared_ptr<PostQueue>> post_queue = PostQueue::Create();
  if (!post_queue.ok()) return post_queue.status();
  const absl::StatusOr<int> resume_fd = OpenResumeFd();
  if (!resume_fd.ok()) return resume_fd.status();
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) {
    const absl::Status status = absl::ErrnoToStatus(errno, "cannot make an epoll instance");
    close(*resume_fd);
    return status;
  }
  std::unique_ptr<EventLoop> loop(new EventLoop(epoll_fd, *resume_fd, *std::move(post_queue)));
  const absl::Status status = loop->WatchOwnFds();
  if (!status.ok()) return status;
  return loop;
}

EventLoop::EventLoop(int epoll_fd, int resume_fd, std::shared_ptr<PostQueue> post_queue)
    : epoll_fd_(epoll_fd),
      resume_fd_(resume_fd),
      post_queue_(std::move(post_queue)),
      now_(MonotonicClock::Now()) {}

EventLoop::~EventLoop() {
  GODWIT_CHECK(!is_running_);
  // While all parts are still there, as callbacks on their end may use them.
  post_queue_->Close();
  timers_.Clear();
  resume_callback_ = nullptr;
  for (size_t fd = 0; fd < watched_.size(); ++fd) {
    Unwatch(static_cast<int>(fd));
  }
  close(resume_fd_);
  close(epoll_fd_);
}

absl::Status EventLoop::WatchOwnFds() {
  const absl::Status status =
      Watch(post_queue_->fd(), {.readable = true}, [this](FdEvents) { post_queue_->RunPosted(); });
  if (!status.ok()) return status;
  return Watch(resume_fd_, {.readable = true}, [this](FdEvents) { OnResumeFd(); });
}

void EventLoop::UpdateNow() {
  CheckThread();
  now_ = MonotonicClock::Now();
}

absl::Status EventLoop::Watch(int fd, FdInterest interest, std::function<void(FdEvents)> callback) {
  CheckThread();
  const size_t index = static_cast<size_t>(fd);
  if (fd >= 0 && index < watched_.size() && watched_[index] != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("descriptor ", fd, " is watched already; Unwatch() it, also before closing"));
  }
  const uint32_t generation = ++last_generation_;
  epoll_event event = {.events = ToEpollEvents(interest),
                       .data = {.u64 = ToEventTag(fd, generation)}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot watch descriptor ", fd));
  }
  if (index >= watched_.size()) watched_.resize(index + 1);
  watched_[index] =
      std::make_unique<Watched>(Watched{.generation = generation, .callback = std::move(callback)});
  return absl::OkStatus();
}

absl::Status EventLoop::Modify(int fd, FdInterest interest) {
  CheckThread();
  const size_t index = static_cast<size_t>(fd);
  if (fd < 0 || index >= watched_.size() || watched_[index] == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("descriptor ", fd, " is not watched"));
  }
  epoll_event event = {.events = ToEpollEvents(interest),
                       .data = {.u64 = ToEventTag(fd, watched_[index]->generation)}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot watch descriptor ", fd, " otherwise"));
  }
  return absl::OkStatus();
}

void EventLoop::Unwatch(int fd) {
  CheckThread();
  const size_t index = static_cast<size_t>(fd);
  if (fd < 0 || index >= watched_.size() || watched_[index] == nullptr) return;
  // Fails if the descriptor was closed before, which ended the watching too.
  static_cast<void>(epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr));
  std::unique_ptr<Watched> watched = std::move(watched_[index]);
  if (is_running_) unwatched_.push_back(std::move(watched));
}

TimerId EventLoop::CallAt(Timestamp deadline, std::function<void()> callback) {
  CheckThread();
  return timers_.Add(deadline, std::move(callback));
}

void EventLoop::Cancel(TimerId id) {
  CheckThread();
  timers_.Remove(id);
}

bool EventLoop::Reschedule(TimerId id, Timestamp deadline) {
  CheckThread();
  return timers_.Reschedule(id, deadline);
}

void EventLoop::Post(std::function<void()> call) {
  static_cast<void>(post_queue_->Post(std::move(call)));
}

void EventLoop::SetResumeCallback(std::function<void(Duration)> callback) {
  CheckThread();
  resume_callback_ = std::move(callback);
}

void EventLoop::SetSettleCallback(std::function<void()> callback) {
  CheckThread();
  settle_callback_ = std::move(callback);
}

void EventLoop::SetHasWorkCallback(std::function<bool()> callback) {
  CheckThread();
  has_work_callback_ = std::move(callback);
}

void EventLoop::OnResumeFd() {
  // The number of expirations, or ECANCELED when the clock was set: both say no more than this
  // call.
  uint64_t count = 0;
  static_cast<void>(!read(resume_fd_, &count, sizeof(count)));
  const Duration slept = suspend_detector_.PollSlept();
  if (slept.is_zero()) return;
  const std::function<void(Duration)> callback = resume_callback_;  // It may set another.
  if (callback) callback(slept);
}

void EventLoop::RunOnce(Timestamp until) {
  const RunningScope scope(this);
  WakeUp(until);
}

void EventLoop::Run() {
  const RunningScope scope(this);
  while (!stop_requested_.load(std::memory_order_acquire)) {
    WakeUp(Timestamp::Infinite());
  }
  stop_requested_.store(false, std::memory_order_relaxed);
}

void EventLoop::Stop() {
  stop_requested_.store(true, std::memory_order_release);
  post_queue_->Wake();
}

Timestamp EventLoop::NextWakeup() const { return timers_.Earliest(); }

void EventLoop::WakeUp(Timestamp until) {
  if (has_work_callback_ && has_work_callback_()) until = Timestamp::InfinitePast();
  std::array<epoll_event, kMaxEvents> events;
  const size_t count = Wait(until, events);
  now_ = MonotonicClock::Now();
  RunFdCallbacks(std::span(events).first(count));
  timers_.RunDue(now_);
  if (settle_callback_) settle_callback_();
  // One at a time: what a callback captures may call Unwatch() on its end.
  while (!unwatched_.empty()) {
    const std::unique_ptr<Watched> watched = std::move(unwatched_.back());
    unwatched_.pop_back();
  }
}

size_t EventLoop::Wait(Timestamp until, std::span<epoll_event> events) {
  const Timestamp deadline = std::min(until, timers_.Earliest());
  timespec left = {};
  const timespec* timeout = &left;
  if (deadline == Timestamp::Infinite()) {
    timeout = nullptr;
  } else if (deadline > now_) {
    // Callbacks took time since now_; a loop that waits has the time for another look at the clock.
    left = ToTimespec(std::max(deadline - MonotonicClock::Now(), Duration::Zero()));
  }
  const int capacity = static_cast<int>(events.size());
  int count = -1;
  if (has_pwait2_) {
    count = epoll_pwait2(epoll_fd_, events.data(), capacity, timeout, nullptr);
    // EPERM: sandboxes answer so to calls that they do not know.
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) has_pwait2_ = false;
  }
  if (!has_pwait2_) {
    count = epoll_wait(epoll_fd_, events.data(), capacity, ToWholeMilliseconds(timeout));
  }
  if (count < 0) {
    GODWIT_CHECK_EQ(errno, EINTR);
    return 0;
  }
  return static_cast<size_t>(count);
}

void EventLoop::RunFdCallbacks(std::span<const epoll_event> events) {
  for (const epoll_event& event : events) {
    const size_t index = event.data.u64 & 0xffff'ffff;
    const auto generation = static_cast<uint32_t>(event.data.u64 >> 32);
    // An earlier callback of this wake-up may have ended the watching, or begun another.
    if (watched_[index] == nullptr || watched_[index]->generation != generation) continue;
    watched_[index]->callback(FromEpollEvents(event.events));
  }
}

}  // namespace godwit
