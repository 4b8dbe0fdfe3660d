// SPDX-License-Identifier: Apache-2.0
#include "tests/crypto/test_certificates.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace godwit {
namespace {

// These protect nothing: they are in the repository, because making them takes long.
constexpr char kRsaKey[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDG5Gde58zctVf1\n"
    "VhS0S/hVoea6RVQWqnLyPtsSYZa9Uj5URATXvrvrxmBvnDhsA7mzbESIoJlRu2n5\n"
    "r5pMeZS9sg0lwgEJZHrfz1o/97zZhh8jQ+f3LHTqfslun81bce7VKFqwClLCTQwB\n"
    "Me01ziz4YQGX4HrZ19H8MVdPAVrq3ofWE/+Urq82plqGBrK++qIGXfe/eYK6fT3S\n"
    "Nb8HNl0vTODmqeUppnJS/kdworBdX+80WTzFGA8UHH0wyz22wrwjibUllBOy3K70\n"
    "FvRIq8E6Ma1a9UG9GoOOsLdbw7WyTq8XUStr4U2ARiKpG0bSd39sD3tyPhLAEg2x\n"
    "WPUMx5CJAgMBAAECggEAJKrUpOJKujDjjasoR4IO/yiJOzOPWFtltCPi6v1bVz1r\n"
    "mMjudKDpD8NjoYf1PfKk4H94FhE3muIYnEvjwDAU/DDwbBLbcpIX9h2J56uiYR7x\n"
    "LCT3hbHoPxgPRkoHR9HWJG2bZIOOtNwT979u2kHPuB3YN5oOxA0eHSaykDHxg0We\n"
    "pH5jyMv6i3UKM8107FZEP7baTgZ+Pav84JHKjXSNjlaa6MTR7fjmNlbPFVMYyQpA\n"
    "KlSlIJRm+HK3F2/rtmEikkg+w2S2y+WM1V+UQpFzRlIoLUeAu64lb4raTAaVpt+U\n"
    "qfEIFaLCxXHNyIQae/bcTTC7uo5iQBpAkShal2SHVQKBgQDj0+uxwl1Ctlbt03jm\n"
    "9NU1trr+DCXiS7uPrRi6UPGI/GJE44SF/f/4E3QFMPNA1NAi2o/vl5ukOR3Q4f6P\n"
    "P/aCjrNUtsA9r6EW/2nqqhDxfTOS8fafTQW7zHeOHW1rJauiuwP+eWlQU+qQYc8m\n"
    "lqT1EMW6g5NcHjoS5xl21HOm9QKBgQDffICOocwJl1hg5MxRP06dwlzebGNLgdj1\n"
    "q2ULdzzALa34F9o9ZVE+lS6UWZAQebPqELkha2LtUwrt924cSqJmkMST5VlT33hz\n"
    "l+JsaUkj0/5lARQ/Aj1B+nCXtHlPtwC9xf0oe8a1xTJO20Gd2epcYJhQyGYUIVvj\n"
    "Tg+XkP3+xQKBgQCAHc4u+jPjrhIYT5Fvn0K+n/Frp30uUpQ46Yg8TgRlmjfQsXj2\n"
    "uK1W3emiebJxRLt+vhWvEDyQDyZ7LnsuJzQCmyixfMuCZN9bxWnUcqpwgo2cFsEv\n"
    "N+r/fq3ElzvOwzJPoodOdQwKBgakBrys4I4G2dW3WwJlDQJvWtHxBuu6eQKBgQCC\n"
    "2f7bhFhW9UpF0TDgEVUSgY6mnIe22hwSG3xaLkJfs18895pMgFoFbouLSLVVMCzr\n"
    "S0daDeoqUoj/s/PAlOJpczHl9k9LEHkSFUf5edvdIm687NjR25nKW7w41u6AggHp\n"
    "G1eSsIY0P3WpPi85ITJbTCNiiTNbbfzDJh1y/O36kQKBgFcyl72SIEUcHC9c8Njg\n"
    "wpwTPN0SHk9h4ECyRSmLCQFklujGV5PacT7U4Txz3DZtGVdyGFh7op6d/KErmLZl\n"
    "1tMZGVYQwTYN+iPOBs3HqWtZagHwhfrfYoG6L1GFTVTzvjb4AAePHjQBF2KSLhab\n"
    "MAqITnPA0Scx/iVZILo2YdO5\n"
    "-----END PRIVATE KEY-----\n";

constexpr char kRsa1024Key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAPXC+fLzvb2HuM50\n"
    "WuKWVAf8UKk3Yv6DL3w0A8DUtVwSAvRT9YZJiBPyyHyfBUDEfDo97KcJTb5w2xl3\n"
    "IEDxkEtIopFzMnOAKlpbgfUE+X4MLyTQV+oWxwgoqYTpwI+MScoh4GUDrOL17u4x\n"
    "rhxV5qU6u3XdzMkWDiRljRlPFQh1AgMBAAECgYAA+4SQShUqGs7MVH7AhSVU2tdf\n"
    "tc75gYDBGFwjezY2ZgQJAgTrQoP+wGu4w9H7jk2I1hKKIGllJ4JYubcxS0XuZRyC\n"
    "9sX/z0DT/FP12D1qswwFG4rVo2lf6wOafhmgjH9eA9pX2afpXiANPCZ/p2+avnTB\n"
    "KiyRS9puVkjut9NgSQJBAPzTAtGXGwIUgglKjzvcjEst0YC4UNsfxu6cyQPX1C4Q\n"
    "3Z7dhA3jp0iQRyBpG6mjtbCUS6T0tt2zFIxUBfR3rVcCQQD42UEpdaVvyGu17uxt\n"
    "/MJmaL84OsfkrcW7fo89uya6JtXSyIr57Vzc1nvgrMQoGbjDUJLXZUp7EJ3ONiQz\n"
    "cE0TAkB1ysI3cFVvBKsJNSnC1CCxLim79SQG06lVpsqo9bevtr/qsn5CElzwG/hn\n"
    "i1EOGm4eVRlhQ3qnlDXwo30ax1+FAkB68vxa+6FthVySWyW9gfCaoI45vfEdby4O\n"
    "4Qzstxb/SkjDCAqCSWBkTCSQcUvJdEvxVFH40jbmbuNJCz7/mzC5AkEA0/yEVZ/z\n"
    "LjqI8/4BChseG2N1LyolYpjNul7yPO1yWjf5i+lpqxCWwRhveA1eOhguKZOcWxcS\n"
    "QkUcL3qQO7tOcQ==\n"
    "-----END PRIVATE KEY-----\n";

bssl::UniquePtr<EVP_PKEY> KeyFromPem(std::string_view pem) {
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return bssl::UniquePtr<EVP_PKEY>(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

bssl::UniquePtr<EVP_PKEY> EcKey(int curve, std::span<const uint8_t> seed) {
  const bssl::UniquePtr<EC_GROUP> group(EC_GROUP_new_by_curve_name(curve));
  bssl::UniquePtr<EC_KEY> ec_key(EC_KEY_derive_from_secret(group.get(), seed.data(), seed.size()));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  GODWIT_CHECK_EQ(EVP_PKEY_assign_EC_KEY(key.get(), ec_key.release()), 1);
  return key;
}

bssl::UniquePtr<EVP_PKEY> MakeKey(TestKey kind, const std::string& name) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> seed;
  SHA256(reinterpret_cast<const uint8_t*>(name.data()), name.size(), seed.data());
  switch (kind) {
    case TestKey::kEd25519:
      return bssl::UniquePtr<EVP_PKEY>(
          EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
    case TestKey::kEcdsaP256:
      return EcKey(NID_X9_62_prime256v1, seed);
    case TestKey::kEcdsaP384:
      return EcKey(NID_secp384r1, seed);
    case TestKey::kRsa2048:
      return KeyFromPem(kRsaKey);
    case TestKey::kEcdsaP224:
      return EcKey(NID_secp224r1, seed);
    case TestKey::kEcdsaP521:
      return EcKey(NID_secp521r1, seed);
    case TestKey::kRsa1024:
      return KeyFromPem(kRsa1024Key);
  }
  GODWIT_UNREACHABLE();
}

void AddExtension(X509* certificate, const std::string& name, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf(nullptr, &context, name.c_str(), value.c_str()));
  GODWIT_CHECK(extension != nullptr);
  GODWIT_CHECK_EQ(X509_add_ext(certificate, extension.get(), -1), 1);
}

void Sign(X509* certificate, EVP_PKEY* key, const TestCertificateOptions& options) {
  const EVP_MD* digest = EVP_PKEY_id(key) == EVP_PKEY_ED25519 ? nullptr : options.digest;
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* key_context = nullptr;  // Of `context`.
  GODWIT_CHECK_EQ(EVP_DigestSignInit(context.get(), &key_context, digest, nullptr, key), 1);
  if (options.pss) {
    GODWIT_CHECK_EQ(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING), 1);
    GODWIT_CHECK_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, -1), 1);  // That of the hash.
  }
  GODWIT_CHECK_GT(X509_sign_ctx(certificate, context.get()), 0);
}

std::string PemOf(BIO* bio) {
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  GODWIT_CHECK_EQ(BIO_mem_contents(bio, &bytes, &length), 1);
  return {reinterpret_cast<const char*>(bytes), length};
}

}  // namespace

TestCertificate TestCertificate::Make(const TestCertificateOptions& options,
                                      const TestCertificate* issuer) {
  bssl::UniquePtr<EVP_PKEY> key = MakeKey(options.key, options.common_name);
  bssl::UniquePtr<X509> certificate(X509_new());
  X509* x509 = certificate.get();
  GODWIT_CHECK_EQ(X509_set_version(x509, X509_VERSION_3), 1);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  ASN1_TIME_set(X509_getm_notBefore(x509), static_cast<time_t>(options.not_before.seconds()));
  ASN1_TIME_set(X509_getm_notAfter(x509), static_cast<time_t>(options.not_after.seconds()));
  if (!options.common_name.empty()) {
    const std::string& name = options.common_name;
    GODWIT_CHECK_EQ(
        X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_commonName, MBSTRING_UTF8,
                                   reinterpret_cast<const uint8_t*>(name.data()),
                                   static_cast<int>(name.size()), -1, 0),
        1);
  }
  GODWIT_CHECK_EQ(X509_set_pubkey(x509, key.get()), 1);
  if (!options.names.empty()) AddExtension(x509, "subjectAltName", options.names);
  if (options.is_authority) {
    AddExtension(x509, "basicConstraints", "critical,CA:TRUE");
    AddExtension(x509, "keyUsage", "critical,keyCertSign,cRLSign");
  }
  if (!options.purpose.empty()) AddExtension(x509, "extendedKeyUsage", options.purpose);
  for (const auto& [name, value] : options.extensions) AddExtension(x509, name, value);
  X509* issuing = issuer != nullptr ? issuer->certificate_.get() : x509;
  EVP_PKEY* signing = issuer != nullptr ? issuer->key_.get() : key.get();
  GODWIT_CHECK_EQ(X509_set_issuer_name(x509, X509_get_subject_name(issuing)), 1);
  Sign(x509, signing, options);
  return {std::move(certificate), std::move(key)};
}

TestCertificate TestCertificate::SelfSigned(const TestCertificateOptions& options) {
  return Make(options, nullptr);
}

TestCertificate TestCertificate::Issue(const TestCertificateOptions& options) const {
  return Make(options, this);
}

std::string TestCertificate::CertificatePem() const {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  GODWIT_CHECK_EQ(PEM_write_bio_X509(bio.get(), certificate_.get()), 1);
  return PemOf(bio.get());
}

std::string TestCertificate::PrivateKeyPem() const {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  GODWIT_CHECK_EQ(
      PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
  return PemOf(bio.get());
}

std::vector<uint8_t> TestCertificate::Der() const {
  uint8_t* der = nullptr;
  const int length = i2d_X509(certificate_.get(), &der);
  GODWIT_CHECK_GT(length, 0);
  const bssl::UniquePtr<uint8_t> owned(der);
  return {der, der + length};
}

PublicKeyHash TestCertificate::KeyHash() const {
  uint8_t* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate_.get()), &der);
  GODWIT_CHECK_GT(length, 0);
  const bssl::UniquePtr<uint8_t> owned(der);
  std::array<uint8_t, PublicKeyHash::kSize> hash;
  SHA256(der, static_cast<size_t>(length), hash.data());
  return PublicKeyHash(hash);
}

TlsCertificate TestCertificate::Config(const std::vector<const TestCertificate*>& others) const {
  std::string chain = CertificatePem();
  for (const TestCertificate* other : others) chain += other->CertificatePem();
  return {.chain = PemSource::Text(std::move(chain)),
          .private_key = PemSource::Text(PrivateKeyPem())};
}

TestCertificate TestAuthority(const std::string& name) {
  return TestCertificate::SelfSigned({.common_name = name,
                                      .not_before = kTestNow.PlusSeconds(-1000 * kDay),
                                      .not_after = kTestNow.PlusSeconds(1000 * kDay),
                                      .is_authority = true});
}

}  // namespace godwit
