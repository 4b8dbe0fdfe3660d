// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/close_checker.h"

#include "absl/strings/str_cat.h"

#include "base/transport_error_code.h"

namespace godwit {
namespace {

using Cause = CloseReason::Cause;

std::string Describe(const CloseReason& reason) {
  const std::string_view cause = ToString(reason.cause);
  return absl::StrCat(absl::string_view(cause.data(), cause.size()), " (code ", reason.error_code,
                      ", ", reason.reason, ")");
}

// Closed without having heard from the other end.
bool IsByItself(Cause cause) {
  return cause != Cause::kPeerApplication && cause != Cause::kPeerTransportError;
}

// Whether `told` is what the peer of `teller` hears.
bool IsEchoOf(const CloseReason& told, const CloseReason& teller) {
  const bool matches =
      (told.cause == Cause::kPeerApplication && teller.cause == Cause::kApplication) ||
      (told.cause == Cause::kPeerTransportError && teller.cause == Cause::kProtocolError);
  if (!matches) return false;
  if (told.error_space == teller.error_space) return told.error_code == teller.error_code;
  // RFC 9000 §10.2.3: below 1-RTT the application's close is one of the transport.
  return teller.cause == Cause::kApplication &&
         told.error_code == static_cast<uint64_t>(TransportErrorCode::kApplicationError);
}

}  // namespace

std::string FindCloseDisagreement(const std::optional<CloseReason>& client,
                                  const std::optional<CloseReason>& server) {
  if (!client.has_value()) return "the client does not know why it closed\n";
  if (!server.has_value()) return "the server does not know why it closed\n";
  if (IsByItself(client->cause) && IsByItself(server->cause)) return {};
  if (IsEchoOf(*client, *server) || IsEchoOf(*server, *client)) return {};
  return absl::StrCat("the ends disagree: client ", Describe(*client), ", server ",
                      Describe(*server), "\n");
}

}  // namespace godwit
