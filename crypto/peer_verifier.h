// SPDX-License-Identifier: Apache-2.0
//
// PeerVerifier: judges the certificate chain of a peer by what the configuration trusts, and says
// in words and with the TLS alert why it refuses one. RFC 5280 §6, RFC 6125 §6, RFC 8446 §6.2.
//
// A chain to an authority is also refused for a weak key anywhere in it, and for a weak hash in the
// signature of any certificate but the last, which is trusted for itself. Pins and applications
// take the whole decision and are not held to that.
//
// That the peer has the private key is TLS's to check. Revocation is not checked.
//
// Immutable after Create(), so threads may share it. It reads no file later, except where the
// system has no bundle of authorities but a directory only.
#ifndef GODWIT_CRYPTO_PEER_VERIFIER_H_
#define GODWIT_CRYPTO_PEER_VERIFIER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "crypto/boringssl.h"
#include "godwit/perspective.h"
#include "godwit/public_key_hash.h"
#include "godwit/tls_config.h"
#include "godwit/unix_time.h"

namespace godwit {

// Why a certificate is refused.
struct CertificateRejection {
  uint8_t alert;
  std::string reason;
};

class PeerVerifier {
 public:
  // `peer` says whose certificates are judged.
  static absl::StatusOr<PeerVerifier> Create(const PeerVerification& verification,
                                             Perspective peer);

  // True if servers cannot be told apart without the name that was asked for.
  bool needs_server_name() const { return store_ != nullptr && peer_ == Perspective::kServer; }

  // `chain` is what the peer sent, its own certificate first. `server_name` is what the client
  // asked for, a host name or an address; not used for clients. Nothing: accepted. The thread's
  // queue of BoringSSL errors is empty afterwards, whatever the application did.
  std::optional<CertificateRejection> Verify(const STACK_OF(CRYPTO_BUFFER) * chain,
                                             std::string_view server_name, UnixTime now) const;

 private:
  PeerVerifier(PeerVerification::Method method, Perspective peer) : method_(method), peer_(peer) {}

  absl::Status AddAuthorities(const std::vector<PemSource>& authorities);
  absl::Status AddSystemRoots();

  std::optional<CertificateRejection> Judge(const STACK_OF(CRYPTO_BUFFER) * chain,
                                            std::string_view server_name, UnixTime now) const;
  std::optional<CertificateRejection> CheckPin(const PublicKeyHash& hash) const;
  std::optional<CertificateRejection> AskApplication(const STACK_OF(CRYPTO_BUFFER) * chain,
                                                     const PublicKeyHash& hash,
                                                     std::string_view server_name,
                                                     UnixTime now) const;
  std::optional<CertificateRejection> CheckChain(X509* leaf, STACK_OF(X509) * others,
                                                 UnixTime now) const;

  PeerVerification::Method method_;
  Perspective peer_;
  bssl::UniquePtr<X509_STORE> store_;  // For kSystemRoots and kAuthorities.
  std::vector<PublicKeyHash> pinned_keys_;
  const CertificateVerifier* application_ = nullptr;
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_PEER_VERIFIER_H_
