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

// A stream whose own limit is no matter.
SendQuota::Holding Unlimited(uint64_t held_bytes) {
  return {.held_bytes = held_bytes, .sendable_bytes = kMaxVarint, .unsendable_bytes = 0};
}

// A stream that can send nothing.
SendQuota::Holding Blocked(uint64_t held_bytes) {
  return {.held_bytes = held_bytes, .sendable_bytes = 0, .unsendable_bytes = held_bytes};
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
      quota.OnReleased(bytes / 10);
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
  EXPECT_EQ(quota.RoomFor({.held_bytes = 100, .sendable_bytes = 50, .unsendable_bytes = 0}), 175u);
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

  quota.OnReleased(800);

  EXPECT_EQ(quota.held_bytes(), 0u);
  EXPECT_EQ(quota.RoomFor(Unlimited(0)), 800u);
}

TEST(SendQuotaTest, NobodyIsWokenWhoWasNotRefused) {
  SendQuota quota(1000);
  quota.OnWritten(800);
  quota.OnReleased(800);

  EXPECT_FALSE(quota.TakeWake());
}

TEST(SendQuotaTest, TheRefusedAreWokenOnceTheFreeRoomHasDoubled) {
  SendQuota quota(1000);
  quota.OnWritten(800);
  quota.NoteRefused();

  quota.OnReleased(199);
  EXPECT_FALSE(quota.TakeWake());
  quota.OnReleased(1);
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
    quota.OnReleased(held);

    EXPECT_TRUE(quota.TakeWake()) << max;
  }
}

TEST(SendQuotaTest, AQuotaWithoutEndDoesNotOverflow) {
  const SendQuota quota(std::numeric_limits<uint64_t>::max());

  EXPECT_GT(quota.RoomFor(Unlimited(0)), uint64_t{1} << 59);
}

}  // namespace
}  // namespace godwit
