// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/idle_timer.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "transport/delivery/sent_frame.h"

namespace godwit {
namespace {

constexpr Duration kPto = Duration::Milliseconds(100);

constexpr Duration Seconds(int64_t seconds) { return Duration::Seconds(seconds); }
constexpr Timestamp At(int64_t seconds) { return Timestamp::Zero() + Seconds(seconds); }

IdleTimer::Config KeepAliveEvery(Duration interval) {
  return {.max_idle_timeout = Seconds(30), .keep_alive_interval = interval};
}

// ---- RFC 9000 §10.1 ----

TEST(IdleTimerTest, TimeoutIsTheSmallerOfBothEnds) {
  struct Row {
    Duration local;
    Duration peer;
    Duration timeout;
  };
  const Duration none = Duration::Zero();
  for (const Row& row :
       {Row{Seconds(30), Seconds(10), Seconds(10)}, Row{Seconds(10), Seconds(30), Seconds(10)},
        Row{Seconds(30), none, Seconds(30)}, Row{none, Seconds(30), Seconds(30)},
        Row{none, none, Duration::Infinite()}, Row{Duration::Infinite(), Seconds(30), Seconds(30)},
        Row{Seconds(30), Duration::Infinite(), Seconds(30)}}) {
    IdleTimer timer({.max_idle_timeout = row.local}, At(5));

    timer.OnPeerTimeout(row.peer);

    EXPECT_EQ(timer.timeout(), row.timeout);
    EXPECT_EQ(timer.idle_deadline(kPto), At(5) + row.timeout);
    timer.CheckInvariants();
  }
}

TEST(IdleTimerTest, OwnTimeoutCountsBeforeThePeersIsKnown) {
  const IdleTimer timer({.max_idle_timeout = Seconds(30)}, At(5));

  EXPECT_EQ(timer.idle_deadline(kPto), At(35));
}

TEST(IdleTimerTest, TimeoutIsNeverBelowThreePto) {
  const IdleTimer timer({.max_idle_timeout = Seconds(1)}, At(0));

  EXPECT_EQ(timer.idle_deadline(Seconds(2)), At(6));
  EXPECT_EQ(timer.idle_deadline(Duration::Milliseconds(333)), At(1));
}

TEST(IdleTimerTest, ReceivedPacketRestarts) {
  IdleTimer timer({}, At(0));

  timer.OnPacketReceived(At(20));

  EXPECT_EQ(timer.idle_deadline(kPto), At(50));
}

TEST(IdleTimerTest, FirstAckElicitingPacketAfterReceiptRestarts) {
  IdleTimer timer({}, At(0));
  timer.OnPacketReceived(At(10));

  timer.OnAckElicitingSent(At(15));

  EXPECT_EQ(timer.idle_deadline(kPto), At(45));
}

TEST(IdleTimerTest, FurtherAckElicitingPacketsDoNotRestart) {
  IdleTimer timer({}, At(0));
  timer.OnAckElicitingSent(At(1));

  for (int64_t second = 2; second < 31; ++second) {
    timer.OnAckElicitingSent(At(second));
    timer.CheckInvariants();
  }

  EXPECT_EQ(timer.idle_deadline(kPto), At(31));
}

TEST(IdleTimerTest, EachReceiptAllowsOneMoreRestart) {
  IdleTimer timer({}, At(0));
  timer.OnAckElicitingSent(At(1));
  timer.OnPacketReceived(At(2));

  timer.OnAckElicitingSent(At(3));
  timer.OnAckElicitingSent(At(4));

  EXPECT_EQ(timer.idle_deadline(kPto), At(33));
}

TEST(IdleTimerTest, TimesOutAtTheDeadlineAndNotBefore) {
  const IdleTimer timer({}, At(0));

  EXPECT_FALSE(timer.has_timed_out(At(30) - Duration::Nanoseconds(1), kPto));
  EXPECT_TRUE(timer.has_timed_out(At(30), kPto));
}

TEST(IdleTimerTest, WithoutTimeoutNeverTimesOut) {
  const IdleTimer timer({.max_idle_timeout = Duration::Zero()}, At(0));

  EXPECT_FALSE(timer.has_timed_out(At(1'000'000'000), kPto));
}

// ---- RFC 9000 §10.1.2: keep-alive ----

TEST(IdleTimerTest, NoPingUnlessAskedFor) {
  IdleTimer timer({}, At(0));
  timer.OnPeerTimeout(Seconds(30));

  timer.OnTimeout(At(29));

  EXPECT_EQ(timer.keep_alive_deadline(), Timestamp::Infinite());
  EXPECT_FALSE(timer.HasPendingFrames());
}

TEST(IdleTimerTest, NoPingBeforeThePeersParametersAreKnown) {
  IdleTimer timer(KeepAliveEvery(Seconds(5)), At(0));

  timer.OnTimeout(At(6));

  EXPECT_EQ(timer.keep_alive_deadline(), Timestamp::Infinite());
  EXPECT_FALSE(timer.HasPendingFrames());
}

TEST(IdleTimerTest, PingIsDueAfterTheIntervalWithoutActivity) {
  IdleTimer timer(KeepAliveEvery(Seconds(5)), At(0));
  timer.OnPeerTimeout(Seconds(60));
  timer.OnPacketReceived(At(1));
  EXPECT_EQ(timer.keep_alive_deadline(), At(6));
  timer.OnAckElicitingSent(At(2));
  timer.OnAckElicitingSent(At(3));
  EXPECT_EQ(timer.keep_alive_deadline(), At(8));

  timer.OnTimeout(At(8) - Duration::Nanoseconds(1));
  EXPECT_FALSE(timer.HasPendingFrames());
  timer.OnTimeout(At(8));
  EXPECT_TRUE(timer.HasPendingFrames());
  timer.CheckInvariants();
}

TEST(IdleTimerTest, PingComesAtHalfOfTheIdleTimeoutAtTheLatest) {
  IdleTimer timer(KeepAliveEvery(Seconds(25)), At(0));

  timer.OnPeerTimeout(Seconds(60));
  EXPECT_EQ(timer.keep_alive_deadline(), At(15));
  timer.OnPeerTimeout(Seconds(8));
  EXPECT_EQ(timer.keep_alive_deadline(), At(4));
}

// ---- The end of a flow ----

void ReceiveFlow(IdleTimer& timer, Timestamp now, int packets) {
  for (int i = 0; i < packets; ++i) {
    timer.OnPacketReceived(now);
    timer.OnAckElicitingReceived();
  }
}

TEST(IdleTimerTest, AFlowThatStopsIsFollowedByOnePing) {
  IdleTimer timer({}, At(0));
  timer.OnPeerTimeout(Seconds(30));
  ReceiveFlow(timer, At(5), 32);
  EXPECT_EQ(timer.keep_alive_deadline(), At(6));

  timer.OnTimeout(At(6));
  EXPECT_TRUE(timer.HasPendingFrames());
  timer.CheckInvariants();
  timer.OnAckElicitingSent(At(6));
  timer.OnPacketReceived(At(6));

  EXPECT_FALSE(timer.HasPendingFrames());
  EXPECT_EQ(timer.keep_alive_deadline(), Timestamp::Infinite());
}

TEST(IdleTimerTest, AFewPacketsAreNoFlow) {
  IdleTimer timer({}, At(0));
  timer.OnPeerTimeout(Seconds(30));

  ReceiveFlow(timer, At(5), 31);
  for (int i = 0; i < 100; ++i) timer.OnPacketReceived(At(5));  // Acknowledgments.

  EXPECT_EQ(timer.keep_alive_deadline(), Timestamp::Infinite());
}

TEST(IdleTimerTest, ReminderIsDueAtHalfOfTheIdleTimeoutWithoutKeepAliveToo) {
  IdleTimer timer({.max_idle_timeout = Seconds(30)}, At(0));
  EXPECT_EQ(timer.reminder_deadline(), Timestamp::Infinite());

  timer.OnPeerTimeout(Seconds(20));
  EXPECT_EQ(timer.reminder_deadline(), At(10));

  timer.OnAckElicitingSent(At(10));
  EXPECT_EQ(timer.reminder_deadline(), At(20));
}

TEST(IdleTimerTest, WithoutTimeoutThereIsNoReminder) {
  IdleTimer timer({.max_idle_timeout = Duration::Zero()}, At(0));

  timer.OnPeerTimeout(Duration::Zero());

  EXPECT_EQ(timer.reminder_deadline(), Timestamp::Infinite());
}

TEST(IdleTimerTest, PingIsWrittenOnce) {
  IdleTimer timer(KeepAliveEvery(Seconds(5)), At(0));
  timer.OnPeerTimeout(Seconds(60));
  timer.OnTimeout(At(5));
  EXPECT_EQ(timer.keep_alive_deadline(), Timestamp::Infinite());
  std::array<uint8_t, 10> room{};
  FrameWriter writer(room, {.level = EncryptionLevel::kOneRtt, .mode = PacketMode::kNormal});

  timer.WriteFrames(writer);
  timer.WriteFrames(writer);

  EXPECT_EQ(writer.frames_size(), 1u);
  ASSERT_EQ(writer.sent_frames().size(), 1u);
  EXPECT_EQ(writer.sent_frames()[0], SentFrame::Ping());
  EXPECT_FALSE(timer.HasPendingFrames());
}

TEST(IdleTimerTest, PingWithoutRoomStaysPending) {
  IdleTimer timer(KeepAliveEvery(Seconds(5)), At(0));
  timer.OnPeerTimeout(Seconds(60));
  timer.OnTimeout(At(5));
  FrameWriter writer({}, {.level = EncryptionLevel::kOneRtt, .mode = PacketMode::kNormal});

  timer.WriteFrames(writer);

  EXPECT_TRUE(timer.HasPendingFrames());
}

TEST(IdleTimerTest, AnyAckElicitingPacketTakesThePingsPlace) {
  IdleTimer timer(KeepAliveEvery(Seconds(5)), At(0));
  timer.OnPeerTimeout(Seconds(60));
  timer.OnTimeout(At(5));

  timer.OnAckElicitingSent(At(5));

  EXPECT_FALSE(timer.HasPendingFrames());
  EXPECT_EQ(timer.keep_alive_deadline(), At(10));
}

TEST(IdleTimerTest, KeepAliveDoesNotHideThatThePeerIsGone) {
  IdleTimer timer(KeepAliveEvery(Seconds(5)), At(0));
  timer.OnPeerTimeout(Seconds(30));

  int64_t second = 0;
  while (second < 1000 && !timer.has_timed_out(At(second), kPto)) {
    timer.OnTimeout(At(second));
    if (timer.HasPendingFrames()) timer.OnAckElicitingSent(At(second));
    ++second;
  }

  // From the first PING on, at 5 s.
  EXPECT_EQ(second, 35);
}

}  // namespace
}  // namespace godwit
