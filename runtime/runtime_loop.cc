// SPDX-License-Identifier: Apache-2.0
#include "runtime/runtime_loop.h"

#include <utility>

#include "platform/monotonic_clock.h"

namespace godwit {

Timestamp Loop::Now() { return MonotonicClock::Now(); }

Loop::CallId RuntimeLoop::CallAt(Timestamp time, std::function<void()> call) {
  const CallId id = ++last_id_;
  calls_[id] = loop_.CallAt(time, [this, id, call = std::move(call)] {
    calls_.erase(id);
    call();
  });
  return id;
}

void RuntimeLoop::Cancel(CallId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  loop_.Cancel(found->second);
  calls_.erase(found);
}

}  // namespace godwit
