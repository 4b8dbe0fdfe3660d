// SPDX-License-Identifier: Apache-2.0
//
// TlsSession on BoringSSL: what a client's ticket says about who is who, tickets that are not
// offered, and what a server may send as one.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/protocol_errors.h"
#include "base/seeded_random.h"
#include "crypto/boringssl.h"
#include "crypto/resumption_ticket.h"
#include "crypto/secret_key.h"
#include "crypto/tls_session.h"
#include "godwit/tls_config.h"
#include "tests/crypto/test_certificates.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

using ::testing::ElementsAreArray;
using Bytes = std::vector<uint8_t>;

bool IsComplete(TlsPair& pair) {
  return pair.client.result().ok() && pair.server.result().ok() &&
         pair.client.session().facts().handshake_complete &&
         pair.server.session().facts().handshake_complete;
}

Bytes Copy(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

class TlsTicketTest : public ::testing::Test {
 protected:
  TlsTicketTest() {
    endpoints_.client_config.offer_early_data = true;
    endpoints_.server_config.accept_early_data = true;
  }

  // With client certificates.
  void MakeMutual() {
    endpoints_.server_config.client_verification =
        PeerVerification::Authorities({endpoints_.root().Source()});
    endpoints_.client_config.certificate = client_.Config();
  }

  TlsEndpoints endpoints_;
  TestCertificate client_ = endpoints_.root().Issue({.common_name = "client"});
};

// ---- The peer's certificate ----

TEST_F(TlsTicketTest, PeerCertificateStaysWhereItIsUntilTheSessionEnds) {
  for (const bool is_resumed : {true, false}) {
    const Bytes ticket = endpoints_.Ticket();
    if (!is_resumed) {
      SeededRandom random(2);
      ASSERT_TRUE(endpoints_.server().SetTicketKeys({{SecretKey::Generate(random)}}).ok());
    }
    TlsPair pair = endpoints_.MakePair(ticket);
    SeededRandom random(3);
    ASSERT_EQ(pair.client.session().facts().early_data, EarlyDataState::kOffered);
    // The ticket's certificate is not the server's word.
    EXPECT_TRUE(pair.client.session().peer_certificate().empty());
    EXPECT_FALSE(pair.client.session().peer_public_key_hash().has_value());

    std::vector<std::span<const uint8_t>> views;
    std::vector<Bytes> copies;
    for (const CryptoPiece& piece : pair.client.TakePieces(nullptr, 0)) {
      pair.server.OnPiece(piece, kTestTime);
    }
    for (const CryptoPiece& piece : pair.server.TakePieces(&random, 20)) {
      pair.client.OnPiece(piece, kTestTime);
      views.push_back(pair.client.session().peer_certificate());
      copies.push_back(Copy(views.back()));
    }
    pair.Run();

    ASSERT_TRUE(IsComplete(pair));
    EXPECT_EQ(pair.client.session().facts().resumed, is_resumed);
    EXPECT_FALSE(copies.back().empty());
    for (size_t i = 0; i < views.size(); ++i) EXPECT_THAT(views[i], ElementsAreArray(copies[i]));
    EXPECT_TRUE(pair.client.session().peer_public_key_hash().has_value());
  }
}

// ---- Who the client is ----

TEST_F(TlsTicketTest, EarlyDataComesFromTheClientOfTheTicket) {
  MakeMutual();

  TlsPair pair = endpoints_.MakePair(endpoints_.Ticket());
  pair.server.OnPiece(pair.client.TakePieces(nullptr, 0).at(0), kTestTime);

  EXPECT_EQ(pair.server.session().facts().early_data, EarlyDataState::kAccepted);
  EXPECT_FALSE(pair.server.session().facts().handshake_complete);
  EXPECT_EQ(pair.server.session().peer_public_key_hash(), client_.KeyHash());
  pair.Run();
  ASSERT_TRUE(IsComplete(pair)) << pair.server.reason();
  const auto sent = pair.client.Secret(EncryptionLevel::kZeroRtt, SecretDirection::kSend);
  const auto received = pair.server.Secret(EncryptionLevel::kZeroRtt, SecretDirection::kRecv);
  ASSERT_TRUE(sent && received);
  EXPECT_THAT(sent->secret.bytes(), ElementsAreArray(received->secret.bytes()));
  EXPECT_EQ(pair.client.session().facts().early_data, EarlyDataState::kAccepted);
  EXPECT_TRUE(pair.server.session().facts().resumed);
  EXPECT_EQ(pair.server.session().peer_public_key_hash(), client_.KeyHash());
}

TEST_F(TlsTicketTest, ClientWithAnotherCertificateDoesNotOfferItsTicket) {
  MakeMutual();
  const Bytes ticket = endpoints_.Ticket();
  const TestCertificate other = endpoints_.root().Issue({.common_name = "other client"});
  endpoints_.client_config.certificate = other.Config();
  endpoints_.Rebuild();

  TlsPair pair = endpoints_.Connect(ticket);

  EXPECT_EQ(pair.client.session().facts().ticket_use, TicketUse::kOtherIdentity);
  EXPECT_TRUE(pair.client.session().remembered_transport_state().empty());
  ASSERT_TRUE(IsComplete(pair)) << pair.server.reason();
  EXPECT_FALSE(pair.server.session().facts().resumed);
  EXPECT_EQ(pair.server.session().peer_public_key_hash(), other.KeyHash());
}

TEST_F(TlsTicketTest, ClientThatGaveUpItsCertificateDoesNotOfferItsTicket) {
  MakeMutual();
  const Bytes ticket = endpoints_.Ticket();
  endpoints_.client_config.certificate.reset();
  endpoints_.Rebuild();

  TlsPair pair = endpoints_.Connect(ticket);

  EXPECT_EQ(pair.client.session().facts().ticket_use, TicketUse::kOtherIdentity);
  ASSERT_FALSE(pair.server.result().ok());
  EXPECT_EQ(pair.server.result().error().code, MakeCryptoError(116));
}

TEST_F(TlsTicketTest, ClientThatWasNobodyDoesNotOfferItsTicketAsSomebody) {
  const Bytes ticket = endpoints_.Ticket();
  endpoints_.client_config.certificate = client_.Config();
  endpoints_.Rebuild();

  TlsPair pair = endpoints_.Connect(ticket);

  EXPECT_EQ(pair.client.session().facts().ticket_use, TicketUse::kOtherIdentity);
  EXPECT_TRUE(IsComplete(pair));
}

// ---- Tickets that are not offered ----

TEST_F(TlsTicketTest, TicketFromTheFutureIsNotOffered) {
  const Bytes ticket = endpoints_.Ticket(After(1));

  TlsPair early = endpoints_.MakePair(ticket, After(0));
  TlsPair in_time = endpoints_.MakePair(ticket, After(1));

  EXPECT_EQ(early.client.session().facts().ticket_use, TicketUse::kExpired);
  EXPECT_EQ(in_time.client.session().facts().ticket_use, TicketUse::kOffered);
}

TEST_F(TlsTicketTest, TicketThatTlsLeavesOutCountsAsUnreadable) {
  const Bytes bytes = endpoints_.Ticket();
  ResumptionTicket ticket = ResumptionTicket::Read(bytes).value();
  const bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  const bssl::UniquePtr<SSL_SESSION> session(
      SSL_SESSION_from_bytes(ticket.tls_session.data(), ticket.tls_session.size(), context.get()));
  ASSERT_NE(session, nullptr);
  ASSERT_EQ(SSL_SESSION_set_protocol_version(session.get(), TLS1_2_VERSION), 1);
  uint8_t* encoded = nullptr;
  size_t length = 0;
  ASSERT_EQ(SSL_SESSION_to_bytes(session.get(), &encoded, &length), 1);
  const bssl::UniquePtr<uint8_t> owned(encoded);
  ticket.tls_session = {encoded, length};

  TlsPair pair = endpoints_.MakePair(ticket.Write().value());

  const TlsFacts facts = pair.client.session().facts();
  EXPECT_EQ(facts.ticket_use, TicketUse::kUnreadable);
  EXPECT_EQ(facts.early_data, EarlyDataState::kNotOffered);
  EXPECT_TRUE(pair.client.session().remembered_transport_state().empty());
  pair.Run();
  EXPECT_TRUE(IsComplete(pair)) << pair.client.reason();
  EXPECT_FALSE(pair.server.session().facts().resumed);
}

// ---- NewSessionTicket messages ----

Bytes NewSessionTicket(const Bytes& extensions) {
  Bytes message = {4, 0,
                   0, 0,  // Header; its length follows below.
                   0, 0,
                   1, 0,
                   0, 0,
                   0, 1,  // Lifetime, age_add.
                   1, 7,
                   0, 4,
                   1, 2,
                   3, 4,  // Nonce, ticket.
                   0, static_cast<uint8_t>(extensions.size())};
  message.insert(message.end(), extensions.begin(), extensions.end());
  message[3] = static_cast<uint8_t>(message.size() - 4);
  return message;
}

TEST_F(TlsTicketTest, FloodOfTicketsIsNotKept) {
  endpoints_.server_config.tickets_per_handshake = 0;
  TlsPair pair = endpoints_.Connect();
  TlsSession& client = pair.client.session();

  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(
        client.ProvideCryptoData(EncryptionLevel::kOneRtt, NewSessionTicket({}), kTestTime).ok());
  }

  size_t kept = 0;
  while (client.PollResumptionTicket({})) ++kept;
  EXPECT_EQ(kept, 8u);
}

// RFC 9001 §4.6.1 speaks of the value only.
TEST_F(TlsTicketTest, OtherFaultsOfATicketAreTlsErrors) {
  const Bytes limit = {0, 42, 0, 4, 255, 255, 255, 255};
  Bytes twice = limit;
  twice.insert(twice.end(), limit.begin(), limit.end());
  for (const auto& [extensions, alert] :
       {std::pair(twice, 47), std::pair(Bytes{0, 42, 0, 3, 255, 255, 255}, 50)}) {
    TlsPair pair = endpoints_.Connect();

    const Result result = pair.client.session().ProvideCryptoData(
        EncryptionLevel::kOneRtt, NewSessionTicket(extensions), kTestTime);

    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, MakeCryptoError(static_cast<uint8_t>(alert)));
  }
}

TEST_F(TlsTicketTest, TicketThatLimitsEarlyDataIsAViolation) {
  TlsPair pair = endpoints_.Connect();

  EXPECT_EQ(pair.client.session().ProvideCryptoData(
                EncryptionLevel::kOneRtt, NewSessionTicket({0, 42, 0, 4, 0, 0, 16, 0}), kTestTime),
            Result(kEarlyDataSizeInvalid));
}

}  // namespace
}  // namespace godwit
