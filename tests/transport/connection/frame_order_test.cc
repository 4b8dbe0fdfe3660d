// SPDX-License-Identifier: Apache-2.0
//
// What comes first when there is more to say than fits, and how packets are filled. RFC 9000 §12.2,
// §13.2, §13.3.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

std::vector<FrameKind> KindsOf(const SeenPacket& packet) {
  std::vector<FrameKind> kinds;
  for (const Frame& frame : packet.frames) {
    if (frame.kind() != FrameKind::kPadding) kinds.push_back(frame.kind());
  }
  return kinds;
}

TEST(FrameOrderTest, OneOfEachKind) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  stage.puppet().SetRemoteId(stage.given_ids()[1]);

  ASSERT_TRUE(stage.subject().WriteStream(id, BytesOf("stream")).ok());
  ASSERT_TRUE(stage.subject().SendDatagram(BytesOf("datagram")).ok());
  stage.DeliverBatch({stage.puppet().Seal({.frames = raw::Join(raw::NewConnectionId(1, 1, 1),
                                                               raw::Stream(0, 0, BytesOf("x")))}),
                      stage.puppet().Seal({.frames = raw::RetireConnectionId(0)})});
  ASSERT_TRUE(stage.subject().StopSending(StreamId(0), 7).ok());
  const std::vector<SeenDatagram> sent = stage.Take();

  ASSERT_GE(CountPackets(sent), 1u);
  EXPECT_EQ(
      KindsOf(sent[0].packets[0]),
      (std::vector{FrameKind::kAck, FrameKind::kNewConnectionId, FrameKind::kRetireConnectionId,
                   FrameKind::kStopSending, FrameKind::kDatagram, FrameKind::kStream}));
}

TEST(FrameOrderTest, AnswersToChallengesComeFirst) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage.subject().WriteStream(id, BytesOf("stream")).ok());

  const std::vector<SeenDatagram> sent = stage.Exchange(raw::PathChallenge(1));

  ASSERT_GE(CountPackets(sent), 2u);
  EXPECT_TRUE(sent[0].packets[0].Has(FrameKind::kPathResponse));
  EXPECT_FALSE(sent[0].packets[0].Has(FrameKind::kStream));
  EXPECT_TRUE(sent[1].packets[0].Has(FrameKind::kStream));
}

TEST(FrameOrderTest, CryptoComesBeforeTheStream) {
  PuppetStage stage;
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  stage.Pump();
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  stage.Take();
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage.subject().WriteStream(id, BytesOf("stream")).ok());

  // Everything of the first answer is lost: the ticket and the rest come again.
  stage.Advance(Duration::Seconds(1));

  int packets_with_both = 0;
  for (const SeenDatagram& datagram : stage.Take()) {
    for (const SeenPacket& packet : datagram.packets) {
      const std::vector<FrameKind> kinds = KindsOf(packet);
      const auto crypto = std::ranges::find(kinds, FrameKind::kCrypto);
      const auto stream = std::ranges::find(kinds, FrameKind::kStream);
      if (crypto == kinds.end() || stream == kinds.end()) continue;
      ++packets_with_both;
      EXPECT_LT(crypto - kinds.begin(), stream - kinds.begin());
    }
  }
  EXPECT_GT(packets_with_both, 0);
}

TEST(FrameOrderTest, FullWindowLetsAcknowledgmentsThrough) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage.subject().WriteStream(id, raw::Bytes(200'000)).ok());
  stage.Advance(Duration::Milliseconds(1));
  ASSERT_EQ(stage.subject().Stats().blocked_by, SendBlockedBy::kCongestionWindow);
  stage.Take();

  stage.Send(raw::Ping());
  const std::vector<SeenDatagram> sent = stage.Exchange(raw::Ping());

  ASSERT_EQ(CountPackets(sent), 1u);
  EXPECT_EQ(KindsOf(sent[0].packets[0]), std::vector{FrameKind::kAck});
  EXPECT_LT(sent[0].size(), 60u);
}

TEST(FrameOrderTest, BulkDataMakesFullDatagramsOfEqualSize) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  const uint64_t mtu = stage.subject().Stats().max_datagram_bytes;
  ASSERT_TRUE(stage.subject().WriteStream(id, raw::Bytes(10'000)).ok());
  ASSERT_TRUE(stage.subject().FinishStream(id).ok());

  stage.Advance(Duration::Milliseconds(10));
  const std::vector<SeenDatagram> sent = stage.Take();

  ASSERT_GE(sent.size(), 7u);
  for (size_t i = 0; i + 1 < sent.size(); ++i) EXPECT_EQ(sent[i].size(), mtu) << i;
  EXPECT_EQ(StreamDataOf(sent, id).size(), 10'000u);
}

TEST(FrameOrderTest, NumbersOfPacketsAscend) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(stage.subject().WriteStream(id, raw::Bytes(3'000)).ok());
    stage.Advance(Duration::Milliseconds(5));
    for (const SeenDatagram& datagram : stage.Take()) {
      for (const SeenPacket& packet : datagram.packets) {
        EXPECT_GT(packet.number, last);
        last = packet.number;
      }
    }
    stage.Settle();
  }
}

TEST(FrameOrderTest, StreamsAreEchoed) {
  PuppetStage stage;
  stage.CompleteHandshake();

  stage.Send(raw::Stream(0, 0, BytesOf("hello"), /*fin=*/true));
  const raw::Bytes question = stage.ReadAll(StreamId(0));
  ASSERT_TRUE(stage.subject().WriteStream(StreamId(0), question).ok());
  ASSERT_TRUE(stage.subject().FinishStream(StreamId(0)).ok());
  const std::vector<SeenDatagram> sent = stage.Take();

  const StreamFrame* const frame = FindFrame<StreamFrame>(sent);
  ASSERT_NE(frame, nullptr);
  EXPECT_EQ(TextOf(frame->data), "hello");
  EXPECT_TRUE(frame->is_fin);
}

TEST(FrameOrderTest, WindowUpdatesFollowTheReader) {
  StageOptions options;
  options.config.streams.initial_max_stream_data_bidi_remote = 10'000;
  PuppetStage stage(options);
  stage.CompleteHandshake();
  for (uint64_t offset = 0; offset < 10'000; offset += 1'000) {
    stage.Send(raw::Stream(0, offset, raw::Bytes(1'000)));
  }
  EXPECT_EQ(CountFrames(stage.Take(), FrameKind::kMaxStreamData), 0u);

  stage.ReadAll(StreamId(0));
  const std::vector<SeenDatagram> sent = stage.Take();

  const auto* const update = FindFrame<MaxStreamDataFrame>(sent);
  ASSERT_NE(update, nullptr);
  EXPECT_GE(update->maximum_bytes, 20'000u);
}

}  // namespace
}  // namespace godwit
