// SPDX-License-Identifier: Apache-2.0
//
// ConnectionHandle: names a connection of an endpoint. A plain value that stays harmless when the
// connection is gone: no other one ever gets the same.
#ifndef GODWIT_INCLUDE_CONNECTION_HANDLE_H_
#define GODWIT_INCLUDE_CONNECTION_HANDLE_H_

#include <cstdint>

namespace godwit {

struct ConnectionHandle {
  uint32_t slot = 0;
  uint32_t generation = 0;  // Counts from 1 in each slot.

  friend constexpr bool operator==(ConnectionHandle, ConnectionHandle) = default;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CONNECTION_HANDLE_H_
