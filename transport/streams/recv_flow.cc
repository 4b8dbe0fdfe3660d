// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/recv_flow.h"

#include <algorithm>
#include <cstdint>

#include "base/limits.h"
#include "godwit/time.h"
#include "transport/streams/stream_pools.h"

namespace godwit {

bool RecvFlow::Update(uint64_t consumed_bytes, const StreamContext& context,
                      uint64_t max_window_bytes) {
  const Duration since_last_update = context.now - last_update_;
  last_update_ = context.now;
  if (since_last_update < context.smoothed_rtt && context.may_grow_windows) {
    // A configured maximum below the initial window does not shrink it.
    window_ = std::max(window_, std::min(2 * window_, max_window_bytes));
  }
  return RaiseLimit(consumed_bytes);
}

bool RecvFlow::RaiseLimit(uint64_t consumed_bytes) {
  const uint64_t limit = std::min(consumed_bytes + window_, kMaxVarint);
  if (limit <= limit_) return false;
  limit_ = limit;
  return true;
}

}  // namespace godwit
