// SPDX-License-Identifier: Apache-2.0
#include "congestion/hystart_pp.h"

#include <cstdint>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {
namespace {

using State = HystartPp::State;

constexpr Duration Ms(int64_t count) { return Duration::Milliseconds(count); }

class HystartPpTest : public testing::Test {
 protected:
  // One round in which every one of `sample_count` acknowledgments measures `rtt`.
  void RunRound(Duration rtt, int sample_count = 8) {
    for (int i = 0; i < sample_count; ++i) Sample(rtt, /*is_round_start=*/i == 0);
  }

  void Sample(Duration rtt, bool is_round_start) {
    CongestionFeedback feedback;
    feedback.is_round_start = is_round_start;
    feedback.has_rtt_sample = true;
    feedback.rtt.latest = rtt;
    hystart_.OnFeedback(feedback);
    hystart_.CheckInvariants();
  }

  HystartPp hystart_;
};

TEST_F(HystartPpTest, SlowStartGrowsByAllThatIsAcknowledged) {
  EXPECT_EQ(hystart_.state(), State::kSlowStart);
  EXPECT_EQ(hystart_.GrowthBytes(10'000), 10'000);
}

TEST_F(HystartPpTest, SteadyRttKeepsSlowStart) {
  for (int i = 0; i < 100; ++i) RunRound(Ms(40));

  EXPECT_EQ(hystart_.state(), State::kSlowStart);
}

TEST_F(HystartPpTest, RiseOfAnEighthStartsConservativeGrowthAtAQuarter) {
  RunRound(Ms(40));

  RunRound(Ms(45));

  EXPECT_EQ(hystart_.state(), State::kConservative);
  EXPECT_EQ(hystart_.GrowthBytes(10'000), 2'500);
}

TEST_F(HystartPpTest, SmallerRiseIsIgnored) {
  RunRound(Ms(40));

  RunRound(Ms(45) - Duration::Nanoseconds(1));

  EXPECT_EQ(hystart_.state(), State::kSlowStart);
}

TEST_F(HystartPpTest, ThresholdIsAtLeastFourMilliseconds) {
  RunRound(Ms(8));
  RunRound(Ms(12) - Duration::Nanoseconds(1));
  EXPECT_EQ(hystart_.state(), State::kSlowStart);

  RunRound(Ms(16));

  EXPECT_EQ(hystart_.state(), State::kConservative);
}

TEST_F(HystartPpTest, ThresholdIsAtMostSixteenMilliseconds) {
  RunRound(Ms(400));

  RunRound(Ms(416));

  EXPECT_EQ(hystart_.state(), State::kConservative);
}

TEST_F(HystartPpTest, SevenSamplesAreTooFew) {
  RunRound(Ms(40));
  RunRound(Ms(80), 7);
  EXPECT_EQ(hystart_.state(), State::kSlowStart);

  Sample(Ms(80), /*is_round_start=*/false);

  EXPECT_EQ(hystart_.state(), State::kConservative);
}

TEST_F(HystartPpTest, OneFastPacketARoundIsEnoughToStay) {
  RunRound(Ms(40));

  Sample(Ms(41), /*is_round_start=*/true);
  for (int i = 0; i < 50; ++i) Sample(Ms(90), /*is_round_start=*/false);

  EXPECT_EQ(hystart_.state(), State::kSlowStart);
}

TEST_F(HystartPpTest, RoundWithoutPredecessorDecidesNothing) {
  RunRound(Ms(400), 50);

  EXPECT_EQ(hystart_.state(), State::kSlowStart);
}

TEST_F(HystartPpTest, FiveConservativeRoundsFinish) {
  RunRound(Ms(40));
  RunRound(Ms(50));  // The first of the five, from its eighth sample on.
  for (int i = 0; i < 4; ++i) RunRound(Ms(50));
  EXPECT_EQ(hystart_.state(), State::kConservative);

  Sample(Ms(50), /*is_round_start=*/true);

  EXPECT_EQ(hystart_.state(), State::kFinished);
}

TEST_F(HystartPpTest, RttThatFallsBackResumesSlowStart) {
  RunRound(Ms(40));
  RunRound(Ms(50));
  RunRound(Ms(50));

  RunRound(Ms(49));

  EXPECT_EQ(hystart_.state(), State::kSlowStart);
  EXPECT_EQ(hystart_.GrowthBytes(10'000), 10'000);
}

TEST_F(HystartPpTest, ConservativeRoundsCountAnewAfterAFalseAlarm) {
  RunRound(Ms(40));
  for (int i = 0; i < 4; ++i) RunRound(Ms(50));
  RunRound(Ms(40));
  RunRound(Ms(50));
  for (int i = 0; i < 4; ++i) RunRound(Ms(50));

  EXPECT_EQ(hystart_.state(), State::kConservative);
}

TEST_F(HystartPpTest, FinishedIsFinal) {
  RunRound(Ms(40));
  for (int i = 0; i < 6; ++i) RunRound(Ms(50));

  RunRound(Ms(20));

  EXPECT_TRUE(hystart_.is_finished());
}

TEST_F(HystartPpTest, JitterDoesNotFinishSlowStart) {
  // Every acknowledgment up to 10 ms late on a path of 40 ms: twice the threshold.
  SeededRandom random(9406);
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 20; ++i) {
      const int64_t late_us = static_cast<int64_t>(random.UniformBelow(10'000));
      Sample(Ms(40) + Duration::Microseconds(late_us), i == 0);
    }
    ASSERT_FALSE(hystart_.is_finished()) << "round " << round;
  }
}

}  // namespace
}  // namespace godwit
