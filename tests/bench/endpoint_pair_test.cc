// SPDX-License-Identifier: Apache-2.0
//
// A bulk transfer between two endpoints, and what it takes from the heap: nothing, once warm.
#include "bench/endpoint_pair.h"

#include <cstdint>
#include <memory>

#include "gtest/gtest.h"

#include "tests/base/heap_counter.h"

namespace godwit {
namespace {

constexpr int kWarmUpTicks = 1000;
constexpr size_t kPackets = 10'000;

size_t SendPackets(EndpointPair& pair) {
  size_t packets = 0;
  for (int ticks = 0; packets < kPackets && ticks < 10'000; ++ticks) packets += pair.Tick();
  return packets;
}

TEST(EndpointPairTest, CounterSeesAnAllocation) {
  const uint64_t before = CountHeap().allocations;

  const auto allocated = std::make_unique<EndpointPair::Nanoseconds>();

  EXPECT_EQ(CountHeap().allocations, before + 1) << allocated->sender;
}

TEST(EndpointPairTest, TenThousandPacketsBothWaysAllocateNothing) {
  EndpointPair pair({});
  pair.WarmUp(kWarmUpTicks);
  const uint64_t bytes_before = pair.received_bytes();
  const uint64_t before = CountHeap().allocations;

  const size_t packets = SendPackets(pair);

  EXPECT_EQ(CountHeap().allocations, before);
  EXPECT_GE(packets, kPackets);
  EXPECT_GE(pair.received_bytes() - bytes_before, kPackets * 1300);
}

TEST(EndpointPairTest, FullTrainsOfTheLargestDatagramsLeave) {
  EndpointPair pair({});
  pair.WarmUp(kWarmUpTicks);

  const size_t packets_a_tick = pair.Tick();

  EXPECT_EQ(pair.sender_stats().max_datagram_bytes, 1452u);
  EXPECT_GE(packets_a_tick, 40u);
}

}  // namespace
}  // namespace godwit
