// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/frame_encoder.h"

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "godwit/connection_id.h"
#include "godwit/perspective.h"
#include "godwit/stream_id.h"
#include "tests/transport/wire/encode_frame.h"
#include "tests/transport/wire/frame_sample.h"
#include "tests/transport/wire/frame_text.h"
#include "tests/transport/wire/hex_bytes.h"
#include "transport/wire/ack_ranges.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

Frame Decode(std::span<const uint8_t> payload) {
  FrameDecoder decoder(payload, EncryptionLevel::kOneRtt, Perspective::kServer);
  Frame frame;
  EXPECT_TRUE(decoder.Next(&frame).ok());
  EXPECT_TRUE(decoder.is_done());
  return frame;
}

AckRange Range(uint64_t smallest, uint64_t largest) {
  return {PacketNumber(smallest), PacketNumber(largest)};
}

// The encoding that a limit of `max_ranges` and `max_bytes` leads to.
template <typename Ranges>
Bytes EncodeAck(const AckFrameFields& fields, const Ranges& ranges, const AckFrameLimits& limits) {
  const AckFramePlan plan = PlanAckFrame(fields, ranges, limits);
  Bytes bytes(plan.size_bytes);
  ByteWriter writer(bytes);
  WriteAckFrame(fields, ranges, plan, writer);
  EXPECT_EQ(writer.space_left(), 0u);
  return bytes;
}

// Of one packet each; the numbers between them are missing.
std::vector<AckRange> SinglePackets(size_t count) {
  std::vector<AckRange> ranges;
  for (size_t i = 0; i < count; ++i) ranges.push_back(Range(2 * (count - i), 2 * (count - i)));
  return ranges;
}

TEST(FrameEncoderTest, EveryFrameIsWrittenAsTheRfcsLayItOut) {
  for (const FrameSample& sample : AllFrameSamples(VarintWidth::k1)) {
    if (sample.bytes() == HexBytes("0f 01 00 03 da7a00")) continue;  // Offset 0, spelled out.
    const Frame frame = Decode(sample.bytes());

    EXPECT_EQ(EncodeFrame(frame), sample.bytes()) << sample.text();
  }
}

TEST(FrameEncoderTest, VarintsAreMinimal) {
  for (const VarintWidth width : {VarintWidth::k2, VarintWidth::k4, VarintWidth::k8}) {
    const std::vector<FrameSample> wide = AllFrameSamples(width);
    const std::vector<FrameSample> narrow = AllFrameSamples(VarintWidth::k1);
    for (size_t i = 0; i < wide.size(); ++i) {
      EXPECT_EQ(EncodeFrame(Decode(wide[i].bytes())), EncodeFrame(Decode(narrow[i].bytes())))
          << wide[i].text();
    }
  }
}

TEST(FrameEncoderTest, AnOffsetOfZeroIsNotWritten) {
  const Bytes data = HexBytes("da7a00");
  Bytes bytes(6);
  ByteWriter writer(bytes);

  WriteFrame(StreamFrame{StreamId(1), 0, data, true}, LengthField::kPresent, writer);

  EXPECT_EQ(bytes, HexBytes("0b 01 03 da7a00"));
}

TEST(FrameEncoderTest, AStreamHeaderIsTheFrameWithoutItsData) {
  for (const uint64_t offset : {uint64_t{0}, uint64_t{63}, uint64_t{64}, kMaxStreamOffset - 1200}) {
    for (const size_t size : {size_t{0}, size_t{63}, size_t{64}, size_t{1200}}) {
      for (const bool is_fin : {false, true}) {
        for (const LengthField length : {LengthField::kPresent, LengthField::kAbsent}) {
          const Bytes data(size, 0xda);
          const StreamFrame frame{StreamId(400), offset, data, is_fin};
          const StreamFrameHeader header{StreamId(400), offset, size, is_fin};
          Bytes whole(EncodedSize(frame, length));
          ByteWriter whole_writer(whole);
          WriteFrame(frame, length, whole_writer);

          Bytes scattered(EncodedSize(header, length));
          ByteWriter header_writer(scattered);
          WriteStreamFrameHeader(header, length, header_writer);

          EXPECT_EQ(header_writer.space_left(), 0u);
          EXPECT_EQ(whole_writer.space_left(), 0u);
          scattered.insert(scattered.end(), data.begin(), data.end());
          EXPECT_EQ(scattered, whole);
        }
      }
    }
  }
}

TEST(FrameEncoderTest, AStreamHeaderCanAnnounceMoreThanAPacketHolds) {
  const StreamFrameHeader header{StreamId(0), 0, kMaxStreamOffset, false};

  EXPECT_EQ(EncodedSize(header, LengthField::kPresent), 10u);
  EXPECT_EQ(EncodedSize(header, LengthField::kAbsent), 2u);
}

// ---- ACK frames ----

TEST(FrameEncoderTest, AckRangesAreTakenFromTheTop) {
  const std::vector<AckRange> ranges = SinglePackets(5);

  const Bytes bytes = EncodeAck({0, std::nullopt}, ranges, {.max_ranges = 2, .max_bytes = 100});

  EXPECT_EQ(ToText(Decode(bytes)), "ACK delay=0 ranges=[10,10][8,8]");
}

TEST(FrameEncoderTest, AnAckTakesAsManyRangesAsFit) {
  const std::vector<AckRange> ranges = SinglePackets(100);
  for (const std::optional<EcnCounts>& ecn_counts :
       {std::optional<EcnCounts>(), std::optional(EcnCounts{63, 64, 16'384})}) {
    const AckFrameFields fields{100, ecn_counts};
    std::vector<size_t> size_with;  // By number of ranges.
    for (size_t count = 1; count <= ranges.size(); ++count) {
      const Bytes bytes = EncodeAck(fields, ranges, {.max_ranges = count, .max_bytes = SIZE_MAX});
      EXPECT_EQ(ToText(Decode(bytes)), ToText(fields, std::span(ranges).first(count)));
      size_with.push_back(bytes.size());
    }
    for (size_t max_bytes = 0; max_bytes <= size_with.back() + 1; ++max_bytes) {
      size_t expected_count = 0;
      for (const size_t size : size_with) expected_count += size <= max_bytes ? 1 : 0;

      const AckFramePlan plan =
          PlanAckFrame(fields, ranges, {.max_ranges = 100, .max_bytes = max_bytes});

      EXPECT_EQ(plan.range_count, expected_count) << max_bytes;
      EXPECT_EQ(plan.size_bytes, expected_count == 0 ? 0 : size_with[expected_count - 1]);
    }
  }
}

TEST(FrameEncoderTest, TheFieldThatCountsRangesGrowsAtRange65) {
  const std::vector<AckRange> ranges = SinglePackets(66);
  const AckFrameFields fields{0, std::nullopt};
  const auto size_with = [&](size_t count) {
    return PlanAckFrame(fields, ranges, {.max_ranges = count, .max_bytes = SIZE_MAX}).size_bytes;
  };

  EXPECT_EQ(size_with(64) - size_with(63), 2u);
  EXPECT_EQ(size_with(65) - size_with(64), 3u);
  EXPECT_EQ(size_with(66) - size_with(65), 2u);
}

TEST(FrameEncoderTest, AnAckHasAHouseLimitOfRanges) {
  const std::vector<AckRange> ranges = SinglePackets(1'000);

  const AckFramePlan plan = PlanAckFrame({0, std::nullopt}, ranges, {.max_bytes = SIZE_MAX});

  EXPECT_EQ(plan.range_count, kMaxAckRangesSent);
}

TEST(FrameEncoderTest, WithoutRangesOrRoomThereIsNoAck) {
  const AckFrameFields fields{0, std::nullopt};
  const std::vector<AckRange> none;
  const std::vector<AckRange> one = {Range(3, 5)};

  EXPECT_EQ(PlanAckFrame(fields, none, {.max_bytes = 100}).range_count, 0u);
  EXPECT_EQ(PlanAckFrame(fields, one, {.max_ranges = 0, .max_bytes = 100}).range_count, 0u);
  EXPECT_EQ(PlanAckFrame(fields, one, {.max_bytes = 4}).range_count, 0u);
  EXPECT_EQ(PlanAckFrame(fields, one, {.max_bytes = 5}).range_count, 1u);
}

TEST(FrameEncoderTest, AckRangesMayComeFromAnyForwardRange) {
  const std::forward_list<AckRange> ranges = {Range(8, 9), Range(3, 6), Range(0, 0)};

  const Bytes bytes = EncodeAck({5, std::nullopt}, ranges, {.max_bytes = 100});

  EXPECT_EQ(bytes, HexBytes("02 09 05 02 01 00 03 01 00"));
}

TEST(FrameEncoderTest, TheLargestAckOfTheHouseIsAsLongAsItsLimitSays) {
  // Every field at its longest, as base/limits.h reckons.
  std::vector<AckRange> ranges;
  const uint64_t step = kMaxPacketNumber / (2 * kMaxAckRangesSent);
  for (size_t i = 0; i < kMaxAckRangesSent; ++i) {
    const uint64_t largest = kMaxPacketNumber - 2 * i * step;
    ranges.push_back(Range(largest - step + 2, largest));
  }
  const AckFrameFields fields{kMaxVarint, EcnCounts{kMaxVarint, kMaxVarint, kMaxVarint}};

  const AckFramePlan plan = PlanAckFrame(fields, ranges, {.max_bytes = SIZE_MAX});

  EXPECT_EQ(plan.range_count, kMaxAckRangesSent);
  // The count takes one byte, the type another.
  EXPECT_EQ(plan.size_bytes, 2 + (3 + 2 * (kMaxAckRangesSent - 1) + 3) * kMaxVarintBytes);
}

// ---- Frames that no peer may get from us ----

class FrameEncoderDeathTest : public testing::Test {
 protected:
  template <typename F>
  void Write(const F& frame) {
    ByteWriter writer(buffer_);
    WriteFrame(frame, writer);
  }
  void WriteAck(const std::vector<AckRange>& ranges) {
    ByteWriter writer(buffer_);
    WriteAckFrame({0, std::nullopt}, ranges, {ranges.size(), 100}, writer);
  }

  Bytes buffer_ = Bytes(100);
  const Bytes data_ = Bytes(2, 0xda);
};

TEST_F(FrameEncoderDeathTest, FramesThatBreakTheirRulesEndTheProcess) {
  EXPECT_DEATH(Write(CryptoFrame{kMaxStreamOffset - 1, data_}), "GODWIT_CHECK");
  EXPECT_DEATH(Write(NewTokenFrame{}), "GODWIT_CHECK");
  EXPECT_DEATH(Write(MaxStreamsFrame{StreamDirection::kBidirectional, kMaxStreams + 1}),
               "GODWIT_CHECK");
  EXPECT_DEATH(Write(StreamsBlockedFrame{StreamDirection::kBidirectional, kMaxStreams + 1}),
               "GODWIT_CHECK");
  EXPECT_DEATH(Write(NewConnectionIdFrame{1, 0, ConnectionId(), StatelessResetToken()}),
               "GODWIT_CHECK");
  EXPECT_DEATH(
      Write(NewConnectionIdFrame{1, 2, *ConnectionId::FromBytes(data_), StatelessResetToken()}),
      "GODWIT_CHECK");
  EXPECT_DEATH(Write(ConnectionCloseFrame{ErrorSpace::kApplication, 1, 6, {}}), "GODWIT_CHECK");
  EXPECT_DEATH(Write(AckFrequencyFrame{0, 0, (kMaxAckDelayMs + 1) * 1000, 0}), "GODWIT_CHECK");
  EXPECT_DEATH(Write(MaxDataFrame{kMaxVarint + 1}), "GODWIT_CHECK");
}

TEST_F(FrameEncoderDeathTest, StreamDataBeyondTheLastOffsetEndsTheProcess) {
  const StreamFrameHeader one_too_far{StreamId(0), kMaxStreamOffset, 1, false};
  const StreamFrameHeader too_long{StreamId(0), 1, kMaxStreamOffset + 1, false};

  EXPECT_DEATH(static_cast<void>(EncodedSize(one_too_far, LengthField::kAbsent)), "GODWIT_CHECK");
  EXPECT_DEATH(static_cast<void>(EncodedSize(too_long, LengthField::kAbsent)), "GODWIT_CHECK");
}

TEST_F(FrameEncoderDeathTest, AckRangesThatTouchOrAscendEndTheProcess) {
  EXPECT_DEATH(WriteAck({Range(5, 4)}), "kMaxVarint");
  EXPECT_DEATH(WriteAck({Range(5, 9), Range(2, 4)}), "kMaxVarint");
  EXPECT_DEATH(WriteAck({Range(5, 9), Range(4, 6)}), "kMaxVarint");
  EXPECT_DEATH(WriteAck({Range(5, 9), Range(11, 12)}), "kMaxVarint");
}

// Behind the ranges lies memory that would make a frame just as planned.
TEST_F(FrameEncoderDeathTest, AnAckOfFewerRangesThanPlannedEndsTheProcess) {
  const std::vector<AckRange> memory = SinglePackets(3);
  const AckFrameFields fields{0, std::nullopt};
  const AckFramePlan plan = PlanAckFrame(fields, memory, {.max_bytes = SIZE_MAX});
  ASSERT_EQ(plan.range_count, 3u);
  ByteWriter writer(buffer_);

  for (const size_t left : {size_t{0}, size_t{1}, size_t{2}}) {
    EXPECT_DEATH(WriteAckFrame(fields, std::span(memory).first(left), plan, writer), "next != end")
        << left;
  }
}

TEST_F(FrameEncoderDeathTest, AnAckThatIsNotAsPlannedEndsTheProcess) {
  EXPECT_DEATH(WriteAck({Range(5, 9)}), "GODWIT_CHECK");  // 5 bytes, not 100.
  EXPECT_DEATH(WriteAck({}), "GODWIT_CHECK");
}

}  // namespace
}  // namespace godwit
