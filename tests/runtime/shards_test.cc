// SPDX-License-Identifier: Apache-2.0
//
// A server of several shards: connections spread, stay where they are when their client moves, and
// a client learns that its server was restarted.
#include <algorithm>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/runtime/test_runtime.h"
#include "tests/runtime/udp_forwarder.h"

namespace godwit {
namespace {

constexpr size_t kShards = 4;

ServerConfig ShardedConfig() {
  ServerConfig config = EchoServerConfig();
  config.shards = kShards;
  return config;
}

struct ClientOfMany {
  ClientOfMany() : handler(3, 50'000), client(*Client::Create(EchoClientConfig(), &handler)) {}

  EchoClient handler;
  std::unique_ptr<Client> client;
};

TEST(ShardsTest, ConnectionsSpreadOverTheShardsAndAllWork) {
  // All on one shard of four by chance: 4^-23.
  constexpr size_t kClients = 24;
  EchoServer server(ShardedConfig());
  std::vector<std::unique_ptr<ClientOfMany>> clients;

  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<ClientOfMany>());
    ASSERT_TRUE(clients[i]->client->Connect(server.address(), "localhost").ok());
    ASSERT_TRUE(RunUntil(*clients[i]->client, [&] { return clients[i]->handler.is_done(); }));
    EXPECT_FALSE(clients[i]->handler.has_mismatch());
  }

  const ServerLog::Seen seen = server.log().Get();
  EXPECT_EQ(seen.connected.size(), kClients);
  EXPECT_GT(std::set(seen.connected.begin(), seen.connected.end()).size(), 1U);
  EXPECT_EQ(server.server().Stats().connections_accepted, kClients);
}

// One socket: what the kernel merges (GRO) mixes connections of all shards.
TEST(ShardsTest, ManyConnectionsOfOneClientSocketAreServed) {
  constexpr size_t kConnections = 24;
  class Handler final : public EventHandler {
   public:
    void OnConnected(ConnectionRef connection) override {
      const StreamId stream = *connection.OpenStream(StreamDirection::kBidirectional);
      ASSERT_TRUE(connection.Write(stream, std::string(20'000, 'x')).ok());
      ASSERT_TRUE(connection.Finish(stream).ok());
    }
    void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
      EXPECT_EQ(connection.ReadState(stream)->readable_bytes, 20'000U);
      ++finished;
    }
    size_t finished = 0;
  };
  EchoServer server(ShardedConfig());
  Handler handler;
  const auto client = *Client::Create(EchoClientConfig(), &handler);

  for (size_t i = 0; i < kConnections; ++i) {
    ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  }

  EXPECT_TRUE(RunUntil(*client, [&] { return handler.finished == kConnections; }));
  EXPECT_EQ(server.log().Get().connected.size(), kConnections);
}

TEST(ShardsTest, AClientWhoseAddressChangesInMidTransferStaysOnItsShard) {
  EchoServer server(ShardedConfig());
  UdpForwarder forwarder(server.address());
  EchoClient handler(2, 400'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(forwarder.address(), "localhost").ok());
  constexpr size_t kRebinds = 3;

  // By one port alone, the kernel's own choice may be the right shard by chance: 1 in 64.
  for (size_t i = 1; i <= kRebinds; ++i) {
    ASSERT_TRUE(RunUntil(*client, [&] { return handler.received_bytes() > i * 300'000; }));
    forwarder.Rebind();
    // A client that has nothing to say would wait for what the server sends to its old address.
    handler.Want(1);
    ASSERT_TRUE(RunUntil(*client, [&] { return server.log().Get().path_changed.size() >= i; }));
  }
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  EXPECT_FALSE(handler.has_mismatch());
  EXPECT_FALSE(handler.closed().has_value());
  const ServerLog::Seen seen = server.log().Get();
  ASSERT_EQ(seen.connected.size(), 1U);
  EXPECT_TRUE(seen.closed.empty());
  EXPECT_GE(seen.path_changed.size(), kRebinds);
  EXPECT_TRUE(std::ranges::all_of(seen.path_changed,
                                  [&](size_t shard) { return shard == seen.connected[0]; }));
}

TEST(ShardsTest, AClientLearnsAtItsNextPacketThatItsServerWasRestarted) {
  const std::string key_file = testing::TempDir() + "/restart.keys";
  std::ofstream(key_file)
      << "token-key 0123456789abcdef0011223344556677fedcba98765432108899aabbccddeeff\n"
         "ticket-key fedcba98765432108899aabbccddeeff0123456789abcdef0011223344556677\n"
         "reset-key 00112233445566770123456789abcdef8899aabbccddeefffedcba9876543210\n";
  ServerConfig config = ShardedConfig();
  config.server_key_file = key_file;
  auto server = std::make_unique<EchoServer>(config);
  config.socket.local = server->address();
  UdpForwarder forwarder(server->address());
  EchoClient handler(1, 100'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(forwarder.address(), "localhost").ok());
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  // The network is down while the server ends, so that its goodbye does not arrive.
  forwarder.Block();
  server.reset();
  EchoServer restarted(config);
  forwarder.Unblock();
  handler.Want(1);

  ASSERT_TRUE(RunUntil(*client, [&] { return handler.closed().has_value(); }));
  EXPECT_EQ(handler.closed()->cause, CloseReason::Cause::kStatelessReset);
  EXPECT_EQ(client->stats().stateless_resets_received, 1U);
  EXPECT_GE(restarted.server().Stats().stateless_resets_sent, 1U);
}

}  // namespace
}  // namespace godwit
