// SPDX-License-Identifier: Apache-2.0
#include "congestion/slow_start_window.h"

#include <cstdint>
#include <optional>

#include "gtest/gtest.h"

#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr uint64_t kPacket = 1'200;
constexpr uint64_t kFloor = 2 * kPacket;

SlowStartWindow StartedFrom(const CongestionControllerParams& params) {
  SlowStartWindow window;
  window.StartFrom(params);
  window.CheckInvariants(params.max_datagram_bytes);
  return window;
}

// A round of ten samples.
bool RunRound(SlowStartWindow& window, Duration rtt) {
  bool ends = false;
  for (int i = 0; i < 10; ++i) {
    ends |= window.WatchSlowStart({.is_round_start = i == 0,
                                   .rtt = {.latest = rtt, .min = rtt, .smoothed = rtt},
                                   .has_rtt_sample = true});
  }
  return ends;
}

// The RTT rises by as much in each of ten rounds: a queue that fills. True if slow start ends.
bool RunFillingQueue(SlowStartWindow& window) {
  bool ends = false;
  for (int i = 1; i <= 10; ++i) ends |= RunRound(window, Duration::Milliseconds(20) * i);
  return ends;
}

TEST(SlowStartWindowTest, StartsInitialWithoutAThreshold) {
  const SlowStartWindow window = StartedFrom({.max_datagram_bytes = kPacket});

  EXPECT_EQ(window.bytes, 10 * kPacket);
  EXPECT_TRUE(window.is_slow_start());
  EXPECT_FALSE(window.Handover(Duration::Zero(), false).ssthresh_bytes.has_value());
  EXPECT_FALSE(window.Handover(Duration::Zero(), false).min_rtt.has_value());
}

TEST(SlowStartWindowTest, HandoverIsTakenOver) {
  const SlowStartWindow first =
      StartedFrom({.max_datagram_bytes = kPacket,
                   .predecessor = CongestionHandover{.congestion_window_bytes = 50'000,
                                                     .ssthresh_bytes = 60'000}});

  const CongestionHandover handover = first.Handover(Duration::Milliseconds(5), true);
  const SlowStartWindow second =
      StartedFrom({.max_datagram_bytes = kPacket, .predecessor = handover});

  EXPECT_EQ(second.bytes, 50'000u);
  EXPECT_EQ(second.ssthresh_bytes, 60'000u);
  EXPECT_EQ(handover.min_rtt, Duration::Milliseconds(5));
  EXPECT_TRUE(handover.is_in_recovery);
}

TEST(SlowStartWindowTest, AbsurdHandoverIsBroughtIntoBounds) {
  const SlowStartWindow small = StartedFrom(
      {.max_datagram_bytes = kPacket,
       .predecessor = CongestionHandover{.congestion_window_bytes = 0, .ssthresh_bytes = 0}});

  EXPECT_EQ(small.bytes, kFloor);
  EXPECT_EQ(small.ssthresh_bytes, kFloor);
}

TEST(SlowStartWindowTest, QueueThatFillsEndsTheFirstSlowStart) {
  SlowStartWindow window = StartedFrom({.max_datagram_bytes = kPacket});

  EXPECT_TRUE(RunFillingQueue(window));

  EXPECT_EQ(window.ssthresh_bytes, window.bytes);
  EXPECT_FALSE(window.is_slow_start());
}

// RFC 9406 §4.3.
TEST(SlowStartWindowTest, LaterSlowStartsGoOnToTheirThreshold) {
  SlowStartWindow window = StartedFrom({.max_datagram_bytes = kPacket});
  window.ssthresh_bytes = 20 * kPacket;
  window.Collapse(kPacket);

  EXPECT_FALSE(RunFillingQueue(window));
  window.GrowSlowStart(kPacket);

  EXPECT_EQ(window.bytes, kFloor + kPacket);
  EXPECT_EQ(window.ssthresh_bytes, 20 * kPacket);
}

TEST(SlowStartWindowTest, SlowStartAfterACollapseIsNotConservative) {
  SlowStartWindow window = StartedFrom({.max_datagram_bytes = kPacket});
  ASSERT_TRUE(RunFillingQueue(window));

  window.Collapse(kPacket);
  window.GrowSlowStart(kPacket);

  EXPECT_EQ(window.bytes, kFloor + kPacket);
}

TEST(SlowStartWindowTest, GrowthStopsAtTheThreshold) {
  SlowStartWindow window = StartedFrom({.max_datagram_bytes = kPacket});
  window.ssthresh_bytes = window.bytes + 1;

  window.GrowSlowStart(kPacket);

  EXPECT_EQ(window.bytes, 10 * kPacket + 1);
}

TEST(SlowStartWindowTest, OnlyAnInitialWindowFollowsTheDatagramSize) {
  SlowStartWindow initial = StartedFrom({.max_datagram_bytes = kPacket});
  SlowStartWindow grown = initial;
  grown.GrowSlowStart(1);
  SlowStartWindow least = initial;
  least.Collapse(kPacket);

  for (SlowStartWindow* window : {&initial, &grown, &least}) {
    window->OnMaxDatagramBytesChanged(kPacket, 1'400);
    window->CheckInvariants(1'400);
  }

  EXPECT_EQ(initial.bytes, 14'000u);
  EXPECT_EQ(grown.bytes, 10 * kPacket + 1);
  EXPECT_EQ(least.bytes, 2'800u);
}

}  // namespace
}  // namespace godwit
