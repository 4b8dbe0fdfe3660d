// SPDX-License-Identifier: Apache-2.0
#include "bench/byte_queue.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

TEST(ByteQueueTest, BytesLeaveInTheOrderInWhichTheyCame) {
  ByteQueue queue;
  uint8_t next_in = 0;
  uint8_t next_out = 0;

  for (int round = 0; round < 100; ++round) {
    std::vector<uint8_t> bytes(7);
    for (uint8_t& byte : bytes) byte = next_in++;
    queue.Append(bytes);
    // More comes than goes, so that it is never empty.
    ASSERT_GE(queue.bytes().size(), 5u);
    for (size_t i = 0; i < 5; ++i) ASSERT_EQ(queue.bytes()[i], next_out++);
    queue.RemoveFront(5);
  }

  EXPECT_EQ(queue.bytes().size(), 200u);
}

TEST(ByteQueueTest, IsEmptyWhenAllHasLeft) {
  ByteQueue queue;
  queue.Append(std::vector<uint8_t>(10));

  queue.RemoveFront(3);
  EXPECT_FALSE(queue.is_empty());
  queue.RemoveFront(7);

  EXPECT_TRUE(queue.is_empty());
  EXPECT_TRUE(queue.bytes().empty());
}

}  // namespace
}  // namespace godwit
