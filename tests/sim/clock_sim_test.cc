// SPDX-License-Identifier: Apache-2.0
//
// Clocks that leap, stand still or go back, as those of machines that sleep or are moved do.
// Nothing breaks by that: data flows again, or the connection ends by its idle timeout.
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/sim/chance.h"
#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

using Cause = CloseReason::Cause;

// A second of data both ways.
PairConfig Echo() {
  PairConfig config;
  LinkConfig link = Broadband();
  link.rate = Bandwidth::MegabitsPerSecond(8);
  link.queue_bytes = 40'000;
  config.Link(link);
  config.client.app.streams = {{.bytes = 1'000'000}};
  config.server.app.answers = {.kind = AnswerPlan::Kind::kEcho};
  return config;
}

enum class End : uint8_t { kClient, kServer };

SimNode& NodeOf(EndpointPair& pair, End end) {
  return end == End::kClient ? pair.client() : pair.server();
}

void ShiftAfter(EndpointPair& pair, End end, Duration delay, Duration by) {
  pair.After(delay, [&pair, end, by] { NodeOf(pair, end).ShiftClock(by); });
}

class ClockSimTest : public testing::TestWithParam<End> {};

INSTANTIATE_TEST_SUITE_P(BothEnds, ClockSimTest, testing::Values(End::kClient, End::kServer));

TEST_P(ClockSimTest, DataFlowsOnAfterALeapOfTenSeconds) {
  EndpointPair pair(Echo());
  ShiftAfter(pair, GetParam(), Duration::Milliseconds(300), Duration::Seconds(10));

  EXPECT_TRUE(pair.Run(Duration::Seconds(6)));
}

TEST_P(ClockSimTest, DataFlowsOnAfterALeapOfAnHourWithoutIdleTimeout) {
  PairConfig config = Echo();
  config.client.endpoint.connection.idle.max_idle_timeout = Duration::Zero();
  config.server.endpoint.connection.idle.max_idle_timeout = Duration::Zero();
  EndpointPair pair(config);
  ShiftAfter(pair, GetParam(), Duration::Milliseconds(300), Duration::Seconds(3'600));

  // A round trip seems to have taken an hour: it takes a while until the average has forgotten it.
  EXPECT_TRUE(pair.Run(Duration::Seconds(40)));
}

TEST_P(ClockSimTest, ALeapOfAnHourIsAnIdleTimeout) {
  EndpointPair pair(Echo());
  ShiftAfter(pair, GetParam(), Duration::Milliseconds(300), Duration::Seconds(3'600));
  pair.Connect();

  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(35)));

  EXPECT_EQ(pair.client().endpoint().connection_count(), 0u);
  EXPECT_EQ(pair.server().endpoint().connection_count(), 0u);
  const bool is_client = GetParam() == End::kClient;
  const ConnectionRecord& leapt = is_client ? pair.client_record() : pair.server_record();
  const ConnectionRecord& other = is_client ? pair.server_record() : pair.client_record();
  ASSERT_TRUE(leapt.close_reason.has_value());
  EXPECT_EQ(leapt.close_reason->cause, Cause::kIdleTimeout);
  // Whoever goes on sending gets a stateless reset, unless it is a server, whose client has none.
  ASSERT_TRUE(other.close_reason.has_value());
  EXPECT_EQ(other.close_reason->cause, is_client ? Cause::kIdleTimeout : Cause::kStatelessReset);
}

TEST_P(ClockSimTest, AClockStandsStillForTwoSeconds) {
  EndpointPair pair(Echo());
  pair.After(Duration::Milliseconds(300), [&] { NodeOf(pair, GetParam()).StopClock(); });
  pair.After(Duration::Milliseconds(2'300), [&] { NodeOf(pair, GetParam()).StartClock(); });

  EXPECT_TRUE(pair.Run(Duration::Seconds(5)));
}

TEST_P(ClockSimTest, AClockStandsStillInTheHandshake) {
  EndpointPair pair(Echo());
  pair.After(Duration::Milliseconds(5), [&] { NodeOf(pair, GetParam()).StopClock(); });
  pair.After(Duration::Milliseconds(505), [&] { NodeOf(pair, GetParam()).StartClock(); });

  EXPECT_TRUE(pair.Run(Duration::Seconds(5)));
}

TEST_P(ClockSimTest, AClockThatGoesBack) {
  for (const int64_t back_ms : {1, 50, 700, 5'000}) {
    EndpointPair pair(Echo());
    ShiftAfter(pair, GetParam(), Duration::Milliseconds(300), -Duration::Milliseconds(back_ms));

    // What was due by the old time waits until the new one gets there.
    EXPECT_TRUE(pair.Run(Duration::Milliseconds(4'000 + back_ms))) << back_ms << " ms";
  }
}

TEST_P(ClockSimTest, ALeapInTheHandshake) {
  for (const int64_t at_ms : {5, 15, 25, 35}) {
    EndpointPair pair(Echo());
    ShiftAfter(pair, GetParam(), Duration::Milliseconds(at_ms), Duration::Seconds(5));

    EXPECT_TRUE(pair.Run(Duration::Seconds(5))) << at_ms << " ms";
  }
}

// Two steps ahead, one back, at each end, and packets are lost besides.
TEST(ClockSimTest, ClocksThatJumpAllTheTime) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    PairConfig config = Echo();
    config.simulation.seed = seed;
    config.up.loss = Chance::Percent(1);
    config.down.loss = Chance::Percent(1);
    EndpointPair pair(config);
    for (int64_t i = 0; i < 200; ++i) {
      const int64_t step_ms = i % 3 == 2 ? -30 : 50;
      ShiftAfter(pair, i % 2 == 0 ? End::kClient : End::kServer, Duration::Milliseconds(20) * i,
                 Duration::Milliseconds(step_ms));
    }

    EXPECT_TRUE(pair.Run(Duration::Seconds(30))) << "seed " << seed;
  }
}

}  // namespace
}  // namespace godwit
