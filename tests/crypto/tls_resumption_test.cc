// SPDX-License-Identifier: Apache-2.0
//
// TlsSession on BoringSSL: resumed sessions, 0-RTT, replays, rotated ticket keys, and tickets that
// are not offered.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/seeded_random.h"
#include "crypto/secret_key.h"
#include "crypto/tls_context.h"
#include "crypto/tls_session.h"
#include "godwit/tls_config.h"
#include "tests/crypto/test_certificates.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Not;
using Bytes = std::vector<uint8_t>;

bool IsComplete(TlsPair& pair) {
  return pair.client.result().ok() && pair.server.result().ok() &&
         pair.client.session().facts().handshake_complete &&
         pair.server.session().facts().handshake_complete;
}

bool IsResumed(TlsPair& pair) {
  return IsComplete(pair) && pair.client.session().facts().resumed &&
         pair.server.session().facts().resumed;
}

// What both ends say about 0-RTT, which is the same.
EarlyDataState EarlyData(TlsPair& pair) {
  EXPECT_EQ(pair.client.session().facts().early_data, pair.server.session().facts().early_data);
  return pair.client.session().facts().early_data;
}

bool ServerReadsEarlyData(const TlsPair& pair) {
  return pair.server.Secret(EncryptionLevel::kZeroRtt, SecretDirection::kRecv).has_value();
}

TEST(TlsResumptionTest, TicketResumesTheSessionAndReturnsTheTransportState) {
  TlsEndpoints endpoints;
  const Bytes ticket = endpoints.Ticket();

  TlsPair pair = endpoints.Connect(ticket, After(10));

  EXPECT_TRUE(IsResumed(pair)) << pair.client.reason() << pair.server.reason();
  EXPECT_EQ(pair.client.session().facts().ticket_use, TicketUse::kOffered);
  EXPECT_THAT(pair.client.session().remembered_transport_state(),
              ElementsAre('s', 't', 'a', 't', 'e'));
  EXPECT_FALSE(pair.client.session().peer_certificate().empty());
  EXPECT_EQ(EarlyData(pair), EarlyDataState::kNotOffered);
}

TEST(TlsResumptionTest, ServerSendsAsManyTicketsAsConfigured) {
  for (const size_t count : {0u, 1u, 2u, 5u}) {
    TlsEndpoints endpoints;
    endpoints.server_config.tickets_per_handshake = count;

    TlsPair pair = endpoints.Connect();

    size_t polled = 0;
    while (pair.client.session().PollResumptionTicket({})) ++polled;
    EXPECT_EQ(polled, count);
    EXPECT_TRUE(IsComplete(pair));
  }
}

TEST(TlsResumptionTest, TicketsAreSmall) {
  TlsEndpoints endpoints;
  TlsPair first = endpoints.MakePair();
  TlsPair resumed = endpoints.MakePair(endpoints.Ticket());

  const size_t plain = first.client.session().PendingCryptoData(EncryptionLevel::kInitial).size();
  const size_t with_ticket =
      resumed.client.session().PendingCryptoData(EncryptionLevel::kInitial).size();

  EXPECT_LT(plain, 300u);
  EXPECT_LT(with_ticket, 600u);
}

TEST(TlsResumptionTest, TicketsAreNotForServers) {
  TlsEndpoints endpoints;
  TlsPair pair = endpoints.Connect();

  EXPECT_FALSE(pair.server.session().PollResumptionTicket({}).has_value());
  EXPECT_TRUE(pair.server.session().remembered_transport_state().empty());
}

TEST(TlsResumptionTest, UnknownTicketKeyLeadsToAFullHandshake) {
  TlsEndpoints endpoints;
  const Bytes ticket = endpoints.Ticket();
  SeededRandom random(2);
  const SecretKey other = SecretKey::Generate(random);
  ASSERT_TRUE(endpoints.server().SetTicketKeys({{other}}).ok());

  TlsPair pair = endpoints.Connect(ticket);

  EXPECT_TRUE(IsComplete(pair));
  EXPECT_FALSE(pair.client.session().facts().resumed);
  EXPECT_FALSE(pair.server.session().facts().resumed);
}

TEST(TlsResumptionTest, RotatedKeysStillOpenWhileTheyAreListed) {
  TlsEndpoints endpoints;
  const Bytes old_ticket = endpoints.Ticket();
  SeededRandom random(2);
  const SecretKey old_key = endpoints.ticket_keys[0];
  const SecretKey new_key = SecretKey::Generate(random);
  ASSERT_TRUE(endpoints.server().SetTicketKeys({{new_key, old_key}}).ok());

  TlsPair with_old_ticket = endpoints.Connect(old_ticket);
  const Bytes new_ticket = endpoints.Ticket();
  ASSERT_TRUE(endpoints.server().SetTicketKeys({{new_key}}).ok());
  TlsPair with_new_ticket = endpoints.Connect(new_ticket);
  TlsPair too_late = endpoints.Connect(old_ticket);

  EXPECT_TRUE(IsResumed(with_old_ticket));
  EXPECT_TRUE(IsResumed(with_new_ticket));
  EXPECT_TRUE(IsComplete(too_late));
  EXPECT_FALSE(IsResumed(too_late));
}

TEST(TlsResumptionTest, RefusedTicketKeysLeaveTheOldOnes) {
  TlsEndpoints endpoints;
  const Bytes ticket = endpoints.Ticket();

  EXPECT_FALSE(endpoints.server().SetTicketKeys({}).ok());
  TlsPair pair = endpoints.Connect(ticket);

  EXPECT_TRUE(IsResumed(pair));
}

TEST(TlsResumptionTest, TicketsSurviveARestartWithTheSameKeys) {
  TlsEndpoints endpoints;
  const Bytes ticket = endpoints.Ticket();
  endpoints.Rebuild();

  TlsPair pair = endpoints.Connect(ticket);

  EXPECT_TRUE(IsResumed(pair));
}

TEST(TlsResumptionTest, WithoutKeysTicketsDieWithTheServer) {
  TlsEndpoints endpoints;
  endpoints.ticket_keys.clear();
  const Bytes ticket = endpoints.Ticket();

  TlsPair before = endpoints.Connect(ticket);
  endpoints.Rebuild();
  TlsPair after = endpoints.Connect(ticket);

  EXPECT_TRUE(IsResumed(before));
  EXPECT_TRUE(IsComplete(after));
  EXPECT_FALSE(IsResumed(after));
}

// ---- Tickets that a client does not offer ----

TEST(TlsResumptionTest, ExpiredTicketIsNotOffered) {
  TlsEndpoints endpoints;
  endpoints.server_config.ticket_lifetime = absl::Hours(1);
  const Bytes ticket = endpoints.Ticket();

  TlsPair in_time = endpoints.Connect(ticket, After(3599));
  TlsPair late = endpoints.Connect(ticket, After(3600));

  EXPECT_TRUE(IsResumed(in_time));
  EXPECT_EQ(late.client.session().facts().ticket_use, TicketUse::kExpired);
  EXPECT_TRUE(IsComplete(late));
  EXPECT_FALSE(IsResumed(late));
  EXPECT_TRUE(late.client.session().remembered_transport_state().empty());
}

TEST(TlsResumptionTest, TicketOfAnotherServerIsNotOffered) {
  TlsEndpoints endpoints;
  endpoints.client_config.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  const Bytes ticket = endpoints.Ticket();
  endpoints.server_name = "other.example";

  TlsPair pair = endpoints.Connect(ticket);

  EXPECT_EQ(pair.client.session().facts().ticket_use, TicketUse::kOtherServerName);
  EXPECT_TRUE(IsComplete(pair));
  EXPECT_FALSE(IsResumed(pair));
}

TEST(TlsResumptionTest, TicketOfAnotherProtocolIsNotOffered) {
  TlsEndpoints endpoints;
  const Bytes ticket = endpoints.Ticket();
  endpoints.client_config.application_protocols = {"new"};
  endpoints.server_config.application_protocols = {"echo", "new"};
  endpoints.Rebuild();

  TlsPair pair = endpoints.Connect(ticket);

  EXPECT_EQ(pair.client.session().facts().ticket_use, TicketUse::kOtherApplicationProtocol);
  EXPECT_TRUE(IsComplete(pair));
}

TEST(TlsResumptionTest, TicketOfAServerThatIsNotTrustedAnyMoreIsNotOffered) {
  TlsEndpoints endpoints;
  const Bytes ticket = endpoints.Ticket();
  endpoints.client_config.server_verification = PeerVerification::PinnedKeys({PublicKeyHash()});
  endpoints.Rebuild();

  TlsPair pair = endpoints.Connect(ticket);

  EXPECT_EQ(pair.client.session().facts().ticket_use, TicketUse::kServerNotTrusted);
  EXPECT_EQ(pair.client.result().error().code, MakeCryptoError(46));
}

TEST(TlsResumptionTest, DamagedTicketsDoNoHarm) {
  TlsEndpoints endpoints;
  const Bytes ticket = endpoints.Ticket();
  for (size_t length = 1; length < ticket.size(); ++length) {
    const Bytes cut(ticket.begin(), ticket.begin() + static_cast<ptrdiff_t>(length));

    TlsPair pair = endpoints.MakePair(cut);

    EXPECT_EQ(pair.client.session().facts().ticket_use, TicketUse::kUnreadable) << length;
  }
  for (size_t position = 0; position < ticket.size(); ++position) {
    Bytes changed = ticket;
    changed[position] ^= 0x55;

    TlsPair pair = endpoints.Connect(changed);

    // Some changes make another valid ticket, even of another PSK; it must not come to a crash or
    // to a handshake that one end takes for resumed and the other not.
    if (pair.client.result().ok() && pair.server.result().ok()) {
      EXPECT_EQ(pair.client.session().facts().resumed, pair.server.session().facts().resumed);
    }
  }
}

// ---- 0-RTT ----

class EarlyDataTest : public ::testing::Test {
 protected:
  EarlyDataTest() {
    endpoints_.client_config.offer_early_data = true;
    endpoints_.server_config.accept_early_data = true;
  }

  TlsEndpoints endpoints_;
};

TEST_F(EarlyDataTest, IsAcceptedWithTheSameSecretAtBothEnds) {
  const Bytes ticket = endpoints_.Ticket();
  TlsPair pair = endpoints_.MakePair(ticket, After(5));
  EXPECT_EQ(pair.client.session().facts().early_data, EarlyDataState::kOffered);
  EXPECT_EQ(pair.client.session().facts().application_protocol, "echo");
  EXPECT_FALSE(pair.client.session().facts().resumed);

  pair.Run(nullptr, After(5));

  EXPECT_TRUE(IsResumed(pair));
  EXPECT_EQ(EarlyData(pair), EarlyDataState::kAccepted);
  const std::optional<TlsSecret> sent =
      pair.client.Secret(EncryptionLevel::kZeroRtt, SecretDirection::kSend);
  const std::optional<TlsSecret> received =
      pair.server.Secret(EncryptionLevel::kZeroRtt, SecretDirection::kRecv);
  ASSERT_TRUE(sent && received);
  EXPECT_THAT(sent->secret.bytes(), ElementsAreArray(received->secret.bytes()));
  EXPECT_EQ(sent->secret.suite(), received->secret.suite());
}

TEST_F(EarlyDataTest, OutputsComeInAFixedOrder) {
  const Bytes ticket = endpoints_.Ticket();

  TlsPair pair = endpoints_.Connect(ticket);

  EXPECT_THAT(pair.client.story(),
              ElementsAre("send 0rtt", "bytes initial", "send handshake", "recv handshake",
                          "send 1rtt", "recv 1rtt", "bytes handshake"));
  EXPECT_THAT(pair.server.story(),
              ElementsAre("send handshake", "send 1rtt", "recv 0rtt", "recv handshake",
                          "bytes initial", "bytes handshake", "bytes 1rtt", "recv 1rtt"));
}

TEST_F(EarlyDataTest, SurvivesCuttingAndShuffling) {
  SeededRandom random(3);
  for (int round = 0; round < 20; ++round) {
    TlsPair pair = endpoints_.MakePair(endpoints_.Ticket());

    pair.Run(&random);

    ASSERT_TRUE(IsResumed(pair)) << round;
    ASSERT_EQ(EarlyData(pair), EarlyDataState::kAccepted) << round;
  }
}

TEST_F(EarlyDataTest, IsNotOfferedUnlessBothConfigurationsAllowIt) {
  for (const auto& [offer, accept] : {std::pair(false, true), std::pair(true, false)}) {
    endpoints_.client_config.offer_early_data = offer;
    endpoints_.server_config.accept_early_data = accept;
    endpoints_.Rebuild();

    TlsPair pair = endpoints_.Connect(endpoints_.Ticket());

    EXPECT_TRUE(IsResumed(pair));
    EXPECT_EQ(EarlyData(pair), EarlyDataState::kNotOffered);
  }
}

TEST_F(EarlyDataTest, ReplayedTicketIsRefusedAndTheHandshakeGoesOn) {
  const Bytes ticket = endpoints_.Ticket();
  TlsPair first = endpoints_.Connect(ticket, After(1));

  TlsPair second = endpoints_.Connect(ticket, After(2));

  EXPECT_EQ(EarlyData(first), EarlyDataState::kAccepted);
  EXPECT_TRUE(IsResumed(second)) << second.client.reason();
  EXPECT_EQ(EarlyData(second), EarlyDataState::kRejected);
  EXPECT_FALSE(ServerReadsEarlyData(second));
}

// The whole ClientHello again, byte for byte, as an attacker would.
TEST_F(EarlyDataTest, ReplayedClientHelloIsRefused) {
  TlsPair pair = endpoints_.MakePair(endpoints_.Ticket());
  const CryptoPiece hello = pair.client.TakePieces(nullptr, 0).at(0);
  TlsPair replay = endpoints_.MakePair();

  pair.server.OnPiece(hello, kTestTime);
  replay.server.OnPiece(hello, After(1));

  EXPECT_TRUE(ServerReadsEarlyData(pair));
  EXPECT_TRUE(replay.server.result().ok());
  EXPECT_FALSE(ServerReadsEarlyData(replay));
  EXPECT_EQ(replay.server.session().facts().early_data, EarlyDataState::kRejected);
}

TEST_F(EarlyDataTest, TicketFromAReplayedConnectionResumesWithoutAndTheNextWithEarlyData) {
  const Bytes ticket = endpoints_.Ticket();
  TlsPair first = endpoints_.Connect(ticket);
  TlsPair replayed = endpoints_.Connect(ticket);
  ASSERT_EQ(EarlyData(replayed), EarlyDataState::kRejected);

  TlsPair next = endpoints_.Connect(replayed.client.session().PollResumptionTicket({}).value());
  TlsPair last = endpoints_.Connect(next.client.session().PollResumptionTicket({}).value());

  EXPECT_TRUE(IsResumed(next));
  EXPECT_EQ(EarlyData(next), EarlyDataState::kNotOffered);
  EXPECT_EQ(EarlyData(last), EarlyDataState::kAccepted);
}

// The window of the replay store rests on this: what BoringSSL accepts is at most 60 seconds off.
TEST_F(EarlyDataTest, TicketAgeMayBeOffByAMinuteAtMost) {
  for (const auto& [skew, state] :
       {std::pair(-61, EarlyDataState::kRejected), std::pair(-60, EarlyDataState::kAccepted),
        std::pair(60, EarlyDataState::kAccepted), std::pair(61, EarlyDataState::kRejected)}) {
    TlsPair pair = endpoints_.MakePair(endpoints_.Ticket(), After(100));

    pair.Run(nullptr, After(100 + skew));

    EXPECT_TRUE(IsResumed(pair)) << skew;
    EXPECT_EQ(EarlyData(pair), state) << skew;
  }
}

TEST_F(EarlyDataTest, OldHelloIsRefusedAfterTheStoreHasForgottenIt) {
  TlsPair pair = endpoints_.MakePair(endpoints_.Ticket(), After(61));
  const CryptoPiece hello = pair.client.TakePieces(nullptr, 0).at(0);
  pair.server.OnPiece(hello, After(1));  // The earliest that passes.
  ASSERT_TRUE(ServerReadsEarlyData(pair));

  for (int seconds = 2; seconds < 400; ++seconds) {
    TlsPair replay = endpoints_.MakePair();
    replay.server.OnPiece(hello, After(seconds));

    EXPECT_FALSE(ServerReadsEarlyData(replay)) << seconds;
  }
}

TEST_F(EarlyDataTest, ChangedContextIsRefused) {
  const Bytes ticket = endpoints_.Ticket();
  endpoints_.early_data_context = {'v', '2'};

  TlsPair pair = endpoints_.Connect(ticket);

  EXPECT_TRUE(IsResumed(pair));
  EXPECT_EQ(EarlyData(pair), EarlyDataState::kRejected);
  EXPECT_FALSE(ServerReadsEarlyData(pair));
}

TEST_F(EarlyDataTest, WithoutAContextOrAReplayStoreNoneIsAccepted) {
  const Bytes ticket = endpoints_.Ticket();
  SeededRandom random(5);
  const TlsServerContext context =
      TlsServerContext::Create(endpoints_.server_config, kTestNow).value();
  const auto forgetful =
      TlsServerSessions::Create(context, endpoints_.ticket_keys, {.random = &random}).value();
  TlsPair without_store = endpoints_.MakePair(ticket);
  without_store.server =
      TlsEnd(forgetful
                 ->NewSession({.local_transport_parameters = endpoints_.server_parameters,
                               .early_data_context = endpoints_.early_data_context})
                 .value());
  endpoints_.early_data_context.clear();
  TlsPair without_context = endpoints_.MakePair(ticket);

  without_store.Run();
  without_context.Run();

  EXPECT_EQ(EarlyData(without_store), EarlyDataState::kRejected);
  EXPECT_EQ(EarlyData(without_context), EarlyDataState::kRejected);
  EXPECT_TRUE(IsResumed(without_store));
  EXPECT_TRUE(IsResumed(without_context));
}

TEST_F(EarlyDataTest, FullHandshakeRejectsIt) {
  const Bytes ticket = endpoints_.Ticket();
  SeededRandom random(2);
  ASSERT_TRUE(endpoints_.server().SetTicketKeys({{SecretKey::Generate(random)}}).ok());

  TlsPair pair = endpoints_.Connect(ticket);

  EXPECT_TRUE(IsComplete(pair)) << pair.client.reason();
  EXPECT_FALSE(IsResumed(pair));
  EXPECT_EQ(EarlyData(pair), EarlyDataState::kRejected);
  EXPECT_THAT(pair.server.story(), Not(Contains("recv 0rtt")));
}

// ---- Tickets of clients with certificates ----

class MutualResumptionTest : public ::testing::Test {
 protected:
  MutualResumptionTest() {
    endpoints_.server_config.client_verification =
        PeerVerification::Authorities({endpoints_.root().Source()});
    endpoints_.client_config.certificate = client_.Config();
  }

  TlsEndpoints endpoints_;
  TestCertificate client_ = endpoints_.root().Issue({.common_name = "client"});
};

TEST_F(MutualResumptionTest, ServerStillKnowsTheClient) {
  TlsPair pair = endpoints_.Connect(endpoints_.Ticket());

  EXPECT_TRUE(IsResumed(pair)) << pair.server.reason();
  EXPECT_EQ(pair.server.session().peer_public_key_hash(), client_.KeyHash());
}

TEST_F(MutualResumptionTest, ClientThatWouldNotPassNowIsAskedForItsCertificate) {
  const Bytes ticket = endpoints_.Ticket();
  endpoints_.server_config.client_verification = PeerVerification::PinnedKeys({PublicKeyHash()});
  endpoints_.Rebuild();

  TlsPair pair = endpoints_.Connect(ticket);

  EXPECT_FALSE(pair.server.session().facts().resumed);
  ASSERT_FALSE(pair.server.result().ok());
  EXPECT_EQ(pair.server.result().error().code, MakeCryptoError(46));
}

TEST_F(MutualResumptionTest, TicketFromBeforeCertificatesWereRequiredDoesNotGetAroundThem) {
  for (const PeerVerification& verification :
       {PeerVerification::Authorities({endpoints_.root().Source()}),
        PeerVerification::InsecurelyAcceptAnyCertificate()}) {
    TlsEndpoints open;
    const Bytes ticket = open.Ticket();
    open.server_config.client_verification = verification;
    open.Rebuild();

    TlsPair pair = open.Connect(ticket);

    EXPECT_FALSE(pair.server.session().facts().resumed);
    ASSERT_FALSE(pair.server.result().ok());
    EXPECT_EQ(pair.server.result().error().code, MakeCryptoError(116));
  }
}

// ---- Contexts that are replaced ----

TEST(TlsContextReplacementTest, RunningSessionsKeepTheirContext) {
  TlsEndpoints endpoints;
  TlsPair running = endpoints.MakePair();
  const TestCertificate renewed =
      endpoints.root().Issue({.common_name = "renewed", .names = "DNS:server.example"});
  TlsServerConfig config = endpoints.server_config;
  config.certificates = {renewed.Config()};
  endpoints.server().SetContext(TlsServerContext::Create(config, kTestNow).value());

  running.Run();
  TlsPair fresh = endpoints.Connect();

  EXPECT_TRUE(IsComplete(running)) << running.client.reason();
  EXPECT_NE(running.client.session().peer_public_key_hash(), renewed.KeyHash());
  EXPECT_TRUE(IsComplete(fresh));
  EXPECT_EQ(fresh.client.session().peer_public_key_hash(), renewed.KeyHash());
}

}  // namespace
}  // namespace godwit
