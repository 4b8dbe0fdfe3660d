// SPDX-License-Identifier: Apache-2.0
#include "bench/transfer_flow.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "bench/transfer_options.h"
#include "bench/transfer_pattern.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr Timestamp kNow = Timestamp::FromNanoseconds(1'000'000'000);

class TransferFlowTest : public testing::Test {
 protected:
  // Moves at most `max_bytes` and the end of the direction. False: nothing to move.
  bool Move(TransferFlow& from, TransferFlow& to, Timestamp now, size_t max_bytes = 1000) {
    const std::span<const uint8_t> pending = from.PendingBytes(now);
    if (!pending.empty()) {
      const auto bytes = pending.first(std::min(pending.size(), max_bytes));
      to.OnReceived(bytes, now);
      from.OnSent(bytes.size());
      return true;
    }
    if (!from.wants_to_end()) return false;
    from.OnEndSent();
    to.OnPeerEnded();
    return true;
  }

  void MoveAll(TransferFlow& client, TransferFlow& server, Timestamp now = kNow) {
    bool has_moved = true;
    while (has_moved) {
      has_moved = Move(client, server, now);
      has_moved |= Move(server, client, now);
    }
  }

  TransferRequest Request(TransferDirection direction, uint64_t bytes) {
    return {.direction = direction,
            .verifies = true,
            .bytes = bytes,
            .duration = Duration::Seconds(1),
            .flow = 5,
            .flow_count = 6,
            .connection_count = 3};
  }

  TransferPattern pattern_;
};

TEST_F(TransferFlowTest, PatternDependsOnOffsetAndFlow) {
  const std::span<const uint8_t> first = pattern_.At(0, 0);

  EXPECT_GE(first.size(), TransferPattern::kMinBytes);
  EXPECT_GE(pattern_.At(7, 123'456'789).size(), TransferPattern::kMinBytes);
  EXPECT_EQ(pattern_.At(0, 1000)[0], first[1000]);
  EXPECT_TRUE(pattern_.Matches(0, 1000, first.subspan(1000)));
  EXPECT_FALSE(pattern_.Matches(0, 1001, first.subspan(1000)));
  EXPECT_FALSE(pattern_.Matches(1, 1000, first.subspan(1000)));
}

TEST_F(TransferFlowTest, PatternMatchesMoreThanItHoldsAtOnce) {
  std::vector<uint8_t> bytes;
  while (bytes.size() < 1'000'000) {
    const std::span<const uint8_t> more = pattern_.At(2, bytes.size()).first(10'000);
    bytes.insert(bytes.end(), more.begin(), more.end());
  }

  EXPECT_TRUE(pattern_.Matches(2, 0, bytes));
  bytes.back() ^= 1;
  EXPECT_FALSE(pattern_.Matches(2, 0, bytes));
}

TEST_F(TransferFlowTest, RequestIsReadAsItWasWritten) {
  const TransferRequest request = Request(TransferDirection::kBidirectional, 1'234'567'890'123);

  const std::optional<TransferRequest> read = TransferRequest::Decode(request.Encode());

  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->direction, request.direction);
  EXPECT_EQ(read->verifies, request.verifies);
  EXPECT_EQ(read->bytes, request.bytes);
  EXPECT_EQ(read->duration, request.duration);
  EXPECT_EQ(read->flow, request.flow);
  EXPECT_EQ(read->flow_count, request.flow_count);
  EXPECT_EQ(read->connection_count, request.connection_count);
}

TEST_F(TransferFlowTest, ForeignBytesAreNoRequest) {
  std::array<uint8_t, TransferRequest::kBytes> bytes =
      Request(TransferDirection::kUpload, 1).Encode();
  bytes[0] ^= 1;

  EXPECT_FALSE(TransferRequest::Decode(bytes).has_value());
}

TEST_F(TransferFlowTest, SharesOfAllFlowsAddUpToTheBytes) {
  TransferOptions options;
  options.bytes = 1'000'003;
  options.streams = 4;
  options.connections = 5;

  uint64_t total = 0;
  for (uint32_t flow = 0; flow < 20; ++flow) {
    const uint64_t share = TransferRequest::For(options, flow).bytes;
    EXPECT_TRUE(share == 50'000 || share == 50'001) << share;
    total += share;
  }

  EXPECT_EQ(total, options.bytes);
}

TEST_F(TransferFlowTest, EveryDirectionMovesItsBytesAndEnds) {
  const struct {
    TransferDirection direction;
    uint64_t up, down;
  } kCases[] = {{TransferDirection::kDownload, 0, 300'000},
                {TransferDirection::kUpload, 300'000, 0},
                {TransferDirection::kBidirectional, 300'000, 300'000}};
  for (const auto& one : kCases) {
    SCOPED_TRACE(testing::Message() << ToString(one.direction).data());
    TransferFlow client(pattern_, Request(one.direction, 300'000), kNow);
    TransferFlow server(pattern_);

    MoveAll(client, server);

    EXPECT_EQ(client.state(), TransferFlow::State::kDone) << client.failure();
    EXPECT_EQ(server.state(), TransferFlow::State::kDone) << server.failure();
    EXPECT_EQ(client.bytes_sent(), one.up);
    EXPECT_EQ(server.bytes_received(), one.up);
    EXPECT_EQ(server.bytes_sent(), one.down);
    EXPECT_EQ(client.bytes_received(), one.down);
  }
}

TEST_F(TransferFlowTest, TimeEndsATransferWithoutANumberOfBytes) {
  TransferFlow client(pattern_, Request(TransferDirection::kBidirectional, 0), kNow);
  TransferFlow server(pattern_);
  for (int i = 0; i < 100; ++i) {
    Move(client, server, kNow);
    Move(server, client, kNow);
  }
  EXPECT_EQ(client.state(), TransferFlow::State::kOpen);

  MoveAll(client, server, kNow + Duration::Seconds(1));

  EXPECT_EQ(client.state(), TransferFlow::State::kDone);
  EXPECT_EQ(server.state(), TransferFlow::State::kDone);
  EXPECT_EQ(client.bytes_received(), server.bytes_sent());
  EXPECT_EQ(client.bytes_sent(), server.bytes_received());
  EXPECT_GT(client.bytes_sent(), 50'000u);
}

TEST_F(TransferFlowTest, RequestMayArriveByteByByte) {
  TransferFlow client(pattern_, Request(TransferDirection::kUpload, 100), kNow);
  TransferFlow server(pattern_);

  for (int i = 0; i < 39; ++i) Move(client, server, kNow, 1);
  EXPECT_FALSE(server.request().has_value());
  Move(client, server, kNow, 1);
  EXPECT_TRUE(server.request().has_value());
  MoveAll(client, server);

  EXPECT_EQ(server.state(), TransferFlow::State::kDone);
}

TEST_F(TransferFlowTest, ServerEndsOnlyAfterTheClient) {
  TransferFlow client(pattern_, Request(TransferDirection::kUpload, 10'000), kNow);
  TransferFlow server(pattern_);

  for (int i = 0; i < 5; ++i) Move(client, server, kNow);
  EXPECT_FALSE(server.wants_to_end());
  while (Move(client, server, kNow)) {
  }

  EXPECT_TRUE(server.wants_to_end());
}

TEST_F(TransferFlowTest, WrongByteFailsAVerifiedTransfer) {
  TransferFlow server(pattern_);
  server.OnReceived(Request(TransferDirection::kUpload, 100).Encode(), kNow);
  std::vector<uint8_t> bytes(pattern_.At(5, 0).begin(), pattern_.At(5, 0).begin() + 100);
  bytes[99] ^= 1;

  server.OnReceived(bytes, kNow);

  EXPECT_EQ(server.state(), TransferFlow::State::kFailed);
  EXPECT_STREQ(server.failure(), "what came is not what was sent");
  EXPECT_FALSE(server.wants_to_end());
}

TEST_F(TransferFlowTest, MissingBytesFailATransfer) {
  TransferFlow server(pattern_);
  server.OnReceived(Request(TransferDirection::kUpload, 100).Encode(), kNow);
  server.OnReceived(pattern_.At(5, 0).first(99), kNow);

  server.OnPeerEnded();

  EXPECT_EQ(server.state(), TransferFlow::State::kFailed);
}

TEST_F(TransferFlowTest, BytesThatNobodyAskedForFailATransfer) {
  TransferFlow server(pattern_);
  server.OnReceived(Request(TransferDirection::kDownload, 100).Encode(), kNow);

  server.OnReceived(pattern_.At(5, 0).first(1), kNow);

  EXPECT_EQ(server.state(), TransferFlow::State::kFailed);
}

TEST_F(TransferFlowTest, ServerThatEndsFirstFailsATransfer) {
  TransferFlow client(pattern_, Request(TransferDirection::kUpload, 0), kNow);

  client.OnPeerEnded();

  EXPECT_EQ(client.state(), TransferFlow::State::kFailed);
}

}  // namespace
}  // namespace godwit
