// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/reliable_value.h"

#include <cstdint>
#include <map>
#include <optional>

#include "gtest/gtest.h"

#include "base/packet_number.h"
#include "base/seeded_random.h"

namespace godwit {
namespace {

using Once = ReliableValue<uint64_t, ValueNature::kOnce>;
using Latest = ReliableValue<uint64_t, ValueNature::kLatest>;
using Increasing = ReliableValue<uint64_t, ValueNature::kIncreasing>;

constexpr PacketNumber kFirst(10);
constexpr PacketNumber kSecond(20);
constexpr PacketNumber kThird(30);

TEST(ReliableValueTest, NewValueHasNothingPending) {
  const Latest value;

  EXPECT_EQ(value.state(), ValueState::kIdle);
  EXPECT_FALSE(value.HasPending());
}

TEST(ReliableValueTest, SetValueIsPendingUntilSent) {
  Latest value;

  EXPECT_TRUE(value.Set(5));
  EXPECT_TRUE(value.HasPending());
  value.OnSent(kFirst);

  EXPECT_FALSE(value.HasPending());
  EXPECT_EQ(value.state(), ValueState::kInFlight);
  EXPECT_EQ(value.value(), 5u);
}

TEST(ReliableValueTest, LostValueIsPendingAgain) {
  Latest value;
  value.Set(5);
  value.OnSent(kFirst);

  EXPECT_TRUE(value.OnLost(kFirst));

  EXPECT_EQ(value.state(), ValueState::kLost);
  EXPECT_TRUE(value.HasPending());
}

TEST(ReliableValueTest, AckedValueIsNeverSentAgain) {
  Latest value;
  value.Set(5);
  value.OnSent(kFirst);

  EXPECT_TRUE(value.OnAcked(kFirst));
  EXPECT_FALSE(value.OnAcked(kFirst));
  EXPECT_FALSE(value.OnLost(kFirst));

  EXPECT_EQ(value.state(), ValueState::kDelivered);
  EXPECT_FALSE(value.HasPending());
}

TEST(ReliableValueTest, AckAfterAssumedLossDelivers) {
  Latest value;
  value.Set(5);
  value.OnSent(kFirst);
  value.OnLost(kFirst);

  EXPECT_TRUE(value.OnAcked(kFirst));

  EXPECT_EQ(value.state(), ValueState::kDelivered);
}

TEST(ReliableValueTest, LateAckOfTheFirstCopyDeliversWhileTheSecondIsInFlight) {
  Latest value;
  value.Set(5);
  value.OnSent(kFirst);
  value.OnLost(kFirst);
  value.OnSent(kSecond);

  EXPECT_TRUE(value.OnAcked(kFirst));
  EXPECT_FALSE(value.OnLost(kSecond));

  EXPECT_EQ(value.state(), ValueState::kDelivered);
}

TEST(ReliableValueTest, LossOfAnEarlierCopyDoesNotMatter) {
  Latest value;
  value.Set(5);
  value.OnSent(kFirst);
  value.OnSent(kSecond);

  EXPECT_FALSE(value.OnLost(kFirst));

  EXPECT_EQ(value.state(), ValueState::kInFlight);
}

TEST(ReliableValueTest, AckOfAnOlderValueDoesNotDeliverTheNewOne) {
  Latest value;
  value.Set(5);
  value.OnSent(kFirst);
  value.Set(6);

  EXPECT_FALSE(value.OnAcked(kFirst));
  EXPECT_EQ(value.state(), ValueState::kRequested);
  value.OnSent(kSecond);
  EXPECT_FALSE(value.OnAcked(kFirst));

  EXPECT_EQ(value.state(), ValueState::kInFlight);
}

TEST(ReliableValueTest, NewValueSupersedesALostOne) {
  Latest value;
  value.Set(5);
  value.OnSent(kFirst);
  value.Set(6);
  value.OnSent(kSecond);

  EXPECT_FALSE(value.OnLost(kFirst));
  EXPECT_TRUE(value.OnLost(kSecond));

  EXPECT_EQ(value.value(), 6u);
}

TEST(ReliableValueTest, DeliveredValueGivesWayToANewOne) {
  Latest value;
  value.Set(5);
  value.OnSent(kFirst);
  value.OnAcked(kFirst);

  EXPECT_FALSE(value.Set(5));
  EXPECT_FALSE(value.HasPending());
  EXPECT_TRUE(value.Set(4));

  EXPECT_EQ(value.state(), ValueState::kRequested);
}

TEST(ReliableValueTest, IncreasingValueIgnoresSmallerOnes) {
  Increasing value;
  value.Set(5);
  value.OnSent(kFirst);

  EXPECT_FALSE(value.Set(4));
  EXPECT_FALSE(value.Set(5));
  EXPECT_FALSE(value.HasPending());
  EXPECT_TRUE(value.Set(6));

  EXPECT_EQ(value.value(), 6u);
  EXPECT_TRUE(value.HasPending());
}

TEST(ReliableValueTest, CancelledValueIsNotSentAgain) {
  Increasing value;
  value.Set(5);
  value.OnSent(kFirst);
  value.Cancel();

  EXPECT_FALSE(value.OnLost(kFirst));
  EXPECT_FALSE(value.OnAcked(kFirst));

  EXPECT_EQ(value.state(), ValueState::kIdle);
  EXPECT_TRUE(value.Set(5));
}

TEST(ReliableValueTest, SignalNeedsNoValue) {
  ReliableSignal signal;

  signal.Set({});
  signal.OnSent(kThird);

  EXPECT_TRUE(signal.OnAcked(kThird));
}

using ReliableValueDeathTest = testing::Test;

TEST(ReliableValueDeathTest, SecondSetOfAOnceValueDies) {
  Once value;
  value.Set(5);

  EXPECT_DEATH(value.Set(6), "GODWIT_CHECK failed");
}

TEST(ReliableValueDeathTest, SendingWithoutAValueDies) {
  Latest value;

  EXPECT_DEATH(value.OnSent(kFirst), "GODWIT_CHECK failed");
}

// The model remembers for every packet which value it carried.
TEST(ReliableValueTest, RandomOperationsFollowTheModel) {
  SeededRandom random(20'040);
  Latest value;
  std::optional<uint64_t> current;
  bool is_delivered = false;
  std::map<uint64_t, uint64_t> in_flight;  // By packet number.
  std::map<uint64_t, uint64_t> lost;
  uint64_t next_number = 0;
  const auto is_carried = [&] {
    for (const auto& [number, carried] : in_flight) {
      if (carried == current) return true;
    }
    return false;
  };

  for (uint64_t i = 0; i < 50'000; ++i) {
    auto& from = random.UniformBelow(4) == 0 ? lost : in_flight;
    auto it = from.begin();
    if (!from.empty()) std::advance(it, random.UniformBelow(from.size()));
    switch (random.UniformBelow(8)) {
      case 0:
        EXPECT_TRUE(value.Set(i));
        current = i;
        is_delivered = false;
        break;
      case 1:
      case 2:
      case 3:
        if (!current.has_value() || is_delivered) break;
        value.OnSent(PacketNumber(next_number));
        in_flight[next_number++] = *current;
        break;
      case 4:
      case 5: {
        if (in_flight.empty()) break;
        // Losses come in order of packet numbers.
        const auto [number, carried] = *in_flight.begin();
        in_flight.erase(in_flight.begin());
        lost[number] = carried;
        EXPECT_EQ(value.OnLost(PacketNumber(number)),
                  carried == current && !is_delivered && !is_carried());
        break;
      }
      default:
        if (it == from.end()) break;
        const auto [number, carried] = *it;
        from.erase(it);
        const bool delivers = carried == current && !is_delivered;
        EXPECT_EQ(value.OnAcked(PacketNumber(number)), delivers);
        is_delivered = is_delivered || delivers;
    }
    value.CheckInvariants();
    ASSERT_EQ(value.HasPending(), current.has_value() && !is_delivered && !is_carried()) << i;
  }
}

}  // namespace
}  // namespace godwit
