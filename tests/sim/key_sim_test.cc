// SPDX-License-Identifier: Apache-2.0
//
// Key updates in mid-transfer. RFC 9001 §6.
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

PairConfig Config(uint64_t bytes) {
  PairConfig config;
  config.client.app.streams = {{.bytes = bytes}};
  config.server.app.answers = {.kind = AnswerPlan::Kind::kEcho};
  return config;
}

// How many of `times` attempts were allowed.
void UpdateEvery(EndpointPair& pair, Duration interval, int64_t times, bool by_client,
                 uint64_t* allowed) {
  for (int64_t i = 1; i <= times; ++i) {
    pair.After(interval * i, [&pair, by_client, allowed] {
      Connection* connection = by_client ? pair.client_connection() : pair.server_connection();
      if (connection == nullptr) return;
      SimNode& node = by_client ? pair.client() : pair.server();
      node.Do([&](Endpoint&) {
        if (connection->UpdateKeys(pair.simulation().now()).ok()) ++*allowed;
      });
    });
  }
}

TEST(KeySimTest, TheClientUpdatesTheKeys) {
  EndpointPair pair(Config(5'000'000));
  uint64_t allowed = 0;
  UpdateEvery(pair, Duration::Milliseconds(300), 1, true, &allowed);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(3)));

  EXPECT_EQ(allowed, 1u);
  EXPECT_EQ(pair.simulation().observer().key_generation(Perspective::kClient), 1u);
  EXPECT_EQ(pair.simulation().observer().key_generation(Perspective::kServer), 1u);
  EXPECT_EQ(pair.ClientStats().key_updates, 1u);
  EXPECT_TRUE(pair.Close());
}

TEST(KeySimTest, TheServerUpdatesTheKeysManyTimes) {
  PairConfig config = Config(4'000'000);
  // 32 Mbit take 4 s.
  config.up.rate = Bandwidth::MegabitsPerSecond(10);
  config.up.queue_bytes = 50'000;
  EndpointPair pair(config);
  uint64_t allowed = 0;
  UpdateEvery(pair, Duration::Milliseconds(300), 8, false, &allowed);

  ASSERT_TRUE(pair.RunToSettled(Duration::Seconds(8)));

  EXPECT_EQ(pair.simulation().observer().key_generation(Perspective::kServer), allowed);
  EXPECT_GT(allowed, 5u);
  EXPECT_TRUE(pair.Close());
}

TEST(KeySimTest, BothUpdateAtOnceUnderLossAndReordering) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    PairConfig config = Config(2'000'000);
    config.simulation.seed = seed;
    LinkConfig bad = Broadband();
    bad.loss = Chance::Percent(2);
    bad.reorder = Chance::Percent(10);
    bad.reorder_delay = Duration::Milliseconds(30);
    config.Link(bad);
    EndpointPair pair(config);
    uint64_t allowed = 0;
    UpdateEvery(pair, Duration::Milliseconds(250), 20, true, &allowed);
    UpdateEvery(pair, Duration::Milliseconds(250), 20, false, &allowed);

    EXPECT_TRUE(pair.Run(Duration::Seconds(20))) << "seed " << seed;
    EXPECT_GT(allowed, 1u);
  }
}

TEST(KeySimTest, AnUpdateTooEarlyIsRefused) {
  EndpointPair pair(Config(1'000'000));
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Milliseconds(10)));

  EXPECT_FALSE(pair.client_connection()->UpdateKeys(pair.simulation().now()).ok());
}

TEST(KeySimTest, AnUpdateIsNotRepeatedWithinThreeProbeTimeouts) {
  EndpointPair pair(Config(5'000'000));
  uint64_t allowed = 0;
  UpdateEvery(pair, Duration::Milliseconds(300), 1, true, &allowed);
  ASSERT_TRUE([&] {
    pair.Connect();
    return pair.simulation().RunFor(Duration::Milliseconds(305));
  }());

  EXPECT_EQ(allowed, 1u);
  EXPECT_FALSE(pair.client_connection()->UpdateKeys(pair.simulation().now()).ok());
}

}  // namespace
}  // namespace godwit
