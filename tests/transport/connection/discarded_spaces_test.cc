// SPDX-License-Identifier: Apache-2.0
//
// What counts of packet number spaces whose keys are gone: when they last asked for an answer, and
// what of them was acknowledged. RFC 9002 §6.2.2.1, §6.4, §7.6.2.

#include <cstdint>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

constexpr EncryptionLevel kInitial = EncryptionLevel::kInitial;
constexpr EncryptionLevel kHandshake = EncryptionLevel::kHandshake;
constexpr EncryptionLevel kOneRtt = EncryptionLevel::kOneRtt;

// With one sample: 80 + 4 * 40.
constexpr Duration kPtoOf80Milliseconds = Duration::Milliseconds(240);

// The server acknowledges what it has seen and gives the client its Handshake keys. The client
// answers with an acknowledgment alone, and with that discards the Initial keys.
void AnswerAfter80Milliseconds(PuppetStage& stage) {
  PuppetPeer& server = stage.puppet();
  stage.Sleep(Duration::Milliseconds(80));
  stage.SendAt(kInitial, raw::Join(server.AckOfAllSeen(kInitial),
                                   server.TakeCryptoFrames(kInitial, 2000).front()));
  stage.SendAt(kHandshake, raw::Ping());
  const std::vector<SeenDatagram> answer = stage.Take();
  ASSERT_TRUE(answer.back().Has(kHandshake));
  stage.SendAt(kInitial, raw::Ping());
  ASSERT_EQ(stage.drops().back(), DropReason::kKeysDiscarded);
}

// A client with Handshake keys has nothing in flight that elicits an answer, and no Initial keys
// any more. Its timer against the deadlock runs on from its last Initial packet.
TEST(DiscardedSpacesTest, TimerCountsFromTheLastPacketOfADiscardedSpace) {
  PuppetStage stage({.subject = Perspective::kClient});
  stage.Pump();
  const Timestamp last_initial = stage.now();

  AnswerAfter80Milliseconds(stage);

  EXPECT_EQ(stage.subject().next_deadline(), last_initial + kPtoOf80Milliseconds);
}

// RFC 9002 §6.2.2.
TEST(DiscardedSpacesTest, BackoffBeginsAnew) {
  PuppetStage stage({.subject = Perspective::kClient});
  while (stage.subject().Stats().ptos < 2) stage.Advance(Duration::Milliseconds(1));
  stage.Pump();
  const Timestamp last_initial = stage.now();

  AnswerAfter80Milliseconds(stage);

  EXPECT_EQ(stage.subject().Stats().latest_rtt, Duration::Milliseconds(80));
  EXPECT_LE(stage.subject().next_deadline(), last_initial + kPtoOf80Milliseconds);
}

class DiscardedHandshakeTest : public testing::Test {
 protected:
  DiscardedHandshakeTest() {
    stage_.Settle();
    // What is sent together with the packet of the first RTT sample does not count.
    stage_.Sleep(Duration::Milliseconds(10));
    id_ = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  }

  // The number of the packet that carries it.
  uint64_t Write(std::string_view text) {
    EXPECT_TRUE(stage_.subject().WriteStream(id_, BytesOf(text)).ok());
    uint64_t number = 0;
    for (const SeenDatagram& datagram : stage_.Take()) {
      for (const SeenPacket& packet : datagram.packets) {
        if (packet.level == kOneRtt) number = packet.number;
      }
    }
    return number;
  }
  void HaveAHandshakePacketAcknowledged() {
    stage_.SendAt(kHandshake, raw::Ping());
    stage_.Take();
    stage_.SendAt(kHandshake, stage_.puppet().AckOfAllSeen(kHandshake));
  }
  // The first and the second packet are lost, of which one was sent before and one after the time
  // in which the handshake was going on.
  void LoseBothSides(uint64_t last) {
    stage_.Send(raw::Ack(last, last));
    EXPECT_GE(stage_.subject().Stats().packets_lost, 2u);
  }

  PuppetStage stage_{StageOptions{.subject = Perspective::kClient}};
  StreamId id_;
};

TEST_F(DiscardedHandshakeTest, LongSilenceIsPersistentCongestion) {
  Write("a");
  stage_.Sleep(Duration::Seconds(2));
  stage_.Send(raw::HandshakeDone());
  Write("b");
  Write("c");
  Write("d");

  LoseBothSides(Write("e"));

  EXPECT_EQ(stage_.subject().Stats().congestion_window_bytes, 2 * kMinInitialDatagramBytes);
}

TEST_F(DiscardedHandshakeTest, AcknowledgedHandshakePacketInBetweenDisprovesIt) {
  Write("a");
  stage_.Sleep(Duration::Seconds(1));
  HaveAHandshakePacketAcknowledged();
  stage_.Sleep(Duration::Seconds(1));
  stage_.Send(raw::HandshakeDone());
  Write("b");
  Write("c");
  Write("d");

  LoseBothSides(Write("e"));

  EXPECT_GT(stage_.subject().Stats().congestion_window_bytes, 2 * kMinInitialDatagramBytes);
}

}  // namespace
}  // namespace godwit
