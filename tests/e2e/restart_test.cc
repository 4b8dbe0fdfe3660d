// SPDX-License-Identifier: Apache-2.0
//
// A server that ended without a word comes back with the same key file: the first flight of a
// client that knows nothing of it is answered by a stateless reset, and that ends the connection.
// RFC 9000 §10.3.
#include <poll.h>

#include <fstream>
#include <memory>
#include <string>

#include "gtest/gtest.h"

#include "tests/e2e/hashed_peers.h"
#include "tests/e2e/lab_test.h"

namespace godwit {
namespace {

constexpr int kPatienceMs = 60'000;

std::string WriteKeyFile() {
  const std::string path = testing::TempDir() + "/e2e_restart.keys";
  std::ofstream(path)
      << "token-key 0123456789abcdef0011223344556677fedcba98765432108899aabbccddeeff\n"
         "ticket-key fedcba98765432108899aabbccddeeff0123456789abcdef0011223344556677\n"
         "reset-key 00112233445566770123456789abcdef8899aabbccddeefffedcba9876543210\n";
  return path;
}

// Waits until there is something for the client's loop, which does not run meanwhile: so no timer
// of the client has to do with what follows.
bool HasSomethingToRead(const Client& client, int wait_ms) {
  pollfd waiting = {.fd = client.fd(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, wait_ms) == 1;
}

class RestartTest : public LabTest, public testing::WithParamInterface<IpVersion> {
 protected:
  void SetUp() override { MakeLab({}); }
};

TEST_P(RestartTest, OneFlightAndOneResetEndTheConnection) {
  ServerConfig config = HashServerConfig();
  config.shards = 2;
  config.server_key_file = WriteKeyFile();
  auto server = StartServer(config);
  const uint16_t port = server->port();
  HashClient client({.up_bytes = 500, .down_bytes = 20'000});
  client.Connect(lab().ServerAddress(GetParam(), port));
  ASSERT_TRUE(client.RunUntilDone()) << client.Complaint();

  // What it says at its end does not get out.
  ASSERT_TRUE(lab().SilenceServer(GetParam()).ok());
  server.reset();
  while (HasSomethingToRead(client.client(), 0)) client.client().RunOnce(Timestamp::InfinitePast());
  server = StartServer(config, port);
  ASSERT_TRUE(lab().UnsilenceServer(GetParam()).ok());
  client.OpenMore(1);
  client.client().RunOnce(Timestamp::InfinitePast());
  const uint64_t sent = client.client().socket_stats().datagrams_sent;
  // It may have the answer already.
  if (!client.lost().has_value()) {
    ASSERT_TRUE(HasSomethingToRead(client.client(), kPatienceMs));
    client.client().RunOnce(Timestamp::InfinitePast());
  }

  ASSERT_TRUE(client.lost().has_value());
  EXPECT_EQ(client.lost()->cause, CloseReason::Cause::kStatelessReset);
  EXPECT_EQ(client.client().socket_stats().datagrams_sent, sent);
  EXPECT_EQ(client.client().stats().stateless_resets_received, 1U);
  EXPECT_GE(server->server().Stats().stateless_resets_sent, 1U);
  EXPECT_EQ(server->Sum(&ShardSeen::connected), 0U);
}

TEST_P(RestartTest, TheClientIsServedAgainAtOnce) {
  ServerConfig config = HashServerConfig();
  config.server_key_file = WriteKeyFile();
  auto server = StartServer(config);
  const uint16_t port = server->port();
  const SocketAddress address = lab().ServerAddress(GetParam(), port);
  HashClient client({.up_bytes = 2'000'000, .down_bytes = 2'000'000});
  client.Connect(address);
  ASSERT_TRUE(client.RunUntil([&] { return client.received_bytes() > 100'000; }));

  // In the middle of a transfer.
  ASSERT_TRUE(lab().SilenceServer(GetParam()).ok());
  server.reset();
  server = StartServer(config, port);
  ASSERT_TRUE(lab().UnsilenceServer(GetParam()).ok());
  client.OpenMore(1);  // Who has sent all would wait for the server.
  ASSERT_TRUE(client.RunUntil([&] { return client.lost().has_value(); }));
  HashClient again({.up_bytes = 2'000'000, .down_bytes = 2'000'000});
  again.Connect(address);

  EXPECT_EQ(client.lost()->cause, CloseReason::Cause::kStatelessReset);
  EXPECT_TRUE(again.RunUntilDone()) << again.Complaint();
}

INSTANTIATE_TEST_SUITE_P(Versions, RestartTest, testing::Values(IpVersion::kIpv4, IpVersion::kIpv6),
                         [](const auto& run) { return NameOf(run.param); });

}  // namespace
}  // namespace godwit
