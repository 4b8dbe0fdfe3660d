// SPDX-License-Identifier: Apache-2.0
//
// A server's handshake, packet by packet. RFC 9000 §7, §8.1, §12.2, §14.1, §17; RFC 9001 §4, §5.7.

#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/crypto/tls_endpoints.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

using Kind = ConnectionEvent::Kind;

constexpr EncryptionLevel kInitial = EncryptionLevel::kInitial;
constexpr EncryptionLevel kHandshake = EncryptionLevel::kHandshake;

void DeliverFlight(PuppetStage& stage) {
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
}

size_t TotalSize(const std::vector<SeenDatagram>& datagrams) {
  size_t size = 0;
  for (const SeenDatagram& datagram : datagrams) size += datagram.size();
  return size;
}

TEST(ServerHandshakeTest, CompletesInOneRoundTrip) {
  PuppetStage stage;

  DeliverFlight(stage);
  stage.Pump();
  DeliverFlight(stage);

  EXPECT_TRUE(stage.subject().is_handshake_complete());
  EXPECT_TRUE(stage.subject().is_handshake_confirmed());
  EXPECT_TRUE(stage.puppet().tls_result().ok());
  EXPECT_EQ(stage.CountEvents(Kind::kHandshakeComplete), 1u);
  EXPECT_EQ(stage.CountEvents(Kind::kHandshakeConfirmed), 1u);
  EXPECT_EQ(CountFrames(stage.Take(), FrameKind::kHandshakeDone), 1u);
  EXPECT_TRUE(stage.drops().empty());
}

TEST(ServerHandshakeTest, CompletesWithRealTls) {
  TlsEndpoints tls;
  PuppetStage stage({.servers = &tls.server(), .clients = &tls.client()});

  stage.CompleteHandshake();

  EXPECT_TRUE(stage.puppet().tls_result().ok());
  EXPECT_EQ(stage.subject().tls().facts().application_protocol, "echo");
}

TEST(ServerHandshakeTest, FirstAnswerCoalescesItsLevelsAndIsFull) {
  PuppetStage stage;

  DeliverFlight(stage);
  const std::vector<SeenDatagram> answer = stage.Take();

  ASSERT_GE(answer.size(), 1u);
  EXPECT_EQ(answer[0].size(), kMinInitialDatagramBytes);
  ASSERT_EQ(answer[0].packets.size(), 2u);
  EXPECT_EQ(answer[0].packets[0].level, kInitial);
  EXPECT_TRUE(answer[0].packets[0].Has(FrameKind::kAck));
  EXPECT_TRUE(answer[0].packets[0].Has(FrameKind::kCrypto));
  EXPECT_TRUE(answer[0].packets[0].token.empty());
  EXPECT_EQ(answer[0].packets[1].level, kHandshake);
  EXPECT_EQ(answer[0].packets[0].scid, stage.given_ids()[0]);
  EXPECT_EQ(answer[0].packets[0].dcid, stage.puppet().ids().local);
}

TEST(ServerHandshakeTest, NothingIsSaidWithoutAClientHello) {
  PuppetStage stage;

  EXPECT_TRUE(stage.Take().empty());
  stage.SendAt(kInitial, raw::Ping());

  const std::vector<SeenDatagram> answer = stage.Take();
  ASSERT_EQ(answer.size(), 1u);
  EXPECT_TRUE(answer[0].Has(FrameKind::kAck));
  // RFC 9000 §14.1: it elicits no acknowledgment, so that it need not be full.
  EXPECT_LT(answer[0].size(), 100u);
}

TEST(ServerHandshakeTest, ClientHelloInTwoPacketsInWrongOrder) {
  PuppetStage stage({.puppet_tls = {.client_hello_bytes = 1800}});
  std::vector<raw::Bytes> flight = stage.puppet().Flight();
  ASSERT_EQ(flight.size(), 2u);

  stage.Deliver(flight[1]);
  EXPECT_EQ(CountFrames(stage.Take(), FrameKind::kCrypto), 0u);
  stage.Deliver(flight[0]);

  EXPECT_GE(CountFrames(stage.Take(), FrameKind::kCrypto), 2u);
}

TEST(ServerHandshakeTest, ClientHelloInOneByteFrames) {
  PuppetStage stage;
  std::vector<raw::Bytes> frames = stage.puppet().TakeCryptoFrames(kInitial, 1);
  std::reverse(frames.begin(), frames.end());
  raw::Bytes payload;

  for (const raw::Bytes& frame : frames) {
    raw::Append(payload, frame);
    if (payload.size() > 1000) stage.SendAt(kInitial, std::exchange(payload, {}));
  }
  stage.SendAt(kInitial, payload);
  stage.Settle();

  EXPECT_TRUE(stage.subject().is_handshake_complete());
}

// ---- Amplification: RFC 9000 §8.1 ----

class AmplificationTest : public testing::Test {
 protected:
  // A server with more to say than three datagrams.
  PuppetStage stage_{StageOptions{.subject_tls = {.certificate_bytes = 9'000}}};
};

TEST_F(AmplificationTest, ThreeTimesWhatCameIsSentAndNoMore) {
  DeliverFlight(stage_);

  EXPECT_EQ(TotalSize(stage_.Take()), 3 * kMinInitialDatagramBytes);
  EXPECT_EQ(stage_.subject().Stats().blocked_by, SendBlockedBy::kAmplification);
  stage_.Advance(Duration::Seconds(5));
  EXPECT_TRUE(stage_.Take().empty());
}

TEST_F(AmplificationTest, EachDatagramGivesCreditWhateverIsInIt) {
  DeliverFlight(stage_);
  stage_.Pump();
  stage_.Take();

  raw::Bytes garbage(kMinInitialDatagramBytes, 0x00);
  stage_.Deliver(garbage);

  EXPECT_LE(TotalSize(stage_.Take()), 3 * kMinInitialDatagramBytes);
  stage_.Advance(Duration::Seconds(5));
  EXPECT_LE(stage_.bytes_to(stage_.first_path()), 6 * kMinInitialDatagramBytes);
  EXPECT_GT(stage_.bytes_to(stage_.first_path()), 3 * kMinInitialDatagramBytes);
}

TEST_F(AmplificationTest, SmallDatagramsOfAClientGiveLittle) {
  DeliverFlight(stage_);
  stage_.Pump();

  for (int i = 0; i < 12; ++i) {
    stage_.Deliver(raw::Bytes(50, 0x00));
    stage_.Pump();
    EXPECT_LE(stage_.bytes_to(stage_.first_path()), 3 * (kMinInitialDatagramBytes + 50u * (i + 1)));
  }
}

TEST_F(AmplificationTest, AHandshakePacketLiftsTheLimit) {
  DeliverFlight(stage_);
  stage_.Pump();

  stage_.SendAt(kHandshake, raw::Ping());
  stage_.Advance(Duration::Seconds(1));

  EXPECT_GT(TotalSize(stage_.Take()), 9'000u);
}

TEST_F(AmplificationTest, AForgedHandshakePacketDoesNot) {
  DeliverFlight(stage_);
  stage_.Pump();
  raw::Bytes packet = stage_.puppet().Seal({.level = kHandshake, .frames = raw::Ping()});
  packet.back() ^= 1;

  stage_.Deliver(packet);
  stage_.Advance(Duration::Seconds(1));

  EXPECT_LE(stage_.bytes_to(stage_.first_path()), 3 * (kMinInitialDatagramBytes + packet.size()));
}

TEST_F(AmplificationTest, OneByteBelowAFullDatagramSendsNone) {
  // Three times 1200 is used up; 399 bytes give 1197.
  DeliverFlight(stage_);
  stage_.Take();

  stage_.Deliver(raw::Bytes(399, 0x00));
  stage_.Advance(Duration::Seconds(3));
  EXPECT_TRUE(stage_.Take().empty());

  stage_.Deliver(raw::Bytes(1, 0x00));
  stage_.Advance(Duration::Seconds(3));
  EXPECT_EQ(TotalSize(stage_.Take()), kMinInitialDatagramBytes);
}

// A path that is trusted with more than 1200 bytes: what is left for a datagram of the handshake
// goes out, be it less than the path bears.
TEST(LargeMinMtuTest, CreditBelowTheMtuIsUsed) {
  StageOptions options = {.subject_tls = {.certificate_bytes = 9'000}};
  options.config.mtu = {.min_mtu = 1400, .max_mtu = 1400};
  PuppetStage stage(options);
  DeliverFlight(stage);
  const uint64_t odd_bytes = (2 * 1400 + 1300 - 3 * kMinInitialDatagramBytes + 2) / 3;
  stage.Deliver(raw::Bytes(odd_bytes, 0x00));

  stage.Advance(Duration::Seconds(3));

  EXPECT_GT(stage.bytes_to(stage.first_path()), 2 * 1400 + 1200u);
  EXPECT_LE(stage.bytes_to(stage.first_path()), 3 * (kMinInitialDatagramBytes + odd_bytes));
  EXPECT_EQ(stage.subject().Stats().blocked_by, SendBlockedBy::kAmplification);
}

// ---- What is dropped ----

TEST(ServerHandshakeTest, InitialPacketInASmallDatagramIsDropped) {
  PuppetStage stage;
  const std::vector<raw::Bytes> frames = stage.puppet().TakeCryptoFrames(kInitial, 1000);

  stage.Deliver(stage.puppet().Seal(
      {.level = kInitial, .frames = frames[0], .min_size = kMinInitialDatagramBytes - 1}));

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kInitialTooSmall});
  EXPECT_TRUE(stage.Take().empty());
}

TEST(ServerHandshakeTest, PacketsOfAnotherSourceIdAreDropped) {
  PuppetStage stage;

  stage.SendPacket({.level = kInitial,
                    .frames = raw::Ping(),
                    .scid = ConnectionId::FromBytes(raw::Bytes(8, 9))});

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kConnectionIdMismatch});
}

TEST(ServerHandshakeTest, CoalescedPacketForAnotherIdIsDropped) {
  PuppetStage stage;
  const raw::Bytes first = stage.puppet().Seal({.level = kInitial, .frames = raw::Ping()});
  const raw::Bytes second = stage.puppet().Seal({.level = kInitial,
                                                 .frames = raw::Ping(),
                                                 .dcid = ConnectionId::FromBytes(raw::Bytes(8, 9)),
                                                 .min_size = kMinInitialDatagramBytes});

  stage.Deliver(raw::Join(first, second));

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kCoalescedMismatch});
  EXPECT_EQ(stage.subject().Stats().packets_received, 1u);
}

TEST(ServerHandshakeTest, PacketsOfAnotherVersionAreDropped) {
  PuppetStage stage;

  stage.SendPacket({.level = kInitial, .frames = raw::Ping(), .version = 0x0a0a0a0a});

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kUnknownVersion});
}

TEST(ServerHandshakeTest, ZeroRttPacketsAreDropped) {
  PuppetStage stage;
  DeliverFlight(stage);
  const PuppetPeer::Ids& ids = stage.puppet().ids();
  raw::Bytes packet = {0xd0, 0, 0, 0, 1, static_cast<uint8_t>(ids.remote.size())};
  raw::Append(packet, ids.remote.bytes());
  packet.push_back(static_cast<uint8_t>(ids.local.size()));
  raw::Append(packet, ids.local.bytes());
  raw::Append(packet, raw::Join(raw::Varint(100), raw::Bytes(100, 0x5a)));

  stage.Deliver(packet);

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kKeysDiscarded});
}

TEST(ServerHandshakeTest, RetryAndVersionNegotiationFromAClientAreDropped) {
  PuppetStage stage;
  raw::Bytes retry = {0xf0, 0, 0, 0, 1, 0, 0};
  retry.resize(60, 0x5a);
  raw::Bytes negotiation = {0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

  stage.Deliver(retry);
  stage.Deliver(negotiation);

  EXPECT_EQ(stage.drops(),
            (std::vector{DropReason::kRetryInvalid, DropReason::kVersionNegotiationIgnored}));
  ExpectOpen(stage);
}

// ---- Keys that come and go: RFC 9001 §4.9 ----

TEST(ServerHandshakeTest, InitialKeysGoWithTheFirstHandshakePacket) {
  PuppetStage stage;
  DeliverFlight(stage);
  stage.Pump();

  stage.SendAt(kInitial, raw::Ping());
  EXPECT_TRUE(stage.drops().empty());
  stage.SendAt(kHandshake, raw::Ping());
  stage.SendAt(kInitial, raw::Ping());

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kKeysDiscarded});
  EXPECT_EQ(stage.Take().back().packets.front().level, kHandshake);
}

TEST(ServerHandshakeTest, HandshakeKeysGoWithConfirmation) {
  PuppetStage stage;
  stage.CompleteHandshake();

  stage.SendAt(kHandshake, raw::Ping());

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kKeysDiscarded});
}

TEST(ServerHandshakeTest, PacketsThatComeBeforeTheirKeysAreKept) {
  PuppetStage stage;
  DeliverFlight(stage);
  stage.Pump();
  std::vector<raw::Bytes> finished = stage.puppet().Flight();
  const raw::Bytes early =
      stage.puppet().Seal({.frames = raw::Stream(0, 0, BytesOf("early"), /*fin=*/true)});

  stage.Deliver(early);
  EXPECT_TRUE(stage.drops().empty());
  EXPECT_GT(stage.subject().held_bytes(), early.size() - 1);
  for (const raw::Bytes& datagram : finished) stage.Deliver(datagram);

  EXPECT_EQ(TextOf(stage.ReadAll(StreamId(0))), "early");
  EXPECT_TRUE(stage.drops().empty());
}

TEST(ServerHandshakeTest, EarlyPacketInTheDatagramThatBringsItsKeys) {
  PuppetStage stage;
  DeliverFlight(stage);
  stage.Pump();
  raw::Bytes datagram = stage.puppet().Flight().front();
  raw::Append(datagram, stage.puppet().Seal({.frames = raw::Stream(0, 0, BytesOf("early"), true)}));

  stage.Deliver(datagram);

  EXPECT_EQ(TextOf(stage.ReadAll(StreamId(0))), "early");
}

TEST(ServerHandshakeTest, EarlyPacketsAreKeptUpToABound) {
  PuppetStage stage;
  DeliverFlight(stage);
  stage.Pump();
  const uint64_t before = stage.subject().held_bytes();

  for (int i = 0; i < 1000; ++i) {
    stage.Deliver(stage.puppet().Seal({.frames = raw::Padding(1000)}));
  }

  EXPECT_LE(stage.subject().held_bytes() - before, 64'000u);
  ASSERT_FALSE(stage.drops().empty());
  EXPECT_EQ(stage.drops().back(), DropReason::kKeysUnavailable);
  DeliverFlight(stage);
  EXPECT_TRUE(stage.subject().is_handshake_complete());
  EXPECT_LE(stage.subject().held_bytes(), before + 2'000);
}

// ---- HANDSHAKE_DONE and time ----

TEST(ServerHandshakeTest, HandshakeDoneIsRepeatedUntilItIsAcknowledged) {
  PuppetStage stage;
  DeliverFlight(stage);
  stage.Pump();
  DeliverFlight(stage);
  EXPECT_EQ(CountFrames(stage.Take(), FrameKind::kHandshakeDone), 1u);

  stage.Advance(Duration::Seconds(2));
  EXPECT_GE(CountFrames(stage.Take(), FrameKind::kHandshakeDone), 1u);
  stage.Settle();
  stage.Take();

  stage.Advance(Duration::Seconds(10));
  EXPECT_EQ(CountFrames(stage.Take(), FrameKind::kHandshakeDone), 0u);
}

TEST(ServerHandshakeTest, ClientThatGoesAwayIsForgotten) {
  PuppetStage stage;
  DeliverFlight(stage);
  stage.Pump();

  stage.Advance(Duration::Seconds(11));

  EXPECT_EQ(stage.subject().close_phase(), CloseState::Phase::kClosed);
  EXPECT_EQ(stage.subject().close_reason()->cause, CloseReason::Cause::kHandshakeTimeout);
  EXPECT_LE(stage.bytes_to(stage.first_path()), 3 * kMinInitialDatagramBytes);
}

TEST(ServerHandshakeTest, LostFlightIsSentAgain) {
  PuppetStage stage;
  DeliverFlight(stage);
  // The puppet reads, but its answer is lost.
  stage.Pump();
  std::vector<raw::Bytes> lost = stage.puppet().Flight();
  stage.Take();

  stage.Deliver(raw::Bytes(1200));  // Credit.
  stage.Advance(Duration::Seconds(3));

  const std::vector<SeenDatagram> again = stage.Take();
  ASSERT_FALSE(again.empty());
  EXPECT_TRUE(again[0].Has(kInitial));
  EXPECT_TRUE(again[0].Has(kHandshake));
  EXPECT_TRUE(again[0].Has(FrameKind::kCrypto));
  EXPECT_EQ(again[0].size() % kMinInitialDatagramBytes, 0u);
}

TEST(ServerHandshakeTest, ApplicationDataWaitsForTheEndOfTheHandshake) {
  PuppetStage stage;
  DeliverFlight(stage);
  const auto id = stage.subject().OpenStream(StreamDirection::kUnidirectional);
  if (id.ok()) {
    ASSERT_TRUE(stage.subject().WriteStream(*id, BytesOf("secret")).ok());
  }

  EXPECT_EQ(CountFrames(stage.Take(), FrameKind::kStream), 0u);
  EXPECT_FALSE(stage.subject().SendDatagram(BytesOf("secret")).ok());
  EXPECT_FALSE(stage.subject().UpdateKeys(stage.now()).ok());
}

}  // namespace
}  // namespace godwit
