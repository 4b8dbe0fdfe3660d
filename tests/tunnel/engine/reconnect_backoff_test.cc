// SPDX-License-Identifier: Apache-2.0
#include "tunnel/reconnect_backoff.h"

#include <gtest/gtest.h>

#include <set>

#include "base/seeded_random.h"

namespace godwit::tunnel {
namespace {

TEST(ReconnectBackoffTest, EachWaitIsWithinHalfOfItsBound) {
  SeededRandom random(1);
  ReconnectBackoff backoff(&random);
  Duration bound = ReconnectBackoff::kFirst;
  for (int i = 0; i < 20; ++i) {
    const Duration wait = backoff.Next();

    EXPECT_GE(wait, bound / 2);
    EXPECT_LE(wait, bound);
    bound = std::min(bound * 2, ReconnectBackoff::kMost);
  }
  EXPECT_EQ(bound, ReconnectBackoff::kMost);
}

TEST(ReconnectBackoffTest, ClientsDoNotWaitAlike) {
  std::set<int64_t> waits;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SeededRandom random(seed);
    waits.insert(ReconnectBackoff(&random).Next().ToMilliseconds());
  }

  EXPECT_GT(waits.size(), 30);
}

TEST(ReconnectBackoffTest, ResetBeginsAnew) {
  SeededRandom random(1);
  ReconnectBackoff backoff(&random);
  for (int i = 0; i < 10; ++i) backoff.Next();

  backoff.Reset();

  EXPECT_LE(backoff.Next(), ReconnectBackoff::kFirst);
}

}  // namespace
}  // namespace godwit::tunnel
