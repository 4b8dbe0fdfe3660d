// SPDX-License-Identifier: Apache-2.0
//
// What BoringSSL's error codes mean, in words for whoever reads a log. Only its own codes: why a
// certificate was refused or which protocols did not meet is known, and said, elsewhere.
#ifndef GODWIT_CRYPTO_TLS_ERROR_TEXT_H_
#define GODWIT_CRYPTO_TLS_ERROR_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "godwit/perspective.h"

namespace godwit {

// `error` is what ERR_get_error() gave, 0 if nothing. `alert` is the alert that came with it.
std::string DescribeTlsError(uint32_t error, std::optional<uint8_t> alert, Perspective perspective);

}  // namespace godwit

#endif  // GODWIT_CRYPTO_TLS_ERROR_TEXT_H_
