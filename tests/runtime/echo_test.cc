// SPDX-License-Identifier: Apache-2.0
//
// A client and a server, over sockets of this machine.
#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

void ExpectEcho(const SocketAddress& to, size_t streams, size_t bytes_per_stream) {
  EchoClient handler(streams, bytes_per_stream);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  const auto connection = client->Connect(to, "localhost");
  ASSERT_TRUE(connection.ok()) << connection.status();

  EXPECT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }))
      << handler.whole_streams() << " of " << streams << " streams";

  EXPECT_FALSE(handler.has_mismatch());
  EXPECT_EQ(handler.received_bytes(), streams * bytes_per_stream);
}

// Streams, bytes each.
class EchoTest : public testing::TestWithParam<std::tuple<size_t, size_t>> {};

TEST_P(EchoTest, EveryStreamComesBackWhole) {
  const auto [streams, bytes] = GetParam();
  EchoServer server;

  ExpectEcho(server.address(), streams, bytes);

  EXPECT_EQ(server.log().Get().connected.size(), 1U);
  EXPECT_EQ(server.server().Stats().connections_accepted, 1U);
}

INSTANTIATE_TEST_SUITE_P(Streams, EchoTest,
                         testing::Values(std::tuple(1, 3'000'000), std::tuple(10, 300'000),
                                         std::tuple(100, 30'000), std::tuple(300, 100)));

TEST(EchoFamilyTest, Ipv6) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "no ::1 on this machine";
  ServerConfig config = EchoServerConfig();
  config.socket.local = *SocketAddress::Parse("[::1]:0");
  EchoServer server(config);

  ExpectEcho(server.address(), 10, 100'000);
}

TEST(EchoFamilyTest, ADualStackServerHasClientsOfBothFamilies) {
  if (!HasIpv6Loopback()) GTEST_SKIP() << "no ::1 on this machine";
  ServerConfig config = EchoServerConfig();
  config.socket.local = *SocketAddress::Parse("[::]:0");
  EchoServer server(config);
  const std::string port = std::to_string(server.address().port());

  ExpectEcho(*SocketAddress::Parse("[::1]:" + port), 10, 100'000);
  ExpectEcho(*SocketAddress::Parse("127.0.0.1:" + port), 10, 100'000);
}

TEST(EchoFamilyTest, AnIpv4ClientReachesAnIpv4Server) {
  EchoServer server;
  ClientConfig config = EchoClientConfig();
  config.socket.local = *SocketAddress::Parse("127.0.0.1:0");
  EchoClient handler(1, 100'000);
  const auto client = *Client::Create(config, &handler);

  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());

  EXPECT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));
  EXPECT_FALSE(handler.has_mismatch());
}

class DatagramClient final : public EventHandler {
 public:
  explicit DatagramClient(size_t wanted) : wanted_(wanted) {}
  bool is_done() const { return received_.size() >= wanted_; }
  const std::vector<std::string>& received() const { return received_; }

  void OnConnected(ConnectionRef connection) override { Send(connection); }
  // One by one: nothing promises that many arrive.
  void OnDatagram(ConnectionRef connection) override {
    while (const auto datagram = connection.PeekDatagram()) {
      received_.emplace_back(datagram->begin(), datagram->end());
      connection.PopDatagram();
    }
    if (!is_done()) Send(connection);
  }

 private:
  void Send(ConnectionRef& connection) {
    ASSERT_TRUE(connection.SendDatagram("datagram " + std::to_string(received_.size())).ok());
  }

  const size_t wanted_;
  std::vector<std::string> received_;
};

TEST(EchoDatagramTest, DatagramsComeBackInPingPong) {
  EchoServer server;
  DatagramClient handler(50);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());

  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  EXPECT_EQ(handler.received().front(), "datagram 0");
  EXPECT_EQ(handler.received().back(), "datagram 49");
}

TEST(ClientConfigTest, ErrorsNameTheFieldItsValueAndWhatIsAllowed) {
  EchoClient handler(0, 0);
  ClientConfig config = EchoClientConfig();
  config.connection_attempt_delay = Duration::Zero();

  EXPECT_EQ(Client::Create(config, &handler).status(),
            absl::InvalidArgumentError("connection_attempt_delay is 0 us; allowed: more than 0"));
  EXPECT_EQ(Client::Create(EchoClientConfig(), nullptr).status(),
            absl::InvalidArgumentError("handler is null; allowed: not null"));
}

TEST(ServerConfigTest, ErrorsNameTheFieldItsValueAndWhatIsAllowed) {
  const auto make = [](Loop&) { return std::make_unique<EventHandler>(); };
  ServerConfig none = EchoServerConfig();
  none.shards = 0;
  ServerConfig many = EchoServerConfig();
  many.shards = 257;

  EXPECT_EQ(Server::Create(none, make).status(),
            absl::InvalidArgumentError("shards is 0; allowed: 1 to 256"));
  EXPECT_EQ(Server::Create(many, make).status(),
            absl::InvalidArgumentError("shards is 257; allowed: 1 to 256"));
  EXPECT_EQ(Server::Create(EchoServerConfig(), [](Loop&) { return nullptr; }).status(),
            absl::InvalidArgumentError("the handler factory gave null; allowed: not null"));
}

TEST(ServerConfigTest, AServerThatNeverStartedEnds) {
  const auto server =
      *Server::Create(EchoServerConfig(), [](Loop&) { return std::make_unique<EventHandler>(); });

  EXPECT_EQ(server->Stats().connections_accepted, 0U);
  server->Shutdown(Duration::Seconds(10));
}

}  // namespace
}  // namespace godwit
