// SPDX-License-Identifier: Apache-2.0
//
// How connections begin: on good paths, on bad ones, and not at all. RFC 9000 §7, §8.1.
#include <cstdint>
#include <set>
#include <string>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

PairConfig Config(Duration one_way_delay = Duration::Milliseconds(25)) {
  PairConfig config;
  config.Link(Broadband(one_way_delay));
  config.client.app.streams = {{.bytes = 1'000}};
  config.server.app.answers = {.kind = AnswerPlan::Kind::kBytes, .bytes = 2'000};
  return config;
}

Duration After(EndpointPair& pair, Timestamp time) {
  return pair.simulation().elapsed() - (pair.simulation().now() - time);
}

// Drops the first `count` datagrams of a link that `skip` others precede.
void DropSome(SimLink& link, uint64_t skip, uint64_t count) {
  link.SetDropFilter([skip, count, seen = uint64_t{0}](const SimPacket&) mutable {
    ++seen;
    return seen > skip && seen <= skip + count;
  });
}

TEST(HandshakeSimTest, TakesOneRoundTrip) {
  EndpointPair pair(Config());

  ASSERT_TRUE(pair.Run(Duration::Seconds(1)));

  EXPECT_LT(After(pair, pair.client_record().completed_at), Duration::Milliseconds(52));
  EXPECT_LT(After(pair, pair.server_record().completed_at), Duration::Milliseconds(77));
  EXPECT_LT(After(pair, pair.client_record().confirmed_at), Duration::Milliseconds(102));
}

TEST(HandshakeSimTest, TakesOneRoundTripWithRealTls) {
  PairConfig config = Config();
  config.simulation.tls = TlsKind::kReal;
  EndpointPair pair(config);

  ASSERT_TRUE(pair.Run(Duration::Seconds(1)));

  EXPECT_LT(After(pair, pair.client_record().completed_at), Duration::Milliseconds(52));
}

TEST(HandshakeSimTest, TheSameSeedGivesTheSameTrace) {
  for (const TlsKind tls : {TlsKind::kDeterministic, TlsKind::kReal}) {
    std::set<uint64_t> hashes;
    for (int run = 0; run < 2; ++run) {
      PairConfig config = Config();
      config.simulation.tls = tls;
      config.up.loss = Chance::Percent(10);
      config.down.corrupt = Chance::Percent(10);
      config.client.app.streams = Bulk(100'000);
      EndpointPair pair(config);
      ASSERT_TRUE(pair.Run(Duration::Seconds(20)));
      hashes.insert(pair.simulation().trace().hash());
    }
    EXPECT_EQ(hashes.size(), 1u);
  }
}

TEST(HandshakeSimTest, SucceedsUnder30PercentLossBothWays) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    PairConfig config = Config();
    config.simulation.seed = seed;
    config.up.loss = Chance::Percent(30);
    config.down.loss = Chance::Percent(30);
    config.client.endpoint.connection.handshake_timeout = Duration::Seconds(60);
    config.server.endpoint.connection.handshake_timeout = Duration::Seconds(60);
    EndpointPair pair(config);

    EXPECT_TRUE(pair.Run(Duration::Seconds(30))) << "seed " << seed;
  }
}

TEST(HandshakeSimTest, ALostFirstFlightIsSentAgain) {
  EndpointPair pair(Config());
  DropSome(pair.up(), 0, 1);

  // The first probe timeout is three times the initial RTT of 333 ms.
  EXPECT_TRUE(pair.Run(Duration::Milliseconds(1'300)));
}

TEST(HandshakeSimTest, ALostServerFlightIsSentAgain) {
  EndpointPair pair(Config());
  DropSome(pair.down(), 0, 2);

  EXPECT_TRUE(pair.Run(Duration::Milliseconds(2'500)));
}

TEST(HandshakeSimTest, ALostClientFinishedIsSentAgain) {
  EndpointPair pair(Config());
  DropSome(pair.up(), 1, 2);

  EXPECT_TRUE(pair.Run(Duration::Milliseconds(1'500)));
}

// The window is then full of 1-RTT packets that the server cannot open, and so nothing that it
// acknowledges makes room.
TEST(HandshakeSimTest, ALostClientFinishedIsSentAgainPastAFullWindow) {
  PairConfig config = Config();
  config.client.app.streams = Bulk(100'000);
  EndpointPair pair(config);
  int finished_count = 0;
  pair.simulation().observer().SetFrameHook([&](const ObservedPacket& packet, const Frame& frame) {
    if (packet.sender != Perspective::kClient || packet.level != EncryptionLevel::kHandshake ||
        frame.kind() != FrameKind::kCrypto || ++finished_count > 2) {
      return;
    }
    pair.up().SetDropFilter(
        [lost = packet.datagram->number](const SimPacket& sent) { return sent.number == lost; });
  });

  EXPECT_TRUE(pair.Run(Duration::Seconds(3)));

  EXPECT_GT(finished_count, 2);
}

TEST(HandshakeSimTest, ALostServerHelloIsSentAgainPastAFullWindow) {
  PairConfig config = Config();
  config.simulation.deterministic_tls.certificate_bytes = 3'500;
  EndpointPair pair(config);
  int hello_count = 0;
  pair.simulation().observer().SetFrameHook([&](const ObservedPacket& packet, const Frame& frame) {
    if (packet.sender != Perspective::kServer || packet.level != EncryptionLevel::kInitial ||
        frame.kind() != FrameKind::kCrypto || ++hello_count > 4) {
      return;
    }
    pair.down().SetDropFilter(
        [lost = packet.datagram->number](const SimPacket& sent) { return sent.number == lost; });
  });

  EXPECT_TRUE(pair.Run(Duration::Seconds(20)));

  EXPECT_GT(hello_count, 4);
}

// A datagram that is padded to its full size, with a STREAM frame in it that nearly fills it.
TEST(HandshakeSimTest, FirstDataOfEverySizeArrivesWhole) {
  for (uint64_t bytes = 900; bytes <= 1'200; ++bytes) {
    PairConfig config = Config();
    config.client.app.streams = {{.bytes = bytes}};
    EndpointPair pair(config);

    ASSERT_TRUE(pair.Run(Duration::Seconds(1))) << bytes << " bytes";
  }
}

TEST(HandshakeSimTest, ALostHandshakeDoneIsSentAgain) {
  PairConfig config = Config();
  EndpointPair pair(config);
  pair.simulation().observer().SetFrameHook([&](const ObservedPacket& packet, const Frame& frame) {
    if (frame.kind() != FrameKind::kHandshakeDone) return;
    pair.down().SetDropFilter(
        [first = packet.datagram->number](const SimPacket& sent) { return sent.number == first; });
    pair.simulation().observer().SetFrameHook(nullptr);
  });

  ASSERT_TRUE(pair.RunToHandshake(Duration::Seconds(1)));

  EXPECT_EQ(pair.simulation().trace().CountOf("drop: chosen"), 1u);
}

TEST(HandshakeSimTest, AClientHelloMaySpanTwoInitials) {
  PairConfig config = Config();
  config.simulation.deterministic_tls.client_hello_bytes = 1'800;
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(1)));

  EXPECT_LT(After(pair, pair.client_record().completed_at), Duration::Milliseconds(52));
}

TEST(HandshakeSimTest, AClientHelloInTwoInitialsMayArriveInTheWrongOrder) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    PairConfig config = Config();
    config.simulation.seed = seed;
    config.simulation.deterministic_tls.client_hello_bytes = 1'800;
    config.up.reorder = Chance::Percent(50);
    EndpointPair pair(config);

    EXPECT_TRUE(pair.Run(Duration::Seconds(3))) << "seed " << seed;
  }
}

TEST(HandshakeSimTest, ALargeCertificateWaitsForTheClientsAnswer) {
  PairConfig config = Config();
  config.simulation.deterministic_tls.certificate_bytes = 9'000;
  EndpointPair pair(config);

  ASSERT_TRUE(pair.Run(Duration::Seconds(1)));

  // One round trip for 3 datagrams of the flight, one for the rest.
  EXPECT_LT(After(pair, pair.client_record().completed_at), Duration::Milliseconds(160));
}

TEST(HandshakeSimTest, TheAmplificationLimitIsNoDeadlock) {
  PairConfig config = Config();
  config.simulation.deterministic_tls.certificate_bytes = 9'000;
  EndpointPair pair(config);
  // The server has spent its credit, and what would give it more is lost: RFC 9002 §6.2.2.1.
  DropSome(pair.up(), 1, 3);

  EXPECT_TRUE(pair.Run(Duration::Seconds(6)));
}

TEST(HandshakeSimTest, EverythingMayComeTwice) {
  PairConfig config = Config();
  config.up.duplicate = Chance::Always();
  config.down.duplicate = Chance::Always();
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(1)));

  EXPECT_EQ(pair.server().endpoint().stats().connections_accepted, 1u);
}

TEST(HandshakeSimTest, HalfOfThePacketsMayBeOvertaken) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    PairConfig config = Config();
    config.simulation.seed = seed;
    config.up.reorder = Chance::Percent(50);
    config.down.reorder = Chance::Percent(50);
    EndpointPair pair(config);

    EXPECT_TRUE(pair.Run(Duration::Seconds(2))) << "seed " << seed;
  }
}

TEST(HandshakeSimTest, ATenthOfThePacketsMayBeCorrupt) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    PairConfig config = Config();
    config.simulation.seed = seed;
    config.up.corrupt = Chance::Percent(10);
    config.down.corrupt = Chance::Percent(10);
    EndpointPair pair(config);

    EXPECT_TRUE(pair.Run(Duration::Seconds(12))) << "seed " << seed;
  }
}

TEST(HandshakeSimTest, ARoundTripMayTakeALongTime) {
  EndpointPair pair(Config(Duration::Milliseconds(750)));

  ASSERT_TRUE(pair.Run(Duration::Seconds(8)));

  EXPECT_LT(After(pair, pair.client_record().completed_at), Duration::Milliseconds(1'600));
}

TEST(HandshakeSimTest, AClientMayUseEmptyConnectionIds) {
  PairConfig config = Config();
  config.client.connection_id_bytes = 0;
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(1)));
}

TEST(HandshakeSimTest, ConnectionIdsMayHaveTwentyBytes) {
  PairConfig config = Config();
  config.client.connection_id_bytes = 20;
  config.server.connection_id_bytes = 20;
  EndpointPair pair(config);

  EXPECT_TRUE(pair.Run(Duration::Seconds(1)));
}

TEST(HandshakeSimTest, AClientThatNobodyAnswersGivesUp) {
  PairConfig config = Config();
  config.down.loss = Chance::Always();
  EndpointPair pair(config);

  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(25)));

  EXPECT_EQ(pair.client().endpoint().connection_count(), 0u);
  EXPECT_EQ(pair.server().endpoint().connection_count(), 0u);
  ASSERT_TRUE(pair.client_record().close_reason.has_value());
  EXPECT_EQ(pair.client_record().close_reason->cause, CloseReason::Cause::kHandshakeTimeout);
}

TEST(HandshakeSimTest, ManyClientsConnectAtOnce) {
  PairConfig config = Config();
  config.simulation.observes_packets = false;
  EndpointPair pair(config);
  for (int i = 0; i < 49; ++i) pair.Connect();

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(2)));

  EXPECT_EQ(pair.server().endpoint().stats().connections_accepted, 50u);
}

}  // namespace
}  // namespace godwit
