// SPDX-License-Identifier: Apache-2.0
//
// StreamId: the number of a stream, which tells who opened it and in which directions it
// carries data (RFC 9000 §2.1). Not decided here: whether such a stream exists or may be
// opened.
//
// Invariant: value() <= 2^62 - 1. The two low bits are initiator and direction, the bits
// above them count the streams of that type from 0.
#ifndef GODWIT_INCLUDE_STREAM_ID_H_
#define GODWIT_INCLUDE_STREAM_ID_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <utility>

#include "godwit/perspective.h"

namespace godwit {

// RFC 9000 §2.1: the values are bit 1 of a stream ID.
enum class StreamDirection : uint8_t { kBidirectional = 0, kUnidirectional = 1 };

// A value: safe to copy between threads, not synchronised. Ordered by value().
class StreamId {
 public:
  // RFC 9000 §2.1: a stream ID is a 62-bit integer.
  static constexpr uint64_t kMaxValue = (uint64_t{1} << 62) - 1;
  // RFC 9000 §4.6: so there are at most 2^60 streams of a type.
  static constexpr uint64_t kMaxIndex = (uint64_t{1} << 60) - 1;

  constexpr StreamId() = default;  // Stream 0, the client's first bidirectional one.

  // `value` is at most kMaxValue, as every decoded variable-length integer is; a larger one
  // is a bug of the caller and ends the process. See FromValue().
  explicit constexpr StreamId(uint64_t value) : value_(value) {
    if (value > kMaxValue) [[unlikely]] {
      __builtin_trap();
    }
  }

  // For numbers that nobody has checked: nothing if `value` is above kMaxValue.
  [[nodiscard]] static constexpr std::optional<StreamId> FromValue(uint64_t value) {
    if (value > kMaxValue) {
      return std::nullopt;
    }
    return StreamId(value);
  }

  // The stream number `index` of that type. `index` is at most kMaxIndex; a larger one is
  // a bug of the caller and ends the process.
  [[nodiscard]] static constexpr StreamId FromParts(Perspective initiator,
                                                    StreamDirection direction, uint64_t index) {
    if (index > kMaxIndex) [[unlikely]] {
      __builtin_trap();
    }
    return StreamId(index << 2 | static_cast<uint64_t>(direction) << 1 |
                    static_cast<uint64_t>(initiator));
  }

  [[nodiscard]] constexpr uint64_t value() const { return value_; }
  [[nodiscard]] constexpr Perspective initiator() const {
    return static_cast<Perspective>(value_ & 1);
  }
  [[nodiscard]] constexpr StreamDirection direction() const {
    return static_cast<StreamDirection>(value_ >> 1 & 1);
  }
  // Position among the streams of this initiator and direction, from 0 to kMaxIndex.
  [[nodiscard]] constexpr uint64_t index() const { return value_ >> 2; }

  [[nodiscard]] constexpr bool is_client_initiated() const {
    return initiator() == Perspective::kClient;
  }
  [[nodiscard]] constexpr bool is_bidirectional() const {
    return direction() == StreamDirection::kBidirectional;
  }

  // The next stream of the same initiator and direction; nothing after kMaxIndex.
  [[nodiscard]] constexpr std::optional<StreamId> Next() const { return FromValue(value_ + 4); }

  friend constexpr auto operator<=>(StreamId, StreamId) = default;
  friend constexpr bool operator==(StreamId, StreamId) = default;

  template <typename H>
  friend H AbslHashValue(H h, StreamId id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  uint64_t value_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_STREAM_ID_H_
