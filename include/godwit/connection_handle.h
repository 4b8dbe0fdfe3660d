// SPDX-License-Identifier: Apache-2.0
//
// ConnectionHandle: names a connection of an endpoint. A plain value that stays harmless when the
// connection is gone: no other one ever gets the same.
#ifndef GODWIT_INCLUDE_CONNECTION_HANDLE_H_
#define GODWIT_INCLUDE_CONNECTION_HANDLE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>  // std::hash, which it declares too.
#include <utility>

namespace godwit {

// To be a key of any map: ordered (which says nothing but that two differ), and hashed by std::hash
// and by abseil.
struct ConnectionHandle {
  uint32_t slot = 0;
  uint32_t generation = 0;  // Counts from 1 in each slot.

  friend constexpr bool operator==(ConnectionHandle, ConnectionHandle) = default;
  friend constexpr auto operator<=>(ConnectionHandle, ConnectionHandle) = default;

  template <typename H>
  friend H AbslHashValue(H h, ConnectionHandle handle) {
    return H::combine(std::move(h), handle.slot, handle.generation);
  }
};

}  // namespace godwit

namespace std {

template <>
struct hash<godwit::ConnectionHandle> {
  [[nodiscard]] size_t operator()(godwit::ConnectionHandle handle) const noexcept {
    return hash<uint64_t>()(uint64_t{handle.generation} << 32 | handle.slot);
  }
};

}  // namespace std

#endif  // GODWIT_INCLUDE_CONNECTION_HANDLE_H_
