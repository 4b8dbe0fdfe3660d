// SPDX-License-Identifier: Apache-2.0
//
// CloseReason: why and by whom a connection was closed. RFC 9000 §10, §20.
#ifndef GODWIT_INCLUDE_CLOSE_REASON_H_
#define GODWIT_INCLUDE_CLOSE_REASON_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace godwit {

// RFC 9000 §20: whose list of codes an error code belongs to.
enum class ErrorSpace : uint8_t { kTransport, kApplication };

// Why and by whom a connection was closed.
struct CloseReason {
  enum class Cause : uint8_t {
    kApplication,         // Ours asked for it.
    kPeerApplication,     // The peer's did.
    kProtocolError,       // The peer broke a rule, which we noticed.
    kPeerTransportError,  // The peer says that we broke one, or closed without an application.
    kIdleTimeout,
    kHandshakeTimeout,
    kStatelessReset,
    kVersionNegotiation,
    kNoViablePath,
    kAborted,
  };

  Cause cause;
  // Whose error code it is; both of no meaning where no CONNECTION_CLOSE went or came.
  ErrorSpace error_space = ErrorSpace::kTransport;
  uint64_t error_code = 0;
  // The type of the frame at fault, 0 if none.
  uint64_t frame_type = 0;
  // For people: at most 1,024 bytes. A peer's words should be UTF-8, which is not checked.
  std::string reason = {};

  friend bool operator==(const CloseReason&, const CloseReason&) = default;
};

// In words. Static text; safe from any thread.
[[nodiscard]] constexpr std::string_view ToString(CloseReason::Cause cause) {
  using Cause = CloseReason::Cause;
  switch (cause) {
    case Cause::kApplication:
      return "application";
    case Cause::kPeerApplication:
      return "peer application";
    case Cause::kProtocolError:
      return "protocol error";
    case Cause::kPeerTransportError:
      return "peer transport error";
    case Cause::kIdleTimeout:
      return "idle timeout";
    case Cause::kHandshakeTimeout:
      return "handshake timeout";
    case Cause::kStatelessReset:
      return "stateless reset";
    case Cause::kVersionNegotiation:
      return "version negotiation";
    case Cause::kNoViablePath:
      return "no viable path";
    case Cause::kAborted:
      return "aborted";
  }
  return "invalid";
}

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CLOSE_REASON_H_
