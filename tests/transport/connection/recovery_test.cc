// SPDX-License-Identifier: Apache-2.0
//
// What a connection does about packets that are not acknowledged. RFC 9002 §6, §7.

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

constexpr EncryptionLevel kOneRtt = EncryptionLevel::kOneRtt;

class RecoveryTest : public testing::Test {
 protected:
  explicit RecoveryTest(const StageOptions& options = {}) : stage_(options) {
    stage_.CompleteHandshake();
    id_ = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  }

  // The handshake took no time: the probe timeout is what its granularity and max_ack_delay leave.
  Duration Pto() { return stage_.subject().next_deadline() - stage_.now(); }
  void Write(size_t size) {
    ASSERT_TRUE(stage_.subject().WriteStream(id_, raw::Bytes(size, 'x')).ok());
  }
  void Write(std::string_view text) {
    ASSERT_TRUE(stage_.subject().WriteStream(id_, BytesOf(text)).ok());
  }
  void AckAll() { stage_.Send(stage_.puppet().AckOfAllSeen(kOneRtt)); }

  PuppetStage stage_;
  StreamId id_;
};

TEST_F(RecoveryTest, TimeoutSendsTwoProbesWithTheOldestData) {
  Write("hello");
  EXPECT_EQ(CountPackets(stage_.Take()), 1u);

  stage_.Advance(Pto());

  const std::vector<SeenDatagram> probes = stage_.Take();
  ASSERT_EQ(CountPackets(probes), 2u);
  EXPECT_EQ(TextOf(StreamDataOf(probes, id_)), "hello");
  EXPECT_EQ(stage_.subject().Stats().ptos, 1u);
  for (const SeenDatagram& probe : probes) {
    EXPECT_TRUE(probe.Has(FrameKind::kStream) || probe.Has(FrameKind::kPing));
  }
}

TEST_F(RecoveryTest, ProbesCarryNewDataIfThereIsSome) {
  Write("old");
  stage_.Take();
  const Duration pto = Pto();
  stage_.Sleep(pto);
  Write("new");

  stage_.subject().OnTimeout(stage_.time());

  EXPECT_EQ(TextOf(StreamDataOf(stage_.Take(), id_)), "oldnew");
}

TEST_F(RecoveryTest, NothingInFlightNeedsNoProbes) {
  Write("hello");
  stage_.Take();
  AckAll();

  stage_.Advance(Duration::Seconds(20));

  EXPECT_TRUE(stage_.Take().empty());
  EXPECT_EQ(stage_.subject().Stats().ptos, 0u);
  EXPECT_EQ(stage_.subject().Stats().bytes_in_flight, 0u);
}

TEST_F(RecoveryTest, TimeoutsDoubleUpToTheCeiling) {
  Write("hello");
  stage_.Take();
  std::vector<Duration> waits;

  for (uint64_t ptos = 1; ptos <= 12; ++ptos) {
    const Timestamp begin = stage_.now();
    while (stage_.subject().Stats().ptos < ptos) stage_.Advance(Pto());
    waits.push_back(stage_.now() - begin);
  }

  for (size_t i = 1; i < waits.size(); ++i) {
    EXPECT_EQ(waits[i], std::min(waits[i - 1] * 2, Duration::Seconds(2))) << i;
  }
  EXPECT_EQ(waits.back(), Duration::Seconds(2));
}

// A process that slept, or a socket that takes nothing: one timeout is enough to know.
TEST_F(RecoveryTest, NoFurtherTimeoutBeforeTheProbesAreSent) {
  Write("hello");
  stage_.Take();
  stage_.Sleep(Duration::Seconds(20));

  for (int i = 0; i < 3; ++i) {
    if (stage_.subject().next_deadline() <= stage_.now()) {
      stage_.subject().OnTimeout(stage_.time());
    }
  }

  EXPECT_EQ(stage_.subject().Stats().ptos, 1u);
  EXPECT_GT(stage_.subject().next_deadline(), stage_.now());
  EXPECT_EQ(CountPackets(stage_.Take()), 2u);
  EXPECT_LE(stage_.subject().next_deadline(), stage_.now() + Duration::Seconds(2));
}

TEST_F(RecoveryTest, AnyAuthenticPacketEndsTheBackoff) {
  Write("hello");
  stage_.Take();
  const Duration first = Pto();
  stage_.Advance(Duration::Seconds(20));
  EXPECT_EQ(Pto() > first * 4, true);

  stage_.Send(raw::Padding(1));
  stage_.Pump();

  // From the last probe on; so perhaps at once.
  EXPECT_LE(Pto(), first);
}

TEST_F(RecoveryTest, ForgedPacketsDoNotEndTheBackoff) {
  Write("hello");
  stage_.Take();
  stage_.Advance(Duration::Seconds(20));
  const Timestamp deadline = stage_.subject().next_deadline();
  raw::Bytes forged = stage_.puppet().Seal({.frames = raw::Ping()});
  forged.back() ^= 1;

  stage_.Deliver(forged);

  EXPECT_EQ(stage_.subject().next_deadline(), deadline);
}

TEST_F(RecoveryTest, PacketOvertakenByThreeIsSentAgain) {
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 5; ++i) {
    Write(std::string(1, static_cast<char>('a' + i)));
    const std::vector<SeenDatagram> sent = stage_.Take();
    ASSERT_EQ(CountPackets(sent), 1u);
    numbers.push_back(sent[0].packets[0].number);
  }

  // Everything but the first two.
  stage_.Send(raw::Ack(numbers[4], numbers[2]));

  const std::vector<SeenDatagram> again = stage_.Take();
  EXPECT_EQ(TextOf(StreamDataOf(again, id_)), "ab");
  EXPECT_EQ(stage_.subject().Stats().packets_lost, 2u);
}

TEST_F(RecoveryTest, PacketOvertakenByOneIsLostAfterAWhile) {
  Write("a");
  const uint64_t first = stage_.Take()[0].packets[0].number;
  Write("b");
  stage_.Take();
  stage_.Sleep(Duration::Milliseconds(40));
  stage_.Send(raw::Ack(first + 1, first + 1));
  EXPECT_EQ(stage_.subject().Stats().packets_lost, 0u);

  stage_.Advance(Duration::Milliseconds(5));

  EXPECT_EQ(stage_.subject().Stats().packets_lost, 1u);
  EXPECT_EQ(TextOf(StreamDataOf(stage_.Take(), id_)), "a");
}

TEST_F(RecoveryTest, LateAcknowledgmentIsRecognised) {
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 5; ++i) {
    Write("x");
    numbers.push_back(stage_.Take()[0].packets[0].number);
  }
  stage_.Send(raw::Ack(numbers[4], numbers[1]));
  EXPECT_EQ(stage_.subject().Stats().packets_lost, 1u);
  const uint64_t threshold = stage_.subject().Stats().packet_reordering_threshold;

  stage_.Send(raw::Ack(numbers[4], numbers[0]));

  EXPECT_EQ(stage_.subject().Stats().packets_spuriously_lost, 1u);
  EXPECT_GT(stage_.subject().Stats().packet_reordering_threshold, threshold);
}

TEST_F(RecoveryTest, ProbesGoOutAlthoughTheWindowIsFull) {
  Write(200'000);
  stage_.Advance(Duration::Milliseconds(1));
  const uint64_t in_flight = stage_.subject().Stats().bytes_in_flight;
  ASSERT_EQ(stage_.subject().Stats().blocked_by, SendBlockedBy::kCongestionWindow);
  stage_.Take();

  while (stage_.subject().Stats().ptos == 0) stage_.Advance(Duration::Milliseconds(1));

  EXPECT_EQ(CountPackets(stage_.Take()), 2u);
  EXPECT_GT(stage_.subject().Stats().bytes_in_flight, in_flight);
}

TEST_F(RecoveryTest, SecondProbeFitsTheSmallestPath) {
  Write(5'000);
  stage_.Take();

  stage_.Advance(Pto());

  const std::vector<SeenDatagram> probes = stage_.Take();
  ASSERT_GE(probes.size(), 2u);
  EXPECT_GT(probes[0].size(), kMinInitialDatagramBytes);
  EXPECT_LE(probes[1].size(), kMinInitialDatagramBytes);
}

TEST_F(RecoveryTest, WindowIsKeptTo) {
  Write(200'000);

  stage_.Advance(Duration::Milliseconds(1));

  const ConnectionStats stats = stage_.subject().Stats();
  EXPECT_LE(stats.bytes_in_flight, stats.congestion_window_bytes);
  EXPECT_GT(stats.bytes_in_flight + stats.max_datagram_bytes, stats.congestion_window_bytes);
}

TEST_F(RecoveryTest, PersistentCongestionTakesTheWindowToItsLeast) {
  // An RTT, and acknowledgments that come late enough.
  Write("first");
  stage_.Take();
  stage_.Sleep(Duration::Milliseconds(20));
  AckAll();
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 10; ++i) {
    Write("x");
    const std::vector<SeenDatagram> sent = stage_.Take();
    numbers.push_back(sent[0].packets[0].number);
    stage_.Sleep(Duration::Milliseconds(100));
  }

  stage_.Send(raw::Ack(numbers.back(), numbers.back()));

  EXPECT_EQ(stage_.subject().Stats().congestion_window_bytes,
            2 * stage_.subject().Stats().max_datagram_bytes);
}

TEST_F(RecoveryTest, RttIsMeasured) {
  Write("x");
  stage_.Take();
  stage_.Sleep(Duration::Milliseconds(30));

  AckAll();

  EXPECT_EQ(stage_.subject().Stats().latest_rtt, Duration::Milliseconds(30));
}

// RFC 9002 §5.3. The sample of the handshake was 0.
TEST_F(RecoveryTest, NoMoreThanThePromisedAckDelayIsBelieved) {
  Write("x");
  const uint64_t number = stage_.Take().at(0).packets.at(0).number;
  stage_.Sleep(Duration::Milliseconds(100));

  // 80 ms, in units of 8 us.
  stage_.Send(raw::Ack({{number, number}}, 10'000));

  const Duration promised = GenerousParameters().max_ack_delay;
  ASSERT_EQ(promised, Duration::Milliseconds(25));
  const Duration smoothed = stage_.subject().Stats().smoothed_rtt;
  EXPECT_GE(smoothed, (Duration::Milliseconds(100) - promised) / 8);
  EXPECT_LE(smoothed, Duration::Milliseconds(100) / 8);
}

TEST_F(RecoveryTest, AckDelayOfAnHourDoesNotSpoilTheRtt) {
  Write("x");
  stage_.Take();
  stage_.Sleep(Duration::Milliseconds(30));
  const uint64_t last = *stage_.puppet().seen_numbers(kOneRtt).rbegin();

  stage_.Send(raw::Ack({{last, last}}, kMaxVarint));

  ExpectOpen(stage_);
  EXPECT_GE(stage_.subject().Stats().smoothed_rtt, Duration::Zero());
  EXPECT_LE(stage_.subject().Stats().smoothed_rtt, Duration::Milliseconds(30));
}

TEST_F(RecoveryTest, ResetIsRepeatedUntilItIsAcknowledged) {
  Write("hello");
  stage_.Take();
  ASSERT_TRUE(stage_.subject().ResetStream(id_, 42).ok());
  EXPECT_EQ(CountFrames(stage_.Take(), FrameKind::kResetStream), 1u);

  stage_.Advance(Duration::Seconds(1));
  const std::vector<SeenDatagram> again = stage_.Take();
  EXPECT_GE(CountFrames(again, FrameKind::kResetStream), 1u);
  EXPECT_EQ(CountFrames(again, FrameKind::kStream), 0u);
  AckAll();
  stage_.Advance(Duration::Seconds(1));

  EXPECT_EQ(CountFrames(stage_.Take(), FrameKind::kResetStream), 0u);
}

TEST_F(RecoveryTest, DatagramsAreNotSentAgain) {
  ASSERT_TRUE(stage_.subject().SendDatagram(BytesOf("now")).ok());
  EXPECT_EQ(CountFrames(stage_.Take(), FrameKind::kDatagram), 1u);

  stage_.Advance(Duration::Seconds(3));

  const std::vector<SeenDatagram> probes = stage_.Take();
  EXPECT_EQ(CountFrames(probes, FrameKind::kDatagram), 0u);
  EXPECT_GE(CountFrames(probes, FrameKind::kPing), 1u);
}

TEST_F(RecoveryTest, AcknowledgmentOfUnknownSpaceDoesNothing) {
  // Initial and Handshake numbers are gone; the same numbers of the application's space are not.
  Write("hello");
  stage_.Take();
  const uint64_t in_flight = stage_.subject().Stats().bytes_in_flight;

  stage_.SendAt(EncryptionLevel::kHandshake, raw::Ack(0));

  EXPECT_EQ(stage_.drops(), std::vector{DropReason::kKeysDiscarded});
  EXPECT_EQ(stage_.subject().Stats().bytes_in_flight, in_flight);
}

}  // namespace
}  // namespace godwit
