// SPDX-License-Identifier: Apache-2.0
//
// Frames by which an established peer breaks a rule: each ends the connection with its own error.
// RFC 9000 §12.4, §19; RFC 9221 §3. Streams and connection ids have files of their own.

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

// Sends `frames` to a connection with a complete handshake.
void ExpectFatal(const raw::Bytes& frames, const ProtocolError& error, uint64_t frame_type,
                 const StageOptions& options = {}) {
  PuppetStage stage(options);
  stage.CompleteHandshake();

  stage.Send(frames);

  ExpectClosedFor(stage, error, frame_type);
}

constexpr uint64_t kTooLarge = uint64_t{1} << 62;
static_assert(kMaxVarint == kTooLarge - 1);

StageOptions ClientOptions() { return {.subject = Perspective::kClient}; }

// ---- Types ----

TEST(BadFramesTest, UnknownTypeOfOneByte) {
  ExpectFatal(raw::Bytes{0x20}, kFrameTypeUnknown, 0x20);
}

TEST(BadFramesTest, UnknownTypeOfEightBytes) {
  ExpectFatal(raw::Varint(kMaxVarint), kFrameTypeUnknown, kMaxVarint);
}

TEST(BadFramesTest, UnknownTypeBehindGoodFrames) {
  ExpectFatal(raw::Join(raw::Ping(), raw::Stream(0, 0, BytesOf("x")), raw::Varint(0x4242)),
              kFrameTypeUnknown, 0x4242);
}

TEST(BadFramesTest, TypeInTwoBytesInsteadOfOne) {
  ExpectFatal(raw::VarintOfSize(0x01, 2), kFrameTypeNotMinimal, 0x01);
}

TEST(BadFramesTest, TypeCutShort) { ExpectFatal(raw::Bytes{0x80, 0x01}, kFrameTruncated, 0); }

TEST(BadFramesTest, FieldsCutShort) {
  ExpectFatal(raw::Varints({0x04, 0, 7}), kFrameTruncated, 0x04);
}

TEST(BadFramesTest, LengthBeyondThePacket) {
  ExpectFatal(raw::Varints({0x0e, 0, 0, 100}), kFrameLengthBeyondPacket, 0x0e);
}

// ---- Packets ----

TEST(BadFramesTest, PacketWithoutFrames) {
  PuppetStage stage;
  stage.CompleteHandshake();

  // With packet numbers of four bytes no PADDING is needed to sample the packet.
  stage.Send(raw::Bytes{});

  ExpectClosedFor(stage, kPacketWithoutFrames, 0);
}

TEST(BadFramesTest, HandshakePacketWithoutFrames) {
  PuppetStage stage;
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  stage.Pump();

  stage.SendAt(EncryptionLevel::kHandshake, {});

  ExpectClosedFor(stage, kPacketWithoutFrames, 0);
}

TEST(BadFramesTest, ReservedBitsOfAShortHeader) {
  for (const uint8_t bit : {0x08, 0x10}) {
    PuppetStage stage;
    stage.CompleteHandshake();

    stage.SendPacket({.frames = raw::Ping(), .first_byte_mask = bit});

    ExpectClosedFor(stage, kShortHeaderReservedBitsSet, 0);
  }
}

TEST(BadFramesTest, ReservedBitsOfALongHeader) {
  for (const uint8_t bit : {0x04, 0x08}) {
    PuppetStage stage;

    stage.SendPacket(
        {.level = EncryptionLevel::kInitial, .frames = raw::Ping(), .first_byte_mask = bit});

    ExpectClosedFor(stage, kLongHeaderReservedBitsSet, 0);
  }
}

// ---- ACK ----

TEST(BadFramesTest, AckOfAPacketNeverSent) {
  ExpectFatal(raw::Ack(100'000, 100'000), kAckOfUnsentPacket, 0x02);
}

TEST(BadFramesTest, AckOfThePacketThatIsSentNext) {
  PuppetStage stage;
  stage.CompleteHandshake();
  const uint64_t last = *stage.puppet().seen_numbers(EncryptionLevel::kOneRtt).rbegin();

  stage.Send(raw::Ack(last + 2, last + 2));

  ExpectClosedFor(stage, kAckOfUnsentPacket, 0x02);
}

TEST(BadFramesTest, AckOfAnUnsentInitialPacket) {
  PuppetStage stage;

  stage.SendAt(EncryptionLevel::kInitial, raw::Ack(7));

  ExpectClosedFor(stage, kAckOfUnsentPacket, 0x02);
}

TEST(BadFramesTest, AckOfAPacketNumberSkippedOnPurpose) {
  PuppetStage stage({.puppet_parameters = [] {
    TransportParameters parameters = GenerousParameters();
    parameters.initial_max_data = uint64_t{1} << 40;
    parameters.initial_max_stream_data_uni = uint64_t{1} << 40;
    return parameters;
  }()});
  stage.CompleteHandshake();
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  const raw::Bytes data(100'000);
  // A number is skipped every 128 packets or so.
  uint64_t skipped = 0;
  for (int round = 0; round < 1000 && skipped == 0; ++round) {
    ASSERT_TRUE(stage.subject().WriteStream(id, data).ok());
    stage.Advance(Duration::Milliseconds(20));
    const std::set<uint64_t>& seen = stage.puppet().seen_numbers(EncryptionLevel::kOneRtt);
    uint64_t next = *seen.begin();
    for (const uint64_t number : seen) {
      if (number != next++) {
        skipped = number - 1;
        break;
      }
    }
    if (skipped == 0) stage.Send(stage.puppet().AckOfAllSeen(EncryptionLevel::kOneRtt));
  }
  ASSERT_NE(skipped, 0u);

  stage.Send(raw::Ack(skipped, skipped));

  ExpectClosedFor(stage, kAckOfSkippedPacket, 0x02);
}

TEST(BadFramesTest, AckWithAFirstRangeBelowZero) {
  ExpectFatal(raw::Varints({0x02, 3, 0, 0, 4}), kAckRangeBelowZero, 0x02);
}

TEST(BadFramesTest, AckWithALaterRangeBelowZero) {
  ExpectFatal(raw::Varints({0x02, 3, 0, 1, 1, 1, 0}), kAckRangeBelowZero, 0x02);
}

TEST(BadFramesTest, AckWithMoreRangesThanThePacketHas) {
  ExpectFatal(raw::Varints({0x02, 3, 0, kMaxVarint, 0}), kFrameTruncated, 0x02);
}

TEST(BadFramesTest, AckWithEcnCountsCutShort) {
  ExpectFatal(raw::Varints({0x03, 0, 0, 0, 0, 1}), kFrameTruncated, 0x03);
}

// ---- Of one side only ----

TEST(BadFramesTest, HandshakeDoneToAServer) {
  ExpectFatal(raw::HandshakeDone(), kHandshakeDoneFromClient, 0x1e);
}

TEST(BadFramesTest, NewTokenToAServer) {
  ExpectFatal(raw::NewToken(BytesOf("token")), kNewTokenFromClient, 0x07);
}

TEST(BadFramesTest, EmptyNewTokenToAClient) {
  ExpectFatal(raw::NewToken({}), kNewTokenEmpty, 0x07, ClientOptions());
}

TEST(BadFramesTest, ClientTakesNewTokenAndASecondHandshakeDone) {
  PuppetStage stage(ClientOptions());
  stage.CompleteHandshake();

  stage.Send(raw::Join(raw::NewToken(BytesOf("token")), raw::HandshakeDone()));

  ExpectOpen(stage);
}

// ---- CRYPTO ----

TEST(BadFramesTest, CryptoBeyondTheBuffer) {
  ExpectFatal(raw::Crypto(1 << 20, BytesOf("x")), kCryptoBufferExceeded, 0x06);
}

TEST(BadFramesTest, CryptoBeyondTheLastOffset) {
  ExpectFatal(raw::Crypto(kMaxVarint, BytesOf("x")), kCryptoOffsetTooLarge, 0x06);
}

// ---- Numbers out of range ----

TEST(BadFramesTest, MaxStreamsAboveTheLimit) {
  ExpectFatal(raw::MaxStreamsBidi(kMaxStreams + 1), kMaxStreamsTooLarge, 0x12);
  ExpectFatal(raw::MaxStreamsUni(kMaxStreams + 1), kMaxStreamsTooLarge, 0x13);
}

TEST(BadFramesTest, StreamsBlockedAboveTheLimit) {
  ExpectFatal(raw::StreamsBlockedBidi(kMaxStreams + 1), kStreamsBlockedTooLarge, 0x16);
  ExpectFatal(raw::StreamsBlockedUni(kMaxStreams + 1), kStreamsBlockedTooLarge, 0x17);
}

TEST(BadFramesTest, StreamBeyondTheLastOffset) {
  ExpectFatal(raw::Stream(0, kMaxVarint, BytesOf("x")), kStreamOffsetTooLarge, 0x0e);
}

// ---- Extensions ----

StageOptions WithoutDatagrams() {
  StageOptions options;
  options.config.max_datagram_frame_size = 0;
  return options;
}

TEST(BadFramesTest, DatagramThatWasNotOffered) {
  ExpectFatal(raw::Datagram(BytesOf("x")), kDatagramNotNegotiated, 0x31, WithoutDatagrams());
}

TEST(BadFramesTest, DatagramAboveWhatWasOffered) {
  StageOptions options;
  options.config.max_datagram_frame_size = 100;

  // One byte of type, two of length.
  ExpectFatal(raw::Datagram(raw::Bytes(98)), kDatagramTooLarge, 0x31, options);
}

TEST(BadFramesTest, DatagramOfExactlyTheSizeOffered) {
  StageOptions options;
  options.config.max_datagram_frame_size = 100;
  PuppetStage stage(options);
  stage.CompleteHandshake();

  stage.Send(raw::Datagram(raw::Bytes(97)));

  ExpectOpen(stage);
  EXPECT_EQ(stage.subject().PeekDatagram()->size(), 97u);
}

TEST(BadFramesTest, AckFrequencyWasNotOffered) {
  ExpectFatal(raw::AckFrequency(), kAckFrequencyNotNegotiated, 0xaf);
}

TEST(BadFramesTest, ImmediateAckWasNotOffered) {
  ExpectFatal(raw::ImmediateAck(), kImmediateAckNotNegotiated, 0x1f);
}

// ---- Packets that do not permit a frame: RFC 9000 §12.4, table 3 ----

struct TypeCase {
  raw::Bytes frame;
  const char* packets;  // As the table has it.
};

std::vector<TypeCase> AllTypes() {
  const raw::Bytes x = {'x'};
  return {{raw::Padding(1), "IH01"},
          {raw::Ping(), "IH01"},
          {raw::Ack(0), "IH_1"},
          {raw::Varints({0x03, 0, 0, 0, 0, 0, 0, 0}), "IH_1"},
          {raw::ResetStream(0, 0, 0), "__01"},
          {raw::StopSending(0, 0), "__01"},
          {raw::Crypto(0, {}), "IH_1"},
          {raw::NewToken(x), "___1"},
          {raw::Varints({0x08, 0}), "__01"},
          {raw::Varints({0x09, 0}), "__01"},
          {raw::Varints({0x0a, 0, 0}), "__01"},
          {raw::Varints({0x0b, 0, 0}), "__01"},
          {raw::Varints({0x0c, 0, 0}), "__01"},
          {raw::Varints({0x0d, 0, 0}), "__01"},
          {raw::Varints({0x0e, 0, 0, 0}), "__01"},
          {raw::Varints({0x0f, 0, 0, 0}), "__01"},
          {raw::MaxData(0), "__01"},
          {raw::MaxStreamData(0, 0), "__01"},
          {raw::MaxStreamsBidi(0), "__01"},
          {raw::MaxStreamsUni(0), "__01"},
          {raw::DataBlocked(0), "__01"},
          {raw::StreamDataBlocked(0, 0), "__01"},
          {raw::StreamsBlockedBidi(0), "__01"},
          {raw::StreamsBlockedUni(0), "__01"},
          {raw::NewConnectionId(1, 0, 9), "__01"},
          {raw::RetireConnectionId(0), "___1"},
          {raw::PathChallenge(1), "__01"},
          {raw::PathResponse(raw::Bytes(8)), "___1"},
          {raw::ConnectionClose(0, 0, ""), "ih01"},
          {raw::ApplicationClose(0, ""), "__01"},
          {raw::HandshakeDone(), "___1"},
          {raw::Datagram(x), "__01"},
          {raw::Bytes{0x30}, "__01"}};
}

void ExpectPermission(EncryptionLevel level, size_t column) {
  for (const TypeCase& type : AllTypes()) {
    SCOPED_TRACE(static_cast<int>(type.frame[0]));
    PuppetStage stage;
    for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
    stage.Pump();

    stage.SendAt(level, type.frame);

    if (type.packets[column] == '_') {
      ExpectClosedFor(stage, kFrameNotPermitted, type.frame[0]);
    } else if (type.frame[0] == 0x1c) {
      EXPECT_EQ(stage.subject().close_phase(), CloseState::Phase::kDraining);
    } else {
      ExpectOpen(stage);
    }
  }
}

TEST(BadFramesTest, InitialPacketsPermitWhatTheTableSays) {
  ExpectPermission(EncryptionLevel::kInitial, 0);
}

TEST(BadFramesTest, HandshakePacketsPermitWhatTheTableSays) {
  ExpectPermission(EncryptionLevel::kHandshake, 1);
}

}  // namespace
}  // namespace godwit
