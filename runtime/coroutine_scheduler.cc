// SPDX-License-Identifier: Apache-2.0
#include "runtime/coroutine_scheduler.h"

#include <utility>

#include "base/check.h"

namespace godwit {
namespace {

// Tasks that wake each other leave the loop time for its other work.
constexpr int kMaxResumedAtOnce = 256;

}  // namespace

// ---- CoroutineRoot ----

CoroutineRoot::CoroutineRoot(CoroutineScheduler* scheduler, Task<> task)
    : scheduler_(*scheduler), task_(std::move(task)) {}

void CoroutineRoot::Cancel() {
  if (is_done_ || std::exchange(is_cancelled_, true)) return;
  if (scheduler_.IsAtWorkFor(*this)) {
    scheduler_.ended_.push_back(shared_from_this());
  } else {
    scheduler_.Destroy(*this);
  }
}

// ---- CoroutineScheduler ----

std::shared_ptr<CoroutineRoot> CoroutineScheduler::Start(Task<> task) {
  GODWIT_CHECK(!task.is_empty());
  auto root = std::make_shared<CoroutineRoot>(this, std::move(task));
  if (has_ended_) {
    root->is_cancelled_ = true;
    root->task_ = {};
    return root;
  }
  root->on_done = &CoroutineScheduler::OnDone;
  root->task_.frame_.promise().root = root.get();
  root->begin_.waiting = root->task_.frame_;
  root->begin_.root = root.get();
  if (running_ != nullptr) root->starter_ = running_->weak_from_this();
  roots_.insert(root);
  Wake(root->begin_);
  return root;
}

void CoroutineScheduler::OnDone(internal_task::Root* ended) {
  auto* const root = static_cast<CoroutineRoot*>(ended);
  CoroutineScheduler& scheduler = root->scheduler_;
  root->is_done_ = true;
  scheduler.ended_.push_back(root->shared_from_this());
  scheduler.Wake(root->done_);
  // An awaitable of the application's own may have brought it here.
  scheduler.DrainLater();
}

void CoroutineScheduler::Wake(CoroutineWaitList& list) {
  while (!list.empty()) Wake(list.PopFront());
}

void CoroutineScheduler::Wake(CoroutineWaitEntry& entry) {
  entry.is_woken = true;
  ready_.PushBack(entry);
  DrainLater();
}

void CoroutineScheduler::DrainLater() {
  if (has_ended_) return;
  const Timestamp now = loop_.now();  // First, as it checks the thread.
  if (is_draining_ || turn_depth_ > 0 || drain_call_.has_value()) return;
  drain_call_ = loop_.CallAt(now, [this] {
    drain_call_.reset();
    Drain();
  });
}

void CoroutineScheduler::Drain() {
  if (has_ended_ || std::exchange(is_draining_, true)) return;
  DestroyEnded();
  for (int i = 0; i < kMaxResumedAtOnce && !ready_.empty(); ++i) Resume(ready_.PopFront());
  is_draining_ = false;
  if (!ready_.empty()) DrainLater();
}

void CoroutineScheduler::Resume(CoroutineWaitEntry& entry) {
  running_ = entry.root;
  entry.waiting.resume();
  running_ = nullptr;
  DestroyEnded();
}

void CoroutineScheduler::DestroyEnded() {
  // What is destroyed may end others.
  while (!ended_.empty()) {
    const std::shared_ptr<CoroutineRoot> root = std::move(ended_.back());
    ended_.pop_back();
    Destroy(*root);
  }
}

bool CoroutineScheduler::IsAtWorkFor(const CoroutineRoot& root) const {
  if (running_ == nullptr) return false;
  for (auto at_work = running_->shared_from_this(); at_work != nullptr;
       at_work = at_work->starter_.lock()) {
    if (at_work.get() == &root) return true;
  }
  return false;
}

void CoroutineScheduler::Destroy(CoroutineRoot& root) {
  const std::shared_ptr<CoroutineRoot> kept = root.shared_from_this();
  roots_.erase(kept);
  root.begin_.Unlink();
  const Task<> destroyed = std::move(root.task_);
}

void CoroutineScheduler::End() {
  if (std::exchange(has_ended_, true)) return;
  GODWIT_CHECK(running_ == nullptr);
  if (drain_call_.has_value()) loop_.Cancel(*drain_call_);
  while (!roots_.empty()) {
    CoroutineRoot& root = **roots_.begin();
    root.is_cancelled_ = true;
    Destroy(root);
  }
  ended_.clear();
}

// ---- CoroutineWait ----

void CoroutineWait::Begin(std::coroutine_handle<> waiting, CoroutineRoot* root) {
  entry_.waiting = waiting;
  entry_.root = root;
  list_.PushBack(entry_);
  if (deadline_ == Timestamp::Infinite()) return;
  timer_ = root->scheduler().loop().CallAt(deadline_, [this] { OnDeadline(); });
}

void CoroutineWait::OnDeadline() {
  timer_.reset();
  if (entry_.is_woken) return;
  CoroutineScheduler& scheduler = entry_.root->scheduler();
  const CoroutineScheduler::Turn turn(&scheduler);
  scheduler.Wake(entry_);
  entry_.is_woken = false;
}

bool CoroutineWait::await_resume() {
  StopTimer();
  return entry_.is_woken;
}

void CoroutineWait::StopTimer() {
  if (!timer_.has_value()) return;
  entry_.root->scheduler().loop().Cancel(*timer_);
  timer_.reset();
}

}  // namespace godwit
