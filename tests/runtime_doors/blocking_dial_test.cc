// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a Dial() of blocking.h that nobody waits for any more.
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "godwit/blocking.h"
#include "godwit/engine.h"
#include "platform/datagram_batch.h"
#include "platform/system_random.h"
#include "platform/udp_socket.h"
#include "tests/runtime_doors/loopback_configs.h"

namespace godwit {
namespace {

TEST(BlockingDialTest, WithTheTimeoutTheAttemptEnds) {
  // A server that hears all and says nothing.
  const ServerConfig server_config = LoopbackServerConfig();
  auto socket = UdpSocket::Open(server_config.socket);
  ASSERT_TRUE(socket.ok()) << socket.status();
  SystemRandom random;
  const auto engine = *Engine::Create({.endpoint = server_config.endpoint,
                                       .tls_client = std::nullopt,
                                       .tls_server = server_config.tls,
                                       .server_key_file = {}},
                                      {.random = &random}, Loop::Now(), UnixTime());
  ClientConfig client_config = LoopbackClientConfig();
  client_config.endpoint.connection.handshake_timeout = Duration::Seconds(1'000);
  auto client = *BlockingClient::Create(client_config);
  const auto dialed =
      client.Dial("127.0.0.1", socket->local_address().port(), Duration::Milliseconds(20));
  EXPECT_TRUE(absl::IsDeadlineExceeded(dialed.status())) << dialed.status();

  // It is told that the attempt is over.
  DatagramBatch batch;
  while (engine->stats().connections_closed == 0) {
    const Timestamp now = Loop::Now();
    engine->OnDatagrams(socket->Receive(batch, now), now);
    while (engine->PollEvent().has_value()) continue;
    engine->OnTimeout(now);
  }

  EXPECT_EQ(engine->stats().connections_accepted, 1U);
}

}  // namespace
}  // namespace godwit
