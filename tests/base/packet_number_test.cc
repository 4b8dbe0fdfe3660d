// SPDX-License-Identifier: Apache-2.0
#include "base/packet_number.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <type_traits>

#include "absl/hash/hash.h"
#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr uint64_t kLast = 4'611'686'018'427'387'903;  // 2^62-1

static_assert(sizeof(PacketNumber) == 8);
static_assert(std::is_trivially_copyable_v<PacketNumber>);
static_assert(!std::is_convertible_v<uint64_t, PacketNumber>);
static_assert(!std::is_convertible_v<PacketNumber, uint64_t>);

TEST(PacketNumberTest, ValueIsWhatWasGiven) {
  EXPECT_EQ(PacketNumber(0).value(), 0u);
  EXPECT_EQ(PacketNumber(kLast).value(), kLast);
}

TEST(PacketNumberTest, ValueAboveTheLastIsOurMistake) {
  EXPECT_DEBUG_DEATH(PacketNumber{kLast + 1}, "GODWIT_DCHECK_LE failed: value <= kMaxPacketNumber");
}

TEST(PacketNumberTest, NextIsOneMore) {
  EXPECT_EQ(PacketNumber(0).next(), PacketNumber(1));
  EXPECT_EQ(PacketNumber(kLast - 1).next(), PacketNumber(kLast));
}

TEST(PacketNumberTest, LastNumberHasNoNextInAnyBuild) {
  EXPECT_DEATH(static_cast<void>(PacketNumber(kLast).next()), "GODWIT_CHECK_LT failed");
}

TEST(PacketNumberTest, NoneHasNoNextInAnyBuild) {
  EXPECT_DEATH(static_cast<void>(PacketNumber::None().next()), "GODWIT_CHECK_LT failed");
}

TEST(PacketNumberTest, DistanceHasASign) {
  EXPECT_EQ(PacketNumber(10) - PacketNumber(7), 3);
  EXPECT_EQ(PacketNumber(7) - PacketNumber(10), -3);
  EXPECT_EQ(PacketNumber(7) - PacketNumber(7), 0);
}

TEST(PacketNumberTest, DistanceReachesOverTheWholeRange) {
  EXPECT_EQ(PacketNumber(kLast) - PacketNumber(0), static_cast<int64_t>(kLast));
  EXPECT_EQ(PacketNumber(0) - PacketNumber(kLast), -static_cast<int64_t>(kLast));
}

TEST(PacketNumberTest, OrderIsThatOfTheValues) {
  EXPECT_LT(PacketNumber(1), PacketNumber(2));
  EXPECT_GT(PacketNumber(kLast), PacketNumber(2));
  EXPECT_LE(PacketNumber(2), PacketNumber(2));
  EXPECT_NE(PacketNumber(1), PacketNumber(2));
}

TEST(PacketNumberTest, OnlyNoneIsNone) {
  EXPECT_TRUE(PacketNumber::None().is_none());
  EXPECT_EQ(PacketNumber::None(), PacketNumber::None());
  EXPECT_FALSE(PacketNumber(0).is_none());
  EXPECT_FALSE(PacketNumber(kLast).is_none());
  EXPECT_NE(PacketNumber(kLast), PacketNumber::None());
}

TEST(PacketNumberTest, NoneHasNoValueOrderOrDistance) {
  const PacketNumber none = PacketNumber::None();

  EXPECT_DEBUG_DEATH(static_cast<void>(none.value()), "GODWIT_DCHECK failed: !is_none()");
  EXPECT_DEBUG_DEATH(static_cast<void>(none < PacketNumber(1)), "GODWIT_DCHECK failed");
  EXPECT_DEBUG_DEATH(static_cast<void>(PacketNumber(1) < none), "GODWIT_DCHECK failed");
  EXPECT_DEBUG_DEATH(static_cast<void>(PacketNumber(1) - none), "GODWIT_DCHECK failed");
}

TEST(PacketNumberTest, HashFollowsEquality) {
  EXPECT_EQ(absl::HashOf(PacketNumber(5)), absl::HashOf(PacketNumber(5)));
  EXPECT_NE(absl::HashOf(PacketNumber(5)), absl::HashOf(PacketNumber(6)));
}

TEST(PacketNumberSpaceTest, CountCoversExactlyTheNamedSpaces) {
  std::set<std::string> names;

  for (size_t i = 0; i < kPacketNumberSpaceCount; ++i) {
    names.emplace(ToString(static_cast<PacketNumberSpace>(i)));
  }

  EXPECT_EQ(names, (std::set<std::string>{"initial", "handshake", "application"}));
  EXPECT_DEATH(static_cast<void>(ToString(static_cast<PacketNumberSpace>(kPacketNumberSpaceCount))),
               "GODWIT_UNREACHABLE");
}

}  // namespace
}  // namespace godwit
