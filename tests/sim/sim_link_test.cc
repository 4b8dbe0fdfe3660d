// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_link.h"

#include <bit>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr Timestamp kStart = Timestamp::FromNanoseconds(1'000'000'000);
constexpr uint64_t kPayloadBytes = 972;  // 1,000 bytes on the link.

class SimLinkTest : public testing::Test {
 protected:
  struct Arrival {
    Timestamp time;
    uint64_t number;
    std::vector<uint8_t> payload;
  };

  SimLink& Make(const LinkConfig& config, uint64_t seed = 7) {
    link_ = std::make_unique<SimLink>("link", config, seed, &queue_, &trace_);
    link_->SetDelivery([this](SimPacket&& packet) {
      arrivals_.push_back({queue_.now(), packet.number, packet.payload});
    });
    return *link_;
  }

  void Send(uint64_t count, uint64_t payload_bytes = kPayloadBytes) {
    for (uint64_t i = 0; i < count; ++i) {
      SimPacket packet;
      packet.number = sent_++;
      packet.payload.assign(payload_bytes, 0);
      link_->Send(std::move(packet));
    }
  }

  void SendEvery(Duration interval, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      queue_.After(interval * static_cast<int64_t>(i), [this] { Send(1); });
    }
  }

  void RunAll() {
    while (!queue_.empty()) queue_.RunNext();
  }

  Duration ArrivedAfter(size_t i) const { return arrivals_[i].time - kStart; }

  EventQueue queue_{kStart};
  SimTrace trace_;
  std::unique_ptr<SimLink> link_;
  std::vector<Arrival> arrivals_;
  uint64_t sent_ = 0;
};

TEST_F(SimLinkTest, PacketsTakeTheirTimeOnTheWireAndTheDelay) {
  Make({.rate = Bandwidth::MegabitsPerSecond(8), .delay = Duration::Milliseconds(20)});

  Send(3);
  RunAll();

  ASSERT_EQ(arrivals_.size(), 3u);
  EXPECT_EQ(ArrivedAfter(0), Duration::Milliseconds(21));
  EXPECT_EQ(ArrivedAfter(1), Duration::Milliseconds(22));
  EXPECT_EQ(ArrivedAfter(2), Duration::Milliseconds(23));
}

TEST_F(SimLinkTest, AFullQueueDropsTheNewest) {
  Make({.rate = Bandwidth::MegabitsPerSecond(8), .queue_bytes = 3'500});

  Send(5);
  RunAll();

  ASSERT_EQ(arrivals_.size(), 3u);
  EXPECT_EQ(arrivals_[2].number, 2u);
  EXPECT_EQ(link_->queue_drops(), 2u);
}

TEST_F(SimLinkTest, TheQueueDrainsAtTheRateOfTheWire) {
  Make({.rate = Bandwidth::MegabitsPerSecond(8), .queue_bytes = 3'500});

  SendEvery(Duration::Milliseconds(1), 1'000);
  RunAll();

  EXPECT_EQ(arrivals_.size(), 1'000u);
  EXPECT_EQ(link_->queue_drops(), 0u);
}

TEST_F(SimLinkTest, LossHitsItsShare) {
  Make({.loss = Chance::Percent(30)});

  Send(1);
  SendEvery(Duration::Milliseconds(1), 9'999);
  RunAll();

  EXPECT_NEAR(static_cast<double>(link_->dropped_packets()), 3'000.0, 150.0);
  EXPECT_EQ(arrivals_.size() + link_->dropped_packets(), 10'000u);
}

TEST_F(SimLinkTest, BurstsLoseSeveralPacketsInARow) {
  Make({.bursts = {.turns_bad = Chance::Percent(1), .turns_good = Chance::Percent(10)}});

  SendEvery(Duration::Milliseconds(1), 20'000);
  RunAll();

  uint64_t runs_of_loss = 0;
  for (size_t i = 1; i < arrivals_.size(); ++i) {
    if (arrivals_[i].number != arrivals_[i - 1].number + 1) ++runs_of_loss;
  }
  const double lost = static_cast<double>(link_->dropped_packets());
  EXPECT_NEAR(lost / 20'000.0, 0.09, 0.03);
  EXPECT_GT(lost / static_cast<double>(runs_of_loss), 7.0);
  EXPECT_LT(lost / static_cast<double>(runs_of_loss), 13.0);
}

TEST_F(SimLinkTest, JitterAloneKeepsTheOrder) {
  Make({.jitter = Duration::Milliseconds(30)});

  SendEvery(Duration::Milliseconds(1), 1'000);
  RunAll();

  ASSERT_EQ(arrivals_.size(), 1'000u);
  for (size_t i = 0; i < arrivals_.size(); ++i) EXPECT_EQ(arrivals_[i].number, i);
  EXPECT_GT(ArrivedAfter(0), Duration::Milliseconds(10));
}

TEST_F(SimLinkTest, JitterMayReorder) {
  Make({.jitter = Duration::Milliseconds(30), .jitter_reorders = true});

  SendEvery(Duration::Milliseconds(1), 1'000);
  RunAll();

  uint64_t overtaken = 0;
  for (size_t i = 1; i < arrivals_.size(); ++i) {
    if (arrivals_[i].number < arrivals_[i - 1].number) ++overtaken;
  }
  EXPECT_EQ(arrivals_.size(), 1'000u);
  EXPECT_GT(overtaken, 200u);
}

TEST_F(SimLinkTest, AShareOfPacketsIsOvertaken) {
  Make({.reorder = Chance::Percent(10), .reorder_delay = Duration::Milliseconds(4)});

  SendEvery(Duration::Milliseconds(1), 1'000);
  RunAll();

  uint64_t late = 0;
  for (const Arrival& arrival : arrivals_) {
    const Duration sent_after = Duration::Milliseconds(static_cast<int64_t>(arrival.number));
    if (arrival.time - kStart == sent_after + Duration::Milliseconds(14)) ++late;
  }
  EXPECT_NEAR(static_cast<double>(late), 100.0, 30.0);
}

TEST_F(SimLinkTest, DuplicatesAreTheSame) {
  Make({.duplicate = Chance::Always()});

  Send(2);
  RunAll();

  ASSERT_EQ(arrivals_.size(), 4u);
  EXPECT_EQ(arrivals_[0].payload, arrivals_[3].payload);
}

TEST_F(SimLinkTest, CorruptionFlipsOneToThreeBits) {
  Make({.corrupt = Chance::Always()});

  SendEvery(Duration::Milliseconds(1), 100);
  RunAll();

  ASSERT_EQ(arrivals_.size(), 100u);
  for (const Arrival& arrival : arrivals_) {
    int bits = 0;
    for (const uint8_t byte : arrival.payload) bits += std::popcount(byte);
    EXPECT_GE(bits, 1);
    EXPECT_LE(bits, 3);
  }
}

TEST_F(SimLinkTest, PacketsLargerThanTheMtuVanish) {
  Make({.mtu_bytes = 1'280});

  Send(1, 1'280 - kUdpIpOverheadBytes);
  Send(1, 1'281 - kUdpIpOverheadBytes);
  RunAll();

  ASSERT_EQ(arrivals_.size(), 1u);
  EXPECT_EQ(arrivals_[0].number, 0u);
  EXPECT_EQ(trace_.CountOf("drop: larger than MTU"), 1u);
}

TEST_F(SimLinkTest, NothingPassesDuringABlackout) {
  SimLink& link = Make({});
  link.AddBlackout(kStart + Duration::Milliseconds(10), Duration::Milliseconds(5));

  SendEvery(Duration::Milliseconds(1), 20);
  RunAll();

  EXPECT_EQ(arrivals_.size(), 15u);
  EXPECT_EQ(arrivals_[10].number, 15u);
}

TEST_F(SimLinkTest, AChangeCountsForWhatIsSentAfterIt) {
  SimLink& link = Make({.delay = Duration::Milliseconds(10)});

  Send(1);
  link.Change({.delay = Duration::Milliseconds(50)});
  Send(1);
  RunAll();

  EXPECT_EQ(ArrivedAfter(0), Duration::Milliseconds(10));
  EXPECT_EQ(ArrivedAfter(1), Duration::Milliseconds(50));
}

TEST_F(SimLinkTest, AChangeEndsABurstOfLoss) {
  SimLink& link = Make({.bursts = {.turns_bad = Chance::Always()}});

  Send(1);
  link.Change({});
  Send(1);
  RunAll();

  ASSERT_EQ(arrivals_.size(), 1u);
  EXPECT_EQ(arrivals_[0].number, 1u);
}

TEST_F(SimLinkTest, ASeedDecidesEverything) {
  const LinkConfig config = {.jitter = Duration::Milliseconds(3),
                             .jitter_reorders = true,
                             .loss = Chance::Percent(10),
                             .duplicate = Chance::Percent(5),
                             .corrupt = Chance::Percent(5)};
  uint64_t hashes[3];
  const uint64_t seeds[3] = {1, 1, 2};

  for (int run = 0; run < 3; ++run) {
    EventQueue queue(kStart);
    SimTrace trace;
    SimLink link("link", config, seeds[run], &queue, &trace);
    for (uint64_t i = 0; i < 1'000; ++i) {
      SimPacket packet;
      packet.number = i;
      packet.payload.assign(kPayloadBytes, 0);
      link.Send(std::move(packet));
    }
    while (!queue.empty()) queue.RunNext();
    hashes[run] = trace.hash();
  }

  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_NE(hashes[0], hashes[2]);
}

}  // namespace
}  // namespace godwit
