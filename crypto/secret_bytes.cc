// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret_bytes.h"

#include "crypto/boringssl.h"

namespace godwit {

void WipeBytes(std::span<uint8_t> bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

}  // namespace godwit
