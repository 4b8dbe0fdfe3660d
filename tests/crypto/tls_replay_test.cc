// SPDX-License-Identifier: Apache-2.0
//
// TlsSession on BoringSSL: ClientHellos with 0-RTT data that come again, as they were, at times and
// under clocks that an attacker would choose.
#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "crypto/secret_key.h"
#include "crypto/tls_session.h"
#include "tests/crypto/test_certificates.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

class TlsReplayTest : public ::testing::Test {
 protected:
  TlsReplayTest() {
    endpoints_.client_config.offer_early_data = true;
    endpoints_.server_config.accept_early_data = true;
  }

  CryptoPiece Hello(const Bytes& ticket, TlsTime time) {
    return endpoints_.MakePair(ticket, time).client.TakePieces(nullptr, 0).at(0);
  }

  // Whether a new session of the server accepts the 0-RTT data of `hello`.
  bool IsAccepted(const CryptoPiece& hello, TlsTime time) {
    TlsPair pair = endpoints_.MakePair();
    pair.server.OnPiece(hello, time);
    EXPECT_TRUE(pair.server.result().ok()) << pair.server.reason();
    EXPECT_TRUE(pair.server.session().facts().resumed);
    return pair.server.Secret(EncryptionLevel::kZeroRtt, SecretDirection::kRecv).has_value();
  }

  TlsEndpoints endpoints_;
};

TEST_F(TlsReplayTest, HelloThatWasRefusedForItsUsedTicketIsNotAcceptedLater) {
  const Bytes ticket = endpoints_.Ticket();
  const CryptoPiece first = Hello(ticket, After(1));
  const CryptoPiece second = Hello(ticket, After(100));
  ASSERT_TRUE(IsAccepted(first, After(1)));
  ASSERT_FALSE(IsAccepted(second, After(100)));

  EXPECT_FALSE(IsAccepted(second, After(132)));
  EXPECT_FALSE(IsAccepted(second, After(160)));
}

TEST_F(TlsReplayTest, HelloThatWasRefusedForItsContextIsNotAcceptedUnderAnother) {
  const CryptoPiece hello = Hello(endpoints_.Ticket(), After(1));
  for (const Bytes& context : {Bytes{'v', '2'}, Bytes{}}) {
    endpoints_.early_data_context = context;
    ASSERT_FALSE(IsAccepted(hello, After(1)));
  }

  endpoints_.early_data_context = {'v', '1'};

  EXPECT_FALSE(IsAccepted(hello, After(2)));
}

TEST_F(TlsReplayTest, WallClockThatIsSetBackDoesNotReviveAHello) {
  const CryptoPiece hello = Hello(endpoints_.Ticket(), After(1));
  ASSERT_TRUE(IsAccepted(hello, After(1)));

  // A thousand seconds later the store has forgotten it, and the wall clock is where it was.
  const TlsTime set_back = {After(1001).now, After(1).wall};

  EXPECT_FALSE(IsAccepted(hello, set_back));
}

TEST_F(TlsReplayTest, RestartDoesNotReviveAHello) {
  const Bytes first_ticket = endpoints_.Ticket();
  const CryptoPiece hello = Hello(first_ticket, After(1));
  ASSERT_TRUE(IsAccepted(hello, After(1)));
  TlsEndpoints restarted;  // With an empty store.
  restarted.server_config.accept_early_data = true;
  restarted.client_config.offer_early_data = true;
  restarted.ticket_keys = endpoints_.ticket_keys;
  restarted.has_run_for_a_while = false;

  TlsPair replay = restarted.MakePair();
  replay.server.OnPiece(hello, After(30));
  const Bytes ticket = restarted.Ticket(After(100));
  TlsPair too_early = restarted.Connect(ticket, After(30 + 129));
  TlsPair in_time = restarted.Connect(restarted.Ticket(After(101)), After(30 + 130));

  EXPECT_TRUE(replay.server.session().facts().resumed);
  EXPECT_EQ(replay.server.session().facts().early_data, EarlyDataState::kRejected);
  EXPECT_EQ(too_early.server.session().facts().early_data, EarlyDataState::kRejected);
  EXPECT_EQ(in_time.server.session().facts().early_data, EarlyDataState::kAccepted);
}

TEST_F(TlsReplayTest, ServerThatMadeItsKeyAcceptsAtOnceUntilItIsGivenOne) {
  endpoints_.has_run_for_a_while = false;
  const std::vector<SecretKey> given = endpoints_.ticket_keys;
  endpoints_.ticket_keys.clear();
  EXPECT_TRUE(IsAccepted(Hello(endpoints_.Ticket(), After(1)), After(1)));

  ASSERT_TRUE(endpoints_.server().SetTicketKeys(given).ok());

  EXPECT_FALSE(IsAccepted(Hello(endpoints_.Ticket(After(2)), After(3)), After(3)));
  // Another rotation does not begin it anew.
  EXPECT_TRUE(IsAccepted(Hello(endpoints_.Ticket(After(140)), After(140)), After(140)));
  ASSERT_TRUE(endpoints_.server().SetTicketKeys(given).ok());
  EXPECT_TRUE(IsAccepted(Hello(endpoints_.Ticket(After(150)), After(150)), After(150)));
}

}  // namespace
}  // namespace godwit
