// SPDX-License-Identifier: Apache-2.0
//
// Connections of coroutine.h over real sockets: to dial, streams to open and to accept, datagrams.
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "godwit/coroutine.h"
#include "tests/runtime_doors/coroutine_pair.h"

namespace godwit {
namespace {

// Where nobody answers.
uint16_t SilentPort() {
  const auto server = Server::Create(LoopbackServerConfig(),
                                     [](Loop&) { return std::make_unique<EventHandler>(); });
  return (*server)->local_address().port();
}

TEST(CoroutineConnectionTest, ADialThatFailsSaysWhy) {
  ClientConfig config = LoopbackClientConfig();
  config.endpoint.connection.handshake_timeout = Duration::Milliseconds(100);
  const auto client = *CoroutineClient::Create(config);

  const auto silent = client->Run(client->Dial("127.0.0.1", SilentPort()));
  const auto unknown = client->Run(client->Dial("no-such-host.invalid", 443));

  EXPECT_TRUE(absl::IsUnavailable(silent.status())) << silent.status();
  EXPECT_FALSE(unknown.ok());
}

TEST(CoroutineConnectionTest, ADialThatIsDestroyedIsCancelled) {
  ClientConfig config = LoopbackClientConfig();
  config.endpoint.connection.handshake_timeout = Duration::Seconds(1'000);
  const auto client = *CoroutineClient::Create(config);

  const auto dialed = client->Run(
      client->Within(Duration::Milliseconds(20), client->Dial("127.0.0.1", SilentPort())));

  EXPECT_TRUE(absl::IsDeadlineExceeded(dialed.status())) << dialed.status();
  EXPECT_EQ(client->client().stats().connections_opened, 1U);
  while (client->client().stats().connections != 0) {
    client->client().RunOnce(Timestamp::Infinite());
  }
}

TEST(CoroutineConnectionTest, AWrongConfigurationIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(CoroutineClient::Create(ClientConfig()).status()));
}

TEST(CoroutineConnectionTest, OpenStreamWaitsForThePeersLimit) {
  ServerConfig config = LoopbackServerConfig();
  config.endpoint.connection.streams.max_streams_bidi = 1;
  CoroutinePair pair(Echo(), config);
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream first = co_await OpenSeen(connection);
    SpawnedTask<absl::StatusOr<CoroutineStream>> opening =
        pair.client->Start(connection.OpenStream(StreamDirection::kBidirectional));
    const auto too_early = co_await pair.client->Within(
        Duration::Milliseconds(20), connection.OpenStream(StreamDirection::kBidirectional));
    EXPECT_TRUE(absl::IsDeadlineExceeded(too_early.status())) << too_early.status();
    EXPECT_FALSE(opening.is_done());

    EXPECT_TRUE(first.Finish().ok());
    EXPECT_EQ((co_await ReadAll(first)).bytes, "!");
    const absl::StatusOr<CoroutineStream> second = co_await std::move(opening).Join();
    EXPECT_TRUE(second.ok()) << second.status();
    // The one that was given up has not taken its place.
    EXPECT_EQ(second->id()->index(), 1U);
  };

  pair.client->Run(run());
}

TEST(CoroutineConnectionTest, ThePeerOpensStreamsToo) {
  CoroutinePair pair([](CoroutineShard&, CoroutineConnection connection) -> Task<> {
    CoroutineStream stream = *co_await connection.OpenStream(StreamDirection::kUnidirectional);
    EXPECT_TRUE((co_await stream.Write("news")).ok());
    EXPECT_TRUE(stream.Finish().ok());
    // Its end comes with that of the connection.
    const absl::StatusOr<CoroutineStream> none = co_await connection.AcceptStream();
    EXPECT_TRUE(absl::IsCancelled(none.status())) << none.status();
  });
  const auto run = [&]() -> Task<std::string> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = *co_await connection.AcceptStream();
    EXPECT_EQ(stream.id()->direction(), StreamDirection::kUnidirectional);
    co_return (co_await ReadAll(stream)).bytes;
  };

  EXPECT_EQ(pair.client->Run(run()), "news");
}

TEST(CoroutineConnectionTest, DatagramsArrive) {
  CoroutinePair pair([](CoroutineShard&, CoroutineConnection connection) -> Task<> {
    for (;;) {
      const auto datagram = co_await connection.ReceiveDatagram();
      if (!datagram.ok()) co_return;
      EXPECT_TRUE(connection.SendDatagram(*datagram).ok());
    }
  });
  const auto run = [&]() -> Task<std::string> {
    CoroutineConnection connection = co_await pair.Dial();
    for (;;) {
      // Each of them may be lost.
      EXPECT_TRUE(connection.SendDatagram("ping").ok());
      const auto answer =
          co_await pair.client->Within(Duration::Milliseconds(100), connection.ReceiveDatagram());
      if (answer.ok()) co_return std::string(answer->begin(), answer->end());
      if (!absl::IsDeadlineExceeded(answer.status())) co_return answer.status().ToString();
    }
  };

  EXPECT_EQ(pair.client->Run(run()), "ping");
}

TEST(CoroutineConnectionTest, DatagramsThatThePeerCannotTakeAreRefused) {
  ServerConfig config = LoopbackServerConfig();
  config.endpoint.connection.max_datagram_frame_size = 0;
  CoroutinePair without(Hold(), config);
  CoroutinePair with(Hold());

  const CoroutineConnection to_without = without.client->Run(without.Dial());
  const CoroutineConnection to_with = with.client->Run(with.Dial());

  EXPECT_FALSE(to_without.SendDatagram("x").ok());
  EXPECT_FALSE(to_with.SendDatagram(std::string(70'000, 'x')).ok());
  EXPECT_TRUE(to_with.ref().is_open());
}

TEST(CoroutineConnectionTest, EveryShardRunsItsOwnTask) {
  ServerConfig config = LoopbackServerConfig();
  config.shards = 3;
  CoroutinePair pair(Echo(), config);
  const auto exchange = [&]() -> Task<bool> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    EXPECT_TRUE(stream.Finish().ok());
    co_return (co_await ReadAll(stream)).bytes == "!";
  };
  const auto all = [&]() -> Task<int> {
    std::vector<SpawnedTask<bool>> exchanges;
    for (int i = 0; i < 30; ++i) exchanges.push_back(pair.client->Start(exchange()));
    int whole = 0;
    for (SpawnedTask<bool>& one : exchanges) whole += co_await std::move(one).Join() ? 1 : 0;
    co_return whole;
  };

  EXPECT_EQ(pair.client->Run(all()), 30);
}

TEST(CoroutineConnectionTest, HandlesThatNameNothingFindNothing) {
  const auto client = *CoroutineClient::Create(LoopbackClientConfig());
  const auto run = []() -> Task<> {
    CoroutineConnection connection;
    CoroutineStream stream;
    std::array<uint8_t, 1> byte;
    EXPECT_TRUE(absl::IsNotFound(
        (co_await connection.OpenStream(StreamDirection::kBidirectional)).status()));
    EXPECT_TRUE(absl::IsNotFound((co_await connection.AcceptStream()).status()));
    EXPECT_TRUE(absl::IsNotFound((co_await connection.ReceiveDatagram()).status()));
    EXPECT_TRUE(absl::IsNotFound(connection.SendDatagram("x")));
    EXPECT_TRUE(absl::IsNotFound(connection.Close(0, "")));
    EXPECT_FALSE(connection.close_reason().has_value());
    EXPECT_FALSE(connection.ref().is_open());
    EXPECT_TRUE(absl::IsNotFound((co_await stream.Read(byte)).status()));
    EXPECT_TRUE(absl::IsNotFound(co_await stream.Write("x")));
    EXPECT_TRUE(absl::IsNotFound(co_await stream.WaitUntilDelivered()));
    EXPECT_TRUE(absl::IsNotFound(stream.Finish()));
    EXPECT_TRUE(absl::IsNotFound(stream.Reset(0)));
    EXPECT_TRUE(absl::IsNotFound(stream.StopSending(0)));
    EXPECT_FALSE(stream.id().has_value());
    EXPECT_FALSE(stream.reset_code().has_value());
    EXPECT_FALSE(stream.stopped_code().has_value());
  };

  client->Run(run());
}

}  // namespace
}  // namespace godwit
