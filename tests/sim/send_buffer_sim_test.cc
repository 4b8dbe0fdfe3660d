// SPDX-License-Identifier: Apache-2.0
//
// What lies between an application that writes all it may and the network: little enough that the
// end of a stream does not wait behind minutes of data, enough that no link runs empty.
#include <cstdint>

#include "gtest/gtest.h"

#include "tests/sim/congestion_study.h"
#include "tests/sim/endpoint_pair.h"

namespace godwit {
namespace {

// 50 ms to go through, and 200 ms in the queue.
LinkConfig OneMegabit() {
  return {.rate = Bandwidth::MegabitsPerSecond(1),
          .queue_bytes = 25'000,
          .delay = Duration::Milliseconds(25)};
}

class SendBufferTest : public testing::Test {
 protected:
  static PairConfig Upload(const LinkConfig& link, const std::vector<StreamPlan>& streams) {
    PairConfig config;
    config.Link(link);
    config.client.app.streams = streams;
    return config;
  }

  static DeliveryLedger::Record RecordOf(EndpointPair& pair, uint64_t stream) {
    return pair.simulation().ledger().RecordOf(stream, Perspective::kClient);
  }

  // From the end of writing to the end of reading; infinite if it takes longer than `limit`.
  static Duration TimeToTheEnd(EndpointPair& pair, uint64_t stream, Duration limit) {
    const auto is_finished = [&] { return RecordOf(pair, stream).is_finished; };
    if (!pair.simulation().RunUntil(is_finished, limit)) return Duration::Infinite();
    const Duration written_at = pair.simulation().elapsed();
    const auto is_read = [&] { return RecordOf(pair, stream).is_end_read; };
    if (!pair.simulation().RunUntil(is_read, limit)) return Duration::Infinite();
    return pair.simulation().elapsed() - written_at;
  }
};

TEST_F(SendBufferTest, TheEndOfAStreamFollowsItsLastWriteSoon) {
  // Stream 0, bidirectional.
  EndpointPair pair(Upload(OneMegabit(), {{.bytes = 1'000'000}}));
  pair.Connect();

  // 256 KiB are two seconds, of which a stream alone gets four fifths.
  EXPECT_LT(TimeToTheEnd(pair, 0, Duration::Seconds(30)), Duration::Milliseconds(2'200));
}

// Each has an eighth of the link, and of what may wait.
TEST_F(SendBufferTest, SoDoTheEndsOfManyStreams) {
  EndpointPair pair(Upload(OneMegabit(), Streams(8, {.bytes = 250'000})));
  pair.Connect();

  for (uint64_t i = 0; i < 8; ++i) {
    EXPECT_LT(TimeToTheEnd(pair, 4 * i, Duration::Seconds(30)), Duration::Milliseconds(4'000));
  }
}

TEST_F(SendBufferTest, ASmallRequestDoesNotWaitForALargeOne) {
  EndpointPair pair(Upload(
      OneMegabit(), {{.bytes = 1'500'000}, {.bytes = 4'000, .start_after = Duration::Seconds(5)}}));
  pair.Connect();
  const auto is_begun = [&] { return RecordOf(pair, 4).written_bytes != 0; };
  ASSERT_TRUE(pair.simulation().RunUntil(is_begun, Duration::Seconds(10)));

  // The first write is taken whole.
  EXPECT_TRUE(RecordOf(pair, 4).is_finished);
  EXPECT_FALSE(RecordOf(pair, 0).is_finished);
  EXPECT_LT(TimeToTheEnd(pair, 4, Duration::Seconds(10)), Duration::Milliseconds(500));
}

TEST_F(SendBufferTest, AFewRoundTripsOfDataWaitWhereThereAreMany) {
  EndpointPair pair(Upload({.rate = Bandwidth::MegabitsPerSecond(20),
                            .queue_bytes = 250'000,
                            .delay = Duration::Milliseconds(50)},
                           Bulk(20'000'000)));
  pair.Connect();
  ASSERT_TRUE(pair.simulation().RunFor(Duration::Seconds(3)));

  const uint64_t window = pair.ClientStats().congestion_window_bytes;
  const uint64_t held = pair.client_connection()->held_bytes();

  EXPECT_GT(held, 2 * window);
  EXPECT_LT(held, 3 * window);
}

TEST_F(SendBufferTest, ALongFastLinkIsUsed) {
  StudyConfig config = {.rtt = Duration::Milliseconds(100)};
  config.queue_bytes = config.bdp_bytes();

  const StudyRun run = RunStudy(config, Duration::Seconds(10));

  ASSERT_EQ(run.problem, "");
  EXPECT_GE(LinkShare(run, {Duration::Seconds(5), Duration::Seconds(10)}), 0.95);
  // With slow start, which takes the better part of a second.
  EXPECT_GE(LinkShare(run, {Duration::Zero(), Duration::Seconds(5)}), 0.84);
}

}  // namespace
}  // namespace godwit
