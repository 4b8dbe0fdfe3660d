// SPDX-License-Identifier: Apache-2.0
//
// The memory budget as it is by default, with windows as they are by default. Needs 3 GiB.
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

TEST(MemoryLongTest, AThousandPeersThatNeverStopStayWithinTheDefaultBudget) {
  constexpr uint64_t kBudget = uint64_t{1} << 30;
  constexpr int kPeers = 1'100;
  PairConfig config;
  config.Link({.rate = Bandwidth::MegabitsPerSecond(10'000),
               .queue_bytes = 50'000'000,
               .delay = Duration::Milliseconds(5)});
  for (int i = 0; i < 5; ++i) config.client.app.streams.push_back({.bytes = 300'000});
  config.server.app.reads.speed = ReadPlan::Speed::kNever;
  ASSERT_EQ(config.server.endpoint.memory_budget_bytes, kBudget);
  config.client.endpoint.memory_budget_bytes = uint64_t{1} << 40;
  config.server.endpoint.max_half_open = 10'000;
  config.server.endpoint.max_accepts_per_second_per_source = 100'000;
  config.simulation.observes_packets = false;
  config.simulation.checks_invariants_every = 0;
  EndpointPair pair(config);
  for (int i = 0; i < kPeers; ++i) pair.Connect();

  for (int i = 0; i < 100; ++i) {
    // New ones all the time: they are refused before the budget is used up.
    pair.Connect();
    ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(100)));
    ASSERT_LE(pair.server().endpoint().stats().held_bytes, kBudget);
  }

  EXPECT_GT(pair.server().endpoint().connection_count(), 900u);
  EXPECT_GT(pair.server().endpoint().stats().refused_because(RefusalReason::kMemoryBudget), 0u);
  EXPECT_GT(pair.server().endpoint().stats().held_bytes, kBudget / 10 * 9);
}

}  // namespace
}  // namespace godwit
