// SPDX-License-Identifier: Apache-2.0
//
// What an application decides about TLS: who it is, whom it believes, which application protocols
// it speaks, and whether it resumes sessions. Plain values; they are checked, and their files read,
// when an endpoint is made from them.
//
// Not decided here: TLS is always version 1.3 (RFC 9001 §4.2), and the library orders cipher suites
// and groups itself, by what the processor is fast at. Peers are verified unless the configuration
// says otherwise in so many words; an endpoint without application protocols is an error, because
// QUIC requires that both sides agree on one (RFC 9001 §8.1).
#ifndef GODWIT_INCLUDE_TLS_CONFIG_H_
#define GODWIT_INCLUDE_TLS_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "godwit/public_key_hash.h"
#include "godwit/unix_time.h"

namespace godwit {

// PEM text, or the name of the file that holds it.
class PemSource {
 public:
  PemSource() = default;  // Nothing: an error where it is used.

  [[nodiscard]] static PemSource File(std::string path) { return {true, std::move(path)}; }
  [[nodiscard]] static PemSource Text(std::string pem) { return {false, std::move(pem)}; }

  [[nodiscard]] bool is_file() const { return is_file_; }
  [[nodiscard]] bool is_empty() const { return value_.empty(); }
  // The path, or the text.
  [[nodiscard]] const std::string& value() const { return value_; }

 private:
  PemSource(bool is_file, std::string value) : is_file_(is_file), value_(std::move(value)) {}

  bool is_file_ = false;
  std::string value_;
};

// A certificate with what proves that it is ours. Ed25519, ECDSA (P-256, P-384) and RSA (2048 bits
// and more) will do; Ed25519 costs a server least.
struct TlsCertificate {
  // The certificate itself first, then each one that issued the one before it. The root may be
  // left out.
  PemSource chain;
  // Unencrypted: PKCS #8, or the older forms of its own for EC and RSA keys.
  PemSource private_key;
};

// What a CertificateVerifier sees. Everything is valid only during the call.
struct PeerCertificate {
  // DER, the peer's own certificate first, as the peer sent them. Never empty, and nothing about
  // them has been checked but that the first one parses and that the peer has its private key.
  std::span<const std::span<const uint8_t>> chain;
  // Of the first certificate.
  PublicKeyHash public_key_hash;
  // The name that the client asked for; empty when a server verifies its client.
  std::string_view server_name;
  UnixTime now;
};

// The application's own judgement of a peer's certificate.
class CertificateVerifier {
 public:
  virtual ~CertificateVerifier() = default;

  // OK if the peer is who it should be. The message of any other status becomes the reason with
  // which the handshake fails, so it should be one line. Called by every thread that runs an
  // endpoint with this verifier, in the middle of a handshake (it must not block), and before a
  // session is resumed.
  [[nodiscard]] virtual absl::Status Verify(const PeerCertificate& certificate) const = 0;
};

// How the certificate of the peer is judged.
class PeerVerification {
 public:
  enum class Method : uint8_t {
    kSystemRoots,
    kAuthorities,
    kPinnedKeys,
    kApplication,
    kNone,
  };

  // By the certificate authorities that the system trusts: the bundle of /etc/ssl or /etc/pki, else
  // the directory /etc/ssl/certs. The chain, the times, the purpose and (by a client) the name are
  // checked, and that no key is weaker than RSA of 2048 bits or P-256 and no signature uses MD5 or
  // SHA-1.
  [[nodiscard]] static PeerVerification SystemRoots() {
    return PeerVerification(Method::kSystemRoots);
  }

  // The same checks, by these authorities alone. Each source may hold many certificates; one that
  // is no authority is trusted for itself.
  [[nodiscard]] static PeerVerification Authorities(std::vector<PemSource> authorities) {
    PeerVerification verification(Method::kAuthorities);
    verification.authorities_ = std::move(authorities);
    return verification;
  }

  // By the public key of its certificate alone: it must be one of these. The certificate is then
  // no more than the envelope of its key: its name, times and issuer do not matter (as RFC 7671
  // §5.1 has it for keys published in the DNS).
  [[nodiscard]] static PeerVerification PinnedKeys(std::vector<PublicKeyHash> keys) {
    PeerVerification verification(Method::kPinnedKeys);
    verification.pinned_keys_ = std::move(keys);
    return verification;
  }

  // By the application alone. `verifier` must outlive every endpoint made from this configuration.
  [[nodiscard]] static PeerVerification Application(const CertificateVerifier* verifier) {
    PeerVerification verification(Method::kApplication);
    verification.verifier_ = verifier;
    return verification;
  }

  // Not at all: whoever can send packets to this endpoint can pose as its peer, read everything and
  // change everything. For experiments.
  [[nodiscard]] static PeerVerification InsecurelyAcceptAnyCertificate() {
    return PeerVerification(Method::kNone);
  }

  [[nodiscard]] Method method() const { return method_; }
  [[nodiscard]] const std::vector<PemSource>& authorities() const { return authorities_; }
  [[nodiscard]] const std::vector<PublicKeyHash>& pinned_keys() const { return pinned_keys_; }
  [[nodiscard]] const CertificateVerifier* verifier() const { return verifier_; }

 private:
  explicit PeerVerification(Method method) : method_(method) {}

  Method method_;
  std::vector<PemSource> authorities_;
  std::vector<PublicKeyHash> pinned_keys_;
  const CertificateVerifier* verifier_ = nullptr;
};

struct TlsServerConfig {
  // At least one. A client that asks for a name gets the first certificate whose subjectAltName has
  // it, exactly before by wildcard; all others get the first certificate.
  std::vector<TlsCertificate> certificates;

  // ALPN names ("h3"), the one to prefer first. At least one.
  std::vector<std::string> application_protocols;

  // Set: clients must present a certificate that passes. Unset: clients are not asked for one.
  std::optional<PeerVerification> client_verification;

  // Tickets that a client gets with every handshake, 16 at most. None: no session is resumed.
  size_t tickets_per_handshake = 2;

  // How long a ticket can be used, 7 days at most (RFC 8446 §4.6.1).
  absl::Duration ticket_lifetime = absl::Hours(48);

  // Accepts data that resuming clients send before the handshake is done. An attacker can replay
  // such data within limits (RFC 9001 §9.2); turn this on only if the application protocol says
  // what may be sent so.
  bool accept_early_data = false;

  // Hands out the secrets of every connection as lines of an SSLKEYLOGFILE, which Wireshark reads:
  // to EventHandler::OnKeyLogLine(), or by Engine::PollKeyLogLine(); nothing is written, and the
  // environment is not looked at. Whoever has them reads the traffic.
  bool export_session_secrets = false;
};

struct TlsClientConfig {
  PeerVerification server_verification = PeerVerification::SystemRoots();

  // ALPN names ("h3") to offer, the one to prefer first. At least one.
  std::vector<std::string> application_protocols;

  // What to show to servers that ask for a certificate.
  std::optional<TlsCertificate> certificate;

  // Sends the application's first data together with the first packets when resuming a session
  // with a server that allows it. The same warning as for TlsServerConfig::accept_early_data.
  bool offer_early_data = false;

  // As in TlsServerConfig.
  bool export_session_secrets = false;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_TLS_CONFIG_H_
