// SPDX-License-Identifier: Apache-2.0
//
// FourTuple: the two socket addresses between which a datagram travels, seen from here.
// It names a network path (RFC 9000 §9); whether the path is validated, or new, is decided
// elsewhere.
#ifndef GODWIT_INCLUDE_FOUR_TUPLE_H_
#define GODWIT_INCLUDE_FOUR_TUPLE_H_

#include <compare>
#include <utility>

#include "godwit/socket_address.h"

namespace godwit {

// A value: safe to copy between threads, not synchronised.
struct FourTuple {
  SocketAddress local;
  SocketAddress peer;

  friend constexpr auto operator<=>(const FourTuple&, const FourTuple&) = default;
  friend constexpr bool operator==(const FourTuple&, const FourTuple&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const FourTuple& four_tuple) {
    return H::combine(std::move(h), four_tuple.local, four_tuple.peer);
  }
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_FOUR_TUPLE_H_
