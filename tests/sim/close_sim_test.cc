// SPDX-License-Identifier: Apache-2.0
//
// How connections end. RFC 9000 §10.
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/sim/close_checker.h"
#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

using Cause = CloseReason::Cause;

PairConfig Config() {
  PairConfig config;
  config.client.app.streams = {{.bytes = 1'000}};
  return config;
}

void CloseNow(EndpointPair& pair, SimNode& node, Connection* connection, uint64_t code) {
  node.Do([&](Endpoint&) { connection->Close(code, "bye", pair.simulation().now()); });
}

testing::AssertionResult RunUntilBothAreGone(EndpointPair& pair, Duration limit) {
  return pair.simulation().RunUntil(
      [&] {
        return pair.client().endpoint().connection_count() == 0 &&
               pair.server().endpoint().connection_count() == 0;
      },
      limit);
}

Cause CauseOf(const ConnectionRecord& record) {
  return record.close_reason.has_value() ? record.close_reason->cause : Cause::kAborted;
}

TEST(CloseSimTest, TheServerCloses) {
  EndpointPair pair(Config());
  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(1)));

  CloseNow(pair, pair.server(), pair.server_connection(), 17);
  ASSERT_TRUE(RunUntilBothAreGone(pair, Duration::Seconds(1)));

  EXPECT_EQ(CauseOf(pair.server_record()), Cause::kApplication);
  EXPECT_EQ(CauseOf(pair.client_record()), Cause::kPeerApplication);
  EXPECT_EQ(pair.client_record().close_reason->error_code, 17u);
  EXPECT_EQ(pair.client_record().close_reason->reason, "bye");
}

TEST(CloseSimTest, BothEndsCloseAtOnce) {
  EndpointPair pair(Config());
  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(1)));

  CloseNow(pair, pair.client(), pair.client_connection(), 1);
  CloseNow(pair, pair.server(), pair.server_connection(), 2);
  ASSERT_TRUE(RunUntilBothAreGone(pair, Duration::Seconds(1)));

  EXPECT_EQ(CauseOf(pair.client_record()), Cause::kApplication);
  EXPECT_EQ(CauseOf(pair.server_record()), Cause::kApplication);
}

TEST(CloseSimTest, ClosingInMidTransfer) {
  PairConfig config = Config();
  config.server.app.streams = Bulk(50'000'000);
  EndpointPair pair(config);
  ASSERT_TRUE(pair.RunToHandshake(Duration::Seconds(1)));
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(500)));

  CloseNow(pair, pair.client(), pair.client_connection(), 3);
  ASSERT_TRUE(RunUntilBothAreGone(pair, Duration::Seconds(1)));

  EXPECT_EQ(CauseOf(pair.server_record()), Cause::kPeerApplication);
}

TEST(CloseSimTest, ALostCloseIsSaidAgainWhenThePeerSpeaks) {
  PairConfig config = Config();
  config.server.app.streams = Bulk(50'000'000);
  EndpointPair pair(config);
  ASSERT_TRUE(pair.RunToHandshake(Duration::Seconds(1)));
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(500)));

  uint64_t dropped = 0;
  pair.up().SetDropFilter([&](const SimPacket&) { return ++dropped <= 1; });
  CloseNow(pair, pair.client(), pair.client_connection(), 3);
  ASSERT_TRUE(RunUntilBothAreGone(pair, Duration::Seconds(2)));

  EXPECT_EQ(CauseOf(pair.server_record()), Cause::kPeerApplication);
}

TEST(CloseSimTest, RepliesToAFloodOfPacketsAreFew) {
  PairConfig config = Config();
  config.server.app.streams = Bulk(50'000'000);
  config.Link(Broadband(Duration::Milliseconds(100)));
  EndpointPair pair(config);
  ASSERT_TRUE(pair.RunToHandshake(Duration::Seconds(1)));
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(2)));
  const uint64_t before = pair.simulation().trace().CountOf("CONNECTION_CLOSE");

  CloseNow(pair, pair.client(), pair.client_connection(), 3);
  ASSERT_TRUE(RunUntilBothAreGone(pair, Duration::Seconds(3)));

  // A window of hundreds of packets was under way.
  EXPECT_LT(pair.simulation().trace().CountOf("CONNECTION_CLOSE") - before, 30u);
}

TEST(CloseSimTest, AClientClosesDuringTheHandshake) {
  EndpointPair pair(Config());
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(15)));

  CloseNow(pair, pair.client(), pair.client_connection(), 5);

  EXPECT_TRUE(RunUntilBothAreGone(pair, Duration::Seconds(12)));
}

TEST(CloseSimTest, ARefusedCertificateClosesBothEnds) {
  PairConfig config = Config();
  config.simulation.deterministic_tls.refusal_alert = 42;
  EndpointPair pair(config);
  pair.Connect();

  ASSERT_TRUE(RunUntilBothAreGone(pair, Duration::Seconds(12)));

  ASSERT_TRUE(pair.client_record().close_reason.has_value());
  // RFC 9001 §4.8: 0x100 and the alert.
  EXPECT_EQ(pair.client_record().close_reason->error_code, 0x100u + 42u);
}

TEST(CloseSimTest, IdleConnectionsEndAtBothEnds) {
  EndpointPair pair(Config());
  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(1)));

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(29)));
  EXPECT_NE(pair.client_connection(), nullptr);
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(3)));

  EXPECT_EQ(CauseOf(pair.client_record()), Cause::kIdleTimeout);
  EXPECT_EQ(CauseOf(pair.server_record()), Cause::kIdleTimeout);
  EXPECT_EQ(pair.client().endpoint().connection_count(), 0u);
  EXPECT_EQ(pair.server().endpoint().connection_count(), 0u);
}

TEST(CloseSimTest, TheShorterIdleTimeoutCounts) {
  PairConfig config = Config();
  config.client.endpoint.connection.idle.max_idle_timeout = Duration::Seconds(5);
  EndpointPair pair(config);
  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(1)));

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(7)));

  EXPECT_EQ(CauseOf(pair.client_record()), Cause::kIdleTimeout);
  EXPECT_EQ(CauseOf(pair.server_record()), Cause::kIdleTimeout);
}

TEST(CloseSimTest, KeepAliveKeepsAnIdleConnection) {
  PairConfig config = Config();
  config.client.endpoint.connection.idle.keep_alive_interval = Duration::Seconds(10);
  EndpointPair pair(config);
  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(1)));

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(600)));

  EXPECT_NE(pair.client_connection(), nullptr);
  EXPECT_NE(pair.server_connection(), nullptr);
  // A packet and its acknowledgment at each interval.
  EXPECT_LT(pair.ClientStats().packets_sent, 150u);
  EXPECT_TRUE(pair.Close());
}

TEST(CloseSimTest, APeerThatIsGoneIsNoticed) {
  PairConfig config = Config();
  config.client.app.streams = Bulk(50'000'000);
  EndpointPair pair(config);
  ASSERT_TRUE(pair.RunToHandshake(Duration::Seconds(1)));
  pair.up().AddBlackout(pair.simulation().now(), Duration::Seconds(1'000));
  pair.down().AddBlackout(pair.simulation().now(), Duration::Seconds(1'000));

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(35)));

  EXPECT_EQ(CauseOf(pair.client_record()), Cause::kIdleTimeout);
  EXPECT_EQ(CauseOf(pair.server_record()), Cause::kIdleTimeout);
}

TEST(CloseSimTest, AServerThatWasRestartedResetsTheConnection) {
  EndpointPair pair(Config());
  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(1)));
  pair.server().Restart();
  pair.simulation().app(pair.server()).ForgetConnections();

  pair.client().Do([&](Endpoint&) {
    Connection& connection = *pair.client_connection();
    const StreamId id = *connection.OpenStream(StreamDirection::kBidirectional);
    const std::vector<uint8_t> bytes(500);
    ASSERT_TRUE(connection.WriteStream(id, bytes).ok());
  });
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(1)));

  EXPECT_EQ(CauseOf(pair.client_record()), Cause::kStatelessReset);
  EXPECT_GE(pair.server().endpoint().stats().stateless_resets_sent, 1u);
}

TEST(CloseSimTest, RestartedServersDoNotResetEachOtherForEver) {
  EndpointPair pair(Config());
  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(1)));
  pair.server().Restart();
  pair.client().Restart();
  pair.simulation().app(pair.server()).ForgetConnections();
  pair.simulation().app(pair.client()).ForgetConnections();

  // Something that both take for a packet of a connection that they have forgotten.
  SimPacket packet;
  packet.destination = pair.server().config().address;
  packet.payload.assign(1'000, 0x41);
  pair.simulation().network().Send(pair.client().id(), std::move(packet));
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(60)));

  // RFC 9000 §10.3.3: each is smaller than the one before, down to 22 bytes.
  EXPECT_LT(pair.server().endpoint().stats().stateless_resets_sent, 500u);
  const uint64_t sent = pair.simulation().trace().CountOf("send");
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(60)));
  EXPECT_EQ(pair.simulation().trace().CountOf("send"), sent);
}

TEST(CloseSimTest, AnUnknownVersionIsAnsweredWithTheOnesWeKnow) {
  EndpointPair pair(Config());
  SimPacket packet;
  packet.destination = pair.server().config().address;
  packet.payload.assign(1'200, 0);
  const uint8_t header[] = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0};
  std::copy(std::begin(header), std::end(header), packet.payload.begin());
  pair.simulation().network().Send(pair.client().id(), std::move(packet));

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(1)));

  EXPECT_EQ(pair.server().endpoint().stats().version_negotiations_sent, 1u);
  EXPECT_EQ(pair.server().endpoint().stats().connections_accepted, 0u);
}

TEST(CloseSimTest, ATruncatedFirstPacketIsNotAnswered) {
  EndpointPair pair(Config());
  SimPacket packet;
  packet.destination = pair.server().config().address;
  packet.payload.assign(1'199, 0);
  const uint8_t header[] = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0};
  std::copy(std::begin(header), std::end(header), packet.payload.begin());
  pair.simulation().network().Send(pair.client().id(), std::move(packet));

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(1)));

  EXPECT_EQ(pair.simulation().trace().CountOf("send"), 1u);
}

TEST(CloseSimTest, AServerThatStopsAcceptingServesWhatItHas) {
  PairConfig config = Config();
  config.simulation.observes_packets = false;
  config.client.app.streams = {{.bytes = 1'000},
                               {.bytes = 1'000, .start_after = Duration::Seconds(2)}};
  EndpointPair pair(config);
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(1)));
  pair.server().Do([](Endpoint& endpoint) { endpoint.StopAccepting(); });
  pair.Connect();

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(3)));

  EXPECT_TRUE(pair.simulation().ledger().IsSettled());
  EXPECT_EQ(pair.simulation().ledger().read_bytes(), 2'000u);
  EXPECT_GT(pair.server().endpoint().stats().refused_because(RefusalReason::kStopped), 0u);
  // RFC 9000 §5.2.2: CONNECTION_REFUSED.
  ASSERT_TRUE(pair.simulation().app(pair.client()).record(1).close_reason.has_value());
  EXPECT_EQ(pair.simulation().app(pair.client()).record(1).close_reason->error_code, 0x02u);
}

}  // namespace
}  // namespace godwit
