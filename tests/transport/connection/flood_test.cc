// SPDX-License-Identifier: Apache-2.0
//
// Peers with all the keys that want to wear the connection down: what they can make it keep is
// bounded, and what they can make it send is too. The heap is really counted, by operator new.
// RFC 9000 §21.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "tests/base/heap_counter.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

constexpr size_t kKiB = 1024;

class FloodTest : public testing::Test {
 protected:
  explicit FloodTest(const StageOptions& options = {}) : stage_(options) {
    stage_.CompleteHandshake();
    stage_.Settle();
    before_ = CountHeap().live_bytes;
  }

  // `count` packets that are full of what `frame(i)` gives for i = 0, 1, 2, ...
  template <typename MakeFrame>
  void SendMany(uint64_t count, MakeFrame frame) {
    raw::Bytes frames;
    for (uint64_t i = 0; i < count; ++i) {
      raw::Append(frames, frame(i));
      if (frames.size() < 1'300 && i + 1 < count) continue;
      stage_.Send(std::exchange(frames, {}));
    }
  }
  // Of the heap, since the handshake.
  size_t grown_bytes() const {
    return CountHeap().live_bytes > before_ ? CountHeap().live_bytes - before_ : 0;
  }

  PuppetStage stage_;

 private:
  size_t before_ = 0;
};

TEST_F(FloodTest, CounterSeesAnAllocation) {
  const auto bytes = std::make_unique<raw::Bytes>(100 * kKiB);

  EXPECT_GE(grown_bytes(), 99 * kKiB);
}

TEST_F(FloodTest, PathChallenges) {
  SendMany(20'000, [](uint64_t i) { return raw::PathChallenge(static_cast<uint8_t>(i)); });

  EXPECT_LE(grown_bytes(), 16 * kKiB);
  EXPECT_LE(CountFrames(stage_.Take(), FrameKind::kPathResponse), kMaxPathResponsesPending);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, PathChallengesAndAPeerThatReadsNothing) {
  uint64_t sent = 0;
  for (int i = 0; i < 2'000; ++i) {
    stage_.SendPacket({.frames = raw::PathChallenge(1), .min_size = kMinInitialDatagramBytes});
    sent += stage_.Discard();
  }

  EXPECT_LE(grown_bytes(), 512 * kKiB);
  // One answer for each, and no more.
  EXPECT_LE(sent, 2'000 * 1'600u);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, Pings) {
  SendMany(20'000, [](uint64_t) { return raw::Ping(); });

  EXPECT_LE(grown_bytes(), 16 * kKiB);
  EXPECT_LE(CountPackets(stage_.Take()), 2u);
}

TEST_F(FloodTest, PingsAndAPeerThatNeverAcknowledges) {
  for (int i = 0; i < 2'000; ++i) {
    stage_.Send(raw::Ping());
    stage_.Discard();
  }

  EXPECT_LE(grown_bytes(), 64 * kKiB);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, GapsInThePacketNumbers) {
  for (uint64_t i = 0; i < 1'000; ++i) {
    const uint64_t number = stage_.puppet().next_number(EncryptionLevel::kOneRtt);
    stage_.SendPacket({.frames = raw::Ping(), .number = number + 1});
    stage_.Discard();
  }

  // An entry for each answer, as long as a PING among them is not acknowledged: up to
  // kMaxSentPackets of them.
  EXPECT_LE(grown_bytes(), 1'000 * 200);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, AcknowledgmentsOfTheSame) {
  const raw::Bytes ack = stage_.puppet().AckOfAllSeen(EncryptionLevel::kOneRtt);

  SendMany(20'000, [&ack](uint64_t) { return ack; });

  EXPECT_LE(grown_bytes(), 16 * kKiB);
  EXPECT_TRUE(stage_.Take().empty());
  ExpectOpen(stage_);
}

TEST_F(FloodTest, BlockedFrames) {
  stage_.Send(raw::Stream(0, 0, BytesOf("x")));
  stage_.Pump();
  uint64_t sent = 0;
  for (int i = 0; i < 1'000; ++i) {
    stage_.Send(raw::Join(raw::DataBlocked(1 << 20), raw::StreamDataBlocked(0, 1 << 18),
                          raw::StreamsBlockedBidi(128), raw::StreamsBlockedUni(128)));
    sent += stage_.Discard();
  }

  EXPECT_LE(grown_bytes(), 256 * kKiB);
  EXPECT_LE(sent, 100'000u);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, Limits) {
  SendMany(20'000, [](uint64_t i) { return raw::MaxData((1 << 20) + i); });
  SendMany(20'000, [](uint64_t i) { return raw::MaxStreamsBidi(100 + i); });

  EXPECT_LE(grown_bytes(), 16 * kKiB);
  ExpectOpen(stage_);
}

// ---- Tiny fragments ----

TEST_F(FloodTest, EverySecondByteOfAStream) {
  constexpr uint64_t kWindow = uint64_t{256} << 10;
  SendMany(kWindow / 2, [](uint64_t i) { return raw::Stream(0, 2 * i + 1, raw::Bytes(1, 'x')); });

  EXPECT_LE(grown_bytes(), kWindow + kWindow / 4);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, EverySecondByteOfAStreamFromItsEnd) {
  constexpr uint64_t kWindow = uint64_t{256} << 10;
  SendMany(kWindow / 2,
           [](uint64_t i) { return raw::Stream(0, kWindow - 1 - 2 * i, raw::Bytes(1, 'x')); });

  EXPECT_LE(grown_bytes(), kWindow + kWindow / 4);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, OneByteInEachBlockOfEachStream) {
  const uint64_t blocks = (uint64_t{256} << 10) / kReceiveBlockBytes;
  for (uint64_t stream = 0; stream < 4; ++stream) {
    SendMany(blocks, [stream](uint64_t i) {
      return raw::Stream(4 * stream, i * kReceiveBlockBytes + 5, raw::Bytes(1, 'x'));
    });
  }

  // Not more than the connection's window, although next to nothing came.
  EXPECT_LE(grown_bytes(), (1 << 20) + 192 * kKiB);
  EXPECT_GE(stage_.subject().held_bytes(), 1'000'000u);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, TheSameByteAgainAndAgain) {
  SendMany(20'000, [](uint64_t) { return raw::Stream(0, 7, raw::Bytes(1, 'x')); });

  EXPECT_LE(grown_bytes(), 32 * kKiB);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, EmptyStreamFrames) {
  SendMany(20'000, [](uint64_t) { return raw::Stream(0, 0, {}); });

  EXPECT_LE(grown_bytes(), 16 * kKiB);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, EverySecondByteOfCryptoData) {
  // The server wants no more of it: nothing is worth keeping for long.
  for (uint64_t i = 0; i < 4'000 && stage_.subject().close_phase() == CloseState::Phase::kOpen;
       ++i) {
    stage_.SendAt(EncryptionLevel::kOneRtt, raw::Crypto(2 * i + 1, raw::Bytes(1, 'x')));
  }

  EXPECT_LE(grown_bytes(), kMaxCryptoBufferBytes + 16 * kKiB);
}

TEST(HandshakeFloodTest, EverySecondByteOfAClientHello) {
  PuppetStage stage;
  const size_t before = CountHeap().live_bytes;
  for (uint64_t i = 0; i < 10'000 && stage.subject().close_phase() == CloseState::Phase::kOpen;
       ++i) {
    stage.Discard();
    stage.SendAt(EncryptionLevel::kInitial, raw::Crypto(2 * i + 1, raw::Bytes(1, 'x')));
  }

  EXPECT_LE(CountHeap().live_bytes - before, 2 * kMaxCryptoBufferBytes + 64 * kKiB);
  ExpectClosedFor(stage, kCryptoBufferExceeded, 0x06);
}

TEST(HandshakeFloodTest, ManyInitialPacketsOfAClientThatNeverGoesOn) {
  PuppetStage stage({.subject_tls = {.certificate_bytes = 9'000}});
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  const size_t before = CountHeap().live_bytes;
  uint64_t received = kMinInitialDatagramBytes;
  uint64_t sent = stage.Discard();
  for (int i = 0; i < 2'000; ++i) {
    stage.SendAt(EncryptionLevel::kInitial, raw::Ping());
    received += kMinInitialDatagramBytes;
    sent += stage.Discard();
    ASSERT_LE(sent, 3 * received);
  }

  EXPECT_LE(CountHeap().live_bytes - before, 256 * kKiB);
}

// ---- Who does not read ----

TEST_F(FloodTest, ApplicationThatNeverReads) {
  SendMany(1'000, [](uint64_t i) {
    return raw::Stream(4 * (i / 250), i % 250 * 1'000, raw::Bytes(1'000));
  });

  EXPECT_LE(grown_bytes(), (1 << 20) + 128 * kKiB);
  const std::vector<SeenDatagram> sent = stage_.Take();
  EXPECT_EQ(CountFrames(sent, FrameKind::kMaxData), 0u);
  EXPECT_EQ(CountFrames(sent, FrameKind::kMaxStreamData), 0u);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, PeerThatNeverReads) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  const raw::Bytes data(100'000);
  uint64_t written = 0;
  while (true) {
    const absl::StatusOr<uint64_t> taken = stage_.subject().WriteStream(id, data);
    ASSERT_TRUE(taken.ok());
    written += *taken;
    stage_.Discard();
    if (*taken < data.size()) break;
    ASSERT_LE(written, uint64_t{16} << 20);
  }

  EXPECT_LE(stage_.subject().held_bytes(), uint64_t{8} << 20);
  EXPECT_LE(grown_bytes(), (size_t{8} << 20) + (size_t{1} << 20));
}

TEST_F(FloodTest, DatagramsThatNobodyReads) {
  SendMany(30'000, [](uint64_t) { return raw::Datagram(raw::Bytes(100)); });

  EXPECT_LE(grown_bytes(), (size_t{2} << 20) + 64 * kKiB);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, EmptyDatagramsThatNobodyReads) {
  SendMany(40'000, [](uint64_t) { return raw::Datagram({}); });

  EXPECT_LE(grown_bytes(), 128 * kKiB);
  ExpectOpen(stage_);
}

// ---- Streams and ids that come and go ----

TEST_F(FloodTest, StreamsThatAreOpenedAndResetAtOnce) {
  uint64_t limit = 128;
  for (uint64_t i = 0; i < 2'000; ++i) {
    stage_.Send(raw::Join(raw::Stream(4 * i, 0, BytesOf("x")), raw::StopSending(4 * i, 1),
                          raw::ResetStream(4 * i, 1, 1)));
    if (i + 1 < limit) continue;
    stage_.Settle();
    for (const SeenDatagram& datagram : stage_.Take()) {
      if (const auto* const update = datagram.Find<MaxStreamsFrame>()) {
        limit = std::max(limit, update->maximum_count);
      }
    }
    ASSERT_GT(limit, i + 1);
  }

  // Without what the stage itself remembers: four events a stream, and what the puppet has seen.
  const size_t own_bytes = stage_.events().capacity() * sizeof(ConnectionEvent);
  EXPECT_LE(grown_bytes() - own_bytes, 256 * kKiB);
  ExpectOpen(stage_);
}

TEST_F(FloodTest, AllStreamsAtOnce) {
  SendMany(128, [](uint64_t i) { return raw::Stream(4 * i, 0, BytesOf("x")); });
  SendMany(128, [](uint64_t i) { return raw::Stream(4 * i + 2, 0, BytesOf("x")); });

  EXPECT_LE(grown_bytes(), 256 * (kReceiveBlockBytes + 2 * kKiB));
  ExpectOpen(stage_);
}

TEST_F(FloodTest, ConnectionIdsThatAreRetiredAsSoonAsTheyAreGiven) {
  // Sequence numbers count as the ids that were given.
  for (uint64_t i = 0; i < 500; ++i) {
    // No more are given until the retired ones are forgotten.
    if (i + 1 == stage_.given_ids().size()) stage_.Advance(Duration::Seconds(1));
    ASSERT_LT(i + 1, stage_.given_ids().size());
    stage_.Settle();
    stage_.puppet().SetRemoteId(stage_.given_ids()[i + 1]);
    stage_.Send(raw::RetireConnectionId(i));
    stage_.Take();
  }

  ExpectOpen(stage_);
  EXPECT_LE(grown_bytes(), 256 * kKiB);
}

}  // namespace
}  // namespace godwit
