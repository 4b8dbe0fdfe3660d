// SPDX-License-Identifier: Apache-2.0
//
// PacketSpace: numbers, acknowledgments, probes, discarding. RFC 9000 §13.1, §17.1, §21.4; RFC 9002
// §5.1, §6.2.4, §6.4, A.5, A.7.

#include "transport/recovery/packet_space.h"

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/packet_number.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "tests/transport/recovery/space_driver.h"
#include "transport/delivery/sent_frame.h"
#include "transport/delivery/stream_range.h"

namespace godwit {
namespace {

using Numbers = std::vector<uint64_t>;

// ---- Sending ----

TEST(PacketSpaceTest, BeginsWithPacketZero) {
  const PacketSpace space(PacketNumberSpace::kApplication);

  EXPECT_EQ(space.next_packet_number(), PacketNumber(0));
  EXPECT_EQ(space.NextPacketNumberSize(), 1u);
  EXPECT_EQ(space.largest_acked(), std::nullopt);
  EXPECT_EQ(space.largest_acked_sent_time(), Timestamp::InfinitePast());
  EXPECT_EQ(space.last_ack_eliciting_sent_time(), Timestamp::InfinitePast());
  EXPECT_EQ(space.loss_time(), Timestamp::Infinite());
  EXPECT_FALSE(space.has_ack_eliciting_in_flight());
  space.CheckInvariants();
}

TEST(PacketSpaceTest, NumberTakesMoreBytesTheMoreIsUnacknowledged) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 200);
  EXPECT_EQ(driver.space.NextPacketNumberSize(), 2u);

  driver.AckAndDetectAt(AtMs(1), {{0, 199}});

  EXPECT_EQ(driver.space.NextPacketNumberSize(), 1u);
  EXPECT_EQ(driver.space.NextPacketNumberSize(200), 2u);
}

TEST(PacketSpaceTest, SentPacketIsInFlight) {
  SpaceDriver driver;

  driver.SendAt(AtMs(5));
  driver.SendAt(AtMs(6), {.path = kOtherPath});
  driver.SendAt(AtMs(7), kAckOnly);

  EXPECT_EQ(driver.space.bytes_in_flight(kPath), kPacketBytes);
  EXPECT_EQ(driver.space.bytes_in_flight(kOtherPath), kPacketBytes);
  EXPECT_TRUE(driver.space.has_ack_eliciting_in_flight());
  EXPECT_EQ(driver.space.last_ack_eliciting_sent_time(), AtMs(6));
  EXPECT_EQ(driver.space.outstanding_count(), 3u);
}

TEST(PacketSpaceTest, PaddingIsInFlightWithoutElicitingAcks) {
  SpaceDriver driver;

  driver.SendAt(AtMs(5), {.is_ack_eliciting = false});

  EXPECT_EQ(driver.space.bytes_in_flight(kPath), kPacketBytes);
  EXPECT_FALSE(driver.space.has_ack_eliciting_in_flight());
  EXPECT_EQ(driver.space.last_ack_eliciting_sent_time(), Timestamp::InfinitePast());
}

// ---- Acknowledgments ----

TEST(PacketSpaceAckTest, AckedPacketLeavesFlight) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 3);

  driver.AckAndDetectAt(AtMs(100), {{0, 1}});

  EXPECT_EQ(driver.acked(), (Numbers{0, 1}));
  EXPECT_EQ(driver.acked_frames(), (Numbers{0, 1}));
  EXPECT_EQ(driver.fates.acked[1].bytes, kPacketBytes);
  EXPECT_TRUE(driver.fates.has_newly_acked);
  EXPECT_EQ(driver.space.bytes_in_flight(kPath), kPacketBytes);
  EXPECT_EQ(driver.space.largest_acked(), PacketNumber(1));
}

TEST(PacketSpaceAckTest, RepeatedAckSaysNothingNew) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0));
  driver.SendManyAt(AtMs(0), 2);
  driver.AckAndDetectAt(AtMs(100), {{1, 2}});

  driver.AckAndDetectAt(AtMs(101), {{1, 2}});

  EXPECT_TRUE(driver.acked().empty());
  EXPECT_TRUE(driver.acked_frames().empty());
  EXPECT_FALSE(driver.fates.has_newly_acked);
  EXPECT_FALSE(driver.fates.rtt_source.has_value());
}

TEST(PacketSpaceAckTest, FatesAscendWhateverTheRanges) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 10);
  ASSERT_TRUE(driver.AckAt(AtMs(100), {{8, 8}, {6, 6}, {1, 2}}).ok());
  EXPECT_EQ(driver.acked(), (Numbers{1, 2, 6, 8}));

  ASSERT_TRUE(driver.AckAt(AtMs(100), {{5, 9}, {0, 3}}).ok());

  EXPECT_EQ(driver.acked(), (Numbers{0, 3, 5, 7, 9}));
  EXPECT_EQ(driver.acked_frames(), (Numbers{0, 3, 5, 7, 9}));
}

TEST(PacketSpaceAckTest, PacketOfAnotherPathIsReportedApart) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), {.path = kOtherPath});
  driver.SendAt(AtMs(0));

  driver.AckAndDetectAt(AtMs(100), {{0, 1}});

  EXPECT_EQ(driver.acked(), (Numbers{1}));
  ASSERT_EQ(driver.fates.other_paths.size(), 1u);
  EXPECT_EQ(driver.fates.other_paths[0].path, kOtherPath);
  EXPECT_EQ(driver.fates.other_paths[0].packet.packet_number, 0u);
  EXPECT_TRUE(driver.fates.other_paths[0].is_acked);
  EXPECT_EQ(driver.acked_frames(), (Numbers{0, 1}));
}

TEST(PacketSpaceAckTest, AckOnlyPacketReportsItsFramesAlone) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), kAckOnly);

  driver.AckAndDetectAt(AtMs(100), {{0, 0}});

  EXPECT_TRUE(driver.acked().empty());
  EXPECT_EQ(driver.acked_frames(), (Numbers{0}));
  EXPECT_TRUE(driver.fates.has_newly_acked);
}

TEST(PacketSpaceAckTest, MtuProbeIsAPacketLikeOthers) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), kMtuProbe);

  driver.AckAndDetectAt(AtMs(100), {{0, 0}});

  EXPECT_EQ(driver.acked(), (Numbers{0}));
  ASSERT_EQ(driver.fates.mtu_probes.size(), 1u);
  EXPECT_TRUE(driver.fates.mtu_probes[0].is_acked);
}

TEST(PacketSpaceAckTest, AllFramesOfAPacketAreReported) {
  SpaceDriver driver;
  const std::array frames{SentFrame::Ack(PacketNumber(7)),
                          SentFrame::Stream(StreamId(4), {100, 20, true}), SentFrame::MaxData()};
  driver.SendFramesAt(AtMs(0), frames);
  driver.SendFramesAt(AtMs(0), {});

  driver.AckAndDetectAt(AtMs(100), {{0, 1}});

  ASSERT_EQ(driver.fates.acked_frames.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(driver.fates.acked_frames[i].frame, frames[i]);
  EXPECT_EQ(driver.fates.acked_frames[2].number, PacketNumber(0));
}

// ---- What a peer can do wrong ----

TEST(PacketSpaceAckTest, AckOfAPacketNeverSentIsAnError) {
  SpaceDriver driver;
  EXPECT_EQ(driver.AckAt(AtMs(0), {{0, 0}}), Result(kAckOfUnsentPacket));
  driver.SendManyAt(AtMs(0), 3);

  EXPECT_EQ(driver.AckAt(AtMs(0), {{0, 3}}), Result(kAckOfUnsentPacket));
  EXPECT_EQ(driver.AckAt(AtMs(0), {{kMaxPacketNumber, kMaxPacketNumber}, {0, 2}}),
            Result(kAckOfUnsentPacket));

  EXPECT_TRUE(driver.acked().empty());
  EXPECT_EQ(driver.space.largest_acked(), std::nullopt);
}

// Sends until a number was skipped, and says which.
uint64_t SendUntilSkip(SpaceDriver& driver) {
  while (true) {
    const uint64_t number = driver.SendAt(AtMs(0));
    if (driver.space.next_packet_number().value() != number + 1) return number + 1;
  }
}

TEST(SkippedNumberTest, AckOfItIsAnError) {
  SpaceDriver driver(PacketNumberSpace::kApplication);
  const uint64_t skipped = SendUntilSkip(driver);

  EXPECT_EQ(driver.AckAt(AtMs(0), {{skipped, skipped}}), Result(kAckOfSkippedPacket));
  driver.SendManyAt(AtMs(0), 3);
  EXPECT_EQ(driver.AckAt(AtMs(0), {{0, skipped + 2}}), Result(kAckOfSkippedPacket));
  EXPECT_EQ(driver.AckAt(AtMs(0), {{skipped + 2, skipped + 3}, {skipped, skipped}}),
            Result(kAckOfSkippedPacket));

  EXPECT_TRUE(driver.acked().empty());
  EXPECT_EQ(driver.space.largest_acked(), std::nullopt);
}

TEST(SkippedNumberTest, AckAroundItIsFine) {
  SpaceDriver driver(PacketNumberSpace::kApplication);
  const uint64_t skipped = SendUntilSkip(driver);
  driver.SendManyAt(AtMs(0), 3);

  EXPECT_TRUE(driver.AckAt(AtMs(0), {{skipped + 1, skipped + 3}, {0, skipped - 1}}).ok());

  EXPECT_EQ(driver.acked().size(), skipped + 3);
  EXPECT_EQ(driver.space.outstanding_count(), 0u);
}

TEST(SkippedNumberTest, IsKnownAfterEverythingAroundItWasAcked) {
  SpaceDriver driver(PacketNumberSpace::kApplication);
  const uint64_t skipped = SendUntilSkip(driver);
  driver.SendManyAt(AtMs(0), 3);
  ASSERT_TRUE(driver.AckAt(AtMs(0), {{skipped + 1, skipped + 3}, {0, skipped - 1}}).ok());

  EXPECT_EQ(driver.AckAt(AtMs(0), {{0, skipped + 3}}), Result(kAckOfSkippedPacket));
  EXPECT_EQ(driver.AckAt(AtMs(0), {{skipped + 2, skipped + 3}, {0, skipped}}),
            Result(kAckOfSkippedPacket));
}

TEST(SkippedNumberTest, DistancesAreRandomAndBounded) {
  SpaceDriver driver(PacketNumberSpace::kApplication);
  std::set<uint64_t> distances;
  uint64_t previous = 0;
  while (distances.size() < 80) {
    const uint64_t number = driver.SendAt(AtMs(0));
    ASSERT_TRUE(driver.AckAt(AtMs(0), {{number, number}}).ok());
    if (driver.space.next_packet_number().value() == number + 1) continue;
    const uint64_t skipped = number + 1;
    ASSERT_LE(skipped - previous, 2 * kMinMeanSkipDistance + 1);
    distances.insert(skipped - previous);
    previous = skipped;
  }

  // About 95 for 80 different ones, if all are as likely.
  EXPECT_LT(previous, 120 * kMinMeanSkipDistance);
}

TEST(SkippedNumberTest, DistancesGrowWithThePacketsInFlight) {
  SpaceDriver driver(PacketNumberSpace::kApplication);
  constexpr uint64_t kPackets = 100'000;

  driver.SendManyAt(AtMs(0), kPackets);

  // One for each doubling, about.
  EXPECT_LT(driver.space.next_packet_number().value() - kPackets, 40u);
}

TEST(SkippedNumberTest, HandshakeSkipsNone) {
  for (const auto space : {PacketNumberSpace::kInitial, PacketNumberSpace::kHandshake}) {
    SpaceDriver driver(space);

    driver.SendManyAt(AtMs(0), 5'000);

    EXPECT_EQ(driver.space.next_packet_number(), PacketNumber(5'000));
  }
}

// ---- RTT samples. RFC 9002 §5.1 ----

TEST(RttSourceTest, IsTheLargestAckedPacket) {
  SpaceDriver driver;
  for (const int64_t ms : {10, 20, 30}) driver.SendAt(AtMs(ms));

  driver.AckAndDetectAt(AtMs(100), {{0, 1}});

  ASSERT_TRUE(driver.fates.rtt_source.has_value());
  EXPECT_EQ(driver.fates.rtt_source->sent_time, AtMs(20));
  EXPECT_EQ(driver.fates.rtt_source->path, kPath);
  EXPECT_EQ(driver.fates.largest_acked_sent_time, AtMs(20));
}

TEST(RttSourceTest, NeedsTheLargestPacketNewlyAcked) {
  SpaceDriver driver;
  for (const int64_t ms : {10, 20, 30}) driver.SendAt(AtMs(ms));
  driver.AckAndDetectAt(AtMs(100), {{2, 2}});

  driver.AckAndDetectAt(AtMs(101), {{0, 2}});

  EXPECT_EQ(driver.acked(), (Numbers{0, 1}));
  EXPECT_FALSE(driver.fates.rtt_source.has_value());
  EXPECT_EQ(driver.fates.largest_acked_sent_time, AtMs(30));
}

TEST(RttSourceTest, NeedsAnAckElicitingPacket) {
  SpaceDriver driver;
  driver.SendAt(AtMs(10), kAckOnly);
  driver.SendAt(AtMs(15), {.is_ack_eliciting = false});
  driver.SendAt(AtMs(20));
  driver.SendAt(AtMs(30), kAckOnly);

  driver.AckAndDetectAt(AtMs(100), {{0, 1}});
  EXPECT_FALSE(driver.fates.rtt_source.has_value());
  driver.AckAndDetectAt(AtMs(101), {{0, 3}});

  ASSERT_TRUE(driver.fates.rtt_source.has_value());
  EXPECT_EQ(driver.fates.rtt_source->sent_time, AtMs(30));
}

TEST(RttSourceTest, SaysOnWhichPathThePacketWent) {
  SpaceDriver driver;
  driver.SendAt(AtMs(10), {.path = kOtherPath});

  driver.AckAndDetectAt(AtMs(100), {{0, 0}});

  ASSERT_TRUE(driver.fates.rtt_source.has_value());
  EXPECT_EQ(driver.fates.rtt_source->path, kOtherPath);
}

// ---- Probes. RFC 9002 §6.2.4 ----

TEST(ProbeTest, CarriesTheOldestPacketsOneByOne) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 3);

  EXPECT_TRUE(driver.space.RequeueOldestForProbe(driver.fates));
  EXPECT_EQ(driver.lost_frames(), (Numbers{0}));
  EXPECT_TRUE(driver.space.RequeueOldestForProbe(driver.fates));
  EXPECT_EQ(driver.lost_frames(), (Numbers{0, 1}));

  EXPECT_TRUE(driver.lost().empty());
  EXPECT_EQ(driver.space.bytes_in_flight(kPath), 3 * kPacketBytes);
  driver.space.CheckInvariants();
}

TEST(ProbeTest, NothingLeftIsSaid) {
  SpaceDriver driver;
  EXPECT_FALSE(driver.space.RequeueOldestForProbe(driver.fates));
  driver.SendAt(AtMs(0));

  EXPECT_TRUE(driver.space.RequeueOldestForProbe(driver.fates));
  EXPECT_FALSE(driver.space.RequeueOldestForProbe(driver.fates));

  // What the probe carries can itself be probed for.
  driver.SendAt(AtMs(10));
  EXPECT_TRUE(driver.space.RequeueOldestForProbe(driver.fates));
}

TEST(ProbeTest, AckedPacketsAreNotProbedFor) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 4);
  driver.AckAndDetectAt(AtMs(1), {{3, 3}, {1, 1}});
  driver.fates.Clear();

  while (driver.space.RequeueOldestForProbe(driver.fates)) {
  }

  EXPECT_EQ(driver.lost_frames(), (Numbers{2}));
}

TEST(ProbeTest, PacketsWithNothingToSendAgainAreLeftOut) {
  SpaceDriver driver;
  const std::array ping{SentFrame::Ping()};
  const std::array datagram{SentFrame::Datagram(9)};
  driver.SendFramesAt(AtMs(0), ping);
  driver.SendFramesAt(AtMs(0), datagram);
  driver.SendAt(AtMs(0));

  EXPECT_TRUE(driver.space.RequeueOldestForProbe(driver.fates));

  EXPECT_EQ(driver.lost_frames(), (Numbers{2}));
}

TEST(ProbeTest, WhatWasProbedForIsNotLostAgain) {
  SpaceDriver driver;
  const std::array frames{SentFrame::Datagram(9), SentFrame::MaxData()};
  driver.SendFramesAt(AtMs(0), frames);
  driver.SendManyAt(AtMs(0), 3);
  ASSERT_TRUE(driver.space.RequeueOldestForProbe(driver.fates));
  ASSERT_EQ(driver.fates.lost_frames.size(), 1u);
  EXPECT_EQ(driver.fates.lost_frames[0].frame, SentFrame::MaxData());

  driver.AckAndDetectAt(AtMs(100), {{3, 3}});

  // The datagram is not sent again, so its owner hears of the loss only now.
  EXPECT_EQ(driver.lost(), (Numbers{0}));
  ASSERT_EQ(driver.fates.lost_frames.size(), 1u);
  EXPECT_EQ(driver.fates.lost_frames[0].frame, SentFrame::Datagram(9));
}

TEST(ProbeTest, ProbedPacketCanBeAckedAfterAll) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0));
  ASSERT_TRUE(driver.space.RequeueOldestForProbe(driver.fates));

  driver.AckAndDetectAt(AtMs(100), {{0, 0}});

  EXPECT_EQ(driver.acked_frames(), (Numbers{0}));
  EXPECT_EQ(driver.acked(), (Numbers{0}));
}

// ---- Discarding and memory ----

TEST(DiscardTest, EverythingLeavesFlight) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(5), 4);
  driver.SendAt(AtMs(5), {.path = kOtherPath});
  driver.AckAndDetectAt(AtMs(6), {{3, 3}});
  ASSERT_EQ(driver.lost(), (Numbers{0}));
  driver.space.acks().OnPacketReceived({PacketNumber(0), AtMs(6), EcnMark::kNotEct, true});

  EXPECT_EQ(driver.space.DiscardAll(kPath), 2 * kPacketBytes);

  driver.space.CheckInvariants();
  EXPECT_EQ(driver.space.outstanding_count(), 0u);
  EXPECT_EQ(driver.space.bytes_in_flight(kOtherPath), 0u);
  EXPECT_FALSE(driver.space.has_ack_eliciting_in_flight());
  EXPECT_EQ(driver.space.loss_time(), Timestamp::Infinite());
  EXPECT_EQ(driver.space.acks().next_deadline(), Timestamp::Infinite());
  EXPECT_FALSE(driver.space.RequeueOldestForProbe(driver.fates));
  // The client's anti-deadlock timer runs from there.
  EXPECT_EQ(driver.space.last_ack_eliciting_sent_time(), AtMs(5));
}

TEST(DiscardTest, NumbersGoOn) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 4);

  driver.space.DiscardAll(kPath);

  EXPECT_EQ(driver.SendAt(AtMs(1)), 4u);
  driver.AckAndDetectAt(AtMs(2), {{0, 4}});
  EXPECT_EQ(driver.acked(), (Numbers{4}));
}

TEST(AckOnlyPacketsTest, OldestAreForgottenIfNothingElseIsInFlight) {
  SpaceDriver driver;
  for (int i = 0; i < 10'000; ++i) driver.SendAt(AtMs(0), kAckOnly);
  driver.space.CheckInvariants();
  EXPECT_EQ(driver.space.outstanding_count(), kMaxAckOnlyPackets);

  driver.AckAndDetectAt(AtMs(1), {{0, 9'999}});

  EXPECT_EQ(driver.acked_frames().size(), kMaxAckOnlyPackets);
  EXPECT_EQ(driver.acked_frames().back(), 9'999u);
}

TEST(AckOnlyPacketsTest, StayWhileSomethingIsInFlight) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0));
  for (uint64_t i = 0; i < 2 * kMaxAckOnlyPackets; ++i) driver.SendAt(AtMs(0), kAckOnly);

  EXPECT_TRUE(driver.space.has_ack_eliciting_in_flight());
  EXPECT_EQ(driver.space.bytes_in_flight(kPath), kPacketBytes);
  driver.space.CheckInvariants();
}

TEST(SpareMemoryTest, PacketsInFlightAreKept) {
  SpaceDriver driver;
  driver.SendAt(AtMs(0), kAckOnly);
  driver.SendManyAt(AtMs(0), 2);

  driver.space.ReleaseSpareMemory();
  driver.space.CheckInvariants();
  driver.AckAndDetectAt(AtMs(100), {{0, 2}});

  EXPECT_EQ(driver.acked(), (Numbers{1, 2}));
}

TEST(SpareMemoryTest, WhatIsNotInFlightIsForgotten) {
  SpaceDriver driver;
  driver.SendManyAt(AtMs(0), 4);
  driver.AckAndDetectAt(AtMs(100), {{1, 3}});
  driver.SendAt(AtMs(0), kAckOnly);

  driver.space.ReleaseSpareMemory();
  driver.space.CheckInvariants();
  EXPECT_EQ(driver.space.outstanding_count(), 0u);
  driver.AckAndDetectAt(AtMs(100), {{0, 4}});

  EXPECT_FALSE(driver.fates.has_newly_acked);
  EXPECT_EQ(driver.SendAt(AtMs(200)), 5u);
}

}  // namespace
}  // namespace godwit
