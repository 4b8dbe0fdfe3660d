// SPDX-License-Identifier: Apache-2.0
#include "congestion/recovery_period.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr Timestamp At(int64_t ms) { return Timestamp::FromNanoseconds(ms * 1'000'000); }

TransmittedPacket SentAt(int64_t ms) { return {.bytes = 1'000, .sent_time = At(ms)}; }

class RecoveryPeriodTest : public testing::Test {
 protected:
  // Whether a new period starts when packets sent at these times are declared lost.
  bool Lose(int64_t now_ms, std::vector<int64_t> sent_ms, uint64_t ecn_ce_count = 0) {
    std::vector<TransmittedPacket> lost;
    for (const int64_t ms : sent_ms) lost.push_back(SentAt(ms));
    const bool starts = period_.StartsBy(
        {.now = At(now_ms), .lost = lost, .ecn_ce_count = ecn_ce_count, .ecn_ce_sent_time = At(0)});
    period_.CheckInvariants();
    return starts;
  }
  bool Mark(int64_t now_ms, int64_t sent_ms) {
    const bool starts =
        period_.StartsBy({.now = At(now_ms), .ecn_ce_count = 1, .ecn_ce_sent_time = At(sent_ms)});
    period_.CheckInvariants();
    return starts;
  }
  // Whether that undoes the period.
  bool TurnUp(int64_t declared_lost_ms, size_t count = 1) {
    const std::vector<SpuriousLoss> late(
        count, {.packet = SentAt(0), .declared_lost_at = At(declared_lost_ms)});
    const bool ends = period_.EndsBySpuriousLosses(late);
    period_.CheckInvariants();
    return ends;
  }
  uint64_t Ack(std::vector<int64_t> sent_ms) {
    std::vector<TransmittedPacket> acked;
    for (const int64_t ms : sent_ms) acked.push_back(SentAt(ms));
    return period_.OnAcked(acked);
  }

  RecoveryPeriod period_;
};

TEST_F(RecoveryPeriodTest, WithoutAPeriodEverythingCounts) {
  EXPECT_FALSE(period_.is_active());
  EXPECT_FALSE(TurnUp(10));
  EXPECT_EQ(Ack({0, 1, 2}), 3'000);
}

TEST_F(RecoveryPeriodTest, PacketSentInTheMomentOfTheStartIsOfBefore) {
  EXPECT_TRUE(Lose(100, {50}));

  EXPECT_FALSE(Lose(120, {100}));
  EXPECT_TRUE(Lose(140, {50, 101, 60}));
}

TEST_F(RecoveryPeriodTest, FirstAcknowledgmentFromWithinEndsItButItsPastStaysCovered) {
  EXPECT_TRUE(Lose(100, {50}));

  EXPECT_EQ(Ack({60, 100}), 0);
  EXPECT_TRUE(period_.is_active());
  EXPECT_EQ(Ack({90, 110}), 1'000);

  EXPECT_FALSE(period_.is_active());
  EXPECT_FALSE(Lose(150, {70}));
}

TEST_F(RecoveryPeriodTest, MarkOnAPacketOfBeforeStartsNothing) {
  EXPECT_TRUE(Mark(100, 60));

  EXPECT_FALSE(Mark(110, 100));
  EXPECT_TRUE(Mark(150, 101));
}

TEST_F(RecoveryPeriodTest, IsUndoneWhenTheLastOfItsLossesTurnsUp) {
  EXPECT_TRUE(Lose(100, {50, 51}));
  EXPECT_FALSE(Lose(110, {52}));

  EXPECT_FALSE(TurnUp(100, 2));
  EXPECT_TRUE(TurnUp(110));

  EXPECT_FALSE(period_.is_active());
  EXPECT_TRUE(Lose(120, {53}));  // A reduction that was undone answers nothing any more.
}

TEST_F(RecoveryPeriodTest, LateLossesOfThePeriodBeforeDoNotCount) {
  EXPECT_TRUE(Lose(100, {50}));
  EXPECT_TRUE(Lose(200, {150}));

  EXPECT_FALSE(TurnUp(100));
  EXPECT_TRUE(TurnUp(200));
}

TEST_F(RecoveryPeriodTest, MarksForbidTheUndo) {
  EXPECT_TRUE(Lose(100, {50}));
  EXPECT_FALSE(Mark(110, 60));
  EXPECT_FALSE(TurnUp(100));

  EXPECT_TRUE(Lose(200, {150}, /*ecn_ce_count=*/1));
  EXPECT_FALSE(TurnUp(200));
}

TEST_F(RecoveryPeriodTest, ForgottenPeriodCoversNothing) {
  EXPECT_TRUE(Lose(100, {50}));

  period_.Forget();

  EXPECT_FALSE(period_.is_active());
  EXPECT_EQ(Ack({60}), 1'000);
  EXPECT_TRUE(Lose(120, {60}));
}

TEST_F(RecoveryPeriodTest, HandedOverPeriodCoversThePastAndCannotBeUndone) {
  period_.StartByHandover(At(100));

  EXPECT_TRUE(period_.is_active());
  EXPECT_FALSE(Lose(110, {90}));
  EXPECT_FALSE(TurnUp(110));
  EXPECT_TRUE(Lose(150, {120}));
}

}  // namespace
}  // namespace godwit
