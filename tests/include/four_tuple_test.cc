// SPDX-License-Identifier: Apache-2.0
#include "godwit/four_tuple.h"

#include <type_traits>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "gtest/gtest.h"

#include "godwit/socket_address.h"

namespace godwit {
namespace {

static_assert(sizeof(FourTuple) == 2 * sizeof(SocketAddress));
static_assert(std::is_trivially_copyable_v<FourTuple>);

const SocketAddress kA = SocketAddress::Parse("192.0.2.1:443").value();
const SocketAddress kB = SocketAddress::Parse("192.0.2.2:50000").value();

TEST(FourTupleTest, BothEndsCountAndDoNotSwap) {
  const FourTuple four_tuple{.local = kA, .peer = kB};
  const FourTuple swapped{.local = kB, .peer = kA};
  const FourTuple other_local{.local = kB, .peer = kB};
  const FourTuple other_peer{.local = kA, .peer = kA};

  EXPECT_EQ(four_tuple, (FourTuple{.local = kA, .peer = kB}));
  EXPECT_NE(four_tuple, swapped);
  EXPECT_NE(four_tuple, other_local);
  EXPECT_NE(four_tuple, other_peer);
  EXPECT_LT(other_peer, four_tuple);
  EXPECT_LT(four_tuple, swapped);
}

TEST(FourTupleTest, WorksAsAKey) {
  const absl::flat_hash_set<FourTuple> four_tuples = {
      {.local = kA, .peer = kB}, {.local = kB, .peer = kA}, {.local = kA, .peer = kB}};

  EXPECT_EQ(four_tuples.size(), 2u);
  EXPECT_TRUE(four_tuples.contains(FourTuple{.local = kA, .peer = kB}));
  EXPECT_FALSE(four_tuples.contains(FourTuple{.local = kA, .peer = kA}));
  for (const FourTuple& other :
       {FourTuple{.local = kB, .peer = kA}, FourTuple{.local = kA, .peer = kA},
        FourTuple{.local = kB, .peer = kB}}) {
    EXPECT_NE(absl::HashOf(FourTuple{.local = kA, .peer = kB}), absl::HashOf(other));
  }
}

}  // namespace
}  // namespace godwit
