// SPDX-License-Identifier: Apache-2.0
//
// BlockingDeadline: the end of a waiting call, from a timeout that counts from now. It decides how
// long one waits, not for what.
//
// Threads: an immutable value.
#ifndef GODWIT_RUNTIME_BLOCKING_DEADLINE_H_
#define GODWIT_RUNTIME_BLOCKING_DEADLINE_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "godwit/time.h"

namespace godwit {

class BlockingDeadline {
 public:
  explicit BlockingDeadline(Duration timeout) {
    // Far below where the clock's arithmetic would overflow.
    constexpr Duration kForever = Duration::Seconds(int64_t{100} * 366 * 86'400);
    if (timeout > kForever) return;
    ends_at_ = std::chrono::steady_clock::now() + std::chrono::nanoseconds(timeout.ToNanoseconds());
    if (timeout < Duration::Zero()) ends_at_ = std::chrono::steady_clock::now();
  }

  // Waits until `is_done()`, which is called under the lock. False: it is not, and time is over.
  template <typename Condition>
  bool Wait(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
            const Condition& is_done) const {
    if (ends_at_.has_value()) return changed.wait_until(lock, *ends_at_, is_done);
    changed.wait(lock, is_done);
    return true;
  }

 private:
  std::optional<std::chrono::steady_clock::time_point> ends_at_;  // None: never.
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_BLOCKING_DEADLINE_H_
