// SPDX-License-Identifier: Apache-2.0
//
// UnixTime: wall-clock time in whole seconds since 1970-01-01T00:00:00Z. What must outlive a
// process speaks of it: certificates, session tickets, address-validation tokens. It says nothing
// about intervals inside a connection; those are Timestamp's, which has no epoch and never jumps.
// The library reads no clock: the caller passes the time in.
//
// Invariant: arithmetic saturates at the ends of int64_t, so that no peer's date can overflow it.
#ifndef GODWIT_INCLUDE_UNIX_TIME_H_
#define GODWIT_INCLUDE_UNIX_TIME_H_

#include <compare>
#include <cstdint>
#include <limits>

namespace godwit {

class UnixTime {
 public:
  constexpr UnixTime() = default;

  static constexpr UnixTime FromSeconds(int64_t seconds) { return UnixTime(seconds); }

  constexpr int64_t seconds() const { return seconds_; }

  // Negative `seconds` go back in time.
  constexpr UnixTime PlusSeconds(int64_t seconds) const {
    int64_t sum = 0;
    if (__builtin_add_overflow(seconds_, seconds, &sum)) sum = Bound(seconds < 0);
    return UnixTime(sum);
  }

  // Negative when `earlier` is in truth the later one.
  constexpr int64_t SecondsSince(UnixTime earlier) const {
    int64_t difference = 0;
    if (__builtin_sub_overflow(seconds_, earlier.seconds_, &difference)) {
      difference = Bound(seconds_ < earlier.seconds_);
    }
    return difference;
  }

  friend constexpr auto operator<=>(UnixTime, UnixTime) = default;

 private:
  constexpr explicit UnixTime(int64_t seconds) : seconds_(seconds) {}

  static constexpr int64_t Bound(bool negative) {
    return negative ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }

  int64_t seconds_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_UNIX_TIME_H_
