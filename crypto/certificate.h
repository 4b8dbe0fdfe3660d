// SPDX-License-Identifier: Apache-2.0
//
// Facts about X.509 certificates: the hash of the public key, the names, the times, and all of them
// in words for people. It judges nothing.
//
// Invariant: words are printable ASCII of bounded length whatever the certificate holds, because a
// stranger wrote it and they end up in logs.
#ifndef GODWIT_CRYPTO_CERTIFICATE_H_
#define GODWIT_CRYPTO_CERTIFICATE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/boringssl.h"
#include "godwit/public_key_hash.h"
#include "godwit/unix_time.h"

namespace godwit {

inline std::span<const uint8_t> BytesOf(const CRYPTO_BUFFER* buffer) {
  return {CRYPTO_BUFFER_data(buffer), CRYPTO_BUFFER_len(buffer)};
}

// Nothing if `der` does not have the outline of a certificate.
std::optional<PublicKeyHash> HashPublicKey(std::span<const uint8_t> der);

struct CertificateValidity {
  UnixTime not_before;
  UnixTime not_after;
};

// Nothing if the times cannot be read.
std::optional<CertificateValidity> ValidityOf(const X509* certificate);

// The DNS names of subjectAltName, in lower case, at most 1000. RFC 6125 §6.4.4: the subject's
// common name does not count.
std::vector<std::string> DnsNamesOf(const X509* certificate);

// Of a name or another text of the peer's.
inline constexpr size_t kMaxDescribedBytes = 100;

// `text` with every byte that is not printable ASCII as '?', cut after `max_bytes`.
std::string Printable(std::string_view text, size_t max_bytes = kMaxDescribedBytes);

// "a.example, *.b.example, 192.0.2.1 and 3 more", or "no name".
std::string DescribeNames(const X509* certificate);

// The common name, or all of the name if it has none.
std::string DescribeSubject(const X509* certificate);
std::string DescribeIssuer(const X509* certificate);

// "2026-11-22 14:05:00 UTC".
std::string DescribeTime(UnixTime time);

}  // namespace godwit

#endif  // GODWIT_CRYPTO_CERTIFICATE_H_
