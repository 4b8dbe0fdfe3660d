// SPDX-License-Identifier: Apache-2.0
#include "bench/self_signed.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"

#include "crypto/boringssl.h"

namespace godwit {
namespace {

constexpr int64_t kValidSeconds = 86'400;

bssl::UniquePtr<EVP_PKEY> NewEd25519Key() {
  std::array<uint8_t, ED25519_PUBLIC_KEY_LEN> public_key;
  std::array<uint8_t, ED25519_PRIVATE_KEY_LEN> private_key;
  ED25519_keypair(public_key.data(), private_key.data());
  // BoringSSL's raw private key is the seed, the first half.
  return bssl::UniquePtr<EVP_PKEY>(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, private_key.data(), 32));
}

bssl::UniquePtr<EVP_PKEY> NewEcdsaP256Key() {
  bssl::UniquePtr<EC_KEY> ec_key(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  const bool is_made = ec_key && key && EC_KEY_generate_key(ec_key.get()) == 1 &&
                       EVP_PKEY_set1_EC_KEY(key.get(), ec_key.get()) == 1;
  return is_made ? std::move(key) : nullptr;
}

// How the certificate is signed with a key of the kind. RFC 8032 hashes by itself.
const EVP_MD* DigestFor(CertificateKind kind) {
  return kind == CertificateKind::kEd25519 ? nullptr : EVP_sha256();
}

bssl::UniquePtr<EVP_PKEY> NewKey(CertificateKind kind) {
  return kind == CertificateKind::kEd25519 ? NewEd25519Key() : NewEcdsaP256Key();
}

std::string TextOf(BIO* bio) {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  if (BIO_mem_contents(bio, &bytes, &size) != 1) return {};
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

bool Fill(X509* certificate, EVP_PKEY* key, const EVP_MD* digest) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto* const text = reinterpret_cast<const uint8_t*>("bench");
  return X509_set_version(certificate, 2) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kValidSeconds) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kValidSeconds) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         X509_sign(certificate, key, digest) != 0;
}

}  // namespace

absl::StatusOr<TlsCertificate> NewSelfSigned(CertificateKind kind) {
  const bssl::UniquePtr<EVP_PKEY> key = NewKey(kind);
  bssl::UniquePtr<X509> certificate(X509_new());
  bssl::UniquePtr<BIO> chain_text(BIO_new(BIO_s_mem()));
  bssl::UniquePtr<BIO> key_text(BIO_new(BIO_s_mem()));
  const bool made = key && certificate && chain_text && key_text &&
                    Fill(certificate.get(), key.get(), DigestFor(kind)) &&
                    PEM_write_bio_X509(chain_text.get(), certificate.get()) == 1 &&
                    PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0,
                                             nullptr, nullptr) == 1;
  if (!made) return absl::InternalError("BoringSSL cannot make a self-signed certificate");
  return TlsCertificate{PemSource::Text(TextOf(chain_text.get())),
                        PemSource::Text(TextOf(key_text.get()))};
}

}  // namespace godwit
