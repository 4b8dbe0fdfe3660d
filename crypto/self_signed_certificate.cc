// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "crypto/boringssl.h"
#include "crypto/certificate.h"
#include "crypto/pem_file.h"
#include "godwit/self_signed.h"

namespace godwit {
namespace {

constexpr size_t kMaxCommonNameBytes = 64;
constexpr size_t kSerialNumberBytes = 16;
constexpr size_t kEd25519SeedBytes = 32;
// RFC 5280 §4.1.2.5: the first year that UTCTime can say, and the last of GeneralizedTime.
constexpr UnixTime kFirstTime = UnixTime::FromSeconds(-631'152'000);
constexpr UnixTime kLastTime = UnixTime::FromSeconds(253'402'300'799);

bssl::UniquePtr<EVP_PKEY> NewEd25519Key() {
  std::array<uint8_t, ED25519_PUBLIC_KEY_LEN> public_key;
  std::array<uint8_t, ED25519_PRIVATE_KEY_LEN> private_key;
  ED25519_keypair(public_key.data(), private_key.data());
  // The raw private key of RFC 8032 is the seed, which comes first.
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, private_key.data(), kEd25519SeedBytes));
  OPENSSL_cleanse(private_key.data(), private_key.size());
  return key;
}

bssl::UniquePtr<EVP_PKEY> NewP256Key() {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (!ec || !key || EC_KEY_generate_key(ec.get()) != 1) return nullptr;
  if (EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) != 1) return nullptr;
  return key;
}

// RFC 5280 §4.1.2.2: positive and unique for its issuer. This issuer is one key, which signs one
// certificate: a hash of the key will do.
bool SetSerialNumber(X509* certificate, EVP_PKEY* key) {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return false;
  bssl::UniquePtr<uint8_t> owner(der);
  std::array<uint8_t, SHA256_DIGEST_LENGTH> hash;
  SHA256(der, static_cast<size_t>(size), hash.data());
  hash[0] = static_cast<uint8_t>((hash[0] & 0x7f) | 0x40);
  bssl::UniquePtr<BIGNUM> number(BN_bin2bn(hash.data(), kSerialNumberBytes, nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool Fill(X509* certificate, EVP_PKEY* key, const SelfSignedOptions& options) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  const bool is_ed25519 = options.key == SelfSignedOptions::Key::kEd25519;
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         SetSerialNumber(certificate, key) &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), options.not_before.seconds()) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), options.not_after.seconds()) != nullptr &&
         X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const uint8_t*>(options.common_name.data()),
                                    static_cast<int>(options.common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         X509_sign(certificate, key, is_ed25519 ? nullptr : EVP_sha256()) != 0;
}

// The text that was written to a BIO in memory, which is wiped.
std::string TakeText(BIO* bio) {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  if (BIO_mem_contents(bio, &bytes, &size) != 1) return {};
  std::string text(reinterpret_cast<const char*>(bytes), size);
  OPENSSL_cleanse(const_cast<uint8_t*>(bytes), size);
  return text;
}

absl::Status CheckOptions(const SelfSignedOptions& options) {
  const std::string& name = options.common_name;
  if (name.empty() || name.size() > kMaxCommonNameBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "common_name has ", name.size(), " bytes; it must have 1 to ", kMaxCommonNameBytes));
  }
  if (options.not_before > options.not_after || options.not_before < kFirstTime ||
      options.not_after > kLastTime) {
    return absl::InvalidArgumentError(
        absl::StrCat("not_before ", options.not_before.seconds(), " and not_after ",
                     options.not_after.seconds(), " must be in order and within ",
                     kFirstTime.seconds(), " and ", kLastTime.seconds()));
  }
  return absl::OkStatus();
}

std::optional<PublicKeyHash> HashOf(X509* certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return std::nullopt;
  bssl::UniquePtr<uint8_t> owner(der);
  return HashPublicKey({der, static_cast<size_t>(size)});
}

}  // namespace

absl::StatusOr<SelfSignedCertificate> SelfSignedCertificate::Make(
    const SelfSignedOptions& options) {
  absl::Status status = CheckOptions(options);
  if (!status.ok()) return status;
  const bssl::UniquePtr<EVP_PKEY> key =
      options.key == SelfSignedOptions::Key::kEd25519 ? NewEd25519Key() : NewP256Key();
  const bssl::UniquePtr<X509> certificate(X509_new());
  const bssl::UniquePtr<BIO> certificate_text(BIO_new(BIO_s_mem()));
  const bssl::UniquePtr<BIO> key_text(BIO_new(BIO_s_mem()));
  const bool is_made =
      key && certificate && certificate_text && key_text &&
      Fill(certificate.get(), key.get(), options) &&
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1 &&
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) == 1;
  const std::optional<PublicKeyHash> hash = is_made ? HashOf(certificate.get()) : std::nullopt;
  if (!hash) {
    // What the options can still do wrong here is a name that is no UTF-8.
    ERR_clear_error();
    return absl::InvalidArgumentError(
        "the certificate cannot be made; is common_name UTF-8, and is there memory?");
  }
  return SelfSignedCertificate{TakeText(certificate_text.get()), TakeText(key_text.get()), *hash};
}

absl::StatusOr<PublicKeyHash> SelfSignedCertificate::HashPublicKeyOf(const PemSource& pem) {
  const absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> certificates =
      ReadCertificates(pem, "certificate");
  if (!certificates.ok()) return certificates.status();
  const std::optional<PublicKeyHash> hash = HashOf(certificates->front().get());
  if (!hash) {
    return absl::InvalidArgumentError(
        absl::StrCat("certificate: ", DescribeSource(pem), " has no public key"));
  }
  return *hash;
}

}  // namespace godwit
