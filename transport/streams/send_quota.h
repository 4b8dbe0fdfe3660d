// SPDX-License-Identifier: Apache-2.0
//
// SendQuota: how much of what the application writes is taken in, over all streams of a connection,
// and when those that were refused are to try again. What a stream holds is written and not
// acknowledged.
//
// A stream may hold up to four times what is still free. Alone it gets four fifths of the whole;
// where several have data to send, what is acknowledged is shared anew, so that none keeps the
// others out. Data above a stream's own limit does not go away like that: a reader that never reads
// would hold it for ever. Of it, a stream may hold an eighth of the whole, and all streams half.
//
// Refused streams are called once the free room has doubled, or all is free: work that grows with
// the logarithm of the room, not with the number of acknowledgments. A stream that its own limit
// kept out is called when that rises, by who raises it.
//
// Invariants: held_bytes() <= the whole; unsendable_bytes() <= half of it.
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
    uint64_t sendable_bytes;    // That could still be written below its limit.
    uint64_t unsendable_bytes;  // Written above its limit.
  };

  explicit SendQuota(uint64_t max_bytes) : max_(std::min(max_bytes, kMostBytes)) {
    GODWIT_CHECK_GT(max_bytes, 0);
  }

  uint64_t held_bytes() const { return held_; }
  uint64_t unsendable_bytes() const { return unsendable_; }

  // How much that stream may write now.
  uint64_t RoomFor(const Holding& stream) const {
    const uint64_t shares = kSharePerFree * free_bytes();
    if (stream.held_bytes >= shares) return 0;
    // Rounded up: one byte that is free can be taken.
    const uint64_t share = (shares - stream.held_bytes + kSharePerFree) / (kSharePerFree + 1);
    const uint64_t own_end = std::max(max_ / 8, stream.unsendable_bytes);
    const uint64_t unsendable = std::min(own_end - stream.unsendable_bytes, max_ / 2 - unsendable_);
    return std::min({share, free_bytes(), stream.sendable_bytes + unsendable});
  }

  void OnWritten(uint64_t byte_count) {
    GODWIT_CHECK_LE(byte_count, free_bytes());
    held_ += byte_count;
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
    const uint64_t step = std::max({free_bytes(), max_ / kMinStepsToFree, uint64_t{1}});
    wake_at_free_ = std::min({wake_at_free_, free_bytes() + step, max_});
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
  // No waking for less than this part of the whole: 2 KiB of 8 MiB.
  static constexpr uint64_t kMinStepsToFree = 4096;
  // Keeps the shares from overflowing.
  static constexpr uint64_t kMostBytes = uint64_t{1} << 60;
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  uint64_t free_bytes() const { return max_ - held_; }

  uint64_t max_;
  uint64_t held_ = 0;
  uint64_t unsendable_ = 0;
  uint64_t wake_at_free_ = kNever;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_SEND_QUOTA_H_
