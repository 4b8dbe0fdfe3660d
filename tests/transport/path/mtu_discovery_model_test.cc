// SPDX-License-Identifier: Apache-2.0
//
// MtuDiscovery on random paths: whatever happens it stays within its bounds, random loss hardly
// ever takes the size away, and once the path is quiet what it carries is used.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"
#include "transport/path/mtu_discovery.h"

namespace godwit {
namespace {

class RandomPath {
 public:
  RandomPath(uint64_t seed, const MtuDiscovery::Config& config, uint64_t path_bytes)
      : random_(seed), mtu_(config), path_bytes_(path_bytes) {
    mtu_.OnPeerMaxUdpPayload(65527);
  }

  MtuDiscovery& mtu() { return mtu_; }
  size_t fall_count() const { return fall_count_; }
  void set_path_bytes(uint64_t bytes) { path_bytes_ = bytes; }
  void Wait(Duration duration) { now_ += duration; }

  // A round trip with `packet_count` packets of full size and one small one, and a probe if wanted.
  void RoundTrip(size_t packet_count, uint64_t loss_percent) {
    now_ += Duration::Milliseconds(50);
    struct Sent {
      TransmittedPacket packet;
      bool is_probe;
    };
    std::vector<Sent> sent;
    if (mtu_.wants_probe(now_)) {
      sent.push_back({Packet(mtu_.probe_bytes()), true});
      mtu_.OnProbeSent(now_);
    }
    for (size_t i = 0; i < packet_count; ++i) {
      sent.push_back({Packet(mtu_.max_datagram_bytes()), false});
    }
    sent.push_back({Packet(60), false});
    std::vector<Sent> lost;
    size_t acked_count = 0;
    for (const Sent& s : sent) {
      const bool is_lost = s.packet.bytes > path_bytes_ || random_.UniformBelow(100) < loss_percent;
      if (is_lost) {
        lost.push_back(s);
        continue;
      }
      ++acked_count;
      mtu_.OnPacketAcked(s.packet);
      if (s.is_probe) mtu_.OnProbeAcked(s.packet.bytes);
    }
    if (acked_count == 0 && mtu_.OnPtoFired(now_)) ++fall_count_;
    for (const Sent& s : lost) {
      if (s.is_probe) {
        mtu_.OnProbeLost(s.packet.bytes, now_);
      } else if (mtu_.OnPacketLost(s.packet, now_)) {
        ++fall_count_;
      }
    }
    mtu_.CheckInvariants();
  }

  TransmittedPacket Packet(uint64_t bytes) {
    TransmittedPacket packet;
    packet.packet_number = next_packet_number_++;
    packet.bytes = bytes;
    return packet;
  }

  SeededRandom& random() { return random_; }
  Timestamp now() const { return now_; }

 private:
  SeededRandom random_;
  MtuDiscovery mtu_;
  uint64_t path_bytes_;
  Timestamp now_ = Timestamp::FromNanoseconds(1'000'000'000);
  uint64_t next_packet_number_ = 0;
  size_t fall_count_ = 0;
};

TEST(MtuDiscoveryModelTest, RandomLossHardlyEverTakesTheSizeAway) {
  // The last six packets of full size in a flight: at 30 %, one flight in 1,400.
  for (const uint64_t loss_percent : {1, 5, 10, 20, 30}) {
    RandomPath path(loss_percent, {}, 1452);

    uint64_t sum_bytes = 0;
    for (int i = 0; i < 20'000; ++i) {
      path.RoundTrip(10, loss_percent);
      sum_bytes += path.mtu().max_datagram_bytes();
    }

    EXPECT_LE(path.fall_count(), loss_percent <= 10 ? 1u : 30u) << loss_percent;
    EXPECT_GE(sum_bytes, 20'000 * (loss_percent <= 20 ? 1440 : 1380)) << loss_percent;
  }
}

TEST(MtuDiscoveryModelTest, AfterAnyHistoryThePathIsUsedWithinHours) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RandomPath path(seed, {.max_mtu = 8900}, 1452);
    for (int i = 0; i < 300; ++i) {
      const uint64_t dice = path.random().UniformBelow(40);
      if (dice == 0) path.set_path_bytes(1200 + path.random().UniformBelow(8000));
      if (dice == 1) path.mtu().OnPtoFired(path.now());
      if (dice == 2) path.mtu().OnDatagramTooLarge(path.random().UniformBelow(9000), path.now());
      if (dice == 3) path.Wait(Duration::Seconds(700));
      if (dice == 4) path.mtu().OnProbeLost(path.random().UniformBelow(9000), path.now());
      path.RoundTrip(path.random().UniformBelow(12), dice % 2 == 0 ? 30 : 0);
      ASSERT_GE(path.mtu().max_datagram_bytes(), 1200u);
      ASSERT_LE(path.mtu().max_datagram_bytes(), 8900u);
    }

    path.set_path_bytes(8900);
    for (int i = 0; i < 400; ++i) {
      path.Wait(Duration::Seconds(60));
      path.RoundTrip(5, 0);
    }

    EXPECT_EQ(path.mtu().max_datagram_bytes(), 8900u) << "seed " << seed;
  }
}

TEST(MtuDiscoveryModelTest, PacketsAboveThePathStopSoonWheneverItShrinks) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RandomPath path(seed, {}, 1452);
    for (int i = 0; i < 20; ++i) path.RoundTrip(10, 0);
    ASSERT_EQ(path.mtu().max_datagram_bytes(), 1452u);
    const uint64_t smaller_bytes = 1232 + path.random().UniformBelow(200);

    path.set_path_bytes(smaller_bytes);
    path.RoundTrip(10, 0);

    EXPECT_LE(path.mtu().max_datagram_bytes(), smaller_bytes);
    for (int i = 0; i < 30; ++i) path.RoundTrip(10, 0);
    EXPECT_LE(path.mtu().max_datagram_bytes(), smaller_bytes);
    EXPECT_GT(path.mtu().max_datagram_bytes() + 20, smaller_bytes);
  }
}

}  // namespace
}  // namespace godwit
