// SPDX-License-Identifier: Apache-2.0
//
// When a connection acknowledges, and what it takes for new. RFC 9000 §12.3, §13.2.

#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

constexpr EncryptionLevel kOneRtt = EncryptionLevel::kOneRtt;

class AcknowledgmentTest : public testing::Test {
 protected:
  AcknowledgmentTest() { stage_.CompleteHandshake(); }

  uint64_t next_number() { return stage_.puppet().next_number(kOneRtt); }
  std::vector<raw::Bytes> Pings(size_t count) {
    std::vector<raw::Bytes> pings;
    for (size_t i = 0; i < count; ++i) {
      pings.push_back(stage_.puppet().Seal({.frames = raw::Ping()}));
    }
    return pings;
  }

  PuppetStage stage_;
};

TEST_F(AcknowledgmentTest, OnePacketWaitsForMaxAckDelay) {
  EXPECT_TRUE(stage_.Exchange(raw::Ping()).empty());

  stage_.Advance(Duration::Milliseconds(24));
  EXPECT_TRUE(stage_.Take().empty());
  stage_.Advance(Duration::Milliseconds(1));

  EXPECT_EQ(CountFrames(stage_.Take(), FrameKind::kAck), 1u);
}

TEST_F(AcknowledgmentTest, SecondPacketIsAcknowledgedAtOnce) {
  EXPECT_TRUE(stage_.Exchange(raw::Ping()).empty());

  const std::vector<SeenDatagram> sent = stage_.Exchange(raw::Ping());

  const AckFrame* const ack = FindFrame<AckFrame>(sent);
  ASSERT_NE(ack, nullptr);
  EXPECT_EQ(ack->ranges.largest_acked().value(), next_number() - 1);
  EXPECT_EQ(CountPackets(sent), 1u);
}

TEST_F(AcknowledgmentTest, OneAcknowledgmentForAWholeBatch) {
  stage_.DeliverBatch(Pings(50));

  const std::vector<SeenDatagram> sent = stage_.Take();

  EXPECT_EQ(CountPackets(sent), 1u);
  EXPECT_EQ(CountFrames(sent, FrameKind::kAck), 1u);
  EXPECT_EQ(FindFrame<AckFrame>(sent)->ranges.largest_acked().value(), next_number() - 1);
}

TEST_F(AcknowledgmentTest, DelayIsTold) {
  stage_.Send(raw::Ping());
  stage_.Sleep(Duration::Milliseconds(8));
  stage_.Send(raw::Padding(1));

  stage_.Sleep(Duration::Milliseconds(17));
  const std::vector<SeenDatagram> sent = stage_.Take();

  const AckFrame* const ack = FindFrame<AckFrame>(sent);
  ASSERT_NE(ack, nullptr);
  // Of the largest packet, in units of 8 microseconds.
  EXPECT_EQ(ack->encoded_ack_delay, 17'000u / 8);
}

TEST_F(AcknowledgmentTest, GapIsToldAtOnce) {
  stage_.SendPacket({.frames = raw::Ping(), .number = next_number() + 1});

  const std::vector<SeenDatagram> sent = stage_.Take();

  const AckFrame* const ack = FindFrame<AckFrame>(sent);
  ASSERT_NE(ack, nullptr);
  EXPECT_EQ((*ack->ranges.begin()).smallest, (*ack->ranges.begin()).largest);
}

TEST_F(AcknowledgmentTest, LatePacketIsToldAtOnce) {
  const uint64_t late = next_number();
  stage_.SendPacket({.frames = raw::Ping(), .number = late + 1});
  stage_.Take();

  stage_.SendPacket({.frames = raw::Ping(), .number = late});

  EXPECT_EQ(CountFrames(stage_.Take(), FrameKind::kAck), 1u);
}

TEST_F(AcknowledgmentTest, PacketsThatElicitNoneGetNone) {
  for (int i = 0; i < 20; ++i) stage_.Send(raw::Padding(5));
  stage_.Send(stage_.puppet().AckOfAllSeen(kOneRtt));

  stage_.Advance(Duration::Seconds(1));

  EXPECT_TRUE(stage_.Take().empty());
}

TEST_F(AcknowledgmentTest, MarkOfCongestionIsToldAtOnce) {
  stage_.DeliverBatch(Pings(1), EcnMark::kCe);

  const std::vector<SeenDatagram> sent = stage_.Take();

  const AckFrame* const ack = FindFrame<AckFrame>(sent);
  ASSERT_NE(ack, nullptr);
  ASSERT_TRUE(ack->ecn_counts.has_value());
  EXPECT_EQ(ack->ecn_counts->ce_count, 1u);
}

TEST_F(AcknowledgmentTest, GoesAlongWithData) {
  stage_.Send(raw::Stream(0, 0, BytesOf("question")));
  ASSERT_TRUE(stage_.subject().WriteStream(StreamId(0), BytesOf("answer")).ok());

  const std::vector<SeenDatagram> sent = stage_.Take();

  ASSERT_EQ(CountPackets(sent), 1u);
  EXPECT_EQ(sent[0].packets[0].frames.front().kind(), FrameKind::kAck);
  EXPECT_TRUE(sent[0].Has(FrameKind::kStream));
}

TEST_F(AcknowledgmentTest, InitialPacketsAreAcknowledgedAtOnce) {
  PuppetStage stage;

  stage.SendAt(EncryptionLevel::kInitial, raw::Ping());

  EXPECT_EQ(CountFrames(stage.Take(), FrameKind::kAck), 1u);
}

TEST_F(AcknowledgmentTest, ManyGapsAreToldUpToABound) {
  const uint64_t first = next_number();
  for (uint64_t i = 0; i < 2 * kMaxAckRangesTracked; ++i) {
    stage_.SendPacket({.frames = raw::Ping(), .number = first + 2 * i});
  }

  const std::vector<SeenDatagram> sent = stage_.Take();

  const AckFrame* const ack = FindFrame<AckFrame>(sent);
  ASSERT_NE(ack, nullptr);
  EXPECT_EQ(ack->ranges.size(), kMaxAckRangesSent);
  EXPECT_EQ(ack->ranges.largest_acked().value(), first + 4 * kMaxAckRangesTracked - 2);
}

// ---- Packets that come again ----

TEST_F(AcknowledgmentTest, ReplayedPacketIsDropped) {
  const raw::Bytes packet = stage_.puppet().Seal({.frames = raw::Stream(0, 0, BytesOf("once"))});

  stage_.Deliver(packet);
  stage_.Deliver(packet);

  EXPECT_EQ(stage_.drops(), std::vector{DropReason::kDuplicate});
  EXPECT_EQ(TextOf(stage_.ReadAll(StreamId(0))), "once");
}

TEST_F(AcknowledgmentTest, DuplicateWithinABatchIsDropped) {
  const raw::Bytes packet = stage_.puppet().Seal({.frames = raw::Ping()});

  stage_.DeliverBatch({packet, packet, packet});

  EXPECT_EQ(stage_.drops(), std::vector(2, DropReason::kDuplicate));
}

TEST_F(AcknowledgmentTest, ReplaysAreKnownOverTheWholeWindow) {
  std::vector<raw::Bytes> packets = Pings(kDuplicateWindowPackets - 1);
  for (const raw::Bytes& packet : packets) stage_.Deliver(packet);
  stage_.TakeDrops();

  stage_.Deliver(packets.front());
  stage_.Deliver(packets[1000]);

  EXPECT_EQ(stage_.drops(), std::vector(2, DropReason::kDuplicate));
}

TEST_F(AcknowledgmentTest, PacketsBehindTheWindowAreDropped) {
  const raw::Bytes late = stage_.puppet().Seal({.frames = raw::Ping()});
  stage_.SendPacket({.frames = raw::Ping(), .number = next_number() + kDuplicateWindowPackets});

  stage_.Deliver(late);

  EXPECT_EQ(stage_.drops(), std::vector{DropReason::kTooOld});
}

TEST_F(AcknowledgmentTest, LatePacketsWithinTheWindowAreTaken) {
  const raw::Bytes late =
      stage_.puppet().Seal({.frames = raw::Stream(0, 0, BytesOf("late"), /*fin=*/true)});
  stage_.SendPacket(
      {.frames = raw::Ping(), .number = next_number() + kDuplicateWindowPackets - 10});

  stage_.Deliver(late);

  EXPECT_TRUE(stage_.drops().empty());
  EXPECT_EQ(TextOf(stage_.ReadAll(StreamId(0))), "late");
}

TEST_F(AcknowledgmentTest, DuplicatesDoNotElicitAcknowledgments) {
  const std::vector<raw::Bytes> pings = Pings(2);
  stage_.DeliverBatch(pings);
  EXPECT_EQ(CountPackets(stage_.Take()), 1u);

  for (int i = 0; i < 10; ++i) stage_.DeliverBatch(pings);
  stage_.Advance(Duration::Seconds(1));

  EXPECT_TRUE(stage_.Take().empty());
}

}  // namespace
}  // namespace godwit
