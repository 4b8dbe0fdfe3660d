// SPDX-License-Identifier: Apache-2.0
//
// Which frames a packet gets and which it does not, seen from outside. RFC 9000 §12.5, §13.2; RFC
// 9002 §6.2.4. The order of all kinds is in frame_order_test.

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

class FrameSchedulerTest : public testing::Test {
 protected:
  FrameSchedulerTest() {
    stage_.CompleteHandshake();
    id_ = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  }

  void Write(size_t size) {
    ASSERT_TRUE(stage_.subject().WriteStream(id_, raw::Bytes(size, 'x')).ok());
  }
  void FillWindow() {
    Write(200'000);
    stage_.Advance(Duration::Milliseconds(1));
    ASSERT_EQ(stage_.subject().Stats().blocked_by, SendBlockedBy::kCongestionWindow);
    stage_.Take();
  }
  std::vector<SeenDatagram> WaitForProbes() {
    const uint64_t before = stage_.subject().Stats().ptos;
    while (stage_.subject().Stats().ptos == before) stage_.Advance(Duration::Milliseconds(1));
    return stage_.Take();
  }

  PuppetStage stage_;
  StreamId id_;
};

TEST_F(FrameSchedulerTest, HandshakeDoneComesBeforeData) {
  PuppetStage stage;
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  stage.Pump();
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage.subject().WriteStream(id, BytesOf("data")).ok());

  std::vector<FrameKind> kinds;
  for (const SeenDatagram& datagram : stage.Take()) {
    for (const SeenPacket& packet : datagram.packets) {
      const std::vector<FrameKind> more = KindsOf(packet);
      kinds.insert(kinds.end(), more.begin(), more.end());
    }
  }

  const auto done = std::ranges::find(kinds, FrameKind::kHandshakeDone);
  const auto data = std::ranges::find(kinds, FrameKind::kStream);
  ASSERT_NE(data, kinds.end());
  EXPECT_LT(done - kinds.begin(), data - kinds.begin());
}

TEST_F(FrameSchedulerTest, NothingReceivedMeansNoAcknowledgment) {
  stage_.Advance(Duration::Seconds(1));
  Write(10);

  const std::vector<SeenDatagram> sent = stage_.Take();

  ASSERT_EQ(CountPackets(sent), 1u);
  EXPECT_EQ(KindsOf(sent[0].packets[0]), std::vector{FrameKind::kStream});
}

TEST_F(FrameSchedulerTest, AcknowledgmentIsNotRepeated) {
  stage_.Send(raw::Ping());
  Write(10);
  stage_.Take();
  Write(10);

  const std::vector<SeenDatagram> sent = stage_.Take();

  EXPECT_EQ(CountFrames(sent, FrameKind::kAck), 0u);
}

TEST_F(FrameSchedulerTest, ProbeWithDataNeedsNoPing) {
  Write(10);
  stage_.Take();

  const std::vector<SeenDatagram> probes = WaitForProbes();

  ASSERT_EQ(CountPackets(probes), 2u);
  EXPECT_EQ(KindsOf(probes[0].packets[0]), std::vector{FrameKind::kStream});
  EXPECT_EQ(KindsOf(probes[1].packets[0]), std::vector{FrameKind::kPing});
}

TEST_F(FrameSchedulerTest, FullWindowHoldsBackAllThatCountsAsInFlight) {
  FillWindow();
  ASSERT_TRUE(stage_.subject().SendDatagram(BytesOf("datagram")).ok());
  ASSERT_TRUE(stage_.subject().ResetStream(id_, 7).ok());
  EXPECT_TRUE(stage_.Take().empty());

  stage_.Send(raw::Ping());
  const std::vector<SeenDatagram> sent = stage_.Exchange(raw::Ping());

  ASSERT_EQ(CountPackets(sent), 1u);
  EXPECT_EQ(KindsOf(sent[0].packets[0]), std::vector{FrameKind::kAck});
}

// RFC 9000 §13.2.4.
class PingWithAcknowledgmentsTest : public FrameSchedulerTest {
 protected:
  // Each packet leaves a gap behind it, and is acknowledged at once. How many PINGs come along.
  size_t CountPings(uint64_t packets) {
    size_t pings = 0;
    for (uint64_t i = 0; i < packets; ++i) {
      const uint64_t number = stage_.puppet().next_number(EncryptionLevel::kOneRtt);
      stage_.puppet().SetNextNumber(EncryptionLevel::kOneRtt, number + 1);
      const std::vector<SeenDatagram> sent = stage_.Exchange(raw::Ping());
      EXPECT_EQ(CountFrames(sent, FrameKind::kAck), 1u);
      pings += CountFrames(sent, FrameKind::kPing);
    }
    return pings;
  }
};

TEST_F(PingWithAcknowledgmentsTest, ComesNowAndThenIfNobodyHearsOfThem) {
  EXPECT_EQ(CountPings(kAckFramesPerPing - 1), 0u);
  EXPECT_EQ(CountPings(1), 1u);
  EXPECT_EQ(CountPings(kAckFramesPerPing), 1u);
}

TEST_F(PingWithAcknowledgmentsTest, DoesNotComeIfTheWindowIsFull) {
  FillWindow();

  EXPECT_EQ(CountPings(2 * kAckFramesPerPing), 0u);
}

}  // namespace
}  // namespace godwit
