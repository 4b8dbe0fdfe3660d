// SPDX-License-Identifier: Apache-2.0
//
// TlsPolicy: a configuration that was checked and loaded, in the form in which the handshakes of
// many sessions consult it. It lives in the SSL_CTX and dies with it, so a session that still runs
// keeps the policy it was made with when an endpoint takes a new one.
//
// Immutable once attached; threads share it.
#ifndef GODWIT_CRYPTO_TLS_POLICY_H_
#define GODWIT_CRYPTO_TLS_POLICY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/boringssl.h"
#include "crypto/peer_verifier.h"
#include "crypto/tls_identity.h"
#include "godwit/perspective.h"

namespace godwit {

struct TlsPolicy {
  Perspective perspective = Perspective::kClient;
  // The preferred one first. Never empty.
  std::vector<std::string> application_protocols;
  // Always there for a client; for a server if it requires certificates of its clients.
  std::optional<PeerVerifier> peer_verifier;
  // A server's.
  std::optional<ServerIdentities> identities;
  bool early_data = false;

  // False: out of memory.
  static bool Attach(SSL_CTX* context, std::unique_ptr<const TlsPolicy> policy);

  // Of a context that has one. Points into the context.
  static const TlsPolicy& Of(const SSL_CTX* context);
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_TLS_POLICY_H_
