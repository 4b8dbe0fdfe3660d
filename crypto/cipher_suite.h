// SPDX-License-Identifier: Apache-2.0
//
// CipherSuite: the suites of TLS 1.3 that godwit protects packets with, under the ids that TLS
// gives them (RFC 8446 §B.4), and the sizes that follow from them. RFC 9001 §5.3.
//
// Which suite a connection uses is decided by TLS. AES-CCM is left out: no TLS library that we
// build on has it, and RFC 8446 §9.1 does not ask for it.
#ifndef GODWIT_CRYPTO_CIPHER_SUITE_H_
#define GODWIT_CRYPTO_CIPHER_SUITE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/check.h"

namespace godwit {

enum class CipherSuite : uint16_t {
  kAes128GcmSha256 = 0x1301,
  kAes256GcmSha384 = 0x1302,
  kChaCha20Poly1305Sha256 = 0x1303,
};

// RFC 9001 §5.3: every suite that QUIC can use adds 16 bytes to a packet. All three take a nonce of
// 96 bits (RFC 5116 §5.1, RFC 8439 §2.8).
inline constexpr size_t kAeadTagLength = 16;
inline constexpr size_t kAeadNonceLength = 12;

constexpr std::optional<CipherSuite> CipherSuiteFromTlsId(uint16_t tls_id) {
  switch (static_cast<CipherSuite>(tls_id)) {
    case CipherSuite::kAes128GcmSha256:
    case CipherSuite::kAes256GcmSha384:
    case CipherSuite::kChaCha20Poly1305Sha256:
      return static_cast<CipherSuite>(tls_id);
  }
  return std::nullopt;
}

// Of the AEAD's key and of the header protection key, in bytes.
constexpr size_t KeyLength(CipherSuite suite) {
  return suite == CipherSuite::kAes128GcmSha256 ? 16 : 32;
}

// Of the suite's hash, and so of every traffic secret, in bytes.
constexpr size_t HashLength(CipherSuite suite) {
  return suite == CipherSuite::kAes256GcmSha384 ? 48 : 32;
}

constexpr std::string_view ToString(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::kAes128GcmSha256:
      return "TLS_AES_128_GCM_SHA256";
    case CipherSuite::kAes256GcmSha384:
      return "TLS_AES_256_GCM_SHA384";
    case CipherSuite::kChaCha20Poly1305Sha256:
      return "TLS_CHACHA20_POLY1305_SHA256";
  }
  GODWIT_UNREACHABLE();
}

}  // namespace godwit

#endif  // GODWIT_CRYPTO_CIPHER_SUITE_H_
