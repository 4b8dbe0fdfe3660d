// SPDX-License-Identifier: Apache-2.0
//
// Controllers on a bottleneck with a queue: how slow start ends, how a link is used, how two share.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "gtest/gtest.h"

#include "congestion/builtin_controllers.h"
#include "congestion/cubic.h"
#include "congestion/new_reno.h"
#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"
#include "tests/congestion/bottleneck_model.h"

namespace godwit {
namespace {

constexpr uint64_t kPacket = BottleneckModel::kPacketBytes;
constexpr Duration kRtt = Duration::Milliseconds(40);

constexpr Timestamp At(int64_t ms) { return Timestamp::FromNanoseconds(ms * 1'000'000); }

constexpr CongestionControllerParams kFresh = {.max_datagram_bytes = kPacket};

// A link whose queue holds `bdps` bandwidth-delay products.
BottleneckModel::Link LinkOf(int64_t megabits_per_second, uint64_t bdps) {
  const Bandwidth rate = Bandwidth::MegabitsPerSecond(megabits_per_second);
  return {.rate = rate, .rtt = kRtt, .queue_bytes = bdps * rate.BytesIn(kRtt)};
}

// Jain's index of two shares.
double Fairness(uint64_t a_bytes, uint64_t b_bytes) {
  const double a = static_cast<double>(a_bytes);
  const double b = static_cast<double>(b_bytes);
  return (a + b) * (a + b) / (2 * (a * a + b * b));
}

// By the names of the controllers.
class SlowStartTest : public testing::TestWithParam<std::string_view> {
 protected:
  bool is_slow_start() const { return !controller_->Handover().ssthresh_bytes.has_value(); }

  std::unique_ptr<CongestionController> MakeController() const {
    return FindCongestionControllerFactory(CongestionControllerRegistry(), GetParam())
        ->Make(kFresh);
  }

  std::unique_ptr<CongestionController> controller_ = MakeController();
};

INSTANTIATE_TEST_SUITE_P(Controllers, SlowStartTest, testing::Values(kCubic, kNewReno));

TEST_P(SlowStartTest, EndsWithoutALossOnADeepQueue) {
  const BottleneckModel::Link link = LinkOf(100, 20);
  const uint64_t bdp_bytes = link.rate.BytesIn(kRtt);
  BottleneckModel model(link);
  model.AddFlow(controller_.get(), At(0));

  while (is_slow_start() && model.now() < At(3'000)) {
    model.RunUntil(model.now() + Duration::Milliseconds(1));
  }

  EXPECT_FALSE(is_slow_start());
  EXPECT_EQ(model.lost_bytes(0), 0);
  EXPECT_GT(controller_->congestion_window_bytes(), bdp_bytes);
  // The RTT of a whole round tells when the window has passed 3 to 4 BDP; five conservative rounds
  // triple that (RFC 9406 §4.2).
  EXPECT_LT(controller_->congestion_window_bytes(), 12 * bdp_bytes);
}

TEST_P(SlowStartTest, JitterDoesNotEndItBeforeTheLinkIsFull) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    BottleneckModel::Link link = LinkOf(1'000, 1);
    link.jitter = Duration::Milliseconds(8);
    link.seed = seed;
    controller_ = MakeController();
    BottleneckModel model(link);
    model.AddFlow(controller_.get(), At(0));

    while (controller_->congestion_window_bytes() < link.rate.BytesIn(kRtt)) {
      model.RunUntil(model.now() + Duration::Milliseconds(1));
      ASSERT_TRUE(is_slow_start()) << "seed " << seed;
      ASSERT_LT(model.now(), At(2'000)) << "seed " << seed;
    }
  }
}

TEST(BottleneckTest, CubicUsesALinkWithAQueueOfOneBdp) {
  const BottleneckModel::Link link = LinkOf(50, 1);
  Cubic cubic(kFresh);
  BottleneckModel model(link);
  model.AddFlow(&cubic, At(0));
  model.RunUntil(At(10'000));
  const uint64_t before_bytes = model.delivered_bytes(0);

  model.RunUntil(At(40'000));

  const uint64_t most_bytes = link.rate.BytesIn(Duration::Seconds(30));
  EXPECT_GE(model.delivered_bytes(0) - before_bytes, most_bytes / 100 * 98);
}

TEST(BottleneckTest, TwoCubicFlowsConvergeToEqualShares) {
  Cubic early(kFresh);
  Cubic late(kFresh);
  BottleneckModel model(LinkOf(20, 1));
  model.AddFlow(&early, At(0));
  model.AddFlow(&late, At(10'000));
  model.RunUntil(At(11'000));
  const double unfair = Fairness(model.delivered_bytes(0), model.delivered_bytes(1));
  model.RunUntil(At(60'000));
  const uint64_t early_bytes = model.delivered_bytes(0);
  const uint64_t late_bytes = model.delivered_bytes(1);

  model.RunUntil(At(180'000));

  EXPECT_LT(unfair, 0.7);
  EXPECT_GE(Fairness(model.delivered_bytes(0) - early_bytes, model.delivered_bytes(1) - late_bytes),
            0.95);
}

TEST(BottleneckTest, CubicAndNewRenoShareASmallPath) {
  Cubic cubic(kFresh);
  NewReno reno(kFresh);
  BottleneckModel model(LinkOf(5, 1));
  model.AddFlow(&cubic, At(0));
  model.AddFlow(&reno, At(500));

  model.RunUntil(At(180'000));

  EXPECT_GE(Fairness(model.delivered_bytes(0), model.delivered_bytes(1)), 0.85);
}

TEST(BottleneckTest, SameInputGivesTheSameRun) {
  uint64_t delivered[2];
  for (uint64_t& bytes : delivered) {
    BottleneckModel::Link link = LinkOf(20, 1);
    link.jitter = Duration::Milliseconds(3);
    Cubic cubic(kFresh);
    BottleneckModel model(link);
    model.AddFlow(&cubic, At(0));
    model.RunUntil(At(10'000));
    bytes = model.delivered_bytes(0) + cubic.congestion_window_bytes();
  }

  EXPECT_EQ(delivered[0], delivered[1]);
}

}  // namespace
}  // namespace godwit
