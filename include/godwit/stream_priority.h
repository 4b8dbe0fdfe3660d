// SPDX-License-Identifier: Apache-2.0
//
// StreamPriority: how a stream's data stands to that of others, in the terms of RFC 9218 §4. What
// they mean for the order of sending is decided elsewhere.
#ifndef GODWIT_INCLUDE_STREAM_PRIORITY_H_
#define GODWIT_INCLUDE_STREAM_PRIORITY_H_

#include <cstddef>
#include <cstdint>

namespace godwit {

// RFC 9218 §4.1: urgencies are 0 to 7, 0 the most urgent.
inline constexpr size_t kUrgencyCount = 8;

struct StreamPriority {
  uint8_t urgency = 3;
  // Parts of the data are of use by themselves: the stream takes turns with others of its urgency.
  bool is_incremental = true;

  friend constexpr bool operator==(const StreamPriority&, const StreamPriority&) = default;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_STREAM_PRIORITY_H_
