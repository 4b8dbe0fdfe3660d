// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_identity.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "crypto/certificate.h"
#include "crypto/pem_file.h"

namespace godwit {
namespace {

// RFC 8446 §4.2.3 and BoringSSL: the keys that can sign a handshake here.
absl::Status CheckKeyKind(EVP_PKEY* key, const std::string& name) {
  switch (EVP_PKEY_id(key)) {
    case EVP_PKEY_ED25519:
      return absl::OkStatus();
    case EVP_PKEY_EC: {
      const int curve = EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key)));
      if (curve == NID_X9_62_prime256v1 || curve == NID_secp384r1) return absl::OkStatus();
      break;
    }
    case EVP_PKEY_RSA:
      if (EVP_PKEY_bits(key) >= 2048) return absl::OkStatus();
      break;
    default:
      break;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "private key: the key in ", name,
      " cannot be used; make one of Ed25519, ECDSA with P-256 or P-384, or RSA of 2048 bits"));
}

absl::Status CheckKeyFits(const std::vector<bssl::UniquePtr<X509>>& chain, EVP_PKEY* key,
                          const TlsCertificate& source) {
  const std::string chain_name = DescribeSource(source.chain);
  const std::string key_name = DescribeSource(source.private_key);
  for (size_t i = 0; i < chain.size(); ++i) {
    const bssl::UniquePtr<EVP_PKEY> certified(X509_get_pubkey(chain[i].get()));
    if (certified == nullptr || EVP_PKEY_cmp(certified.get(), key) != 1) continue;
    if (i == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("certificate chain: the private key in ", key_name, " belongs to certificate ",
                     i + 1, " of ", chain_name, "; the certificate of the key must come first"));
  }
  ERR_clear_error();
  return absl::InvalidArgumentError(
      absl::StrCat("private key: the key in ", key_name, " does not belong to certificate ",
                   DescribeSubject(chain[0].get()), " of ", chain_name));
}

// RFC 8446 §4.4.2: each certificate should certify the one before it.
void WarnOfOrder(const std::vector<bssl::UniquePtr<X509>>& chain, const PemSource& source,
                 std::vector<std::string>& warnings) {
  for (size_t i = 1; i < chain.size(); ++i) {
    if (X509_NAME_cmp(X509_get_issuer_name(chain[i - 1].get()),
                      X509_get_subject_name(chain[i].get())) == 0) {
      continue;
    }
    warnings.push_back(absl::StrCat("certificate ", i, " of ", DescribeSource(source),
                                    " was issued by ", DescribeIssuer(chain[i - 1].get()),
                                    ", but the next one is ", DescribeSubject(chain[i].get()),
                                    "; some peers will refuse the chain"));
  }
}

void WarnOfTimes(const X509* leaf, const PemSource& source, UnixTime now,
                 std::vector<std::string>& warnings) {
  const std::optional<CertificateValidity> validity = ValidityOf(leaf);
  if (!validity) return;
  const std::string what =
      absl::StrCat("certificate ", DescribeSubject(leaf), " of ", DescribeSource(source));
  if (now > validity->not_after) {
    warnings.push_back(absl::StrCat(what, " expired at ", DescribeTime(validity->not_after),
                                    "; peers that check will refuse it"));
  } else if (now < validity->not_before) {
    warnings.push_back(absl::StrCat(what, " is not valid before ",
                                    DescribeTime(validity->not_before),
                                    "; peers that check will refuse it"));
  }
}

}  // namespace

absl::StatusOr<TlsIdentity> TlsIdentity::Load(const TlsCertificate& certificate, UnixTime now,
                                              std::vector<std::string>& warnings) {
  absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> chain =
      ReadCertificates(certificate.chain, "certificate chain");
  if (!chain.ok()) return chain.status();
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = ReadPrivateKey(certificate.private_key);
  if (!key.ok()) return key.status();
  absl::Status status = CheckKeyKind(key->get(), DescribeSource(certificate.private_key));
  if (status.ok()) status = CheckKeyFits(*chain, key->get(), certificate);
  if (!status.ok()) return status;

  TlsIdentity identity;
  for (const bssl::UniquePtr<X509>& link : *chain) {
    uint8_t* der = nullptr;
    const int length = i2d_X509(link.get(), &der);
    if (length <= 0) return absl::ResourceExhaustedError("out of memory");
    const bssl::UniquePtr<uint8_t> owned(der);
    identity.chain_.emplace_back(CRYPTO_BUFFER_new(der, static_cast<size_t>(length), nullptr));
    if (identity.chain_.back() == nullptr) return absl::ResourceExhaustedError("out of memory");
  }
  identity.private_key_ = *std::move(key);
  identity.dns_names_ = DnsNamesOf((*chain)[0].get());
  WarnOfOrder(*chain, certificate.chain, warnings);
  WarnOfTimes((*chain)[0].get(), certificate.chain, now, warnings);
  return identity;
}

std::vector<CRYPTO_BUFFER*> TlsIdentity::chain() const {
  std::vector<CRYPTO_BUFFER*> result;
  result.reserve(chain_.size());
  for (const bssl::UniquePtr<CRYPTO_BUFFER>& link : chain_) result.push_back(link.get());
  return result;
}

bool TlsIdentity::Install(SSL* ssl) const {
  const std::vector<CRYPTO_BUFFER*> links = chain();
  return SSL_set_chain_and_key(ssl, links.data(), links.size(), private_key_.get(), nullptr) == 1;
}

bool TlsIdentity::Install(SSL_CTX* context) const {
  const std::vector<CRYPTO_BUFFER*> links = chain();
  return SSL_CTX_set_chain_and_key(context, links.data(), links.size(), private_key_.get(),
                                   nullptr) == 1;
}

absl::StatusOr<ServerIdentities> ServerIdentities::Load(
    const std::vector<TlsCertificate>& certificates, UnixTime now,
    std::vector<std::string>& warnings) {
  if (certificates.empty()) {
    return absl::InvalidArgumentError("a server needs at least one certificate");
  }
  ServerIdentities result;
  for (const TlsCertificate& certificate : certificates) {
    absl::StatusOr<TlsIdentity> identity = TlsIdentity::Load(certificate, now, warnings);
    if (!identity.ok()) return identity.status();
    for (const std::string& name : identity->dns_names()) {
      result.index_by_name_.try_emplace(name, result.identities_.size());
    }
    result.identities_.push_back(*std::move(identity));
  }
  return result;
}

const TlsIdentity& ServerIdentities::Select(std::string_view server_name) const {
  GODWIT_CHECK(!identities_.empty());
  const std::string name =
      absl::AsciiStrToLower(absl::string_view(server_name.data(), server_name.size()));
  auto found = index_by_name_.find(name);
  if (found == index_by_name_.end()) {
    // RFC 6125 §6.4.3: a wildcard stands for all of the first label and for no other.
    const size_t dot = name.find('.');
    if (dot != std::string::npos && dot > 0) {
      found = index_by_name_.find(absl::StrCat("*", name.substr(dot)));
    }
  }
  return identities_[found == index_by_name_.end() ? 0 : found->second];
}

}  // namespace godwit
