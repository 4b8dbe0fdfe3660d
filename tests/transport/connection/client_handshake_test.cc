// SPDX-License-Identifier: Apache-2.0
//
// A client's handshake, packet by packet. RFC 9000 §6.2, §7, §8.1, §14.1, §17.2; RFC 9001 §4.9.

#include <cstdint>
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

StageOptions Client() { return {.subject = Perspective::kClient}; }

void DeliverFlight(PuppetStage& stage) {
  for (const raw::Bytes& datagram : stage.puppet().Flight()) stage.Deliver(datagram);
}

raw::Bytes VersionNegotiation(const ConnectionId& dcid, const ConnectionId& scid,
                              std::initializer_list<uint8_t> versions) {
  raw::Bytes bytes = {0xca, 0, 0, 0, 0, static_cast<uint8_t>(dcid.size())};
  raw::Append(bytes, dcid.bytes());
  bytes.push_back(static_cast<uint8_t>(scid.size()));
  raw::Append(bytes, scid.bytes());
  for (const uint8_t version : versions) raw::Append(bytes, raw::Bytes{0, 0, 0, version});
  return bytes;
}

TEST(ClientHandshakeTest, FirstDatagramIsOneFullInitialPacket) {
  PuppetStage stage(Client());

  const std::vector<SeenDatagram> sent = stage.Take();

  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].size(), kMinInitialDatagramBytes);
  ASSERT_EQ(sent[0].packets.size(), 1u);
  EXPECT_EQ(sent[0].packets[0].level, kInitial);
  EXPECT_EQ(sent[0].packets[0].dcid, stage.puppet().ids().original_destination);
  EXPECT_EQ(sent[0].packets[0].scid, stage.given_ids()[0]);
  EXPECT_TRUE(sent[0].packets[0].Has(FrameKind::kCrypto));
  EXPECT_TRUE(sent[0].packets[0].token.empty());
}

TEST(ClientHandshakeTest, LargeClientHelloTakesTwoFullDatagrams) {
  PuppetStage stage({.subject = Perspective::kClient, .subject_tls = {.client_hello_bytes = 1800}});

  const std::vector<SeenDatagram> sent = stage.Take();

  ASSERT_EQ(sent.size(), 2u);
  for (const SeenDatagram& datagram : sent) {
    EXPECT_EQ(datagram.size(), kMinInitialDatagramBytes);
    EXPECT_TRUE(datagram.Has(FrameKind::kCrypto));
  }
  stage.CompleteHandshake();
}

TEST(ClientHandshakeTest, CompletesInOneRoundTripAndIsConfirmedByTheServer) {
  PuppetStage stage(Client());
  stage.Pump();
  DeliverFlight(stage);
  const std::vector<SeenDatagram> finished = stage.Take();

  EXPECT_TRUE(stage.subject().is_handshake_complete());
  EXPECT_FALSE(stage.subject().is_handshake_confirmed());
  EXPECT_EQ(stage.CountEvents(Kind::kHandshakeComplete), 1u);
  EXPECT_EQ(finished.back().packets.front().dcid, stage.puppet().ids().local);
  stage.Send(raw::HandshakeDone());
  EXPECT_TRUE(stage.subject().is_handshake_confirmed());
  EXPECT_EQ(stage.CountEvents(Kind::kHandshakeConfirmed), 1u);
}

TEST(ClientHandshakeTest, CompletesWithRealTls) {
  TlsEndpoints tls;
  PuppetStage stage(
      {.subject = Perspective::kClient, .servers = &tls.server(), .clients = &tls.client()});

  stage.CompleteHandshake();

  EXPECT_EQ(stage.subject().tls().facts().application_protocol, "echo");
}

TEST(ClientHandshakeTest, WorksWithAnEmptyConnectionId) {
  PuppetStage stage({.subject = Perspective::kClient, .subject_id_bytes = 0});

  stage.CompleteHandshake();

  EXPECT_EQ(stage.subject().wanted_connection_ids(), 0u);
  stage.Send(raw::Stream(1, 0, BytesOf("hello")));
  EXPECT_EQ(TextOf(stage.ReadAll(StreamId(1))), "hello");
}

TEST(ClientHandshakeTest, EveryDatagramWithAnInitialPacketIsFull) {
  PuppetStage stage({.subject = Perspective::kClient, .puppet_tls = {.certificate_bytes = 5000}});
  for (int round = 0; round < 5; ++round) {
    for (const SeenDatagram& datagram : stage.Take()) {
      if (!datagram.Has(kInitial)) continue;
      EXPECT_EQ(datagram.size(), kMinInitialDatagramBytes);
    }
    // Only the first datagram arrives, so that Initial packets go on for a while.
    const std::vector<raw::Bytes> flight = stage.puppet().Flight();
    if (!flight.empty()) stage.Deliver(flight.front());
    stage.Advance(Duration::Milliseconds(300));
  }
}

TEST(ClientHandshakeTest, InitialKeysGoWithTheFirstHandshakePacketThatIsSent) {
  PuppetStage stage(Client());
  stage.Pump();
  DeliverFlight(stage);

  stage.SendAt(kInitial, raw::Ping());
  EXPECT_TRUE(stage.drops().empty());
  stage.Pump();
  stage.SendAt(kInitial, raw::Ping());

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kKeysDiscarded});
}

TEST(ClientHandshakeTest, HandshakeKeysGoWithHandshakeDone) {
  PuppetStage stage(Client());
  stage.Settle();
  stage.SendAt(kHandshake, raw::Ping());
  EXPECT_TRUE(stage.drops().empty());

  stage.Send(raw::HandshakeDone());
  stage.SendAt(kHandshake, raw::Ping());

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kKeysDiscarded});
}

TEST(ClientHandshakeTest, HandshakePacketsBeforeTheServersInitialAreKept) {
  PuppetStage stage(Client());
  stage.Pump();
  // Both levels in datagrams of their own, the first one late.
  PuppetPeer& server = stage.puppet();
  const raw::Bytes initial =
      server.Seal({.level = kInitial, .frames = server.TakeCryptoFrames(kInitial, 2000).front()});
  std::vector<raw::Bytes> handshake;
  for (const raw::Bytes& frame : server.TakeCryptoFrames(kHandshake, 900)) {
    handshake.push_back(server.Seal({.level = kHandshake, .frames = frame}));
  }

  for (const raw::Bytes& packet : handshake) stage.Deliver(packet);
  EXPECT_TRUE(stage.drops().empty());
  stage.Deliver(initial);

  EXPECT_TRUE(stage.subject().is_handshake_complete());
  EXPECT_TRUE(stage.drops().empty());
}

// ---- The deadlock of a client that has nothing to send: RFC 9002 §6.2.2.1 ----

TEST(ClientHandshakeTest, ProbesWithInitialPacketsThoughNothingIsInFlight) {
  PuppetStage stage(Client());
  stage.Pump();
  stage.Take();
  // The server says no more than this, for want of credit.
  stage.SendAt(kInitial, stage.puppet().AckOfAllSeen(kInitial));

  stage.Advance(Duration::Seconds(2));

  const std::vector<SeenDatagram> probes = stage.Take();
  ASSERT_FALSE(probes.empty());
  EXPECT_EQ(probes[0].size(), kMinInitialDatagramBytes);
  EXPECT_TRUE(probes[0].Has(kInitial));
  EXPECT_TRUE(probes[0].Has(FrameKind::kPing));
}

TEST(ClientHandshakeTest, ProbesWithHandshakePacketsOnceItHasTheKeys) {
  PuppetStage stage(Client());
  stage.Pump();
  PuppetPeer& server = stage.puppet();
  stage.SendAt(kInitial, raw::Join(server.AckOfAllSeen(kInitial),
                                   server.TakeCryptoFrames(kInitial, 2000).front()));
  stage.Pump();
  stage.SendAt(kInitial, server.AckOfAllSeen(kInitial));
  stage.Take();

  stage.Advance(Duration::Seconds(2));

  const std::vector<SeenDatagram> probes = stage.Take();
  ASSERT_FALSE(probes.empty());
  EXPECT_TRUE(probes[0].Has(kHandshake));
}

// RFC 9002 §6.2.2.1.
TEST(ClientHandshakeTest, ProbesEndOnceTheServerAcknowledgesAHandshakePacket) {
  PuppetStage stage(Client());
  stage.Pump();
  PuppetPeer& server = stage.puppet();
  stage.SendAt(kInitial, raw::Join(server.AckOfAllSeen(kInitial),
                                   server.TakeCryptoFrames(kInitial, 2000).front()));
  while (server.seen_numbers(kHandshake).empty()) {
    stage.Advance(Duration::Milliseconds(1));
    stage.Pump();
  }

  stage.SendAt(kHandshake, server.AckOfAllSeen(kHandshake));
  const uint64_t ptos = stage.subject().Stats().ptos;
  stage.Advance(Duration::Seconds(5));

  EXPECT_EQ(stage.subject().Stats().ptos, ptos);
}

// RFC 9002 §6.2.1: the server may not have been able to say more.
TEST(ClientHandshakeTest, InitialPacketDoesNotEndTheBackoff) {
  PuppetStage stage(Client());
  while (stage.subject().Stats().ptos < 2) stage.Advance(Duration::Milliseconds(10));
  stage.Pump();
  const Timestamp deadline = stage.subject().next_deadline();

  stage.SendAt(kInitial, raw::Ping());
  while (stage.subject().Stats().ptos < 3) stage.Advance(Duration::Milliseconds(10));

  EXPECT_GE(stage.now(), deadline);
}

TEST(ClientHandshakeTest, LostClientHelloIsSentAgain) {
  PuppetStage stage(Client());
  stage.Pump();
  stage.Take();

  stage.Advance(Duration::Milliseconds(1'100));

  const std::vector<SeenDatagram> again = stage.Take();
  ASSERT_FALSE(again.empty());
  const CryptoFrame* const frame = FindFrame<CryptoFrame>(again);
  ASSERT_NE(frame, nullptr);
  EXPECT_EQ(frame->offset_bytes, 0u);
  EXPECT_EQ(again[0].size(), kMinInitialDatagramBytes);
}

// ---- What is dropped ----

TEST(ClientHandshakeTest, InitialPacketWithATokenIsDropped) {
  PuppetStage stage(Client());
  stage.Pump();

  stage.SendPacket({.level = kInitial, .frames = raw::Ping(), .token = {1, 2, 3}});

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kUnexpectedToken});
}

TEST(ClientHandshakeTest, SecondSourceIdOfTheServerIsDropped) {
  PuppetStage stage(Client());
  stage.Pump();
  stage.SendAt(kInitial, raw::Ping());

  stage.SendPacket({.level = kInitial,
                    .frames = raw::Ping(),
                    .scid = ConnectionId::FromBytes(raw::Bytes(8, 9))});

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kConnectionIdMismatch});
}

TEST(ClientHandshakeTest, DatagramsFromAnotherServerAreDropped) {
  PuppetStage stage(Client());
  stage.Pump();
  stage.MovePuppet(stage.PathWithPuppetIp(9));

  DeliverFlight(stage);

  for (const DropReason drop : stage.drops()) EXPECT_EQ(drop, DropReason::kUnknownPeerAddress);
  EXPECT_FALSE(stage.drops().empty());
  EXPECT_FALSE(stage.subject().is_handshake_complete());
}

// ---- Version Negotiation: RFC 9000 §6.2 ----

TEST(ClientHandshakeTest, VersionNegotiationWithoutOurVersionEndsTheAttempt) {
  PuppetStage stage(Client());
  stage.Take();

  stage.Deliver(
      VersionNegotiation(stage.given_ids()[0], stage.puppet().ids().original_destination, {2, 3}));

  EXPECT_EQ(stage.subject().close_phase(), CloseState::Phase::kClosed);
  EXPECT_EQ(stage.subject().close_reason()->cause, CloseReason::Cause::kVersionNegotiation);
  EXPECT_EQ(stage.CountEvents(Kind::kClosed), 1u);
  EXPECT_TRUE(stage.Take().empty());
}

TEST(ClientHandshakeTest, VersionNegotiationWithOurVersionIsIgnored) {
  PuppetStage stage(Client());
  stage.Pump();

  stage.Deliver(
      VersionNegotiation(stage.given_ids()[0], stage.puppet().ids().original_destination, {2, 1}));

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kVersionNegotiationIgnored});
  ExpectOpen(stage);
}

TEST(ClientHandshakeTest, VersionNegotiationForOtherIdsIsIgnored) {
  PuppetStage stage(Client());
  stage.Pump();
  const ConnectionId other = *ConnectionId::FromBytes(raw::Bytes(8, 9));

  stage.Deliver(VersionNegotiation(stage.given_ids()[0], other, {2}));
  stage.Deliver(VersionNegotiation(other, stage.puppet().ids().original_destination, {2}));

  EXPECT_EQ(stage.drops(), std::vector(2, DropReason::kVersionNegotiationIgnored));
  ExpectOpen(stage);
}

TEST(ClientHandshakeTest, VersionNegotiationAfterAServersPacketIsIgnored) {
  PuppetStage stage(Client());
  stage.Pump();
  stage.SendAt(kInitial, raw::Ping());

  stage.Deliver(
      VersionNegotiation(stage.given_ids()[0], stage.puppet().ids().original_destination, {2}));

  EXPECT_EQ(stage.drops(), std::vector{DropReason::kVersionNegotiationIgnored});
  ExpectOpen(stage);
}

TEST(ClientHandshakeTest, ServerThatNeverAnswersIsGivenUp) {
  PuppetStage stage(Client());

  stage.Advance(Duration::Seconds(11));

  EXPECT_EQ(stage.subject().close_reason()->cause, CloseReason::Cause::kHandshakeTimeout);
  const size_t datagrams = stage.Take().size();
  EXPECT_GE(datagrams, 8u);
  EXPECT_LE(datagrams, 20u);
}

}  // namespace
}  // namespace godwit
