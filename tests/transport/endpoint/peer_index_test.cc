// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/peer_index.h"

#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

SocketAddress Address(std::string_view text) { return *SocketAddress::Parse(text); }

const SocketAddress kOne = Address("192.0.2.1:443");
const SocketAddress kTwo = Address("192.0.2.2:443");

std::vector<uint32_t> NextOf(PeerIndex& peers, const SocketAddress& peer, size_t count) {
  std::vector<uint32_t> slots(count);
  const std::span<uint32_t> found = peers.NextOf(peer, slots);
  return {found.begin(), found.end()};
}

TEST(PeerIndexTest, SlotsOfAnAddressAreFound) {
  PeerIndex peers;
  peers.Add(kOne, 5);
  peers.Add(kTwo, 6);
  peers.Add(kOne, 7);

  EXPECT_EQ(NextOf(peers, kOne, 10), (std::vector<uint32_t>{5, 7}));
  EXPECT_EQ(NextOf(peers, kTwo, 10), (std::vector<uint32_t>{6}));
  EXPECT_TRUE(NextOf(peers, Address("192.0.2.1:444"), 10).empty());
}

TEST(PeerIndexTest, EveryQuestionGoesOnWhereTheLastOneEnded) {
  PeerIndex peers;
  for (uint32_t slot = 0; slot < 5; ++slot) peers.Add(kOne, slot);

  EXPECT_EQ(NextOf(peers, kOne, 2), (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(NextOf(peers, kOne, 2), (std::vector<uint32_t>{2, 3}));
  EXPECT_EQ(NextOf(peers, kOne, 2), (std::vector<uint32_t>{4, 0}));
}

TEST(PeerIndexTest, RemovedSlotIsNotFound) {
  PeerIndex peers;
  for (uint32_t slot = 0; slot < 3; ++slot) peers.Add(kOne, slot);

  peers.Remove(kOne, 0);
  EXPECT_EQ(NextOf(peers, kOne, 10), (std::vector<uint32_t>{1, 2}));

  peers.Remove(kOne, 2);
  peers.Remove(kOne, 1);
  EXPECT_TRUE(NextOf(peers, kOne, 10).empty());
  EXPECT_EQ(peers.peer_count(), 0);
}

TEST(PeerIndexTest, BehavesLikeASetForEachAddress) {
  SeededRandom random(3);
  PeerIndex peers;
  const std::array<SocketAddress, 2> addresses = {kOne, kTwo};
  std::array<std::set<uint32_t>, 2> naive;

  for (int step = 0; step < 20'000; ++step) {
    const auto slot = static_cast<uint32_t>(random.UniformBelow(12));
    const size_t which = random.UniformBelow(2);
    if (naive[which].contains(slot)) {
      peers.Remove(addresses[which], slot);
      naive[which].erase(slot);
    } else if (!naive[1 - which].contains(slot)) {
      peers.Add(addresses[which], slot);
      naive[which].insert(slot);
    }
    peers.CheckInvariants();
    const std::vector<uint32_t> found = NextOf(peers, addresses[which], 100);
    ASSERT_EQ(std::set<uint32_t>(found.begin(), found.end()), naive[which]) << "step " << step;
    ASSERT_EQ(found.size(), naive[which].size());
  }
}

}  // namespace
}  // namespace godwit
