// SPDX-License-Identifier: Apache-2.0
//
// The relations between the limits are static_asserts beside them. Here: that bounds which the
// public headers know too are the same there.
#include "base/limits.h"

#include "gtest/gtest.h"

#include "godwit/connection_id.h"
#include "godwit/stream_id.h"

namespace godwit {
namespace {

TEST(LimitsTest, VarintBoundIsTheGreatestStreamId) {
  EXPECT_EQ(kMaxVarint, 4'611'686'018'427'387'903u);
  EXPECT_EQ(kMaxVarint, StreamId::kMaxValue);
}

TEST(LimitsTest, StreamCountBoundIsOneMoreThanTheGreatestIndex) {
  EXPECT_EQ(kMaxStreams, StreamId::kMaxIndex + 1);
}

TEST(LimitsTest, ConnectionIdBoundIsTheSizeOfConnectionId) {
  EXPECT_EQ(kMaxConnectionIdBytes, ConnectionId::kMaxSize);
}

}  // namespace
}  // namespace godwit
