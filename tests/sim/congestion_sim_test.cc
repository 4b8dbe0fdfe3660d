// SPDX-License-Identifier: Apache-2.0
//
// Congestion control in whole connections: the link is used, shared, and not flooded. RFC 9002 §7,
// RFC 9406, RFC 9438.
#include <cstdint>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

#include "congestion/builtin_controllers.h"
#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

constexpr uint64_t kMegabyte = 1'000'000;

PairConfig Download(uint64_t bytes, const LinkConfig& link) {
  PairConfig config;
  config.Link(link);
  config.server.app.streams = Bulk(bytes);
  // Of seconds at 100 Mbit/s most of the time would go into this.
  config.simulation.checks_invariants_every = 50;
  config.simulation.observes_packets = false;
  return config;
}

// 100 Mbit/s, 40 ms, a queue of one bandwidth-delay product.
LinkConfig ReferenceLink() {
  return {.rate = Bandwidth::MegabitsPerSecond(100),
          .queue_bytes = 500'000,
          .delay = Duration::Milliseconds(20)};
}

const CongestionControllerFactory& Factory(std::string_view name) {
  static const CongestionControllerRegistry registry;
  return *FindCongestionControllerFactory(registry, name);
}

// Bytes of payload that the link carried between two moments, as a share of what it can carry.
double Utilisation(EndpointPair& pair, Duration warm_up, Duration measured) {
  pair.Connect();
  EXPECT_TRUE(pair.simulation().RunFor(warm_up));
  const uint64_t before = pair.simulation().ledger().read_bytes();
  EXPECT_TRUE(pair.simulation().RunFor(measured));
  const uint64_t bytes = pair.simulation().ledger().read_bytes() - before;
  return static_cast<double>(bytes) /
         static_cast<double>(pair.down().config().rate.BytesIn(measured));
}

TEST(CongestionSimTest, CubicUsesTheLink) {
  EndpointPair pair(Download(300 * kMegabyte, ReferenceLink()));

  // Headers of IP, UDP and QUIC take 4 %.
  EXPECT_GT(Utilisation(pair, Duration::Seconds(3), Duration::Seconds(10)), 0.92);
}

TEST(CongestionSimTest, NewRenoUsesTheLink) {
  PairConfig config = Download(300 * kMegabyte, ReferenceLink());
  config.server.endpoint.congestion_controller = "new_reno";
  EndpointPair pair(config);

  EXPECT_GT(Utilisation(pair, Duration::Seconds(3), Duration::Seconds(10)), 0.85);
}

TEST(CongestionSimTest, SlowStartDoesNotOverrunADeepQueue) {
  LinkConfig link = ReferenceLink();
  link.queue_bytes = 4 * kMegabyte;
  EndpointPair pair(Download(50 * kMegabyte, link));
  pair.Connect();

  // HyStart++ (RFC 9406) leaves slow start before the queue of eight round trips is full.
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(1)));

  EXPECT_EQ(pair.down().queue_drops(), 0u);
}

TEST(CongestionSimTest, AControllerIsSwitchedInMidTransfer) {
  EndpointPair pair(Download(60 * kMegabyte, ReferenceLink()));
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(2)));
  const uint64_t window = pair.ServerStats().congestion_window_bytes;

  pair.server().Do([&](Endpoint&) {
    pair.server_connection()->SwitchCongestionController(Factory("new_reno"),
                                                         pair.simulation().now());
  });

  EXPECT_EQ(pair.ServerStats().congestion_controller, "new_reno");
  EXPECT_EQ(pair.ServerStats().congestion_window_bytes, window);
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(1)));
  pair.server().Do([&](Endpoint&) {
    pair.server_connection()->SwitchCongestionController(Factory("cubic"), pair.simulation().now());
  });
  EXPECT_TRUE(pair.simulation().RunUntil([&] { return pair.simulation().IsSettled(); },
                                         Duration::Seconds(6)));
  EXPECT_TRUE(pair.Close());
}

TEST(CongestionSimTest, PersistentCongestionCollapsesTheWindow) {
  EndpointPair pair(Download(60 * kMegabyte, ReferenceLink()));
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(2)));
  const uint64_t before = pair.ServerStats().congestion_window_bytes;

  // Data is lost for a second, acknowledgments are not.
  pair.down().AddBlackout(pair.simulation().now(), Duration::Milliseconds(1'500));
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(1'500)));
  uint64_t least = before;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(5)));
    least = std::min(least, pair.ServerStats().congestion_window_bytes);
  }

  EXPECT_GT(before, 300'000u);
  // RFC 9002 §7.6.2: to the least window, from which it has risen since.
  EXPECT_LT(least, 10'000u);
}

TEST(CongestionSimTest, FlightsArePacedOverTheRoundTrip) {
  LinkConfig link = ReferenceLink();
  // Bursts of a window would not fit into a queue of 60 packets.
  link.queue_bytes = 90'000;
  PairConfig config = Download(20 * kMegabyte, link);
  EndpointPair pair(config);
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(1)));
  uint64_t most_in_a_millisecond = 0;
  uint64_t delivered = pair.down().delivered_packets();

  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(1)));
    const uint64_t now = pair.down().delivered_packets();
    most_in_a_millisecond = std::max(most_in_a_millisecond, now - delivered);
    delivered = now;
  }

  // The link itself carries 8.4 in that time.
  EXPECT_LE(most_in_a_millisecond, 10u);
  EXPECT_TRUE(pair.simulation().RunUntil([&] { return pair.simulation().IsSettled(); },
                                         Duration::Seconds(5)));
}

TEST(CongestionSimTest, AnApplicationThatPausesDoesNotBurstAfterwards) {
  LinkConfig link = ReferenceLink();
  link.queue_bytes = 60'000;
  PairConfig config = Download(0, link);
  config.server.app.streams = {
      {.direction = StreamDirection::kUnidirectional, .bytes = 5 * kMegabyte},
      {.direction = StreamDirection::kUnidirectional,
       .bytes = 300'000,
       .start_after = Duration::Seconds(8)},
  };
  EndpointPair pair(config);
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(7)));
  const uint64_t drops = pair.down().queue_drops();

  EXPECT_TRUE(pair.simulation().RunUntil([&] { return pair.simulation().IsSettled(); },
                                         Duration::Seconds(3)));

  EXPECT_LE(pair.down().queue_drops() - drops, 5u);
}

// Two connections that share a link from their servers.
TEST(CongestionSimTest, TwoFlowsShareALink) {
  Simulation simulation({.seed = 3, .observes_packets = false, .checks_invariants_every = 50});
  AppPlan sender;
  sender.streams = Bulk(1'000 * kMegabyte);
  std::vector<SimNode*> clients;
  SimLink* shared = nullptr;
  for (int i = 0; i < 2; ++i) {
    const std::string number = std::to_string(i + 1);
    SimNode& client =
        simulation.AddNode({.name = "client" + number,
                            .address = *SocketAddress::Parse("192.0.2." + number + ":5000"),
                            .checks_invariants_every = 50},
                           Perspective::kClient, {});
    SimNode& server =
        simulation.AddNode({.name = "server" + number,
                            .address = *SocketAddress::Parse("198.51.100." + number + ":443"),
                            .checks_invariants_every = 50},
                           Perspective::kServer, sender);
    simulation.AddLink(client, server, ReferenceLink());
    if (shared == nullptr) {
      shared = &simulation.AddLink(server, client, ReferenceLink());
    } else {
      simulation.network().SetRoute(server.id(), client.id(), shared);
    }
    clients.push_back(&client);
    const ConnectionHandle handle =
        client.Connect(server.config().address, simulation.server_name());
    simulation.app(client).ExpectConnection(handle);
    ASSERT_TRUE(simulation.RunFor(Duration::Milliseconds(700)));
  }
  const auto received = [&](int i) {
    const SimNode& client = *clients[static_cast<size_t>(i)];
    return clients[static_cast<size_t>(i)]
        ->endpoint()
        .Find(simulation.app(client).record(0).handle)
        ->Stats()
        .bytes_received;
  };

  ASSERT_TRUE(simulation.RunFor(Duration::Seconds(20)));
  const uint64_t before[] = {received(0), received(1)};
  ASSERT_TRUE(simulation.RunFor(Duration::Seconds(30)));

  const double a = static_cast<double>(received(0) - before[0]);
  const double b = static_cast<double>(received(1) - before[1]);
  EXPECT_GT((a + b) * (a + b) / (2 * (a * a + b * b)), 0.90) << a << " and " << b;
  EXPECT_GT(a + b, 0.94 * 30 * 12.5e6);
}

}  // namespace
}  // namespace godwit
