// SPDX-License-Identifier: Apache-2.0
//
// What ConnectionStats counts of packets and datagrams, besides what tests of other things look at.

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"

namespace godwit {
namespace {

class ConnectionStatsTest : public testing::Test {
 protected:
  ConnectionStatsTest() { stage_.CompleteHandshake(); }

  ConnectionStats stats() { return stage_.subject().Stats(); }
  std::vector<raw::Bytes> Pings(size_t count) {
    std::vector<raw::Bytes> pings;
    for (size_t i = 0; i < count; ++i) {
      pings.push_back(stage_.puppet().Seal({.frames = raw::Ping()}));
    }
    return pings;
  }

  PuppetStage stage_;
};

TEST_F(ConnectionStatsTest, WhatComesIn) {
  const ConnectionStats before = stats();
  const raw::Bytes ping = Pings(1).front();
  const raw::Bytes ack =
      stage_.puppet().Seal({.frames = stage_.puppet().AckOfAllSeen(EncryptionLevel::kOneRtt)});

  stage_.Deliver(ping);
  stage_.Deliver(ack);
  stage_.Deliver(ping);

  EXPECT_EQ(stats().datagrams_received, before.datagrams_received + 3);
  EXPECT_EQ(stats().bytes_received, before.bytes_received + 2 * ping.size() + ack.size());
  EXPECT_EQ(stats().packets_received, before.packets_received + 2);
  EXPECT_EQ(stats().ack_frames_received, before.ack_frames_received + 1);
  EXPECT_EQ(stats().packets_dropped, before.packets_dropped + 1);
}

TEST_F(ConnectionStatsTest, TimesAndRateOfThePathInUse) {
  // A new one: of the first, the handshake is known to have taken no time at all.
  stage_.MovePuppet(stage_.PathWithPuppetIp(7));
  stage_.SendPacket({.frames = raw::Ping(), .min_size = kMinInitialDatagramBytes});
  const std::vector<SeenDatagram> sent = stage_.Take();
  const PathChallengeFrame* const challenge = FindFrame<PathChallengeFrame>(sent);
  ASSERT_NE(challenge, nullptr);
  stage_.SendPacket(
      {.frames = raw::PathResponse(challenge->data), .min_size = kMinInitialDatagramBytes});
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);

  for (const int64_t rtt_ms : {50, 30, 40}) {
    ASSERT_TRUE(stage_.subject().WriteStream(id, raw::Bytes(100, 'x')).ok());
    stage_.Take();
    stage_.Sleep(Duration::Milliseconds(rtt_ms));
    stage_.Send(stage_.puppet().AckOfAllSeen(EncryptionLevel::kOneRtt));
  }

  EXPECT_EQ(stats().min_rtt, Duration::Milliseconds(30));
  EXPECT_EQ(stats().latest_rtt, Duration::Milliseconds(40));
  EXPECT_GT(stats().smoothed_rtt, Duration::Milliseconds(30));
  EXPECT_LT(stats().smoothed_rtt, Duration::Milliseconds(50));
  EXPECT_GT(stats().pacing_rate, Bandwidth::FromBytesAndDuration(stats().congestion_window_bytes,
                                                                 Duration::Milliseconds(50)));
  EXPECT_FALSE(stats().pacing_rate.is_infinite());
}

TEST_F(ConnectionStatsTest, PacketsThatCameWithAMark) {
  const uint64_t before = stats().packets_received;

  stage_.DeliverBatch(Pings(5), EcnMark::kEct0);
  stage_.DeliverBatch(Pings(3), EcnMark::kEct1);
  stage_.DeliverBatch(Pings(2), EcnMark::kCe);
  stage_.DeliverBatch(Pings(1));

  EXPECT_EQ(stats().ect0_packets_received, 5u);
  EXPECT_EQ(stats().ect1_packets_received, 3u);
  EXPECT_EQ(stats().ce_packets_received, 2u);
  EXPECT_EQ(stats().packets_received, before + 11);
}

TEST_F(ConnectionStatsTest, OfADuplicateTheMarkDoesNotCount) {
  const std::vector<raw::Bytes> twice(2, Pings(1).front());

  stage_.DeliverBatch(twice, EcnMark::kCe);

  EXPECT_EQ(stats().ce_packets_received, 1u);
}

TEST_F(ConnectionStatsTest, TrainsOfTwoDatagramsAndMore) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  const ConnectionStats before = stats();

  for (const size_t datagrams : {2u, 1u, 2u}) {
    ASSERT_TRUE(stage_.subject().WriteStream(id, raw::Bytes(1'000 * datagrams, 'x')).ok());
    ASSERT_EQ(stage_.Take().size(), datagrams);
  }

  EXPECT_EQ(stats().datagrams_sent, before.datagrams_sent + 5);
  EXPECT_EQ(stats().trains_sent, before.trains_sent + 2);
  EXPECT_EQ(stats().train_datagrams_sent, before.train_datagrams_sent + 4);
}

}  // namespace
}  // namespace godwit
