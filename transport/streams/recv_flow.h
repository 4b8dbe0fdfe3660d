// SPDX-License-Identifier: Apache-2.0
//
// RecvFlow: how much the peer may send, on one stream or on all together, and how large the window
// is that the application's reading keeps open. RFC 9000 §4.1, §4.2.
//
// The limit rises whenever a quarter of the window has been read: three quarters are still open
// then, so that a sender does not run dry while the news travels, and no update is about crumbs.
// If that quarter was read within a round trip, the window is less than four times what the path
// carries in one, and doubles: a slow start doubles its rate per round trip, and the news of each
// step takes one more. The window stops growing at a maximum, and where the memory budget says so.
//
// It does not decide when the frame goes out, nor what to do with data above the limit.
//
// Invariants: the limit never falls; it is at most kMaxVarint; consumed + window never exceeds it
// by a quarter of the window or more.
#ifndef GODWIT_TRANSPORT_STREAMS_RECV_FLOW_H_
#define GODWIT_TRANSPORT_STREAMS_RECV_FLOW_H_

#include <algorithm>
#include <cstdint>

#include "base/limits.h"
#include "godwit/time.h"
#include "transport/streams/stream_pools.h"

namespace godwit {

class RecvFlow {
 public:
  // `window_bytes` is at most kMaxVarint; the peer knows of it.
  explicit RecvFlow(uint64_t window_bytes) : limit_(window_bytes), window_(window_bytes) {}

  uint64_t limit_bytes() const { return limit_; }
  uint64_t window_bytes() const { return window_; }

  // The peer begins to send: the first quarter of the window is measured from here.
  void OnFirstData(Timestamp now) { last_update_ = now; }

  // The application has read `consumed_bytes` in all. True if the limit rose by that.
  bool OnConsumed(uint64_t consumed_bytes, const StreamContext& context,
                  uint64_t max_window_bytes) {
    if (UngrantedBytes(consumed_bytes) < UpdateThreshold()) [[likely]] {
      return false;
    }
    return Update(consumed_bytes, context, max_window_bytes);
  }

  // The same where data was dropped, not read: that says nothing about a window's size.
  bool OnDropped(uint64_t consumed_bytes) {
    return UngrantedBytes(consumed_bytes) >= UpdateThreshold() && RaiseLimit(consumed_bytes);
  }

  // The peer says that it waits at our limit: less is worth an update then. True if it rose.
  bool OnPeerBlocked(uint64_t consumed_bytes) {
    const uint64_t worthwhile = std::min(UpdateThreshold(), kMinWindowUpdateBytes);
    return UngrantedBytes(consumed_bytes) >= worthwhile && RaiseLimit(consumed_bytes);
  }

 private:
  uint64_t UngrantedBytes(uint64_t consumed_bytes) const {
    return consumed_bytes + window_ - limit_;
  }
  uint64_t UpdateThreshold() const { return std::max(window_ / 4, uint64_t{1}); }
  bool Update(uint64_t consumed_bytes, const StreamContext& context, uint64_t max_window_bytes);
  bool RaiseLimit(uint64_t consumed_bytes);

  uint64_t limit_;
  uint64_t window_;
  Timestamp last_update_ = Timestamp::InfinitePast();
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_RECV_FLOW_H_
