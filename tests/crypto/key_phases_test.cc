// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_phases.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

#include "base/packet_number.h"
#include "base/protocol_errors.h"
#include "base/seeded_random.h"
#include "tests/crypto/key_phases_peers.h"

namespace godwit {
namespace {

TEST(KeyPhasesTest, PacketsAreOpenedInBothDirections) {
  Pair pair;

  EXPECT_TRUE(pair.server.Accepts(pair.client.Send(), At(0)));
  EXPECT_TRUE(pair.client.Accepts(pair.server.Send(), At(0)));
  EXPECT_EQ(pair.client.keys.generation(), 0u);
  EXPECT_FALSE(pair.client.keys.key_phase());
  EXPECT_EQ(pair.client.keys.next_deadline(), Timestamp::Infinite());
}

// A server that has not yet the client's Finished message.
TEST(KeyPhasesTest, TheWriteSecretAloneSuffices) {
  KeyPhases keys;
  keys.InstallWriteSecret(ServerSecret());
  Packet packet = MakePlainPacket(0, false);
  const OutgoingPacket outgoing = Outgoing(packet);

  EXPECT_TRUE(keys.can_seal());
  EXPECT_FALSE(keys.can_open());
  EXPECT_TRUE(keys.PrepareToSeal(1, At(0)).ok());
  EXPECT_TRUE(keys.ProtectTrain({&outgoing, 1}));
  EXPECT_EQ(keys.next_deadline(), Timestamp::Infinite());
  EXPECT_FALSE(keys.can_initiate_update(At(0)));
  EXPECT_TRUE(Client().Accepts(packet, At(0)));
  keys.CheckInvariants();
}

TEST(KeyPhasesTest, TheReadSecretMayComeFirst) {
  KeyPhases keys;
  keys.InstallReadSecret(ServerSecret());
  const bool can_open_before = keys.can_open();
  keys.CheckInvariants();

  keys.InstallWriteSecret(ClientSecret());

  EXPECT_FALSE(can_open_before);
  EXPECT_TRUE(keys.can_open());
  keys.CheckInvariants();
}

// RFC 9001 §6.1
TEST(KeyPhasesTest, UpdateNeedsAConfirmedHandshakeAndAnAcknowledgment) {
  Endpoint client = Client();
  const Packet packet = client.Send();

  EXPECT_FALSE(client.keys.InitiateUpdate(At(0)));
  client.keys.OnHandshakeConfirmed();
  EXPECT_FALSE(client.keys.InitiateUpdate(At(0)));
  ASSERT_TRUE(client.keys.OnAckReceived(PacketNumber(packet.number), 0, At(0), kPto).ok());
  EXPECT_TRUE(client.keys.can_initiate_update(At(0)));
  EXPECT_TRUE(client.keys.InitiateUpdate(At(0)));

  EXPECT_EQ(client.keys.generation(), 1u);
  EXPECT_TRUE(client.keys.key_phase());
}

TEST(KeyPhasesTest, AnAcknowledgmentWithoutConfirmedHandshakePermitsNoUpdate) {
  Endpoint client = Client();
  const Packet packet = client.Send();
  ASSERT_TRUE(client.keys.OnAckReceived(PacketNumber(packet.number), 0, At(0), kPto).ok());

  EXPECT_FALSE(client.keys.InitiateUpdate(At(0)));
  EXPECT_EQ(client.keys.generation(), 0u);
}

// RFC 9001 §6.2
TEST(KeyPhasesTest, ThePeerFollowsAnUpdate) {
  Pair pair;
  pair.Exchange(pair.client, pair.server, At(0));
  ASSERT_TRUE(pair.client.keys.InitiateUpdate(At(1)));

  EXPECT_TRUE(pair.server.Accepts(pair.client.Send(), At(2)));
  EXPECT_EQ(pair.server.keys.generation(), 1u);
  EXPECT_TRUE(pair.server.keys.key_phase());
  EXPECT_TRUE(pair.client.Accepts(pair.server.Send(), At(3)));
  EXPECT_EQ(pair.client.keys.generation(), 1u);
}

TEST(KeyPhasesTest, BothMayUpdateAtOnce) {
  Pair pair;
  pair.Exchange(pair.client, pair.server, At(0));
  pair.Exchange(pair.server, pair.client, At(0));
  ASSERT_TRUE(pair.client.keys.InitiateUpdate(At(1)));
  ASSERT_TRUE(pair.server.keys.InitiateUpdate(At(1)));

  EXPECT_TRUE(pair.server.Accepts(pair.client.Send(), At(2)));
  EXPECT_TRUE(pair.client.Accepts(pair.server.Send(), At(2)));
  EXPECT_EQ(pair.client.keys.generation(), 1u);
  EXPECT_EQ(pair.server.keys.generation(), 1u);
}

// RFC 9001 §6.1, §6.5
TEST(KeyPhasesTest, ASecondUpdateWaitsForAnAcknowledgmentAndThreePto) {
  Pair pair;
  pair.Exchange(pair.client, pair.server, At(0));
  ASSERT_TRUE(pair.client.keys.InitiateUpdate(At(0)));
  pair.client.keys.OnTimeout(At(0));

  EXPECT_FALSE(pair.client.keys.InitiateUpdate(At(10000)));
  pair.Exchange(pair.client, pair.server, At(10000));
  EXPECT_FALSE(pair.client.keys.InitiateUpdate(At(10299)));
  EXPECT_TRUE(pair.client.keys.InitiateUpdate(At(10300)));

  EXPECT_EQ(pair.client.keys.generation(), 2u);
}

// RFC 9001 §6.1: the acknowledgment must be for a packet of the current phase.
TEST(KeyPhasesTest, AnAcknowledgmentOfThePreviousPhasePermitsNoUpdate) {
  Pair pair;
  pair.Exchange(pair.client, pair.server, At(0));
  ASSERT_TRUE(pair.client.keys.InitiateUpdate(At(0)));
  const Packet packet = pair.client.Send();

  ASSERT_TRUE(pair.client.keys.OnAckReceived(PacketNumber(packet.number - 1), 1, At(1), kPto).ok());

  EXPECT_FALSE(pair.client.keys.can_initiate_update(At(10000)));
}

TEST(KeyPhasesTest, LatePacketsOfThePreviousPhaseAreOpenedForThreePto) {
  Pair pair;
  const Packet late = pair.server.Send();
  const Packet very_late = pair.server.Send();
  pair.Exchange(pair.server, pair.client, At(0));
  ASSERT_TRUE(pair.server.keys.InitiateUpdate(At(1)));
  ASSERT_TRUE(pair.client.Accepts(pair.server.Send(), At(1000)));
  pair.client.keys.OnTimeout(At(1000));

  EXPECT_EQ(pair.client.keys.next_deadline(), At(1300));
  pair.client.keys.OnTimeout(At(1299));
  EXPECT_TRUE(pair.client.Accepts(late, At(1299)));
  pair.client.keys.OnTimeout(At(1300));
  EXPECT_FALSE(pair.client.Accepts(very_late, At(1300)));

  EXPECT_EQ(pair.client.keys.next_deadline(), Timestamp::Infinite());
  EXPECT_EQ(pair.client.forgeries.packets, 1u);
}

// RFC 9001 §6.1: "MUST retain old keys until it has successfully unprotected a packet sent using
// the new keys".
TEST(KeyPhasesTest, OldKeysStayUntilThePeerFollowsOurUpdate) {
  Pair pair;
  pair.Exchange(pair.client, pair.server, At(0));
  ASSERT_TRUE(pair.client.keys.InitiateUpdate(At(0)));
  pair.client.keys.OnTimeout(At(0));

  EXPECT_EQ(pair.client.keys.next_deadline(), Timestamp::Infinite());
  pair.client.keys.OnTimeout(At(60000));
  EXPECT_TRUE(pair.client.Accepts(pair.server.Send(), At(60000)));
  ASSERT_TRUE(pair.server.Accepts(pair.client.Send(), At(60000)));
  ASSERT_TRUE(pair.client.Accepts(pair.server.Send(), At(60000)));

  EXPECT_EQ(pair.client.keys.next_deadline(), At(60300));
}

// RFC 9001 §9.5: not while packets are processed.
TEST(KeyPhasesTest, TheNextKeysAreDerivedByOnTimeout) {
  Endpoint client = Client();
  ASSERT_TRUE(client.Accepts(ServerPacket(0, 1), At(0)));
  client.keys.OnAckSent(PacketNumber(0));

  EXPECT_EQ(client.keys.next_deadline(), Timestamp::InfinitePast());
  EXPECT_FALSE(client.Accepts(ServerPacket(1, 2), At(0)));
  client.keys.OnTimeout(At(0));
  EXPECT_EQ(client.keys.next_deadline(), At(300));
  EXPECT_TRUE(client.Accepts(ServerPacket(2, 2), At(0)));

  EXPECT_EQ(client.keys.generation(), 2u);
}

TEST(KeyPhasesTest, AForgedKeyPhaseChangesNothing) {
  Endpoint client = Client();
  ASSERT_TRUE(client.Accepts(ServerPacket(5, 0), At(0)));
  for (const uint64_t number : {4u, 5u, 6u}) {
    Packet forged = MakePlainPacket(number, true);
    HeaderProtector header_protector(DeriveHeaderKey(ServerSecret()));
    header_protector.Protect(HeaderPosition{forged.bytes, kPacketNumberOffset});

    const OpenOutcome outcome = client.Receive(forged, At(0)).outcome;

    EXPECT_FALSE(outcome.opened);
    EXPECT_TRUE(outcome.result.ok());
  }
  EXPECT_EQ(client.keys.generation(), 0u);
  EXPECT_EQ(client.keys.next_deadline(), Timestamp::Infinite());
  EXPECT_EQ(client.forgeries.packets, 3u);
  EXPECT_TRUE(client.Accepts(ServerPacket(7, 0), At(0)));
}

// The bit alone, on an authentic packet: it is covered by the AEAD.
TEST(KeyPhasesTest, AFlippedKeyPhaseBitIsRefused) {
  Endpoint client = Client();
  Packet packet = ServerPacket(5, 0);
  packet.bytes[0] ^= 0x04;

  EXPECT_FALSE(client.Receive(packet, At(0)).outcome.opened);
  EXPECT_EQ(client.keys.generation(), 0u);
}

TEST(KeyPhasesTest, TheFirstPacketOfAllMayBearNewKeys) {
  Endpoint client = Client();

  EXPECT_TRUE(client.Accepts(ServerPacket(3, 1), At(0)));
  EXPECT_EQ(client.keys.generation(), 1u);
  EXPECT_TRUE(client.Accepts(ServerPacket(2, 0), At(0)));
}

// RFC 9001 §6.2
TEST(KeyPhasesTest, TwoUpdatesWithoutAcknowledgmentAreAnError) {
  Endpoint client = Client();
  ASSERT_TRUE(client.Accepts(ServerPacket(0, 0), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(1, 1), At(0)));
  client.keys.OnTimeout(At(0));
  client.keys.OnAckSent(PacketNumber(0));

  EXPECT_EQ(client.ErrorOf(ServerPacket(2, 2), At(0)), Result(kKeyUpdateUnconfirmed));
}

TEST(KeyPhasesTest, EveryUpdateNeedsAnAcknowledgmentOfItsOwn) {
  Endpoint client = Client();
  ASSERT_TRUE(client.Accepts(ServerPacket(0, 0), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(1, 1), At(0)));
  client.keys.OnTimeout(At(0));
  client.keys.OnAckSent(PacketNumber(1));

  EXPECT_TRUE(client.Accepts(ServerPacket(2, 2), At(0)));
  client.keys.OnTimeout(At(0));
  EXPECT_EQ(client.ErrorOf(ServerPacket(3, 3), At(0)), Result(kKeyUpdateUnconfirmed));
}

// RFC 9001 §6.2
TEST(KeyPhasesTest, AnAcknowledgmentInOldKeysOfNewOnesIsAnError) {
  Pair pair;
  pair.Exchange(pair.client, pair.server, At(0));
  ASSERT_TRUE(pair.client.keys.InitiateUpdate(At(0)));
  const Packet packet = pair.client.Send();
  const PacketNumber number(packet.number);

  EXPECT_TRUE(pair.client.keys.OnAckReceived(PacketNumber(packet.number - 1), 0, At(1), kPto).ok());
  EXPECT_EQ(pair.client.keys.OnAckReceived(number, 0, At(1), kPto), Result(kKeyUpdateNotFollowed));
  EXPECT_TRUE(pair.client.keys.OnAckReceived(number, 1, At(1), kPto).ok());
}

// RFC 9001 §6.4, in every order in which it can come to light.
TEST(KeyPhasesTest, OldKeysAfterNewOnesAreAnError) {
  Endpoint client = Client();
  ASSERT_TRUE(client.Accepts(ServerPacket(10, 0), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(12, 1), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(20, 1), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(11, 0), At(0)));

  EXPECT_EQ(client.ErrorOf(ServerPacket(13, 0), At(0)), Result(kKeyPhaseReversed));
}

TEST(KeyPhasesTest, OldKeysAboveALatePacketWithNewOnesAreAnError) {
  Endpoint client = Client();
  ASSERT_TRUE(client.Accepts(ServerPacket(5, 0), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(12, 1), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(10, 1), At(0)));

  EXPECT_EQ(client.ErrorOf(ServerPacket(11, 0), At(0)), Result(kKeyPhaseReversed));
}

TEST(KeyPhasesTest, NewKeysBelowAPacketWithOldOnesAreAnError) {
  Endpoint client = Client();
  ASSERT_TRUE(client.Accepts(ServerPacket(10, 0), At(0)));

  EXPECT_EQ(client.ErrorOf(ServerPacket(9, 1), At(0)), Result(kKeyPhaseReversed));
  EXPECT_EQ(client.keys.generation(), 0u);
}

TEST(KeyPhasesTest, CurrentKeysBelowAPacketWithOldOnesAreAnError) {
  Endpoint client = Client();
  ASSERT_TRUE(client.Accepts(ServerPacket(10, 0), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(12, 1), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(11, 1), At(0)));

  EXPECT_EQ(client.ErrorOf(ServerPacket(9, 1), At(0)), Result(kKeyPhaseReversed));
}

TEST(KeyPhasesTest, CurrentKeysBelowALatePacketWithOldOnesAreAnError) {
  Endpoint client = Client();
  ASSERT_TRUE(client.Accepts(ServerPacket(5, 0), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(12, 1), At(0)));
  ASSERT_TRUE(client.Accepts(ServerPacket(10, 0), At(0)));

  EXPECT_EQ(client.ErrorOf(ServerPacket(9, 1), At(0)), Result(kKeyPhaseReversed));
}

// RFC 9000 §12.3: one number, two keys, in all orders.
TEST(KeyPhasesTest, ANumberUsedWithTwoKeysIsAnError) {
  Endpoint old_first = Client();
  ASSERT_TRUE(old_first.Accepts(ServerPacket(10, 0), At(0)));
  EXPECT_EQ(old_first.ErrorOf(ServerPacket(10, 1), At(0)), Result(kKeyPhaseReversed));

  Endpoint new_first = Client();
  ASSERT_TRUE(new_first.Accepts(ServerPacket(10, 1), At(0)));
  EXPECT_EQ(new_first.ErrorOf(ServerPacket(10, 0), At(0)), Result(kKeyPhaseReversed));
}

// A packet that comes twice is no misconduct: the duplicate test comes after opening.
TEST(KeyPhasesTest, DuplicatesAreNoError) {
  Endpoint client = Client();
  const std::vector<Packet> packets = {ServerPacket(10, 0), ServerPacket(11, 1), ServerPacket(9, 0),
                                       ServerPacket(12, 1)};
  for (int i = 0; i < 3; ++i) {
    for (const Packet& packet : packets) EXPECT_TRUE(client.Accepts(packet, At(0)));
  }
}

// Both ends send, the network keeps each packet back for up to 100 ms and so reorders them, and
// each end updates as soon as it may. With keys kept for three PTO nothing may be lost.
TEST(KeyPhasesTest, NoPacketIsLostToUpdatesUnderReordering) {
  struct Flight {
    int64_t arrives_at;
    Packet packet;
    std::optional<PacketNumber> acknowledges;
  };
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SeededRandom random(seed);
    Pair pair;
    Endpoint* const ends[2] = {&pair.client, &pair.server};
    std::vector<Flight> to[2];
    std::optional<PacketNumber> largest_received[2];
    for (int64_t now = 0; now < 10000; ++now) {
      for (int end = 0; end < 2; ++end) {
        Endpoint& self = *ends[end];
        if (random.UniformBelow(200) == 0) static_cast<void>(self.keys.InitiateUpdate(At(now)));
        if (random.UniformBelow(4) == 0) {
          to[1 - end].push_back({.arrives_at = now + static_cast<int64_t>(random.UniformBelow(100)),
                                 .packet = self.Send(),
                                 .acknowledges = largest_received[end]});
          if (largest_received[end].has_value()) self.keys.OnAckSent(*largest_received[end]);
        }
        const auto arrived = std::stable_partition(
            to[end].begin(), to[end].end(), [&](const Flight& f) { return f.arrives_at > now; });
        for (auto flight = arrived; flight != to[end].end(); ++flight) {
          const KeyPhases::Opened opened = self.Receive(flight->packet, At(now));
          ASSERT_TRUE(opened.outcome.opened) << "seed " << seed << " at " << now;
          ASSERT_TRUE(opened.outcome.result.ok()) << opened.outcome.result.error().reason;
          self.keys.CheckInvariants();
          const PacketNumber number(flight->packet.number);
          largest_received[end] = std::max(largest_received[end].value_or(number), number);
          if (flight->acknowledges.has_value()) {
            ASSERT_TRUE(
                self.keys.OnAckReceived(*flight->acknowledges, opened.generation, At(now), kPto)
                    .ok());
          }
        }
        to[end].erase(arrived, to[end].end());
        if (self.keys.next_deadline() <= At(now)) self.keys.OnTimeout(At(now));
        self.keys.CheckInvariants();
      }
    }
    EXPECT_GE(pair.client.keys.generation(), 6u) << "seed " << seed;
    EXPECT_LE(std::max(pair.client.keys.generation(), pair.server.keys.generation()) -
                  std::min(pair.client.keys.generation(), pair.server.keys.generation()),
              1u);
  }
}

// RFC 9001 §6.6
TEST(KeyPhasesTest, KeysAreUpdatedWhenHalfOfTheirLimitIsUsed) {
  Pair pair({.confidentiality_packets = 64, .integrity_packets = 10});
  pair.Exchange(pair.client, pair.server, At(0));
  for (int i = 1; i < 32; ++i) pair.client.Send();

  ASSERT_TRUE(pair.client.keys.PrepareToSeal(1, At(0)).ok());
  const uint64_t generation_at_half = pair.client.keys.generation();
  pair.client.Send();
  ASSERT_TRUE(pair.client.keys.PrepareToSeal(1, At(0)).ok());

  EXPECT_EQ(generation_at_half, 0u);
  EXPECT_EQ(pair.client.keys.generation(), 1u);
  EXPECT_TRUE(pair.server.Accepts(pair.client.Send(), At(0)));
}

TEST(KeyPhasesTest, TheThreePtoAreNotWaitedForWhenThreeQuartersOfTheLimitAreUsed) {
  Pair pair({.confidentiality_packets = 64, .integrity_packets = 10});
  pair.Exchange(pair.client, pair.server, At(0));
  ASSERT_TRUE(pair.client.keys.InitiateUpdate(At(0)));
  pair.Exchange(pair.client, pair.server, At(0));
  for (int i = 1; i < 48; ++i) pair.client.Send();

  ASSERT_TRUE(pair.client.keys.PrepareToSeal(1, At(299)).ok());
  const uint64_t generation_at_three_quarters = pair.client.keys.generation();
  pair.client.Send();
  ASSERT_TRUE(pair.client.keys.PrepareToSeal(1, At(299)).ok());

  EXPECT_EQ(generation_at_three_quarters, 1u);
  EXPECT_EQ(pair.client.keys.generation(), 2u);
}

TEST(KeyPhasesTest, WithoutPermissionToUpdateTheLimitIsAnErrorThatLeavesRoomToClose) {
  Pair pair({.confidentiality_packets = 64, .integrity_packets = 10});
  for (int i = 0; i < 50; ++i) pair.client.Send();

  EXPECT_TRUE(pair.client.keys.PrepareToSeal(6, At(0)).ok());
  EXPECT_EQ(pair.client.keys.PrepareToSeal(7, At(0)), Result(kConfidentialityLimitReached));
  for (int i = 0; i < 14; ++i) pair.client.Send();
  Packet beyond = MakePlainPacket(64, false);
  const OutgoingPacket outgoing = Outgoing(beyond);

  EXPECT_FALSE(pair.client.keys.ProtectTrain({&outgoing, 1}));
  EXPECT_EQ(pair.client.keys.generation(), 0u);
}

// Three generations, each with as many packets as its key may seal before the update.
TEST(KeyPhasesTest, UpdatesKeepALongConnectionBelowItsLimit) {
  Pair pair({.confidentiality_packets = 64, .integrity_packets = 10});
  for (int64_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE(pair.client.keys.PrepareToSeal(1, At(10 * i)).ok()) << i;
    ASSERT_TRUE(pair.server.keys.PrepareToSeal(1, At(10 * i)).ok()) << i;
    pair.Exchange(pair.client, pair.server, At(10 * i));
  }
  EXPECT_GE(pair.client.keys.generation(), 20u);
}

// RFC 9001 §6.6: over all generations of keys.
TEST(KeyPhasesTest, ForgeriesAreCountedOverAllKeys) {
  Pair pair({.confidentiality_packets = 64, .integrity_packets = 1});
  const Packet unreadable = ServerPacket(100, 5);
  ASSERT_TRUE(pair.client.Accepts(ServerPacket(0, 0), At(0)));

  EXPECT_TRUE(pair.client.ErrorOf(unreadable, At(0)).ok());
  ASSERT_TRUE(pair.client.Accepts(ServerPacket(1, 1), At(0)));
  EXPECT_EQ(pair.client.ErrorOf(unreadable, At(0)), Result(kIntegrityLimitReached));
  EXPECT_EQ(pair.client.ErrorOf(ServerPacket(2, 1), At(0)), Result(kIntegrityLimitReached));
}

TEST(KeyPhasesTest, ATrainBearsOneGeneration) {
  Pair pair;
  std::vector<Packet> packets;
  for (uint64_t i = 0; i < 44; ++i) packets.push_back(MakePlainPacket(i, false));
  std::vector<OutgoingPacket> outgoing;
  outgoing.reserve(packets.size());
  for (Packet& packet : packets) outgoing.push_back(Outgoing(packet));

  ASSERT_TRUE(pair.client.keys.ProtectTrain(outgoing));

  for (const Packet& packet : packets) EXPECT_TRUE(pair.server.Accepts(packet, At(0)));
}

TEST(KeyPhasesDeathTest, ASecretIsInstalledOnce) {
  KeyPhases keys;
  keys.InstallWriteSecret(ClientSecret());
  keys.InstallReadSecret(ServerSecret());

  EXPECT_DEATH(keys.InstallWriteSecret(ClientSecret()), "GODWIT_CHECK");
  EXPECT_DEATH(keys.InstallReadSecret(ServerSecret()), "GODWIT_CHECK");
}

}  // namespace
}  // namespace godwit
