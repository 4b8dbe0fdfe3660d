// SPDX-License-Identifier: Apache-2.0
//
// PeerVerifier by itself: rules of chains that BoringSSL checks for us (so that a missing flag is
// noticed), and the strength of keys and signatures, which it does not check. What a handshake
// makes of a refusal is in tls_verification_test.
#include "crypto/peer_verifier.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "crypto/boringssl.h"
#include "godwit/perspective.h"
#include "godwit/tls_config.h"
#include "tests/crypto/test_certificates.h"

namespace godwit {
namespace {

using ::testing::HasSubstr;

const char* const kName = "server.example";
const TestCertificateOptions kLeaf = {.common_name = "leaf", .names = "DNS:server.example"};

using Extensions = std::vector<std::pair<std::string, std::string>>;

bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> ChainOf(
    const std::vector<const TestCertificate*>& certificates) {
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> chain(sk_CRYPTO_BUFFER_new_null());
  for (const TestCertificate* certificate : certificates) {
    const std::vector<uint8_t> der = certificate->Der();
    bssl::UniquePtr<CRYPTO_BUFFER> buffer(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
    EXPECT_TRUE(bssl::PushToStack(chain.get(), std::move(buffer)));
  }
  return chain;
}

// What a client that trusts `root` makes of `chain`.
std::optional<CertificateRejection> Judge(const TestCertificate& root,
                                          const std::vector<const TestCertificate*>& chain) {
  const PeerVerifier verifier =
      PeerVerifier::Create(PeerVerification::Authorities({root.Source()}), Perspective::kServer)
          .value();
  return verifier.Verify(ChainOf(chain).get(), kName, kTestNow);
}

void ExpectRefused(const std::optional<CertificateRejection>& rejection, uint8_t alert,
                   const std::string& reason) {
  ASSERT_TRUE(rejection.has_value());
  EXPECT_EQ(rejection->alert, alert);
  EXPECT_THAT(rejection->reason, HasSubstr(reason));
}

// root -> middle, an authority that says `extensions` about itself -> leaf.
std::optional<CertificateRejection> JudgeMiddle(const Extensions& extensions) {
  const TestCertificate root = TestAuthority();
  const TestCertificate middle = root.Issue({.common_name = "middle", .extensions = extensions});
  const TestCertificate leaf = middle.Issue(kLeaf);
  return Judge(root, {&leaf, &middle});
}

const std::pair<std::string, std::string> kIsAuthority = {"basicConstraints", "critical,CA:TRUE"};
const std::pair<std::string, std::string> kMaySign = {"keyUsage", "critical,keyCertSign"};

// ---- Chains ----

TEST(PeerVerifierChainTest, PathLengthCountsTheAuthoritiesBelow) {
  for (const auto& [limit, passes] : {std::pair("0", false), std::pair("1", true)}) {
    const TestCertificate root = TestAuthority();
    const TestCertificate upper = root.Issue(
        {.common_name = "upper",
         .extensions = {{"basicConstraints", std::string("critical,CA:TRUE,pathlen:") + limit},
                        kMaySign}});
    const TestCertificate lower = upper.Issue({.common_name = "lower", .is_authority = true});
    const TestCertificate leaf = lower.Issue(kLeaf);

    const std::optional<CertificateRejection> rejection = Judge(root, {&leaf, &lower, &upper});

    if (passes) {
      EXPECT_FALSE(rejection.has_value()) << rejection->reason;
    } else {
      ExpectRefused(rejection, SSL_AD_UNKNOWN_CA, "may not issue the one before it");
    }
  }
}

TEST(PeerVerifierChainTest, AuthorityForOtherPurposesIsRefused) {
  EXPECT_FALSE(JudgeMiddle({kIsAuthority, kMaySign, {"extendedKeyUsage", "serverAuth"}}));
  ExpectRefused(JudgeMiddle({kIsAuthority, kMaySign, {"extendedKeyUsage", "clientAuth"}}),
                SSL_AD_UNSUPPORTED_CERTIFICATE, "\"middle\" is not for this purpose");
}

TEST(PeerVerifierChainTest, NameConstraintsOfAnAuthorityHold) {
  EXPECT_FALSE(
      JudgeMiddle({kIsAuthority, kMaySign, {"nameConstraints", "critical,permitted;DNS:example"}}));
  ExpectRefused(
      JudgeMiddle(
          {kIsAuthority, kMaySign, {"nameConstraints", "critical,permitted;DNS:other.example"}}),
      SSL_AD_BAD_CERTIFICATE, "\"leaf\": permitted subtree violation");
  ExpectRefused(
      JudgeMiddle(
          {kIsAuthority, kMaySign, {"nameConstraints", "critical,excluded;DNS:server.example"}}),
      SSL_AD_BAD_CERTIFICATE, "\"leaf\": excluded subtree violation");
}

TEST(PeerVerifierChainTest, AuthorityWhoseKeyMayNotSignCertificatesIsRefused) {
  EXPECT_FALSE(JudgeMiddle({kIsAuthority, kMaySign}));
  ExpectRefused(JudgeMiddle({kIsAuthority, {"keyUsage", "critical,cRLSign,digitalSignature"}}),
                SSL_AD_UNKNOWN_CA, "unknown issuer \"middle\" of certificate \"leaf\"");
}

// RFC 5280 §4.2
TEST(PeerVerifierChainTest, UnknownExtensionIsRefusedOnlyIfCritical) {
  for (const bool in_leaf : {true, false}) {
    for (const bool critical : {true, false}) {
      const TestCertificate root = TestAuthority();
      const Extensions unknown = {{"1.2.3.4", critical ? "critical,DER:0500" : "DER:0500"}};
      TestCertificateOptions middle_options = {.common_name = "middle", .is_authority = true};
      TestCertificateOptions leaf_options = kLeaf;
      (in_leaf ? leaf_options : middle_options).extensions = unknown;
      const TestCertificate middle = root.Issue(middle_options);
      const TestCertificate leaf = middle.Issue(leaf_options);

      const std::optional<CertificateRejection> rejection = Judge(root, {&leaf, &middle});

      if (critical) {
        ExpectRefused(rejection, SSL_AD_BAD_CERTIFICATE, "unhandled critical extension");
      } else {
        EXPECT_FALSE(rejection.has_value()) << rejection->reason;
      }
    }
  }
}

// ---- Strength ----

struct KeyCase {
  TestKey key;
  const char* refusal;  // Null: accepted.
};

constexpr KeyCase kKeyCases[] = {
    {TestKey::kEd25519, nullptr},
    {TestKey::kEcdsaP256, nullptr},
    {TestKey::kEcdsaP384, nullptr},
    {TestKey::kRsa2048, nullptr},
    {TestKey::kRsa1024, " is RSA of 1024 bits; accepted are RSA of 2048 bits and more"},
    {TestKey::kEcdsaP224, " is on the curve secp224r1; accepted are"},
    {TestKey::kEcdsaP521, " is on the curve secp521r1; accepted are"},
};

void ExpectKeyCase(const std::optional<CertificateRejection>& rejection, const KeyCase& expected,
                   const std::string& subject) {
  if (expected.refusal != nullptr) {
    ExpectRefused(rejection, SSL_AD_BAD_CERTIFICATE,
                  "the key of certificate " + subject + expected.refusal);
  } else {
    EXPECT_FALSE(rejection.has_value()) << rejection->reason;
  }
}

TEST(PeerVerifierStrengthTest, WeakKeyIsRefusedWhereverItStandsInTheChain) {
  for (const KeyCase& expected : kKeyCases) {
    const TestCertificate root = TestAuthority();
    TestCertificateOptions leaf_options = kLeaf;
    leaf_options.key = expected.key;
    const TestCertificate weak_leaf = root.Issue(leaf_options);
    const TestCertificate weak_middle =
        root.Issue({.common_name = "middle", .key = expected.key, .is_authority = true});
    const TestCertificate leaf_of_middle = weak_middle.Issue(kLeaf);
    const TestCertificate weak_root = TestCertificate::SelfSigned(
        {.common_name = "root", .key = expected.key, .is_authority = true});
    const TestCertificate leaf_of_root = weak_root.Issue(kLeaf);

    ExpectKeyCase(Judge(root, {&weak_leaf}), expected, "\"leaf\"");
    ExpectKeyCase(Judge(root, {&leaf_of_middle, &weak_middle}), expected, "\"middle\"");
    ExpectKeyCase(Judge(weak_root, {&leaf_of_root}), expected, "\"root\"");
    ExpectKeyCase(Judge(weak_leaf, {&weak_leaf}), expected, "\"leaf\"");  // Trusted for itself.
  }
}

struct SignatureCase {
  const EVP_MD* digest;
  bool pss;
  const char* refusal;  // Null: accepted.
};

void ExpectSignatureCase(const std::optional<CertificateRejection>& rejection,
                         const SignatureCase& expected, const std::string& subject) {
  if (expected.refusal != nullptr) {
    ExpectRefused(rejection, SSL_AD_BAD_CERTIFICATE,
                  "certificate " + subject + " is signed with " + expected.refusal);
  } else {
    EXPECT_FALSE(rejection.has_value()) << rejection->reason;
  }
}

void CheckSignatures(TestKey issuing_key, const std::vector<SignatureCase>& cases) {
  for (const SignatureCase& expected : cases) {
    const TestCertificate root = TestCertificate::SelfSigned(
        {.common_name = "root", .key = issuing_key, .is_authority = true});
    TestCertificateOptions leaf_options = kLeaf;
    leaf_options.digest = expected.digest;
    leaf_options.pss = expected.pss;
    const TestCertificate leaf = root.Issue(leaf_options);
    const TestCertificate middle = root.Issue({.common_name = "middle",
                                               .is_authority = true,
                                               .digest = expected.digest,
                                               .pss = expected.pss});
    const TestCertificate leaf_of_middle = middle.Issue(kLeaf);

    ExpectSignatureCase(Judge(root, {&leaf}), expected, "\"leaf\"");
    ExpectSignatureCase(Judge(root, {&leaf_of_middle, &middle}), expected, "\"middle\"");
  }
}

TEST(PeerVerifierStrengthTest, WeakHashInASignatureOfRsaIsRefused) {
  CheckSignatures(TestKey::kRsa2048, {{EVP_md5(), false, "MD5"},
                                      {EVP_sha1(), false, "SHA1"},
                                      {EVP_sha224(), false, "SHA224"},
                                      {EVP_sha256(), false, nullptr},
                                      {EVP_sha384(), false, nullptr},
                                      {EVP_sha512(), false, nullptr}});
}

TEST(PeerVerifierStrengthTest, WeakHashInASignatureOfRsaPssIsRefused) {
  CheckSignatures(TestKey::kRsa2048, {{EVP_sha1(), true, "SHA1"},
                                      {EVP_sha256(), true, nullptr},
                                      {EVP_sha384(), true, nullptr},
                                      {EVP_sha512(), true, nullptr}});
}

TEST(PeerVerifierStrengthTest, WeakHashInASignatureOfEcdsaIsRefused) {
  CheckSignatures(TestKey::kEcdsaP256, {{EVP_sha1(), false, "SHA1"},
                                        {EVP_sha256(), false, nullptr},
                                        {EVP_sha384(), false, nullptr},
                                        {EVP_sha512(), false, nullptr}});
}

// Nothing of what it is trusted for hangs on it.
TEST(PeerVerifierStrengthTest, SignatureOfTheAuthorityItselfDoesNotMatter) {
  const TestCertificate root = TestCertificate::SelfSigned({.common_name = "root",
                                                            .key = TestKey::kRsa2048,
                                                            .is_authority = true,
                                                            .digest = EVP_sha1()});
  const TestCertificate leaf = root.Issue(kLeaf);
  TestCertificateOptions weak_options = kLeaf;
  weak_options.digest = EVP_sha1();
  const TestCertificate weak_leaf = root.Issue(weak_options);

  EXPECT_FALSE(Judge(root, {&leaf}));
  EXPECT_FALSE(Judge(root, {&leaf, &root}));
  EXPECT_FALSE(Judge(weak_leaf, {&weak_leaf}));
}

TEST(PeerVerifierStrengthTest, ClientsAreHeldToTheSame) {
  const TestCertificate root = TestAuthority();
  const TestCertificate weak = root.Issue({.common_name = "client", .key = TestKey::kRsa1024});
  const PeerVerifier verifier =
      PeerVerifier::Create(PeerVerification::Authorities({root.Source()}), Perspective::kClient)
          .value();

  ExpectRefused(verifier.Verify(ChainOf({&weak}).get(), {}, kTestNow), SSL_AD_BAD_CERTIFICATE,
                "the key of certificate \"client\" is RSA of 1024 bits");
}

// ---- Errors of BoringSSL ----

class CarelessVerifier final : public CertificateVerifier {
 public:
  absl::Status Verify(const PeerCertificate& /*certificate*/) const override {
    ERR_put_error(ERR_LIB_X509, 0, X509_R_CERT_ALREADY_IN_HASH_TABLE, __FILE__, __LINE__);
    return answer;
  }

  absl::Status answer;
};

TEST(PeerVerifierTest, NoErrorIsLeftInTheQueue) {
  const TestCertificate root = TestAuthority();
  const TestCertificate good = root.Issue(kLeaf);
  const TestCertificate impostor =
      TestCertificate::SelfSigned(
          {.common_name = "Test Root", .key = TestKey::kEcdsaP256, .is_authority = true})
          .Issue(kLeaf);
  CarelessVerifier careless;
  const PeerVerifier application =
      PeerVerifier::Create(PeerVerification::Application(&careless), Perspective::kServer).value();

  EXPECT_FALSE(Judge(root, {&good}));
  EXPECT_EQ(ERR_peek_error(), 0u);
  // A wrong signature is an error of BoringSSL's libcrypto.
  EXPECT_TRUE(Judge(root, {&impostor}));
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_FALSE(application.Verify(ChainOf({&good}).get(), kName, kTestNow));
  EXPECT_EQ(ERR_peek_error(), 0u);
  careless.answer = absl::PermissionDeniedError("no");
  EXPECT_TRUE(application.Verify(ChainOf({&good}).get(), kName, kTestNow));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace godwit
