// SPDX-License-Identifier: Apache-2.0
#include "bench/quic_stream.h"

#include <cstdint>

#include "gtest/gtest.h"

#include "godwit/perspective.h"
#include "godwit/stream_id.h"

namespace godwit {
namespace {

StreamId IdOf(uint64_t index) {
  return StreamId::FromParts(Perspective::kClient, StreamDirection::kBidirectional, index);
}

TEST(ByStreamIndexTest, WhatWasAddedIsFoundUntilItIsRemoved) {
  ByStreamIndex<int> values;
  for (int i = 0; i < 4; ++i) values.Add(IdOf(static_cast<uint64_t>(i))) = 10 * i;

  values.Remove(IdOf(2));
  ASSERT_NE(values.Find(IdOf(1)), nullptr);
  EXPECT_EQ(*values.Find(IdOf(1)), 10);
  EXPECT_EQ(values.Find(IdOf(2)), nullptr);

  values.Remove(IdOf(0));
  values.Remove(IdOf(1));
  EXPECT_EQ(values.Find(IdOf(0)), nullptr);
  EXPECT_EQ(values.Find(IdOf(4)), nullptr);
  EXPECT_EQ(*values.Find(IdOf(3)), 30);
}

TEST(ByStreamIndexTest, GoesOnWhereItWasWhenAllAreRemoved) {
  ByStreamIndex<int> values;
  values.Add(IdOf(0));
  values.Remove(IdOf(0));

  values.Add(IdOf(1)) = 7;

  EXPECT_EQ(*values.Find(IdOf(1)), 7);
  EXPECT_EQ(values.Find(IdOf(0)), nullptr);
}

}  // namespace
}  // namespace godwit
