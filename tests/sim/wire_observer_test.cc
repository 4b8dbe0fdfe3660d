// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/wire_observer.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "crypto/header_protector.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/secret_book.h"
#include "tests/sim/sim_packet.h"
#include "tests/sim/sim_trace.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/packet_header_encoder.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kClient = 0;
constexpr size_t kServer = 1;
constexpr uint64_t kMaxData = 1000;
constexpr uint64_t kMaxStreamData = 600;
constexpr uint64_t kStream = 0;  // Of the client, bidirectional.
const Bytes kCid(8, 0xc1);

// Numbers below 16,384, as RFC 9000 §16 writes them.
Bytes Varints(std::initializer_list<uint64_t> values) {
  Bytes bytes;
  for (const uint64_t value : values) {
    if (value >= 64) bytes.push_back(static_cast<uint8_t>(0x40 | value >> 8));
    bytes.push_back(static_cast<uint8_t>(value));
  }
  return bytes;
}

// ---- Frames: RFC 9000 §19 ----

Bytes Ping() { return {0x01}; }
Bytes Ack(uint64_t largest) { return Varints({0x02, largest, 0, 0, 0}); }
Bytes ResetStream(uint64_t id, uint64_t final_size) { return Varints({0x04, id, 0, final_size}); }
Bytes MaxData(uint64_t maximum) { return Varints({0x10, maximum}); }
Bytes MaxStreamData(uint64_t id, uint64_t maximum) { return Varints({0x11, id, maximum}); }
Bytes StreamData(uint64_t id, uint64_t offset, size_t size) {
  Bytes frame = Varints({0x0e, id, offset, size});
  frame.resize(frame.size() + size, 'x');
  return frame;
}
Bytes PathResponse() {
  Bytes frame(9, 'r');
  frame[0] = 0x1b;
  return frame;
}

// Seals 1-RTT packets of one end.
class OneRttSealer {
 public:
  explicit OneRttSealer(uint8_t content)
      : secret_(CipherSuite::kAes128GcmSha256, Bytes(32, content)),
        header_(DeriveHeaderKey(secret_)) {}

  const TrafficSecret& secret() const { return secret_; }
  void UpdateKeys() {
    secret_ = NextGeneration(secret_);
    key_phase_ = !key_phase_;
  }
  Bytes Seal(uint64_t number, const Bytes& frames) {
    Bytes packet(100 + frames.size());
    ByteWriter writer(packet);
    EncodeShortHeader(
        {.dcid = kCid, .packet_number = PacketNumber(number), .key_phase_bit = key_phase_}, writer);
    const size_t header_length = writer.position();
    writer.WriteBytes(frames);
    packet.resize(writer.position() + kAeadTagLength);
    // A new one each time: an honest one does not take a number twice.
    PacketSealer sealer(DerivePacketKey(secret_));
    EXPECT_TRUE(ProtectPacket(sealer, header_, {packet, header_length, PacketNumber(number)}));
    return packet;
  }

 private:
  TrafficSecret secret_;
  HeaderProtector header_;
  bool key_phase_ = false;
};

class WireObserverTest : public testing::Test {
 protected:
  WireObserverTest() {
    book_.push_back({EncryptionLevel::kOneRtt, Perspective::kClient, client_.secret()});
    book_.push_back({EncryptionLevel::kOneRtt, Perspective::kServer, server_.secret()});
    StreamConfig streams;
    streams.initial_max_data = kMaxData;
    streams.initial_max_stream_data_bidi_local = kMaxStreamData;
    streams.initial_max_stream_data_bidi_remote = kMaxStreamData;
    streams.initial_max_stream_data_uni = kMaxStreamData;
    observer_.AddEnd(kClient, {.perspective = Perspective::kClient,
                               .name = "client",
                               .connection_id_bytes = kCid.size(),
                               .streams = streams});
    observer_.AddEnd(kServer, {.perspective = Perspective::kServer,
                               .name = "server",
                               .connection_id_bytes = kCid.size(),
                               .streams = streams});
  }

  void FromClient(uint64_t number, const Bytes& frames) {
    Send(kClient, kServer, client_.Seal(number, frames));
  }
  void FromServer(uint64_t number, const Bytes& frames) {
    Send(kServer, kClient, server_.Seal(number, frames));
  }
  void Send(size_t from, size_t to, const Bytes& datagram) {
    observer_.OnSent(from, to, {.number = next_datagram_++, .payload = datagram});
  }
  bool found() const { return !observer_.problem().empty(); }

  OneRttSealer client_{1};
  OneRttSealer server_{2};
  SecretBook book_;
  EventQueue queue_{Timestamp::Zero()};
  SimTrace trace_;
  WireObserver observer_{&book_, &queue_, &trace_};
  uint64_t next_datagram_ = 0;
};

TEST_F(WireObserverTest, ReadsPacketsAndTheirFrames) {
  std::vector<FrameKind> kinds;
  observer_.SetFrameHook([&kinds](const ObservedPacket& packet, const Frame& frame) {
    EXPECT_EQ(packet.sender, Perspective::kClient);
    EXPECT_EQ(packet.packet_number, PacketNumber(3));
    kinds.push_back(frame.kind());
  });

  FromClient(3, Varints({0x01, 0x10, 2000}));

  EXPECT_EQ(kinds, (std::vector{FrameKind::kPing, FrameKind::kMaxData}));
  EXPECT_EQ(observer_.unreadable_packets(), 0u);
  EXPECT_EQ(observer_.problem(), "");
}

TEST_F(WireObserverTest, PacketNumbersMayBeSkippedButNotRepeated) {
  FromClient(0, Ping());
  FromClient(2, Ping());
  EXPECT_FALSE(found());

  FromClient(2, Ping());

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, PacketNumbersMayNotFall) {
  FromClient(5, Ping());

  FromClient(4, Ping());

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, EachEndHasItsOwnNumbers) {
  FromClient(5, Ping());

  FromServer(4, Ping());

  EXPECT_EQ(observer_.problem(), "");
}

TEST_F(WireObserverTest, DataWithinTheCreditOfAStreamIsAllowed) {
  FromClient(0, StreamData(kStream, 0, kMaxStreamData));
  FromClient(1, StreamData(kStream, 0, kMaxStreamData));  // Sent again.

  EXPECT_EQ(observer_.problem(), "");
}

TEST_F(WireObserverTest, DataBeyondTheCreditOfAStreamIsFound) {
  FromClient(0, StreamData(kStream, kMaxStreamData, 1));

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, MaxStreamDataOfTheReceiverRaisesTheCredit) {
  FromServer(0, MaxStreamData(kStream, kMaxStreamData + 1));
  FromClient(0, StreamData(kStream, kMaxStreamData, 1));
  EXPECT_FALSE(found());

  FromClient(1, StreamData(kStream, kMaxStreamData + 1, 1));

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, MaxStreamDataOfTheSenderDoesNot) {
  FromClient(0, MaxStreamData(kStream, 2 * kMaxStreamData));

  FromClient(1, StreamData(kStream, kMaxStreamData, 1));

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, DataBeyondTheCreditOfTheConnectionIsFound) {
  FromClient(0, StreamData(kStream, 0, 500));
  FromClient(1, StreamData(kStream + 4, 0, 500));
  EXPECT_FALSE(found());

  FromClient(2, StreamData(kStream + 8, 0, 1));

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, MaxDataRaisesTheCreditOfTheConnection) {
  FromServer(0, MaxData(kMaxData + 1));
  FromClient(0, StreamData(kStream, 0, 500));
  FromClient(1, StreamData(kStream + 4, 0, 501));
  EXPECT_FALSE(found());

  FromClient(2, StreamData(kStream + 8, 0, 1));

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, FinalSizeOfAResetCountsAsData) {
  FromClient(0, ResetStream(kStream, kMaxStreamData));
  EXPECT_FALSE(found());

  FromClient(1, ResetStream(kStream + 4, kMaxStreamData));

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, AcknowledgmentOfASentPacketIsAllowed) {
  FromClient(7, Ping());

  FromServer(0, Ack(7));

  EXPECT_EQ(observer_.problem(), "");
}

TEST_F(WireObserverTest, AcknowledgmentOfAnUnsentPacketIsFound) {
  FromClient(7, Ping());

  FromServer(9, Ack(8));

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, FrameThatCannotBeReadIsFound) {
  FromClient(0, Varints({0x2242}));

  EXPECT_TRUE(found());
}

TEST_F(WireObserverTest, PacketsOfUnknownKeysAreCountedAndLeftAlone) {
  OneRttSealer stranger(3);

  Send(kClient, kServer, stranger.Seal(0, StreamData(kStream, kMaxStreamData, 1)));

  EXPECT_EQ(observer_.unreadable_packets(), 1u);
  EXPECT_EQ(observer_.problem(), "");
}

TEST_F(WireObserverTest, KeyUpdatesAreFollowedAndCounted) {
  for (uint64_t i = 0; i < 3; ++i) {
    FromClient(i, Ping());
    client_.UpdateKeys();
  }
  FromServer(0, Ping());

  EXPECT_EQ(observer_.key_generation(Perspective::kClient), 2u);
  EXPECT_EQ(observer_.key_generation(Perspective::kServer), 0u);
  EXPECT_EQ(observer_.unreadable_packets(), 0u);
}

TEST_F(WireObserverTest, RemembersWhichDatagramsCarryPathResponses) {
  FromClient(0, Ping());
  FromClient(1, PathResponse());

  EXPECT_FALSE(observer_.CarriesPathResponse({.number = 0}));
  EXPECT_TRUE(observer_.CarriesPathResponse({.number = 1}));
}

}  // namespace
}  // namespace godwit
