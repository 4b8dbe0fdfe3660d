// SPDX-License-Identifier: Apache-2.0
//
// Cubic against its text, in whole connections over a simulated link of 100 Mbit/s and 40 ms.
// RFC 9438, RFC 9406. Ten seeds of three minutes are in congestion_study_long_test.cc.
#include "tests/sim/congestion_study.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

// Two percent is what is promised, but a C that is wrong by a quarter is off by 1.1 % only.
constexpr double kMostDeviation = 0.005;

// One flow, a queue of one bandwidth-delay product.
class OneCubicFlowTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { run_ = RunStudy({}, Duration::Seconds(20)); }

  void SetUp() override { ASSERT_EQ(run_.problem, ""); }

  static StudyRun run_;
};

StudyRun OneCubicFlowTest::run_;

TEST_F(OneCubicFlowTest, TheLinkIsUsed) {
  const StudyInterval steady = {Duration::Seconds(5), Duration::Seconds(20)};

  EXPECT_GE(LinkShare(run_, steady), 0.95);
  // Of the whole link too, without any header: 96.3 % are possible.
  EXPECT_GE(GoodputShare(run_, steady), 0.95);
}

TEST_F(OneCubicFlowTest, TheWindowFollowsTheCurveAfterALoss) {
  const std::vector<StageFit> fits = FitStages(run_.logs[0], run_.datagram_bytes);

  double seconds = 0;
  for (const StageFit& fit : fits) {
    EXPECT_LE(fit.largest_deviation, kMostDeviation) << "W_max " << fit.formula.max_bytes;
    const Duration length = fit.stage.points.back().at - fit.stage.points.front().at;
    seconds += length.ToSecondsDouble();
  }
  // One stage below the plateau and one that goes on beyond it.
  EXPECT_GE(seconds, 15);
  EXPECT_GE(fits.size(), 2u);
}

TEST(CongestionStudyTest, SlowStartEndsBeforeALossOnADeepQueue) {
  StudyConfig config = {.sample_interval = Duration::Milliseconds(50)};
  config.queue_bytes = 12 * config.bdp_bytes();

  const StudyRun run = RunStudy(config, Duration::Milliseconds(2'500));

  ASSERT_EQ(run.problem, "");
  const std::optional<WindowLog::SlowStartEnd>& end = run.logs[0].slow_start_end;
  ASSERT_TRUE(end.has_value());
  EXPECT_GE(end->window_bytes, config.bdp_bytes());
  // Not then, and not by what was under way then.
  EXPECT_EQ(run.samples.back().queue_drops, 0u);
  EXPECT_TRUE(run.logs[0].stages.empty());
  const StudyInterval afterwards = {Duration::Milliseconds(1'000), Duration::Milliseconds(2'500)};
  EXPECT_GE(LinkShare(run, afterwards), 0.95);
}

TEST(CongestionStudyTest, TwoFlowsShareASmallLink) {
  StudyConfig config = TwoFlows(1);
  config.rate = Bandwidth::MegabitsPerSecond(20);
  config.queue_bytes = config.bdp_bytes();
  const StudyInterval interval = {Duration::Seconds(15), Duration::Seconds(35)};

  const StudyRun run = RunStudy(config, interval.end);

  ASSERT_EQ(run.problem, "");
  EXPECT_GE(Fairness(run, interval), 0.95);
  EXPECT_GE(LinkShare(run, interval), 0.95);
}

// ---- The instrument itself ----

// A complete stage in which the window climbs by `c` segments/s^3 for nine seconds.
WindowLog LogOfACurve(double c) {
  constexpr uint64_t kDatagram = 1'000;
  const CubicFormula formula = {
      .max_bytes = 1e6, .epoch_bytes = 0.7e6, .datagram_bytes = kDatagram * c / 0.4};
  WindowLog::Stage stage = {.before_bytes = 1'000'000, .after_bytes = 700'000};
  for (int64_t ms = 0; ms <= 9'000; ms += 5) {
    const double window = formula.WindowAt(static_cast<double>(ms) / 1e3);
    stage.points.push_back({.at = Timestamp::FromNanoseconds(ms * 1'000'000),
                            .window_bytes = static_cast<uint64_t>(window)});
  }
  stage.is_complete = true;
  return {.stages = {stage}};
}

TEST(CongestionStudyTest, AWindowOnTheCurveFits) {
  const std::vector<StageFit> fits = FitStages(LogOfACurve(0.4), 1'000);

  ASSERT_EQ(fits.size(), 1u);
  EXPECT_LT(fits[0].largest_deviation, 0.0001);
  // RFC 9438 §4.2: the cubic root of 300 segments / 0.4.
  EXPECT_NEAR(fits[0].formula.K(), 9.086, 0.001);
}

TEST(CongestionStudyTest, AWindowOnAnotherCurveDoesNot) {
  const std::vector<StageFit> fits = FitStages(LogOfACurve(0.5), 1'000);

  ASSERT_EQ(fits.size(), 1u);
  EXPECT_GT(fits[0].largest_deviation, 2 * kMostDeviation);
}

TEST(CongestionStudyTest, FairnessIsJainsIndexOfWhatCame) {
  StudyRun run;
  run.samples = {
      {.flows = {{.received_bytes = 100}, {.received_bytes = 0}}},
      {.at = Duration::Seconds(1), .flows = {{.received_bytes = 400}, {.received_bytes = 100}}},
      {.at = Duration::Seconds(2), .flows = {{.received_bytes = 500}, {.received_bytes = 400}}}};

  // 300 and 100, then 100 and 300: each second 0.8, both together 1.
  EXPECT_DOUBLE_EQ(Fairness(run, {Duration::Zero(), Duration::Seconds(2)}), 1.0);
  EXPECT_DOUBLE_EQ(MeanFairnessOfSeconds(run, {Duration::Zero(), Duration::Seconds(2)}), 0.8);
}

}  // namespace
}  // namespace godwit
