// SPDX-License-Identifier: Apache-2.0
//
// RefusalReason: why an endpoint did not accept a connection that a client wanted to open. It is
// counted; what the client gets to know is decided in accept_limiter.h.
#ifndef GODWIT_TRANSPORT_ENDPOINT_REFUSAL_REASON_H_
#define GODWIT_TRANSPORT_ENDPOINT_REFUSAL_REASON_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"

namespace godwit {

enum class RefusalReason : uint8_t {
  kStopped,             // Endpoint::StopAccepting().
  kTooManyConnections,  // EndpointConfig::max_connections.
  kMemoryBudget,
  kTooManyHalfOpen,  // EndpointConfig::max_half_open.
  kSourceRate,       // EndpointConfig::max_accepts_per_second_per_source.
  kNoConnectionId,   // The generator has none that is not in use.
  kTlsFailed,        // The TLS library could not make a session.
};

// Of the enumerators, which count from 0 without gaps.
inline constexpr size_t kRefusalReasonCount = static_cast<size_t>(RefusalReason::kTlsFailed) + 1;

constexpr std::string_view ToString(RefusalReason reason) {
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
  GODWIT_UNREACHABLE();
}

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_REFUSAL_REASON_H_
