// SPDX-License-Identifier: Apache-2.0
//
// RFC 9002 §6.2, A.8.

#include "transport/recovery/probe_timer.h"

#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"

#include "base/packet_number.h"
#include "congestion/rtt_estimator.h"
#include "godwit/time.h"

namespace godwit {
namespace {

using Space = PacketNumberSpace;

constexpr Timestamp AtMs(int64_t ms) { return Timestamp() + Duration::Milliseconds(ms); }

// An RTT of 100 ms and a deviation of 50: a PTO of 300.
RttEstimator Rtt() {
  RttEstimator rtt;
  rtt.OnMeasurement({.rtt = Duration::Milliseconds(100)});
  return rtt;
}

// All keys, a confirmed handshake, nothing in flight.
class ProbeTimerTest : public testing::Test {
 protected:
  ProbeTimerTest() {
    inputs_.now = AtMs(1000);
    inputs_.rtt = &rtt_;
    inputs_.peer_max_ack_delay = Duration::Milliseconds(25);
    inputs_.is_handshake_confirmed = true;
    for (ProbeTimer::SpaceFacts& space : inputs_.spaces) space.has_keys = true;
  }

  ProbeTimer::SpaceFacts& facts(Space space) { return inputs_.spaces[static_cast<size_t>(space)]; }

  void SendAt(Space space, Timestamp time) {
    facts(space).has_ack_eliciting_in_flight = true;
    facts(space).last_ack_eliciting_sent_time = time;
  }

  ProbeTimer::Deadline deadline() const { return timer_.DeadlineFor(inputs_).value(); }

  RttEstimator rtt_ = Rtt();
  ProbeTimer timer_;
  ProbeTimer::Inputs inputs_;
};

using Deadline = ProbeTimer::Deadline;

TEST_F(ProbeTimerTest, NothingInFlightNeedsNoTimer) {
  EXPECT_FALSE(timer_.DeadlineFor(inputs_).has_value());
}

TEST_F(ProbeTimerTest, FirstTimeoutIsAboutASecond) {
  const RttEstimator fresh;
  inputs_.rtt = &fresh;
  SendAt(Space::kInitial, AtMs(0));

  EXPECT_EQ(deadline(), (Deadline{AtMs(999), Space::kInitial}));
}

TEST_F(ProbeTimerTest, MaxAckDelayCountsInTheApplicationSpaceOnly) {
  for (const Space space : {Space::kInitial, Space::kHandshake, Space::kApplication}) {
    inputs_.spaces = {};
    SendAt(space, AtMs(1000));

    const int64_t delay_ms = space == Space::kApplication ? 25 : 0;
    EXPECT_EQ(deadline(), (Deadline{AtMs(1300 + delay_ms), space}));
  }
}

TEST_F(ProbeTimerTest, EarliestSpaceIsTheOne) {
  SendAt(Space::kInitial, AtMs(900));
  SendAt(Space::kHandshake, AtMs(800));
  SendAt(Space::kApplication, AtMs(790));

  EXPECT_EQ(deadline(), (Deadline{AtMs(1100), Space::kHandshake}));
}

TEST_F(ProbeTimerTest, LowerSpaceGoesFirstAtTheSameTime) {
  SendAt(Space::kInitial, AtMs(900));
  SendAt(Space::kHandshake, AtMs(900));

  EXPECT_EQ(deadline().space, Space::kInitial);
}

TEST_F(ProbeTimerTest, ApplicationSpaceWaitsForTheHandshakeToBeConfirmed) {
  inputs_.is_handshake_confirmed = false;
  SendAt(Space::kApplication, AtMs(0));
  EXPECT_FALSE(timer_.DeadlineFor(inputs_).has_value());

  SendAt(Space::kHandshake, AtMs(900));

  EXPECT_EQ(deadline(), (Deadline{AtMs(1200), Space::kHandshake}));
}

TEST_F(ProbeTimerTest, EachTimeoutDoublesTheNextInAllSpaces) {
  SendAt(Space::kHandshake, AtMs(1000));

  timer_.OnTimeout();
  EXPECT_EQ(deadline().time, AtMs(1600));
  timer_.OnTimeout();
  EXPECT_EQ(deadline().time, AtMs(2200));
  EXPECT_EQ(timer_.pto_count(), 2u);

  SendAt(Space::kInitial, AtMs(500));
  EXPECT_EQ(deadline(), (Deadline{AtMs(1700), Space::kInitial}));
}

TEST_F(ProbeTimerTest, BackoffCoversMaxAckDelay) {
  SendAt(Space::kApplication, AtMs(1000));

  timer_.OnTimeout();

  EXPECT_EQ(deadline().time, AtMs(1650));
}

TEST_F(ProbeTimerTest, ResetEndsTheBackoff) {
  SendAt(Space::kHandshake, AtMs(1000));
  timer_.OnTimeout();
  timer_.OnTimeout();

  timer_.Reset();

  EXPECT_EQ(timer_.pto_count(), 0u);
  EXPECT_EQ(deadline().time, AtMs(1300));
}

// RFC 9002 §6.2.1 has no timer for the application space yet, and for the others only if something
// is in flight.
TEST_F(ProbeTimerTest, HandshakeDataThatWaitsForTheWindowIsProbedFor) {
  inputs_.is_handshake_confirmed = false;
  SendAt(Space::kApplication, AtMs(950));
  facts(Space::kHandshake).last_ack_eliciting_sent_time = AtMs(900);
  facts(Space::kHandshake).has_unsent_handshake_data = true;

  EXPECT_EQ(deadline(), (Deadline{AtMs(1200), Space::kHandshake}));
}

TEST_F(ProbeTimerTest, HandshakeDataThatWasNeverSentCountsFromTheLastPacketOfAnySpace) {
  inputs_.is_handshake_confirmed = false;
  SendAt(Space::kApplication, AtMs(950));
  facts(Space::kInitial).has_unsent_handshake_data = true;

  EXPECT_EQ(deadline(), (Deadline{AtMs(1250), Space::kInitial}));
}

TEST_F(ProbeTimerTest, HandshakeDataWithoutKeysIsNotProbedFor) {
  facts(Space::kHandshake).has_unsent_handshake_data = true;
  facts(Space::kHandshake).has_keys = false;

  EXPECT_FALSE(timer_.DeadlineFor(inputs_).has_value());
}

TEST_F(ProbeTimerTest, DeadlineMayLieInThePast) {
  SendAt(Space::kHandshake, AtMs(100));

  EXPECT_EQ(deadline().time, AtMs(400));
}

// ---- The ceiling ----

TEST(ProbeTimerCeilingTest, ShortTimeoutsGrowToTwoSeconds) {
  ProbeTimer timer;
  const Duration base = Duration::Milliseconds(300);

  for (int i = 0; i < 2; ++i) timer.OnTimeout();
  EXPECT_EQ(timer.Backoff(base), Duration::Milliseconds(1200));
  timer.OnTimeout();
  EXPECT_EQ(timer.Backoff(base), Duration::Seconds(2));
  timer.OnTimeout();
  EXPECT_EQ(timer.Backoff(base), Duration::Seconds(2));
}

TEST(ProbeTimerCeilingTest, LongTimeoutsGrowToThreeTimesTheirBase) {
  ProbeTimer timer;
  const Duration base = Duration::Milliseconds(900);

  timer.OnTimeout();
  EXPECT_EQ(timer.Backoff(base), Duration::Milliseconds(1800));
  timer.OnTimeout();
  EXPECT_EQ(timer.Backoff(base), Duration::Milliseconds(2700));
  timer.OnTimeout();
  EXPECT_EQ(timer.Backoff(base), Duration::Milliseconds(2700));
}

TEST(ProbeTimerCeilingTest, CeilingCanBeChosen) {
  ProbeTimer timer(Duration::Seconds(60));
  const Duration base = Duration::Milliseconds(300);

  for (int i = 0; i < 7; ++i) timer.OnTimeout();
  EXPECT_EQ(timer.Backoff(base), 128 * base);
  timer.OnTimeout();
  EXPECT_EQ(timer.Backoff(base), Duration::Seconds(60));
}

TEST(ProbeTimerCeilingTest, CeilingBelowTheTimeoutDoesNotShortenIt) {
  ProbeTimer timer(Duration::Zero());
  const Duration base = Duration::Milliseconds(300);

  EXPECT_EQ(timer.Backoff(base), base);
  for (int i = 0; i < 9; ++i) timer.OnTimeout();
  EXPECT_EQ(timer.Backoff(base), 3 * base);
}

TEST(ProbeTimerCeilingTest, EveryCountIsWithinTheBounds) {
  ProbeTimer timer;
  Duration before = Duration::Zero();
  for (int i = 0; i < 200; ++i) {
    const Duration backoff = timer.Backoff(Duration::Milliseconds(300));

    EXPECT_GE(backoff, before);
    EXPECT_LE(backoff, Duration::Seconds(2));
    before = backoff;
    timer.OnTimeout();
  }
}

// ---- RFC 9002 §6.2.2.1 ----

class AntiDeadlockTest : public ProbeTimerTest {
 protected:
  AntiDeadlockTest() {
    inputs_.is_handshake_confirmed = false;
    inputs_.is_anti_deadlock_armed = true;
    facts(Space::kHandshake).has_keys = false;
    facts(Space::kApplication).has_keys = false;
    facts(Space::kInitial).last_ack_eliciting_sent_time = AtMs(500);
  }
};

TEST_F(AntiDeadlockTest, ClientWithoutHandshakeKeysProbesWithAnInitialPacket) {
  EXPECT_EQ(deadline(), (Deadline{AtMs(800), Space::kInitial}));
}

TEST_F(AntiDeadlockTest, ClientWithHandshakeKeysProbesWithAHandshakePacket) {
  facts(Space::kHandshake).has_keys = true;

  EXPECT_EQ(deadline(), (Deadline{AtMs(800), Space::kHandshake}));
}

TEST_F(AntiDeadlockTest, TimerRunsFromTheLastPacketOfEitherSpace) {
  facts(Space::kHandshake).has_keys = true;
  facts(Space::kInitial).has_keys = false;
  facts(Space::kHandshake).last_ack_eliciting_sent_time = AtMs(600);

  EXPECT_EQ(deadline(), (Deadline{AtMs(900), Space::kHandshake}));
}

TEST_F(AntiDeadlockTest, AskingLaterDoesNotMoveTheDeadline) {
  inputs_.now = AtMs(799);
  const Deadline before = deadline();
  inputs_.now = AtMs(801);

  EXPECT_EQ(deadline(), before);
}

TEST_F(AntiDeadlockTest, BacksOff) {
  timer_.OnTimeout();

  EXPECT_EQ(deadline().time, AtMs(1100));
}

TEST_F(AntiDeadlockTest, ClientThatNeverSentIsDueAtOnce) {
  inputs_.spaces[0].last_ack_eliciting_sent_time = Timestamp::InfinitePast();

  EXPECT_EQ(deadline(), (Deadline{Timestamp::InfinitePast(), Space::kInitial}));
}

TEST_F(AntiDeadlockTest, PacketsInFlightComeFirst) {
  facts(Space::kHandshake).has_keys = true;
  SendAt(Space::kInitial, AtMs(700));

  EXPECT_EQ(deadline(), (Deadline{AtMs(1000), Space::kInitial}));
}

// Early data in flight does not unblock the server, which may not be able to read it.
TEST_F(AntiDeadlockTest, ApplicationDataInFlightDoesNotHideIt) {
  SendAt(Space::kApplication, AtMs(700));

  EXPECT_EQ(deadline(), (Deadline{AtMs(800), Space::kInitial}));
}

TEST_F(AntiDeadlockTest, NotArmedNeedsNoTimer) {
  inputs_.is_anti_deadlock_armed = false;

  EXPECT_FALSE(timer_.DeadlineFor(inputs_).has_value());
}

TEST_F(AntiDeadlockTest, WithoutKeysThereIsNothingToSend) {
  facts(Space::kInitial).has_keys = false;

  EXPECT_FALSE(timer_.DeadlineFor(inputs_).has_value());
}

}  // namespace
}  // namespace godwit
