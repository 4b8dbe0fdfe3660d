// SPDX-License-Identifier: Apache-2.0
#include "base/path_id.h"

#include <cstdint>
#include <limits>
#include <type_traits>

#include "absl/hash/hash.h"
#include "gtest/gtest.h"

namespace godwit {
namespace {

static_assert(sizeof(PathId) == 4);
static_assert(std::is_trivially_copyable_v<PathId>);
static_assert(!std::is_convertible_v<uint32_t, PathId>);

TEST(PathIdTest, NextIsOneMore) {
  EXPECT_EQ(PathId(0).next(), PathId(1));
  EXPECT_EQ(PathId(41).next().value(), 42u);
}

TEST(PathIdTest, LastIdHasNoNext) {
  EXPECT_DEATH(static_cast<void>(PathId(std::numeric_limits<uint32_t>::max()).next()),
               "GODWIT_CHECK_LT failed");
}

TEST(PathIdTest, OrderIsThatOfTheValues) {
  EXPECT_LT(PathId(1), PathId(2));
  EXPECT_GE(PathId(2), PathId(2));
  EXPECT_NE(PathId(1), PathId(2));
}

TEST(PathIdTest, HashFollowsEquality) {
  EXPECT_EQ(absl::HashOf(PathId(5)), absl::HashOf(PathId(5)));
  EXPECT_NE(absl::HashOf(PathId(5)), absl::HashOf(PathId(6)));
}

}  // namespace
}  // namespace godwit
