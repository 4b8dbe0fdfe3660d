// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/drop_counter.h"

#include "gtest/gtest.h"

namespace godwit {
namespace {

TEST(DropCounterTest, DropsAreCountedByReason) {
  EndpointStats stats;
  DropCounter counter(nullptr, stats);

  counter.OnPacketDropped({}, DropReason::kDuplicate, 100);
  counter.OnPacketDropped({}, DropReason::kDuplicate, 20);
  counter.OnPacketDropped({}, DropReason::kConnectionClosed, 3);

  EXPECT_EQ(stats.dropped_because(DropReason::kDuplicate), 2);
  EXPECT_EQ(stats.dropped_because(DropReason::kConnectionClosed), 1);
  EXPECT_EQ(stats.dropped_because(DropReason::kTooShort), 0);
  EXPECT_EQ(stats.dropped_bytes, 123);
}

TEST(DropCounterTest, ApplicationsSinkHearsOfThem) {
  EndpointStats of_next;
  DropCounter next(nullptr, of_next);
  EndpointStats stats;
  DropCounter counter(&next, stats);

  counter.OnPacketDropped({}, DropReason::kTooOld, 7);

  EXPECT_EQ(of_next.dropped_because(DropReason::kTooOld), 1);
  EXPECT_EQ(of_next.dropped_bytes, 7);
}

}  // namespace
}  // namespace godwit
