// SPDX-License-Identifier: Apache-2.0
#include "bench/limit_packets.h"

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "godwit/datagram.h"

namespace godwit {
namespace {

// What the network makes of a train.
class Arrived {
 public:
  explicit Arrived(std::span<const uint8_t> train) : bytes_(train.begin(), train.end()) {
    for (size_t offset = 0; offset < bytes_.size(); offset += kLimitPacketBytes) {
      datagrams_.push_back({.payload = std::span(bytes_).subspan(offset, kLimitPacketBytes)});
    }
  }

  std::vector<ReceivedDatagram>& datagrams() { return datagrams_; }

 private:
  std::vector<uint8_t> bytes_;
  std::vector<ReceivedDatagram> datagrams_;
};

TEST(LimitPacketsTest, EveryPacketOfEveryTrainOpens) {
  LimitSealer sealer;
  LimitOpener opener;

  for (int i = 0; i < 3; ++i) {
    Arrived train(sealer.SealTrain());
    const LimitOpener::Opened opened = opener.Open(train.datagrams());

    EXPECT_EQ(opened.packets, kLimitTrainPackets);
    EXPECT_EQ(opened.refused, 0u);
    EXPECT_FALSE(opened.has_ended);
  }
}

TEST(LimitPacketsTest, PacketNumbersAreMasked) {
  LimitSealer sealer;
  Arrived train(sealer.SealTrain());

  std::set<std::vector<uint8_t>> numbers;
  for (const ReceivedDatagram& datagram : train.datagrams()) {
    const auto number = datagram.payload.subspan(kLimitPacketNumberOffset, 3);
    numbers.insert({number.begin(), number.end()});
  }

  // Bare, they would all be 0 0 0.
  EXPECT_GT(numbers.size(), kLimitTrainPackets / 2);
}

TEST(LimitPacketsTest, MoreThanOneTrainOpensAtOnce) {
  LimitSealer sealer;
  LimitOpener opener;
  Arrived first(sealer.SealTrain());
  Arrived second(sealer.SealTrain());
  std::vector<ReceivedDatagram> all = first.datagrams();
  all.insert(all.end(), second.datagrams().begin(), second.datagrams().end());

  EXPECT_EQ(opener.Open(all).packets, 2 * kLimitTrainPackets);
}

TEST(LimitPacketsTest, DamagedPacketIsRefusedAlone) {
  LimitSealer sealer;
  LimitOpener opener;
  Arrived train(sealer.SealTrain());
  train.datagrams()[7].payload[700] ^= 1;

  const LimitOpener::Opened opened = opener.Open(train.datagrams());

  EXPECT_EQ(opened.packets, kLimitTrainPackets - 1);
  EXPECT_EQ(opened.refused, 1u);
}

TEST(LimitPacketsTest, NumbersForTheEndAreLeftOver) {
  LimitSealer sealer((uint64_t{1} << 32) - 1'000 - 2 * kLimitTrainPackets);
  LimitOpener opener;

  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(sealer.CanSealTrain());
    sealer.SealTrain();
  }

  EXPECT_FALSE(sealer.CanSealTrain());
  Arrived end(sealer.SealEnd());
  EXPECT_TRUE(opener.Open(end.datagrams()).has_ended);
}

TEST(LimitPacketsTest, DatagramOfAnotherSizeIsRefused) {
  LimitOpener opener;
  std::vector<uint8_t> bytes(5);
  const ReceivedDatagram datagram = {.payload = bytes};

  const LimitOpener::Opened opened = opener.Open({&datagram, 1});

  EXPECT_EQ(opened.packets, 0u);
  EXPECT_EQ(opened.refused, 1u);
}

TEST(LimitPacketsTest, EndIsSeenAndIsNoData) {
  LimitSealer sealer;
  LimitOpener opener;
  Arrived end(sealer.SealEnd());

  const LimitOpener::Opened opened = opener.Open(end.datagrams());

  EXPECT_TRUE(opened.has_ended);
  EXPECT_EQ(opened.packets, 0u);
}

}  // namespace
}  // namespace godwit
