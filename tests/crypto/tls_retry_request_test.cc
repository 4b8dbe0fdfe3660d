// SPDX-License-Identifier: Apache-2.0
//
// TlsSession on BoringSSL: handshakes with a HelloRetryRequest (RFC 8446 §4.1.4). Our clients send
// a key share that our servers like, so the client here has a context of its own, which prefers
// P-384.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "crypto/boringssl.h"
#include "crypto/boringssl_callbacks.h"
#include "crypto/boringssl_tls_session.h"
#include "crypto/peer_verifier.h"
#include "crypto/tls_policy.h"
#include "crypto/tls_session.h"
#include "godwit/perspective.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

using ::testing::Contains;
using ::testing::Not;
using Bytes = std::vector<uint8_t>;

class TlsRetryRequestTest : public ::testing::Test {
 protected:
  TlsRetryRequestTest() : context_(SSL_CTX_new(TLS_with_buffers_method())) {
    endpoints_.server_config.accept_early_data = true;
    constexpr int kGroups[] = {NID_secp384r1, NID_X9_62_prime256v1};
    constexpr uint8_t kProtocols[] = {4, 'e', 'c', 'h', 'o'};
    auto policy = std::make_unique<TlsPolicy>();
    policy->perspective = Perspective::kClient;
    policy->application_protocols = {"echo"};
    policy->peer_verifier =
        PeerVerifier::Create(endpoints_.client_config.server_verification, Perspective::kServer)
            .value();
    policy->early_data = true;
    SSL_CTX* context = context_.get();
    constexpr uint16_t kSignatures[] = {SSL_SIGN_ED25519};
    EXPECT_EQ(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION), 1);
    EXPECT_EQ(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION), 1);
    EXPECT_EQ(SSL_CTX_set1_curves(context, kGroups, std::size(kGroups)), 1);
    EXPECT_EQ(SSL_CTX_set_verify_algorithm_prefs(context, kSignatures, 1), 1);
    EXPECT_EQ(SSL_CTX_set_alpn_protos(context, kProtocols, sizeof(kProtocols)), 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
    EXPECT_TRUE(InstallBoringSslCallbacks(context, {.perspective = Perspective::kClient,
                                                    .verify_peer = true,
                                                    .export_session_secrets = false}));
    EXPECT_TRUE(TlsPolicy::Attach(context, std::move(policy)));
  }

  TlsPair MakePair(const Bytes& ticket = {}) {
    TlsPair pair = endpoints_.MakePair();
    pair.client = TlsEnd(
        BoringSslTlsSession::NewClient(context_.get(),
                                       {.server_name = endpoints_.server_name,
                                        .local_transport_parameters = endpoints_.client_parameters,
                                        .resumption_ticket = ticket},
                                       kTestTime)
            .value());
    return pair;
  }

  TlsEndpoints endpoints_;
  bssl::UniquePtr<SSL_CTX> context_;
};

bool IsComplete(TlsPair& pair) {
  return pair.client.result().ok() && pair.server.result().ok() &&
         pair.client.session().facts().handshake_complete &&
         pair.server.session().facts().handshake_complete;
}

void ExpectSameSecrets(const TlsPair& pair) {
  for (const EncryptionLevel level : {EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    const auto sent = pair.client.Secret(level, SecretDirection::kSend);
    const auto received = pair.server.Secret(level, SecretDirection::kRecv);
    ASSERT_TRUE(sent && received);
    EXPECT_THAT(sent->secret.bytes(), ::testing::ElementsAreArray(received->secret.bytes()));
  }
}

TEST_F(TlsRetryRequestTest, ServerAsksAtTheInitialLevelWithoutASecret) {
  TlsPair pair = MakePair();

  pair.server.OnPiece(pair.client.TakePieces(nullptr, 0).at(0), kTestTime);
  const std::vector<CryptoPiece> answer = pair.server.TakePieces(nullptr, 0);

  ASSERT_EQ(answer.size(), 1u);
  EXPECT_EQ(answer[0].level, EncryptionLevel::kInitial);
  EXPECT_TRUE(pair.server.secrets().empty());
  EXPECT_FALSE(pair.server.session().facts().handshake_complete);
}

TEST_F(TlsRetryRequestTest, HandshakeCompletesWholeAndCut) {
  SeededRandom random(1);
  for (int round = 0; round < 20; ++round) {
    TlsPair pair = MakePair();

    pair.Run(round == 0 ? nullptr : &random);

    ASSERT_TRUE(IsComplete(pair)) << pair.client.reason() << pair.server.reason();
    EXPECT_EQ(pair.client.session().facts().key_exchange_group, "P-256");
    EXPECT_EQ(pair.server.session().facts().key_exchange_group, "P-256");
    ExpectSameSecrets(pair);
  }
}

TEST_F(TlsRetryRequestTest, TicketResumesWithoutItsEarlyData) {
  SeededRandom random(1);
  for (int round = 0; round < 20; ++round) {
    TlsPair first = MakePair();
    first.Run();
    TlsPair pair = MakePair(first.client.session().PollResumptionTicket({}).value());
    ASSERT_EQ(pair.client.session().facts().ticket_use, TicketUse::kOffered);
    ASSERT_EQ(pair.client.session().facts().early_data, EarlyDataState::kOffered);

    pair.Run(round == 0 ? nullptr : &random);

    ASSERT_TRUE(IsComplete(pair)) << pair.client.reason() << pair.server.reason();
    EXPECT_TRUE(pair.client.session().facts().resumed);
    EXPECT_TRUE(pair.server.session().facts().resumed);
    EXPECT_EQ(pair.client.session().facts().early_data, EarlyDataState::kRejected);
    EXPECT_EQ(pair.server.session().facts().early_data, EarlyDataState::kRejected);
    EXPECT_THAT(pair.server.story(), Not(Contains("recv 0rtt")));
    ExpectSameSecrets(pair);
  }
}

}  // namespace
}  // namespace godwit
