// SPDX-License-Identifier: Apache-2.0
//
// TlsSession on BoringSSL: peers that are not who they should be, or say too little, each with its
// alert and its words.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/seeded_random.h"
#include "crypto/boringssl.h"
#include "crypto/tls_session.h"
#include "godwit/public_key_hash.h"
#include "godwit/tls_config.h"
#include "tests/crypto/handshake_surgery.h"
#include "tests/crypto/test_certificates.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint8_t kBadCertificate = 42;
constexpr uint8_t kUnsupportedCertificate = 43;
constexpr uint8_t kCertificateExpired = 45;
constexpr uint8_t kCertificateUnknown = 46;
constexpr uint8_t kUnknownCa = 48;
constexpr uint8_t kDecryptError = 51;
constexpr uint8_t kMissingExtension = 109;
constexpr uint8_t kCertificateRequired = 116;
constexpr uint8_t kNoApplicationProtocol = 120;

constexpr uint16_t kAlpnExtension = 16;
constexpr uint16_t kTransportParametersExtension = 57;

void ExpectAlert(const TlsEnd& end, uint8_t alert) {
  ASSERT_FALSE(end.result().ok());
  EXPECT_EQ(end.result().error().code, MakeCryptoError(alert));
}

bool IsComplete(TlsPair& pair) {
  return pair.client.result().ok() && pair.server.result().ok() &&
         pair.client.session().facts().handshake_complete &&
         pair.server.session().facts().handshake_complete;
}

// ---- A client judges its server ----

TEST(TlsVerificationTest, WrongNameIsRefused) {
  TlsEndpoints endpoints;
  endpoints.server_config.certificates = {
      endpoints.root()
          .Issue({.common_name = "wanted.example",
                  .names = "DNS:a.example,DNS:*.b.example,IP:192.0.2.7,IP:2001:db8::7"})
          .Config()};
  endpoints.server_name = "wanted.example";

  TlsPair pair = endpoints.Connect();

  ExpectAlert(pair.client, kBadCertificate);
  EXPECT_EQ(pair.client.reason(),
            "the certificate is for a.example, *.b.example, 192.0.2.7, 2001:db8::7; wanted "
            "wanted.example");
}

TEST(TlsVerificationTest, NamesMatchExactlyByWildcardOrByAddress) {
  const std::vector<std::pair<std::string, bool>> expectations = {
      {"a.example", true},    {"A.EXAMPLE", true},       {"x.b.example", true},
      {"192.0.2.7", true},    {"2001:db8::7", true},     {"a.example.", true},
      {"b.example", false},   {"x.y.b.example", false},  {"192.0.2.8", false},
      {"2001:db8::8", false}, {"common.example", false}, {"xa.example", false},
  };
  for (const auto& [name, matches] : expectations) {
    TlsEndpoints endpoints;
    endpoints.server_config.certificates = {
        endpoints.root()
            .Issue({.common_name = "common.example",
                    .names = "DNS:a.example,DNS:*.b.example,IP:192.0.2.7,IP:2001:db8::7"})
            .Config()};
    endpoints.server_name = name;

    TlsPair pair = endpoints.Connect();

    EXPECT_EQ(IsComplete(pair), matches) << name << ": " << pair.client.reason();
  }
}

TEST(TlsVerificationTest, CertificateWithoutNamesIsForNobody) {
  TlsEndpoints endpoints;
  endpoints.server_config.certificates = {
      endpoints.root().Issue({.common_name = "server.example"}).Config()};

  TlsPair pair = endpoints.Connect();

  ExpectAlert(pair.client, kBadCertificate);
  EXPECT_EQ(pair.client.reason(), "the certificate is for no name; wanted server.example");
}

TEST(TlsVerificationTest, ExpiredCertificateIsRefused) {
  TlsEndpoints endpoints;
  endpoints.server_config.certificates = {endpoints.root()
                                              .Issue({.common_name = "old",
                                                      .names = "DNS:server.example",
                                                      .not_after = kTestNow.PlusSeconds(-1)})
                                              .Config()};

  TlsPair pair = endpoints.Connect();

  ExpectAlert(pair.client, kCertificateExpired);
  EXPECT_EQ(pair.client.reason(),
            "certificate \"old\" expired at 2027-01-15 07:59:59 UTC; it is now 2027-01-15 08:00:00 "
            "UTC");
}

TEST(TlsVerificationTest, CertificateOfTheFutureIsRefused) {
  TlsEndpoints endpoints;
  endpoints.server_config.certificates = {endpoints.root()
                                              .Issue({.common_name = "young",
                                                      .names = "DNS:server.example",
                                                      .not_before = kTestNow.PlusSeconds(60)})
                                              .Config()};

  TlsPair pair = endpoints.Connect();

  ExpectAlert(pair.client, kCertificateExpired);
  EXPECT_EQ(pair.client.reason(),
            "certificate \"young\" is not valid before 2027-01-15 08:01:00 UTC; it is now "
            "2027-01-15 08:00:00 UTC");
}

TEST(TlsVerificationTest, TimeIsTheCallersAndNoOther) {
  TlsEndpoints endpoints;
  const TlsTime later = After(31 * kDay);
  TlsPair pair = endpoints.MakePair({}, later);

  pair.Run(nullptr, later);

  ExpectAlert(pair.client, kCertificateExpired);
}

TEST(TlsVerificationTest, SelfSignedCertificateIsRefused) {
  TlsEndpoints endpoints;
  endpoints.server_config.certificates = {
      TestCertificate::SelfSigned({.common_name = "alone", .names = "DNS:server.example"})
          .Config()};

  TlsPair pair = endpoints.Connect();

  ExpectAlert(pair.client, kUnknownCa);
  EXPECT_EQ(pair.client.reason(), "certificate \"alone\" is self-signed and not trusted");
}

TEST(TlsVerificationTest, SelfSignedCertificatePassesWhereItIsTrustedItself) {
  TlsEndpoints endpoints;
  const TestCertificate alone =
      TestCertificate::SelfSigned({.common_name = "alone", .names = "DNS:server.example"});
  endpoints.server_config.certificates = {alone.Config()};
  endpoints.client_config.server_verification = PeerVerification::Authorities({alone.Source()});

  TlsPair pair = endpoints.Connect();

  EXPECT_TRUE(IsComplete(pair)) << pair.client.reason();
}

TEST(TlsVerificationTest, IntermediatesAndCertificatesOfOthersCanBeTrustedThemselves) {
  const TestCertificate intermediate =
      TestAuthority("Unknown Root").Issue({.common_name = "Intermediate", .is_authority = true});
  const TestCertificate leaf =
      intermediate.Issue({.common_name = "leaf", .names = "DNS:server.example"});
  for (const TestCertificate* trusted : {&intermediate, &leaf}) {
    TlsEndpoints endpoints;
    endpoints.server_config.certificates = {leaf.Config({&intermediate})};
    endpoints.client_config.server_verification =
        PeerVerification::Authorities({trusted->Source()});

    TlsPair pair = endpoints.Connect();

    EXPECT_TRUE(IsComplete(pair)) << pair.client.reason();
  }
}

TEST(TlsVerificationTest, UnknownIssuerIsRefused) {
  TlsEndpoints endpoints;
  const TestCertificate stranger = TestAuthority("Strange\nRoot");
  const TestCertificate leaf =
      stranger.Issue({.common_name = "leaf", .names = "DNS:server.example"});
  endpoints.server_config.certificates = {leaf.Config()};
  TlsEndpoints with_root;
  with_root.server_config.certificates = {leaf.Config({&stranger})};

  TlsPair pair = endpoints.Connect();
  TlsPair pair_with_root = with_root.Connect();

  ExpectAlert(pair.client, kUnknownCa);
  EXPECT_EQ(pair.client.reason(), "unknown issuer \"Strange?Root\" of certificate \"leaf\"");
  ExpectAlert(pair_with_root.client, kUnknownCa);
  EXPECT_EQ(pair_with_root.client.reason(),
            "unknown issuer: the chain ends at \"Strange?Root\", which is not trusted");
}

TEST(TlsVerificationTest, IssuerOfTheSameNameWithAnotherKeyIsRefused) {
  TlsEndpoints endpoints;
  const TestCertificate impostor = TestCertificate::SelfSigned(
      {.common_name = "Test Root", .key = TestKey::kEcdsaP256, .is_authority = true});
  endpoints.server_config.certificates = {
      impostor.Issue({.common_name = "leaf", .names = "DNS:server.example"}).Config()};

  TlsPair pair = endpoints.Connect();

  ExpectAlert(pair.client, kBadCertificate);
  EXPECT_EQ(pair.client.reason(), "the signature on certificate \"leaf\" is wrong");
}

TEST(TlsVerificationTest, CertificateThatIsNoAuthorityMayNotIssue) {
  TlsEndpoints endpoints;
  const TestCertificate middle =
      endpoints.root().Issue({.common_name = "middle", .names = "DNS:middle.example"});
  endpoints.server_config.certificates = {
      middle.Issue({.common_name = "leaf", .names = "DNS:server.example"}).Config({&middle})};

  TlsPair pair = endpoints.Connect();

  ExpectAlert(pair.client, kUnknownCa);
  EXPECT_EQ(pair.client.reason(), "certificate \"middle\" may not issue the one before it");
}

TEST(TlsVerificationTest, CertificateForClientsIsNoServers) {
  TlsEndpoints endpoints;
  endpoints.server_config.certificates = {
      endpoints.root()
          .Issue({.common_name = "leaf", .names = "DNS:server.example", .purpose = "clientAuth"})
          .Config()};

  TlsPair pair = endpoints.Connect();

  ExpectAlert(pair.client, kUnsupportedCertificate);
  EXPECT_EQ(pair.client.reason(), "certificate \"leaf\" is not for this purpose");
}

TEST(TlsVerificationTest, PinnedKeyPassesWhateverTheCertificateSays) {
  TlsEndpoints endpoints;
  const TestCertificate pinned =
      TestCertificate::SelfSigned({.common_name = "elsewhere",
                                   .names = "DNS:elsewhere.example",
                                   .not_after = kTestNow.PlusSeconds(-1)});
  endpoints.server_config.certificates = {pinned.Config()};
  endpoints.client_config.server_verification =
      PeerVerification::PinnedKeys({PublicKeyHash(), pinned.KeyHash()});

  TlsPair pair = endpoints.Connect();

  EXPECT_TRUE(IsComplete(pair)) << pair.client.reason();
}

TEST(TlsVerificationTest, OtherKeyThanThePinnedOnesIsRefused) {
  TlsEndpoints endpoints;
  const PublicKeyHash other = TestAuthority("other").KeyHash();
  endpoints.client_config.server_verification =
      PeerVerification::PinnedKeys({PublicKeyHash(), other});
  const TestCertificate presented =
      endpoints.root().Issue({.common_name = "server", .names = "DNS:server.example"});

  TlsPair pair = endpoints.Connect();

  ExpectAlert(pair.client, kCertificateUnknown);
  EXPECT_EQ(pair.client.reason(), absl::StrCat("the public key is not pinned: its SHA-256 is ",
                                               presented.KeyHash().ToHex(), "; pinned ",
                                               std::string(64, '0'), ", ", other.ToHex()));
}

class RecordingVerifier final : public CertificateVerifier {
 public:
  absl::Status Verify(const PeerCertificate& certificate) const override {
    leaf.assign(certificate.chain[0].begin(), certificate.chain[0].end());
    key = certificate.public_key_hash;
    name = std::string(certificate.server_name);
    now = certificate.now;
    return answer;
  }

  absl::Status answer;
  mutable std::vector<uint8_t> leaf;
  mutable PublicKeyHash key;
  mutable std::string name;
  mutable UnixTime now;
};

TEST(TlsVerificationTest, ApplicationSeesTheCertificateAndDecides) {
  RecordingVerifier verifier;
  TlsEndpoints endpoints;
  const TestCertificate alone = TestCertificate::SelfSigned({.common_name = "alone"});
  endpoints.server_config.certificates = {alone.Config()};
  endpoints.client_config.server_verification = PeerVerification::Application(&verifier);

  TlsPair accepted = endpoints.Connect();
  verifier.answer = absl::PermissionDeniedError("not on the list");
  TlsPair refused = endpoints.Connect();

  EXPECT_TRUE(IsComplete(accepted));
  EXPECT_EQ(verifier.leaf, alone.Der());
  EXPECT_EQ(verifier.key, alone.KeyHash());
  EXPECT_EQ(verifier.name, "server.example");
  EXPECT_EQ(verifier.now, kTestNow);
  ExpectAlert(refused.client, kCertificateUnknown);
  EXPECT_EQ(refused.client.reason(), "the application refused it: not on the list");
}

// Uses BoringSSL as an application may, and leaves an error behind.
class CarelessVerifier final : public CertificateVerifier {
 public:
  absl::Status Verify(const PeerCertificate& /*certificate*/) const override {
    ERR_put_error(ERR_LIB_X509, 0, X509_R_CERT_ALREADY_IN_HASH_TABLE, __FILE__, __LINE__);
    return ++calls == refused_call ? absl::PermissionDeniedError("this time") : absl::OkStatus();
  }

  int refused_call = 0;
  mutable int calls = 0;
};

TEST(TlsVerificationTest, ErrorThatTheApplicationLeftDoesNotDisturbTheHandshake) {
  const CarelessVerifier verifier;
  TlsEndpoints endpoints;
  endpoints.client_config.server_verification = PeerVerification::Application(&verifier);
  endpoints.client_config.certificate = endpoints.root().Issue({.common_name = "client"}).Config();
  endpoints.server_config.client_verification = PeerVerification::Application(&verifier);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SeededRandom random(seed);
    TlsPair pair = endpoints.MakePair();

    pair.Run(&random);

    EXPECT_TRUE(IsComplete(pair)) << pair.client.reason() << pair.server.reason();
  }
}

TEST(TlsVerificationTest, WordsOfTheApplicationAreOneLineOfBoundedLength) {
  RecordingVerifier verifier;
  verifier.answer = absl::PermissionDeniedError("bad\nname \x1b[31m" + std::string(1000, 'x'));
  TlsEndpoints endpoints;
  endpoints.client_config.server_verification = PeerVerification::Application(&verifier);

  TlsPair pair = endpoints.Connect();

  EXPECT_EQ(pair.client.reason(),
            "the application refused it: bad?name ?[31m" + std::string(286, 'x') + "...");
}

TEST(TlsVerificationTest, InsecureModeAcceptsAnything) {
  TlsEndpoints endpoints;
  endpoints.server_config.certificates = {
      TestCertificate::SelfSigned({.not_after = kTestNow.PlusSeconds(-1)}).Config()};
  endpoints.client_config.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  endpoints.server_name = "";

  TlsPair pair = endpoints.Connect();

  EXPECT_TRUE(IsComplete(pair)) << pair.client.reason();
}

TEST(TlsVerificationTest, FailedClientStillHasTheKeysToSaySo) {
  TlsEndpoints endpoints;
  endpoints.server_name = "other.example";

  TlsPair pair = endpoints.Connect();

  ASSERT_FALSE(pair.client.result().ok());
  EXPECT_TRUE(pair.client.Secret(EncryptionLevel::kHandshake, SecretDirection::kSend));
  EXPECT_FALSE(pair.client.Secret(EncryptionLevel::kOneRtt, SecretDirection::kSend));
}

// ---- A server judges its client ----

class MutualTlsTest : public ::testing::Test {
 protected:
  MutualTlsTest() : client_(endpoints_.root().Issue({.common_name = "client"})) {
    endpoints_.server_config.client_verification =
        PeerVerification::Authorities({endpoints_.root().Source()});
    endpoints_.client_config.certificate = client_.Config();
  }

  TlsEndpoints endpoints_;
  TestCertificate client_;
};

TEST_F(MutualTlsTest, ServerLearnsWhoTheClientIs) {
  TlsPair pair = endpoints_.Connect();

  EXPECT_TRUE(IsComplete(pair)) << pair.server.reason();
  EXPECT_THAT(pair.server.session().peer_certificate(), ElementsAreArray(client_.Der()));
  EXPECT_EQ(pair.server.session().peer_public_key_hash(), client_.KeyHash());
}

TEST_F(MutualTlsTest, MissingCertificateIsRefused) {
  endpoints_.client_config.certificate.reset();

  TlsPair pair = endpoints_.Connect();

  ExpectAlert(pair.server, kCertificateRequired);
  EXPECT_EQ(pair.server.reason(),
            "the client showed no certificate, but one is required (certificate_required)");
}

TEST_F(MutualTlsTest, CertificateOfAnotherIssuerIsRefused) {
  endpoints_.client_config.certificate =
      TestAuthority("Other Root").Issue({.common_name = "client"}).Config();

  TlsPair pair = endpoints_.Connect();

  ExpectAlert(pair.server, kUnknownCa);
  EXPECT_EQ(pair.server.reason(), "unknown issuer \"Other Root\" of certificate \"client\"");
  EXPECT_FALSE(pair.server.Secret(EncryptionLevel::kOneRtt, SecretDirection::kRecv));
}

TEST_F(MutualTlsTest, CertificateForServersIsNoClients) {
  endpoints_.client_config.certificate =
      endpoints_.root().Issue({.common_name = "client", .purpose = "serverAuth"}).Config();

  TlsPair pair = endpoints_.Connect();

  ExpectAlert(pair.server, kUnsupportedCertificate);
}

TEST_F(MutualTlsTest, ErrorLeftWhileATicketIsJudgedDoesNotDisturbTheFullHandshake) {
  CarelessVerifier verifier;
  endpoints_.server_config.client_verification = PeerVerification::Application(&verifier);
  const std::vector<uint8_t> ticket = endpoints_.Ticket();
  const int before = verifier.calls;
  verifier.refused_call = before + 1;

  TlsPair pair = endpoints_.Connect(ticket);

  EXPECT_TRUE(IsComplete(pair)) << pair.server.reason();
  EXPECT_FALSE(pair.server.session().facts().resumed);
  EXPECT_EQ(verifier.calls - before, 2);  // The ticket, then the certificate.
}

TEST_F(MutualTlsTest, WeakCertificateIsRefused) {
  const TestCertificate rsa_root = TestCertificate::SelfSigned(
      {.common_name = "RSA Root", .key = TestKey::kRsa2048, .is_authority = true});
  endpoints_.server_config.client_verification = PeerVerification::Authorities({rsa_root.Source()});
  endpoints_.client_config.certificate =
      rsa_root.Issue({.common_name = "client", .digest = EVP_sha1()}).Config();

  TlsPair pair = endpoints_.Connect();

  ExpectAlert(pair.server, kBadCertificate);
  EXPECT_THAT(pair.server.reason(), StartsWith("certificate \"client\" is signed with SHA1"));
  EXPECT_FALSE(pair.server.Secret(EncryptionLevel::kOneRtt, SecretDirection::kRecv));
}

TEST_F(MutualTlsTest, PinsWorkForClientsToo) {
  endpoints_.server_config.client_verification = PeerVerification::PinnedKeys({client_.KeyHash()});
  TlsEndpoints others;
  others.client_config.certificate = client_.Config();
  others.server_config.client_verification = PeerVerification::PinnedKeys({PublicKeyHash()});

  TlsPair accepted = endpoints_.Connect();
  TlsPair refused = others.Connect();

  EXPECT_TRUE(IsComplete(accepted)) << accepted.server.reason();
  ExpectAlert(refused.server, kCertificateUnknown);
  EXPECT_THAT(refused.server.reason(), StartsWith("the public key is not pinned"));
}

// ---- Messages that lack something ----

TEST(TlsVerificationTest, ClientWithoutApplicationProtocolIsRefused) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.MakePair();
  CryptoPiece hello = pair.client.TakePieces(nullptr, 0).at(0);
  RemoveExtension(hello.bytes, kAlpnExtension);

  pair.server.OnPiece(hello, kTestTime);

  EXPECT_EQ(pair.server.result(), Result(kApplicationProtocolMissing));
  ExpectAlert(pair.server, kNoApplicationProtocol);
  EXPECT_EQ(pair.server.reason(),
            "the client offered no application protocol (ALPN) (no_application_protocol)");
}

TEST(TlsVerificationTest, ServerWithoutApplicationProtocolIsRefused) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.MakePair();
  pair.server.OnPiece(pair.client.TakePieces(nullptr, 0).at(0), kTestTime);
  std::vector<CryptoPiece> flight = pair.server.TakePieces(nullptr, 0);
  RemoveExtension(flight.at(1).bytes, kAlpnExtension);

  for (const CryptoPiece& piece : flight) pair.client.OnPiece(piece, kTestTime);

  EXPECT_EQ(pair.client.result(), Result(kApplicationProtocolMissing));
  EXPECT_EQ(pair.client.reason(),
            "the server chose no application protocol (ALPN) (no_application_protocol)");
}

// RFC 9001 §8.2
TEST(TlsVerificationTest, MissingTransportParametersAreRefusedByBothEnds) {
  TlsEndpoints endpoints;
  TlsPair bad_client = endpoints.MakePair();
  CryptoPiece hello = bad_client.client.TakePieces(nullptr, 0).at(0);
  RemoveExtension(hello.bytes, kTransportParametersExtension);
  TlsPair bad_server = endpoints.MakePair();
  bad_server.server.OnPiece(bad_server.client.TakePieces(nullptr, 0).at(0), kTestTime);
  std::vector<CryptoPiece> flight = bad_server.server.TakePieces(nullptr, 0);
  RemoveExtension(flight.at(1).bytes, kTransportParametersExtension);

  bad_client.server.OnPiece(hello, kTestTime);
  for (const CryptoPiece& piece : flight) bad_server.client.OnPiece(piece, kTestTime);

  for (const TlsEnd* end : {&bad_client.server, &bad_server.client}) {
    EXPECT_EQ(end->result(), Result(kTransportParametersMissing));
    ExpectAlert(*end, kMissingExtension);
    EXPECT_EQ(end->reason(), "the peer left out the transport parameters");
  }
}

TEST(TlsVerificationTest, ChangedHandshakeIsNoticed) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.MakePair();
  CryptoPiece hello = pair.client.TakePieces(nullptr, 0).at(0);
  hello.bytes.at(4 + 2) ^= 1;  // The client's random.
  pair.server.OnPiece(hello, kTestTime);
  for (const CryptoPiece& piece : pair.server.TakePieces(nullptr, 0)) {
    pair.client.OnPiece(piece, kTestTime);
  }

  ExpectAlert(pair.client, kDecryptError);
  EXPECT_THAT(pair.client.reason(), HasSubstr("was changed on its way"));
}

}  // namespace
}  // namespace godwit
