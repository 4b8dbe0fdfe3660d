// SPDX-License-Identifier: Apache-2.0
//
// Streams: many, tiny, reset, stopped, urgent. RFC 9000 §2, §3; RFC 9218.
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

PairConfig Config() {
  PairConfig config;
  config.Link(Broadband());
  return config;
}

TEST(StreamSimTest, AThousandStreamsAtOnce) {
  PairConfig config = Config();
  config.client.app.streams = Streams(1'000, {.bytes = 2'000});
  config.server.app.answers = {.kind = AnswerPlan::Kind::kEcho};
  config.server.endpoint.connection.streams.max_streams_bidi = 1'000;
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(3)));
}

TEST(StreamSimTest, AThousandStreamsAHundredAtATime) {
  PairConfig config = Config();
  config.client.app.streams = Streams(1'000, {.bytes = 2'000});
  config.server.app.answers = {.kind = AnswerPlan::Kind::kEcho};
  config.server.endpoint.connection.streams.max_streams_bidi = 100;
  EndpointPair pair(config);

  // Ten turns of 100 streams: a round trip each for data, and one until there are new ones.
  EXPECT_TRUE(pair.Run(Duration::Seconds(3)));
}

TEST(StreamSimTest, AThousandUnidirectionalStreamsEachWayWithLoss) {
  PairConfig config = Config();
  const StreamPlan plan = {.direction = StreamDirection::kUnidirectional, .bytes = 500};
  config.client.app.streams = Streams(1'000, plan);
  config.server.app.streams = Streams(1'000, plan);
  config.up.loss = Chance::Percent(3);
  config.down.loss = Chance::Percent(3);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(10)));
}

TEST(StreamSimTest, EmptyStreams) {
  PairConfig config = Config();
  config.client.app.streams = Streams(200, {.bytes = 0});
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(2)));
}

TEST(StreamSimTest, WritesOfOneByte) {
  PairConfig config = Config();
  config.client.app.streams = {{.bytes = 100'000, .write_bytes = 1}};
  EndpointPair pair(config);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(2)));

  // They share packets.
  EXPECT_LT(pair.ClientStats().packets_sent, 200u);
  EXPECT_TRUE(pair.Close());
}

TEST(StreamSimTest, AByteEveryMillisecond) {
  PairConfig config = Config();
  config.client.app.streams = {
      {.bytes = 1'000, .write_bytes = 1, .write_interval = Duration::Milliseconds(1)}};
  config.up.loss = Chance::Percent(5);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(3)));
}

TEST(StreamSimTest, WritesOfCordsAndOfBytesAreAlike) {
  PairConfig config = Config();
  config.client.app.streams = {
      {.bytes = 2'000'000, .write_bytes = 100'000, .writes_cords = true},
      {.bytes = 2'000'000, .write_bytes = 777},
      {.bytes = 2'000'000, .write_bytes = 1'500, .writes_cords = true},
  };
  config.up.loss = Chance::Percent(1);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(8)));
}

TEST(StreamSimTest, RequestsAndAnswers) {
  PairConfig config = Config();
  config.client.app.streams = Streams(100, {.bytes = 300});
  config.server.app.answers = {.kind = AnswerPlan::Kind::kBytes, .bytes = 20'000};
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(2)));
}

TEST(StreamSimTest, AnEchoOfTwoMegabytes) {
  PairConfig config = Config();
  config.client.app.streams = {{.bytes = 2'000'000}};
  config.server.app.answers = {.kind = AnswerPlan::Kind::kEcho};
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(2)));
}

TEST(StreamSimTest, BothEndsSendFiveMegabytes) {
  PairConfig config = Config();
  config.client.app.streams = Bulk(5'000'000);
  config.server.app.streams = Bulk(5'000'000);
  config.up.loss = Chance::PerMillion(2'000);
  config.down.loss = Chance::PerMillion(2'000);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(8)));
}

TEST(StreamSimTest, ResetsInBothDirections) {
  PairConfig config = Config();
  const std::vector<StreamPlan> some_are_reset = {
      {.bytes = 500'000, .reset_at = 100'000},
      {.direction = StreamDirection::kUnidirectional, .bytes = 500'000, .reset_at = 1},
      {.direction = StreamDirection::kUnidirectional, .bytes = 500'000, .reset_at = 0},
      {.bytes = 300'000},
  };
  config.client.app.streams = some_are_reset;
  config.server.app.streams = some_are_reset;
  config.up.loss = Chance::Percent(3);
  config.down.loss = Chance::Percent(3);
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(8)));
}

TEST(StreamSimTest, AReaderStopsEveryStream) {
  PairConfig config = Config();
  config.client.app.streams = Streams(20, {.bytes = 500'000});
  config.server.app.reads.stop_at = 50'000;
  config.up.loss = Chance::Percent(3);
  EndpointPair pair(config);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(5)));

  EXPECT_LT(pair.simulation().ledger().read_bytes(), 20u * 60'000u);
  EXPECT_TRUE(pair.Close());
}

TEST(StreamSimTest, FlowControlCreditOfStoppedStreamsComesBack) {
  PairConfig config = Config();
  // Far more than the connection's window is written to streams that nobody reads to their end.
  config.client.app.streams = Streams(100, {.bytes = 200'000});
  config.server.app.reads.stop_at = 1'000;
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(10)));
}

TEST(StreamSimTest, AnUrgentStreamIsFirst) {
  PairConfig config = Config();
  config.up.rate = Bandwidth::MegabitsPerSecond(10);
  config.up.queue_bytes = 50'000;
  config.client.app.streams = {
      {.bytes = 3'000'000, .priority = {.urgency = 5}},
      {.bytes = 300'000, .start_after = Duration::Milliseconds(500), .priority = {.urgency = 0}},
  };
  EndpointPair pair(config);
  pair.Connect();

  const auto urgent_is_read = [&] {
    return pair.simulation().ledger().RecordOf(4, Perspective::kClient).is_end_read;
  };
  // 300,000 bytes take 240 ms; with half of the link for itself it would be 480 ms.
  EXPECT_TRUE(pair.simulation().RunUntil(urgent_is_read, Duration::Milliseconds(1'000)));
  EXPECT_TRUE(pair.simulation().RunUntil([&] { return pair.simulation().IsSettled(); },
                                         Duration::Seconds(6)));
}

TEST(StreamSimTest, NoStreamStarvesAnother) {
  PairConfig config = Config();
  config.up.rate = Bandwidth::MegabitsPerSecond(10);
  config.client.app.streams = Streams(10, {.bytes = 200'000});
  EndpointPair pair(config);
  pair.Connect();

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(900)));

  // Half of the data is through: of each stream about as much.
  for (uint64_t i = 0; i < 10; ++i) {
    const uint64_t read =
        pair.simulation().ledger().RecordOf(4 * i, Perspective::kClient).read_bytes;
    EXPECT_GT(read, 50'000u) << "stream " << 4 * i;
    EXPECT_LT(read, 150'000u) << "stream " << 4 * i;
  }
}

TEST(StreamSimTest, ALostPacketOfOneStreamHoldsNoOtherBack) {
  PairConfig config = Config();
  config.Link(Broadband(Duration::Milliseconds(50)));
  config.client.app.streams = {
      {.bytes = 1'000, .start_after = Duration::Milliseconds(500)},
      {.bytes = 1'000, .start_after = Duration::Milliseconds(501)},
  };
  EndpointPair pair(config);
  uint64_t doomed = ~uint64_t{0};
  pair.simulation().observer().SetFrameHook([&](const ObservedPacket& packet, const Frame& frame) {
    if (doomed == ~uint64_t{0} && frame.kind() == FrameKind::kStream &&
        frame.As<StreamFrame>().stream_id == StreamId(0)) {
      doomed = packet.datagram->number;
    }
  });
  pair.up().SetDropFilter([&](const SimPacket& packet) { return packet.number == doomed; });
  pair.Connect();

  const auto second_is_read = [&] {
    return pair.simulation().ledger().RecordOf(4, Perspective::kClient).is_end_read;
  };
  // The handshake, until it starts, and half a round trip.
  ASSERT_TRUE(pair.simulation().RunUntil(second_is_read, Duration::Milliseconds(655)));

  EXPECT_EQ(pair.simulation().ledger().RecordOf(0, Perspective::kClient).read_bytes, 0u);
  EXPECT_TRUE(pair.simulation().RunUntil([&] { return pair.simulation().IsSettled(); },
                                         Duration::Seconds(1)));
}

}  // namespace
}  // namespace godwit
