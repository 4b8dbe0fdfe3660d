// SPDX-License-Identifier: Apache-2.0
//
// RFC 9002 §6.1.1, §6.1.2.

#include "transport/recovery/reordering_window.h"

#include <cstdint>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr Duration kRtt = Duration::Milliseconds(80);

// On the way, but without any lateness that time would notice.
constexpr Duration kInTime = Duration::Milliseconds(80);

int64_t TimeThresholdMs(const ReorderingWindow& window) {
  return (Duration::Milliseconds(80) * window.time_threshold()).ToMilliseconds();
}

// Losses in `count` round trips, from `first` on.
void LoseInRounds(int64_t first, int64_t count, ReorderingWindow& window) {
  for (int64_t i = first; i < first + count; ++i) window.OnLoss(Timestamp() + i * kRtt, kRtt);
}

TEST(ReorderingWindowTest, BeginsAsTheRfcRecommends) {
  const ReorderingWindow window;

  EXPECT_EQ(window.packet_threshold(), 3u);
  EXPECT_EQ(TimeThresholdMs(window), 90);
}

TEST(ReorderingWindowTest, ThresholdExceedsTheDistanceThatWasSeen) {
  ReorderingWindow window;

  window.OnSpuriousLoss(7, kInTime, kRtt);

  EXPECT_EQ(window.packet_threshold(), 8u);
  EXPECT_EQ(TimeThresholdMs(window), 90);
}

TEST(ReorderingWindowTest, SmallerReorderingChangesNothing) {
  ReorderingWindow window;
  window.OnSpuriousLoss(20, Duration::Milliseconds(115), kRtt);

  window.OnSpuriousLoss(1, kInTime, kRtt);

  EXPECT_EQ(window.packet_threshold(), 21u);
  EXPECT_EQ(TimeThresholdMs(window), 120);
}

TEST(ReorderingWindowTest, PacketThresholdIsBounded) {
  ReorderingWindow window;

  window.OnSpuriousLoss(~uint64_t{0}, kInTime, kRtt);

  EXPECT_EQ(window.packet_threshold(), kMaxPacketThreshold);
  window.CheckInvariants();
}

TEST(ReorderingWindowTest, TimeThresholdExceedsTheLatenessThatWasSeen) {
  for (const int64_t lateness_ms : {90, 95, 99, 100, 139, 159}) {
    ReorderingWindow window;

    window.OnSpuriousLoss(1, Duration::Milliseconds(lateness_ms), kRtt);

    EXPECT_GT(TimeThresholdMs(window), lateness_ms);
    EXPECT_LE(TimeThresholdMs(window), lateness_ms + 10);
  }
}

TEST(ReorderingWindowTest, TimeThresholdIsTwoRoundTripsAtMost) {
  ReorderingWindow window;

  window.OnSpuriousLoss(1, Duration::Seconds(9), kRtt);

  EXPECT_EQ(TimeThresholdMs(window), 160);
  window.CheckInvariants();
}

TEST(ReorderingWindowTest, ShrinksByHalfAfterSixteenRoundsOfRealLosses) {
  ReorderingWindow window;
  window.OnSpuriousLoss(22, Duration::Seconds(9), kRtt);

  LoseInRounds(0, 15, window);
  EXPECT_EQ(window.packet_threshold(), 23u);
  LoseInRounds(15, 1, window);

  EXPECT_EQ(window.packet_threshold(), 13u);
  EXPECT_EQ(TimeThresholdMs(window), 120);
}

TEST(ReorderingWindowTest, ShrinksToWhereItBegan) {
  ReorderingWindow window;
  window.OnSpuriousLoss(kMaxPacketThreshold, Duration::Seconds(9), kRtt);

  LoseInRounds(0, int64_t{16} * 10, window);

  EXPECT_EQ(window.packet_threshold(), 3u);
  EXPECT_EQ(TimeThresholdMs(window), 90);
  window.CheckInvariants();
}

TEST(ReorderingWindowTest, LossesOfOneRoundTripCountOnce) {
  ReorderingWindow window;
  window.OnSpuriousLoss(22, kInTime, kRtt);

  for (int i = 0; i < 1000; ++i) window.OnLoss(Timestamp(), kRtt);

  EXPECT_EQ(window.packet_threshold(), 23u);
}

TEST(ReorderingWindowTest, SpuriousLossBeginsTheCountAnew) {
  ReorderingWindow window;
  window.OnSpuriousLoss(22, kInTime, kRtt);
  LoseInRounds(0, 15, window);

  window.OnSpuriousLoss(1, kInTime, kRtt);
  LoseInRounds(15, 15, window);

  EXPECT_EQ(window.packet_threshold(), 23u);
}

}  // namespace
}  // namespace godwit
