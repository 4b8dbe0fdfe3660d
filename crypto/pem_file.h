// SPDX-License-Identifier: Apache-2.0
//
// Certificates and private keys from PEM text or files (RFC 7468), at configuration time. This is
// the only place under crypto/ that reads files; it is never reached from a connection.
//
// Errors name the file and say what to do. They hold no part of a key.
#ifndef GODWIT_CRYPTO_PEM_FILE_H_
#define GODWIT_CRYPTO_PEM_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "crypto/boringssl.h"
#include "godwit/tls_config.h"

namespace godwit {

// How errors call `source`: its path in quotes, or "the PEM text".
std::string DescribeSource(const PemSource& source);

// All certificates of `source`, at least one. Other PEM blocks are skipped. `what` is what the
// configuration calls it, for errors: "certificate chain".
absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> ReadCertificates(const PemSource& source,
                                                                    const std::string& what);

// The first private key of `source`.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ReadPrivateKey(const PemSource& source);

}  // namespace godwit

#endif  // GODWIT_CRYPTO_PEM_FILE_H_
