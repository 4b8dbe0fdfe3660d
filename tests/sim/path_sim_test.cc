// SPDX-License-Identifier: Apache-2.0
//
// Paths: NATs that rebind, datagram sizes that grow and shrink. RFC 9000 §9, §14; RFC 8899.
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

constexpr uint64_t kMegabyte = 1'000'000;

PairConfig Echo(uint64_t bytes) {
  PairConfig config;
  config.client.app.streams = {{.bytes = bytes}};
  config.server.app.answers = {.kind = AnswerPlan::Kind::kEcho};
  return config;
}

PairConfig Download(uint64_t bytes) {
  PairConfig config;
  config.server.app.streams = Bulk(bytes);
  return config;
}

LinkConfig WithMtu(uint64_t mtu_bytes) {
  LinkConfig link = Broadband();
  link.mtu_bytes = mtu_bytes;
  return link;
}

// ---- NAT rebinding ----

TEST(PathSimTest, APortChangesInMidTransfer) {
  EndpointPair pair(Echo(10 * kMegabyte));
  pair.RebindEvery(Duration::Milliseconds(500), 1, false);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(5)));

  EXPECT_EQ(pair.ServerStats().path_changes, 1u);
  EXPECT_TRUE(pair.Close());
}

TEST(PathSimTest, ADownloadFollowsANewPort) {
  EndpointPair pair(Download(10 * kMegabyte));
  pair.RebindEvery(Duration::Milliseconds(500), 1, false);

  EXPECT_TRUE(pair.Run(Duration::Seconds(5)));
}

TEST(PathSimTest, AnAddressChangesInMidTransfer) {
  EndpointPair pair(Echo(10 * kMegabyte));
  pair.RebindEvery(Duration::Milliseconds(500), 1, true);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(6)));

  EXPECT_EQ(pair.ServerStats().path_changes, 1u);
  EXPECT_TRUE(pair.Close());
}

TEST(PathSimTest, ANewPortKeepsTheWindowAndANewAddressDoesNot) {
  uint64_t windows[2];
  for (const bool with_ip : {false, true}) {
    PairConfig config = Echo(20 * kMegabyte);
    config.Link(Broadband(Duration::Milliseconds(40)));
    EndpointPair pair(config);
    pair.RebindEvery(Duration::Milliseconds(900), 1, with_ip);
    pair.Connect();
    ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(890)));
    const uint64_t before = pair.ServerStats().congestion_window_bytes;
    ASSERT_TRUE(pair.simulation().RunUntil([&] { return pair.ServerStats().path_changes == 1; },
                                           Duration::Milliseconds(300)));
    windows[with_ip ? 1 : 0] = pair.ServerStats().congestion_window_bytes;
    EXPECT_GT(before, 100'000u);
  }

  EXPECT_GT(windows[0], 100'000u);
  EXPECT_LT(windows[1], 20'000u);
}

TEST(PathSimTest, APortThatChangesEverySecond) {
  PairConfig config = Echo(10 * kMegabyte);
  config.up.rate = Bandwidth::MegabitsPerSecond(8);
  config.up.queue_bytes = 50'000;
  EndpointPair pair(config);
  pair.RebindEvery(Duration::Seconds(1), 20, false);

  // 10 s at full rate.
  EXPECT_TRUE(pair.Run(Duration::Seconds(14)));
}

TEST(PathSimTest, AnAddressThatChangesEverySecondWithLoss) {
  PairConfig config = Echo(5 * kMegabyte);
  config.client.endpoint.connection.idle.keep_alive_interval = Duration::Seconds(1);
  config.up.loss = Chance::Percent(1);
  config.down.loss = Chance::Percent(1);
  EndpointPair pair(config);
  pair.RebindEvery(Duration::Seconds(1), 40, true);

  EXPECT_TRUE(pair.Run(Duration::Seconds(40)));
}

TEST(PathSimTest, AClientThatOnlyReceivesIsFoundAgainWithoutKeepAlive) {
  for (const uint64_t seed : {1, 7, 20}) {
    PairConfig config = Download(10 * kMegabyte);
    config.simulation.seed = seed;
    EndpointPair pair(config);
    pair.RebindEvery(Duration::Milliseconds(300), 3, false);

    // 1 s at full rate, and a pause after each rebinding: 1 s until it is noticed, then slow start.
    EXPECT_TRUE(pair.Run(Duration::Seconds(6))) << "seed " << seed;
  }
}

TEST(PathSimTest, AnIdleClientIsFoundAgainAfterARebinding) {
  PairConfig config = Echo(1'000);
  config.client.app.streams = {{.bytes = 1'000},
                               {.bytes = 1'000, .start_after = Duration::Seconds(10)}};
  EndpointPair pair(config);
  pair.RebindEvery(Duration::Seconds(5), 1, true);

  EXPECT_TRUE(pair.Run(Duration::Seconds(11)));
}

TEST(PathSimTest, AClientWithEmptyConnectionIdsMayBeRebound) {
  PairConfig config = Echo(5 * kMegabyte);
  config.client.connection_id_bytes = 0;
  EndpointPair pair(config);
  pair.RebindEvery(Duration::Milliseconds(300), 1, false);

  EXPECT_TRUE(pair.Run(Duration::Seconds(5)));
}

// ---- NAT rebinding before the handshake is confirmed: RFC 9000 §9 knows no migration then ----

// The server has not seen the client's Finished: it must not follow, and so the client is lost.
TEST(PathSimTest, ARebindingBeforeTheServersHandshakeIsCompleteIsNotFollowed) {
  for (const bool with_ip : {false, true}) {
    EndpointPair pair(Echo(1'000));
    pair.RebindEvery(Duration::Milliseconds(15), 1, with_ip);
    pair.Connect();

    ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(25)));

    EXPECT_EQ(pair.client_record().completed_at, Timestamp::Infinite());
    EXPECT_EQ(pair.client_record().close_reason->cause, CloseReason::Cause::kHandshakeTimeout);
    EXPECT_EQ(pair.client().endpoint().connection_count(), 0u);
    EXPECT_EQ(pair.server().endpoint().connection_count(), 0u);
    EXPECT_EQ(pair.server().endpoint().stats().connections_accepted, 1u);
  }
}

// At whatever moment: the connection does its work, or both ends know that it has failed, and the
// next one from the same address does.
TEST(PathSimTest, ARebindingAtAnyMomentOfTheHandshake) {
  int failed = 0;
  for (int64_t at_ms = 1; at_ms <= 60; at_ms += 3) {
    PairConfig config = Echo(10'000);
    config.client.endpoint.connection.idle.keep_alive_interval = Duration::Milliseconds(500);
    EndpointPair pair(config);
    pair.RebindEvery(Duration::Milliseconds(at_ms), 1, at_ms % 2 == 0);
    pair.Connect();

    ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(45))) << at_ms << " ms";

    if (pair.client_connection() != nullptr) {
      EXPECT_TRUE(pair.simulation().IsSettled()) << at_ms << " ms\n"
                                                 << pair.simulation().Describe();
      continue;
    }
    ++failed;
    EXPECT_EQ(pair.client().endpoint().connection_count(), 0u) << at_ms << " ms";
    EXPECT_EQ(pair.server().endpoint().connection_count(), 0u) << at_ms << " ms";
  }
  // From the arrival of the first packet to that of the client's Finished: 10 to 30 ms.
  EXPECT_LE(failed, 8);
}

// Somebody takes a packet of the client out of the network and sends it on from elsewhere, and then
// nothing more of the client gets through: RFC 9000 §9.3.2.
TEST(PathSimTest, AnAddressThatDoesNotAnswerIsLeftForTheFormerOne) {
  EndpointPair pair(Download(30 * kMegabyte));
  std::vector<uint8_t> stolen;
  pair.up().SetDropFilter([&](const SimPacket& packet) {
    const bool is_first =
        stolen.empty() && pair.simulation().elapsed() > Duration::Milliseconds(300);
    if (is_first) stolen = packet.payload;
    return !stolen.empty();
  });
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(350)));
  ASSERT_FALSE(stolen.empty());
  const ReceivedDatagram moved = {.payload = stolen,
                                  .four_tuple = {.local = pair.server().config().address,
                                                 .peer = *SocketAddress::Parse("203.0.113.66:666")},
                                  .ecn = EcnMark::kNotEct,
                                  .received_at = pair.server().now()};

  pair.server().Do([&](Endpoint& endpoint) {
    endpoint.OnDatagrams({&moved, 1}, pair.server().now());
  });
  ASSERT_EQ(pair.ServerStats().path_changes, 1u);
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(2'500)));
  const uint64_t before = pair.down().delivered_packets();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(5)));

  EXPECT_EQ(pair.ServerStats().path_changes, 2u);
  EXPECT_GT(pair.down().delivered_packets(), before);
}

// ---- Datagram sizes ----

TEST(PathSimTest, DatagramsGrowToWhatThePathTakes) {
  PairConfig config = Download(5 * kMegabyte);
  config.Link(WithMtu(1'500));
  EndpointPair pair(config);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(2)));

  EXPECT_GE(pair.ServerStats().max_datagram_bytes, 1'440u);
  EXPECT_TRUE(pair.Close());
}

TEST(PathSimTest, APathOfTheLeastSize) {
  PairConfig config = Download(2 * kMegabyte);
  config.Link(WithMtu(1'200 + kUdpIpOverheadBytes));
  EndpointPair pair(config);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(2)));

  EXPECT_EQ(pair.ServerStats().max_datagram_bytes, 1'200u);
  // Lost probes are no congestion.
  EXPECT_EQ(pair.ServerStats().packets_lost, pair.down().queue_drops());
  EXPECT_TRUE(pair.Close());
}

TEST(PathSimTest, ThePathShrinksTo1280InMidTransfer) {
  PairConfig config = Download(10 * kMegabyte);
  config.Link(WithMtu(1'500));
  EndpointPair pair(config);
  pair.After(Duration::Milliseconds(400), [&] { pair.down().Change(WithMtu(1'280)); });
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(400)));
  ASSERT_GT(pair.ServerStats().max_datagram_bytes, 1'400u);
  // What was under way arrives.
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(60)));
  const uint64_t before = pair.simulation().ledger().read_bytes();
  const Duration rtt = pair.ServerStats().smoothed_rtt;

  // Three PTO with a backoff of 1, 2 and 4 are the worst; a PTO is about RTT, variance and delay.
  ASSERT_TRUE(pair.simulation().RunFor(7 * (2 * rtt + Duration::Milliseconds(25))));

  EXPECT_GT(pair.simulation().ledger().read_bytes(), before);
  EXPECT_LE(pair.ServerStats().max_datagram_bytes, 1'280u - kUdpIpOverheadBytes);
  EXPECT_TRUE(pair.simulation().RunUntil([&] { return pair.simulation().IsSettled(); },
                                         Duration::Seconds(5)));
  EXPECT_TRUE(pair.Close());
}

TEST(PathSimTest, ThePathWidensInMidTransfer) {
  PairConfig config = Download(10 * kMegabyte);
  config.Link(WithMtu(1'280));
  config.server.endpoint.connection.mtu.max_mtu = 1'452;
  EndpointPair pair(config);
  pair.After(Duration::Milliseconds(200), [&] {
    pair.down().Change(WithMtu(1'500));
    pair.up().Change(WithMtu(1'500));
  });

  EXPECT_TRUE(pair.Run(Duration::Seconds(4)));
}

TEST(PathSimTest, JumboFrames) {
  PairConfig config = Download(10 * kMegabyte);
  config.Link(WithMtu(9'000));
  config.server.endpoint.connection.mtu.max_mtu = 8'900;
  config.client.endpoint.connection.mtu.max_mtu = 8'900;
  EndpointPair pair(config);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(4)));

  EXPECT_GT(pair.ServerStats().max_datagram_bytes, 8'000u);
  EXPECT_TRUE(pair.Close());
}

TEST(PathSimTest, DiscoveryMayBeOff) {
  PairConfig config = Download(2 * kMegabyte);
  config.server.endpoint.connection.mtu.enabled = false;
  EndpointPair pair(config);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(2)));

  EXPECT_EQ(pair.ServerStats().max_datagram_bytes, 1'200u);
  EXPECT_TRUE(pair.Close());
}

// ---- Connection ids ----

TEST(PathSimTest, ConnectionIdsAreRotatedInMidTransfer) {
  EndpointPair pair(Echo(5 * kMegabyte));
  for (int64_t i = 1; i <= 5; ++i) {
    pair.After(Duration::Milliseconds(100) * i, [&] {
      pair.server().Do([&](Endpoint&) { pair.server_connection()->RotateConnectionIds(); });
      pair.client().Do([&](Endpoint&) { pair.client_connection()->RotateConnectionIds(); });
    });
  }

  EXPECT_TRUE(pair.Run(Duration::Seconds(5)));

  EXPECT_GT(pair.simulation().trace().CountOf("RETIRE_CONNECTION_ID"), 4u);
}

}  // namespace
}  // namespace godwit
