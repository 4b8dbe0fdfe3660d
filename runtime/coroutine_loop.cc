// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "godwit/coroutine.h"
#include "runtime/coroutine_scheduler.h"

namespace godwit {
namespace {

Task<> SleepOn(CoroutineScheduler& scheduler, Duration duration) {
  CoroutineWaitList nobody_wakes;
  co_await CoroutineWait(nobody_wakes, scheduler.ReadClock() + duration);
}

}  // namespace

// ---- CoroutineLoop ----

CoroutineLoop::CoroutineLoop(std::shared_ptr<CoroutineScheduler> scheduler)
    : scheduler_(std::move(scheduler)) {}

CoroutineLoop::~CoroutineLoop() = default;

Loop& CoroutineLoop::loop() const { return scheduler_->loop(); }

void CoroutineLoop::Spawn(Task<> task) { scheduler_->Start(std::move(task)); }

Task<> CoroutineLoop::Sleep(Duration duration) { return SleepOn(*scheduler_, duration); }

void CoroutineLoop::EndTasks() { scheduler_->End(); }

std::shared_ptr<CoroutineRoot> CoroutineLoop::StartRoot(Task<> task) {
  return scheduler_->Start(std::move(task));
}

void CoroutineLoop::Cancel(CoroutineRoot& root) { root.Cancel(); }

bool CoroutineLoop::IsDone(const CoroutineRoot& root) { return root.is_done(); }

Task<bool> CoroutineLoop::WaitUntilDone(std::shared_ptr<CoroutineRoot> root, Duration timeout) {
  GODWIT_CHECK(root != nullptr);
  const Timestamp deadline = root->scheduler().ReadClock() + timeout;
  while (!root->is_done()) {
    const bool is_in_time = co_await CoroutineWait(root->done(), deadline);
    if (!is_in_time) break;
  }
  co_return root->is_done();
}

// ---- CoroutineSignal ----

struct CoroutineSignalState {
  const std::shared_ptr<CoroutineScheduler> scheduler;
  CoroutineWaitList waiting;
};

namespace {

Task<> WaitFor(std::shared_ptr<CoroutineSignalState> state) {
  co_await CoroutineWait(state->waiting);
}

}  // namespace

CoroutineSignal::CoroutineSignal(CoroutineLoop* loop)
    : state_(new CoroutineSignalState{.scheduler = loop->scheduler_, .waiting = {}}) {}

CoroutineSignal::~CoroutineSignal() = default;

void CoroutineSignal::Notify() { state_->scheduler->Wake(state_->waiting); }

Task<> CoroutineSignal::Wait() { return WaitFor(state_); }

}  // namespace godwit
