// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret_key.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/boringssl.h"

namespace godwit {

SecretKey::SecretKey(std::span<const uint8_t, kSize> bytes) {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

SecretKey::~SecretKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

SecretKey SecretKey::Generate(Random& random) {
  SecretKey key;
  random.Fill(key.bytes_);
  return key;
}

void SecretKey::Derive(std::string_view label, std::span<uint8_t> out) const {
  // The key is uniformly random, so the Extract step has nothing to do (RFC 5869 §3.3).
  const int ok = HKDF_expand(out.data(), out.size(), EVP_sha256(), bytes_.data(), bytes_.size(),
                             reinterpret_cast<const uint8_t*>(label.data()), label.size());
  GODWIT_CHECK_EQ(ok, 1);
}

SecretText::SecretText(size_t size) : text_(size) {}

SecretText::~SecretText() { OPENSSL_cleanse(text_.data(), text_.size()); }

}  // namespace godwit
