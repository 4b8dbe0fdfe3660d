// SPDX-License-Identifier: Apache-2.0
//
// Many connections one after the other and beside each other, each with a request and its answer,
// by hash; afterwards nothing is left of them. 10,000 in connections_long_test, which is the same.
#include <string>

#include "gtest/gtest.h"

#include "tests/e2e/hashed_peers.h"

namespace godwit {
namespace {

constexpr uint64_t kConnections = GODWIT_E2E_CONNECTIONS;  // Half by each IP version.
constexpr uint64_t kAtOnce = 40;

class ConnectionsTest : public testing::TestWithParam<const char*> {};

TEST_P(ConnectionsTest, AllAreServedAndNothingIsLeftOfThem) {
  if (!CanListenOn(*SocketAddress::Parse(GetParam()))) {
    GTEST_SKIP() << GetParam() << " is no address here";
  }
  constexpr uint64_t kCount = kConnections / 2;
  ServerConfig config = HashServerConfig();
  config.shards = 2;
  config.socket.local = *SocketAddress::Parse(GetParam());
  config.endpoint.max_accepts_per_second_per_source = 100'000;
  HashServer server(config);
  HashClient client({.up_bytes = 512, .down_bytes = 4'000, .closes_when_done = true});

  for (uint64_t i = 0; i < kCount; ++i) {
    client.Connect(server.server().local_address());
    ASSERT_TRUE(client.RunUntil([&] { return i + 1 - client.closed() < kAtOnce; }))
        << client.Complaint();
  }
  ASSERT_TRUE(client.RunUntil([&] { return client.closed() == kCount; })) << client.Complaint();
  const auto is_over = [&] {
    return server.Sum(&ShardSeen::closed) == kCount && server.server().Stats().connections == 0 &&
           client.client().stats().connections == 0;
  };
  ASSERT_TRUE(client.RunUntil(is_over)) << client.Complaint();

  EXPECT_EQ(client.streams_done(), kCount);
  EXPECT_EQ(server.Sum(&ShardSeen::streams_done), kCount);
  const EndpointStats stats = server.server().Stats();
  EXPECT_EQ(stats.connections_accepted, kCount);
  EXPECT_EQ(stats.half_open, 0U);
  EXPECT_EQ(stats.held_bytes, 0U);
  EXPECT_EQ(client.client().stats().held_bytes, 0U);
  for (const uint64_t refused : stats.refused) EXPECT_EQ(refused, 0U);
}

INSTANTIATE_TEST_SUITE_P(Loopback, ConnectionsTest, testing::Values("127.0.0.1:0", "[::1]:0"),
                         [](const auto& run) { return run.index == 0 ? "Ipv4" : "Ipv6"; });

}  // namespace
}  // namespace godwit
