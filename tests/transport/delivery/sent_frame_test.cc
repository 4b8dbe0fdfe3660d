// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/sent_frame.h"

#include <cstdint>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/packet_number.h"
#include "base/path_id.h"
#include "godwit/stream_id.h"
#include "transport/delivery/stream_range.h"
#include "transport/wire/frame.h"

namespace godwit {
namespace {

constexpr StreamId kStream(7);
constexpr StreamId kLargestStream(StreamId::kMaxValue);

TEST(SentFrameTest, StreamRecordKeepsTheWholeRange) {
  const StreamRange range{kMaxStreamOffset - kMaxDatagramBytes, kMaxDatagramBytes, true};

  const SentFrame frame = SentFrame::Stream(kLargestStream, range);

  EXPECT_EQ(frame.kind(), FrameKind::kStream);
  EXPECT_EQ(frame.stream_id(), kLargestStream);
  EXPECT_EQ(frame.range(), range);
}

TEST(SentFrameTest, CryptoRecordKeepsTheRange) {
  const SentFrame frame = SentFrame::Crypto({100, 20, false});

  EXPECT_EQ(frame.kind(), FrameKind::kCrypto);
  EXPECT_EQ(frame.range(), (StreamRange{100, 20, false}));
}

TEST(SentFrameTest, AckRecordKeepsTheLargestAcked) {
  const SentFrame frame = SentFrame::Ack(PacketNumber(kMaxPacketNumber));

  EXPECT_EQ(frame.kind(), FrameKind::kAck);
  EXPECT_EQ(frame.largest_acked(), PacketNumber(kMaxPacketNumber));
}

TEST(SentFrameTest, RecordsOfStreamControlKeepTheStream) {
  EXPECT_EQ(SentFrame::ResetStream(kStream).stream_id(), kStream);
  EXPECT_EQ(SentFrame::StopSending(kStream).stream_id(), kStream);
  EXPECT_EQ(SentFrame::MaxStreamData(kStream).stream_id(), kStream);
  EXPECT_EQ(SentFrame::StreamDataBlocked(kStream).stream_id(), kStream);
}

TEST(SentFrameTest, RecordsOfStreamCountsKeepTheDirection) {
  EXPECT_EQ(SentFrame::MaxStreams(StreamDirection::kUnidirectional).direction(),
            StreamDirection::kUnidirectional);
  EXPECT_EQ(SentFrame::StreamsBlocked(StreamDirection::kBidirectional).direction(),
            StreamDirection::kBidirectional);
}

TEST(SentFrameTest, NumberedRecordsKeepTheirSequenceNumber) {
  EXPECT_EQ(SentFrame::NewConnectionId(3).sequence_number(), 3u);
  EXPECT_EQ(SentFrame::RetireConnectionId(4).sequence_number(), 4u);
  EXPECT_EQ(SentFrame::NewToken(5).sequence_number(), 5u);
  EXPECT_EQ(SentFrame::AckFrequency(6).sequence_number(), 6u);
  EXPECT_EQ(SentFrame::Datagram(7).sequence_number(), 7u);
}

TEST(SentFrameTest, RecordsOfPathValidationKeepThePath) {
  EXPECT_EQ(SentFrame::PathChallenge(PathId(UINT32_MAX)).path_id(), PathId(UINT32_MAX));
  EXPECT_EQ(SentFrame::PathResponse(PathId(2)).path_id(), PathId(2));
}

TEST(SentFrameTest, EveryRecordHasTheKindOfItsFrame) {
  EXPECT_EQ(SentFrame::ResetStream(kStream).kind(), FrameKind::kResetStream);
  EXPECT_EQ(SentFrame::StopSending(kStream).kind(), FrameKind::kStopSending);
  EXPECT_EQ(SentFrame::MaxStreamData(kStream).kind(), FrameKind::kMaxStreamData);
  EXPECT_EQ(SentFrame::StreamDataBlocked(kStream).kind(), FrameKind::kStreamDataBlocked);
  EXPECT_EQ(SentFrame::MaxData().kind(), FrameKind::kMaxData);
  EXPECT_EQ(SentFrame::DataBlocked().kind(), FrameKind::kDataBlocked);
  EXPECT_EQ(SentFrame::MaxStreams(StreamDirection::kBidirectional).kind(), FrameKind::kMaxStreams);
  EXPECT_EQ(SentFrame::StreamsBlocked(StreamDirection::kBidirectional).kind(),
            FrameKind::kStreamsBlocked);
  EXPECT_EQ(SentFrame::NewConnectionId(0).kind(), FrameKind::kNewConnectionId);
  EXPECT_EQ(SentFrame::RetireConnectionId(0).kind(), FrameKind::kRetireConnectionId);
  EXPECT_EQ(SentFrame::PathChallenge(PathId(0)).kind(), FrameKind::kPathChallenge);
  EXPECT_EQ(SentFrame::PathResponse(PathId(0)).kind(), FrameKind::kPathResponse);
  EXPECT_EQ(SentFrame::HandshakeDone().kind(), FrameKind::kHandshakeDone);
  EXPECT_EQ(SentFrame::NewToken(0).kind(), FrameKind::kNewToken);
  EXPECT_EQ(SentFrame::AckFrequency(0).kind(), FrameKind::kAckFrequency);
  EXPECT_EQ(SentFrame::Ping().kind(), FrameKind::kPing);
  EXPECT_EQ(SentFrame::Datagram(0).kind(), FrameKind::kDatagram);
}

}  // namespace
}  // namespace godwit
