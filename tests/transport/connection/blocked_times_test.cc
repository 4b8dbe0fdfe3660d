// SPDX-License-Identifier: Apache-2.0
//
// How long a connection says that what kept it from sending.

#include <cstdint>

#include "gtest/gtest.h"

#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"

namespace godwit {
namespace {

SendBlockedTimes TimesOf(PuppetStage& stage) {
  return stage.subject().StatsAt(stage.now()).blocked_times;
}

void Write(PuppetStage& stage, size_t bytes) {
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage.subject().WriteStream(id, raw::Bytes(bytes)).ok());
}

class BlockedTimesTest : public testing::TestWithParam<Perspective> {
 protected:
  PuppetStage stage_{StageOptions{.subject = GetParam()}};
  const Timestamp start_ = stage_.now();
};

TEST_P(BlockedTimesTest, TogetherTheyAreTheAge) {
  stage_.Pump();
  stage_.Sleep(Duration::Milliseconds(30));
  stage_.CompleteHandshake();
  stage_.Advance(Duration::Milliseconds(1'000));
  Write(stage_, 200'000);
  stage_.Advance(Duration::Milliseconds(10));
  stage_.Send(stage_.puppet().AckOfAllSeen(EncryptionLevel::kOneRtt));
  stage_.Sleep(Duration::Milliseconds(7));
  stage_.Pump();
  stage_.Sleep(Duration::Milliseconds(11));

  const SendBlockedTimes times = TimesOf(stage_);

  EXPECT_EQ(times.total(), stage_.now() - start_);
  // What a server had not received kept it from answering.
  EXPECT_EQ(times.handshake + times.amplification, Duration::Milliseconds(30));
  EXPECT_GE(times.application, Duration::Milliseconds(1'000));
  EXPECT_GT(times.congestion_window, Duration::Zero());
}

INSTANTIATE_TEST_SUITE_P(BothEnds, BlockedTimesTest,
                         testing::Values(Perspective::kClient, Perspective::kServer));

TEST(BlockedTimesReasonsTest, HandshakeBlocksAClientFromTheStart) {
  PuppetStage stage({.subject = Perspective::kClient});
  stage.Pump();
  stage.Sleep(Duration::Milliseconds(300));

  const SendBlockedTimes times = TimesOf(stage);

  EXPECT_EQ(times.handshake, Duration::Milliseconds(300));
  EXPECT_EQ(times.total(), Duration::Milliseconds(300));
}

TEST(BlockedTimesReasonsTest, FullWindowBlocks) {
  PuppetStage stage;
  stage.CompleteHandshake();
  Write(stage, 200'000);
  stage.Advance(Duration::Milliseconds(1));
  const SendBlockedTimes before = TimesOf(stage);

  stage.Sleep(Duration::Milliseconds(5));

  EXPECT_EQ(TimesOf(stage).congestion_window - before.congestion_window, Duration::Milliseconds(5));
  EXPECT_EQ(TimesOf(stage).total() - before.total(), Duration::Milliseconds(5));
}

TEST(BlockedTimesReasonsTest, LimitOfThePeerBlocks) {
  PuppetStage stage({.edit_parameters = [](TransportParameters& parameters) {
    parameters.initial_max_data = 10;
  }});
  stage.CompleteHandshake();
  Write(stage, 20);
  stage.Pump();
  const SendBlockedTimes before = TimesOf(stage);

  stage.Advance(Duration::Milliseconds(3));

  EXPECT_EQ(TimesOf(stage).peer_flow_control - before.peer_flow_control, Duration::Milliseconds(3));
}

TEST(BlockedTimesReasonsTest, LimitOnAmplificationBlocks) {
  PuppetStage stage({.subject_tls = {.certificate_bytes = 9'000}});
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  stage.Pump();

  stage.Sleep(Duration::Milliseconds(40));

  EXPECT_EQ(TimesOf(stage).amplification, Duration::Milliseconds(40));
}

TEST(BlockedTimesReasonsTest, StatsWithoutATimeAreOfTheLastChange) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const Duration settled = stage.subject().Stats().blocked_times.total();

  stage.Sleep(Duration::Milliseconds(100));

  EXPECT_EQ(stage.subject().Stats().blocked_times.total(), settled);
  EXPECT_EQ(stage.subject().StatsAt(stage.now()).packets_received,
            stage.subject().Stats().packets_received);
}

// ---- The end ----

// None of the time afterwards counts.
void ExpectNoMoreTime(PuppetStage& stage, Timestamp start, Timestamp end) {
  EXPECT_EQ(TimesOf(stage).total(), end - start);
  stage.Sleep(Duration::Milliseconds(500));
  stage.Pump();
  EXPECT_EQ(TimesOf(stage).total(), end - start);
}

TEST(BlockedTimesEndTest, OwnCloseEndsThem) {
  PuppetStage stage;
  const Timestamp start = stage.now();
  stage.CompleteHandshake();
  stage.Sleep(Duration::Milliseconds(20));

  stage.subject().Close(0, "", stage.now());

  ExpectNoMoreTime(stage, start, stage.now());
}

TEST(BlockedTimesEndTest, CloseOfThePeerEndsThem) {
  PuppetStage stage;
  const Timestamp start = stage.now();
  stage.CompleteHandshake();
  stage.Sleep(Duration::Milliseconds(20));

  stage.Send(raw::ApplicationClose(1, ""));

  ASSERT_NE(stage.subject().close_phase(), CloseState::Phase::kOpen);
  ExpectNoMoreTime(stage, start, stage.now());
}

TEST(BlockedTimesEndTest, IdleTimeoutEndsThem) {
  PuppetStage stage;
  const Timestamp start = stage.now();
  stage.CompleteHandshake();
  while (stage.subject().close_phase() == CloseState::Phase::kOpen) {
    stage.Pump();
    stage.Sleep(stage.subject().next_deadline() - stage.now());
    stage.subject().OnTimeout(stage.time());
  }

  EXPECT_GE(stage.now() - start, Duration::Seconds(30));
  ExpectNoMoreTime(stage, start, stage.now());
}

}  // namespace
}  // namespace godwit
