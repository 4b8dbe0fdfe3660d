// SPDX-License-Identifier: Apache-2.0
//
// RFC 9000 §12.3, §13.2, §13.4.1, §19.3.

#include "transport/recovery/ack_tracker.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "godwit/ecn.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

using Novelty = AckTracker::Novelty;
using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

constexpr Timestamp AtMs(int64_t ms) { return Timestamp() + Duration::Milliseconds(ms); }
constexpr Timestamp kNever = Timestamp::Infinite();
constexpr Timestamp kAtOnce = Timestamp::InfinitePast();

// What an ACK frame said.
struct Written {
  Ranges ranges;
  uint64_t encoded_ack_delay;
  std::optional<EcnCounts> ecn_counts;
};

class AckTrackerTest : public testing::Test {
 protected:
  void ReceiveAt(Timestamp time, uint64_t number) { Receive(time, number, true); }
  void ReceiveAckOnlyAt(Timestamp time, uint64_t number) { Receive(time, number, false); }
  void ReceiveMarked(uint64_t number, EcnMark mark) { Receive(AtMs(0), number, true, mark); }

  void Receive(Timestamp time, uint64_t number, bool is_ack_eliciting,
               EcnMark mark = EcnMark::kNotEct) {
    tracker_.OnPacketReceived({PacketNumber(number), time, mark, is_ack_eliciting});
    tracker_.CheckInvariants();
  }

  Novelty Check(uint64_t number) const { return tracker_.Check(PacketNumber(number)); }

  // Nothing if WriteAck() says so.
  std::optional<Written> WriteAt(Timestamp time, size_t room_bytes = 1000) {
    std::vector<uint8_t> room(room_bytes);
    FrameWriter writer(room, {EncryptionLevel::kOneRtt, PacketMode::kNormal});
    if (!tracker_.WriteAck(writer, time, 3)) return {};
    tracker_.CheckInvariants();
    const auto payload = std::span(room).first(writer.frames_size());
    FrameDecoder decoder(payload, EncryptionLevel::kOneRtt, Perspective::kClient);
    Frame frame;
    EXPECT_TRUE(decoder.Next(&frame).ok());
    Written written;
    const AckFrame& ack = frame.As<AckFrame>();
    for (const AckRange& range : ack.ranges) {
      written.ranges.push_back({range.smallest.value(), range.largest.value()});
    }
    written.encoded_ack_delay = ack.encoded_ack_delay;
    written.ecn_counts = ack.ecn_counts;
    EXPECT_EQ(writer.sent_frames().size(), 1u);
    EXPECT_EQ(writer.sent_frames()[0], SentFrame::Ack(ack.ranges.largest_acked()));
    return written;
  }

  Ranges RangesAt(Timestamp time) { return WriteAt(time).value().ranges; }

  AckTracker tracker_{PacketNumberSpace::kApplication};
};

// ---- Duplicates ----

TEST_F(AckTrackerTest, FirstPacketOfAnyNumberIsNew) {
  EXPECT_EQ(Check(0), Novelty::kNew);
  EXPECT_EQ(Check(kMaxPacketNumber), Novelty::kNew);
  EXPECT_FALSE(tracker_.largest_received().has_value());
}

TEST_F(AckTrackerTest, PacketThatCameIsADuplicate) {
  ReceiveAt(AtMs(0), 0);
  ReceiveAt(AtMs(0), 1);

  EXPECT_EQ(Check(0), Novelty::kDuplicate);
  EXPECT_EQ(Check(1), Novelty::kDuplicate);
  EXPECT_EQ(Check(2), Novelty::kNew);
  EXPECT_EQ(tracker_.largest_received(), PacketNumber(1));
}

TEST_F(AckTrackerTest, PacketsInAGapAreNewOnce) {
  ReceiveAt(AtMs(0), 0);
  ReceiveAt(AtMs(0), 5);
  EXPECT_EQ(Check(3), Novelty::kNew);

  ReceiveAt(AtMs(0), 3);

  EXPECT_EQ(Check(3), Novelty::kDuplicate);
  EXPECT_EQ(Check(2), Novelty::kNew);
  EXPECT_EQ(Check(4), Novelty::kNew);
  EXPECT_EQ(Check(0), Novelty::kDuplicate);
}

TEST_F(AckTrackerTest, PacketsBeforeTheFirstOneThatCameAreNew) {
  ReceiveAt(AtMs(0), 7);

  EXPECT_EQ(Check(0), Novelty::kNew);
  EXPECT_EQ(Check(6), Novelty::kNew);
  EXPECT_EQ(Check(7), Novelty::kDuplicate);
}

TEST_F(AckTrackerTest, WindowReachesBackAsFarAsPromised) {
  constexpr uint64_t kLargest = 100'000;
  ReceiveAt(AtMs(0), kLargest);

  EXPECT_EQ(Check(kLargest - kDuplicateWindowPackets + 1), Novelty::kNew);
  EXPECT_EQ(Check(kLargest - kDuplicateWindowPackets), Novelty::kTooOld);
  EXPECT_EQ(Check(0), Novelty::kTooOld);
}

TEST_F(AckTrackerTest, WindowForgetsWhatItMovesPast) {
  ReceiveAt(AtMs(0), 1);
  ReceiveAt(AtMs(0), 2);

  // The same place in the window as 2, which came, and behind a gap longer than the window.
  ReceiveAt(AtMs(0), 3 * kDuplicateWindowPackets);

  EXPECT_EQ(Check(2 * kDuplicateWindowPackets + 2), Novelty::kNew);
  EXPECT_EQ(Check(2), Novelty::kTooOld);
}

// The places of the gap are followed by those of the oldest numbers.
TEST_F(AckTrackerTest, ShortGapForgetsNothingElse) {
  constexpr uint64_t kEnd = 2 * kDuplicateWindowPackets;
  for (uint64_t i = 0; i < kEnd; ++i) {
    tracker_.OnPacketReceived({PacketNumber(i), AtMs(0), EcnMark::kNotEct, true});
  }

  ReceiveAt(AtMs(0), kEnd + 10);

  EXPECT_EQ(Check(kEnd + 9), Novelty::kNew);
  for (uint64_t i = kEnd + 11 - kDuplicateWindowPackets; i < kEnd; ++i) {
    EXPECT_EQ(Check(i), Novelty::kDuplicate) << i;
  }
}

TEST_F(AckTrackerTest, DuplicatesAreKnownAfterTheirRangeIsForgotten) {
  for (uint64_t i = 0; i < 10; i += 2) ReceiveAt(AtMs(0), i);

  tracker_.OnAckFrameAcked(PacketNumber(8));

  EXPECT_EQ(Check(4), Novelty::kDuplicate);
  EXPECT_EQ(Check(5), Novelty::kNew);
}

TEST_F(AckTrackerTest, DuplicatesAreKnownAmongMoreRangesThanAreKept) {
  for (uint64_t i = 0; i < kDuplicateWindowPackets; i += 2) ReceiveAt(AtMs(0), i);

  for (uint64_t i = 0; i < kDuplicateWindowPackets; ++i) {
    EXPECT_EQ(Check(i), i % 2 == 0 ? Novelty::kDuplicate : Novelty::kNew) << i;
  }
}

// ---- When an ACK frame is due ----

TEST_F(AckTrackerTest, NothingReceivedNeedsNoAck) {
  EXPECT_EQ(tracker_.next_deadline(), kNever);
  EXPECT_FALSE(tracker_.has_unsent_ack());
  EXPECT_FALSE(WriteAt(AtMs(0)).has_value());
}

TEST_F(AckTrackerTest, FirstPacketWaitsForMaxAckDelay) {
  ReceiveAt(AtMs(100), 0);

  EXPECT_EQ(tracker_.next_deadline(), AtMs(125));
  EXPECT_FALSE(tracker_.is_ack_due(AtMs(124)));
  EXPECT_TRUE(tracker_.is_ack_due(AtMs(125)));
  EXPECT_TRUE(tracker_.has_unsent_ack());
}

TEST_F(AckTrackerTest, SecondPacketIsAcknowledgedAtOnce) {
  ReceiveAt(AtMs(100), 0);
  ReceiveAt(AtMs(101), 1);

  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
  EXPECT_TRUE(tracker_.is_ack_due(AtMs(101)));
  EXPECT_EQ(tracker_.ack_eliciting_since_last_ack(), 2u);
}

TEST_F(AckTrackerTest, WritingBeginsTheCountAnew) {
  ReceiveAt(AtMs(100), 0);
  ReceiveAt(AtMs(101), 1);
  ASSERT_TRUE(WriteAt(AtMs(101)).has_value());
  EXPECT_EQ(tracker_.next_deadline(), kNever);
  EXPECT_EQ(tracker_.ack_eliciting_since_last_ack(), 0u);

  ReceiveAt(AtMs(200), 2);

  EXPECT_EQ(tracker_.next_deadline(), AtMs(225));
}

TEST_F(AckTrackerTest, PacketThatElicitsNoAckWaitsForever) {
  for (uint64_t i = 0; i < 10; ++i) ReceiveAckOnlyAt(AtMs(0), 3 * i);

  EXPECT_EQ(tracker_.next_deadline(), kNever);
  EXPECT_FALSE(tracker_.has_unsent_ack());
}

TEST_F(AckTrackerTest, PacketThatElicitsNoAckIsAcknowledgedWithOthers) {
  ReceiveAckOnlyAt(AtMs(0), 0);
  ReceiveAt(AtMs(0), 1);

  EXPECT_EQ(RangesAt(AtMs(0)), (Ranges{{0, 1}}));
}

TEST_F(AckTrackerTest, PacketOvertakenByAnotherIsAcknowledgedAtOnce) {
  ReceiveAt(AtMs(0), 0);
  ReceiveAt(AtMs(0), 2);
  ASSERT_TRUE(WriteAt(AtMs(0)).has_value());

  ReceiveAt(AtMs(1), 1);

  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
}

TEST_F(AckTrackerTest, GapIsReportedAtOnceAndOnlyOnce) {
  ReceiveAt(AtMs(0), 0);
  ASSERT_TRUE(WriteAt(AtMs(0)).has_value());

  ReceiveAt(AtMs(1), 2);
  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
  ASSERT_TRUE(WriteAt(AtMs(1)).has_value());
  ReceiveAt(AtMs(2), 3);

  EXPECT_EQ(tracker_.next_deadline(), AtMs(27));
}

TEST_F(AckTrackerTest, GapBeforeAPacketThatElicitsNoAckIsReportedWithTheNext) {
  ReceiveAt(AtMs(0), 0);
  ASSERT_TRUE(WriteAt(AtMs(0)).has_value());

  ReceiveAckOnlyAt(AtMs(1), 2);
  EXPECT_EQ(tracker_.next_deadline(), kNever);
  ReceiveAt(AtMs(2), 3);

  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
}

TEST_F(AckTrackerTest, PacketsThatElicitNoAckAreNoGap) {
  ReceiveAt(AtMs(0), 0);
  ASSERT_TRUE(WriteAt(AtMs(0)).has_value());
  ReceiveAckOnlyAt(AtMs(1), 1);
  ReceiveAckOnlyAt(AtMs(1), 2);

  ReceiveAt(AtMs(2), 3);

  EXPECT_EQ(tracker_.next_deadline(), AtMs(27));
}

TEST_F(AckTrackerTest, ForgottenRangesAreNoGap) {
  ReceiveAt(AtMs(0), 0);
  ReceiveAckOnlyAt(AtMs(0), 1);
  ReceiveAckOnlyAt(AtMs(0), 2);
  ASSERT_TRUE(WriteAt(AtMs(0)).has_value());
  tracker_.OnAckFrameAcked(PacketNumber(2));

  ReceiveAt(AtMs(1), 3);

  EXPECT_EQ(tracker_.next_deadline(), AtMs(26));
}

TEST_F(AckTrackerTest, CongestionMarkIsReportedAtOnce) {
  ReceiveMarked(0, EcnMark::kEct0);
  EXPECT_NE(tracker_.next_deadline(), kAtOnce);
  ASSERT_TRUE(WriteAt(AtMs(0)).has_value());

  ReceiveMarked(1, EcnMark::kCe);

  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
}

TEST(AckTrackerSpaceTest, HandshakePacketsAreAcknowledgedAtOnce) {
  for (const auto space : {PacketNumberSpace::kInitial, PacketNumberSpace::kHandshake}) {
    AckTracker tracker(space);

    tracker.OnPacketReceived({PacketNumber(0), AtMs(0), EcnMark::kNotEct, true});

    EXPECT_EQ(tracker.next_deadline(), kAtOnce);
  }
}

TEST_F(AckTrackerTest, DelayPolicyDecides) {
  tracker_.SetDelayPolicy(Duration::Milliseconds(40), 4);

  for (uint64_t i = 0; i < 3; ++i) {
    ReceiveAt(AtMs(10), i);
    EXPECT_EQ(tracker_.next_deadline(), AtMs(50));
  }
  ReceiveAt(AtMs(10), 3);

  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
}

TEST_F(AckTrackerTest, AcksOfPacketsInOrderKeepTheMinimumInterval) {
  tracker_.SetMinInterval(Duration::Milliseconds(5));
  ReceiveAt(AtMs(10), 0);
  ReceiveAt(AtMs(10), 1);
  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
  ASSERT_TRUE(WriteAt(AtMs(10)).has_value());

  for (uint64_t i = 2; i < 9; ++i) ReceiveAt(AtMs(12), i);
  EXPECT_EQ(tracker_.next_deadline(), AtMs(15));
  ASSERT_TRUE(WriteAt(AtMs(15)).has_value());

  ReceiveAt(AtMs(30), 9);
  EXPECT_EQ(tracker_.next_deadline(), AtMs(55));
  ReceiveAt(AtMs(30), 10);
  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
}

TEST_F(AckTrackerTest, TheMinimumIntervalHoldsBackNoNewsOfLossOrCongestion) {
  tracker_.SetMinInterval(Duration::Milliseconds(5));
  ReceiveAt(AtMs(10), 0);
  ReceiveAt(AtMs(10), 1);
  ASSERT_TRUE(WriteAt(AtMs(10)).has_value());

  ReceiveAt(AtMs(10), 3);
  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
  ASSERT_TRUE(WriteAt(AtMs(10)).has_value());
  Receive(AtMs(10), 4, true, EcnMark::kCe);

  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
}

TEST_F(AckTrackerTest, TheMinimumIntervalDoesNotExceedMaxAckDelay) {
  tracker_.SetDelayPolicy(Duration::Milliseconds(25), 2);
  tracker_.SetMinInterval(Duration::Milliseconds(100));
  ReceiveAt(AtMs(10), 0);
  ReceiveAt(AtMs(10), 1);
  ASSERT_TRUE(WriteAt(AtMs(10)).has_value());

  ReceiveAt(AtMs(20), 2);
  ReceiveAt(AtMs(30), 3);

  EXPECT_EQ(tracker_.next_deadline(), AtMs(45));
}

TEST_F(AckTrackerTest, EarliestPacketSetsTheDeadline) {
  tracker_.SetDelayPolicy(Duration::Milliseconds(25), 10);
  ReceiveAt(AtMs(10), 0);

  ReceiveAt(AtMs(20), 1);

  EXPECT_EQ(tracker_.next_deadline(), AtMs(35));
}

TEST_F(AckTrackerTest, ImmediateAckCanBeRequested) {
  tracker_.RequestImmediateAck();
  EXPECT_EQ(tracker_.next_deadline(), kNever);

  ReceiveAt(AtMs(0), 0);
  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
  ASSERT_TRUE(WriteAt(AtMs(0)).has_value());
  EXPECT_EQ(tracker_.next_deadline(), kNever);
  tracker_.RequestImmediateAck();

  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
}

// ---- What an ACK frame says ----

TEST_F(AckTrackerTest, RangesDescend) {
  for (const uint64_t number : {0, 1, 2, 5, 9, 8}) ReceiveAt(AtMs(0), number);

  EXPECT_EQ(RangesAt(AtMs(0)), (Ranges{{8, 9}, {5, 5}, {0, 2}}));
}

TEST_F(AckTrackerTest, DelayIsOfTheLargestPacket) {
  ReceiveAt(AtMs(100), 0);
  ReceiveAt(AtMs(104), 2);
  ReceiveAt(AtMs(110), 1);

  // In units of 8 microseconds.
  EXPECT_EQ(WriteAt(AtMs(112)).value().encoded_ack_delay, 1000u);
}

TEST_F(AckTrackerTest, DelayIsNeverNegative) {
  ReceiveAt(AtMs(100), 0);

  EXPECT_EQ(WriteAt(AtMs(99)).value().encoded_ack_delay, 0u);
}

TEST_F(AckTrackerTest, RangesInAFrameAreBounded) {
  for (uint64_t i = 0; i < 2 * kMaxAckRangesSent; ++i) ReceiveAt(AtMs(0), 2 * i);

  const Ranges ranges = RangesAt(AtMs(0));

  EXPECT_EQ(ranges.size(), kMaxAckRangesSent);
  EXPECT_EQ(ranges.front().second, 4 * kMaxAckRangesSent - 2);
}

TEST_F(AckTrackerTest, RangesThatAreKeptAreBounded) {
  for (uint64_t i = 0; i < 2 * kMaxAckRangesTracked; ++i) ReceiveAt(AtMs(0), 2 * i);

  // CheckInvariants() looks at the number of ranges. A packet from before them is taken, without
  // being acknowledged.
  ReceiveAt(AtMs(0), 1);

  EXPECT_EQ(Check(1), Novelty::kDuplicate);
}

TEST_F(AckTrackerTest, FrameThatDoesNotFitChangesNothing) {
  ReceiveAt(AtMs(0), 0);
  ReceiveAt(AtMs(0), 1);

  EXPECT_FALSE(WriteAt(AtMs(0), 3).has_value());

  EXPECT_EQ(tracker_.next_deadline(), kAtOnce);
  EXPECT_EQ(tracker_.ack_eliciting_since_last_ack(), 2u);
}

TEST_F(AckTrackerTest, MarksAreCountedFromTheFirstOneOn) {
  ReceiveMarked(0, EcnMark::kNotEct);
  EXPECT_EQ(WriteAt(AtMs(0)).value().ecn_counts, std::nullopt);

  ReceiveMarked(1, EcnMark::kEct0);
  ReceiveMarked(2, EcnMark::kEct0);
  ReceiveMarked(3, EcnMark::kEct0);
  ReceiveMarked(4, EcnMark::kEct1);
  ReceiveMarked(5, EcnMark::kEct1);
  ReceiveMarked(6, EcnMark::kCe);
  ReceiveMarked(7, EcnMark::kNotEct);

  EXPECT_EQ(WriteAt(AtMs(0)).value().ecn_counts, (EcnCounts{3, 2, 1}));
  EXPECT_EQ(WriteAt(AtMs(0)).value().ecn_counts, (EcnCounts{3, 2, 1}));
}

// ---- Forgetting. RFC 9000 §13.2.4 ----

TEST_F(AckTrackerTest, AcknowledgedRangesAreForgotten) {
  for (const uint64_t number : {0, 1, 4, 7, 9}) ReceiveAt(AtMs(0), number);

  tracker_.OnAckFrameAcked(PacketNumber(4));

  EXPECT_EQ(RangesAt(AtMs(0)), (Ranges{{9, 9}, {7, 7}}));
}

TEST_F(AckTrackerTest, LargestPacketStaysInEveryFrame) {
  for (const uint64_t number : {0, 1, 4}) ReceiveAt(AtMs(0), number);
  tracker_.OnAckFrameAcked(PacketNumber(4));
  EXPECT_EQ(RangesAt(AtMs(0)), (Ranges{{4, 4}}));

  ReceiveAt(AtMs(0), 2);

  EXPECT_EQ(RangesAt(AtMs(0)), (Ranges{{4, 4}, {2, 2}}));
}

TEST_F(AckTrackerTest, OlderAckFrameForgetsNothingMore) {
  for (const uint64_t number : {0, 2, 4, 6}) ReceiveAt(AtMs(0), number);
  tracker_.OnAckFrameAcked(PacketNumber(4));

  tracker_.OnAckFrameAcked(PacketNumber(0));

  EXPECT_EQ(RangesAt(AtMs(0)), (Ranges{{6, 6}}));
}

// ---- PING ----

TEST_F(AckTrackerTest, PingIsWantedNowAndThen) {
  ReceiveAt(AtMs(0), 0);
  uint64_t ping_count = 0;
  for (uint64_t i = 1; i <= 3 * kAckFramesPerPing; ++i) {
    ReceiveAt(AtMs(0), 2 * i);
    ASSERT_TRUE(WriteAt(AtMs(0)).has_value());
    if (tracker_.wants_ping()) ++ping_count;
  }

  EXPECT_EQ(ping_count, 3u);
}

TEST_F(AckTrackerTest, NoPingIsWantedIfThereIsOneRangeOnly) {
  for (uint64_t i = 0; i <= 3 * kAckFramesPerPing; ++i) {
    ReceiveAt(AtMs(0), i);
    ASSERT_TRUE(WriteAt(AtMs(0)).has_value());

    EXPECT_FALSE(tracker_.wants_ping());
  }
}

TEST_F(AckTrackerTest, NoPingIsWantedWhileAckFramesAreAcknowledged) {
  ReceiveAt(AtMs(0), 0);
  for (uint64_t i = 1; i <= 3 * kAckFramesPerPing; ++i) {
    ReceiveAt(AtMs(0), 2 * i);
    ASSERT_TRUE(WriteAt(AtMs(0)).has_value());
    EXPECT_FALSE(tracker_.wants_ping());
    if (i % (kAckFramesPerPing - 1) == 0) tracker_.OnAckFrameAcked(PacketNumber(0));
  }
}

// ---- Memory ----

TEST_F(AckTrackerTest, ReleasedTrackerAcknowledgesAsBefore) {
  for (const uint64_t number : {0, 1, 4}) ReceiveAt(AtMs(0), number);

  tracker_.ReleaseSpareMemory();
  tracker_.CheckInvariants();

  EXPECT_EQ(RangesAt(AtMs(0)), (Ranges{{4, 4}, {0, 1}}));
  EXPECT_EQ(Check(4), Novelty::kDuplicate);
  EXPECT_EQ(Check(5), Novelty::kNew);
}

TEST_F(AckTrackerTest, WhatWasMissingBeforeTheReleaseCountsAsADuplicate) {
  for (const uint64_t number : {0, 1, 4}) ReceiveAt(AtMs(0), number);

  tracker_.ReleaseSpareMemory();
  EXPECT_EQ(Check(3), Novelty::kDuplicate);
  ReceiveAt(AtMs(0), 8);

  EXPECT_EQ(Check(3), Novelty::kDuplicate);
  EXPECT_EQ(Check(6), Novelty::kNew);
}

}  // namespace
}  // namespace godwit
