// SPDX-License-Identifier: Apache-2.0

#include "transport/streams/recv_flow.h"

#include <algorithm>
#include <cstdint>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr Duration kRtt = Duration::Milliseconds(100);
constexpr uint64_t kNoGrowth = 0;

StreamContext At(Duration since_start) {
  return {.now = Timestamp::Zero() + since_start, .smoothed_rtt = kRtt};
}

TEST(RecvFlowTest, TheFirstLimitIsTheWindow) {
  const RecvFlow flow(1000);

  EXPECT_EQ(flow.limit_bytes(), 1000u);
  EXPECT_EQ(flow.window_bytes(), 1000u);
}

TEST(RecvFlowTest, LessThanAQuarterOfTheWindowIsNotWorthAnUpdate) {
  RecvFlow flow(1000);

  EXPECT_FALSE(flow.OnConsumed(249, At(kRtt), kNoGrowth));

  EXPECT_EQ(flow.limit_bytes(), 1000u);
}

TEST(RecvFlowTest, AQuarterOfTheWindowRaisesTheLimitByWhatWasRead) {
  RecvFlow flow(1000);

  EXPECT_TRUE(flow.OnConsumed(250, At(kRtt), kNoGrowth));

  EXPECT_EQ(flow.limit_bytes(), 1250u);
  EXPECT_FALSE(flow.OnConsumed(499, At(kRtt), kNoGrowth));
  EXPECT_TRUE(flow.OnConsumed(500, At(kRtt), kNoGrowth));
}

TEST(RecvFlowTest, AWindowOfOneByteStillMoves) {
  RecvFlow flow(1);

  EXPECT_TRUE(flow.OnConsumed(1, At(kRtt), kNoGrowth));

  EXPECT_EQ(flow.limit_bytes(), 2u);
}

TEST(RecvFlowTest, AWindowOfNothingStaysShut) {
  RecvFlow flow(0);

  EXPECT_FALSE(flow.OnConsumed(0, At(kRtt), kMaxVarint));
  EXPECT_FALSE(flow.OnDropped(0));
  EXPECT_FALSE(flow.OnPeerBlocked(0));

  EXPECT_EQ(flow.limit_bytes(), 0u);
}

TEST(RecvFlowTest, AQuarterReadWithinARoundTripDoublesTheWindow) {
  RecvFlow flow(1000);
  flow.OnFirstData(Timestamp::Zero());

  EXPECT_TRUE(flow.OnConsumed(250, At(kRtt - Duration::Nanoseconds(1)), 1'000'000));

  EXPECT_EQ(flow.window_bytes(), 2000u);
  EXPECT_EQ(flow.limit_bytes(), 2250u);
}

TEST(RecvFlowTest, AQuarterReadInAWholeRoundTripLeavesTheWindow) {
  RecvFlow flow(1000);
  flow.OnFirstData(Timestamp::Zero());

  EXPECT_TRUE(flow.OnConsumed(250, At(kRtt), 1'000'000));

  EXPECT_EQ(flow.window_bytes(), 1000u);
}

TEST(RecvFlowTest, TimeIsMeasuredFromUpdateToUpdate) {
  RecvFlow flow(1000);
  flow.OnFirstData(Timestamp::Zero());
  ASSERT_TRUE(flow.OnConsumed(250, At(5 * kRtt), 1'000'000));

  EXPECT_TRUE(flow.OnConsumed(500, At(5 * kRtt + kRtt / 2), 1'000'000));

  EXPECT_EQ(flow.window_bytes(), 2000u);
}

TEST(RecvFlowTest, TheWindowGrowsToItsMaximumAndNotBeyond) {
  RecvFlow flow(1000);
  flow.OnFirstData(Timestamp::Zero());
  uint64_t consumed_bytes = 0;

  for (int i = 0; i < 10; ++i) {
    consumed_bytes = flow.limit_bytes();
    ASSERT_TRUE(flow.OnConsumed(consumed_bytes, At(Duration::Zero()), 5000));
  }

  EXPECT_EQ(flow.window_bytes(), 5000u);
  EXPECT_EQ(flow.limit_bytes(), consumed_bytes + 5000);
}

TEST(RecvFlowTest, AMaximumBelowTheWindowDoesNotShrinkIt) {
  RecvFlow flow(1000);
  flow.OnFirstData(Timestamp::Zero());

  ASSERT_TRUE(flow.OnConsumed(1000, At(Duration::Zero()), 10));

  EXPECT_EQ(flow.window_bytes(), 1000u);
}

TEST(RecvFlowTest, TheMemoryBudgetKeepsTheWindowFromGrowing) {
  RecvFlow flow(1000);
  flow.OnFirstData(Timestamp::Zero());
  StreamContext context = At(Duration::Zero());
  context.may_grow_windows = false;

  EXPECT_TRUE(flow.OnConsumed(250, context, 1'000'000));

  EXPECT_EQ(flow.window_bytes(), 1000u);
  EXPECT_EQ(flow.limit_bytes(), 1250u);
}

TEST(RecvFlowTest, DroppedDataComesBackButDoesNotGrowTheWindow) {
  RecvFlow flow(1000);
  flow.OnFirstData(Timestamp::Zero());

  EXPECT_FALSE(flow.OnDropped(249));
  EXPECT_TRUE(flow.OnDropped(250));

  EXPECT_EQ(flow.limit_bytes(), 1250u);
  EXPECT_EQ(flow.window_bytes(), 1000u);
}

TEST(RecvFlowTest, APeerThatWaitsGetsAnUpdateOfTwoPackets) {
  RecvFlow flow(1'000'000);

  EXPECT_FALSE(flow.OnPeerBlocked(kMinWindowUpdateBytes - 1));
  EXPECT_TRUE(flow.OnPeerBlocked(kMinWindowUpdateBytes));

  EXPECT_EQ(flow.limit_bytes(), 1'000'000 + kMinWindowUpdateBytes);
}

// RFC 9000 §16: a greater limit could not be written.
TEST(RecvFlowTest, TheLimitEndsAtTheLargestVarint) {
  RecvFlow flow(kMaxVarint - 100);

  EXPECT_TRUE(flow.OnConsumed(kMaxVarint - 200, At(Duration::Zero()), kMaxVarint));
  EXPECT_EQ(flow.limit_bytes(), kMaxVarint);

  EXPECT_FALSE(flow.OnConsumed(kMaxVarint - 100, At(Duration::Zero()), kMaxVarint));
}

// A sender in slow start, on a path that carries `rate` in a round trip, whose reader reads at
// once. Time in steps of a fiftieth of a round trip. Says how many bytes the window held back.
uint64_t BytesHeldBack(RecvFlow& flow, uint64_t rate_bytes, int round_trips) {
  constexpr int kStepsPerRtt = 50;
  constexpr Duration kStep = kRtt / kStepsPerRtt;
  std::array<uint64_t, kStepsPerRtt / 2> data_on_way{};
  std::array<uint64_t, kStepsPerRtt / 2> limit_on_way;
  limit_on_way.fill(flow.limit_bytes());
  uint64_t cwnd_bytes = 14'720;
  uint64_t sent_bytes = 0;
  uint64_t consumed_bytes = 0;
  uint64_t held_back_bytes = 0;
  flow.OnFirstData(Timestamp::Zero());
  for (int step = 0; step < round_trips * kStepsPerRtt; ++step) {
    const size_t slot = static_cast<size_t>(step) % data_on_way.size();
    // What was sent half a round trip ago comes in, and what was granted then is known.
    consumed_bytes += data_on_way[slot];
    static_cast<void>(flow.OnConsumed(consumed_bytes, At(step * kStep), uint64_t{64} << 20));
    const uint64_t known_limit = limit_on_way[slot];
    limit_on_way[slot] = flow.limit_bytes();
    const uint64_t wanted_bytes = cwnd_bytes / kStepsPerRtt;
    const uint64_t bytes = std::min(wanted_bytes, known_limit - sent_bytes);
    held_back_bytes += wanted_bytes - bytes;
    sent_bytes += bytes;
    data_on_way[slot] = bytes;
    if (step % kStepsPerRtt == kStepsPerRtt - 1) {
      cwnd_bytes = std::min(2 * cwnd_bytes, rate_bytes);
    }
  }
  return held_back_bytes;
}

TEST(RecvFlowTest, ASenderInSlowStartNeverWaits) {
  RecvFlow flow(uint64_t{256} << 10);

  EXPECT_EQ(BytesHeldBack(flow, 12'500'000, 40), 0u);
}

TEST(RecvFlowTest, TheWindowStopsAtAFewTimesWhatThePathCarries) {
  RecvFlow flow(uint64_t{256} << 10);

  ASSERT_EQ(BytesHeldBack(flow, 1'000'000, 60), 0u);

  EXPECT_GE(flow.window_bytes(), 4'000'000u);
  EXPECT_LE(flow.window_bytes(), 8'500'000u);
}

TEST(RecvFlowTest, ASlowPathLeavesTheWindowAsItIs) {
  RecvFlow flow(uint64_t{256} << 10);

  ASSERT_EQ(BytesHeldBack(flow, 20'000, 60), 0u);

  EXPECT_EQ(flow.window_bytes(), uint64_t{256} << 10);
}

}  // namespace
}  // namespace godwit
