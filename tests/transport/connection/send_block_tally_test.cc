// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/send_block_tally.h"

#include "gtest/gtest.h"

#include "godwit/connection_stats.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr Timestamp kStart = Timestamp::FromNanoseconds(1'000'000'000);

Timestamp At(int64_t ms) { return kStart + Duration::Milliseconds(ms); }
Duration Ms(int64_t count) { return Duration::Milliseconds(count); }

TEST(SendBlockTallyTest, EveryReasonHasItsOwnTime) {
  SendBlockTally tally(SendBlockedBy::kHandshake, kStart);
  tally.Set(SendBlockedBy::kAmplification, At(1));
  tally.Set(SendBlockedBy::kNothing, At(3));
  tally.Set(SendBlockedBy::kPacing, At(6));
  tally.Set(SendBlockedBy::kCongestionWindow, At(10));
  tally.Set(SendBlockedBy::kPeerFlowControl, At(15));
  tally.Set(SendBlockedBy::kApplication, At(21));

  const SendBlockedTimes times = tally.TimesUntil(At(28));

  EXPECT_EQ(times.handshake, Ms(1));
  EXPECT_EQ(times.amplification, Ms(2));
  EXPECT_EQ(times.nothing, Ms(3));
  EXPECT_EQ(times.pacing, Ms(4));
  EXPECT_EQ(times.congestion_window, Ms(5));
  EXPECT_EQ(times.peer_flow_control, Ms(6));
  EXPECT_EQ(times.application, Ms(7));
  EXPECT_EQ(times.total(), Ms(28));
}

TEST(SendBlockTallyTest, TimesOfOneReasonAddUp) {
  SendBlockTally tally(SendBlockedBy::kApplication, kStart);
  tally.Set(SendBlockedBy::kPacing, At(10));
  tally.Set(SendBlockedBy::kApplication, At(11));

  EXPECT_EQ(tally.TimesUntil(At(31)).application, Ms(30));
  EXPECT_EQ(tally.reason(), SendBlockedBy::kApplication);
}

TEST(SendBlockTallyTest, TheSameReasonAgainIsNoChange) {
  SendBlockTally tally(SendBlockedBy::kApplication, kStart);
  tally.Set(SendBlockedBy::kApplication, At(10));

  EXPECT_EQ(tally.settled_times().total(), Duration::Zero());
  EXPECT_EQ(tally.TimesUntil(At(20)).application, Ms(20));
}

TEST(SendBlockTallyTest, LookingChangesNothing) {
  const SendBlockTally tally(SendBlockedBy::kApplication, kStart);

  EXPECT_EQ(tally.TimesUntil(At(20)).total(), Ms(20));
  EXPECT_EQ(tally.TimesUntil(At(5)).total(), Ms(5));
}

TEST(SendBlockTallyTest, NoTimeCountsAfterTheEnd) {
  SendBlockTally tally(SendBlockedBy::kPacing, kStart);
  tally.Stop(At(5));
  tally.Stop(At(9));
  tally.Set(SendBlockedBy::kApplication, At(12));

  const SendBlockedTimes times = tally.TimesUntil(At(100));

  EXPECT_EQ(times.pacing, Ms(5));
  EXPECT_EQ(times.total(), Ms(5));
}

TEST(SendBlockTallyTest, ClockThatGoesBackTakesNothingAway) {
  SendBlockTally tally(SendBlockedBy::kApplication, kStart);
  tally.Set(SendBlockedBy::kPacing, At(10));
  tally.Set(SendBlockedBy::kApplication, At(4));

  EXPECT_EQ(tally.TimesUntil(At(6)).total(), Ms(10));
  EXPECT_EQ(tally.TimesUntil(At(15)).application, Ms(15));
}

}  // namespace
}  // namespace godwit
