// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/version_authentication.h"

#include <algorithm>

#include "base/protocol_errors.h"
#include "transport/wire/version_information.h"

namespace godwit {
namespace {

// RFC 9368 §4: for a server the version in use, for a client the Negotiated Version.
Result CheckInUse(const VersionInformation& information, uint32_t version_in_use) {
  if (information.chosen_version != version_in_use) return kChosenVersionNotInUse;
  return Result::Ok();
}

}  // namespace

Result AuthenticateClientVersion(const TransportParameters& client_parameters,
                                 uint32_t version_in_use) {
  const auto& information = client_parameters.version_information;
  return information ? CheckInUse(*information, version_in_use) : Result::Ok();
}

Result AuthenticateServerVersion(const TransportParameters& server_parameters,
                                 std::span<const uint32_t> offered, uint32_t version_in_use) {
  const auto& information = server_parameters.version_information;
  if (!information) return Result::Ok();
  // RFC 9368 §4: a server chooses among what the client listed.
  if (std::ranges::find(offered, information->chosen_version) == offered.end()) {
    return kChosenVersionNotOffered;
  }
  return CheckInUse(*information, version_in_use);
}

}  // namespace godwit
