// SPDX-License-Identifier: Apache-2.0
//
// Loop: what an application can do on the thread that runs its connections: calls from other
// threads, timers, its own file descriptors. Client and Server have one each, or one for each
// shard.
//
// Threads: Post() and Now() from any; everything else on the loop's thread, or while the loop does
// not run (checked in debug builds). A loop ends with its Client or Server: who posts sees to it
// that it is still there.
#ifndef GODWIT_INCLUDE_LOOP_H_
#define GODWIT_INCLUDE_LOOP_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"

#include "godwit/time.h"

namespace godwit {

// What to wait for. Errors and hang-ups are always reported.
struct FdInterest {
  bool readable = false;
  bool writable = false;
};

// What has happened. Any of these may have passed by the time one reads or writes.
struct FdEvents {
  bool readable = false;
  bool writable = false;
  // Or the other side is gone. Comes back until the cause is read or the descriptor unwatched.
  bool error = false;
};

// Callbacks may call everything but RunOnce(), Run(), Shutdown() and the destructor of their Client
// or Server: that ends the process. What they capture may use the loop also when it is destroyed
// with it.
class Loop {
 public:
  // Names a call that is to come; never used again.
  using CallId = uint64_t;

  virtual ~Loop() = default;

  // What all loops' clock says now. From any thread, also where there is no loop: for deadlines
  // that begin outside of a callback, and for Client::RunOnce() and Client::NextWakeup().
  [[nodiscard]] static Timestamp Now();
  // The time of this wake-up, read once. The epoch is the start of the machine; time that it sleeps
  // counts.
  [[nodiscard]] virtual Timestamp now() const = 0;

  // From any thread: runs `call` on the loop's thread, in the order of posting. What has not run
  // when the loop ends is dropped; so is what is posted after a Server's Shutdown().
  virtual void Post(std::function<void()> call) = 0;

  virtual CallId CallAt(Timestamp time, std::function<void()> call) = 0;
  // Nothing happens if it has run.
  virtual void Cancel(CallId id) = 0;

  // Level-triggered. `fd` stays the caller's, who calls UnwatchFd() before closing it.
  virtual absl::Status WatchFd(int fd, FdInterest interest,
                               std::function<void(FdEvents)> callback) = 0;
  virtual absl::Status ModifyFd(int fd, FdInterest interest) = 0;
  virtual void UnwatchFd(int fd) = 0;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_LOOP_H_
