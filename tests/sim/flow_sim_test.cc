// SPDX-License-Identifier: Apache-2.0
//
// Flow control: slow readers, readers that never read, lost updates, windows that must grow, and
// the memory of an endpoint. RFC 9000 §4.
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

PairConfig Upload(uint64_t bytes, const LinkConfig& link = Broadband()) {
  PairConfig config;
  config.Link(link);
  config.client.app.streams = Bulk(bytes);
  return config;
}

// From the first, and for good.
void SetStreamWindow(EndConfig& end, uint64_t bytes) {
  StreamConfig& streams = end.endpoint.connection.streams;
  streams.initial_max_stream_data_bidi_local = bytes;
  streams.initial_max_stream_data_bidi_remote = bytes;
  streams.initial_max_stream_data_uni = bytes;
  streams.max_stream_window_bytes = bytes;
}

TEST(FlowSimTest, ASlowReader) {
  PairConfig config = Upload(2'000'000);
  config.server.app.reads = {
      .speed = ReadPlan::Speed::kSlow, .bytes = 10'000, .interval = Duration::Milliseconds(10)};
  EndpointPair pair(config);

  // It reads a megabyte in a second.
  EXPECT_TRUE(pair.Run(Duration::Milliseconds(2'400)));
}

TEST(FlowSimTest, AReaderOfAFewBytes) {
  PairConfig config = Upload(20'000);
  config.server.app.reads = {
      .speed = ReadPlan::Speed::kSlow, .bytes = 7, .interval = Duration::Milliseconds(1)};
  SetStreamWindow(config.server, 4'000);
  EndpointPair pair(config);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(4)));

  // No silly windows: 20,000 bytes in a window of 4,000 do not take hundreds of updates.
  EXPECT_LT(pair.simulation().trace().CountOf("MAX_STREAM_DATA"), 40u);
}

TEST(FlowSimTest, AReaderThatNeverReadsStopsTheSender) {
  PairConfig config = Upload(20'000'000);
  config.server.app.reads.speed = ReadPlan::Speed::kNever;
  config.server.endpoint.connection.streams.initial_max_data = 300'000;
  EndpointPair pair(config);
  pair.Connect();

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(20)));

  EXPECT_EQ(pair.ClientStats().blocked_by, SendBlockedBy::kPeerFlowControl);
  EXPECT_LE(pair.server_connection()->held_bytes(), 400'000u);
  EXPECT_LT(pair.ClientStats().bytes_sent, 400'000u);
}

TEST(FlowSimTest, SmallWindowsAreNoDeadlock) {
  PairConfig config = Upload(300'000);
  StreamConfig& streams = config.server.endpoint.connection.streams;
  streams.initial_max_data = 3'000;
  streams.max_connection_window_bytes = 3'000;
  SetStreamWindow(config.server, 2'000);
  config.up.loss = Chance::Percent(5);
  config.down.loss = Chance::Percent(5);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(60)));
}

TEST(FlowSimTest, TheConnectionsWindowAloneIsSmall) {
  PairConfig config = Upload(0);
  config.client.app.streams = Streams(20, {.bytes = 50'000});
  config.server.endpoint.connection.streams.initial_max_data = 5'000;
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(5)));
}

// Drops every second packet with a MAX_DATA or MAX_STREAM_DATA frame, the first one included.
TEST(FlowSimTest, LostUpdatesAreNoDeadlock) {
  PairConfig config = Upload(1'000'000);
  StreamConfig& streams = config.server.endpoint.connection.streams;
  streams.initial_max_data = 30'000;
  streams.max_connection_window_bytes = 30'000;
  SetStreamWindow(config.server, 20'000);
  EndpointPair pair(config);
  uint64_t last_update = ~uint64_t{0};
  uint64_t updates = 0;
  pair.simulation().observer().SetFrameHook([&](const ObservedPacket& packet, const Frame& frame) {
    if (frame.kind() != FrameKind::kMaxData && frame.kind() != FrameKind::kMaxStreamData) return;
    if (packet.datagram->number == last_update) return;
    last_update = packet.datagram->number;
    ++updates;
  });
  pair.down().SetDropFilter(
      [&](const SimPacket& packet) { return packet.number == last_update && updates % 2 == 1; });

  EXPECT_TRUE(pair.Run(Duration::Seconds(20)));

  EXPECT_GT(pair.simulation().trace().CountOf("drop: chosen"), 10u);
}

// RFC 9000 §4.1: the sender reminds its peer, and so the connection does not end. At the limit of a
// stream, and at that of the connection.
TEST(FlowSimTest, AReaderThatPausesForLongerThanTheIdleTimeout) {
  for (const bool is_stream_limit : {true, false}) {
    PairConfig config = Upload(30'000);
    config.server.app.reads = {
        .speed = ReadPlan::Speed::kSlow, .bytes = 15'000, .interval = Duration::Seconds(200)};
    SetStreamWindow(config.server, 10'000);
    if (!is_stream_limit) config.server.endpoint.connection.streams.initial_max_data = 6'000;
    EndpointPair pair(config);
    pair.Connect();
    ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(195)));
    const uint64_t before = pair.simulation().ledger().read_bytes();

    ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(10)));

    ASSERT_NE(pair.server_connection(), nullptr);
    EXPECT_GT(pair.simulation().ledger().read_bytes(), before);
    // One in half of the idle timeout.
    const char* const frame = is_stream_limit ? "STREAM_DATA_BLOCKED" : "DATA_BLOCKED";
    EXPECT_GE(pair.simulation().trace().CountOf(frame), 13u);
    EXPECT_LE(pair.simulation().trace().CountOf(frame), 16u);
  }
}

TEST(FlowSimTest, WindowsGrowToTheBandwidthDelayProduct) {
  // 100 Mbit/s and 200 ms: 2.5 MB, ten times the initial window of a stream.
  PairConfig config = Upload(40'000'000, Broadband(Duration::Milliseconds(100)));
  config.up.queue_bytes = 2'500'000;
  EndpointPair pair(config);

  // 3.2 s at full rate; 31 s with the initial window.
  EXPECT_TRUE(pair.Run(Duration::Seconds(8)));
}

TEST(FlowSimTest, ASenderOnACleanPathIsNotHeldUpByUpdates) {
  PairConfig config = Upload(20'000'000);
  EndpointPair pair(config);
  pair.Connect();
  uint64_t blocked = 0;
  uint64_t samples = 0;
  // From a second on, when the windows are grown.
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(600)));

  for (int i = 0; i < 800; ++i) {
    ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(1)));
    ++samples;
    if (pair.ClientStats().blocked_by == SendBlockedBy::kPeerFlowControl) ++blocked;
  }

  EXPECT_EQ(blocked, 0u) << "of " << samples;
  EXPECT_TRUE(pair.simulation().RunUntil([&] { return pair.simulation().IsSettled(); },
                                         Duration::Seconds(4)));
}

TEST(FlowSimTest, AWindowCapHolds) {
  PairConfig config = Upload(5'000'000, Broadband(Duration::Milliseconds(50)));
  config.server.endpoint.connection.streams.max_connection_window_bytes = 500'000;
  config.server.endpoint.connection.streams.max_stream_window_bytes = 500'000;
  config.server.endpoint.connection.streams.initial_max_data = 400'000;
  EndpointPair pair(config);
  uint64_t max_ahead = 0;
  pair.simulation().observer().SetFrameHook([&](const ObservedPacket&, const Frame& frame) {
    if (frame.kind() != FrameKind::kMaxData) return;
    const uint64_t read = pair.simulation().ledger().read_bytes();
    max_ahead = std::max(max_ahead, frame.As<MaxDataFrame>().maximum_bytes - read);
  });

  EXPECT_TRUE(pair.Run(Duration::Seconds(5)));

  EXPECT_LE(max_ahead, 500'000u);
}

TEST(FlowSimTest, AThousandPeersThatNeverStopAndAnApplicationThatNeverReads) {
  constexpr uint64_t kBudget = 16 << 20;
  constexpr int kPeers = 1'000;
  PairConfig config = Upload(0);
  config.client.app.streams = Streams(4, {.bytes = 100'000});
  config.server.app.reads.speed = ReadPlan::Speed::kNever;
  config.server.endpoint.memory_budget_bytes = kBudget;
  config.server.endpoint.connection.streams.initial_max_data = 32 << 10;
  config.simulation.observes_packets = false;
  config.simulation.checks_invariants_every = 0;
  config.up.rate = Bandwidth::MegabitsPerSecond(10'000);
  config.down.rate = Bandwidth::MegabitsPerSecond(10'000);
  config.up.queue_bytes = 20'000'000;
  EndpointPair pair(config);
  for (int i = 0; i < kPeers; ++i) pair.Connect();

  for (int i = 0; i < 20; ++i) {
    // New ones all the time: they are refused before the budget is used up.
    pair.Connect();
    ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(100)));
    ASSERT_LE(pair.server().endpoint().stats().held_bytes, kBudget);
  }

  EXPECT_GT(pair.server().endpoint().stats().refused_because(RefusalReason::kMemoryBudget), 0u);
  EXPECT_GT(pair.server().endpoint().stats().held_bytes, kBudget / 10 * 9);
}

}  // namespace
}  // namespace godwit
