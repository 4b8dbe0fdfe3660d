// SPDX-License-Identifier: Apache-2.0
#include "godwit/congestion_controller.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "godwit/bandwidth.h"
#include "godwit/ratio.h"
#include "godwit/time.h"

namespace godwit {
namespace {

// The example of the header.
class TwiceBdp final : public CongestionController {
 public:
  explicit TwiceBdp(const CongestionControllerParams& params)
      : window_(InitialWindowBytes(params.max_datagram_bytes)) {
    if (params.predecessor) window_ = params.predecessor->congestion_window_bytes;
  }
  std::string_view name() const override { return "twice_bdp"; }
  void OnFeedback(const CongestionFeedback& feedback) override {
    if (!feedback.rate_sample) return;
    rate_ = std::max(rate_ * Ratio{15, 16}, feedback.rate_sample->delivery_rate);
    window_ = std::max<uint64_t>(2 * rate_.BytesIn(feedback.rtt.min), 4 * 1200);
  }
  uint64_t congestion_window_bytes() const override { return window_; }
  Bandwidth pacing_rate() const override { return Bandwidth::Infinite(); }
  uint64_t send_quantum_bytes() const override { return 16'384; }
  CongestionHandover Handover() const override {
    return {.congestion_window_bytes = window_, .bandwidth_estimate = rate_};
  }

 private:
  uint64_t window_;
  Bandwidth rate_;
};

class TwiceBdpFactory final : public CongestionControllerFactory {
 public:
  std::unique_ptr<CongestionController> Make(
      const CongestionControllerParams& params) const override {
    return std::make_unique<TwiceBdp>(params);
  }
};

TEST(CongestionControllerTest, InitialWindowIsTenDatagramsWithinBounds) {
  EXPECT_EQ(InitialWindowBytes(1'200), 12'000);
  EXPECT_EQ(InitialWindowBytes(1'452), 14'520);
  EXPECT_EQ(InitialWindowBytes(1'500), 14'720);
  EXPECT_EQ(InitialWindowBytes(9'000), 18'000);
}

TEST(CongestionControllerTest, AnApplicationsControllerNeedsNoMoreThanTheExample) {
  const TwiceBdpFactory factory;
  CongestionControllerRegistry registry;
  ASSERT_TRUE(registry.Register("twice_bdp", &factory).ok());
  const CongestionControllerParams params{
      .predecessor = CongestionHandover{.congestion_window_bytes = 99'000}};
  const std::unique_ptr<CongestionController> controller = registry.Find("twice_bdp")->Make(params);

  EXPECT_EQ(controller->congestion_window_bytes(), 99'000);

  CongestionFeedback feedback;
  feedback.rate_sample = RateSample{.delivery_rate = Bandwidth::MegabitsPerSecond(80)};
  feedback.rtt.min = Duration::Milliseconds(10);
  controller->OnPacketSent({.bytes = 1'200});
  controller->OnFeedback(feedback);
  controller->CheckInvariants();

  EXPECT_EQ(controller->congestion_window_bytes(), 200'000);
  EXPECT_EQ(controller->Handover().bandwidth_estimate, Bandwidth::MegabitsPerSecond(80));
}

TEST(CongestionControllerRegistryTest, UnknownNamesAreNull) {
  const CongestionControllerRegistry registry;

  EXPECT_EQ(registry.Find("twice_bdp"), nullptr);
  EXPECT_EQ(registry.Find(""), nullptr);
  EXPECT_EQ(registry.Find("cubic"), nullptr);
}

TEST(CongestionControllerRegistryTest, NamesAreTakenOnce) {
  const TwiceBdpFactory factory;
  CongestionControllerRegistry registry;

  EXPECT_TRUE(registry.Register("mine", &factory).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(registry.Register("mine", &factory)));
  EXPECT_TRUE(absl::IsAlreadyExists(registry.Register("cubic", &factory)));
  EXPECT_TRUE(absl::IsAlreadyExists(registry.Register("new_reno", &factory)));
  EXPECT_TRUE(registry.Register("mine2", &factory).ok());
}

TEST(CongestionControllerRegistryTest, EmptyNamesAndNullFactoriesAreRefused) {
  const TwiceBdpFactory factory;
  CongestionControllerRegistry registry;

  EXPECT_TRUE(absl::IsInvalidArgument(registry.Register("", &factory)));
  EXPECT_TRUE(absl::IsInvalidArgument(registry.Register("mine", nullptr)));
  EXPECT_EQ(registry.Find("mine"), nullptr);
}

TEST(CongestionControllerRegistryTest, CopiesKnowTheSameFactories) {
  const TwiceBdpFactory factory;
  CongestionControllerRegistry registry;
  ASSERT_TRUE(registry.Register("mine", &factory).ok());

  const CongestionControllerRegistry copy = registry;

  EXPECT_EQ(copy.Find("mine"), &factory);
}

}  // namespace
}  // namespace godwit
