// SPDX-License-Identifier: Apache-2.0
//
// A whole endpoint: the life of its connections, their events, routing, fairness, time.
#include "transport/endpoint/endpoint.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "tests/transport/endpoint/endpoint_hosts.h"
#include "transport/endpoint/random_connection_ids.h"

namespace godwit {
namespace {

using Kind = ConnectionEvent::Kind;

class NoConnectionIds final : public ConnectionIdGenerator {
 public:
  size_t size_bytes() const override { return 0; }
  ConnectionId Generate() override { return {}; }
};

// The same id for ever, which a broken generator may give.
class OneConnectionId final : public ConnectionIdGenerator {
 public:
  size_t size_bytes() const override { return 4; }
  ConnectionId Generate() override {
    return *ConnectionId::FromBytes(std::array<uint8_t, 4>{1, 2, 3, 4});
  }
};

class CountingIds final : public ConnectionIdGenerator {
 public:
  explicit CountingIds(uint8_t shard) : shard_(shard) {}

  size_t size_bytes() const override { return 5; }
  ConnectionId Generate() override {
    ++count_;
    return *ConnectionId::FromBytes(std::array<uint8_t, 5>{
        shard_, 0, 0, static_cast<uint8_t>(count_ >> 8), static_cast<uint8_t>(count_)});
  }
  int count() const { return count_; }

 private:
  uint8_t shard_;
  int count_ = 0;
};

class Unpaced final : public CongestionController {
 public:
  std::string_view name() const override { return "unpaced"; }
  void OnFeedback(const CongestionFeedback& feedback) override { static_cast<void>(feedback); }
  uint64_t congestion_window_bytes() const override { return 1'000'000; }
  Bandwidth pacing_rate() const override { return Bandwidth::Infinite(); }
  uint64_t send_quantum_bytes() const override { return 2'400; }
  CongestionHandover Handover() const override { return {}; }
};

class UnpacedFactory final : public CongestionControllerFactory {
 public:
  std::unique_ptr<CongestionController> Make(
      const CongestionControllerParams& params) const override {
    static_cast<void>(params);
    return std::make_unique<Unpaced>();
  }
};

class EndpointTest : public testing::Test {
 protected:
  EndpointTest() {
    network_.Add(&client_);
    network_.Add(&server_);
  }

  EndpointHost client_{{.address = "192.0.2.1:1000", .seed = 1}};
  EndpointHost server_{{.role = HostRole::kServer, .address = "192.0.2.9:443", .seed = 2}};
  EndpointNetwork network_;
};

// ---- Life of a connection ----

TEST_F(EndpointTest, ClientAndServerHearOfTheHandshake) {
  const ConnectionHandle handle = network_.Connect(client_, server_);

  EXPECT_EQ(client_.events.front().connection, handle);
  EXPECT_EQ(client_.events.front().event.kind, Kind::kHandshakeComplete);
  EXPECT_FALSE(client_.events.front().is_new);
  EXPECT_EQ(server_.events.front().event.kind, Kind::kHandshakeComplete);
  EXPECT_TRUE(server_.events.front().is_new);
  EXPECT_EQ(std::ranges::count_if(server_.events, &EndpointEvent::is_new), 1);
  EXPECT_EQ(client_.CountEvents(Kind::kHandshakeConfirmed), 1);
}

TEST_F(EndpointTest, StatsCountWhatHappened) {
  network_.Connect(client_, server_);

  EXPECT_EQ(client_.endpoint().stats().connections_opened, 1);
  EXPECT_EQ(client_.endpoint().stats().connections, 1);
  EXPECT_EQ(server_.endpoint().stats().connections_accepted, 1);
  EXPECT_EQ(server_.endpoint().stats().half_open, 0);
  EXPECT_GT(server_.endpoint().stats().datagrams_received, 1);
  EXPECT_GT(server_.endpoint().stats().bytes_received, 2'400);
}

TEST_F(EndpointTest, ClosedConnectionCanBeLookedAtUntilTheNextEvent) {
  const ConnectionHandle handle = network_.Connect(client_, server_);
  client_.endpoint().Find(handle)->Close(7, "enough", network_.now());

  const auto event = client_.endpoint().PollEvent();
  ASSERT_TRUE(event.has_value());
  ASSERT_EQ(event->event.kind, Kind::kClosed);
  const Connection* const closed = client_.endpoint().Find(handle);
  ASSERT_NE(closed, nullptr);
  EXPECT_EQ(closed->close_reason()->error_code, 7);

  EXPECT_EQ(client_.endpoint().PollEvent(), std::nullopt);
  EXPECT_EQ(client_.endpoint().Find(handle), nullptr);
}

TEST_F(EndpointTest, PeerHearsWhyItWasClosed) {
  const ConnectionHandle handle = network_.Connect(client_, server_);
  client_.endpoint().Find(handle)->Close(7, "enough", network_.now());

  network_.RunUntilQuiet();

  ASSERT_EQ(server_.close_reasons.size(), 1);
  EXPECT_EQ(server_.close_reasons.front().cause, CloseReason::Cause::kPeerApplication);
  EXPECT_EQ(server_.close_reasons.front().reason, "enough");
}

TEST_F(EndpointTest, ConnectionIsForgottenWhenClosingIsOver) {
  const ConnectionHandle handle = network_.Connect(client_, server_);
  client_.endpoint().Find(handle)->Close(7, "enough", network_.now());

  network_.RunUntilQuiet();
  EXPECT_EQ(client_.endpoint().connection_count(), 1);
  EXPECT_EQ(server_.endpoint().connection_count(), 1);

  network_.RunFor(Duration::Seconds(5));
  EXPECT_EQ(client_.endpoint().connection_count(), 0);
  EXPECT_EQ(server_.endpoint().connection_count(), 0);
  EXPECT_EQ(client_.endpoint().NextWakeup(), Timestamp::Infinite());
  EXPECT_EQ(server_.endpoint().stats().held_bytes, 0);
  EXPECT_EQ(client_.endpoint().stats().connections_closed, 1);
}

TEST_F(EndpointTest, HandleOfAGoneConnectionIsHarmless) {
  const ConnectionHandle old = network_.Connect(client_, server_);
  client_.endpoint().Find(old)->Close(0, "", network_.now());
  network_.RunFor(Duration::Seconds(5));

  const ConnectionHandle next = network_.Connect(client_, server_);

  EXPECT_EQ(next.slot, old.slot);
  EXPECT_EQ(client_.endpoint().Find(old), nullptr);
  EXPECT_NE(client_.endpoint().Find(next), nullptr);
}

TEST_F(EndpointTest, IdleConnectionsEndSilentlyAtBothEnds) {
  network_.Connect(client_, server_);

  network_.RunFor(Duration::Seconds(40));

  EXPECT_EQ(client_.endpoint().connection_count(), 0);
  EXPECT_EQ(server_.endpoint().connection_count(), 0);
  ASSERT_EQ(client_.close_reasons.size(), 1);
  EXPECT_EQ(client_.close_reasons.front().cause, CloseReason::Cause::kIdleTimeout);
}

TEST_F(EndpointTest, ServerThatNobodyAnswersLeavesNoTrace) {
  const ConnectionHandle handle = *client_.endpoint().Connect(
      {.four_tuple = {.local = client_.address(), .peer = server_.address()},
       .server_name = "server",
       .resumption_ticket = {}},
      network_.now());
  network_.Remove(&server_);

  network_.RunFor(Duration::Seconds(15));

  EXPECT_EQ(client_.endpoint().Find(handle), nullptr);
  ASSERT_EQ(client_.close_reasons.size(), 1);
  EXPECT_EQ(client_.close_reasons.front().cause, CloseReason::Cause::kHandshakeTimeout);
  EXPECT_EQ(client_.endpoint().connection_count(), 0);
}

// ---- Routing ----

TEST_F(EndpointTest, ConnectionsOfOneSocketAreToldApart) {
  std::vector<ConnectionHandle> handles;
  for (int i = 0; i < 5; ++i) handles.push_back(network_.Connect(client_, server_));
  client_.events.clear();
  server_.events.clear();

  client_.endpoint().Find(handles[3])->Close(3, "", network_.now());
  network_.RunUntilQuiet();

  EXPECT_EQ(server_.CountEvents(Kind::kClosed), 1);
  EXPECT_EQ(server_.events.size(), 1);
  EXPECT_EQ(server_.endpoint().connection_count(), 5);
}

TEST_F(EndpointTest, RepeatedFirstPacketDoesNotOpenASecondConnection) {
  const auto handle = client_.endpoint().Connect(
      {.four_tuple = {.local = client_.address(), .peer = server_.address()},
       .server_name = "server",
       .resumption_ticket = {}},
      network_.now());
  ASSERT_TRUE(handle.ok());
  client_.Drain(network_.now());
  const std::vector<SentDatagram> first = client_.TakeSent();
  server_.Receive(first, network_.now());
  server_.Receive(first, network_.now());
  EXPECT_EQ(server_.endpoint().connection_count(), 1);

  network_.RunUntilQuiet();
  network_.RunFor(Duration::Seconds(1));
  server_.Receive(first, network_.now());

  EXPECT_EQ(server_.endpoint().connection_count(), 1);
  EXPECT_EQ(server_.endpoint().stats().connections_accepted, 1);
}

TEST_F(EndpointTest, ClientMayHaveIdsOfNoBytes) {
  NoConnectionIds none;
  EndpointHost client({.address = "192.0.2.3:1000", .connection_ids = &none, .seed = 3});
  network_.Add(&client);

  const ConnectionHandle handle = network_.Connect(client, server_);
  EXPECT_TRUE(client.endpoint().Find(handle)->is_handshake_confirmed());

  const auto second = client.endpoint().Connect(
      {.four_tuple = {.local = client.address(), .peer = server_.address()},
       .server_name = "server",
       .resumption_ticket = {}},
      network_.now());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(EndpointTest, AddressOfAGoneConnectionWithoutIdsIsFree) {
  NoConnectionIds none;
  EndpointHost client({.address = "192.0.2.3:1000", .connection_ids = &none, .seed = 3});
  network_.Add(&client);
  const ConnectionHandle handle = network_.Connect(client, server_);
  client.endpoint().Find(handle)->Close(0, "", network_.now());
  network_.RunFor(Duration::Seconds(5));

  const ConnectionHandle next = network_.Connect(client, server_);

  EXPECT_TRUE(client.endpoint().Find(next)->is_handshake_confirmed());
}

TEST_F(EndpointTest, GeneratorsIdsAreOnTheWire) {
  CountingIds ids(0xab);
  EndpointHost server(
      {.role = HostRole::kServer, .address = "192.0.2.8:443", .connection_ids = &ids, .seed = 4});
  network_.Add(&server);
  const ConnectionHandle handle = network_.Connect(client_, server);
  EXPECT_GT(ids.count(), 1);

  client_.endpoint().Find(handle)->Close(0, "", network_.now());
  client_.Drain(network_.now());
  const std::vector<SentDatagram> sent = client_.TakeSent();

  ASSERT_EQ(sent.size(), 1);
  EXPECT_EQ(sent.front().bytes[1], 0xab);
}

TEST_F(EndpointTest, RotatedIdsAreReplacedAndForgotten) {
  CountingIds ids(1);
  EndpointHost server(
      {.role = HostRole::kServer, .address = "192.0.2.8:443", .connection_ids = &ids, .seed = 4});
  network_.Add(&server);
  const ConnectionHandle handle = network_.Connect(client_, server);
  const int before = ids.count();

  server.endpoint().Find(server.last_connection())->RotateConnectionIds();
  network_.RunFor(Duration::Seconds(5));

  EXPECT_GT(ids.count(), before);
  EXPECT_TRUE(client_.endpoint().Find(handle)->OpenStream(StreamDirection::kBidirectional).ok());
  client_.endpoint().Find(handle)->Close(0, "", network_.now());
  network_.RunUntilQuiet();
  EXPECT_EQ(server.CountEvents(Kind::kClosed), 1);
}

TEST_F(EndpointTest, BrokenGeneratorIsNamed) {
  OneConnectionId one;
  EndpointHost client({.address = "192.0.2.3:1000", .connection_ids = &one, .seed = 3});
  network_.Add(&client);
  network_.Connect(client, server_);

  const auto second = client.endpoint().Connect(
      {.four_tuple = {.local = client.address(), .peer = server_.address()},
       .server_name = "server",
       .resumption_ticket = {}},
      network_.now());

  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

// ---- Sending ----

TEST_F(EndpointTest, ConnectionsTakeTurnsInSending) {
  // Two datagrams a train, and nothing that holds the next train back.
  const UnpacedFactory unpaced;
  EndpointConfig config;
  ASSERT_TRUE(config.congestion_controllers.Register("unpaced", &unpaced).ok());
  config.congestion_controller = "unpaced";
  EndpointHost client({.address = "192.0.2.3:1000", .config = config, .seed = 3});
  network_.Add(&client);
  std::vector<ConnectionHandle> handles;
  for (int i = 0; i < 3; ++i) handles.push_back(network_.Connect(client, server_));
  for (const ConnectionHandle handle : handles) {
    Connection* const connection = client.endpoint().Find(handle);
    const StreamId stream = *connection->OpenStream(StreamDirection::kUnidirectional);
    ASSERT_TRUE(connection->WriteStream(stream, std::vector<uint8_t>(20'000, 1)).ok());
  }

  std::vector<std::vector<uint8_t>> turns;
  for (int turn = 0; turn < 9; ++turn) {
    const Transmit transmit = client.endpoint().PollTransmit(network_.now());
    ASSERT_FALSE(transmit.payload.empty());
    const std::span<const uint8_t> id = transmit.payload.subspan(1, RandomConnectionIds::kSize);
    turns.emplace_back(id.begin(), id.end());
  }

  EXPECT_NE(turns[0], turns[1]);
  EXPECT_NE(turns[0], turns[2]);
  EXPECT_NE(turns[1], turns[2]);
  for (int turn = 3; turn < 9; ++turn) EXPECT_EQ(turns[turn], turns[turn - 3]) << turn;
}

TEST_F(EndpointTest, WhatTheApplicationDoesIsSentNext) {
  const ConnectionHandle handle = network_.Connect(client_, server_);
  network_.RunFor(Duration::Seconds(5));
  ASSERT_GT(client_.endpoint().NextWakeup(), network_.now());

  client_.endpoint().Find(handle)->Close(0, "", network_.now());

  EXPECT_EQ(client_.endpoint().NextWakeup(), Timestamp::InfinitePast());
  EXPECT_FALSE(client_.endpoint().PollTransmit(network_.now()).payload.empty());
}

TEST_F(EndpointTest, CallerMaySleepWhenEverythingIsSent) {
  const ConnectionHandle handle = network_.Connect(client_, server_);
  network_.RunFor(Duration::Seconds(5));
  Connection* const connection = client_.endpoint().Find(handle);
  const StreamId stream = *connection->OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(connection->WriteStream(stream, std::vector<uint8_t>(100, 1)).ok());

  while (!client_.endpoint().PollTransmit(network_.now()).payload.empty()) {
  }

  EXPECT_GT(client_.endpoint().NextWakeup(), network_.now());
}

TEST_F(EndpointTest, EventsOfSendingDoNotWaitForTheNextDatagram) {
  const ConnectionHandle handle = network_.Connect(client_, server_);
  network_.RunFor(Duration::Seconds(5));
  const std::vector<uint8_t> data(10, 1);
  ASSERT_TRUE(client_.endpoint().Find(handle)->SendDatagram(data).ok());
  EXPECT_EQ(client_.endpoint().PollEvent(), std::nullopt);

  while (!client_.endpoint().PollTransmit(network_.now()).payload.empty()) {
  }

  EXPECT_EQ(client_.endpoint().NextWakeup(), Timestamp::InfinitePast());
  const auto event = client_.endpoint().PollEvent();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->event.kind, Kind::kDatagramFeedback);
}

TEST_F(EndpointTest, DatagramThatTheKernelRefusedLowersTheSize) {
  EndpointConfig config;
  config.connection.mtu.min_mtu = 1'300;
  EndpointHost client({.address = "192.0.2.3:1000", .config = config, .seed = 3});
  network_.Add(&client);
  const ConnectionHandle handle = network_.Connect(client, server_);
  Connection* connection = client.endpoint().Find(handle);
  const StreamId stream = *connection->OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(connection->WriteStream(stream, std::vector<uint8_t>(100'000, 1)).ok());
  network_.RunFor(Duration::Seconds(2));
  const uint64_t before = client.endpoint().Find(handle)->Stats().max_datagram_bytes;
  ASSERT_GT(before, 1'300);

  client.endpoint().OnDatagramTooLarge({.local = client.address(), .peer = server_.address()},
                                       before, network_.now());

  EXPECT_LT(client.endpoint().Find(handle)->Stats().max_datagram_bytes, before);
}

// ---- Time ----

TEST_F(EndpointTest, EmptyEndpointSleeps) {
  EXPECT_EQ(client_.endpoint().NextWakeup(), Timestamp::Infinite());
  client_.endpoint().OnTimeout(network_.now());
  EXPECT_TRUE(client_.endpoint().PollTransmit(network_.now()).payload.empty());
  EXPECT_EQ(client_.endpoint().PollEvent(), std::nullopt);
}

TEST_F(EndpointTest, QuietConnectionSleepsUntilItsIdleTimeout) {
  network_.Connect(client_, server_);
  network_.RunFor(Duration::Seconds(10));

  EXPECT_GT(client_.endpoint().NextWakeup(), network_.now() + Duration::Seconds(15));
  EXPECT_LT(client_.endpoint().NextWakeup(), network_.now() + Duration::Seconds(25));
}

// ---- Mistakes of the application ----

TEST_F(EndpointTest, EnvironmentIsChecked) {
  SeededRandom random(1);
  NoConnectionIds none;
  DeterministicTlsServers tls_servers({});

  EXPECT_EQ(Endpoint::Create({}, {}).status().message(),
            "EndpointEnvironment.random is null; it is always needed");
  EXPECT_EQ(Endpoint::Create(
                {}, {.random = &random, .connection_ids = &none, .tls_servers = &tls_servers})
                .status()
                .message(),
            "EndpointEnvironment.connection_ids->size_bytes() is 0; allowed: 4 to 20");
  EXPECT_TRUE(Endpoint::Create({}, {.random = &random, .connection_ids = &none}).ok());
}

TEST_F(EndpointTest, ConfigurationIsChecked) {
  SeededRandom random(1);
  EndpointConfig config;
  config.max_connections = 0;

  EXPECT_EQ(Endpoint::Create(config, {.random = &random}).status().message(),
            "max_connections is 0; allowed: 1 to 16777216");
}

TEST_F(EndpointTest, ConnectWithoutTlsFails) {
  SeededRandom random(1);
  const auto endpoint = Endpoint::Create({}, {.random = &random});

  const auto handle = (*endpoint)->Connect({}, network_.now());

  EXPECT_EQ(handle.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(EndpointTest, ConnectBeyondTheLimitFails) {
  EndpointConfig config;
  config.max_connections = 1;
  EndpointHost client({.address = "192.0.2.3:1000", .config = config, .seed = 3});
  network_.Add(&client);
  network_.Connect(client, server_);

  const auto second = client.endpoint().Connect(
      {.four_tuple = {.local = client.address(), .peer = server_.address()},
       .server_name = "server",
       .resumption_ticket = {}},
      network_.now());

  EXPECT_EQ(second.status().message(),
            "there are 1 connections, as many as max_connections allows; close some or raise it");
}

}  // namespace
}  // namespace godwit
