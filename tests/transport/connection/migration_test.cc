// SPDX-License-Identifier: Apache-2.0
//
// A peer that appears elsewhere: path validation and what goes with it, in packets. RFC 9000 §8.2,
// §9.

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "congestion/rtt_estimator.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

using Kind = ConnectionEvent::Kind;

constexpr EncryptionLevel kOneRtt = EncryptionLevel::kOneRtt;

// Of those, what went to `path`.
std::vector<const SeenDatagram*> To(const FourTuple& path,
                                    const std::vector<SeenDatagram>& datagrams) {
  std::vector<const SeenDatagram*> chosen;
  for (const SeenDatagram& datagram : datagrams) {
    if (datagram.four_tuple == path) chosen.push_back(&datagram);
  }
  return chosen;
}

const PathChallengeFrame* ChallengeTo(const FourTuple& path,
                                      const std::vector<SeenDatagram>& datagrams) {
  for (const SeenDatagram* datagram : To(path, datagrams)) {
    if (const auto* const frame = datagram->Find<PathChallengeFrame>()) return frame;
  }
  return nullptr;
}

class MigrationTest : public testing::Test {
 protected:
  explicit MigrationTest(const StageOptions& options = {}) : stage_(options) {
    stage_.CompleteHandshake();
    // Ids for paths to come.
    stage_.Send(raw::Join(raw::NewConnectionId(1, 0, 1), raw::NewConnectionId(2, 0, 2),
                          raw::NewConnectionId(3, 0, 3)));
    stage_.Advance(Duration::Milliseconds(100));
    stage_.Settle();
    stage_.Take();
  }

  // A packet from the new place that says nothing but that the puppet is there.
  void Move(const FourTuple& path, size_t size = kMinInitialDatagramBytes) {
    stage_.MovePuppet(path);
    stage_.SendPacket({.frames = raw::Ping(), .min_size = size});
  }
  // The puppet answers all challenges that it was sent, from where it is.
  void AnswerChallenges(const std::vector<SeenDatagram>& datagrams) {
    for (const SeenDatagram& datagram : datagrams) {
      if (const auto* const frame = datagram.Find<PathChallengeFrame>()) {
        stage_.SendPacket(
            {.frames = raw::PathResponse(frame->data), .min_size = kMinInitialDatagramBytes});
      }
    }
  }

  PuppetStage stage_;
  const FourTuple port_ = stage_.PathWithPuppetPort(1);
  const FourTuple ip_ = stage_.PathWithPuppetIp(1);
};

// RFC 9002 §7.6.2, RFC 9000 §9.4: the RTT of the old path says nothing about the new one.
TEST_F(MigrationTest, LossesBeforeTheFirstSampleOfAPathAreNoPersistentCongestion) {
  Move(ip_);
  AnswerChallenges(stage_.Take());
  stage_.Advance(Duration::Milliseconds(100));
  stage_.Send(raw::Ping());
  stage_.Take();
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage_.subject().WriteStream(id, BytesOf("hello")).ok());
  stage_.Take();
  while (stage_.subject().Stats().ptos < 2) stage_.Advance(Duration::Milliseconds(10));
  const std::vector<SeenDatagram> probes = stage_.Take();
  ASSERT_GE(probes.size(), 4u);
  const uint64_t window_before = stage_.subject().Stats().congestion_window_bytes;

  stage_.Sleep(Duration::Milliseconds(5));
  const uint64_t last = probes.back().packets[0].number;
  stage_.Send(raw::Ack(last, last));

  EXPECT_GE(stage_.subject().Stats().packets_lost, 2u);
  EXPECT_GT(stage_.subject().Stats().congestion_window_bytes, window_before / 2);
}

TEST_F(MigrationTest, NewPortIsFollowedAndChallenged) {
  Move(port_);
  const std::vector<SeenDatagram> sent = stage_.Take();

  EXPECT_EQ(stage_.subject().four_tuple(), port_);
  EXPECT_EQ(stage_.CountEvents(Kind::kPathChanged), 1u);
  EXPECT_EQ(stage_.subject().Stats().path_changes, 1u);
  EXPECT_NE(ChallengeTo(port_, sent), nullptr);
  // RFC 9000 §9.3.3: the packet may be a copy.
  EXPECT_NE(ChallengeTo(stage_.first_path(), sent), nullptr);
}

TEST_F(MigrationTest, ChallengeIsExpandedIfCreditAllows) {
  Move(port_);
  const std::vector<SeenDatagram> sent = stage_.Take();

  for (const SeenDatagram* datagram : To(port_, sent)) {
    if (datagram->Has(FrameKind::kPathChallenge)) {
      EXPECT_GE(datagram->size(), kMinInitialDatagramBytes);
    }
  }
}

TEST_F(MigrationTest, ChallengeIsSmallIfCreditDoesNotAllowMore) {
  Move(port_, 60);

  const std::vector<SeenDatagram> sent = stage_.Take();

  ASSERT_NE(ChallengeTo(port_, sent), nullptr);
  EXPECT_LE(stage_.bytes_to(port_), 3u * 60u);
}

TEST_F(MigrationTest, SmallChallengeIsFollowedByAFullOne) {
  Move(port_, 60);
  AnswerChallenges(stage_.Take());

  const std::vector<SeenDatagram> sent = stage_.Take();

  ASSERT_NE(ChallengeTo(port_, sent), nullptr);
  EXPECT_GE(To(port_, sent)[0]->size(), kMinInitialDatagramBytes);
}

// What cannot be sent with that credit must not be waited for with a deadline that has passed.
TEST_F(MigrationTest, EveryLittleCreditIsLivedWith) {
  for (uint16_t i = 0; i < 60; ++i) {
    Move(stage_.PathWithPuppetPort(static_cast<uint16_t>(i + 1)), i);
    stage_.Send(raw::Ping());
    stage_.Advance(Duration::Milliseconds(100));
  }

  ExpectOpen(stage_);
}

TEST_F(MigrationTest, PortChangeKeepsWhatIsKnownOfThePath) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage_.subject().WriteStream(id, raw::Bytes(30'000)).ok());
  stage_.Advance(Duration::Milliseconds(20));
  stage_.Settle();
  const ConnectionStats before = stage_.subject().Stats();

  Move(port_);

  const ConnectionStats after = stage_.subject().Stats();
  EXPECT_EQ(after.congestion_window_bytes, before.congestion_window_bytes);
  EXPECT_EQ(after.smoothed_rtt, before.smoothed_rtt);
  EXPECT_EQ(after.max_datagram_bytes, before.max_datagram_bytes);
}

TEST_F(MigrationTest, AddressChangeForgetsIt) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(stage_.subject().WriteStream(id, raw::Bytes(20'000)).ok());
    stage_.Advance(Duration::Milliseconds(20));
    stage_.Settle();
  }
  const ConnectionStats before = stage_.subject().Stats();
  const PuppetStage fresh;

  Move(ip_);

  const ConnectionStats after = stage_.subject().Stats();
  EXPECT_NE(after.congestion_window_bytes, before.congestion_window_bytes);
  EXPECT_EQ(after.max_datagram_bytes, kMinInitialDatagramBytes);
  EXPECT_EQ(after.bytes_in_flight, 0u);
  EXPECT_EQ(after.smoothed_rtt, kInitialRtt);
}

TEST_F(MigrationTest, NewAddressGetsAnUnusedConnectionId) {
  Move(ip_);
  const std::vector<SeenDatagram> sent = stage_.Take();

  const std::vector<const SeenDatagram*> there = To(ip_, sent);
  ASSERT_FALSE(there.empty());
  EXPECT_NE(there[0]->packets[0].dcid, stage_.puppet().ids().local);
}

TEST_F(MigrationTest, NoMoreThanThreeTimesWhatCameFromAnAddressGoesThere) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage_.subject().WriteStream(id, raw::Bytes(50'000)).ok());

  Move(ip_, 500);
  stage_.Advance(Duration::Milliseconds(500));

  EXPECT_LE(stage_.bytes_to(ip_), 1500u);
  EXPECT_EQ(stage_.subject().Stats().blocked_by, SendBlockedBy::kAmplification);
}

TEST_F(MigrationTest, AnswerLiftsTheLimit) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage_.subject().WriteStream(id, raw::Bytes(10'000)).ok());
  Move(ip_);
  AnswerChallenges(stage_.Take());

  stage_.Advance(Duration::Milliseconds(100));

  EXPECT_GT(stage_.bytes_to(ip_), 6 * kMinInitialDatagramBytes);
}

TEST_F(MigrationTest, WrongAnswerDoesNot) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(stage_.subject().WriteStream(id, raw::Bytes(50'000)).ok());
  Move(ip_);
  stage_.Take();

  stage_.SendPacket({.frames = raw::PathResponse(raw::Bytes(8, 0x31))});
  stage_.Advance(Duration::Milliseconds(500));

  ExpectOpen(stage_);
  EXPECT_LE(stage_.bytes_to(ip_), 3 * (kMinInitialDatagramBytes + 100));
}

TEST_F(MigrationTest, AddressThatDoesNotAnswerIsLeft) {
  Move(ip_);
  stage_.Pump();
  EXPECT_EQ(stage_.subject().four_tuple(), ip_);

  stage_.Advance(Duration::Seconds(5));

  EXPECT_EQ(stage_.subject().four_tuple(), stage_.first_path());
  ExpectOpen(stage_);
  EXPECT_EQ(stage_.CountEvents(Kind::kPathChanged), 2u);
}

TEST_F(MigrationTest, NextPacketOfTheTruePathTurnsBack) {
  Move(ip_);
  stage_.Pump();

  Move(stage_.first_path());

  EXPECT_EQ(stage_.subject().four_tuple(), stage_.first_path());
}

TEST_F(MigrationTest, OlderPacketFromElsewhereMovesNothing) {
  const raw::Bytes older = stage_.puppet().Seal({.frames = raw::Ping()});
  stage_.Send(raw::Ping());

  stage_.MovePuppet(ip_);
  stage_.Deliver(older);

  EXPECT_EQ(stage_.subject().four_tuple(), stage_.first_path());
}

TEST_F(MigrationTest, ProbingPacketMovesNothingAndIsAnsweredThere) {
  stage_.MovePuppet(ip_);
  stage_.SendPacket({.frames = raw::PathChallenge(7), .min_size = kMinInitialDatagramBytes});
  const std::vector<SeenDatagram> sent = stage_.Take();

  EXPECT_EQ(stage_.subject().four_tuple(), stage_.first_path());
  const std::vector<const SeenDatagram*> there = To(ip_, sent);
  ASSERT_FALSE(there.empty());
  const auto* const response = there[0]->Find<PathResponseFrame>();
  ASSERT_NE(response, nullptr);
  EXPECT_EQ(TextOf(response->data), std::string(8, 7));
  EXPECT_GE(there[0]->size(), kMinInitialDatagramBytes);
  EXPECT_FALSE(there[0]->Has(FrameKind::kAck));
}

TEST_F(MigrationTest, ForgedPacketFromElsewhereMovesNothing) {
  raw::Bytes forged = stage_.puppet().Seal({.frames = raw::Ping(), .min_size = 1200});
  forged.back() ^= 1;

  stage_.MovePuppet(ip_);
  stage_.Deliver(forged);

  EXPECT_TRUE(stage_.Take().empty());
  EXPECT_EQ(stage_.subject().four_tuple(), stage_.first_path());
}

TEST_F(MigrationTest, ChallengeOnTheOnlyPathIsAnsweredAtOnce) {
  const std::vector<SeenDatagram> sent = stage_.Exchange(raw::PathChallenge(9));

  const auto* const response = FindFrame<PathResponseFrame>(sent);
  ASSERT_NE(response, nullptr);
  EXPECT_EQ(TextOf(response->data), std::string(8, 9));
  EXPECT_GE(sent[0].size(), kMinInitialDatagramBytes);
}

TEST_F(MigrationTest, ResponseIsNotRepeatedWhenItIsLost) {
  EXPECT_EQ(CountFrames(stage_.Exchange(raw::PathChallenge(9)), FrameKind::kPathResponse), 1u);

  stage_.Advance(Duration::Seconds(10));

  EXPECT_EQ(CountFrames(stage_.Take(), FrameKind::kPathResponse), 0u);
}

TEST_F(MigrationTest, ChallengeIsRepeatedWhileThereIsHope) {
  Move(ip_);
  stage_.Take();

  stage_.Advance(Duration::Seconds(2));

  EXPECT_NE(ChallengeTo(ip_, stage_.Take()), nullptr);
}

TEST_F(MigrationTest, UnaskedResponsesAreIgnored) {
  for (int i = 0; i < 100; ++i) stage_.Send(raw::PathResponse(raw::Bytes(8, 1)));

  ExpectOpen(stage_);
}

TEST_F(MigrationTest, RebindingEveryPacketIsSurvived) {
  for (uint16_t i = 1; i <= 500; ++i) {
    Move(stage_.PathWithPuppetPort(i));
    AnswerChallenges(stage_.Take());
    stage_.Advance(Duration::Milliseconds(10));
  }

  ExpectOpen(stage_);
  stage_.Send(raw::Stream(0, 0, BytesOf("here")));
  EXPECT_EQ(TextOf(stage_.ReadAll(StreamId(0))), "here");
}

TEST_F(MigrationTest, NewAddressWithEachPacketIsSurvived) {
  for (int i = 0; i < 1000; ++i) {
    Move(stage_.PathWithPuppetIp(static_cast<uint8_t>(i)));
    stage_.Pump();
  }
  EXPECT_LE(stage_.subject().held_bytes(), 10'000u);
  Move(stage_.first_path());
  AnswerChallenges(stage_.Take());

  ExpectOpen(stage_);
  EXPECT_EQ(stage_.subject().four_tuple(), stage_.first_path());
}

TEST_F(MigrationTest, PeerWithOneConnectionIdCanStillRebind) {
  PuppetStage stage;
  stage.CompleteHandshake();

  stage.MovePuppet(port_);
  stage.SendPacket({.frames = raw::Ping(), .min_size = kMinInitialDatagramBytes});

  EXPECT_NE(ChallengeTo(port_, stage.Take()), nullptr);
}

// ---- Where it is forbidden ----

TEST(MigrationForbiddenTest, BeforeTheHandshakeIsConfirmed) {
  PuppetStage stage;
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  stage.Pump();
  stage.MovePuppet(stage.PathWithPuppetPort(1));

  stage.SendAt(EncryptionLevel::kHandshake, raw::Ping());

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kMigrationForbidden});
  EXPECT_EQ(stage.subject().four_tuple(), stage.first_path());
}

TEST(MigrationForbiddenTest, ByConfiguration) {
  StageOptions options;
  options.config.allows_migration = false;
  PuppetStage stage(options);
  stage.CompleteHandshake();
  stage.MovePuppet(stage.PathWithPuppetPort(1));

  stage.Send(raw::Ping());

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kMigrationForbidden});
}

TEST(MigrationForbiddenTest, OfAServer) {
  PuppetStage stage({.subject = Perspective::kClient});
  stage.CompleteHandshake();
  stage.MovePuppet(stage.PathWithPuppetPort(1));

  stage.Send(raw::Ping());

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kUnknownPeerAddress});
}

// ---- MTU discovery: RFC 9000 §14.3 ----

StageOptions MtuOptions(uint64_t max_mtu) {
  StageOptions options;
  options.config.mtu.max_mtu = max_mtu;
  return options;
}

// Until the first probe, which the puppet has not acknowledged.
std::optional<SeenPacket> FirstMtuProbe(PuppetStage& stage) {
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  stage.Pump();
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
  for (SeenDatagram& datagram : stage.Take()) {
    if (datagram.size() > kMinInitialDatagramBytes) return std::move(datagram.packets[0]);
  }
  return std::nullopt;
}

TEST(MtuTest, ProbeGoesAlongWithTheFirstDataAndHasNoneItself) {
  PuppetStage stage(MtuOptions(1452));

  const std::optional<SeenPacket> probe = FirstMtuProbe(stage);

  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(probe->size, 1452u);
  EXPECT_TRUE(probe->Has(FrameKind::kPing));
  EXPECT_TRUE(probe->Has(FrameKind::kPadding));
  EXPECT_EQ(probe->frames.size(), 2u);
}

TEST(MtuTest, ProbeThatArrivesRaisesTheSize) {
  PuppetStage stage(MtuOptions(1452));
  const std::optional<SeenPacket> probe = FirstMtuProbe(stage);
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(stage.subject().Stats().max_datagram_bytes, kMinInitialDatagramBytes);
  const uint64_t payload = stage.subject().max_datagram_payload_bytes();

  stage.Send(raw::Ack(probe->number, probe->number));

  EXPECT_EQ(stage.subject().Stats().max_datagram_bytes, 1452u);
  EXPECT_EQ(stage.subject().max_datagram_payload_bytes(), payload + 252);
  EXPECT_GE(stage.CountEvents(Kind::kMaxDatagramPayloadChanged), 1u);
}

TEST(MtuTest, LostProbeIsNoSignOfCongestion) {
  PuppetStage stage(MtuOptions(1452));
  const std::optional<SeenPacket> probe = FirstMtuProbe(stage);
  ASSERT_TRUE(probe.has_value());
  const StreamId id = *stage.subject().OpenStream(StreamDirection::kUnidirectional);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(stage.subject().WriteStream(id, BytesOf("x")).ok());
    stage.Pump();
  }
  const uint64_t window = stage.subject().Stats().congestion_window_bytes;
  raw::NumberRanges ranges;
  const std::set<uint64_t>& seen = stage.puppet().seen_numbers(kOneRtt);
  ranges.emplace_back(*seen.rbegin(), probe->number + 1);
  if (probe->number > 0) ranges.emplace_back(probe->number - 1, *seen.begin());

  stage.Send(raw::Ack(ranges));

  const ConnectionStats stats = stage.subject().Stats();
  EXPECT_EQ(stats.mtu_probes_lost, 1u);
  EXPECT_GE(stats.congestion_window_bytes, window);
  EXPECT_EQ(stats.max_datagram_bytes, kMinInitialDatagramBytes);
  EXPECT_EQ(stats.bytes_in_flight, 0u);
}

TEST(MtuTest, NothingIsProbedWhereItIsOff) {
  StageOptions options = MtuOptions(1452);
  options.config.mtu.enabled = false;
  PuppetStage stage(options);

  EXPECT_FALSE(FirstMtuProbe(stage).has_value());
}

TEST(MtuTest, PeersLimitIsKept) {
  StageOptions options = MtuOptions(1452);
  options.puppet_parameters.max_udp_payload_size = 1300;
  PuppetStage stage(options);

  const std::optional<SeenPacket> probe = FirstMtuProbe(stage);

  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(probe->size, 1300u);
}

TEST(MtuTest, RefusedSizeLowersIt) {
  PuppetStage stage(MtuOptions(1452));
  stage.CompleteHandshake();
  ASSERT_EQ(stage.subject().Stats().max_datagram_bytes, 1452u);

  stage.subject().OnDatagramTooLarge(1452, stage.now());

  EXPECT_LT(stage.subject().Stats().max_datagram_bytes, 1452u);
}

TEST(MtuTest, LargestDatagramOfTheApplicationFits) {
  PuppetStage stage(MtuOptions(1452));
  stage.CompleteHandshake();
  const uint64_t size = stage.subject().max_datagram_payload_bytes();

  EXPECT_FALSE(stage.subject().SendDatagram(raw::Bytes(size + 1)).ok());
  ASSERT_TRUE(stage.subject().SendDatagram(raw::Bytes(size)).ok());

  const std::vector<SeenDatagram> sent = stage.Take();
  ASSERT_NE(FindFrame<DatagramFrame>(sent), nullptr);
  EXPECT_EQ(FindFrame<DatagramFrame>(sent)->data.size(), size);
}

TEST(MtuTest, PeerThatTakesNoDatagrams) {
  StageOptions options;
  options.puppet_parameters.max_datagram_frame_size = 0;
  PuppetStage stage(options);
  stage.CompleteHandshake();

  EXPECT_EQ(stage.subject().max_datagram_payload_bytes(), 0u);
  EXPECT_FALSE(stage.subject().SendDatagram(BytesOf("x")).ok());
}

}  // namespace
}  // namespace godwit
