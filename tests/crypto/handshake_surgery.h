// SPDX-License-Identifier: Apache-2.0
//
// Changes to TLS handshake messages that no TLS library would send.
#ifndef GODWIT_TESTS_CRYPTO_HANDSHAKE_SURGERY_H_
#define GODWIT_TESTS_CRYPTO_HANDSHAKE_SURGERY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"

namespace godwit {

namespace handshake_surgery_internal {

inline size_t Read(const std::vector<uint8_t>& bytes, size_t at, size_t size) {
  size_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | bytes.at(at + i);
  return value;
}

inline void Subtract(std::vector<uint8_t>& bytes, size_t at, size_t size, size_t amount) {
  size_t value = Read(bytes, at, size) - amount;
  for (size_t i = size; i > 0; --i, value >>= 8) bytes.at(at + i - 1) = static_cast<uint8_t>(value);
}

// Where the length of the extension block stands in the first message of `bytes`.
inline size_t ExtensionsAt(const std::vector<uint8_t>& bytes) {
  constexpr uint8_t kClientHello = 1;
  constexpr uint8_t kEncryptedExtensions = 8;
  if (bytes.at(0) == kEncryptedExtensions) return 4;
  GODWIT_CHECK_EQ(bytes.at(0), kClientHello);
  size_t at = 4 + 2 + 32;              // Header, version, random.
  at += 1 + Read(bytes, at, 1);        // Session id.
  at += 2 + Read(bytes, at, 2);        // Cipher suites.
  return at + 1 + Read(bytes, at, 1);  // Compression methods.
}

}  // namespace handshake_surgery_internal

// From the ClientHello or EncryptedExtensions that `bytes` begins with; it must be there.
inline void RemoveExtension(std::vector<uint8_t>& bytes, uint16_t type) {
  using handshake_surgery_internal::Read;
  using handshake_surgery_internal::Subtract;
  const size_t block = handshake_surgery_internal::ExtensionsAt(bytes);
  const size_t end = block + 2 + Read(bytes, block, 2);
  for (size_t at = block + 2; at < end;) {
    const size_t length = 4 + Read(bytes, at + 2, 2);
    if (Read(bytes, at, 2) == type) {
      const auto first = bytes.begin() + static_cast<ptrdiff_t>(at);
      bytes.erase(first, first + static_cast<ptrdiff_t>(length));
      Subtract(bytes, block, 2, length);
      Subtract(bytes, 1, 3, length);
      return;
    }
    at += length;
  }
  GODWIT_UNREACHABLE();
}

}  // namespace godwit

#endif  // GODWIT_TESTS_CRYPTO_HANDSHAKE_SURGERY_H_
