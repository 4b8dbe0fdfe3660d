// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/crypto/test_certificates.h"

namespace godwit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CertificateTest, KeyHashIsThatOfTheSubjectPublicKeyInfo) {
  for (const TestKey key :
       {TestKey::kEd25519, TestKey::kEcdsaP256, TestKey::kEcdsaP384, TestKey::kRsa2048}) {
    const TestCertificate certificate =
        TestCertificate::SelfSigned({.common_name = "x", .names = "DNS:x.example", .key = key});

    EXPECT_EQ(HashPublicKey(certificate.Der()), certificate.KeyHash());
  }
}

// What `openssl x509 -pubkey | openssl pkey -pubin -outform der | sha256sum` prints for the tests'
// RSA key.
TEST(CertificateTest, KeyHashIsWhatTheDocumentedCommandPrints) {
  const TestCertificate certificate =
      TestCertificate::SelfSigned({.common_name = "x", .key = TestKey::kRsa2048});

  EXPECT_EQ(HashPublicKey(certificate.Der())->ToHex(),
            "c2d844c8b45441b5d0e5d175e2c649c1d0ca9ab5f0eb13dd00b5cbdb891652b1");
}

TEST(CertificateTest, CutCertificatesHaveNoKeyHashUntilTheKeyIsThere) {
  const std::vector<uint8_t> der =
      TestCertificate::SelfSigned({.common_name = "x", .names = "DNS:x.example"}).Der();

  // The outer lengths no longer fit.
  for (size_t length = 0; length < der.size(); ++length) {
    EXPECT_FALSE(HashPublicKey(std::span(der).first(length)).has_value()) << length;
  }
}

TEST(CertificateTest, ValidityIsInUnixTime) {
  const TestCertificate certificate = TestCertificate::SelfSigned(
      {.not_before = kTestNow.PlusSeconds(-5), .not_after = UnixTime::FromSeconds(253402300799)});

  const std::optional<CertificateValidity> validity = ValidityOf(certificate.x509());

  ASSERT_TRUE(validity.has_value());
  EXPECT_EQ(validity->not_before, kTestNow.PlusSeconds(-5));
  EXPECT_EQ(validity->not_after.seconds(), 253402300799);  // 9999-12-31 23:59:59.
}

TEST(CertificateTest, DnsNamesAreThoseOfTheExtensionInLowerCase) {
  const TestCertificate certificate = TestCertificate::SelfSigned(
      {.common_name = "common.example", .names = "DNS:A.Example,IP:192.0.2.1,DNS:*.b.example"});

  EXPECT_THAT(DnsNamesOf(certificate.x509()), ElementsAre("a.example", "*.b.example"));
  EXPECT_THAT(DnsNamesOf(TestCertificate::SelfSigned({.common_name = "x"}).x509()), IsEmpty());
}

TEST(CertificateTest, ManyNamesAreCounted) {
  const TestCertificate certificate = TestCertificate::SelfSigned(
      {.names = "DNS:a,DNS:b,DNS:c,email:x@y,IP:2001:db8::1,DNS:e,DNS:f,IP:192.0.2.1"});

  EXPECT_EQ(DescribeNames(certificate.x509()), "a, b, c, 2001:db8::1, e and 2 more");
}

TEST(CertificateTest, WordsArePrintableAndBounded) {
  const TestCertificate certificate = TestCertificate::SelfSigned({.common_name = "a\x1b[31m\n"});

  EXPECT_EQ(DescribeSubject(certificate.x509()), "\"a?[31m?\"");
  EXPECT_EQ(DescribeIssuer(certificate.x509()), "\"a?[31m?\"");
  EXPECT_EQ(DescribeSubject(TestCertificate::SelfSigned({}).x509()), "(no name)");
  EXPECT_EQ(Printable(std::string(101, 'x')), std::string(100, 'x') + "...");
  EXPECT_EQ(Printable("\x7f\x80 ~"), "?? ~");
  EXPECT_EQ(Printable("1234", 4), "1234");
  EXPECT_EQ(Printable("12345", 4), "1234...");
}

TEST(CertificateTest, TimesAreDescribedInUtc) {
  EXPECT_EQ(DescribeTime(kTestNow), "2027-01-15 08:00:00 UTC");
}

}  // namespace
}  // namespace godwit
