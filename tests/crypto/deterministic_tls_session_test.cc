// SPDX-License-Identifier: Apache-2.0
#include "crypto/deterministic_tls_session.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/seeded_random.h"
#include "crypto/tls_session.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

using ::testing::ElementsAreArray;
using Bytes = std::vector<uint8_t>;

TlsPair MakePair(const DeterministicTlsConfig& client = {},
                 const DeterministicTlsConfig& server = {}) {
  const Bytes client_parameters = {1, 2, 3};
  const Bytes server_parameters = {4, 5};
  return {.client = TlsEnd(DeterministicTlsClients(client)
                               .NewSession({.server_name = "server.example",
                                            .local_transport_parameters = client_parameters},
                                           kTestTime)
                               .value()),
          .server = TlsEnd(DeterministicTlsServers(server)
                               .NewSession({.local_transport_parameters = server_parameters})
                               .value())};
}

bool IsComplete(TlsPair& pair) {
  return pair.client.result().ok() && pair.server.result().ok() &&
         pair.client.session().facts().handshake_complete &&
         pair.server.session().facts().handshake_complete;
}

Bytes Secret(const TlsEnd& end, EncryptionLevel level, SecretDirection direction) {
  const std::optional<TlsSecret> secret = end.Secret(level, direction);
  if (!secret) return {};
  return {secret->secret.bytes().begin(), secret->secret.bytes().end()};
}

TEST(DeterministicTlsSessionTest, HandshakeGivesBothEndsTheSameSecretsAndFacts) {
  for (const CipherSuite suite : {CipherSuite::kAes128GcmSha256, CipherSuite::kAes256GcmSha384,
                                  CipherSuite::kChaCha20Poly1305Sha256}) {
    TlsPair pair = MakePair({}, {.cipher_suite = suite});

    pair.Run();

    ASSERT_TRUE(IsComplete(pair)) << pair.client.reason() << pair.server.reason();
    for (const EncryptionLevel level : {EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
      const Bytes client_sends = Secret(pair.client, level, SecretDirection::kSend);
      const Bytes server_sends = Secret(pair.server, level, SecretDirection::kSend);
      EXPECT_EQ(client_sends.size(), HashLength(suite));
      EXPECT_NE(client_sends, server_sends);
      EXPECT_EQ(client_sends, Secret(pair.server, level, SecretDirection::kRecv));
      EXPECT_EQ(server_sends, Secret(pair.client, level, SecretDirection::kRecv));
    }
    const TlsFacts client = pair.client.session().facts();
    const TlsFacts server = pair.server.session().facts();
    EXPECT_THAT(client.peer_transport_parameters, ElementsAreArray({4, 5}));
    EXPECT_THAT(server.peer_transport_parameters, ElementsAreArray({1, 2, 3}));
    EXPECT_EQ(client.application_protocol, "sim");
    EXPECT_EQ(server.application_protocol, "sim");
    EXPECT_EQ(server.server_name, "server.example");
    EXPECT_EQ(client.cipher_suite, suite);
    EXPECT_TRUE(pair.client.session().peer_public_key_hash().has_value());
  }
}

TEST(DeterministicTlsSessionTest, OutputsComeInTheOrderOfTheRealSession) {
  TlsEndpoints endpoints;
  TlsPair real = endpoints.Connect();
  TlsPair pair = MakePair();

  pair.Run();

  EXPECT_EQ(pair.client.story(), real.client.story());
  EXPECT_EQ(pair.server.story(), real.server.story());
}

TEST(DeterministicTlsSessionTest, SameSeedGivesTheSameBytes) {
  for (const uint64_t seed : {1, 2}) {
    TlsPair first = MakePair({.seed = seed}, {.seed = seed});
    TlsPair second = MakePair({.seed = 1}, {.seed = 1});

    const Bytes first_hello = first.client.TakePieces(nullptr, 0).at(0).bytes;
    const Bytes second_hello = second.client.TakePieces(nullptr, 0).at(0).bytes;

    EXPECT_EQ(first_hello == second_hello, seed == 1);
  }
}

TEST(DeterministicTlsSessionTest, SessionsOfOneEndDiffer) {
  const Bytes parameters = {1};
  const DeterministicTlsClients clients({});
  const TlsClientSessionOptions options = {.local_transport_parameters = parameters};
  TlsEnd first(clients.NewSession(options, kTestTime).value());
  TlsEnd second(clients.NewSession(options, kTestTime).value());

  EXPECT_NE(first.TakePieces(nullptr, 0).at(0).bytes, second.TakePieces(nullptr, 0).at(0).bytes);
}

TEST(DeterministicTlsSessionTest, MessagesHaveTheConfiguredSizes) {
  TlsPair pair =
      MakePair({.client_hello_bytes = 1800}, {.certificate_bytes = 5000, .ticket_bytes = 700});
  const std::vector<CryptoPiece> hello = pair.client.TakePieces(nullptr, 0);
  pair.server.OnPiece(hello.at(0), kTestTime);
  const std::vector<CryptoPiece> flight = pair.server.TakePieces(nullptr, 0);
  for (const CryptoPiece& piece : flight) pair.client.OnPiece(piece, kTestTime);
  for (const CryptoPiece& piece : pair.client.TakePieces(nullptr, 0)) {
    pair.server.OnPiece(piece, kTestTime);
  }
  const std::vector<CryptoPiece> ticket = pair.server.TakePieces(nullptr, 0);

  EXPECT_EQ(hello.at(0).bytes.size(), 1800u);
  EXPECT_EQ(flight.at(0).bytes.size(), 90u);
  EXPECT_GT(flight.at(1).bytes.size(), 5000u);
  EXPECT_LT(flight.at(1).bytes.size(), 5200u);
  ASSERT_EQ(ticket.size(), 1u);
  EXPECT_EQ(ticket[0].level, EncryptionLevel::kOneRtt);
  EXPECT_EQ(ticket[0].bytes.size(), 700u);
}

TEST(DeterministicTlsSessionTest, CryptoDataMayBeCutAndShuffled) {
  SeededRandom random(9);
  for (int round = 0; round < 50; ++round) {
    TlsPair pair = MakePair();

    pair.Run(&random);

    ASSERT_TRUE(IsComplete(pair)) << round;
  }
}

// Carries the three flights over with one bit flipped, counted over all of them. Returns how many
// bits there are.
size_t RunWithFlippedBit(TlsPair& pair, size_t flipped) {
  size_t bits = 0;
  for (auto [from, to] :
       {std::pair(&pair.client, &pair.server), std::pair(&pair.server, &pair.client),
        std::pair(&pair.client, &pair.server)}) {
    for (CryptoPiece& piece : from->TakePieces(nullptr, 0)) {
      const size_t piece_bits = piece.bytes.size() * 8;
      if (flipped >= bits && flipped < bits + piece_bits) {
        const size_t bit = flipped - bits;
        piece.bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      }
      bits += piece_bits;
      to->OnPiece(piece, kTestTime);
    }
  }
  return bits;
}

TEST(DeterministicTlsSessionTest, HandshakeWithAnyBitFlippedDoesNotComplete) {
  constexpr size_t kNone = SIZE_MAX;
  TlsPair whole = MakePair();
  const size_t bits = RunWithFlippedBit(whole, kNone);
  ASSERT_TRUE(IsComplete(whole));
  ASSERT_GT(bits, 1500u * 8);

  for (size_t bit = 0; bit < bits; ++bit) {
    TlsPair pair = MakePair();
    RunWithFlippedBit(pair, bit);

    ASSERT_FALSE(IsComplete(pair)) << bit;
  }
}

TEST(DeterministicTlsSessionTest, NoCommonProtocolIsRefused) {
  TlsPair pair = MakePair({.application_protocols = {"a"}}, {.application_protocols = {"b"}});

  pair.Run();

  EXPECT_EQ(pair.server.result(), Result(kApplicationProtocolMissing));
}

TEST(DeterministicTlsSessionTest, EitherEndCanBeToldToRefuse) {
  TlsPair by_server = MakePair({}, {.refusal_alert = 48});
  TlsPair by_client = MakePair({.refusal_alert = 45}, {});

  by_server.Run();
  by_client.Run();

  EXPECT_EQ(by_server.server.result(), Result(TlsAlertError(48)));
  EXPECT_EQ(by_client.client.result(), Result(TlsAlertError(45)));
  EXPECT_TRUE(by_client.client.Secret(EncryptionLevel::kHandshake, SecretDirection::kSend));
}

TEST(DeterministicTlsSessionTest, EndsOfDifferentWorldsDoNotMeet) {
  TlsPair pair = MakePair({.seed = 1}, {.seed = 2});

  pair.Run();

  EXPECT_EQ(pair.client.result(), Result(TlsAlertError(51)));
}

TEST(DeterministicTlsSessionTest, CryptoDataOfWrongLevelsIsAViolation) {
  const Bytes byte = {1};
  for (const auto& [level, complete, error] :
       {std::tuple(EncryptionLevel::kZeroRtt, false, &kFrameNotPermitted),
        std::tuple(EncryptionLevel::kHandshake, false, &kCryptoDataAtFutureLevel),
        std::tuple(EncryptionLevel::kInitial, true, &kCryptoDataAtOldLevel)}) {
    TlsPair pair = MakePair();
    if (complete) pair.Run();

    const Result result = pair.server.session().ProvideCryptoData(level, byte, kTestTime);

    EXPECT_EQ(result, Result(*error));
    EXPECT_EQ(pair.server.session().ProvideCryptoData(level, byte, kTestTime), result);
  }
}

// RFC 9001 §4.1.3 is about data.
TEST(DeterministicTlsSessionTest, NoBytesAreNoViolationAtAnyLevelOfCryptoData) {
  for (const bool after_handshake : {false, true}) {
    TlsPair pair = MakePair();
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

TEST(DeterministicTlsSessionTest, BytesAfterTheLastMessageOfALevelAreAViolation) {
  TlsPair pair = MakePair();
  CryptoPiece hello = pair.client.TakePieces(nullptr, 0).at(0);
  hello.bytes.push_back(0);

  pair.server.OnPiece(hello, kTestTime);

  EXPECT_EQ(pair.server.result(), Result(kCryptoDataLeftAtLevel));
}

TEST(DeterministicTlsSessionTest, TooMuchCryptoDataIsRefused) {
  TlsPair pair = MakePair();
  TlsSession& server = pair.server.session();
  const Bytes flood(server.MaxCryptoDataBytes(EncryptionLevel::kInitial) + 1, 1);

  EXPECT_EQ(server.ProvideCryptoData(EncryptionLevel::kInitial, flood, kTestTime),
            Result(kCryptoBufferExceeded));
}

TEST(DeterministicTlsSessionTest, ExportedKeyingMaterialIsTheSameAtBothEnds) {
  TlsPair pair = MakePair();
  std::array<uint8_t, 32> client{};
  std::array<uint8_t, 32> server{};
  EXPECT_FALSE(pair.client.session().ExportKeyingMaterial("label", {}, client).ok());
  pair.Run();

  ASSERT_TRUE(pair.client.session().ExportKeyingMaterial("label", {}, client).ok());
  ASSERT_TRUE(pair.server.session().ExportKeyingMaterial("label", {}, server).ok());

  EXPECT_EQ(client, server);
}

}  // namespace
}  // namespace godwit
