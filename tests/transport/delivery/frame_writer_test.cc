// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/frame_writer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "base/path_id.h"
#include "godwit/perspective.h"
#include "godwit/stream_id.h"
#include "transport/delivery/sent_frame.h"
#include "transport/delivery/stream_range.h"
#include "transport/wire/ack_ranges.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"
#include "transport/wire/frame_encoder.h"

namespace godwit {
namespace {

constexpr StreamId kStream(4);
constexpr FrameWriter::Packet kOneRtt{EncryptionLevel::kOneRtt, PacketMode::kNormal};

class FrameWriterTest : public testing::Test {
 protected:
  std::span<uint8_t> Room(size_t size) { return std::span(bytes_).first(size); }

  // The frame at the front of what `writer` wrote.
  Frame FirstFrame(const FrameWriter& writer) {
    FrameDecoder decoder(Room(writer.frames_size()), writer.level(), Perspective::kServer);
    Frame frame;
    EXPECT_TRUE(decoder.Next(&frame).ok());
    return frame;
  }

  std::array<uint8_t, 1500> bytes_{};
};

TEST_F(FrameWriterTest, NewWriterHasAllItsRoom) {
  const FrameWriter writer(Room(100), {EncryptionLevel::kHandshake, PacketMode::kProbe});

  EXPECT_EQ(writer.space_left(), 100u);
  EXPECT_EQ(writer.mode(), PacketMode::kProbe);
  EXPECT_EQ(writer.level(), EncryptionLevel::kHandshake);
  EXPECT_FALSE(writer.has_frames());
  EXPECT_FALSE(writer.is_ack_eliciting());
  EXPECT_FALSE(writer.is_probing());
}

TEST_F(FrameWriterTest, WrittenFrameIsInThePacketAndOnRecord) {
  FrameWriter writer(Room(100), kOneRtt);

  EXPECT_TRUE(writer.Write(MaxStreamDataFrame{kStream, 1000}, SentFrame::MaxStreamData(kStream)));

  const Frame frame = FirstFrame(writer);
  EXPECT_EQ(frame.As<MaxStreamDataFrame>().maximum_bytes, 1000u);
  ASSERT_EQ(writer.sent_frames().size(), 1u);
  EXPECT_EQ(writer.sent_frames()[0], SentFrame::MaxStreamData(kStream));
  EXPECT_EQ(writer.space_left() + writer.frames_size(), 100u);
  EXPECT_TRUE(writer.is_ack_eliciting());
  EXPECT_TRUE(writer.is_in_flight());
}

TEST_F(FrameWriterTest, FrameThatDoesNotFitChangesNothing) {
  FrameWriter writer(Room(3), kOneRtt);

  EXPECT_FALSE(writer.Write(MaxStreamDataFrame{kStream, 1000}, SentFrame::MaxStreamData(kStream)));

  EXPECT_EQ(writer.space_left(), 3u);
  EXPECT_TRUE(writer.sent_frames().empty());
  EXPECT_FALSE(writer.is_ack_eliciting());
}

TEST_F(FrameWriterTest, FrameThatFitsExactlyIsWritten) {
  FrameWriter writer(Room(4), kOneRtt);

  EXPECT_TRUE(writer.Write(MaxStreamDataFrame{kStream, 1000}, SentFrame::MaxStreamData(kStream)));

  EXPECT_EQ(writer.space_left(), 0u);
}

TEST_F(FrameWriterTest, FullRecordRefusesFramesThatWouldFit) {
  FrameWriter writer(Room(1000), kOneRtt);
  for (size_t i = 0; i < kMaxSentFramesPerPacket; ++i) {
    ASSERT_TRUE(writer.Write(PingFrame{}, SentFrame::Ping()));
  }

  EXPECT_FALSE(writer.Write(PingFrame{}, SentFrame::Ping()));
  EXPECT_FALSE(writer.WriteDatagram({}, LengthField::kPresent, 1));
  EXPECT_EQ(writer.ReserveStream(kStream, {0, 1}, LengthField::kPresent), std::nullopt);
  EXPECT_EQ(writer.StreamDataRoom(kStream, 0, LengthField::kPresent), 0u);
  EXPECT_TRUE(writer.WriteUnrecorded(PaddingFrame{10}));

  EXPECT_EQ(writer.sent_frames().size(), kMaxSentFramesPerPacket);
  EXPECT_EQ(writer.frames_size(), kMaxSentFramesPerPacket + 10);
}

TEST_F(FrameWriterTest, AckAloneDoesNotElicitAcknowledgment) {
  FrameWriter writer(Room(100), kOneRtt);
  const std::vector<AckRange> ranges = {{PacketNumber(50), PacketNumber(60)},
                                        {PacketNumber(10), PacketNumber(40)}};

  EXPECT_TRUE(writer.WriteAck({.encoded_ack_delay = 7, .ecn_counts = {}}, ranges, 32));

  const Frame frame = FirstFrame(writer);
  EXPECT_EQ(frame.As<AckFrame>().ranges.size(), 2u);
  ASSERT_EQ(writer.sent_frames().size(), 1u);
  EXPECT_EQ(writer.sent_frames()[0], SentFrame::Ack(PacketNumber(60)));
  EXPECT_FALSE(writer.is_ack_eliciting());
  EXPECT_FALSE(writer.is_in_flight());
}

TEST_F(FrameWriterTest, AckTakesAsManyRangesAsFit) {
  const std::vector<AckRange> ranges = {{PacketNumber(50), PacketNumber(60)},
                                        {PacketNumber(10), PacketNumber(40)}};
  FrameWriter small(Room(6), kOneRtt);
  FrameWriter too_small(Room(4), kOneRtt);

  EXPECT_FALSE(too_small.WriteAck({.encoded_ack_delay = 7, .ecn_counts = {}}, ranges, 32));
  EXPECT_TRUE(small.WriteAck({.encoded_ack_delay = 7, .ecn_counts = {}}, ranges, 32));

  EXPECT_EQ(FirstFrame(small).As<AckFrame>().ranges.size(), 1u);
}

TEST_F(FrameWriterTest, PacketOfProbingFramesIsProbing) {
  FrameWriter writer(Room(1200), {EncryptionLevel::kOneRtt, PacketMode::kPathOnly});

  EXPECT_TRUE(writer.Write(PathChallengeFrame{}, SentFrame::PathChallenge(PathId(1))));
  EXPECT_TRUE(writer.WriteUnrecorded(PaddingFrame{100}));

  EXPECT_TRUE(writer.is_probing());
}

TEST_F(FrameWriterTest, OneOtherFrameMakesAPacketNonProbing) {
  FrameWriter writer(Room(1200), kOneRtt);

  EXPECT_TRUE(writer.Write(PathChallengeFrame{}, SentFrame::PathChallenge(PathId(1))));
  EXPECT_TRUE(writer.Write(PingFrame{}, SentFrame::Ping()));

  EXPECT_FALSE(writer.is_probing());
}

TEST_F(FrameWriterTest, FrameTypeOfTwoBytesIsKnownToo) {
  FrameWriter writer(Room(100), kOneRtt);

  EXPECT_TRUE(writer.Write(AckFrequencyFrame{3, 10, 25'000, 1}, SentFrame::AckFrequency(3)));

  EXPECT_TRUE(writer.is_ack_eliciting());
}

TEST_F(FrameWriterTest, PaddingIsInFlightButElicitsNothing) {
  FrameWriter writer(Room(100), kOneRtt);

  EXPECT_TRUE(writer.WriteUnrecorded(PaddingFrame{1}));

  EXPECT_TRUE(writer.is_in_flight());
  EXPECT_FALSE(writer.is_ack_eliciting());
}

TEST_F(FrameWriterTest, ReservedStreamDataIsTheCallersToFill) {
  FrameWriter writer(Room(100), kOneRtt);
  const StreamRange range{5000, 20, true};

  const auto data = writer.ReserveStream(kStream, range, LengthField::kPresent);
  ASSERT_TRUE(data.has_value());
  ASSERT_EQ(data->size(), 20u);
  std::ranges::fill(*data, 0xab);

  const Frame frame = FirstFrame(writer);
  const auto& stream = frame.As<StreamFrame>();
  EXPECT_EQ(stream.stream_id, kStream);
  EXPECT_EQ(stream.offset_bytes, 5000u);
  EXPECT_TRUE(stream.is_fin);
  EXPECT_TRUE(std::ranges::equal(stream.data, std::vector<uint8_t>(20, 0xab)));
  EXPECT_EQ(writer.sent_frames()[0], SentFrame::Stream(kStream, range));
  EXPECT_GT(writer.space_left(), 0u);
}

TEST_F(FrameWriterTest, NothingFollowsAFrameWithoutLength) {
  FrameWriter writer(Room(100), kOneRtt);

  EXPECT_TRUE(writer.ReserveStream(kStream, {0, 20}, LengthField::kAbsent).has_value());

  EXPECT_EQ(writer.space_left(), 0u);
  EXPECT_FALSE(writer.WriteUnrecorded(PaddingFrame{1}));
  EXPECT_FALSE(writer.Write(PingFrame{}, SentFrame::Ping()));
}

TEST_F(FrameWriterTest, NothingFollowsADatagramWithoutLength) {
  FrameWriter writer(Room(100), kOneRtt);
  const std::array<uint8_t, 3> data{1, 2, 3};

  EXPECT_TRUE(writer.WriteDatagram({data}, LengthField::kAbsent, 9));

  EXPECT_EQ(writer.space_left(), 0u);
  EXPECT_EQ(writer.sent_frames()[0], SentFrame::Datagram(9));
  EXPECT_TRUE(std::ranges::equal(FirstFrame(writer).As<DatagramFrame>().data, data));
}

TEST_F(FrameWriterTest, ScatteredDataStaysWhereItIs) {
  FrameWriter writer(Room(1300), kOneRtt);
  const std::vector<uint8_t> data(1200, 0xcd);
  const StreamRange range{5000, 1200};
  EXPECT_TRUE(writer.Write(PingFrame{}, SentFrame::Ping()));

  EXPECT_TRUE(writer.WriteScatteredStream(kStream, range, data));

  EXPECT_EQ(writer.scattered_data().data(), data.data());
  EXPECT_EQ(writer.frames_size(), 1u + 4u);
  EXPECT_EQ(writer.payload_size(), 1u + 4u + 1200u);
  EXPECT_EQ(writer.space_left(), 0u);
  EXPECT_EQ(writer.sent_frames()[1], SentFrame::Stream(kStream, range));
  EXPECT_EQ(bytes_[writer.frames_size()], 0u);
}

TEST_F(FrameWriterTest, ScatteredDataNeedsItsRoom) {
  FrameWriter writer(Room(1203), kOneRtt);
  const std::vector<uint8_t> data(1200, 0xcd);

  EXPECT_FALSE(writer.WriteScatteredStream(kStream, {5000, 1200}, data));
  EXPECT_TRUE(writer.scattered_data().empty());
  EXPECT_EQ(writer.space_left(), 1203u);

  EXPECT_TRUE(writer.WriteScatteredStream(kStream, {0, 1200}, data));
}

TEST_F(FrameWriterTest, StreamDataRoomIsTheMostThatFits) {
  for (const LengthField length : {LengthField::kPresent, LengthField::kAbsent}) {
    for (const uint64_t offset : {uint64_t{0}, uint64_t{5000}, kMaxStreamOffset - 2000}) {
      for (size_t size = 1; size <= 1500; ++size) {
        const FrameWriter asked(Room(size), kOneRtt);
        const size_t room = asked.StreamDataRoom(kStream, offset, length);
        FrameWriter fits(Room(size), kOneRtt);
        FrameWriter overflows(Room(size), kOneRtt);

        const bool has_fitted =
            room == 0 || fits.ReserveStream(kStream, {offset, room}, length).has_value();
        const bool has_overflowed =
            overflows.ReserveStream(kStream, {offset, room + 1}, length) == std::nullopt;

        ASSERT_TRUE(has_fitted) << size << " " << offset;
        ASSERT_TRUE(has_overflowed) << size << " " << offset;
      }
    }
  }
}

#ifndef NDEBUG
using FrameWriterDeathTest = FrameWriterTest;

TEST_F(FrameWriterDeathTest, FrameThatThePacketDoesNotPermitDies) {
  FrameWriter writer(Room(100), {EncryptionLevel::kInitial, PacketMode::kNormal});

  EXPECT_DEATH(writer.WriteUnrecorded(MaxDataFrame{1}), "GODWIT_DCHECK failed");
}

TEST_F(FrameWriterDeathTest, NonProbingFrameForAnUnusedPathDies) {
  FrameWriter writer(Room(100), {EncryptionLevel::kOneRtt, PacketMode::kPathOnly});

  EXPECT_DEATH(writer.WriteUnrecorded(MaxDataFrame{1}), "GODWIT_DCHECK failed");
}
#endif

}  // namespace
}  // namespace godwit
