// SPDX-License-Identifier: Apache-2.0
//
// PacketNumber: the full number of a packet within its packet number space, and PacketNumberSpace.
// RFC 9000 §12.3.
//
// A number is an ordinal: it can be compared, counted on by one, and subtracted; nothing else. How
// it is shortened on the wire, and which one comes next, is decided elsewhere.
//
// Invariants: a PacketNumber is 0 .. 2^62-1 or None(). None() exists for tables and rings whose
// entries may be empty; interfaces say std::optional<PacketNumber>. None() equals itself and has no
// value, no order and no distance.
#ifndef GODWIT_BASE_PACKET_NUMBER_H_
#define GODWIT_BASE_PACKET_NUMBER_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace godwit {

class PacketNumber {
 public:
  explicit constexpr PacketNumber(uint64_t value) : value_(value) {
    GODWIT_DCHECK_LE(value, kMaxPacketNumber);
  }

  static constexpr PacketNumber None() { return PacketNumber(); }

  constexpr bool is_none() const { return value_ == kNone; }

  constexpr uint64_t value() const {
    GODWIT_DCHECK(!is_none());
    return value_;
  }

  // The number after this one. The last number has none: RFC 9000 §12.3 wants the connection closed
  // before that, because a packet number that comes twice gives the AEAD's nonce away.
  constexpr PacketNumber next() const {
    GODWIT_CHECK_LT(value_, kMaxPacketNumber);
    return PacketNumber(value_ + 1);
  }

  // How many numbers `a` lies after `b`; negative if before.
  friend constexpr int64_t operator-(PacketNumber a, PacketNumber b) {
    return static_cast<int64_t>(a.value()) - static_cast<int64_t>(b.value());
  }

  friend constexpr bool operator==(PacketNumber a, PacketNumber b) = default;
  friend constexpr std::strong_ordering operator<=>(PacketNumber a, PacketNumber b) {
    return a.value() <=> b.value();
  }

  template <typename H>
  friend H AbslHashValue(H state, PacketNumber number) {
    return H::combine(std::move(state), number.value_);
  }

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};

  constexpr PacketNumber() : value_(kNone) {}

  uint64_t value_;
};

// RFC 9000 §12.3: numbers count on their own in each of these; 0-RTT and 1-RTT packets share one.
enum class PacketNumberSpace : uint8_t { kInitial, kHandshake, kApplication };

inline constexpr size_t kPacketNumberSpaceCount = 3;

constexpr std::string_view ToString(PacketNumberSpace space) {
  switch (space) {
    case PacketNumberSpace::kInitial:
      return "initial";
    case PacketNumberSpace::kHandshake:
      return "handshake";
    case PacketNumberSpace::kApplication:
      return "application";
  }
  GODWIT_UNREACHABLE();
}

}  // namespace godwit

#endif  // GODWIT_BASE_PACKET_NUMBER_H_
