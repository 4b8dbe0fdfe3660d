// SPDX-License-Identifier: Apache-2.0
//
// How a connection ends, in packets. RFC 9000 §10.

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

using Cause = CloseReason::Cause;
using Kind = ConnectionEvent::Kind;
using Phase = CloseState::Phase;

constexpr EncryptionLevel kInitial = EncryptionLevel::kInitial;
constexpr EncryptionLevel kHandshake = EncryptionLevel::kHandshake;
constexpr EncryptionLevel kOneRtt = EncryptionLevel::kOneRtt;

void DeliverFlight(PuppetStage& stage) {
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
}

class CloseTest : public testing::Test {
 protected:
  CloseTest() { stage_.CompleteHandshake(); }

  PuppetStage stage_;
};

TEST_F(CloseTest, ApplicationsWordsArrive) {
  stage_.subject().Close(77, "enough", stage_.now());

  const std::vector<SeenDatagram> sent = stage_.Take();

  ASSERT_EQ(CountPackets(sent), 1u);
  EXPECT_EQ(sent[0].packets[0].level, kOneRtt);
  const auto* const close = FindFrame<ConnectionCloseFrame>(sent);
  ASSERT_NE(close, nullptr);
  EXPECT_EQ(close->error_space, ErrorSpace::kApplication);
  EXPECT_EQ(close->error_code, 77u);
  EXPECT_EQ(TextOf(close->reason_phrase), "enough");
  EXPECT_EQ(stage_.subject().close_phase(), Phase::kClosing);
}

TEST_F(CloseTest, EverythingElseStops) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage_.subject().WriteStream(id, BytesOf("unsent")).ok());
  stage_.subject().Close(1, "", stage_.now());

  EXPECT_EQ(CountFrames(stage_.Take(), FrameKind::kStream), 0u);
  EXPECT_FALSE(stage_.subject().WriteStream(id, BytesOf("late")).ok());
  EXPECT_FALSE(stage_.subject().OpenStream(StreamDirection::kBidirectional).ok());
  EXPECT_FALSE(stage_.subject().SendDatagram(BytesOf("late")).ok());
  EXPECT_FALSE(stage_.subject().UpdateKeys(stage_.now()).ok());
  EXPECT_EQ(stage_.subject().wanted_connection_ids(), 0u);
}

TEST_F(CloseTest, LongReasonIsCutToThePacket) {
  stage_.subject().Close(1, std::string(5000, 'x'), stage_.now());

  const std::vector<SeenDatagram> sent = stage_.Take();

  ASSERT_EQ(sent.size(), 1u);
  EXPECT_LE(sent[0].size(), kMinInitialDatagramBytes);
  EXPECT_GT(FindFrame<ConnectionCloseFrame>(sent)->reason_phrase.size(), 500u);
}

TEST_F(CloseTest, RepliesBecomeRare) {
  stage_.subject().Close(1, "", stage_.now());
  stage_.Take();
  size_t replies = 0;

  for (int i = 0; i < 1000; ++i) {
    stage_.Send(raw::Ping());
    replies += CountPackets(stage_.Take());
  }

  EXPECT_GE(replies, 5u);
  EXPECT_LE(replies, 10u);
}

TEST_F(CloseTest, RepliesTakeAtMostThreeTimesTheBytesThatCame) {
  stage_.subject().Close(1, std::string(1000, 'x'), stage_.now());
  stage_.Take();
  uint64_t received = 0;
  uint64_t replied = 0;

  for (int i = 0; i < 500; ++i) {
    stage_.Deliver(raw::Bytes(21, 0x41));
    received += 21;
    for (const SeenDatagram& datagram : stage_.Take()) replied += datagram.size();
    EXPECT_LE(replied, 3 * received);
  }

  EXPECT_GT(replied, 0u);
}

TEST_F(CloseTest, ClosingEndsAfterThreePtos) {
  stage_.subject().Close(1, "", stage_.now());
  stage_.Pump();
  const Timestamp end = stage_.subject().next_deadline();
  EXPECT_GT(end, stage_.now());

  stage_.Advance(end - stage_.now());

  EXPECT_EQ(stage_.subject().close_phase(), Phase::kClosed);
  EXPECT_EQ(stage_.subject().next_deadline(), Timestamp::Infinite());
  stage_.Take();
  stage_.Send(raw::Ping());
  EXPECT_TRUE(stage_.Take().empty());
}

TEST_F(CloseTest, PeersCloseEndsInSilence) {
  stage_.Send(raw::ApplicationClose(5, "bye"));

  EXPECT_EQ(stage_.subject().close_phase(), Phase::kDraining);
  EXPECT_EQ(*stage_.subject().close_reason(), (CloseReason{.cause = Cause::kPeerApplication,
                                                           .error_space = ErrorSpace::kApplication,
                                                           .error_code = 5,
                                                           .reason = "bye"}));
  EXPECT_EQ(stage_.CountEvents(Kind::kClosed), 1u);
  for (int i = 0; i < 100; ++i) stage_.Send(raw::Ping());
  EXPECT_TRUE(stage_.Take().empty());
  stage_.Advance(Duration::Seconds(2));
  EXPECT_EQ(stage_.subject().close_phase(), Phase::kClosed);
  EXPECT_TRUE(stage_.Take().empty());
}

TEST_F(CloseTest, PeersTransportErrorIsTold) {
  stage_.Send(raw::ConnectionClose(0x0a, 0x08, "you did wrong"));

  EXPECT_EQ(*stage_.subject().close_reason(), (CloseReason{.cause = Cause::kPeerTransportError,
                                                           .error_code = 0x0a,
                                                           .frame_type = 0x08,
                                                           .reason = "you did wrong"}));
}

TEST_F(CloseTest, FramesBehindThePeersCloseDoNoHarm) {
  stage_.Send(raw::Join(raw::ApplicationClose(5, "bye"), raw::Stream(0, 0, BytesOf("x")),
                        raw::Varint(0x4242)));

  EXPECT_EQ(stage_.subject().close_phase(), Phase::kDraining);
  EXPECT_EQ(stage_.subject().close_reason()->cause, Cause::kPeerApplication);
  EXPECT_TRUE(stage_.Take().empty());
}

TEST_F(CloseTest, BothCloseAtOnce) {
  stage_.subject().Close(1, "mine", stage_.now());
  stage_.Take();

  stage_.Send(raw::ApplicationClose(5, "yours"));

  EXPECT_EQ(stage_.subject().close_reason()->cause, Cause::kApplication);
  EXPECT_EQ(stage_.CountEvents(Kind::kClosed), 1u);
}

TEST_F(CloseTest, DataThatCameBeforeTheCloseCanBeRead) {
  stage_.Send(raw::Join(raw::Stream(0, 0, BytesOf("last words"), /*fin=*/true),
                        raw::ApplicationClose(0, "")));

  EXPECT_EQ(TextOf(stage_.ReadAll(StreamId(0))), "last words");
}

TEST_F(CloseTest, EventsThatWaitComeBeforeTheLastOne) {
  stage_.Send(raw::Join(raw::Stream(0, 0, BytesOf("x")), raw::ApplicationClose(0, "")));

  EXPECT_EQ(stage_.events().back().kind, Kind::kClosed);
  EXPECT_EQ(stage_.CountEvents(StreamEvent::Kind::kReadable), 1u);
}

// ---- During the handshake: RFC 9000 §10.2.3 ----

TEST(CloseInHandshakeTest, ServerSaysItAtEveryLevelThatItHas) {
  PuppetStage stage;
  DeliverFlight(stage);
  stage.Pump();
  stage.Take();

  stage.Deliver(raw::Bytes(1200));  // Credit.
  stage.subject().Close(77, "secret", stage.now());
  const std::vector<SeenDatagram> sent = stage.Take();

  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].Has(kInitial));
  EXPECT_TRUE(sent[0].Has(kHandshake));
  for (const SeenPacket& packet : sent[0].packets) {
    const auto* const close = packet.Find<ConnectionCloseFrame>();
    ASSERT_NE(close, nullptr);
    if (packet.level == kOneRtt) continue;
    EXPECT_EQ(close->error_space, ErrorSpace::kTransport);
    EXPECT_EQ(close->error_code, 0x0cu);  // APPLICATION_ERROR
    EXPECT_TRUE(close->reason_phrase.empty());
  }
}

TEST(CloseInHandshakeTest, ClientsInitialPacketIsFull) {
  PuppetStage stage({.subject = Perspective::kClient});
  stage.Take();

  stage.subject().Close(77, "secret", stage.now());
  const std::vector<SeenDatagram> sent = stage.Take();

  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].size(), kMinInitialDatagramBytes);
  EXPECT_TRUE(sent[0].Has(FrameKind::kConnectionClose));
}

TEST(CloseInHandshakeTest, CloseStaysWithinTheLimitOnAmplification) {
  PuppetStage stage({.subject_tls = {.certificate_bytes = 9'000}});
  DeliverFlight(stage);
  stage.Pump();

  stage.SendPacket({.level = kInitial, .frames = raw::Varint(0x4242)});
  for (int i = 0; i < 200; ++i) {
    stage.Deliver(raw::Bytes(30, 0x41));
    stage.Pump();
  }

  EXPECT_EQ(stage.subject().close_phase(), Phase::kClosing);
  EXPECT_LE(stage.bytes_to(stage.first_path()), 3 * (2 * kMinInitialDatagramBytes + 200 * 30));
}

TEST(CloseInHandshakeTest, CloseThatHasNoCreditDoesNoHarm) {
  PuppetStage stage({.subject_tls = {.certificate_bytes = 9'000}});
  DeliverFlight(stage);
  stage.Pump();
  stage.Take();

  // Three times 1200 is used up.
  stage.subject().Close(1, "", stage.now());
  EXPECT_TRUE(stage.Take().empty());
  stage.Deliver(raw::Bytes(10, 0x41));
  EXPECT_TRUE(stage.Take().empty());
  stage.Advance(Duration::Seconds(10));

  EXPECT_EQ(stage.subject().close_phase(), Phase::kClosed);
}

TEST(CloseInHandshakeTest, CloseGoesOutOnceThereIsCredit) {
  PuppetStage stage({.subject_tls = {.certificate_bytes = 9'000}});
  DeliverFlight(stage);
  stage.Pump();
  stage.Take();
  stage.subject().Close(1, "", stage.now());
  ASSERT_TRUE(stage.Take().empty());

  stage.Deliver(raw::Bytes(100, 0x41));

  EXPECT_NE(FindFrame<ConnectionCloseFrame>(stage.Take()), nullptr);
}

TEST(CloseInHandshakeTest, PeersCloseInAnInitialPacket) {
  PuppetStage stage;

  stage.SendAt(kInitial, raw::ConnectionClose(0x0c, 0, ""));

  EXPECT_EQ(stage.subject().close_phase(), Phase::kDraining);
  // RFC 9000 §10.2.3: APPLICATION_ERROR stands for an application's close.
  EXPECT_EQ(stage.subject().close_reason()->cause, Cause::kPeerApplication);
}

// ---- Stateless reset: RFC 9000 §10.3.1 ----

raw::Bytes StatelessReset(size_t size, const raw::Bytes& token) {
  raw::Bytes bytes(size - token.size(), 0x5b);
  raw::Append(bytes, token);
  return bytes;
}

// A client with an empty connection id: every datagram from its server is for it.
class StatelessResetTest : public testing::Test {
 protected:
  StatelessResetTest()
      : stage_({.subject = Perspective::kClient,
                .edit_parameters =
                    [](TransportParameters& p) {
                      const raw::Bytes token(16, 0x77);
                      p.stateless_reset_token = StatelessResetToken(std::span(token).first<16>());
                    },
                .subject_id_bytes = 0}) {
    stage_.CompleteHandshake();
  }

  const raw::Bytes token_ = raw::Bytes(16, 0x77);
  PuppetStage stage_;
};

TEST_F(StatelessResetTest, EndsTheConnectionInSilence) {
  stage_.Deliver(StatelessReset(43, token_));

  EXPECT_EQ(stage_.subject().close_phase(), Phase::kDraining);
  EXPECT_EQ(stage_.subject().close_reason()->cause, Cause::kStatelessReset);
  EXPECT_EQ(stage_.CountEvents(Kind::kClosed), 1u);
  EXPECT_TRUE(stage_.Take().empty());
}

TEST_F(StatelessResetTest, OfTheLeastSize) {
  stage_.Deliver(StatelessReset(21, token_));

  EXPECT_EQ(stage_.subject().close_phase(), Phase::kDraining);
}

TEST_F(StatelessResetTest, InABatchWithOtherPackets) {
  stage_.DeliverBatch({stage_.puppet().Seal({.frames = raw::Ping()}), StatelessReset(100, token_),
                       stage_.puppet().Seal({.frames = raw::Ping()})});

  EXPECT_EQ(stage_.subject().close_phase(), Phase::kDraining);
}

TEST_F(StatelessResetTest, BelowTheLeastSizeIsNone) {
  stage_.Deliver(StatelessReset(20, token_));

  ExpectOpen(stage_);
}

TEST_F(StatelessResetTest, WithAnotherTokenIsDropped) {
  raw::Bytes token = token_;
  token[15] ^= 1;

  stage_.Deliver(StatelessReset(43, token));

  ExpectOpen(stage_);
  EXPECT_EQ(stage_.drops(), std::vector{DropReason::kDecryptFailed});
}

TEST_F(StatelessResetTest, TokenOfAnIdThatIsNotUsedIsDropped) {
  const raw::Bytes token(16, 0x66);
  stage_.Send(raw::NewConnectionId({.sequence_number = 1, .id = {1, 2, 3, 4}, .token = token}));

  stage_.Deliver(StatelessReset(43, token));
  ExpectOpen(stage_);

  // Now that id is used.
  stage_.subject().RotateConnectionIds();
  stage_.Deliver(StatelessReset(43, token));
  EXPECT_EQ(stage_.subject().close_phase(), Phase::kDraining);
}

TEST_F(StatelessResetTest, TokenInsideOfAnAuthenticPacketIsData) {
  stage_.Send(raw::Stream(1, 0, token_));

  ExpectOpen(stage_);
}

TEST_F(StatelessResetTest, EndpointCanAskToo) {
  EXPECT_FALSE(stage_.subject().OnPossibleStatelessReset(StatelessResetToken(), stage_.now()));
  ExpectOpen(stage_);

  EXPECT_TRUE(stage_.subject().OnPossibleStatelessReset(
      StatelessResetToken(std::span(token_).first<16>()), stage_.now()));

  EXPECT_EQ(stage_.subject().close_phase(), Phase::kDraining);
}

// ---- Idle timeout: RFC 9000 §10.1 ----

StageOptions IdleOptions(Duration timeout, Duration keep_alive) {
  StageOptions options;
  options.config.idle = {.max_idle_timeout = timeout, .keep_alive_interval = keep_alive};
  return options;
}

TEST(IdleTimeoutTest, EndsInSilence) {
  PuppetStage stage(IdleOptions(Duration::Seconds(30), Duration::Zero()));
  stage.CompleteHandshake();

  stage.Advance(Duration::Seconds(29));
  ExpectOpen(stage);
  stage.Advance(Duration::Seconds(1));

  EXPECT_EQ(stage.subject().close_phase(), Phase::kClosed);
  EXPECT_EQ(stage.subject().close_reason()->cause, Cause::kIdleTimeout);
  EXPECT_TRUE(stage.Take().empty());
}

TEST(IdleTimeoutTest, SmallerOfBothCounts) {
  StageOptions options = IdleOptions(Duration::Seconds(30), Duration::Zero());
  options.puppet_parameters.max_idle_timeout = Duration::Seconds(5);
  PuppetStage stage(options);
  stage.CompleteHandshake();

  stage.Advance(Duration::Seconds(5));

  EXPECT_EQ(stage.subject().close_phase(), Phase::kClosed);
}

TEST(IdleTimeoutTest, PacketsOfThePeerProlongIt) {
  PuppetStage stage(IdleOptions(Duration::Seconds(30), Duration::Zero()));
  stage.CompleteHandshake();

  for (int i = 0; i < 5; ++i) {
    stage.Advance(Duration::Seconds(20));
    stage.Send(raw::Padding(1));
  }

  ExpectOpen(stage);
}

TEST(IdleTimeoutTest, ForgedPacketsDoNot) {
  PuppetStage stage(IdleOptions(Duration::Seconds(30), Duration::Zero()));
  stage.CompleteHandshake();

  for (int i = 0; i < 5; ++i) {
    stage.Advance(Duration::Seconds(10));
    raw::Bytes forged = stage.puppet().Seal({.frames = raw::Ping()});
    forged.back() ^= 1;
    stage.Deliver(forged);
  }

  EXPECT_EQ(stage.subject().close_phase(), Phase::kClosed);
}

TEST(IdleTimeoutTest, KeepAliveSendsPings) {
  PuppetStage stage(IdleOptions(Duration::Seconds(30), Duration::Seconds(10)));
  stage.CompleteHandshake();

  stage.Advance(Duration::Seconds(9));
  EXPECT_TRUE(stage.Take().empty());
  stage.Advance(Duration::Seconds(2));

  EXPECT_GE(CountFrames(stage.Take(), FrameKind::kPing), 1u);
}

TEST(IdleTimeoutTest, KeepAliveWithAPeerThatAnswersNeverEnds) {
  PuppetStage stage(IdleOptions(Duration::Seconds(30), Duration::Seconds(10)));
  stage.CompleteHandshake();

  for (int i = 0; i < 200; ++i) {
    stage.Advance(Duration::Seconds(1));
    stage.Settle();
  }

  ExpectOpen(stage);
}

TEST(IdleTimeoutTest, PeerThatIsGoneIsNoticedHoweverMuchWeSend) {
  PuppetStage stage(IdleOptions(Duration::Seconds(30), Duration::Seconds(10)));
  stage.CompleteHandshake();

  stage.Advance(Duration::Seconds(45));

  EXPECT_EQ(stage.subject().close_phase(), Phase::kClosed);
}

TEST(IdleTimeoutTest, WithoutATimeoutNothingEnds) {
  StageOptions options = IdleOptions(Duration::Zero(), Duration::Zero());
  options.puppet_parameters.max_idle_timeout = Duration::Zero();
  PuppetStage stage(options);
  stage.CompleteHandshake();

  stage.Advance(Duration::Seconds(100'000));

  ExpectOpen(stage);
}

}  // namespace
}  // namespace godwit
