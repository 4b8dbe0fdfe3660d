// SPDX-License-Identifier: Apache-2.0
//
// TlsIdentity: a certificate chain with its private key, read from the configuration and found to
// fit together. ServerIdentities: those of a server, and which one a client gets that asks for a
// name (RFC 6066 §3, RFC 6125 §6.4.3).
//
// A chain that is expired is accepted, with a warning: a server with a wrong clock must still
// start.
#ifndef GODWIT_CRYPTO_TLS_IDENTITY_H_
#define GODWIT_CRYPTO_TLS_IDENTITY_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "crypto/boringssl.h"
#include "godwit/tls_config.h"
#include "godwit/unix_time.h"

namespace godwit {

class TlsIdentity {
 public:
  // Adds what is doubtful but no error to `warnings`.
  static absl::StatusOr<TlsIdentity> Load(const TlsCertificate& certificate, UnixTime now,
                                          std::vector<std::string>& warnings);

  // Makes `ssl` or `context` show this identity. False: out of memory, or a key that BoringSSL
  // cannot sign with.
  bool Install(SSL* ssl) const;
  bool Install(SSL_CTX* context) const;

  // Of the certificate, in lower case.
  const std::vector<std::string>& dns_names() const { return dns_names_; }

 private:
  std::vector<CRYPTO_BUFFER*> chain() const;

  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> chain_;
  bssl::UniquePtr<EVP_PKEY> private_key_;
  std::vector<std::string> dns_names_;
};

class ServerIdentities {
 public:
  // The first one is the default. Where several have a name, the first of them counts.
  static absl::StatusOr<ServerIdentities> Load(const std::vector<TlsCertificate>& certificates,
                                               UnixTime now, std::vector<std::string>& warnings);

  // For a client that asks for `server_name`; it may be empty. A name that is there exactly comes
  // before a wildcard for its first label, and both before the default.
  const TlsIdentity& Select(std::string_view server_name) const;

 private:
  std::vector<TlsIdentity> identities_;
  absl::flat_hash_map<std::string, size_t> index_by_name_;  // "*.example" is a name like others.
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_TLS_IDENTITY_H_
