// SPDX-License-Identifier: Apache-2.0
//
// The one header through which crypto/ sees BoringSSL. It stops a build that would silently take
// OpenSSL's headers of the same names, and hides what differs between the oldest BoringSSL that we
// build with (API version 17 of May 2022, the one that Debian packages) and newer ones.
//
// What is not here is the same in both: newer versions keep the older names that we use as aliases
// (SSL_CTX_set1_curves, SSL_get_curve_id, SSL_CURVE_*, SSL_CIPHER_get_prf_nid). Where a macro tells
// that a feature is there it is asked instead of the version number, which is coarser.
#ifndef GODWIT_CRYPTO_BORINGSSL_H_
#define GODWIT_CRYPTO_BORINGSSL_H_

// A header that OpenSSL has too, and that includes BoringSSL's base.h: so it is this message that
// one gets, and not a hundred puzzling ones.
#include <openssl/crypto.h>

#ifndef OPENSSL_IS_BORINGSSL
#error "godwit needs BoringSSL, these are OpenSSL's headers: is the dependency @boringssl missing?"
#endif
#if BORINGSSL_API_VERSION < 17
#error "godwit needs BoringSSL of May 2022 (API version 17) or newer"
#endif

#include <openssl/aead.h>
#include <openssl/aes.h>
#include <openssl/asn1.h>
#include <openssl/base.h>
#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/chacha.h>
#include <openssl/cipher.h>
#include <openssl/curve25519.h>
#include <openssl/digest.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hkdf.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/pem.h>
#include <openssl/pool.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/siphash.h>
#include <openssl/ssl.h>
#include <openssl/stack.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace godwit::boringssl {

// Offers the key exchange groups of TLS 1.3, the preferred one first: X25519, of which every build
// has a fast one, before P-256, which is slow where BoringSSL was built small (Debian's); before
// both the post-quantum hybrid where the library has it. False: out of memory.
inline bool SetKeyExchangeGroups(SSL_CTX* context) {
#ifdef SSL_GROUP_X25519_MLKEM768
  static constexpr uint16_t kGroups[] = {SSL_GROUP_X25519_MLKEM768, SSL_GROUP_X25519,
                                         SSL_GROUP_SECP256R1};
  return SSL_CTX_set1_group_ids(context, kGroups, 3) == 1;
#else
  static constexpr int kCurves[] = {NID_X25519, NID_X9_62_prime256v1};
  return SSL_CTX_set1_curves(context, kCurves, 2) == 1;
#endif
}

}  // namespace godwit::boringssl

#endif  // GODWIT_CRYPTO_BORINGSSL_H_
