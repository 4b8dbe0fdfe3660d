// SPDX-License-Identifier: Apache-2.0
//
// Paths that lose, delay, reorder, repeat and falsify, and paths that are gone for a while.
// RFC 9002.
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

constexpr uint64_t kMegabyte = 1'000'000;

PairConfig Download(uint64_t bytes, const LinkConfig& link = Broadband()) {
  PairConfig config;
  config.Link(link);
  config.server.app.streams = Bulk(bytes);
  return config;
}

TEST(LossSimTest, AMegabyteOnACleanPath) {
  EndpointPair pair(Download(kMegabyte));

  ASSERT_TRUE(pair.Run(Duration::Milliseconds(400)));

  EXPECT_EQ(pair.down().queue_drops(), 0u);
}

TEST(LossSimTest, OnePercentLoss) {
  PairConfig config = Download(3 * kMegabyte);
  config.down.loss = Chance::Percent(1);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(6)));
}

TEST(LossSimTest, TenPercentLossBothWays) {
  PairConfig config = Download(kMegabyte);
  config.up.loss = Chance::Percent(10);
  config.down.loss = Chance::Percent(10);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(20)));
}

TEST(LossSimTest, LossInBursts) {
  PairConfig config = Download(kMegabyte);
  config.down.bursts = {.turns_bad = Chance::PerMillion(5'000), .turns_good = Chance::Percent(10)};
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(15)));
}

TEST(LossSimTest, HalfOfTheAcknowledgmentsAreLost) {
  PairConfig config = Download(3 * kMegabyte);
  EndpointPair pair(config);
  pair.After(Duration::Milliseconds(100), [&] {
    LinkConfig lossy = pair.up().config();
    lossy.loss = Chance::Percent(50);
    pair.up().Change(lossy);
  });

  EXPECT_TRUE(pair.Run(Duration::Seconds(3)));
}

TEST(LossSimTest, NineOfTenAcknowledgmentsAreLost) {
  PairConfig config = Download(kMegabyte);
  EndpointPair pair(config);
  pair.After(Duration::Milliseconds(60), [&] {
    LinkConfig lossy = pair.up().config();
    lossy.loss = Chance::Percent(90);
    pair.up().Change(lossy);
  });

  EXPECT_TRUE(pair.Run(Duration::Seconds(30)));
}

TEST(LossSimTest, TwoPercentOfThePacketsAreCorrupt) {
  PairConfig config = Download(kMegabyte);
  config.up.corrupt = Chance::Percent(2);
  config.down.corrupt = Chance::Percent(2);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(6)));
}

TEST(LossSimTest, TenPercentOfThePacketsAreOvertaken) {
  PairConfig config = Download(5 * kMegabyte);
  config.down.reorder = Chance::Percent(10);
  EndpointPair pair(config);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(3)));

  // The threshold has learned: reordering is not taken for loss for long.
  const ConnectionStats stats = pair.ServerStats();
  EXPECT_GT(stats.packet_reordering_threshold, 3u);
  EXPECT_LT(stats.packets_lost, 300u);
  EXPECT_TRUE(pair.Close());
}

TEST(LossSimTest, JitterThatReordersEverything) {
  PairConfig config = Download(kMegabyte);
  config.down.jitter = Duration::Milliseconds(8);
  config.down.jitter_reorders = true;
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(6)));
}

TEST(LossSimTest, JitterThatKeepsTheOrder) {
  PairConfig config = Download(3 * kMegabyte);
  config.down.jitter = Duration::Milliseconds(30);
  config.up.jitter = Duration::Milliseconds(30);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(6)));
}

TEST(LossSimTest, EveryPacketComesTwice) {
  PairConfig config = Download(kMegabyte);
  config.up.duplicate = Chance::Always();
  config.down.duplicate = Chance::Always();
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(2)));
}

TEST(LossSimTest, ARoundTripOf750Milliseconds) {
  EndpointPair pair(Download(kMegabyte, Broadband(Duration::Milliseconds(375))));

  // The handshake, and slow start from 10 packets to a megabyte: about nine round trips.
  EXPECT_TRUE(pair.Run(Duration::Seconds(9)));
}

TEST(LossSimTest, ARoundTripOf750MillisecondsWithLoss) {
  PairConfig config = Download(300'000, Broadband(Duration::Milliseconds(375)));
  config.down.loss = Chance::Percent(2);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(30)));
}

TEST(LossSimTest, TheLastPacketsAreLost) {
  PairConfig config = Download(100'000);
  EndpointPair pair(config);
  uint64_t dropped = 0;
  // Everything that carries the end of the stream, twice.
  uint64_t doomed = ~uint64_t{0};
  pair.simulation().observer().SetFrameHook([&](const ObservedPacket& packet, const Frame& frame) {
    if (frame.kind() == FrameKind::kStream && frame.As<StreamFrame>().is_fin && dropped < 2) {
      doomed = packet.datagram->number;
    }
  });
  pair.down().SetDropFilter([&](const SimPacket& packet) {
    if (packet.number != doomed) return false;
    ++dropped;
    return true;
  });

  EXPECT_TRUE(pair.Run(Duration::Seconds(2)));

  EXPECT_EQ(dropped, 2u);
}

TEST(LossSimTest, ALinkAsThinAsAModem) {
  PairConfig config = Download(100'000);
  config.down.rate = Bandwidth::KilobitsPerSecond(64);
  config.down.queue_bytes = 16'000;
  EndpointPair pair(config);

  // 100,000 bytes alone take 12.5 s.
  EXPECT_TRUE(pair.Run(Duration::Seconds(20)));
}

TEST(LossSimTest, AQueueOfThreePackets) {
  PairConfig config = Download(kMegabyte);
  config.down.rate = Bandwidth::MegabitsPerSecond(10);
  config.down.queue_bytes = 4'600;
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(10)));
}

TEST(LossSimTest, DatagramsArriveInBatches) {
  PairConfig config = Download(3 * kMegabyte);
  config.client.batching = Duration::Milliseconds(1);
  config.server.batching = Duration::Milliseconds(1);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(2)));
}

// ---- Black-outs ----

LinkConfig Link(Duration delay) {
  LinkConfig link = Broadband(delay);
  link.rate = Bandwidth::MegabitsPerSecond(40);
  return link;
}

class BlackoutSimTest : public testing::TestWithParam<int64_t> {};

TEST_P(BlackoutSimTest, DataFlowsWithinARoundTripAndTwoSecondsAfterwards) {
  constexpr Duration kRtt = Duration::Milliseconds(100);
  const Duration length = Duration::Seconds(GetParam());
  PairConfig config = Download(20 * kMegabyte, Link(kRtt / 2));
  config.simulation.checks_invariants_every = 10;
  config.simulation.stall_after = length + Duration::Seconds(10);
  config.client.endpoint.connection.idle.max_idle_timeout = Duration::Seconds(600);
  config.server.endpoint.connection.idle.max_idle_timeout = Duration::Seconds(600);
  EndpointPair pair(config);
  const Timestamp begin = pair.simulation().now() + Duration::Milliseconds(1'500);
  pair.up().AddBlackout(begin, length);
  pair.down().AddBlackout(begin, length);
  pair.Connect();

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(1'500) + length));
  const uint64_t before = pair.simulation().ledger().read_bytes();
  ASSERT_TRUE(pair.simulation().RunFor(kRtt + Duration::Seconds(2)));
  const uint64_t after = pair.simulation().ledger().read_bytes();

  EXPECT_GT(before, 0u);
  EXPECT_LT(before, 20 * kMegabyte);
  EXPECT_GT(after, before);
  // And it recovers: what is left takes a few seconds of the link.
  EXPECT_TRUE(pair.simulation().RunUntil([&] { return pair.simulation().IsSettled(); },
                                         Duration::Seconds(20)));
  EXPECT_TRUE(pair.Close());
}

INSTANTIATE_TEST_SUITE_P(Seconds, BlackoutSimTest, testing::Values(5, 30, 120));

TEST(LossSimTest, ABlackoutOfOneDirectionOnly) {
  PairConfig config = Download(20 * kMegabyte);
  config.simulation.checks_invariants_every = 10;
  EndpointPair pair(config);
  pair.up().AddBlackout(pair.simulation().now() + Duration::Milliseconds(500),
                        Duration::Seconds(5));

  EXPECT_TRUE(pair.Run(Duration::Seconds(15)));
}

TEST(LossSimTest, ManyShortBlackouts) {
  PairConfig config = Download(5 * kMegabyte);
  EndpointPair pair(config);
  for (int64_t i = 1; i <= 20; ++i) {
    const Timestamp begin = pair.simulation().now() + Duration::Milliseconds(250) * i;
    pair.up().AddBlackout(begin, Duration::Milliseconds(60));
    pair.down().AddBlackout(begin, Duration::Milliseconds(60));
  }

  EXPECT_TRUE(pair.Run(Duration::Seconds(15)));
}

TEST(LossSimTest, TheDelayGrowsTenfold) {
  PairConfig config = Download(10 * kMegabyte);
  EndpointPair pair(config);
  pair.After(Duration::Milliseconds(300), [&] {
    LinkConfig slower = pair.down().config();
    slower.delay = Duration::Milliseconds(200);
    pair.down().Change(slower);
  });

  EXPECT_TRUE(pair.Run(Duration::Seconds(10)));
}

TEST(LossSimTest, TheRateFallsToATenth) {
  PairConfig config = Download(5 * kMegabyte);
  EndpointPair pair(config);
  pair.After(Duration::Milliseconds(200), [&] {
    LinkConfig slower = pair.down().config();
    slower.rate = Bandwidth::MegabitsPerSecond(10);
    pair.down().Change(slower);
  });

  EXPECT_TRUE(pair.Run(Duration::Seconds(10)));
}

}  // namespace
}  // namespace godwit
