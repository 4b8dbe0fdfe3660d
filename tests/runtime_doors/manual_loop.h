// SPDX-License-Identifier: Apache-2.0
//
// ManualLoop: a loop in virtual time whose rounds a test asks for. No descriptors, no threads.
#ifndef GODWIT_TESTS_RUNTIME_DOORS_MANUAL_LOOP_H_
#define GODWIT_TESTS_RUNTIME_DOORS_MANUAL_LOOP_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <utility>

#include "absl/status/status.h"

#include "godwit/loop.h"

namespace godwit {

class ManualLoop final : public Loop {
 public:
  Timestamp now() const override { return now_; }
  void Post(std::function<void()> call) override { CallAt(now_, std::move(call)); }
  CallId CallAt(Timestamp time, std::function<void()> call) override {
    const CallId id = ++last_id_;
    calls_[{time, id}] = std::move(call);
    return id;
  }
  void Cancel(CallId id) override {
    std::erase_if(calls_, [id](const auto& call) { return call.first.second == id; });
  }
  absl::Status WatchFd(int, FdInterest, std::function<void(FdEvents)>) override {
    return absl::UnimplementedError("no descriptors here");
  }
  absl::Status ModifyFd(int, FdInterest) override {
    return absl::UnimplementedError("no descriptors here");
  }
  void UnwatchFd(int) override {}

  // What a look at the clock says: now(), and for how long callbacks have worked since.
  Timestamp clock() const { return std::max(clock_, now_); }
  // The caller works for so long.
  void Work(Duration duration) { clock_ = clock() + duration; }

  // Runs all calls that are due by then, in their order, at their times.
  void RunUntil(Timestamp end) {
    while (!calls_.empty() && calls_.begin()->first.first <= end) {
      auto call = calls_.extract(calls_.begin());
      now_ = std::max(now_, call.key().first);
      call.mapped()();
    }
    now_ = end;
  }
  void RunFor(Duration duration) { RunUntil(now_ + duration); }
  // What is due now.
  void Run() { RunUntil(now_); }
  size_t waiting_call_count() const { return calls_.size(); }

 private:
  Timestamp now_ = Timestamp::FromNanoseconds(1'000'000'000);
  Timestamp clock_ = now_;
  CallId last_id_ = 0;
  std::map<std::pair<Timestamp, CallId>, std::function<void()>> calls_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_RUNTIME_DOORS_MANUAL_LOOP_H_
