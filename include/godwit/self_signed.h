// SPDX-License-Identifier: Apache-2.0
//
// SelfSignedCertificate: a new key and a certificate that it signs itself, for whoever has no
// authority: two programs that pin each other's keys (PeerVerification::PinnedKeys), tests, first
// steps. It names no host and no issuer that anybody trusts, so it convinces only those who know
// its key.
//
//   auto made = godwit::SelfSignedCertificate::Make({});
//   config.tls.certificates = {made->ForTls()};
//   ... peers: PeerVerification::PinnedKeys({made->public_key_hash})
//
// Randomness for keys comes from the TLS library, as it does for handshakes. The private key is
// plain text in memory: who keeps it wipes it.
#ifndef GODWIT_INCLUDE_SELF_SIGNED_H_
#define GODWIT_INCLUDE_SELF_SIGNED_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "godwit/public_key_hash.h"
#include "godwit/tls_config.h"
#include "godwit/unix_time.h"

namespace godwit {

struct SelfSignedOptions {
  enum class Key : uint8_t { kEd25519, kEcdsaP256 };

  Key key = Key::kEd25519;
  // 1 to 64 bytes of UTF-8 (RFC 5280 §A.1).
  std::string common_name = "godwit";
  // From 1950 to 9999. The default is the whole of it but for the years before 1970, with the end
  // that means "never" (RFC 5280 §4.1.2.5): those who pin keys do not look at it.
  UnixTime not_before = UnixTime::FromSeconds(0);
  UnixTime not_after = UnixTime::FromSeconds(253'402'300'799);
};

// A value: safe to copy between threads, not synchronised.
struct SelfSignedCertificate {
  std::string certificate_pem;
  std::string private_key_pem;  // PKCS #8.
  PublicKeyHash public_key_hash;

  // Errors name the option, its value and what is allowed.
  [[nodiscard]] static absl::StatusOr<SelfSignedCertificate> Make(const SelfSignedOptions& options);

  // Of the first certificate in `pem`, whoever made it.
  [[nodiscard]] static absl::StatusOr<PublicKeyHash> HashPublicKeyOf(const PemSource& pem);

  [[nodiscard]] TlsCertificate ForTls() const {
    return {PemSource::Text(certificate_pem), PemSource::Text(private_key_pem)};
  }
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_SELF_SIGNED_H_
