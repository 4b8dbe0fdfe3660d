// SPDX-License-Identifier: Apache-2.0
#include "platform/datagram_batch.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "gtest/gtest.h"

namespace godwit {
namespace {

constexpr Timestamp kTime = Timestamp::FromNanoseconds(5);

// As if recvmmsg() had written the message.
mmsghdr& Fill(std::span<mmsghdr> messages, size_t index, unsigned int bytes) {
  mmsghdr& message = messages[index];
  auto* buffer = static_cast<uint8_t*>(message.msg_hdr.msg_iov->iov_base);
  for (unsigned int i = 0; i < bytes; ++i) buffer[i] = static_cast<uint8_t>(i * 7 + index);
  message.msg_len = bytes;
  return message;
}

TEST(DatagramBatchTest, MessageIsCutInSegments) {
  DatagramBatch batch;
  const mmsghdr& message = Fill(batch.EmptyMessages(), 0, 2'500);

  const bool fits = batch.Append(message, 1'000, {.ecn = EcnMark::kCe, .received_at = kTime});

  EXPECT_TRUE(fits);
  ASSERT_EQ(batch.datagrams().size(), 3u);
  EXPECT_EQ(batch.datagrams()[0].payload.size(), 1'000u);
  EXPECT_EQ(batch.datagrams()[1].payload.size(), 1'000u);
  EXPECT_EQ(batch.datagrams()[2].payload.size(), 500u);
  EXPECT_EQ(batch.datagrams()[2].payload[0], static_cast<uint8_t>(2'000 * 7));
  for (const ReceivedDatagram& datagram : batch.datagrams()) {
    EXPECT_EQ(datagram.ecn, EcnMark::kCe);
    EXPECT_EQ(datagram.received_at, kTime);
  }
}

TEST(DatagramBatchTest, EmptyMessageIsAnEmptyDatagram) {
  DatagramBatch batch;

  EXPECT_TRUE(batch.Append(Fill(batch.EmptyMessages(), 0, 0), 0, {}));

  ASSERT_EQ(batch.datagrams().size(), 1u);
  EXPECT_TRUE(batch.datagrams()[0].payload.empty());
}

TEST(DatagramBatchTest, EachBufferHoldsTheLargestDatagramByItself) {
  DatagramBatch batch(DatagramBatch::kMaxBufferCount);
  const std::span<mmsghdr> messages = batch.EmptyMessages();
  for (size_t i = 0; i < messages.size(); ++i) {
    batch.Append(Fill(messages, i, 65'535), 65'535, {});
  }

  ASSERT_EQ(batch.datagrams().size(), 64u);
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(batch.datagrams()[i].payload[0], static_cast<uint8_t>(i));
    EXPECT_EQ(batch.datagrams()[i].payload[65'534], static_cast<uint8_t>(65'534 * 7 + i));
  }
}

// 128 is what a train may have.
TEST(DatagramBatchTest, MoreDatagramsThanThereIsRoomForAreRefused) {
  DatagramBatch batch(1);

  EXPECT_TRUE(batch.Append(Fill(batch.EmptyMessages(), 0, 128), 1, {}));
  EXPECT_FALSE(batch.Append(Fill(batch.EmptyMessages(), 0, 129), 1, {}));

  EXPECT_EQ(batch.datagrams().size(), 128u);
}

TEST(DatagramBatchTest, NextBatchBeginsEmpty) {
  DatagramBatch batch(2);
  batch.Append(Fill(batch.EmptyMessages(), 0, 10), 10, {});

  const std::span<mmsghdr> messages = batch.EmptyMessages();

  EXPECT_TRUE(batch.datagrams().empty());
  EXPECT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].msg_len, 0u);
}

TEST(DatagramBatchTest, MovedBatchKeepsItsDatagrams) {
  DatagramBatch first(1);
  first.Append(Fill(first.EmptyMessages(), 0, 10), 10, {});

  DatagramBatch second = std::move(first);

  ASSERT_EQ(second.datagrams().size(), 1u);
  EXPECT_EQ(second.datagrams()[0].payload[1], 7);
  Fill(second.EmptyMessages(), 0, 20);
}

}  // namespace
}  // namespace godwit
