// SPDX-License-Identifier: Apache-2.0
//
// ValidateEndpointConfig(): the one place where the values of an EndpointConfig are checked; from
// there on everybody takes them as they are.
#ifndef GODWIT_TRANSPORT_ENDPOINT_ENDPOINT_CONFIG_H_
#define GODWIT_TRANSPORT_ENDPOINT_ENDPOINT_CONFIG_H_

#include "absl/status/status.h"

#include "godwit/endpoint_config.h"

namespace godwit {

// The error names the field, what it is and what is allowed.
[[nodiscard]] absl::Status ValidateEndpointConfig(const EndpointConfig& config);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_ENDPOINT_CONFIG_H_
