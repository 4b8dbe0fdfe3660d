// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/reassembler.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "base/result.h"

namespace godwit {
namespace {

using Kind = Reassembler::Arrival::Kind;

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class ReassemblerTest : public testing::Test {
 protected:
  Result Receive(uint64_t offset, std::string_view text, bool is_fin = false) {
    const Result result = reassembler_.OnSegment({offset, BytesOf(text), is_fin}, pool_, arrival_);
    reassembler_.CheckInvariants();
    return result;
  }

  // For data that is valid.
  Kind KindOf(uint64_t offset, std::string_view text, bool is_fin = false) {
    EXPECT_TRUE(Receive(offset, text, is_fin).ok());
    return arrival_.kind;
  }

  std::string Readable() const {
    std::array<std::span<const uint8_t>, 1000> views;
    const size_t view_count = reassembler_.Peek(views);
    std::string text;
    for (const auto& view : std::span(views).first(view_count)) {
      text.append(view.begin(), view.end());
    }
    return text;
  }

  void Consume(uint64_t byte_count) {
    reassembler_.Consume(byte_count, pool_);
    reassembler_.CheckInvariants();
  }

  void KeepBorrowed() {
    reassembler_.KeepBorrowed(pool_);
    reassembler_.CheckInvariants();
  }

  ReceiveBlockPool pool_{100};
  Reassembler reassembler_;
  Reassembler::Arrival arrival_;
};

TEST_F(ReassemblerTest, DataInOrderIsAViewOfTheDatagram) {
  const std::string datagram = "hello";

  EXPECT_EQ(KindOf(0, datagram), Kind::kInOrder);

  EXPECT_EQ(arrival_.in_order.data(), BytesOf(datagram).data());
  EXPECT_EQ(arrival_.in_order.size(), 5u);
  EXPECT_EQ(arrival_.newly_readable_bytes, 5u);
  EXPECT_EQ(reassembler_.allocated_bytes(), 0u);
}

TEST_F(ReassemblerTest, KnownFrontOfASegmentIsCutOff) {
  Receive(0, "hello").ok();

  EXPECT_EQ(KindOf(3, "lo world"), Kind::kInOrder);

  EXPECT_EQ(arrival_.in_order.size(), 6u);
  EXPECT_EQ(Readable(), "hello world");
}

TEST_F(ReassemblerTest, KnownDataIsNothingNew) {
  Receive(0, "hello").ok();

  EXPECT_EQ(KindOf(0, "hello"), Kind::kNothingNew);
  EXPECT_EQ(KindOf(1, "ell"), Kind::kNothingNew);
  EXPECT_EQ(KindOf(5, ""), Kind::kNothingNew);

  EXPECT_EQ(Readable(), "hello");
}

TEST_F(ReassemblerTest, ConsumedDataIsNothingNew) {
  Receive(0, "hello").ok();
  Consume(5);

  EXPECT_EQ(KindOf(0, "hello"), Kind::kNothingNew);

  EXPECT_EQ(reassembler_.readable_bytes(), 0u);
}

TEST_F(ReassemblerTest, DataBehindAGapWaits) {
  EXPECT_EQ(KindOf(6, "world"), Kind::kStored);

  EXPECT_EQ(arrival_.newly_readable_bytes, 0u);
  EXPECT_EQ(reassembler_.readable_bytes(), 0u);
  EXPECT_EQ(reassembler_.buffered_bytes(), 5u);
  EXPECT_EQ(reassembler_.highest_received(), 11u);
}

TEST_F(ReassemblerTest, ClosedGapMakesAllReadable) {
  Receive(6, "world").ok();

  EXPECT_EQ(KindOf(0, "hello "), Kind::kStored);

  EXPECT_EQ(arrival_.newly_readable_bytes, 11u);
  EXPECT_EQ(Readable(), "hello world");
}

TEST_F(ReassemblerTest, SegmentsThatOverlapBothWaysAreJoined) {
  Receive(4, "efg").ok();
  Receive(10, "klm").ok();

  EXPECT_EQ(KindOf(2, "cdefghijkl"), Kind::kStored);
  EXPECT_EQ(reassembler_.buffered_bytes(), 11u);
  Receive(0, "ab").ok();

  EXPECT_EQ(Readable(), "abcdefghijklm");
}

TEST_F(ReassemblerTest, OtherDataForAnOffsetIsRefused) {
  Receive(4, "efg").ok();

  EXPECT_EQ(Receive(4, "eXg"), Result(kStreamDataChanged));
}

TEST_F(ReassemblerTest, OtherDataInAPartlyKnownSegmentIsRefused) {
  Receive(4, "efg").ok();

  EXPECT_EQ(Receive(2, "cdXfghi"), Result(kStreamDataChanged));
}

TEST_F(ReassemblerTest, KeptDataOutlivesItsDatagram) {
  std::string datagram = "hello";
  Receive(0, datagram).ok();

  KeepBorrowed();
  datagram = "XXXXX";

  EXPECT_FALSE(reassembler_.has_borrowed());
  EXPECT_EQ(Readable(), "hello");
}

TEST_F(ReassemblerTest, BorrowedDataFollowsStoredData) {
  std::string first = "hello ";
  Receive(0, first).ok();
  KeepBorrowed();
  first = "XXXXXX";
  Receive(6, "wor").ok();
  Receive(9, "ld").ok();

  EXPECT_EQ(Readable(), "hello world");
  Consume(7);

  EXPECT_EQ(Readable(), "orld");
}

TEST_F(ReassemblerTest, PartlyConsumedBorrowedDataIsKept) {
  std::string datagram = "hello";
  Receive(0, datagram).ok();
  Consume(2);
  KeepBorrowed();
  datagram = "XXXXX";

  EXPECT_EQ(Readable(), "llo");
}

TEST_F(ReassemblerTest, PeekFillsNoMoreViewsThanGiven) {
  for (uint64_t i = 0; i < 3; ++i) Receive(i, "a").ok();
  std::array<std::span<const uint8_t>, 2> views;

  EXPECT_EQ(reassembler_.Peek(views), 2u);
}

TEST_F(ReassemblerTest, ConsumingAllGivesEveryBlockBack) {
  const std::string large(3 * kReceiveBlockBytes + 100, 'x');
  Receive(0, large).ok();
  KeepBorrowed();
  EXPECT_EQ(reassembler_.allocated_bytes(), 4 * sizeof(ReceiveBlock));

  Consume(2 * kReceiveBlockBytes);
  EXPECT_EQ(reassembler_.allocated_bytes(), 2 * sizeof(ReceiveBlock));
  Consume(reassembler_.readable_bytes());

  EXPECT_EQ(reassembler_.allocated_bytes(), 0u);
  EXPECT_EQ(pool_.free_count(), 4u);
}

TEST_F(ReassemblerTest, MoreViewsThanTheBoundAreCopied) {
  const std::string one = "y";
  for (uint64_t i = 0; i < kMaxBorrowedViews; ++i) EXPECT_EQ(KindOf(i, one), Kind::kInOrder);

  EXPECT_EQ(KindOf(kMaxBorrowedViews, one), Kind::kStored);

  EXPECT_EQ(arrival_.newly_readable_bytes, 1u);
  EXPECT_EQ(Readable(), std::string(kMaxBorrowedViews + 1, 'y'));
}

// A fragment of one byte in every second place, from the far end of the window to its front.
TEST_F(ReassemblerTest, TinyFragmentsCostNoMoreThanTheirWindow) {
  constexpr uint64_t kWindow = 256 * kReceiveBlockBytes;
  const std::string one = "z";

  for (uint64_t offset = kWindow - 1; offset >= 1; offset -= 2) {
    ASSERT_TRUE(reassembler_.OnSegment({offset, BytesOf(one)}, pool_, arrival_).ok());
    if (offset == 1) break;
  }

  reassembler_.CheckInvariants();
  EXPECT_EQ(reassembler_.buffered_bytes(), kWindow / 2);
  EXPECT_EQ(reassembler_.allocated_bytes(), 256 * sizeof(ReceiveBlock));
  EXPECT_LE(sizeof(ReceiveBlock), kReceiveBlockBytes * 9 / 8);
}

TEST_F(ReassemblerTest, FinTellsTheFinalSize) {
  Receive(0, "hello", /*is_fin=*/true).ok();

  EXPECT_EQ(reassembler_.final_size(), std::optional<uint64_t>(5));
  EXPECT_TRUE(reassembler_.has_all_data());
  EXPECT_FALSE(reassembler_.is_consumed());
  Consume(5);

  EXPECT_TRUE(reassembler_.is_consumed());
}

TEST_F(ReassemblerTest, FinBehindAGapIsNotAllData) {
  Receive(3, "lo", /*is_fin=*/true).ok();

  EXPECT_FALSE(reassembler_.has_all_data());
  Receive(0, "hel").ok();

  EXPECT_TRUE(reassembler_.has_all_data());
}

TEST_F(ReassemblerTest, EmptyFinEndsTheStream) {
  Receive(0, "hello").ok();

  EXPECT_EQ(KindOf(5, "", /*is_fin=*/true), Kind::kNothingNew);

  EXPECT_TRUE(reassembler_.has_all_data());
}

TEST_F(ReassemblerTest, EmptyStreamEndsAtOnce) {
  Receive(0, "", /*is_fin=*/true).ok();

  EXPECT_TRUE(reassembler_.is_consumed());
}

TEST_F(ReassemblerTest, SameFinalSizeTwiceIsFine) {
  Receive(0, "hello", /*is_fin=*/true).ok();

  EXPECT_TRUE(Receive(2, "llo", /*is_fin=*/true).ok());
  EXPECT_TRUE(reassembler_.OnFinalSize(5).ok());
}

TEST_F(ReassemblerTest, OtherFinalSizeIsRefused) {
  Receive(0, "hello", /*is_fin=*/true).ok();

  EXPECT_EQ(Receive(0, "hell", /*is_fin=*/true), Result(kFinalSizeChanged));
  EXPECT_EQ(Receive(0, "hello!", /*is_fin=*/true), Result(kFinalSizeChanged));
  EXPECT_EQ(reassembler_.OnFinalSize(6), Result(kFinalSizeChanged));
}

TEST_F(ReassemblerTest, DataBeyondTheFinalSizeIsRefused) {
  Receive(0, "hello", /*is_fin=*/true).ok();

  EXPECT_EQ(Receive(5, "!"), Result(kStreamDataBeyondFinalSize));
}

TEST_F(ReassemblerTest, FinalSizeBelowReceivedDataIsRefused) {
  Receive(100, "hello").ok();

  EXPECT_EQ(Receive(0, "hello", /*is_fin=*/true), Result(kFinalSizeBelowReceivedData));
  EXPECT_EQ(reassembler_.OnFinalSize(104), Result(kFinalSizeBelowReceivedData));
}

TEST_F(ReassemblerTest, ResetCountsAsReceivedUpToItsFinalSize) {
  Receive(0, "hello").ok();

  EXPECT_TRUE(reassembler_.OnFinalSize(50).ok());

  EXPECT_EQ(reassembler_.highest_received(), 50u);
  EXPECT_FALSE(reassembler_.has_all_data());
}

TEST_F(ReassemblerTest, DiscardingKeepsNothingButTheRules) {
  Receive(0, "hello").ok();
  Receive(10, "world").ok();

  reassembler_.Discard(pool_);
  EXPECT_EQ(reassembler_.buffered_bytes(), 0u);
  EXPECT_EQ(reassembler_.allocated_bytes(), 0u);
  EXPECT_EQ(KindOf(5, "abcdefghijklmno", /*is_fin=*/true), Kind::kNothingNew);

  EXPECT_EQ(reassembler_.buffered_bytes(), 0u);
  EXPECT_EQ(reassembler_.highest_received(), 20u);
  EXPECT_EQ(Receive(20, "!"), Result(kStreamDataBeyondFinalSize));
  EXPECT_FALSE(reassembler_.is_consumed());
}

TEST_F(ReassemblerTest, MovedReassemblerGoesOn) {
  Receive(0, "hel").ok();
  Receive(5, "x").ok();

  Reassembler moved = std::move(reassembler_);

  moved.CheckInvariants();
  EXPECT_TRUE(moved.OnSegment({3, BytesOf("lo")}, pool_, arrival_).ok());
  EXPECT_EQ(moved.readable_bytes(), 6u);
}

}  // namespace
}  // namespace godwit
