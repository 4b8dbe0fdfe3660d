// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/packet_builder.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "godwit/stream_id.h"
#include "transport/delivery/sent_frame.h"
#include "transport/delivery/stream_range.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/frame.h"

namespace godwit {
namespace {

ConnectionId Id(uint8_t byte) {
  return *ConnectionId::FromBytes(std::array<uint8_t, 8>{byte, byte, byte, byte});
}

PacketBuilder::Header HeaderOf(EncryptionLevel level) {
  return {.level = level,
          .mode = PacketMode::kNormal,
          .dcid = Id(1),
          .scid = Id(2),
          .number = PacketNumber(77),
          .number_size = 2,
          .key_phase = true};
}

// As DatagramSplitter takes the packet, whose header is not protected here.
DatagramPart Split(std::span<uint8_t> bytes) {
  DatagramSplitter splitter(bytes, PacketRules(8));
  DatagramPart part;
  EXPECT_TRUE(splitter.Next(&part));
  EXPECT_EQ(part.kind(), DatagramPart::Kind::kPacket);
  return part;
}

class PacketBuilderTest : public testing::Test {
 protected:
  std::vector<uint8_t> room_ = std::vector<uint8_t>(kMinInitialDatagramBytes, 0xee);
};

TEST_F(PacketBuilderTest, LongHeaderSaysWhoAndHowLong) {
  PacketBuilder builder(HeaderOf(EncryptionLevel::kHandshake), room_);
  builder.frames().Write(PingFrame{}, SentFrame::Ping());

  const OutgoingPacket packet = builder.Finish();

  const ProtectedPacket read = Split(room_).packet();
  EXPECT_EQ(read.level(), EncryptionLevel::kHandshake);
  EXPECT_TRUE(std::ranges::equal(read.dcid(), Id(1).bytes()));
  EXPECT_TRUE(std::ranges::equal(read.scid(), Id(2).bytes()));
  EXPECT_EQ(read.size(), packet.bytes.size());
  EXPECT_EQ(packet.packet_number, PacketNumber(77));
  EXPECT_EQ(packet.bytes[packet.header_length - 1], 77);
}

TEST_F(PacketBuilderTest, ShortHeaderHasTheKeyPhase) {
  PacketBuilder builder(HeaderOf(EncryptionLevel::kOneRtt), room_);
  builder.frames().Write(PingFrame{}, SentFrame::Ping());

  const OutgoingPacket packet = builder.Finish();

  EXPECT_EQ(packet.bytes[0], 0x40 | 0x04 | 0x01);
  EXPECT_EQ(packet.header_length, 1u + 8u + 2u);
}

// RFC 9001 §5.4.2: two bytes of packet number and one of frames are one too few.
TEST_F(PacketBuilderTest, SmallestPacketCanBeSampled) {
  PacketBuilder builder(HeaderOf(EncryptionLevel::kOneRtt), room_);
  builder.frames().Write(PingFrame{}, SentFrame::Ping());

  EXPECT_EQ(builder.size(), 1u + 8u + 2u + 2u + kAeadTagLength);
  const OutgoingPacket packet = builder.Finish();

  EXPECT_EQ(packet.bytes.size(), 1u + 8u + 2u + 2u + kAeadTagLength);
  EXPECT_EQ(packet.bytes[packet.header_length], 0x01);
  EXPECT_EQ(packet.bytes[packet.header_length + 1], 0x00);
}

TEST_F(PacketBuilderTest, PaddingFillsUpToTheSizeAndNoFurther) {
  PacketBuilder builder(HeaderOf(EncryptionLevel::kInitial), room_);
  builder.frames().Write(PingFrame{}, SentFrame::Ping());

  const OutgoingPacket packet = builder.Finish(700);

  EXPECT_EQ(packet.bytes.size(), 700u);
  EXPECT_EQ(Split(room_).packet().size(), 700u);
  const auto padding = packet.bytes.subspan(packet.header_length + 1);
  EXPECT_TRUE(std::ranges::all_of(padding.first(padding.size() - kAeadTagLength),
                                  [](uint8_t byte) { return byte == 0; }));
  EXPECT_EQ(room_[700], 0xee);
}

TEST_F(PacketBuilderTest, PacketThatIsLargerThanAskedForStaysAsItIs) {
  PacketBuilder builder(HeaderOf(EncryptionLevel::kOneRtt), room_);
  for (int i = 0; i < 20; ++i) builder.frames().Write(PingFrame{}, SentFrame::Ping());
  const size_t size = builder.size();

  EXPECT_EQ(builder.Finish(10).bytes.size(), size);
}

TEST_F(PacketBuilderTest, PaddingCountsAsInFlight) {
  PacketBuilder builder(HeaderOf(EncryptionLevel::kOneRtt), room_);
  const std::array<AckRange, 1> ranges = {{{PacketNumber(0), PacketNumber(9)}}};
  builder.frames().WriteAck({.encoded_ack_delay = 0, .ecn_counts = std::nullopt}, ranges, 1);
  EXPECT_FALSE(builder.is_in_flight());

  builder.Finish(100);

  EXPECT_TRUE(builder.is_in_flight());
  EXPECT_FALSE(builder.frames().is_ack_eliciting());
}

TEST_F(PacketBuilderTest, ScatteredDataIsLeftWhereItIs) {
  const std::vector<uint8_t> data(500, 'd');
  PacketBuilder builder(HeaderOf(EncryptionLevel::kOneRtt), std::span(room_).first(600));
  ASSERT_TRUE(builder.frames().WriteScatteredStream(
      StreamId(0), {.offset_bytes = 0, .length_bytes = 500}, data));

  const OutgoingPacket packet = builder.Finish();

  EXPECT_EQ(packet.tail.data(), data.data());
  EXPECT_EQ(packet.tail.size(), 500u);
  EXPECT_EQ(packet.bytes.size(), builder.size());
}

TEST_F(PacketBuilderTest, FitsSaysWhetherAPacketIsWorthBeginning) {
  const PacketBuilder::Header header = HeaderOf(EncryptionLevel::kInitial);

  EXPECT_TRUE(PacketBuilder::Fits(header, 200));
  EXPECT_FALSE(PacketBuilder::Fits(header, 60));
  EXPECT_FALSE(PacketBuilder::Fits(header, 0));
}

TEST_F(PacketBuilderTest, WholeRoomCanBeFilled) {
  PacketBuilder builder(HeaderOf(EncryptionLevel::kOneRtt), room_);
  const size_t room = builder.frames().space_left();

  EXPECT_EQ(room, room_.size() - (1 + 8 + 2) - kAeadTagLength);
  EXPECT_EQ(builder.Finish(room_.size()).bytes.size(), room_.size());
}

}  // namespace
}  // namespace godwit
