// SPDX-License-Identifier: Apache-2.0

#include "transport/streams/send_quota.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"

namespace godwit {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

// A stream whose own limit is no matter, and of whose data nothing was sent yet.
SendQuota::Holding Unlimited(uint64_t held_bytes) {
  return {.held_bytes = held_bytes,
          .unsent_bytes = held_bytes,
          .sendable_bytes = kMaxVarint,
          .unsendable_bytes = 0};
}

// The same, of whose data everything was sent.
SendQuota::Holding InFlight(uint64_t held_bytes) {
  return {.held_bytes = held_bytes,
          .unsent_bytes = 0,
          .sendable_bytes = kMaxVarint,
          .unsendable_bytes = 0};
}

// A stream that can send nothing.
SendQuota::Holding Blocked(uint64_t held_bytes) {
  return {.held_bytes = held_bytes,
          .unsent_bytes = held_bytes,
          .sendable_bytes = 0,
          .unsendable_bytes = held_bytes};
}

void SendAndRelease(SendQuota& quota, uint64_t byte_count) {
  quota.OnSent(byte_count);
  quota.OnReleased(byte_count);
}

// As much as a stream alone may write, which is none that waits for its own limit.
uint64_t Fill(SendQuota& quota) {
  const uint64_t room = quota.RoomFor(Unlimited(0));
  quota.OnWritten(room);
  return room;
}

TEST(SendQuotaTest, AStreamAloneGetsFourFifths) {
  const SendQuota quota(1000);

  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 800u);
}

TEST(SendQuotaTest, AStreamThatHoldsItsShareGetsNothingMore) {
  SendQuota quota(1000);
  quota.OnWritten(800);

  EXPECT_EQ(quota.RoomFor(Unlimited(800)), 0u);
}

TEST(SendQuotaTest, AnotherStreamStillGetsRoom) {
  SendQuota quota(1000);
  quota.OnWritten(800);

  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 160u);
}

// All write as much as they can, again and again, and all is acknowledged bit by bit.
TEST(SendQuotaTest, StreamsThatDrainComeToShareAlike) {
  SendQuota quota(uint64_t{8} << 20);
  std::vector<uint64_t> held(10, 0);

  for (int round = 0; round < 2000; ++round) {
    for (uint64_t& bytes : held) {
      SendAndRelease(quota, bytes / 10);
      bytes -= bytes / 10;
      const uint64_t room = quota.RoomFor(Unlimited(bytes));
      quota.OnWritten(room);
      bytes += room;
    }
  }

  const auto [least, most] = std::minmax_element(held.begin(), held.end());
  EXPECT_GE(*least * 10, *most * 9);
}

TEST(SendQuotaTest, AStreamThatCannotSendGetsAnEighth) {
  const SendQuota quota(1000);

  EXPECT_EQ(quota.RoomFor(Blocked(0)), 125u);
  EXPECT_EQ(
      quota.RoomFor(
          {.held_bytes = 100, .unsent_bytes = 100, .sendable_bytes = 50, .unsendable_bytes = 0}),
      175u);
}

TEST(SendQuotaTest, StreamsThatCannotSendLeaveHalfToOthers) {
  SendQuota quota(1000);

  for (int i = 0; i < 100; ++i) {
    const uint64_t room = quota.RoomFor(Blocked(0));
    quota.OnWritten(room);
    quota.OnUnsendableChanged({0, room});
  }

  EXPECT_EQ(quota.unsendable_bytes(), 500u);
  EXPECT_EQ(quota.RoomFor(Blocked(0)), 0u);
  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 400u);
}

TEST(SendQuotaTest, TheLastFreeByteCanBeTaken) {
  SendQuota quota(1);

  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 1u);
  quota.OnWritten(1);
  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 0u);
}

TEST(SendQuotaTest, ReleasedBytesAreFreeAgain) {
  SendQuota quota(1000);
  quota.OnWritten(800);

  SendAndRelease(quota, 800);

  EXPECT_EQ(quota.held_bytes(), 0u);
  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 800u);
}

TEST(SendQuotaTest, NobodyIsWokenWhoWasNotRefused) {
  SendQuota quota(1000);
  quota.OnWritten(800);
  SendAndRelease(quota, 800);

  EXPECT_FALSE(quota.TakeWake());
}

TEST(SendQuotaTest, TheRefusedAreWokenOnceTheFreeRoomHasDoubled) {
  SendQuota quota(1000);
  quota.OnWritten(800);
  quota.NoteRefused();

  SendAndRelease(quota, 199);
  EXPECT_FALSE(quota.TakeWake());
  SendAndRelease(quota, 1);
  EXPECT_TRUE(quota.TakeWake());
  EXPECT_FALSE(quota.TakeWake());
}

TEST(SendQuotaTest, TheRefusedAreWokenAtTheLatestWhenAllIsFree) {
  for (uint64_t max = 1; max < 50; ++max) {
    SendQuota quota(max);
    uint64_t held = 0;
    while (const uint64_t room = quota.RoomFor(Unlimited(held))) {
      quota.OnWritten(room);
      held += room;
    }
    quota.NoteRefused();

    EXPECT_FALSE(quota.TakeWake()) << max;
    SendAndRelease(quota, held);

    EXPECT_TRUE(quota.TakeWake()) << max;
  }
}

TEST(SendQuotaTest, AQuotaWithoutEndDoesNotOverflow) {
  SendQuota quota(std::numeric_limits<uint64_t>::max());

  quota.SetCongestionWindow(std::numeric_limits<uint64_t>::max());

  EXPECT_GT(quota.RoomFor(Unlimited(0)), uint64_t{1} << 59);
}

// ---- What may wait ----

TEST(SendQuotaTest, BeforeTheWindowIsKnownAQuarterOfAMebibyteMayWait) {
  const SendQuota quota(8 * kMiB);

  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 256 * kKiB * 4 / 5 + 1);
}

TEST(SendQuotaTest, TwoWindowsMayWait) {
  SendQuota quota(8 * kMiB);

  quota.SetCongestionWindow(1'000'000);

  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 1'600'000u);
}

TEST(SendQuotaTest, HoweverSmallTheWindowAQuarterOfAMebibyteMayWait) {
  SendQuota quota(8 * kMiB);

  quota.SetCongestionWindow(2'400);

  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 256 * kKiB * 4 / 5 + 1);
}

TEST(SendQuotaTest, HoweverLargeTheWindowTheMaximumHolds) {
  SendQuota quota(1'000'000);

  quota.SetCongestionWindow(3'000'000);

  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 800'000u);
}

TEST(SendQuotaTest, WhatIsInFlightDoesNotWait) {
  SendQuota quota(8 * kMiB);
  const uint64_t written = Fill(quota);
  EXPECT_EQ(quota.RoomFor(Unlimited(written)), 0u);

  quota.OnSent(written);

  EXPECT_EQ(quota.RoomFor(InFlight(written)), written);
}

TEST(SendQuotaTest, WhatIsInFlightTakesMemory) {
  SendQuota quota(1'000'000);
  quota.SetCongestionWindow(1'000'000);
  const uint64_t written = Fill(quota);

  quota.OnSent(written);

  EXPECT_EQ(quota.RoomFor(InFlight(written)), 0u);
}

TEST(SendQuotaTest, HoweverManyStreamsThereAreSixteenKibibytesOfEachMayWait) {
  SendQuota quota(8 * kMiB);
  for (int i = 0; i < 100; ++i) Fill(quota);

  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 16 * kKiB);
  EXPECT_EQ(quota.RoomFor(Unlimited(10 * kKiB)), 6 * kKiB);
  EXPECT_EQ(quota.RoomFor(Unlimited(16 * kKiB)), 0u);
}

TEST(SendQuotaTest, AllStreamsTogetherKeepToTheMaximum) {
  SendQuota quota(kMiB);

  for (int i = 0; i < 10'000; ++i) Fill(quota);

  EXPECT_LE(quota.held_bytes(), kMiB);
}

TEST(SendQuotaTest, WhatOtherStreamsCannotSendDoesNotStandInTheWay) {
  SendQuota quota(8 * kMiB);
  quota.SetCongestionWindow(8 * kMiB);
  for (int i = 0; i < 4; ++i) {
    const uint64_t room = quota.RoomFor(Blocked(0));
    quota.OnWritten(room);
    quota.OnUnsendableChanged({0, room});
  }
  EXPECT_EQ(quota.unsendable_bytes(), 4 * kMiB);

  quota.SetCongestionWindow(12'000);

  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 256 * kKiB * 4 / 5 + 1);
  EXPECT_EQ(quota.RoomFor(Blocked(0)), 0u);
}

// ---- A window that changes ----

TEST(SendQuotaTest, ALargerWindowWakesTheRefused) {
  SendQuota quota(8 * kMiB);
  Fill(quota);
  quota.NoteRefused();
  EXPECT_FALSE(quota.TakeWake());

  quota.SetCongestionWindow(kMiB);

  EXPECT_TRUE(quota.TakeWake());
}

TEST(SendQuotaTest, ASmallerWindowTakesNothingBack) {
  SendQuota quota(8 * kMiB);
  quota.SetCongestionWindow(2 * kMiB);
  const uint64_t written = Fill(quota);

  quota.SetCongestionWindow(0);

  EXPECT_EQ(quota.held_bytes(), written);
  EXPECT_EQ(quota.RoomFor(Unlimited(written)), 0u);
  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 16 * kKiB);
}

TEST(SendQuotaTest, TheRefusedAreWokenAlthoughTheWindowHasBecomeSmaller) {
  SendQuota quota(8 * kMiB);
  quota.SetCongestionWindow(2 * kMiB);
  const uint64_t written = Fill(quota);
  quota.NoteRefused();

  quota.SetCongestionWindow(0);
  quota.OnSent(written - 1);
  EXPECT_FALSE(quota.TakeWake());
  quota.OnSent(1);

  EXPECT_TRUE(quota.TakeWake());
}

}  // namespace
}  // namespace godwit
