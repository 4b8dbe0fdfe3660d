// SPDX-License-Identifier: Apache-2.0
//
// RuntimeLoop: the public Loop, on an EventLoop.
#ifndef GODWIT_RUNTIME_RUNTIME_LOOP_H_
#define GODWIT_RUNTIME_RUNTIME_LOOP_H_

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "absl/status/status.h"

#include "godwit/loop.h"
#include "platform/event_loop.h"

namespace godwit {

class RuntimeLoop final : public Loop {
 public:
  // `loop` outlives this.
  explicit RuntimeLoop(EventLoop* loop) : loop_(*loop) {}

  Timestamp now() const override {
    loop_.CheckThread();
    return loop_.now();
  }
  void Post(std::function<void()> call) override { loop_.Post(std::move(call)); }
  CallId CallAt(Timestamp time, std::function<void()> call) override;
  void Cancel(CallId id) override;
  absl::Status WatchFd(int fd, FdInterest interest,
                       std::function<void(FdEvents)> callback) override {
    return loop_.Watch(fd, interest, std::move(callback));
  }
  absl::Status ModifyFd(int fd, FdInterest interest) override { return loop_.Modify(fd, interest); }
  void UnwatchFd(int fd) override { loop_.Unwatch(fd); }

 private:
  EventLoop& loop_;
  CallId last_id_ = 0;
  std::unordered_map<CallId, TimerId> calls_;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_RUNTIME_LOOP_H_
