// SPDX-License-Identifier: Apache-2.0
//
// Frames of every kind that wait for an answer are lost, several times in a row, and their work is
// done nevertheless. RFC 9000 §13.3.
#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

constexpr uint64_t kAll = ~uint64_t{0};

struct Theft {
  FrameKind kind;
  uint64_t packets;  // So many are taken, from the first on.
};

// Takes packets off the links that carry frames of certain kinds.
class FrameThief {
 public:
  FrameThief(EndpointPair* pair, const std::vector<Theft>& thefts) : thefts_(thefts) {
    pair->simulation().observer().SetFrameHook(
        [this](const ObservedPacket& packet, const Frame& frame) { Look(packet, frame); });
    const auto is_marked = [this](const SimPacket& packet) { return packet.number == marked_; };
    pair->up().SetDropFilter(is_marked);
    pair->down().SetDropFilter(is_marked);
  }
  FrameThief(const FrameThief&) = delete;
  FrameThief& operator=(const FrameThief&) = delete;

  uint64_t taken() const { return taken_; }

 private:
  void Look(const ObservedPacket& packet, const Frame& frame) {
    if (packet.datagram->number == marked_) return;
    for (Theft& theft : thefts_) {
      if (frame.kind() != theft.kind || theft.packets == 0) continue;
      if (theft.packets != kAll) --theft.packets;
      marked_ = packet.datagram->number;
      ++taken_;
      return;
    }
  }

  std::vector<Theft> thefts_;
  std::optional<uint64_t> marked_;
  uint64_t taken_ = 0;
};

PairConfig SmallWindows() {
  PairConfig config;
  config.client.app.streams = Streams(40, {.bytes = 30'000});
  StreamConfig& streams = config.server.endpoint.connection.streams;
  streams.max_streams_bidi = 10;
  streams.initial_max_data = 60'000;
  streams.max_connection_window_bytes = 60'000;
  streams.initial_max_stream_data_bidi_local = 10'000;
  streams.initial_max_stream_data_bidi_remote = 10'000;
  streams.initial_max_stream_data_uni = 10'000;
  streams.max_stream_window_bytes = 10'000;
  return config;
}

// Without the frames by which the peer would ask for the news: it must come by itself.
TEST(RepairSimTest, LimitsThatRise) {
  for (const FrameKind kind :
       {FrameKind::kMaxStreams, FrameKind::kMaxData, FrameKind::kMaxStreamData}) {
    EndpointPair pair(SmallWindows());
    const FrameThief thief(&pair, {{kind, 6},
                                   {FrameKind::kStreamsBlocked, kAll},
                                   {FrameKind::kDataBlocked, kAll},
                                   {FrameKind::kStreamDataBlocked, kAll}});

    EXPECT_TRUE(pair.Run(Duration::Seconds(20))) << static_cast<int>(kind);
    EXPECT_GE(thief.taken(), 6u);
  }
}

TEST(RepairSimTest, ResetsOfStreams) {
  PairConfig config;
  config.client.app.streams = Streams(5, {.bytes = 100'000, .reset_at = 20'000});
  EndpointPair pair(config);
  const FrameThief thief(&pair, {{FrameKind::kResetStream, 3}});

  EXPECT_TRUE(pair.Run(Duration::Seconds(4)));
  EXPECT_EQ(thief.taken(), 3u);
}

// Nobody reads, so that all credit which comes back is of data that was dropped.
TEST(RepairSimTest, CreditOfStreamsThatWereReset) {
  PairConfig config = SmallWindows();
  config.client.app.streams = Streams(40, {.bytes = 100'000,
                                           .write_bytes = 5'000,
                                           .write_interval = Duration::Milliseconds(10),
                                           .reset_at = 10'000});
  config.client.app.streams.push_back({.bytes = 10'000, .start_after = Duration::Seconds(2)});
  config.server.app.reads.speed = ReadPlan::Speed::kNever;
  EndpointPair pair(config);
  const FrameThief thief(&pair, {{FrameKind::kDataBlocked, kAll}});
  pair.Connect();

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(3)));

  // Twice the window was sent, and nothing waits.
  EXPECT_GT(pair.ClientStats().bytes_sent, 150'000u);
  EXPECT_EQ(pair.ClientStats().blocked_by, SendBlockedBy::kApplication);
}

TEST(RepairSimTest, RequestsToStop) {
  PairConfig config;
  // More than the window of a stream: without being told, the client would wait for ever.
  config.client.app.streams = {{.bytes = 1'000'000}};
  config.server.app.reads.stop_at = 20'000;
  EndpointPair pair(config);
  const FrameThief thief(&pair, {{FrameKind::kStopSending, 3}});

  EXPECT_TRUE(pair.Run(Duration::Seconds(4)));
  EXPECT_EQ(thief.taken(), 3u);
}

// ---- Connection ids ----

uint64_t CountOf(EndpointPair& pair, const char* frame) {
  return pair.simulation().trace().CountOf(frame);
}

void RotateAtServer(EndpointPair& pair) {
  pair.server().Do([&](Endpoint&) { pair.server_connection()->RotateConnectionIds(); });
}

TEST(RepairSimTest, NewConnectionIds) {
  EndpointPair pair(SmallWindows());
  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(4)));
  const uint64_t retired_before = CountOf(pair, "RETIRE_CONNECTION_ID");
  const FrameThief thief(&pair, {{FrameKind::kNewConnectionId, 3}});

  RotateAtServer(pair);
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(3)));

  EXPECT_EQ(thief.taken(), 3u);
  EXPECT_GT(CountOf(pair, "RETIRE_CONNECTION_ID"), retired_before);
  EXPECT_TRUE(pair.Close());
}

TEST(RepairSimTest, RetiredConnectionIds) {
  EndpointPair pair(SmallWindows());
  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(4)));
  const FrameThief thief(&pair, {{FrameKind::kRetireConnectionId, 3}});
  RotateAtServer(pair);
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(3)));
  const uint64_t issued_before = CountOf(pair, "NEW_CONNECTION_ID");

  // RFC 9000 §5.1.2: only when the first ones are retired.
  RotateAtServer(pair);
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(1)));

  EXPECT_EQ(thief.taken(), 3u);
  EXPECT_GT(CountOf(pair, "NEW_CONNECTION_ID"), issued_before);
  EXPECT_TRUE(pair.Close());
}

// ---- Paths ----

// RFC 9000 §8.2.4: one loss is not the end of a validation.
TEST(RepairSimTest, PathChallengesAndResponses) {
  for (const FrameKind kind : {FrameKind::kPathChallenge, FrameKind::kPathResponse}) {
    PairConfig config;
    config.client.app.streams = {{.bytes = 1'000'000}};
    config.server.app.answers = {.kind = AnswerPlan::Kind::kEcho};
    EndpointPair pair(config);
    const FrameThief thief(&pair, {{kind, 1}});
    pair.RebindEvery(Duration::Milliseconds(100), 1, true);

    ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(3)));
    // Until long after it would have failed.
    ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(5)));

    EXPECT_EQ(thief.taken(), 1u);
    EXPECT_EQ(pair.ServerStats().path_changes, 1u);
    EXPECT_TRUE(pair.Close());
  }
}

}  // namespace
}  // namespace godwit
