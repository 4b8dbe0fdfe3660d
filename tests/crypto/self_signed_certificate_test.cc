// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "absl/status/status.h"

#include "crypto/boringssl.h"
#include "crypto/certificate.h"
#include "godwit/self_signed.h"
#include "tests/crypto/test_certificates.h"

namespace godwit {
namespace {

using Key = SelfSignedOptions::Key;
using ::testing::HasSubstr;

bssl::UniquePtr<X509> ReadCertificate(const std::string& pem) {
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return bssl::UniquePtr<X509>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

bssl::UniquePtr<EVP_PKEY> ReadKey(const std::string& pem) {
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return bssl::UniquePtr<EVP_PKEY>(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

TEST(SelfSignedCertificateTest, TheKeySignedTheCertificateAndBelongsToIt) {
  for (const Key kind : {Key::kEd25519, Key::kEcdsaP256}) {
    const auto made = SelfSignedCertificate::Make({.key = kind});
    ASSERT_TRUE(made.ok()) << made.status();

    const bssl::UniquePtr<X509> certificate = ReadCertificate(made->certificate_pem);
    const bssl::UniquePtr<EVP_PKEY> key = ReadKey(made->private_key_pem);

    ASSERT_TRUE(certificate && key);
    EXPECT_EQ(X509_check_private_key(certificate.get(), key.get()), 1);
    EXPECT_EQ(X509_verify(certificate.get(), key.get()), 1);
    EXPECT_EQ(EVP_PKEY_id(key.get()), kind == Key::kEd25519 ? EVP_PKEY_ED25519 : EVP_PKEY_EC);
    EXPECT_THAT(made->private_key_pem, HasSubstr("-----BEGIN PRIVATE KEY-----"));
  }
}

TEST(SelfSignedCertificateTest, NameAndTimesAreThoseOfTheOptions) {
  const UnixTime end = kTestNow.PlusSeconds(30 * kDay);

  const auto made = SelfSignedCertificate::Make(
      {.common_name = "tunnel end", .not_before = kTestNow, .not_after = end});

  ASSERT_TRUE(made.ok()) << made.status();
  const bssl::UniquePtr<X509> certificate = ReadCertificate(made->certificate_pem);
  EXPECT_EQ(DescribeSubject(certificate.get()), "\"tunnel end\"");
  EXPECT_EQ(DescribeIssuer(certificate.get()), "\"tunnel end\"");
  EXPECT_EQ(ValidityOf(certificate.get())->not_before, kTestNow);
  EXPECT_EQ(ValidityOf(certificate.get())->not_after, end);
}

TEST(SelfSignedCertificateTest, ByDefaultItNeverExpires) {
  const auto made = SelfSignedCertificate::Make({});

  ASSERT_TRUE(made.ok()) << made.status();
  const bssl::UniquePtr<X509> certificate = ReadCertificate(made->certificate_pem);
  EXPECT_EQ(DescribeTime(ValidityOf(certificate.get())->not_after), "9999-12-31 23:59:59 UTC");
}

TEST(SelfSignedCertificateTest, TwoHaveDifferentKeysAndSerialNumbers) {
  const auto one = SelfSignedCertificate::Make({});
  const auto other = SelfSignedCertificate::Make({});

  EXPECT_NE(one->public_key_hash, other->public_key_hash);
  EXPECT_NE(one->private_key_pem, other->private_key_pem);
  const bssl::UniquePtr<X509> first = ReadCertificate(one->certificate_pem);
  const bssl::UniquePtr<X509> second = ReadCertificate(other->certificate_pem);
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get_serialNumber(first.get()),
                             X509_get_serialNumber(second.get())),
            0);
}

TEST(SelfSignedCertificateTest, TheHashIsThatOfThePublicKey) {
  const auto made = SelfSignedCertificate::Make({});
  const TestCertificate other = TestCertificate::SelfSigned({.common_name = "other"});

  EXPECT_EQ(*SelfSignedCertificate::HashPublicKeyOf(made->ForTls().chain), made->public_key_hash);
  EXPECT_EQ(*SelfSignedCertificate::HashPublicKeyOf(other.Source()), other.KeyHash());
}

TEST(SelfSignedCertificateTest, ThereIsNoHashOfWhatIsNoCertificate) {
  const auto hash = SelfSignedCertificate::HashPublicKeyOf(PemSource::Text("no PEM"));

  EXPECT_EQ(hash.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(hash.status().message()), HasSubstr("BEGIN CERTIFICATE"));
}

TEST(SelfSignedCertificateTest, OptionsThatCannotBeAreRefused) {
  const SelfSignedOptions wrong[] = {
      {.common_name = ""},
      {.common_name = std::string(65, 'a')},
      {.common_name = "\xff\xfe"},
      {.not_before = kTestNow, .not_after = kTestNow.PlusSeconds(-1)},
      {.not_after = UnixTime::FromSeconds(253'402'300'800)},
      {.not_before = UnixTime::FromSeconds(-631'152'001)},
  };

  for (const SelfSignedOptions& options : wrong) {
    EXPECT_EQ(SelfSignedCertificate::Make(options).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace godwit
