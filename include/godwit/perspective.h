// SPDX-License-Identifier: Apache-2.0
//
// Perspective: which of its two roles an endpoint has in a connection. The client is the
// endpoint that initiates it (RFC 9000 §1.2); the role never changes. The values are bit 0
// of a stream ID (RFC 9000 §2.1).
#ifndef GODWIT_INCLUDE_PERSPECTIVE_H_
#define GODWIT_INCLUDE_PERSPECTIVE_H_

#include <cstdint>

namespace godwit {

enum class Perspective : uint8_t { kClient = 0, kServer = 1 };

// The role of the peer. Safe from any thread.
[[nodiscard]] constexpr Perspective Opposite(Perspective perspective) {
  return perspective == Perspective::kClient ? Perspective::kServer : Perspective::kClient;
}

}  // namespace godwit

#endif  // GODWIT_INCLUDE_PERSPECTIVE_H_
