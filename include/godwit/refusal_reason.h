// SPDX-License-Identifier: Apache-2.0
//
// RefusalReason: why an endpoint did not accept a connection that a client wanted to open. It is
// counted; what the client gets to know is decided elsewhere.
#ifndef GODWIT_INCLUDE_REFUSAL_REASON_H_
#define GODWIT_INCLUDE_REFUSAL_REASON_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace godwit {

enum class RefusalReason : uint8_t {
  kStopped,             // The endpoint was told to accept no more.
  kTooManyConnections,  // EndpointConfig::max_connections.
  kMemoryBudget,
  kTooManyHalfOpen,  // EndpointConfig::max_half_open.
  kSourceRate,       // EndpointConfig::max_accepts_per_second_per_source.
  kNoConnectionId,   // The generator has none that is not in use.
  kTlsFailed,        // The TLS library could not make a session.
};

// Of the enumerators, which count from 0 without gaps.
inline constexpr size_t kRefusalReasonCount = static_cast<size_t>(RefusalReason::kTlsFailed) + 1;

[[nodiscard]] constexpr std::string_view ToString(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kStopped:
      return "stopped";
    case RefusalReason::kTooManyConnections:
      return "too_many_connections";
    case RefusalReason::kMemoryBudget:
      return "memory_budget";
    case RefusalReason::kTooManyHalfOpen:
      return "too_many_half_open";
    case RefusalReason::kSourceRate:
      return "source_rate";
    case RefusalReason::kNoConnectionId:
      return "no_connection_id";
    case RefusalReason::kTlsFailed:
      return "tls_failed";
  }
  return "invalid";
}

}  // namespace godwit

#endif  // GODWIT_INCLUDE_REFUSAL_REASON_H_
