// SPDX-License-Identifier: Apache-2.0
#include "godwit/stream_id.h"

#include <cstdint>
#include <optional>
#include <type_traits>

#include "absl/base/options.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "gtest/gtest.h"

#include "godwit/perspective.h"

namespace godwit {
namespace {

constexpr Perspective kClient = Perspective::kClient;
constexpr Perspective kServer = Perspective::kServer;
constexpr StreamDirection kBidirectional = StreamDirection::kBidirectional;
constexpr StreamDirection kUnidirectional = StreamDirection::kUnidirectional;

static_assert(sizeof(StreamId) == 8 && std::is_trivially_copyable_v<StreamId>);
static_assert(!std::is_convertible_v<uint64_t, StreamId>);
static_assert(StreamId::kMaxValue == 4'611'686'018'427'387'903);
static_assert(StreamId::FromParts(kServer, kUnidirectional, StreamId::kMaxIndex).value() ==
              StreamId::kMaxValue);

TEST(PerspectiveTest, OppositeIsThePeer) {
  EXPECT_EQ(Opposite(kClient), kServer);
  EXPECT_EQ(Opposite(kServer), kClient);
}

TEST(StreamIdTest, TwoLowBitsTellInitiatorAndDirection) {
  // RFC 9000 §2.1, table 1.
  EXPECT_EQ(StreamId::FromParts(kClient, kBidirectional, 0).value(), 0u);
  EXPECT_EQ(StreamId::FromParts(kServer, kBidirectional, 0).value(), 1u);
  EXPECT_EQ(StreamId::FromParts(kClient, kUnidirectional, 0).value(), 2u);
  EXPECT_EQ(StreamId::FromParts(kServer, kUnidirectional, 0).value(), 3u);
  EXPECT_EQ(StreamId::FromParts(kServer, kBidirectional, 25).value(), 101u);
}

TEST(StreamIdTest, PartsGoBothWays) {
  for (const Perspective initiator : {kClient, kServer}) {
    for (const StreamDirection direction : {kBidirectional, kUnidirectional}) {
      for (const uint64_t index :
           {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32, StreamId::kMaxIndex}) {
        const StreamId id = StreamId::FromParts(initiator, direction, index);

        EXPECT_EQ(id.initiator(), initiator);
        EXPECT_EQ(id.direction(), direction);
        EXPECT_EQ(id.index(), index);
        EXPECT_EQ(id.is_client_initiated(), initiator == kClient);
        EXPECT_EQ(id.is_bidirectional(), direction == kBidirectional);
        EXPECT_EQ(StreamId(id.value()), id);
      }
    }
  }
}

TEST(StreamIdTest, NextIsOfTheSameType) {
  const StreamId id = StreamId::FromParts(kServer, kUnidirectional, 6);

  EXPECT_EQ(id.Next(), StreamId::FromParts(kServer, kUnidirectional, 7));
}

TEST(StreamIdTest, LastStreamOfAnyTypeHasNoNext) {
  for (uint64_t low_bits = 0; low_bits < 4; ++low_bits) {
    const StreamId last(StreamId::kMaxValue - 3 + low_bits);

    EXPECT_EQ(last.index(), StreamId::kMaxIndex);
    EXPECT_EQ(last.Next(), std::nullopt);
    EXPECT_EQ(StreamId(last.value() - 4).Next(), last);
  }
}

TEST(StreamIdTest, ValuesOfMoreThanSixtyTwoBitsAreRefused) {
  EXPECT_EQ(StreamId::FromValue(StreamId::kMaxValue), StreamId(StreamId::kMaxValue));
  EXPECT_EQ(StreamId::FromValue(StreamId::kMaxValue + 1), std::nullopt);
  EXPECT_EQ(StreamId::FromValue(~uint64_t{0}), std::nullopt);
}

TEST(StreamIdDeathTest, UncheckedValueOrIndexOutOfRangeEndsTheProcess) {
  EXPECT_DEATH(static_cast<void>(StreamId(StreamId::kMaxValue + 1)), "");
  EXPECT_DEATH(
      static_cast<void>(StreamId::FromParts(kClient, kBidirectional, StreamId::kMaxIndex + 1)), "");
}

TEST(StreamIdTest, OrderEqualityAndHashAreByValue) {
  const absl::flat_hash_set<StreamId> ids = {StreamId(0), StreamId(4), StreamId(4)};

  EXPECT_EQ(StreamId(), StreamId(0));
  EXPECT_NE(StreamId(0), StreamId(1));
  EXPECT_LT(StreamId(3), StreamId(4));
  EXPECT_EQ(ids.size(), 2u);
  EXPECT_TRUE(ids.contains(StreamId(4)));
  EXPECT_NE(absl::HashOf(StreamId(0)), absl::HashOf(StreamId(4)));
}

}  // namespace
}  // namespace godwit
