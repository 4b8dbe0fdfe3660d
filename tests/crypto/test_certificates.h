// SPDX-License-Identifier: Apache-2.0
//
// Certificates for tests, made in memory: chains with given names, times and kinds of keys. Keys
// follow from the subject's name (the RSA keys are fixed), so the same options give the same key.
#ifndef GODWIT_TESTS_CRYPTO_TEST_CERTIFICATES_H_
#define GODWIT_TESTS_CRYPTO_TEST_CERTIFICATES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "crypto/boringssl.h"
#include "godwit/public_key_hash.h"
#include "godwit/tls_config.h"
#include "godwit/unix_time.h"

namespace godwit {

// The present of the tests, and what certificates are valid around by default.
inline constexpr UnixTime kTestNow = UnixTime::FromSeconds(1'800'000'000);  // 2027-01-15 08:00.
inline constexpr int64_t kDay = 86'400;

enum class TestKey { kEd25519, kEcdsaP256, kEcdsaP384, kRsa2048, kEcdsaP224, kEcdsaP521, kRsa1024 };

struct TestCertificateOptions {
  std::string common_name = {};
  // subjectAltName as BoringSSL reads it: "DNS:a.example,IP:192.0.2.1"; empty: no extension.
  std::string names = {};
  TestKey key = TestKey::kEd25519;
  UnixTime not_before = kTestNow.PlusSeconds(-kDay);
  UnixTime not_after = kTestNow.PlusSeconds(30 * kDay);
  bool is_authority = false;
  // extendedKeyUsage: "serverAuth", "clientAuth"; empty: no extension.
  std::string purpose = {};
  // More of them by name or by number, as BoringSSL reads them: {"nameConstraints",
  // "permitted;DNS:example"}, {"1.2.3.4", "critical,DER:0500"}.
  std::vector<std::pair<std::string, std::string>> extensions = {};
  // What the issuer, if its key is not Ed25519, signs with. `pss`: RSASSA-PSS, for an RSA key.
  const EVP_MD* digest = EVP_sha256();
  bool pss = false;
};

// A certificate with its key, able to issue others. A value.
class TestCertificate {
 public:
  static TestCertificate SelfSigned(const TestCertificateOptions& options);

  TestCertificate Issue(const TestCertificateOptions& options) const;

  std::string CertificatePem() const;
  std::string PrivateKeyPem() const;
  std::vector<uint8_t> Der() const;
  PublicKeyHash KeyHash() const;  // By another way than the code under test: through X509.

  // This certificate followed by those in `others`, and its key.
  TlsCertificate Config(const std::vector<const TestCertificate*>& others = {}) const;
  PemSource Source() const { return PemSource::Text(CertificatePem()); }

  X509* x509() const { return certificate_.get(); }

 private:
  TestCertificate(bssl::UniquePtr<X509> certificate, bssl::UniquePtr<EVP_PKEY> key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  static TestCertificate Make(const TestCertificateOptions& options, const TestCertificate* issuer);

  bssl::UniquePtr<X509> certificate_;
  bssl::UniquePtr<EVP_PKEY> key_;
};

// An authority that is valid for long, and certificates of it.
TestCertificate TestAuthority(const std::string& name = "Test Root");

}  // namespace godwit

#endif  // GODWIT_TESTS_CRYPTO_TEST_CERTIFICATES_H_
