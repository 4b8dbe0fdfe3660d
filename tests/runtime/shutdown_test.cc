// SPDX-License-Identifier: Apache-2.0
//
// How clients and servers end: what their peers hear, what is waited for, and that nobody is called
// afterwards.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

ServerConfig TwoShards() {
  ServerConfig config = EchoServerConfig();
  config.shards = 2;
  return config;
}

TEST(ShutdownTest, AServerHearsThatItsClientIsGone) {
  EchoServer server;
  EchoClient handler(1, 1'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  client->Shutdown(kPatience);

  EXPECT_EQ(handler.close_count(), 1U);
  EXPECT_EQ(handler.closed()->cause, CloseReason::Cause::kApplication);
  ASSERT_TRUE(server.log().WaitUntil([](const auto& seen) { return seen.closed.size() == 1; }));
  EXPECT_EQ(server.log().Get().closed[0].reason.cause, CloseReason::Cause::kPeerApplication);
}

TEST(ShutdownTest, ClientsHearThatTheirServerIsGone) {
  EchoServer server(TwoShards());
  EchoClient handlers[2] = {{1, 1'000}, {1, 1'000}};
  std::vector<std::unique_ptr<Client>> clients;
  for (EchoClient& handler : handlers) {
    clients.push_back(*Client::Create(EchoClientConfig(), &handler));
    ASSERT_TRUE(clients.back()->Connect(server.address(), "localhost").ok());
    ASSERT_TRUE(RunUntil(*clients.back(), [&] { return handler.is_done(); }));
  }

  server.server().Shutdown(Duration::Zero());

  for (size_t i = 0; i < clients.size(); ++i) {
    ASSERT_TRUE(RunUntil(*clients[i], [&] { return handlers[i].closed().has_value(); }));
    EXPECT_EQ(handlers[i].closed()->cause, CloseReason::Cause::kPeerApplication);
    EXPECT_EQ(handlers[i].closed()->reason, "the server ends");
  }
  EXPECT_EQ(server.log().Get().closed.size(), 2U);
}

TEST(ShutdownTest, ASecondCallWithLessPatienceEndsTheFirst) {
  EchoServer server(TwoShards());
  EchoClient handler(1, 1'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  std::thread patient([&] { server.server().Shutdown(Duration::Seconds(100'000)); });
  server.server().Shutdown(Duration::Zero());
  patient.join();

  ASSERT_TRUE(RunUntil(*client, [&] { return handler.closed().has_value(); }));
  EXPECT_EQ(handler.closed()->reason, "the server ends");
}

TEST(ShutdownTest, AServerThatDrainsServesWhatRunsAndTakesNothingNew) {
  EchoServer server;
  EchoClient handler(1, 2'000'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.received_bytes() > 0; }));

  std::atomic<bool> has_ended = false;
  std::thread shutdown([&] {
    server.server().Shutdown(kPatience);
    has_ended = true;
  });
  const bool is_refused = [&] {
    // The order to accept no more comes to the shard when it comes; until then it accepts.
    while (true) {
      EchoClient late(0, 0);
      const auto latecomer = *Client::Create(EchoClientConfig(), &late);
      if (!latecomer->Connect(server.address(), "localhost").ok()) return false;
      const auto is_told = [&] { return late.is_connected() || late.closed().has_value(); };
      if (!RunUntil(*latecomer, is_told)) return false;
      if (!late.is_connected()) {
        return late.closed()->cause == CloseReason::Cause::kPeerTransportError;
      }
      latecomer->Shutdown(kPatience);
    }
  }();
  const bool is_done = RunUntil(*client, [&] { return handler.is_done(); });
  const bool ended_early = has_ended;
  client->Shutdown(kPatience);
  shutdown.join();

  EXPECT_TRUE(is_refused);
  EXPECT_TRUE(is_done);
  EXPECT_FALSE(handler.has_mismatch());
  EXPECT_FALSE(ended_early);
  EXPECT_EQ(handler.closed()->cause, CloseReason::Cause::kApplication);
}

TEST(ShutdownTest, NoHandlerIsCalledAfterwards) {
  EchoServer server;
  EchoClient handler(1, 1'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  server.server().Shutdown(Duration::Zero());
  const size_t calls = server.log().Get().calls;
  handler.Want(1);
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.closed().has_value(); }));
  server.Destroy();

  EXPECT_EQ(server.log().Get().calls, calls);
}

TEST(ShutdownTest, WhatAnApplicationHoldsOfADestroyedClientIsHarmless) {
  EchoServer server;
  EchoClient handler(1, 1'000);
  auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  client.reset();

  EXPECT_FALSE(handler.connection().is_open());
  EXPECT_TRUE(
      absl::IsNotFound(handler.connection().OpenStream(StreamDirection::kBidirectional).status()));
  EXPECT_EQ(handler.close_count(), 0U);
}

TEST(ShutdownTest, AServerCanBeAskedWhileItEndsAndAfterwards) {
  EchoServer server(TwoShards());
  EchoClient handler(1, 1'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  std::atomic<bool> has_ended = false;
  std::thread asking([&] {
    do {
      EXPECT_EQ(server.server().Stats().connections_accepted, 1U);
      EXPECT_GT(server.server().SocketStats().datagrams_sent, 0U);
      static_cast<void>(server.server().TakeNotices());
    } while (!has_ended);
  });
  std::thread ending_too([&] { server.server().Shutdown(Duration::Zero()); });
  server.server().Shutdown(Duration::Zero());
  ending_too.join();
  has_ended = true;
  asking.join();

  EXPECT_EQ(server.server().Stats().connections_accepted, 1U);
}

TEST(ShutdownTest, AClientsShutdownCancelsWhatItDials) {
  EchoServer server;
  EchoClient handler(0, 0);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  std::vector<absl::Status> results;
  const auto note = [&results](absl::StatusOr<ConnectionRef> connection) {
    results.push_back(connection.status());
  };

  client->Dial("localhost", server.address().port(), note);
  client->Shutdown(kPatience);

  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0], absl::CancelledError("the client was shut down"));
  EXPECT_FALSE(handler.is_connected());
  EXPECT_EQ(handler.close_count(), 0U);
}

}  // namespace
}  // namespace godwit
