// SPDX-License-Identifier: Apache-2.0
//
// FlowPriority: interactive flows before bulk flows, without being told which is which. A flow that
// is new or sends little is interactive; one that sent much in the last seconds is bulk, until it
// has been quiet for a while. Who is held up by a slow link is not quiet: else large flows would
// come before those whose last bytes only wait to be sent.
//
// Interactive flows that fill the link would starve the others, until somebody's patience ends: a
// web server's with its client, or a person's. So a bulk flow that nothing was taken of for
// kMaxWait has its turn with the interactive ones, until kTurnBytes are.
//
// What was sent counts half after each second, and there is a gap between the two bounds, so that
// a flow does not change with every packet.
#ifndef GODWIT_TUNNEL_FLOW_PRIORITY_H_
#define GODWIT_TUNNEL_FLOW_PRIORITY_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "godwit/stream_priority.h"
#include "godwit/time.h"

namespace godwit::tunnel {

inline constexpr StreamPriority kControlPriority = {.urgency = 0, .is_incremental = true};
inline constexpr StreamPriority kInteractivePriority = {.urgency = 2, .is_incremental = true};
inline constexpr StreamPriority kBulkPriority = {.urgency = 4, .is_incremental = true};

class FlowPriority {
 public:
  static constexpr uint64_t kBulkAbove = uint64_t{256} << 10;
  static constexpr uint64_t kInteractiveBelow = uint64_t{64} << 10;
  static constexpr Duration kMaxWait = Duration::Seconds(1);
  static constexpr uint64_t kTurnBytes = uint64_t{64} << 10;

  // The new priority, where it changes.
  std::optional<StreamPriority> OnSent(uint64_t bytes, Timestamp now) {
    const bool had_turn = turn_bytes_ > 0;
    turn_bytes_ -= std::min(turn_bytes_, bytes);
    if (std::exchange(is_held_up_, false)) since_ = now;
    const int64_t seconds = (now - since_).ToMilliseconds() / 1'000;
    if (seconds > 0) {
      recent_bytes_ = seconds < 32 ? recent_bytes_ >> seconds : 0;
      since_ = now;
    }
    recent_bytes_ += bytes;
    if (!is_bulk_ && recent_bytes_ > kBulkAbove) {
      is_bulk_ = true;
      return kBulkPriority;
    }
    if (is_bulk_ && recent_bytes_ < kInteractiveBelow) {
      is_bulk_ = false;
      turn_bytes_ = 0;
      return kInteractivePriority;
    }
    if (had_turn && turn_bytes_ == 0) return kBulkPriority;
    return std::nullopt;
  }
  // The stream takes no more for now; the next OnSent() is when it does.
  void OnHeldUp(Timestamp now) {
    if (!std::exchange(is_held_up_, true)) held_up_at_ = now;
  }

  // When OnTimeout() is due: Infinite() unless the flow waits behind others. Later, once it moves.
  [[nodiscard]] Timestamp next_deadline() const {
    const bool waits = is_bulk_ && is_held_up_ && turn_bytes_ == 0;
    return waits ? held_up_at_ + kMaxWait : Timestamp::Infinite();
  }
  std::optional<StreamPriority> OnTimeout(Timestamp now) {
    if (now < next_deadline()) return std::nullopt;
    turn_bytes_ = kTurnBytes;
    return kInteractivePriority;
  }

 private:
  Timestamp since_;
  Timestamp held_up_at_;
  uint64_t recent_bytes_ = 0;
  bool is_bulk_ = false;
  bool is_held_up_ = false;
  uint64_t turn_bytes_ = 0;  // That are left of its turn.
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_FLOW_PRIORITY_H_
