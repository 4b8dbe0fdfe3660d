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
  const TimerId timer = found->second;
  calls_.erase(found);
  // Last: what the call captures may cancel, this one too, and add others on its end.
  loop_.Cancel(timer);
}

}  // namespace godwit
