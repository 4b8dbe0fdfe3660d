// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/frame_decoder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "base/protocol_errors.h"
#include "base/result.h"
#include "base/transport_error_code.h"
#include "godwit/perspective.h"
#include "tests/transport/wire/frame_sample.h"
#include "tests/transport/wire/frame_text.h"
#include "tests/transport/wire/hex_bytes.h"
#include "transport/wire/ack_ranges.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_rules.h"
#include "transport/wire/frame_type.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr VarintWidth kWidths[] = {VarintWidth::k1, VarintWidth::k2, VarintWidth::k4,
                                   VarintWidth::k8};

FrameDecoder DecoderOf(std::span<const uint8_t> payload) {
  return FrameDecoder(payload, EncryptionLevel::kOneRtt, Perspective::kServer);
}

// What becomes of a payload whose first frame is looked at.
Result FirstResult(std::span<const uint8_t> payload) {
  FrameDecoder decoder = DecoderOf(payload);
  Frame frame;
  return decoder.Next(&frame);
}

// The text of the one frame in `payload`.
std::string TextOf(std::span<const uint8_t> payload) {
  FrameDecoder decoder = DecoderOf(payload);
  Frame frame;
  const Result result = decoder.Next(&frame);
  if (!result.ok()) return result.error().reason;
  EXPECT_TRUE(decoder.is_done());
  return ToText(frame);
}

Bytes VarintOf(uint64_t value, size_t size) {
  Bytes bytes(size);
  for (size_t i = size; i-- > 0; value >>= 8) bytes[i] = static_cast<uint8_t>(value);
  bytes[0] = static_cast<uint8_t>(bytes[0] | (size == 1   ? 0x00
                                              : size == 2 ? 0x40
                                              : size == 4 ? 0x80
                                                          : 0xc0));
  return bytes;
}

TEST(FrameDecoderTest, EveryFrameIsDecodedWhateverTheWidthOfItsVarints) {
  for (const VarintWidth width : kWidths) {
    for (const FrameSample& sample : AllFrameSamples(width)) {
      SCOPED_TRACE(sample.text());
      FrameDecoder decoder = DecoderOf(sample.bytes());
      Frame frame;

      const Result result = decoder.Next(&frame);

      ASSERT_TRUE(result.ok()) << result.error().reason;
      EXPECT_EQ(ToText(frame), sample.text());
      EXPECT_EQ(static_cast<uint64_t>(frame.type()), sample.type());
      EXPECT_EQ(decoder.frame_type(), sample.type());
      EXPECT_EQ(decoder.frame_size_bytes(), sample.bytes().size());
      EXPECT_TRUE(decoder.is_done());
    }
  }
}

TEST(FrameDecoderTest, TheSamplesHoldEveryKnownType) {
  const std::vector<FrameSample> samples = AllFrameSamples(VarintWidth::k1);

  for (uint64_t type = 0; type < 256; ++type) {
    const bool is_sampled = std::ranges::any_of(
        samples, [type](const FrameSample& sample) { return sample.type() == type; });
    EXPECT_EQ(is_sampled, IsKnownFrameType(type)) << type;
  }
}

TEST(FrameDecoderTest, EveryTruncationOfEveryFrameIsRefused) {
  for (const VarintWidth width : kWidths) {
    for (const FrameSample& sample : AllFrameSamples(width)) {
      for (size_t size = 0; size < sample.least_size(); ++size) {
        SCOPED_TRACE(sample.text() + " cut to " + std::to_string(size));
        // A buffer of its own, so that the address sanitizer sees a read past the end.
        const Bytes cut(sample.bytes().begin(), sample.bytes().begin() + size);

        const Result result = FirstResult(cut);

        ASSERT_FALSE(result.ok());
        EXPECT_EQ(result, sample.ErrorOfFirst(size)) << result.error().reason;
        EXPECT_EQ(result.error().code, size == 0 ? TransportErrorCode::kProtocolViolation
                                                 : TransportErrorCode::kFrameEncodingError);
      }
    }
  }
}

TEST(FrameDecoderTest, AFrameWithoutLengthEndsWithThePacket) {
  for (const FrameSample& sample : AllFrameSamples(VarintWidth::k1)) {
    if (!sample.reaches_to_end_of_packet()) continue;
    for (size_t size = sample.least_size(); size <= sample.bytes().size(); ++size) {
      const Bytes cut(sample.bytes().begin(), sample.bytes().begin() + size);

      EXPECT_TRUE(FirstResult(cut).ok()) << sample.text() << " cut to " << size;
    }
  }
}

TEST(FrameDecoderTest, TheNextFrameBeginsWhereTheLastOneEnds) {
  for (const VarintWidth width : kWidths) {
    for (const FrameSample& sample : AllFrameSamples(width)) {
      if (sample.reaches_to_end_of_packet()) continue;
      SCOPED_TRACE(sample.text());
      Bytes payload = sample.bytes();
      payload.push_back(0x01);
      payload.push_back(0x1e);
      FrameDecoder decoder = DecoderOf(payload);
      Frame first;
      Frame second;
      Frame third;

      ASSERT_TRUE(decoder.Next(&first).ok());
      EXPECT_EQ(decoder.frame_size_bytes(), sample.bytes().size());
      ASSERT_TRUE(decoder.Next(&second).ok());
      EXPECT_EQ(decoder.frame_size_bytes(), 1u);
      EXPECT_FALSE(decoder.is_done());
      ASSERT_TRUE(decoder.Next(&third).ok());

      EXPECT_EQ(ToText(first), sample.text());
      EXPECT_EQ(ToText(second), "PING");
      EXPECT_EQ(ToText(third), "HANDSHAKE_DONE");
      EXPECT_TRUE(decoder.is_done());
    }
  }
}

TEST(FrameDecoderTest, AnEmptyPayloadIsRefusedByAPlainLoop) {
  FrameDecoder decoder = DecoderOf({});
  Frame frame;

  ASSERT_FALSE(decoder.is_done());
  const Result result = decoder.Next(&frame);

  EXPECT_EQ(result, Result(kPacketWithoutFrames));
  EXPECT_EQ(kPacketWithoutFrames.code, TransportErrorCode::kProtocolViolation);
}

TEST(FrameDecoderTest, UnknownTypesAreRefusedByName) {
  for (uint64_t type = 0; type < 70'000; ++type) {
    if (IsKnownFrameType(type)) continue;
    Bytes payload = VarintOf(type, type < 64 ? 1 : type < 16'384 ? 2 : 4);
    payload.resize(payload.size() + 20, 0x01);
    FrameDecoder decoder = DecoderOf(payload);
    Frame frame;

    const Result result = decoder.Next(&frame);

    ASSERT_EQ(result, Result(kFrameTypeUnknown)) << type;
    ASSERT_EQ(decoder.frame_type(), type);
  }
  EXPECT_EQ(kFrameTypeUnknown.code, TransportErrorCode::kFrameEncodingError);
}

TEST(FrameDecoderTest, TheLargestTypeIsUnknown) {
  EXPECT_EQ(FirstResult(HexBytes("ffffffffffffffff")), Result(kFrameTypeUnknown));
}

TEST(FrameDecoderTest, TypesThatAreNotMinimalAreRefused) {
  for (uint64_t type = 0; type < 16'384; ++type) {
    for (const size_t size : {2, 4, 8}) {
      if (size == 2 && type >= 64) continue;  // Minimal.
      Bytes payload = VarintOf(type, size);
      payload.resize(payload.size() + 20, 0x01);
      FrameDecoder decoder = DecoderOf(payload);
      Frame frame;

      const Result result = decoder.Next(&frame);

      ASSERT_EQ(result, Result(kFrameTypeNotMinimal)) << type << " in " << size << " bytes";
      ASSERT_EQ(decoder.frame_type(), type);
    }
  }
  EXPECT_EQ(kFrameTypeNotMinimal.code, TransportErrorCode::kProtocolViolation);
}

TEST(FrameDecoderTest, ATypeThatIsCutHasNoName) {
  const Bytes payload = HexBytes("40");
  FrameDecoder decoder = DecoderOf(payload);
  Frame frame;

  EXPECT_EQ(decoder.Next(&frame), Result(kFrameTruncated));
  EXPECT_EQ(decoder.frame_type(), 0u);
}

TEST(FrameDecoderTest, FramesAreRefusedInPacketsThatDoNotPermitThem) {
  for (const EncryptionLevel level : {EncryptionLevel::kInitial, EncryptionLevel::kZeroRtt,
                                      EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    for (const Perspective sender : {Perspective::kClient, Perspective::kServer}) {
      for (const FrameSample& sample : AllFrameSamples(VarintWidth::k1)) {
        FrameDecoder decoder(sample.bytes(), level, sender);
        Frame frame;

        const Result result = decoder.Next(&frame);

        EXPECT_EQ(result, CheckFrameAllowed(static_cast<FrameType>(sample.type()), level, sender))
            << sample.text() << " " << ToString(level);
        EXPECT_EQ(decoder.frame_type(), sample.type());
      }
    }
  }
}

TEST(FrameDecoderTest, APaddingRunIsOneFrame) {
  for (size_t length = 1; length <= 100; ++length) {
    Bytes payload(length, 0x00);
    payload.push_back(0x01);
    FrameDecoder decoder = DecoderOf(payload);
    Frame padding;
    Frame ping;

    ASSERT_TRUE(decoder.Next(&padding).ok());
    ASSERT_TRUE(decoder.Next(&ping).ok());

    EXPECT_EQ(padding.As<PaddingFrame>().length_bytes, length);
    EXPECT_EQ(ping.kind(), FrameKind::kPing);
    EXPECT_TRUE(decoder.is_done());
  }
}

TEST(FrameDecoderTest, PaddingMayFillThePacket) {
  EXPECT_EQ(TextOf(Bytes(1200, 0x00)), "PADDING length=1200");
}

TEST(FrameDecoderTest, DataIsNotCopied) {
  const Bytes payload = HexBytes("0f 04 40ff 03 aabbcc");
  FrameDecoder decoder = DecoderOf(payload);
  Frame frame;

  ASSERT_TRUE(decoder.Next(&frame).ok());

  EXPECT_EQ(frame.As<StreamFrame>().data.data(), payload.data() + 5);
}

// ---- What is wrong on the face of it ----

struct Malformation {
  std::string_view what;
  std::string_view payload;
  const ProtocolError& error;
};
constexpr Malformation kMalformations[] = {
    {"ACK: first range of 5 below number 3", "02 03 00 00 04", kAckRangeBelowZero},
    {"ACK: first range below number 0", "02 00 00 00 01", kAckRangeBelowZero},
    {"ACK: gap to -1", "02 05 00 01 03 01 00", kAckRangeBelowZero},
    {"ACK: gap to 0, range to -1", "02 05 00 01 03 00 01", kAckRangeBelowZero},
    {"ACK: no room for a gap", "02 05 00 01 05 00 00", kAckRangeBelowZero},
    {"ACK: second gap to -1", "02 09 00 02 00 00 04 02 00", kAckRangeBelowZero},
    {"ACK: largest gap and length", "02 05 00 01 00 ffffffffffffffff ffffffffffffffff",
     kAckRangeBelowZero},
    {"ACK with ECN: gap to -1", "03 05 00 01 03 01 00 00 00 00", kAckRangeBelowZero},
    {"ACK: more ranges than the packet can hold", "02 3f 00 02 00 00 00 00", kFrameTruncated},
    {"ACK: 2^62-1 ranges", "02 3f 00 ffffffffffffffff 00 00 00 00 00 00", kFrameTruncated},
    {"CRYPTO: ends at 2^62", "06 ffffffffffffffff 01 aa", kCryptoOffsetTooLarge},
    {"CRYPTO: length beyond packet", "06 00 02 aa", kFrameLengthBeyondPacket},
    {"CRYPTO: largest length", "06 00 ffffffffffffffff aa", kFrameLengthBeyondPacket},
    {"NEW_TOKEN: empty", "07 00", kNewTokenEmpty},
    {"NEW_TOKEN: length beyond packet", "07 02 aa", kFrameLengthBeyondPacket},
    {"STREAM: ends at 2^62", "0e 00 ffffffffffffffff 01 aa", kStreamOffsetTooLarge},
    {"STREAM: ends at 2^62 with the packet", "0c 00 ffffffffffffffff aa", kStreamOffsetTooLarge},
    {"STREAM: ends at 2^62+1", "0e 00 fffffffffffffffe 03 aabbcc", kStreamOffsetTooLarge},
    {"STREAM: length beyond packet", "0a 00 02 aa", kFrameLengthBeyondPacket},
    {"STREAM: largest length", "0a 00 ffffffffffffffff aa", kFrameLengthBeyondPacket},
    {"MAX_STREAMS: 2^60+1 bidirectional", "12 d000000000000001", kMaxStreamsTooLarge},
    {"MAX_STREAMS: 2^60+1 unidirectional", "13 d000000000000001", kMaxStreamsTooLarge},
    {"MAX_STREAMS: 2^62-1", "12 ffffffffffffffff", kMaxStreamsTooLarge},
    {"STREAMS_BLOCKED: 2^60+1 bidirectional", "16 d000000000000001", kStreamsBlockedTooLarge},
    {"STREAMS_BLOCKED: 2^60+1 unidirectional", "17 d000000000000001", kStreamsBlockedTooLarge},
    {"NEW_CONNECTION_ID: empty id", "18 01 00 00 7070707070707070 7070707070707070",
     kNewConnectionIdLengthInvalid},
    {"NEW_CONNECTION_ID: id of 21 bytes",
     "18 01 00 15 c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1 7070707070707070 7070707070707070",
     kNewConnectionIdLengthInvalid},
    {"NEW_CONNECTION_ID: id of 255 bytes", "18 01 00 ff c1", kNewConnectionIdLengthInvalid},
    {"NEW_CONNECTION_ID: id beyond packet", "18 01 00 03 c1c1", kFrameLengthBeyondPacket},
    {"NEW_CONNECTION_ID: retires itself and the next",
     "18 01 02 01 c1 7070707070707070 7070707070707070", kNewConnectionIdRetirePriorToTooLarge},
    {"CONNECTION_CLOSE: reason beyond packet", "1c 00 00 02 aa", kFrameLengthBeyondPacket},
    {"CONNECTION_CLOSE: largest reason", "1c 00 00 ffffffffffffffff", kFrameLengthBeyondPacket},
    {"CONNECTION_CLOSE of the application: reason beyond packet", "1d 00 02 aa",
     kFrameLengthBeyondPacket},
    {"DATAGRAM: length beyond packet", "31 02 aa", kFrameLengthBeyondPacket},
    {"DATAGRAM: largest length", "31 ffffffffffffffff aa", kFrameLengthBeyondPacket},
    {"ACK_FREQUENCY: 2^14 ms", "40af 00 00 80fa0000 00", kAckFrequencyMaxAckDelayTooLarge},
    {"ACK_FREQUENCY: 2^62-1 us", "40af 00 00 ffffffffffffffff 00",
     kAckFrequencyMaxAckDelayTooLarge},
};

TEST(FrameDecoderTest, MalformedFramesAreRefusedWithTheirEntryOfTheCatalogue) {
  for (const Malformation& malformation : kMalformations) {
    SCOPED_TRACE(malformation.what);
    const Bytes payload = HexBytes(malformation.payload);

    const Result result = FirstResult(payload);

    ASSERT_FALSE(result.ok());
    EXPECT_EQ(&result.error(), &malformation.error) << result.error().reason;
  }
}

TEST(FrameDecoderTest, TheCodesAreThoseOfTheRfcs) {
  for (const Malformation& malformation : kMalformations) {
    const bool is_violation = &malformation.error == &kAckFrequencyMaxAckDelayTooLarge;

    EXPECT_EQ(malformation.error.code, is_violation ? TransportErrorCode::kProtocolViolation
                                                    : TransportErrorCode::kFrameEncodingError)
        << malformation.what;
  }
}

// ---- Extensions ----

constexpr OfferedExtensions kNoExtensions{.max_datagram_frame_size = 0,
                                          .accepts_ack_frequency = false};

Result FirstResult(std::string_view payload, EncryptionLevel level,
                   const OfferedExtensions& offered) {
  const Bytes bytes = HexBytes(payload);
  FrameDecoder decoder(bytes, level, Perspective::kServer, offered);
  Frame frame;
  return decoder.Next(&frame);
}

TEST(FrameDecoderTest, FramesOfExtensionsNotOfferedAreRefusedAndNoOthers) {
  for (const FrameSample& sample : AllFrameSamples(VarintWidth::k1)) {
    FrameDecoder decoder(sample.bytes(), EncryptionLevel::kOneRtt, Perspective::kServer,
                         kNoExtensions);
    Frame frame;

    const Result result = decoder.Next(&frame);

    const Result expected = sample.type() == 0xaf   ? Result(kAckFrequencyNotNegotiated)
                            : sample.type() == 0x1f ? Result(kImmediateAckNotNegotiated)
                            : sample.type() == 0x30 || sample.type() == 0x31
                                ? Result(kDatagramNotNegotiated)
                                : Result::Ok();
    EXPECT_EQ(result, expected) << sample.text();
    EXPECT_EQ(decoder.frame_type(), sample.type());
  }
}

// RFC 9000 §12.4: what was not offered is of unknown type, whatever stands behind the type, and in
// whatever packet.
TEST(FrameDecoderTest, WhatWasNotOfferedIsRefusedBeforeItsFieldsAndItsPacketAre) {
  EXPECT_EQ(FirstResult("40af 00 00 ffffffffffffffff 00", EncryptionLevel::kOneRtt, kNoExtensions),
            kAckFrequencyNotNegotiated);
  EXPECT_EQ(FirstResult("40af", EncryptionLevel::kOneRtt, kNoExtensions),
            kAckFrequencyNotNegotiated);
  EXPECT_EQ(FirstResult("31 02 aa", EncryptionLevel::kOneRtt, kNoExtensions),
            kDatagramNotNegotiated);
  for (const EncryptionLevel level :
       {EncryptionLevel::kInitial, EncryptionLevel::kZeroRtt, EncryptionLevel::kHandshake}) {
    EXPECT_EQ(FirstResult("40af", level, kNoExtensions), kAckFrequencyNotNegotiated);
    EXPECT_EQ(FirstResult("1f", level, kNoExtensions), kImmediateAckNotNegotiated);
    EXPECT_EQ(FirstResult("40af", level, {}), kFrameNotPermitted);
    EXPECT_EQ(FirstResult("1f", level, {}), kFrameNotPermitted);
  }
}

TEST(FrameDecoderTest, ExtensionsAreOfferedOneByOne) {
  const OfferedExtensions datagrams{.accepts_ack_frequency = false};
  const OfferedExtensions ack_frequency{.max_datagram_frame_size = 0};

  EXPECT_TRUE(FirstResult("30 aa", EncryptionLevel::kOneRtt, datagrams).ok());
  EXPECT_EQ(FirstResult("1f", EncryptionLevel::kOneRtt, datagrams), kImmediateAckNotNegotiated);
  EXPECT_EQ(FirstResult("30 aa", EncryptionLevel::kOneRtt, ack_frequency), kDatagramNotNegotiated);
  EXPECT_TRUE(FirstResult("1f", EncryptionLevel::kOneRtt, ack_frequency).ok());
}

// RFC 9221 §3: type and length count.
TEST(FrameDecoderTest, ADatagramFrameAboveTheSizeOfferedIsRefused) {
  const OfferedExtensions offered{.max_datagram_frame_size = 4};

  EXPECT_TRUE(FirstResult("30 aabbcc", EncryptionLevel::kOneRtt, offered).ok());
  EXPECT_TRUE(FirstResult("31 02 aabb 01", EncryptionLevel::kOneRtt, offered).ok());
  EXPECT_EQ(FirstResult("30 aabbccdd", EncryptionLevel::kOneRtt, offered), kDatagramTooLarge);
  EXPECT_EQ(FirstResult("31 03 aabbcc", EncryptionLevel::kOneRtt, offered), kDatagramTooLarge);
  EXPECT_EQ(FirstResult("31 4002 aabb", EncryptionLevel::kOneRtt, offered), kDatagramTooLarge);
  // Other frames have no limit.
  EXPECT_TRUE(FirstResult("08 00 aabbccddee", EncryptionLevel::kOneRtt, offered).ok());
  EXPECT_TRUE(FirstResult("40af 00 00 80f9ffff 00", EncryptionLevel::kOneRtt, offered).ok());
}

// ---- What is right ----

TEST(FrameDecoderTest, ValuesAtTheirBoundsAreAccepted) {
  const std::string largest = std::to_string(kMaxVarint);
  const std::string token = "70707070707070707070707070707070";

  EXPECT_EQ(TextOf(HexBytes("02 ffffffffffffffff ffffffffffffffff 00 ffffffffffffffff")),
            "ACK delay=" + largest + " ranges=[0," + largest + "]");
  EXPECT_EQ(TextOf(HexBytes("02 05 00 01 03 00 00")), "ACK delay=0 ranges=[2,5][0,0]");
  EXPECT_EQ(TextOf(HexBytes("02 09 00 02 00 00 04 01 00")), "ACK delay=0 ranges=[9,9][3,7][0,0]");
  EXPECT_EQ(TextOf(HexBytes("06 fffffffffffffffe 01 aa")),
            "CRYPTO offset=" + std::to_string(kMaxVarint - 1) + " data=aa");
  EXPECT_EQ(TextOf(HexBytes("06 ffffffffffffffff 00")), "CRYPTO offset=" + largest + " data=");
  EXPECT_EQ(
      TextOf(HexBytes("0e ffffffffffffffff fffffffffffffffe 01 aa")),
      "STREAM id=" + largest + " offset=" + std::to_string(kMaxVarint - 1) + " fin=0 data=aa");
  EXPECT_EQ(TextOf(HexBytes("0d 00 ffffffffffffffff")),
            "STREAM id=0 offset=" + largest + " fin=1 data=");
  EXPECT_EQ(TextOf(HexBytes("12 d000000000000000")),
            "MAX_STREAMS direction=bidi maximum=1152921504606846976");
  EXPECT_EQ(TextOf(HexBytes("17 d000000000000000")),
            "STREAMS_BLOCKED direction=uni limit=1152921504606846976");
  EXPECT_EQ(TextOf(HexBytes("18 05 05 01 c1" + token)),
            "NEW_CONNECTION_ID sequence=5 retire_prior_to=5 id=c1 token=" + token);
  EXPECT_EQ(
      TextOf(HexBytes("1c ffffffffffffffff ffffffffffffffff 00")),
      "CONNECTION_CLOSE space=transport error=" + largest + " frame_type=" + largest + " reason=");
  EXPECT_EQ(TextOf(HexBytes("40af 00 00 80f9ffff 00")),
            "ACK_FREQUENCY sequence=0 threshold=0 max_ack_delay=16383999 reordering=0");
}

TEST(FrameDecoderTest, TheReasonPhraseNeedNotBeText) {
  EXPECT_EQ(TextOf(HexBytes("1d 00 03 00ff80")),
            "CONNECTION_CLOSE space=application error=0 frame_type=0 reason=00ff80");
}

TEST(FrameDecoderTest, AnAckMayFillTheLargestDatagram) {
  // 32,000 ranges of a packet each, one missing between each two; then ECN counts.
  Bytes payload = HexBytes("03 80010000 00 80007cff 00");
  payload.insert(payload.end(), 2 * 31'999, 0x00);
  payload.insert(payload.end(), 3, 0x07);
  FrameDecoder decoder = DecoderOf(payload);
  Frame frame;

  ASSERT_TRUE(decoder.Next(&frame).ok());

  const AckFrame& ack = frame.As<AckFrame>();
  uint64_t expected = 65'536;
  size_t range_count = 0;
  for (const AckRange range : ack.ranges) {
    ASSERT_EQ(range, (AckRange{PacketNumber(expected), PacketNumber(expected)}));
    expected -= 2;
    ++range_count;
  }
  EXPECT_EQ(range_count, 32'000u);
  EXPECT_EQ(ack.ranges.size(), 32'000u);
  EXPECT_EQ(ack.ecn_counts, (EcnCounts{7, 7, 7}));
}

TEST(FrameDecoderTest, AFrameIsReadAsItsOwnKindOnly) {
  Frame frame;
  frame.Emplace<MaxDataFrame>(FrameType::kMaxData, uint64_t{5});

  EXPECT_EQ(frame.As<MaxDataFrame>().maximum_bytes, 5u);
  EXPECT_DEATH(static_cast<void>(frame.As<PingFrame>()), "GODWIT_CHECK failed");
}

}  // namespace
}  // namespace godwit
