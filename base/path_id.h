// SPDX-License-Identifier: Apache-2.0
//
// PathId: which of a connection's network paths is meant (RFC 9000 §9). A connection counts its
// paths in the order in which it first used them and never gives an id twice, so that an answer
// that arrives late can not be taken for one from a newer path. Local: it never goes on the wire.
#ifndef GODWIT_BASE_PATH_ID_H_
#define GODWIT_BASE_PATH_ID_H_

#include <compare>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/check.h"

namespace godwit {

class PathId {
 public:
  explicit constexpr PathId(uint32_t value) : value_(value) {}

  constexpr uint32_t value() const { return value_; }

  constexpr PathId next() const {
    GODWIT_CHECK_LT(value_, std::numeric_limits<uint32_t>::max());
    return PathId(value_ + 1);
  }

  friend constexpr bool operator==(PathId a, PathId b) = default;
  friend constexpr std::strong_ordering operator<=>(PathId a, PathId b) {
    return a.value_ <=> b.value_;
  }

  template <typename H>
  friend H AbslHashValue(H state, PathId id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  uint32_t value_;
};

}  // namespace godwit

#endif  // GODWIT_BASE_PATH_ID_H_
