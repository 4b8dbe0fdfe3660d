// SPDX-License-Identifier: Apache-2.0
//
// Two Cubic flows on a link of 100 Mbit/s and 40 ms with a queue of one bandwidth-delay product:
// ten times three minutes.
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/sim/congestion_study.h"

namespace godwit {
namespace {

TEST(CongestionStudyLongTest, TwoFlowsGetEqualShares) {
  const StudyInterval interval = {Duration::Seconds(60), Duration::Seconds(180)};
  std::vector<double> fairness;

  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const StudyRun run = RunStudy(TwoFlows(seed), interval.end);
    ASSERT_EQ(run.problem, "") << "seed " << seed;
    fairness.push_back(Fairness(run, interval));
    EXPECT_GE(fairness.back(), 0.95) << "seed " << seed;
    EXPECT_GE(LinkShare(run, interval), 0.95) << "seed " << seed;
  }

  EXPECT_GE(Median(fairness), 0.98) << testing::PrintToString(fairness);
}

TEST(CongestionStudyLongTest, OneFlowUsesTheLinkForMinutes) {
  const StudyInterval interval = {Duration::Seconds(20), Duration::Seconds(180)};

  const StudyRun run = RunStudy({}, interval.end);

  ASSERT_EQ(run.problem, "");
  EXPECT_GE(LinkShare(run, interval), 0.95);
  EXPECT_GE(GoodputShare(run, interval), 0.95);
  for (const StageFit& fit : FitStages(run.logs[0], run.datagram_bytes)) {
    EXPECT_LE(fit.largest_deviation, 0.005) << "W_max " << fit.formula.max_bytes;
  }
}

}  // namespace
}  // namespace godwit
