// SPDX-License-Identifier: Apache-2.0
#include "congestion/window_usage.h"

#include <cstdint>

#include "gtest/gtest.h"

#include "godwit/congestion_controller.h"

namespace godwit {
namespace {

constexpr uint64_t kDatagram = 1'200;

class WindowUsageTest : public testing::Test {
 protected:
  void Send(uint64_t in_flight_datagrams, uint64_t window_bytes, bool is_app_limited) {
    TransmittedPacket packet{.bytes = kDatagram};
    packet.at_send.bytes_in_flight = in_flight_datagrams * kDatagram;
    packet.at_send.is_app_limited = is_app_limited;
    usage_.OnPacketSent(packet, window_bytes, kDatagram);
  }
  void StartRound() {
    CongestionFeedback feedback;
    feedback.is_round_start = true;
    usage_.OnFeedback(feedback);
  }

  WindowUsage usage_;
};

TEST_F(WindowUsageTest, NothingSentIsNoUse) { EXPECT_FALSE(usage_.is_used()); }

TEST_F(WindowUsageTest, WindowIntoWhichNoDatagramFitsIsUsed) {
  Send(2, 3 * kDatagram - 1, /*is_app_limited=*/true);

  EXPECT_TRUE(usage_.is_used());
}

TEST_F(WindowUsageTest, OneOfTwoDatagramsIsNoUseForAnAppLimitedSender) {
  Send(1, 2 * kDatagram, /*is_app_limited=*/true);

  EXPECT_FALSE(usage_.is_used());
}

TEST_F(WindowUsageTest, LargeWindowIsUsedUpToAFewDatagrams) {
  Send(97, 100 * kDatagram, /*is_app_limited=*/true);
  EXPECT_FALSE(usage_.is_used());

  Send(98, 100 * kDatagram, /*is_app_limited=*/true);

  EXPECT_TRUE(usage_.is_used());
}

TEST_F(WindowUsageTest, HalfAWindowIsEnoughForASenderThatPacingHoldsBack) {
  Send(49, 100 * kDatagram, /*is_app_limited=*/false);
  EXPECT_FALSE(usage_.is_used());

  Send(50, 100 * kDatagram, /*is_app_limited=*/false);

  EXPECT_TRUE(usage_.is_used());
}

TEST_F(WindowUsageTest, UseIsRememberedForARoundTrip) {
  Send(100, 100 * kDatagram, /*is_app_limited=*/false);

  StartRound();
  EXPECT_TRUE(usage_.is_used());
  StartRound();

  EXPECT_FALSE(usage_.is_used());
}

}  // namespace
}  // namespace godwit
