// SPDX-License-Identifier: Apache-2.0
//
// Random frames of every kind through encoder and decoder and back.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "base/result.h"
#include "base/seeded_random.h"
#include "godwit/connection_id.h"
#include "godwit/perspective.h"
#include "godwit/stream_id.h"
#include "tests/transport/wire/encode_frame.h"
#include "tests/transport/wire/frame_text.h"
#include "transport/wire/ack_ranges.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"
#include "transport/wire/frame_encoder.h"
#include "transport/wire/frame_rules.h"

namespace godwit {
namespace {

constexpr int kRounds = 10'000;

// Random fields. Spans stay valid until the next call for bytes.
class RandomFields {
 public:
  explicit RandomFields(uint64_t seed) : random_(seed) {}

  // Every width is as likely as any other, and the ends of the range are frequent.
  uint64_t Varint(uint64_t maximum = kMaxVarint) {
    if (random_.UniformBelow(32) == 0) return maximum;
    const uint64_t value = random_.NextUint64() >> (2 + random_.UniformBelow(62));
    return std::min(value, maximum);
  }
  uint64_t Below(uint64_t bound) { return random_.UniformBelow(bound); }
  bool Bit() { return Below(2) == 1; }
  StreamId Stream() { return StreamId(Varint()); }
  StreamDirection Direction() {
    return Bit() ? StreamDirection::kBidirectional : StreamDirection::kUnidirectional;
  }
  std::span<const uint8_t> Bytes(size_t minimum_size, size_t maximum_size) {
    bytes_.resize(minimum_size + Below(maximum_size - minimum_size + 1));
    random_.Fill(bytes_);
    return bytes_;
  }
  template <size_t kSize>
  std::array<uint8_t, kSize> Array() {
    std::array<uint8_t, kSize> bytes;
    random_.Fill(bytes);
    return bytes;
  }

 private:
  SeededRandom random_;
  std::vector<uint8_t> bytes_;
};

// Encodes `frame` and decodes it at every level that permits its type.
void ExpectRoundTrip(const Frame& frame) {
  const std::string text = ToText(frame);
  const std::vector<uint8_t> bytes = EncodeFrame(frame);
  for (const EncryptionLevel level : {EncryptionLevel::kInitial, EncryptionLevel::kZeroRtt,
                                      EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    if (!RulesOf(frame.type()).IsPermittedIn(level)) continue;
    FrameDecoder decoder(bytes, level, Perspective::kServer);
    Frame decoded;

    const Result result = decoder.Next(&decoded);

    ASSERT_TRUE(result.ok()) << text << ": " << result.error().reason;
    ASSERT_TRUE(decoder.is_done()) << text;
    ASSERT_EQ(ToText(decoded), text);
    ASSERT_EQ(decoder.frame_type(), static_cast<uint64_t>(decoded.type()));
  }
}

// `make` fills a Frame from random fields.
template <typename Make>
void RunRounds(uint64_t seed, const Make& make) {
  RandomFields random(seed);
  Frame frame;
  for (int round = 0; round < kRounds; ++round) {
    make(random, frame);
    ExpectRoundTrip(frame);
    if (testing::Test::HasFatalFailure()) FAIL() << "round " << round << " of seed " << seed;
  }
}

TEST(FrameRoundTripTest, Padding) {
  RunRounds(1, [](RandomFields& r, Frame& frame) {
    frame.Emplace<PaddingFrame>(FrameType::kPadding, 1 + r.Below(300));
  });
}

TEST(FrameRoundTripTest, Ping) {
  RunRounds(2, [](RandomFields&, Frame& frame) { frame.Emplace<PingFrame>(FrameType::kPing); });
}

TEST(FrameRoundTripTest, HandshakeDone) {
  RunRounds(23, [](RandomFields&, Frame& frame) {
    frame.Emplace<HandshakeDoneFrame>(FrameType::kHandshakeDone);
  });
}

TEST(FrameRoundTripTest, ImmediateAck) {
  RunRounds(24, [](RandomFields&, Frame& frame) {
    frame.Emplace<ImmediateAckFrame>(FrameType::kImmediateAck);
  });
}

TEST(FrameRoundTripTest, Ack) {
  RandomFields random(3);
  for (int round = 0; round < kRounds; ++round) {
    // Down from the largest, until the ranges are enough or there is no number left.
    std::vector<AckRange> ranges;
    const size_t range_count = 1 + random.Below(random.Bit() ? 5 : 100);
    uint64_t largest = random.Varint();
    while (true) {
      const uint64_t length = random.Varint(largest);
      const uint64_t smallest = largest - length;
      ranges.push_back({PacketNumber(smallest), PacketNumber(largest)});
      if (ranges.size() == range_count || smallest < 2) break;
      largest = smallest - 2 - random.Varint(smallest - 2);
    }
    AckFrameFields fields{random.Varint(), std::nullopt};
    if (random.Bit()) {
      fields.ecn_counts = EcnCounts{random.Varint(), random.Varint(), random.Varint()};
    }
    const AckFramePlan plan =
        PlanAckFrame(fields, ranges, {.max_ranges = ranges.size(), .max_bytes = SIZE_MAX});
    std::vector<uint8_t> bytes(plan.size_bytes);
    ByteWriter writer(bytes);
    WriteAckFrame(fields, ranges, plan, writer);
    FrameDecoder decoder(bytes, EncryptionLevel::kInitial, Perspective::kClient);
    Frame decoded;

    const Result result = decoder.Next(&decoded);

    ASSERT_EQ(plan.range_count, ranges.size());
    ASSERT_EQ(writer.space_left(), 0u);
    ASSERT_TRUE(result.ok()) << round << ": " << result.error().reason;
    ASSERT_TRUE(decoder.is_done()) << round;
    ASSERT_EQ(ToText(decoded), ToText(fields, ranges)) << round;
    ExpectRoundTrip(decoded);
  }
}

TEST(FrameRoundTripTest, ResetStream) {
  RunRounds(4, [](RandomFields& r, Frame& frame) {
    frame.Emplace<ResetStreamFrame>(FrameType::kResetStream, r.Stream(), r.Varint(), r.Varint());
  });
}

TEST(FrameRoundTripTest, StopSending) {
  RunRounds(5, [](RandomFields& r, Frame& frame) {
    frame.Emplace<StopSendingFrame>(FrameType::kStopSending, r.Stream(), r.Varint());
  });
}

TEST(FrameRoundTripTest, Crypto) {
  RunRounds(6, [](RandomFields& r, Frame& frame) {
    const std::span<const uint8_t> data = r.Bytes(0, 100);
    frame.Emplace<CryptoFrame>(FrameType::kCrypto, r.Varint(kMaxStreamOffset - data.size()), data);
  });
}

TEST(FrameRoundTripTest, NewToken) {
  RunRounds(7, [](RandomFields& r, Frame& frame) {
    frame.Emplace<NewTokenFrame>(FrameType::kNewToken, r.Bytes(1, 100));
  });
}

TEST(FrameRoundTripTest, Stream) {
  RunRounds(8, [](RandomFields& r, Frame& frame) {
    const std::span<const uint8_t> data = r.Bytes(0, 100);
    const FrameType type{static_cast<uint8_t>(static_cast<uint8_t>(FrameType::kStream) |
                                              (r.Bit() ? kStreamLengthBit : 0))};
    const uint64_t offset = r.Bit() ? 0 : r.Varint(kMaxStreamOffset - data.size());
    frame.Emplace<StreamFrame>(type, r.Stream(), offset, data, r.Bit());
  });
}

TEST(FrameRoundTripTest, MaxData) {
  RunRounds(9, [](RandomFields& r, Frame& frame) {
    frame.Emplace<MaxDataFrame>(FrameType::kMaxData, r.Varint());
  });
}

TEST(FrameRoundTripTest, MaxStreamData) {
  RunRounds(10, [](RandomFields& r, Frame& frame) {
    frame.Emplace<MaxStreamDataFrame>(FrameType::kMaxStreamData, r.Stream(), r.Varint());
  });
}

TEST(FrameRoundTripTest, MaxStreams) {
  RunRounds(11, [](RandomFields& r, Frame& frame) {
    const StreamDirection direction = r.Direction();
    frame.Emplace<MaxStreamsFrame>(direction == StreamDirection::kBidirectional
                                       ? FrameType::kMaxStreamsBidi
                                       : FrameType::kMaxStreamsUni,
                                   direction, r.Varint(kMaxStreams));
  });
}

TEST(FrameRoundTripTest, DataBlocked) {
  RunRounds(12, [](RandomFields& r, Frame& frame) {
    frame.Emplace<DataBlockedFrame>(FrameType::kDataBlocked, r.Varint());
  });
}

TEST(FrameRoundTripTest, StreamDataBlocked) {
  RunRounds(13, [](RandomFields& r, Frame& frame) {
    frame.Emplace<StreamDataBlockedFrame>(FrameType::kStreamDataBlocked, r.Stream(), r.Varint());
  });
}

TEST(FrameRoundTripTest, StreamsBlocked) {
  RunRounds(14, [](RandomFields& r, Frame& frame) {
    const StreamDirection direction = r.Direction();
    frame.Emplace<StreamsBlockedFrame>(direction == StreamDirection::kBidirectional
                                           ? FrameType::kStreamsBlockedBidi
                                           : FrameType::kStreamsBlockedUni,
                                       direction, r.Varint(kMaxStreams));
  });
}

TEST(FrameRoundTripTest, NewConnectionId) {
  RunRounds(15, [](RandomFields& r, Frame& frame) {
    const uint64_t sequence_number = r.Varint();
    frame.Emplace<NewConnectionIdFrame>(
        FrameType::kNewConnectionId, sequence_number, r.Varint(sequence_number),
        *ConnectionId::FromBytes(r.Bytes(1, ConnectionId::kMaxSize)),
        StatelessResetToken(r.Array<StatelessResetToken::kSize>()));
  });
}

TEST(FrameRoundTripTest, RetireConnectionId) {
  RunRounds(16, [](RandomFields& r, Frame& frame) {
    frame.Emplace<RetireConnectionIdFrame>(FrameType::kRetireConnectionId, r.Varint());
  });
}

TEST(FrameRoundTripTest, PathChallenge) {
  RunRounds(17, [](RandomFields& r, Frame& frame) {
    frame.Emplace<PathChallengeFrame>(FrameType::kPathChallenge, r.Array<8>());
  });
}

TEST(FrameRoundTripTest, PathResponse) {
  RunRounds(18, [](RandomFields& r, Frame& frame) {
    frame.Emplace<PathResponseFrame>(FrameType::kPathResponse, r.Array<8>());
  });
}

TEST(FrameRoundTripTest, ConnectionCloseOfTheTransport) {
  RunRounds(19, [](RandomFields& r, Frame& frame) {
    frame.Emplace<ConnectionCloseFrame>(FrameType::kConnectionClose, ErrorSpace::kTransport,
                                        r.Varint(), r.Varint(), r.Bytes(0, 100));
  });
}

TEST(FrameRoundTripTest, ConnectionCloseOfTheApplication) {
  RunRounds(20, [](RandomFields& r, Frame& frame) {
    frame.Emplace<ConnectionCloseFrame>(FrameType::kApplicationClose, ErrorSpace::kApplication,
                                        r.Varint(), uint64_t{0}, r.Bytes(0, 100));
  });
}

TEST(FrameRoundTripTest, Datagram) {
  RunRounds(21, [](RandomFields& r, Frame& frame) {
    frame.Emplace<DatagramFrame>(r.Bit() ? FrameType::kDatagram : FrameType::kDatagramWithLength,
                                 r.Bytes(0, 100));
  });
}

TEST(FrameRoundTripTest, AckFrequency) {
  RunRounds(22, [](RandomFields& r, Frame& frame) {
    const uint64_t max_ack_delay_us = r.Varint((kMaxAckDelayMs + 1) * 1000 - 1);
    frame.Emplace<AckFrequencyFrame>(FrameType::kAckFrequency, r.Varint(), r.Varint(),
                                     max_ack_delay_us, r.Varint());
  });
}

}  // namespace
}  // namespace godwit
