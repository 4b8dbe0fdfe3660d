// SPDX-License-Identifier: Apache-2.0
#include "platform/wall_clock.h"

#include <time.h>

#include "gtest/gtest.h"

#include "godwit/unix_time.h"

namespace godwit {
namespace {

TEST(WallClockTest, LiesBetweenTwoReadingsOfTheKernelsClock) {
  timespec before = {};
  timespec after = {};

  clock_gettime(CLOCK_REALTIME, &before);
  const UnixTime now = WallClock::Now();
  clock_gettime(CLOCK_REALTIME, &after);

  EXPECT_LE(before.tv_sec, now.seconds());
  EXPECT_GE(after.tv_sec, now.seconds());
}

}  // namespace
}  // namespace godwit
