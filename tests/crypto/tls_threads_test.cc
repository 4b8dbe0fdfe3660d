// SPDX-License-Identifier: Apache-2.0
//
// One context of each side, used by two threads at once, as the shards of an endpoint do.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "crypto/replay_store.h"
#include "crypto/secret_key.h"
#include "crypto/tls_context.h"
#include "crypto/tls_session.h"
#include "godwit/tls_config.h"
#include "tests/crypto/test_certificates.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/crypto/tls_pair.h"

namespace godwit {
namespace {

constexpr int kHandshakes = 50;
// Long enough for a server that has just started to accept 0-RTT data.
constexpr int kSecondsBetween = 200;

// What one thread of a server has for itself.
struct Shard {
  Shard(const TlsServerContext& context, const std::vector<SecretKey>& keys, uint64_t seed)
      : random(seed),
        replay_store({.capacity = 1024}, kTestTime.now, random),
        sessions(TlsServerSessions::Create(context, keys,
                                           {.random = &random, .replay_store = &replay_store})
                     .value()) {}

  SeededRandom random;
  BoundedReplayStore replay_store;
  std::unique_ptr<TlsServerSessions> sessions;
};

// Handshakes, each with the ticket of the one before. The number of those that were resumed.
int RunHandshakes(const TlsClientContext& client, Shard& shard) {
  const std::vector<uint8_t> parameters = {1, 2, 3};
  std::vector<uint8_t> ticket;
  int resumed = 0;
  for (int i = 0; i < kHandshakes; ++i) {
    TlsPair pair = {.client = TlsEnd(client
                                         .NewSession({.server_name = "server.example",
                                                      .local_transport_parameters = parameters,
                                                      .resumption_ticket = ticket},
                                                     After(kSecondsBetween * i))
                                         .value()),
                    .server = TlsEnd(shard.sessions
                                         ->NewSession({.local_transport_parameters = parameters,
                                                       .early_data_context = parameters})
                                         .value())};
    pair.Run(nullptr, After(kSecondsBetween * i));
    if (!pair.server.result().ok() || !pair.client.result().ok()) return -1;
    resumed += pair.server.session().facts().resumed ? 1 : 0;
    ticket = i % 5 == 4 ? std::vector<uint8_t>()
                        : pair.client.session().PollResumptionTicket({}).value();
  }
  return resumed;
}

TEST(TlsThreadsTest, TwoThreadsShareTheContextsOfBothSides) {
  TlsEndpoints endpoints;
  endpoints.client_config.offer_early_data = true;
  endpoints.server_config.accept_early_data = true;
  endpoints.server_config.client_verification =
      PeerVerification::Authorities({endpoints.root().Source()});
  endpoints.client_config.certificate = endpoints.root().Issue({.common_name = "client"}).Config();
  const TlsServerContext context =
      TlsServerContext::Create(endpoints.server_config, kTestNow).value();
  const TlsClientContext& client = endpoints.client();
  Shard first(context, endpoints.ticket_keys, 1);
  Shard second(context, endpoints.ticket_keys, 2);
  int resumed_first = 0;
  int resumed_second = 0;

  std::thread one([&] { resumed_first = RunHandshakes(client, first); });
  std::thread two([&] { resumed_second = RunHandshakes(client, second); });
  one.join();
  two.join();

  EXPECT_EQ(resumed_first, kHandshakes * 4 / 5);
  EXPECT_EQ(resumed_second, kHandshakes * 4 / 5);
}

}  // namespace
}  // namespace godwit
