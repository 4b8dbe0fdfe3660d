// SPDX-License-Identifier: Apache-2.0
//
// SendQuota: how much of what the application writes is taken in, over all streams of a connection,
// and when those that were refused are to try again. Two bounds hold together:
//
//  - Memory: what is written and not acknowledged keeps below the configured maximum.
//  - Time: what waits to be sent for the first time keeps below two congestion windows. They leave
//    in two round trips or so, and whatever is written later, the end of a stream too, waits behind
//    them. It is two and not one because a window doubles in a round trip of slow start, and a
//    window that is not filled does not grow (RFC 9002 §7.8): what waits must fill it even then,
//    and while the application takes its time to come back. What is in flight does not count, as
//    the window bounds it already, nor what waits for a stream's own limit: no window lets that go.
//    Where windows are small, 256 KiB may wait.
//
// Of each, a stream may hold up to four times what is still free. Alone it gets four fifths of the
// whole; where several have data to send, what is freed is shared anew, so that none keeps the
// others out. However many there are, 16 KiB of each may wait: the least is bounded by memory
// alone. Data above a stream's own limit does not go away by itself: a reader that never reads
// would hold it for ever. Of it, a stream may hold an eighth of what may wait, and all streams
// half of that.
//
// Refused streams are called once the free room has doubled, or all is free: work that grows with
// the logarithm of the room, not with the number of acknowledgments. A stream that its own limit
// kept out is called when that rises, and one whose data has all left at once, by who knows that.
//
// A smaller window takes back nothing. Invariants: held_bytes() <= the maximum; unsendable_bytes()
// <= half of it, and <= unsent_bytes() <= held_bytes().
#ifndef GODWIT_TRANSPORT_STREAMS_SEND_QUOTA_H_
#define GODWIT_TRANSPORT_STREAMS_SEND_QUOTA_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/check.h"

namespace godwit {

class SendQuota {
 public:
  // What a stream has written and what it could send, as far as its own limit goes.
  struct Holding {
    uint64_t held_bytes;        // Written and not acknowledged.
    uint64_t unsent_bytes;      // Written and never sent.
    uint64_t sendable_bytes;    // That could still be written below its limit.
    uint64_t unsendable_bytes;  // Written above its limit.
  };

  explicit SendQuota(uint64_t max_bytes) : max_(std::min(max_bytes, kMostBytes)) {
    GODWIT_CHECK_GT(max_bytes, 0);
    SetCongestionWindow(0);
  }

  uint64_t held_bytes() const { return held_; }
  uint64_t unsent_bytes() const { return unsent_; }
  uint64_t unsendable_bytes() const { return unsendable_; }

  // What may wait follows it. Before it is known, the least may.
  void SetCongestionWindow(uint64_t window_bytes) {
    const uint64_t windows = kWindowsThatWait * std::min(window_bytes, kMostBytes);
    max_waiting_ = std::min(max_, std::max(windows, kLeastWaitingBytes));
    // There may never be as much free as was hoped for.
    if (wake_at_free_ != kNever) wake_at_free_ = std::min(wake_at_free_, max_waiting_);
  }

  // How much that stream may write now.
  uint64_t RoomFor(const Holding& stream) const {
    const uint64_t waiting = ShareOf(free_waiting(), stream.unsent_bytes);
    const uint64_t least = kLeastStreamBytes - std::min(kLeastStreamBytes, stream.unsent_bytes);
    const uint64_t own_end = std::max(max_waiting_ / 8, stream.unsendable_bytes);
    const uint64_t all_end = std::max(max_waiting_ / 2, unsendable_);
    const uint64_t unsendable = std::min(own_end - stream.unsendable_bytes, all_end - unsendable_);
    return std::min({ShareOf(free_memory(), stream.held_bytes), std::max(waiting, least),
                     stream.sendable_bytes + unsendable});
  }

  void OnWritten(uint64_t byte_count) {
    GODWIT_CHECK_LE(byte_count, free_memory());
    held_ += byte_count;
    unsent_ += byte_count;
  }

  // For the first time; or dropped by a reset before that.
  void OnSent(uint64_t byte_count) {
    GODWIT_CHECK_LE(byte_count, unsent_);
    unsent_ -= byte_count;
  }

  // Acknowledged, or dropped by a reset.
  void OnReleased(uint64_t byte_count) {
    GODWIT_CHECK_LE(byte_count, held_);
    held_ -= byte_count;
  }

  // By a write, a higher limit or a reset.
  struct Change {
    uint64_t before_bytes;
    uint64_t after_bytes;
  };
  void OnUnsendableChanged(const Change& of_a_stream) {
    unsendable_ += of_a_stream.after_bytes - of_a_stream.before_bytes;
    GODWIT_CHECK_LE(unsendable_, max_ / 2);
  }

  // A stream could not write all that it wanted.
  void NoteRefused() {
    const uint64_t step = std::max({free_bytes(), max_waiting_ / kMinStepsToFree, uint64_t{1}});
    wake_at_free_ = std::min({wake_at_free_, free_bytes() + step, max_waiting_});
  }

  // Whether those that were refused should try again. True once, then NoteRefused() begins anew.
  bool TakeWake() {
    if (free_bytes() < wake_at_free_) [[likely]] {
      return false;
    }
    wake_at_free_ = kNever;
    return true;
  }

 private:
  static constexpr uint64_t kSharePerFree = 4;
  static constexpr uint64_t kWindowsThatWait = 2;
  // Two seconds at 1 Mbit/s, two milliseconds at 1 Gbit/s: where a round trip is so short that two
  // windows are less, the application must have time to wake up.
  static constexpr uint64_t kLeastWaitingBytes = uint64_t{256} << 10;
  static constexpr uint64_t kLeastStreamBytes = uint64_t{16} << 10;
  // No waking for less than this part of the whole: 2 KiB of 8 MiB.
  static constexpr uint64_t kMinStepsToFree = 4096;
  // Keeps the shares from overflowing.
  static constexpr uint64_t kMostBytes = uint64_t{1} << 60;
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  // Of what is free, for a stream that has `own_bytes` of the whole.
  static uint64_t ShareOf(uint64_t free_bytes, uint64_t own_bytes) {
    const uint64_t shares = kSharePerFree * free_bytes;
    if (own_bytes >= shares) return 0;
    // Rounded up: one byte that is free can be taken.
    const uint64_t share = (shares - own_bytes + kSharePerFree) / (kSharePerFree + 1);
    return std::min(share, free_bytes);
  }

  uint64_t free_memory() const { return max_ - held_; }
  uint64_t free_waiting() const {
    const uint64_t waiting = unsent_ - unsendable_;
    return max_waiting_ > waiting ? max_waiting_ - waiting : 0;
  }
  uint64_t free_bytes() const { return std::min(free_memory(), free_waiting()); }

  uint64_t max_;
  uint64_t max_waiting_ = 0;
  uint64_t held_ = 0;
  uint64_t unsent_ = 0;
  uint64_t unsendable_ = 0;
  uint64_t wake_at_free_ = kNever;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_SEND_QUOTA_H_
