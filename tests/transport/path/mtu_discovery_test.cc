// SPDX-License-Identifier: Apache-2.0
#include "transport/path/mtu_discovery.h"

#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"

#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr uint64_t kNoLimit = 65527;
constexpr Duration kMinute = Duration::Seconds(60);

// A path that carries datagrams up to a size, and the packets that a sender puts on it.
class MtuDiscoveryTest : public testing::Test {
 protected:
  static MtuDiscovery Known(const MtuDiscovery::Config& config, uint64_t peer_limit = kNoLimit) {
    MtuDiscovery mtu(config);
    mtu.OnPeerMaxUdpPayload(peer_limit);
    return mtu;
  }

  TransmittedPacket Packet(uint64_t bytes) {
    TransmittedPacket packet;
    packet.packet_number = next_packet_number_++;
    packet.bytes = bytes;
    return packet;
  }

  // One probe, and its fate.
  void Probe(MtuDiscovery& mtu, uint64_t path_bytes) {
    const uint64_t bytes = mtu.probe_bytes();
    mtu.OnProbeSent(now_);
    ++probe_count_;
    const TransmittedPacket packet = Packet(bytes);
    now_ += Duration::Milliseconds(50);
    if (bytes <= path_bytes) {
      mtu.OnPacketAcked(packet);
      EXPECT_TRUE(mtu.OnProbeAcked(bytes));
    } else {
      mtu.OnProbeLost(bytes, now_);
    }
    mtu.CheckInvariants();
  }

  // Probes until there is nothing to try now. How many that took.
  size_t Settle(MtuDiscovery& mtu, uint64_t path_bytes) {
    probe_count_ = 0;
    while (mtu.wants_probe(now_)) Probe(mtu, path_bytes);
    return probe_count_;
  }

  // Packets that are lost, with the acknowledgment of a small one that was sent after them.
  bool LoseFlight(MtuDiscovery& mtu, size_t packet_count, uint64_t bytes) {
    TransmittedPacket flight[64];
    for (size_t i = 0; i < packet_count; ++i) flight[i] = Packet(bytes);
    mtu.OnPacketAcked(Packet(100));
    bool has_fallen = false;
    for (size_t i = 0; i < packet_count; ++i) has_fallen |= mtu.OnPacketLost(flight[i], now_);
    mtu.CheckInvariants();
    return has_fallen;
  }

  // Something arrives, so that the path is known to live.
  void HearFromPeer(MtuDiscovery& mtu) { mtu.OnPacketAcked(Packet(100)); }

  Timestamp now_ = Timestamp::FromNanoseconds(1'000'000'000);
  uint64_t next_packet_number_ = 0;
  size_t probe_count_ = 0;
};

// ---- Search ----

TEST_F(MtuDiscoveryTest, ItBeginsWithTheLeastThatEveryPathCarries) {
  const MtuDiscovery mtu(MtuDiscovery::Config{});

  EXPECT_EQ(mtu.max_datagram_bytes(), 1200u);
  mtu.CheckInvariants();
}

TEST_F(MtuDiscoveryTest, NothingIsProbedBeforeThePeersLimitIsKnown) {
  MtuDiscovery mtu(MtuDiscovery::Config{});

  EXPECT_FALSE(mtu.wants_probe(now_));

  mtu.OnPeerMaxUdpPayload(kNoLimit);
  EXPECT_TRUE(mtu.wants_probe(now_));
}

TEST_F(MtuDiscoveryTest, OneProbeReaches1452) {
  MtuDiscovery mtu = Known({});

  EXPECT_EQ(Settle(mtu, 1452), 1u);

  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
  EXPECT_FALSE(mtu.wants_probe(now_ + 1000 * kMinute)) << "there is nothing above the ceiling";
}

TEST_F(MtuDiscoveryTest, TwoProbesReach8900) {
  MtuDiscovery mtu = Known({.max_mtu = 8900});

  EXPECT_EQ(Settle(mtu, 9000), 2u);

  EXPECT_EQ(mtu.max_datagram_bytes(), 8900u);
}

TEST_F(MtuDiscoveryTest, TenProbesSettleThatAnEthernetDoesNotCarry8900) {
  MtuDiscovery mtu = Known({.max_mtu = 8900});

  EXPECT_EQ(Settle(mtu, 1452), 10u);

  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

TEST_F(MtuDiscoveryTest, EveryPathUpToEthernetIsUsedButForTwentyBytes) {
  for (uint64_t path_bytes = 1200; path_bytes <= 1500; ++path_bytes) {
    MtuDiscovery mtu = Known({});

    const size_t count = Settle(mtu, path_bytes);

    EXPECT_LE(mtu.max_datagram_bytes(), path_bytes);
    EXPECT_GT(mtu.max_datagram_bytes() + (path_bytes < 1232 ? 32 : 20),
              std::min<uint64_t>(path_bytes, 1452))
        << path_bytes;
    EXPECT_LE(count, 13u) << path_bytes;
  }
}

TEST_F(MtuDiscoveryTest, EveryPathUpToTheLargestDatagramIsSearchedWithFewProbes) {
  for (uint64_t path_bytes = 1200; path_bytes <= kNoLimit; path_bytes += 7) {
    MtuDiscovery mtu = Known({.max_mtu = kNoLimit});

    EXPECT_LE(Settle(mtu, path_bytes), 15u) << path_bytes;

    EXPECT_LE(mtu.max_datagram_bytes(), path_bytes);
    EXPECT_GE(mtu.max_datagram_bytes(), std::min<uint64_t>(path_bytes, 1452) - 32);
  }
}

TEST_F(MtuDiscoveryTest, OneProbeIsUnderWayAtATime) {
  MtuDiscovery mtu = Known({});

  mtu.OnProbeSent(now_);

  EXPECT_FALSE(mtu.wants_probe(now_ + kMinute));
}

// RFC 8899 §5.1.2.
TEST_F(MtuDiscoveryTest, TwoLostProbesDoNotRuleASizeOut) {
  MtuDiscovery mtu = Known({});

  Probe(mtu, 0);
  Probe(mtu, 0);

  EXPECT_EQ(mtu.probe_bytes(), 1452u);
  EXPECT_EQ(Settle(mtu, 1452), 1u);
  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

TEST_F(MtuDiscoveryTest, ThreeLostProbesDo) {
  MtuDiscovery mtu = Known({});

  for (int i = 0; i < 3; ++i) Probe(mtu, 0);

  EXPECT_LT(mtu.probe_bytes(), 1452u);
  EXPECT_EQ(mtu.max_datagram_bytes(), 1200u);
}

TEST_F(MtuDiscoveryTest, LateNewsOfAProbeThatWasDeclaredLostChangesNothing) {
  MtuDiscovery mtu = Known({});
  mtu.OnProbeSent(now_);
  mtu.OnProbeLost(1452, now_);

  EXPECT_FALSE(mtu.OnProbeAcked(1452));
  mtu.OnProbeLost(1452, now_);
  mtu.OnProbeLost(1452, now_);

  EXPECT_EQ(mtu.max_datagram_bytes(), 1200u);
  EXPECT_EQ(mtu.probe_bytes(), 1452u);
}

// ---- Bounds ----

// RFC 9000 §18.2: max_udp_payload_size.
TEST_F(MtuDiscoveryTest, ThePeersLimitIsTheCeiling) {
  MtuDiscovery mtu = Known({.max_mtu = 8900}, 1350);

  EXPECT_EQ(Settle(mtu, 9000), 1u);

  EXPECT_EQ(mtu.max_datagram_bytes(), 1350u);
}

TEST_F(MtuDiscoveryTest, ThePeersLimitHoldsAgainstMinMtuToo) {
  MtuDiscovery mtu({.min_mtu = 1400});
  EXPECT_EQ(mtu.max_datagram_bytes(), 1400u);

  mtu.OnPeerMaxUdpPayload(1300);

  EXPECT_EQ(mtu.max_datagram_bytes(), 1300u);
  EXPECT_FALSE(mtu.wants_probe(now_ + 1000 * kMinute));
  mtu.CheckInvariants();
}

TEST_F(MtuDiscoveryTest, WhenOffNothingIsProbedAndNothingFalls) {
  MtuDiscovery mtu = Known({.min_mtu = 1300, .enabled = false});

  EXPECT_FALSE(mtu.wants_probe(now_ + 1000 * kMinute));
  EXPECT_FALSE(LoseFlight(mtu, 20, 1300));
  EXPECT_FALSE(mtu.OnDatagramTooLarge(1300, now_));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(mtu.OnPtoFired(now_));

  EXPECT_EQ(mtu.max_datagram_bytes(), 1300u);
  mtu.CheckInvariants();
}

TEST_F(MtuDiscoveryTest, NothingTakesItBelowMinMtu) {
  MtuDiscovery mtu = Known({.min_mtu = 1300});
  Settle(mtu, 1452);

  LoseFlight(mtu, 20, 1452);
  mtu.OnDatagramTooLarge(1300, now_);
  mtu.OnDatagramTooLarge(600, now_);
  for (int i = 0; i < 5; ++i) mtu.OnPtoFired(now_);
  LoseFlight(mtu, 20, 1300);

  EXPECT_EQ(mtu.max_datagram_bytes(), 1300u);
}

// ---- Raising again ----

TEST_F(MtuDiscoveryTest, APathThatGrowsIsNoticedAfterTenMinutes) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1352);
  ASSERT_EQ(mtu.max_datagram_bytes(), 1352u);

  now_ += 9 * kMinute;
  EXPECT_EQ(Settle(mtu, 1452), 0u);
  now_ += 2 * kMinute;
  EXPECT_EQ(Settle(mtu, 1452), 2u) << "one step to see that it grew, and the ceiling";

  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

TEST_F(MtuDiscoveryTest, APathThatDoesNotGrowIsAskedLessAndLessOften) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1352);

  for (const int minutes : {10, 20, 40, 80, 80, 80}) {
    now_ += (minutes - 1) * kMinute;
    EXPECT_EQ(Settle(mtu, 1352), 0u) << minutes;
    now_ += 2 * kMinute;
    EXPECT_EQ(Settle(mtu, 1352), 3u) << minutes;
    EXPECT_EQ(mtu.max_datagram_bytes(), 1352u);
  }
}

TEST_F(MtuDiscoveryTest, FalseAlarmsDoNotPutItOff) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1352);

  for (int i = 0; i < 9; ++i) {
    now_ += kMinute;
    ASSERT_TRUE(LoseFlight(mtu, 20, 1352));
    HearFromPeer(mtu);
    ASSERT_EQ(Settle(mtu, 1352), 1u);
  }

  now_ += kMinute;
  EXPECT_EQ(Settle(mtu, 1452), 2u);
  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

// ---- Black holes ----

TEST_F(MtuDiscoveryTest, LargePacketsThatAllVanishAreABlackHole) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);

  EXPECT_FALSE(LoseFlight(mtu, 5, 1452));
  EXPECT_TRUE(LoseFlight(mtu, 1, 1452));

  EXPECT_EQ(mtu.max_datagram_bytes(), 1200u);
}

TEST_F(MtuDiscoveryTest, PacketsNotAboveTheAcknowledgedSizeAreNoEvidence) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);
  TransmittedPacket lost[20];
  for (TransmittedPacket& packet : lost) packet = Packet(1400);

  mtu.OnPacketAcked(Packet(1400));

  for (const TransmittedPacket& packet : lost) EXPECT_FALSE(mtu.OnPacketLost(packet, now_));
  EXPECT_FALSE(LoseFlight(mtu, 20, 1200)) << "what every path carries was lost by accident";
  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

TEST_F(MtuDiscoveryTest, ALargePacketThatArrivesClearsThoseBeforeIt) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);

  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(LoseFlight(mtu, 5, 1452));
    mtu.OnPacketAcked(Packet(1452));
  }

  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

TEST_F(MtuDiscoveryTest, ASmallerPacketThatArrivesDoesNot) {
  MtuDiscovery mtu = Known({.max_mtu = 8900});
  Settle(mtu, 8900);

  EXPECT_FALSE(LoseFlight(mtu, 5, 8900));
  mtu.OnPacketAcked(Packet(1452));
  EXPECT_TRUE(LoseFlight(mtu, 1, 8900));
}

TEST_F(MtuDiscoveryTest, ALargePacketFromBeforeTheLossesDoesNot) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);
  const TransmittedPacket early = Packet(1452);

  EXPECT_FALSE(LoseFlight(mtu, 5, 1452));
  mtu.OnPacketAcked(early);
  EXPECT_TRUE(LoseFlight(mtu, 1, 1452));
}

TEST_F(MtuDiscoveryTest, TheNewestProofsCountHoweverManyThereAre) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);
  uint64_t bytes = 1450;
  for (int i = 0; i < 20; ++i) mtu.OnPacketAcked(Packet(bytes--));
  TransmittedPacket lost[20];
  for (TransmittedPacket& packet : lost) packet = Packet(bytes);

  mtu.OnPacketAcked(Packet(bytes));
  mtu.CheckInvariants();

  for (const TransmittedPacket& packet : lost) EXPECT_FALSE(mtu.OnPacketLost(packet, now_));
}

TEST_F(MtuDiscoveryTest, AcknowledgmentsMayComeInAnyOrder) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);
  TransmittedPacket packets[12];
  for (size_t i = 0; i < 12; ++i) packets[i] = Packet(i % 2 == 0 ? 1452 : 1300);

  for (size_t i = 12; i-- > 6;) {
    mtu.OnPacketAcked(packets[i]);
    mtu.CheckInvariants();
  }
  mtu.OnPacketAcked(packets[0]);

  for (size_t i = 1; i < 6; ++i) EXPECT_FALSE(mtu.OnPacketLost(packets[i], now_));
  mtu.CheckInvariants();
  EXPECT_FALSE(LoseFlight(mtu, 5, 1452)) << "none of the others was counted";
}

TEST_F(MtuDiscoveryTest, AFalseAlarmIsOverAfterOneProbe) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);
  ASSERT_TRUE(LoseFlight(mtu, 20, 1452));
  ASSERT_EQ(mtu.max_datagram_bytes(), 1200u);

  HearFromPeer(mtu);
  EXPECT_EQ(Settle(mtu, 1452), 1u);

  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

TEST_F(MtuDiscoveryTest, AfterARealDropTheSearchFindsWhatIsLeft) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);
  ASSERT_TRUE(LoseFlight(mtu, 20, 1452));

  HearFromPeer(mtu);
  EXPECT_LE(Settle(mtu, 1280), 13u);

  EXPECT_EQ(mtu.max_datagram_bytes(), 1272u);
}

// RFC 8899 §5.3.3.
TEST_F(MtuDiscoveryTest, ASizeThatFellTwiceIsNotTriedAgainForTenMinutes) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);
  ASSERT_TRUE(LoseFlight(mtu, 20, 1452));
  HearFromPeer(mtu);
  ASSERT_EQ(Settle(mtu, 1452), 1u);

  now_ += kMinute / 10;
  ASSERT_TRUE(LoseFlight(mtu, 20, 1452));
  HearFromPeer(mtu);
  Settle(mtu, 1452);
  EXPECT_EQ(mtu.max_datagram_bytes(), 1444u) << "the next size below costs next to nothing";

  now_ += 10 * kMinute;
  EXPECT_FALSE(mtu.wants_probe(now_));
  now_ += 11 * kMinute;
  Settle(mtu, 1452);
  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

TEST_F(MtuDiscoveryTest, LossesOfPacketsFromBeforeTheFallAreNoEvidenceAfterIt) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);
  TransmittedPacket old[20];
  for (TransmittedPacket& packet : old) packet = Packet(1452);
  ASSERT_FALSE(mtu.OnPtoFired(now_));
  ASSERT_TRUE(mtu.OnPtoFired(now_));
  HearFromPeer(mtu);
  ASSERT_EQ(Settle(mtu, 1452), 1u);

  for (const TransmittedPacket& packet : old) EXPECT_FALSE(mtu.OnPacketLost(packet, now_));

  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

TEST_F(MtuDiscoveryTest, AProbeFromBeforeTheFallProvesNothing) {
  MtuDiscovery mtu = Known({.max_mtu = 8900});
  Probe(mtu, 1452);
  mtu.OnProbeSent(now_);
  ASSERT_TRUE(LoseFlight(mtu, 20, 1452));

  EXPECT_FALSE(mtu.wants_probe(now_)) << "its fate is still to come";
  EXPECT_FALSE(mtu.OnProbeAcked(8900));

  EXPECT_EQ(mtu.max_datagram_bytes(), 1200u);
  HearFromPeer(mtu);
  EXPECT_EQ(mtu.probe_bytes(), 1452u);
  EXPECT_TRUE(mtu.wants_probe(now_));
}

TEST_F(MtuDiscoveryTest, ProbesLostBeforeTheFallDoNotCountAfterIt) {
  MtuDiscovery mtu = Known({.max_mtu = 8900});
  Probe(mtu, 1452);
  Probe(mtu, 1452);
  Probe(mtu, 1452);
  ASSERT_TRUE(LoseFlight(mtu, 20, 1452));

  HearFromPeer(mtu);
  Probe(mtu, 0);
  Probe(mtu, 0);

  EXPECT_EQ(mtu.probe_bytes(), 1452u);
}

// ---- Probe timeouts ----

TEST_F(MtuDiscoveryTest, OneProbeTimeoutKeepsTheSizeAndASecondDoesNot) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);

  EXPECT_FALSE(mtu.OnPtoFired(now_));
  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
  EXPECT_EQ(mtu.pto_probe_bytes(), 1200u);
  EXPECT_TRUE(mtu.OnPtoFired(now_));
  EXPECT_EQ(mtu.max_datagram_bytes(), 1200u);
  EXPECT_FALSE(mtu.OnPtoFired(now_));
}

TEST_F(MtuDiscoveryTest, AnAcknowledgmentBetweenProbeTimeoutsKeepsTheSize) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);

  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(mtu.OnPtoFired(now_));
    HearFromPeer(mtu);
  }
}

TEST_F(MtuDiscoveryTest, NoProbeIsWastedOnABlackOut) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);

  for (int i = 0; i < 8; ++i) {
    mtu.OnPtoFired(now_);
    now_ += kMinute;
    EXPECT_FALSE(mtu.wants_probe(now_));
  }

  HearFromPeer(mtu);
  EXPECT_EQ(Settle(mtu, 1452), 1u);
  EXPECT_EQ(mtu.max_datagram_bytes(), 1452u);
}

// A sender that always has ten packets under way, on a path that suddenly carries less. When the
// first packet of full size is acknowledged again, in probe timeouts since the path shrank.
class ShrinkingPathTest : public MtuDiscoveryTest {
 protected:
  double HealingPtos(bool sends_small_pto_probe) {
    MtuDiscovery mtu = Known({});
    Settle(mtu, 1452);
    constexpr uint64_t kPathBytes = 1280;
    constexpr double kRttInPtos = 1.0 / 3;  // The least PTO is srtt + 4 * rttvar.
    std::vector<TransmittedPacket> in_flight;
    double time = 0;
    double pto = 1;
    while (true) {
      if (mtu.max_datagram_bytes() <= kPathBytes) return time + kRttInPtos;
      while (in_flight.size() < 10) in_flight.push_back(Packet(mtu.max_datagram_bytes()));
      time += pto;
      pto *= 2;
      if (mtu.OnPtoFired(now_)) return time + kRttInPtos;
      in_flight.push_back(Packet(mtu.max_datagram_bytes()));
      in_flight.push_back(
          Packet(sends_small_pto_probe ? mtu.pto_probe_bytes() : mtu.max_datagram_bytes()));
      std::vector<TransmittedPacket> lost;
      for (const TransmittedPacket& packet : in_flight) {
        if (packet.bytes <= kPathBytes) mtu.OnPacketAcked(packet);
      }
      if (in_flight.back().bytes > kPathBytes) continue;
      for (const TransmittedPacket& packet : in_flight) {
        if (packet.bytes > kPathBytes) mtu.OnPacketLost(packet, now_);
      }
      in_flight.clear();
      pto = 1;
      time += kRttInPtos;
    }
  }
};

TEST_F(ShrinkingPathTest, ASmallPacketInThePtoHealsWithinTwoPtos) {
  EXPECT_LT(HealingPtos(/*sends_small_pto_probe=*/true), 2);
}

TEST_F(ShrinkingPathTest, WithoutItTheSecondPtoHeals) {
  EXPECT_LT(HealingPtos(/*sends_small_pto_probe=*/false), 3.5);
}

// ---- EMSGSIZE ----

TEST_F(MtuDiscoveryTest, ARefusedProbeRulesItsSizeOutAtOnce) {
  MtuDiscovery mtu = Known({});
  mtu.OnProbeSent(now_);

  EXPECT_FALSE(mtu.OnDatagramTooLarge(1452, now_));

  EXPECT_EQ(mtu.max_datagram_bytes(), 1200u);
  EXPECT_LT(mtu.probe_bytes(), 1452u);
  EXPECT_TRUE(mtu.wants_probe(now_));
  mtu.OnProbeLost(1452, now_);
  mtu.CheckInvariants();
}

TEST_F(MtuDiscoveryTest, ARefusedDatagramLowersTheSizeAndIsNotTriedAgain) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1452);

  EXPECT_TRUE(mtu.OnDatagramTooLarge(1452, now_));

  EXPECT_EQ(mtu.max_datagram_bytes(), 1200u);
  EXPECT_FALSE(mtu.OnDatagramTooLarge(1452, now_)) << "the rest of the same train";
  HearFromPeer(mtu);
  Settle(mtu, 1452);
  EXPECT_EQ(mtu.max_datagram_bytes(), 1444u);
}

TEST_F(MtuDiscoveryTest, ARefusalWhileALargerSizeIsTriedStartsASearchBelow) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1392);
  now_ += 11 * kMinute;
  mtu.OnProbeSent(now_);

  EXPECT_TRUE(mtu.OnDatagramTooLarge(1392, now_));
  mtu.OnProbeLost(1412, now_);

  EXPECT_GT(Settle(mtu, 1300), 0u);
  EXPECT_EQ(mtu.max_datagram_bytes(), 1292u);
}

TEST_F(MtuDiscoveryTest, ARefusalOfWhatWasNotSentChangesNothing) {
  MtuDiscovery mtu = Known({});
  Settle(mtu, 1392);
  ASSERT_EQ(mtu.max_datagram_bytes(), 1392u);

  EXPECT_FALSE(mtu.OnDatagramTooLarge(9000, now_));
  EXPECT_FALSE(mtu.OnDatagramTooLarge(1393, now_));
  EXPECT_FALSE(mtu.OnDatagramTooLarge(1200, now_));
  EXPECT_FALSE(mtu.OnDatagramTooLarge(0, now_));

  EXPECT_EQ(mtu.max_datagram_bytes(), 1392u);
}

}  // namespace
}  // namespace godwit
