// SPDX-License-Identifier: Apache-2.0
//
// TlsSession on BoringSSL: handshakes that succeed, what they give, and rules of the CRYPTO streams
// that a peer breaks.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/seeded_random.h"
#include "crypto/tls_session.h"
#include "tests/crypto/test_certificates.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

// The bytes of a secret; empty if it is not there.
Bytes Secret(const TlsEnd& end, EncryptionLevel level, SecretDirection direction) {
  const std::optional<TlsSecret> secret = end.Secret(level, direction);
  if (!secret) return {};
  const std::span<const uint8_t> bytes = secret->secret.bytes();
  return {bytes.begin(), bytes.end()};
}

void ExpectComplete(TlsPair& pair) {
  EXPECT_TRUE(pair.client.result().ok()) << pair.client.reason();
  EXPECT_TRUE(pair.server.result().ok()) << pair.server.reason();
  EXPECT_TRUE(pair.client.session().facts().handshake_complete);
  EXPECT_TRUE(pair.server.session().facts().handshake_complete);
  for (const EncryptionLevel level : {EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    const Bytes client_sends = Secret(pair.client, level, SecretDirection::kSend);
    const Bytes server_sends = Secret(pair.server, level, SecretDirection::kSend);
    EXPECT_GE(client_sends.size(), 32u);
    EXPECT_GE(server_sends.size(), 32u);
    EXPECT_NE(client_sends, server_sends);
    EXPECT_EQ(client_sends, Secret(pair.server, level, SecretDirection::kRecv));
    EXPECT_EQ(server_sends, Secret(pair.client, level, SecretDirection::kRecv));
  }
}

TEST(TlsHandshakeTest, BothEndsGetTheSameSecretsAndEachOthersFacts) {
  TlsEndpoints endpoints;

  TlsPair pair = endpoints.Connect();

  ExpectComplete(pair);
  const TlsFacts client = pair.client.session().facts();
  const TlsFacts server = pair.server.session().facts();
  EXPECT_THAT(client.peer_transport_parameters, ElementsAreArray(endpoints.server_parameters));
  EXPECT_THAT(server.peer_transport_parameters, ElementsAreArray(endpoints.client_parameters));
  EXPECT_EQ(client.application_protocol, "echo");
  EXPECT_EQ(server.application_protocol, "echo");
  EXPECT_EQ(client.server_name, "server.example");
  EXPECT_EQ(server.server_name, "server.example");
  EXPECT_EQ(client.key_exchange_group, "X25519");
  EXPECT_EQ(server.key_exchange_group, "X25519");
  EXPECT_TRUE(client.cipher_suite.has_value());
  EXPECT_EQ(client.cipher_suite, server.cipher_suite);
  EXPECT_FALSE(client.resumed);
  EXPECT_FALSE(server.resumed);
  EXPECT_EQ(client.early_data, EarlyDataState::kNotOffered);
  EXPECT_EQ(server.early_data, EarlyDataState::kNotOffered);
  EXPECT_EQ(client.ticket_use, TicketUse::kNone);
}

TEST(TlsHandshakeTest, OutputsComeInAFixedOrder) {
  TlsEndpoints endpoints;

  TlsPair pair = endpoints.Connect();

  EXPECT_THAT(pair.client.story(), ElementsAre("bytes initial", "send handshake", "recv handshake",
                                               "send 1rtt", "recv 1rtt", "bytes handshake"));
  EXPECT_THAT(pair.server.story(),
              ElementsAre("send handshake", "send 1rtt", "recv handshake", "bytes initial",
                          "bytes handshake", "recv 1rtt", "bytes 1rtt"));
}

TEST(TlsHandshakeTest, NothingIsKnownBeforeTheFirstBytes) {
  TlsEndpoints endpoints;

  TlsPair pair = endpoints.MakePair();

  const TlsFacts facts = pair.server.session().facts();
  EXPECT_FALSE(facts.handshake_complete);
  EXPECT_FALSE(facts.cipher_suite.has_value());
  EXPECT_TRUE(facts.application_protocol.empty());
  EXPECT_TRUE(facts.server_name.empty());
  EXPECT_TRUE(facts.peer_transport_parameters.empty());
  EXPECT_TRUE(pair.server.session().peer_certificate().empty());
  EXPECT_FALSE(pair.server.session().peer_public_key_hash().has_value());
  EXPECT_FALSE(pair.server.session().PollSecret().has_value());
  EXPECT_FALSE(pair.client.session().PendingCryptoData(EncryptionLevel::kInitial).empty());
}

TEST(TlsHandshakeTest, CryptoDataMayBeCutAndShuffled) {
  TlsEndpoints endpoints;
  SeededRandom random(7);
  for (int round = 0; round < 50; ++round) {
    TlsPair pair = endpoints.MakePair();

    pair.Run(&random);

    ExpectComplete(pair);
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST(TlsHandshakeTest, EveryKindOfKeyServes) {
  for (const TestKey key :
       {TestKey::kEd25519, TestKey::kEcdsaP256, TestKey::kEcdsaP384, TestKey::kRsa2048}) {
    TlsEndpoints endpoints;
    const TestCertificate certificate =
        endpoints.root().Issue({.common_name = "key", .names = "DNS:server.example", .key = key});
    endpoints.server_config.certificates = {certificate.Config()};

    TlsPair pair = endpoints.Connect();

    ExpectComplete(pair);
    EXPECT_THAT(pair.client.session().peer_certificate(), ElementsAreArray(certificate.Der()));
    EXPECT_EQ(pair.client.session().peer_public_key_hash(), certificate.KeyHash());
    if (HasFailure()) FAIL() << "key " << static_cast<int>(key);
  }
}

TEST(TlsHandshakeTest, EveryKindOfKeyIssues) {
  for (const TestKey key : {TestKey::kEcdsaP256, TestKey::kEcdsaP384, TestKey::kRsa2048}) {
    TlsEndpoints endpoints;
    const TestCertificate root =
        TestCertificate::SelfSigned({.common_name = "Root", .key = key, .is_authority = true});
    endpoints.server_config.certificates = {
        root.Issue({.common_name = "leaf", .names = "DNS:server.example"}).Config()};
    endpoints.client_config.server_verification = PeerVerification::Authorities({root.Source()});

    TlsPair pair = endpoints.Connect();

    ExpectComplete(pair);
    if (HasFailure()) FAIL() << "key " << static_cast<int>(key);
  }
}

TEST(TlsHandshakeTest, AnIntermediateIsSentWithTheCertificate) {
  TlsEndpoints endpoints;
  const TestCertificate intermediate =
      endpoints.root().Issue({.common_name = "Intermediate", .is_authority = true});
  const TestCertificate leaf =
      intermediate.Issue({.common_name = "leaf", .names = "DNS:server.example"});
  endpoints.server_config.certificates = {leaf.Config({&intermediate})};

  TlsPair pair = endpoints.Connect();

  ExpectComplete(pair);
}

TEST(TlsHandshakeTest, CertificateIsChosenByTheNameThatTheClientAsksFor) {
  TlsEndpoints endpoints;
  const auto issue = [&endpoints](const std::string& name, const std::string& names) {
    return endpoints.root().Issue({.common_name = name, .names = names});
  };
  const TestCertificate first = issue("first", "DNS:first.example");
  const TestCertificate wildcard = issue("wildcard", "DNS:*.many.example");
  const TestCertificate exact = issue("exact", "DNS:one.many.example,DNS:UPPER.example");
  endpoints.server_config.certificates = {first.Config(), wildcard.Config(), exact.Config()};
  endpoints.client_config.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  const std::vector<std::pair<std::string, const TestCertificate*>> expectations = {
      {"first.example", &first},       {"one.many.example", &exact},
      {"two.many.example", &wildcard}, {"Two.MANY.example", &wildcard},
      {"upper.example", &exact},       {"a.two.many.example", &first},
      {"many.example", &first},        {"unknown.example", &first},
      {"192.0.2.1", &first},           {"2001:db8::1", &first},
      {"one.many.example.", &exact},   {"", &first},
  };
  for (const auto& [name, certificate] : expectations) {
    endpoints.server_name = name;

    TlsPair pair = endpoints.Connect();

    ExpectComplete(pair);
    EXPECT_THAT(pair.client.session().peer_certificate(), ElementsAreArray(certificate->Der()))
        << name;
  }
}

TEST(TlsHandshakeTest, AddressesAreNotSentAsNames) {
  TlsEndpoints endpoints;
  endpoints.client_config.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  endpoints.server_name = "192.0.2.1";

  TlsPair pair = endpoints.Connect();

  ExpectComplete(pair);
  EXPECT_EQ(pair.server.session().facts().server_name, "");
  EXPECT_EQ(pair.client.session().facts().server_name, "192.0.2.1");
}

TEST(TlsHandshakeTest, ServerPrefersItsOwnOrderOfApplicationProtocols) {
  TlsEndpoints endpoints;
  endpoints.client_config.application_protocols = {"a", "b", "c"};
  endpoints.server_config.application_protocols = {"x", "c", "b"};

  TlsPair pair = endpoints.Connect();

  ExpectComplete(pair);
  EXPECT_EQ(pair.client.session().facts().application_protocol, "c");
  EXPECT_EQ(pair.server.session().facts().application_protocol, "c");
}

TEST(TlsHandshakeTest, ExportedKeyingMaterialIsTheSameAtBothEnds) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.Connect();
  const Bytes context = {1, 2, 3};
  std::array<uint8_t, 32> client{};
  std::array<uint8_t, 32> server{};
  std::array<uint8_t, 32> other{};

  ASSERT_TRUE(pair.client.session().ExportKeyingMaterial("EXPORTER-x", context, client).ok());
  ASSERT_TRUE(pair.server.session().ExportKeyingMaterial("EXPORTER-x", context, server).ok());
  ASSERT_TRUE(pair.server.session().ExportKeyingMaterial("EXPORTER-y", context, other).ok());

  EXPECT_EQ(client, server);
  EXPECT_NE(client, other);
}

TEST(TlsHandshakeTest, KeyingMaterialIsNotExportedBeforeTheEnd) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.MakePair();
  std::array<uint8_t, 32> out{};

  const absl::Status status = pair.client.session().ExportKeyingMaterial("EXPORTER-x", {}, out);

  EXPECT_TRUE(absl::IsFailedPrecondition(status));
}

TEST(TlsHandshakeTest, KeyLogIsOffByDefault) {
  TlsEndpoints endpoints;

  TlsPair pair = endpoints.Connect();

  EXPECT_FALSE(pair.client.session().PollKeyLogLine().has_value());
  EXPECT_FALSE(pair.server.session().PollKeyLogLine().has_value());
}

TEST(TlsHandshakeTest, KeyLogHasTheSecretsWhenItIsAskedFor) {
  TlsEndpoints endpoints;
  endpoints.client_config.export_session_secrets = true;
  TlsPair pair = endpoints.Connect();
  std::string secret;
  for (const uint8_t byte : Secret(pair.server, EncryptionLevel::kOneRtt, SecretDirection::kRecv)) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    secret += {kDigits[byte >> 4], kDigits[byte & 15]};
  }

  std::vector<std::string> lines;
  while (const std::optional<std::string> line = pair.client.session().PollKeyLogLine()) {
    lines.push_back(*line);
  }

  EXPECT_THAT(lines, ::testing::Contains(::testing::MatchesRegex("CLIENT_TRAFFIC_SECRET_0 [0-9a-f]"
                                                                 "+ " +
                                                                 secret)));
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr("SERVER_HANDSHAKE_TRAFFIC_SECRET ")));
  EXPECT_FALSE(pair.server.session().PollKeyLogLine().has_value());
}

TEST(TlsHandshakeTest, NoCommonApplicationProtocol) {
  TlsEndpoints endpoints;
  endpoints.client_config.application_protocols = {"h3", "bad\nname"};

  TlsPair pair = endpoints.Connect();

  EXPECT_EQ(pair.server.result(), Result(kApplicationProtocolMissing));
  EXPECT_EQ(pair.server.result().error().code, MakeCryptoError(120));
  EXPECT_EQ(pair.server.reason(),
            "no common application protocol: the client offers h3, bad?name; we speak echo");
}

TEST(TlsHandshakeTest, FailureIsFinal) {
  TlsEndpoints endpoints;
  endpoints.client_config.application_protocols = {"h3"};
  TlsPair pair = endpoints.Connect();
  const std::string reason = pair.server.reason();
  const Bytes byte = {1};

  const Result again =
      pair.server.session().ProvideCryptoData(EncryptionLevel::kHandshake, byte, kTestTime);

  EXPECT_EQ(again, Result(kApplicationProtocolMissing));
  EXPECT_EQ(pair.server.reason(), reason);
}

TEST(TlsHandshakeTest, CryptoDataOfWrongLevelsIsAViolation) {
  struct Case {
    EncryptionLevel level;
    bool after_handshake;
    const ProtocolError* error;
  };
  const Bytes byte = {1};
  for (const Case& c : {Case{EncryptionLevel::kZeroRtt, false, &kFrameNotPermitted},
                        Case{EncryptionLevel::kHandshake, false, &kCryptoDataAtFutureLevel},
                        Case{EncryptionLevel::kOneRtt, false, &kCryptoDataAtFutureLevel},
                        Case{EncryptionLevel::kInitial, true, &kCryptoDataAtOldLevel},
                        Case{EncryptionLevel::kHandshake, true, &kCryptoDataAtOldLevel}}) {
    for (const bool client : {true, false}) {
      TlsEndpoints endpoints;
      TlsPair pair = endpoints.MakePair();
      if (c.after_handshake) pair.Run();
      TlsSession& session = client ? pair.client.session() : pair.server.session();

      const Result result = session.ProvideCryptoData(c.level, byte, kTestTime);

      EXPECT_EQ(result, Result(*c.error)) << ToString(c.level) << c.after_handshake << client;
      EXPECT_FALSE(session.failure_reason().empty());
    }
  }
}

// RFC 9001 §4.1.3 is about data.
TEST(TlsHandshakeTest, NoBytesAreNoViolationAtAnyLevelOfCryptoData) {
  TlsEndpoints endpoints;
  for (const bool after_handshake : {false, true}) {
    TlsPair pair = endpoints.MakePair();
    if (after_handshake) pair.Run();

    for (TlsSession* session : {&pair.client.session(), &pair.server.session()}) {
      for (const EncryptionLevel level :
           {EncryptionLevel::kInitial, EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
        EXPECT_TRUE(session->ProvideCryptoData(level, {}, kTestTime).ok()) << ToString(level);
      }
      EXPECT_EQ(session->ProvideCryptoData(EncryptionLevel::kZeroRtt, {}, kTestTime),
                Result(kFrameNotPermitted));
    }
  }
}

TEST(TlsHandshakeTest, BytesAfterTheLastMessageOfALevelAreAViolation) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.MakePair();
  CryptoPiece hello = pair.client.TakePieces(nullptr, 0).at(0);
  hello.bytes.push_back(0);

  pair.server.OnPiece(hello, kTestTime);

  EXPECT_EQ(pair.server.result(), Result(kCryptoDataLeftAtLevel));
  EXPECT_EQ(pair.server.result().error().code, TransportErrorCode::kProtocolViolation);
}

TEST(TlsHandshakeTest, TooMuchCryptoDataIsRefused) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.MakePair();
  TlsSession& server = pair.server.session();
  const size_t limit = server.MaxCryptoDataBytes(EncryptionLevel::kInitial);
  EXPECT_GE(limit, 4096u);
  const Bytes flood(limit + 1, 1);

  const Result result = server.ProvideCryptoData(EncryptionLevel::kInitial, flood, kTestTime);

  EXPECT_EQ(result, Result(kCryptoBufferExceeded));
}

TEST(TlsHandshakeTest, LimitsOfCryptoDataFollowWhatThePeerMaySend) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.Connect();

  EXPECT_EQ(pair.client.session().MaxCryptoDataBytes(EncryptionLevel::kHandshake), 65536u);
  EXPECT_EQ(pair.server.session().MaxCryptoDataBytes(EncryptionLevel::kHandshake), 16384u);
  EXPECT_EQ(pair.server.session().MaxCryptoDataBytes(EncryptionLevel::kZeroRtt), 0u);
}

// RFC 9001 §4.4
TEST(TlsHandshakeTest, CertificateRequestAfterTheHandshakeIsAViolation) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.Connect();
  TlsSession& client = pair.client.session();

  const Result first =
      client.ProvideCryptoData(EncryptionLevel::kOneRtt, Bytes{13, 0, 0, 3, 0, 0, 0}, kTestTime);

  EXPECT_EQ(first, Result(kPostHandshakeCertificateRequest));
}

// RFC 9001 §6: a TLS KeyUpdate message is an error of its own.
TEST(TlsHandshakeTest, KeyUpdateMessageIsUnexpected) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.Connect();

  for (TlsSession* session : {&pair.client.session(), &pair.server.session()}) {
    const Result result =
        session->ProvideCryptoData(EncryptionLevel::kOneRtt, Bytes{24, 0, 0, 1, 0}, kTestTime);

    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, MakeCryptoError(10));
    EXPECT_THAT(std::string(session->failure_reason()), HasSubstr("unexpected_message"));
  }
}

// RFC 9001 §8.4
TEST(TlsHandshakeTest, CompatibilityModeIsAViolation) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.MakePair();
  CryptoPiece hello = pair.client.TakePieces(nullptr, 0).at(0);
  constexpr size_t kSessionIdLength = 4 + 2 + 32;  // After header, version and random.
  ASSERT_EQ(hello.bytes.at(kSessionIdLength), 0);
  hello.bytes[kSessionIdLength] = 1;
  hello.bytes.insert(hello.bytes.begin() + kSessionIdLength + 1, 7);
  const size_t length = hello.bytes.size() - 4;
  hello.bytes[2] = static_cast<uint8_t>(length >> 8);
  hello.bytes[3] = static_cast<uint8_t>(length);

  pair.server.OnPiece(hello, kTestTime);

  EXPECT_EQ(pair.server.result(), Result(kCompatibilityModeRequested));
}

}  // namespace
}  // namespace godwit
