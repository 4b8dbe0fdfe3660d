// SPDX-License-Identifier: Apache-2.0
#include "transport/delivery/send_buffer.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

#include "base/limits.h"
#include "transport/delivery/stream_range.h"

namespace godwit {
namespace {

constexpr uint64_t kNoLimit = kMaxStreamOffset;

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class SendBufferTest : public testing::Test {
 protected:
  ~SendBufferTest() override { buffer_.CheckInvariants(); }

  void Write(std::string_view text) { buffer_.Append(BytesOf(text), pool_); }

  std::optional<StreamRange> Next(uint64_t max_bytes, uint64_t max_end_offset = kNoLimit) const {
    return buffer_.Next({max_bytes, max_end_offset});
  }

  // Sends what is next, which must exist.
  StreamRange Send(uint64_t max_bytes) {
    const StreamRange range = Next(max_bytes).value();
    buffer_.OnSent(range);
    buffer_.CheckInvariants();
    return range;
  }

  uint64_t Ack(const StreamRange& range) {
    const uint64_t count = buffer_.OnAcked(range, pool_);
    buffer_.CheckInvariants();
    return count;
  }

  uint64_t Lose(const StreamRange& range) {
    const uint64_t count = buffer_.OnLost(range);
    buffer_.CheckInvariants();
    return count;
  }

  std::string TextOf(const StreamRange& range) const {
    std::vector<uint8_t> bytes(range.length_bytes);
    buffer_.CopyTo(range.offset_bytes, bytes);
    return {bytes.begin(), bytes.end()};
  }

  SendBlockPool pool_{100};
  SendBuffer buffer_;
};

TEST_F(SendBufferTest, EmptyBufferHasNothingToSend) {
  EXPECT_FALSE(buffer_.HasPending(kNoLimit));
  EXPECT_EQ(Next(100), std::nullopt);
  EXPECT_EQ(buffer_.OldestUnacked(100), std::nullopt);
  EXPECT_FALSE(buffer_.is_all_acked());
}

TEST_F(SendBufferTest, WritesAreSentInOrder) {
  Write("hello ");
  Write("world");

  EXPECT_EQ(TextOf(Send(8)), "hello wo");
  EXPECT_EQ(TextOf(Send(8)), "rld");

  EXPECT_EQ(Next(8), std::nullopt);
}

TEST_F(SendBufferTest, SmallWritesLieInOnePiece) {
  Write("hello ");
  Write("world");

  EXPECT_EQ(buffer_.View({0, 11}).size(), 11u);
}

TEST_F(SendBufferTest, WrittenMemoryMayChangeAfterwards) {
  std::string text = "hello";
  Write(text);

  text = "XXXXX";

  EXPECT_EQ(TextOf(Send(100)), "hello");
}

TEST_F(SendBufferTest, FlowControlLimitEndsNewData) {
  Write("hello world");

  EXPECT_EQ(Next(100, 5), (StreamRange{0, 5}));
  EXPECT_EQ(Next(100, 0), std::nullopt);
  EXPECT_FALSE(buffer_.HasPending(0));
}

TEST_F(SendBufferTest, LostDataNeedsNoNewCredit) {
  Write("hello world");
  const StreamRange sent = Send(100);

  Lose(sent);

  EXPECT_EQ(Next(100, 0), sent);
}

TEST_F(SendBufferTest, OnlyBytesSentForTheFirstTimeAreCounted) {
  Write("hello world");

  EXPECT_EQ(buffer_.OnSent({0, 5}), 5u);
  EXPECT_EQ(buffer_.OnSent({0, 5}), 0u);
  EXPECT_EQ(buffer_.OnSent({3, 8}), 6u);

  EXPECT_EQ(buffer_.sent_end(), 11u);
}

TEST_F(SendBufferTest, OldestLostDataIsSentFirst) {
  Write("aabbccdd");
  const StreamRange first = Send(2);
  Send(2);
  const StreamRange third = Send(2);

  EXPECT_EQ(Lose(third), 2u);
  EXPECT_EQ(Lose(first), 2u);

  EXPECT_EQ(Send(100), first);
  EXPECT_EQ(TextOf(Next(100).value()), "ccdd");
}

TEST_F(SendBufferTest, LostDataInFrontOfUnsentDataFillsThePacket) {
  Write("hello world");
  Lose(Send(5));

  EXPECT_EQ(Next(100), (StreamRange{0, 11}));
  EXPECT_EQ(Next(100, 7), (StreamRange{0, 7}));
  EXPECT_EQ(Next(3), (StreamRange{0, 3}));
}

TEST_F(SendBufferTest, AckedDataIsNotLost) {
  Write("aabbcc");
  const StreamRange first = Send(2);
  const StreamRange second = Send(2);

  EXPECT_EQ(Ack(second), 2u);
  EXPECT_EQ(Lose({0, 4}), 2u);

  EXPECT_EQ(Send(2), first);
}

TEST_F(SendBufferTest, AckAfterAssumedLossTakesTheDataBack) {
  Write("aabb");
  const StreamRange first = Send(2);
  Send(2);
  Lose(first);

  EXPECT_EQ(Ack(first), 2u);

  EXPECT_EQ(buffer_.lost_bytes(), 0u);
  EXPECT_EQ(Next(100), std::nullopt);
}

TEST_F(SendBufferTest, SecondAckOfTheSameDataCountsNothing) {
  Write("aabb");
  const StreamRange first = Send(2);
  const StreamRange second = Send(2);

  EXPECT_EQ(Ack(second), 2u);
  EXPECT_EQ(Ack(second), 0u);
  EXPECT_EQ(Ack(first), 2u);
  EXPECT_EQ(Ack({0, 4}), 0u);

  EXPECT_EQ(buffer_.unacked_bytes(), 0u);
}

TEST_F(SendBufferTest, ProbeTakesTheOldestDataInFlight) {
  Write("aabbcc");
  const StreamRange first = Send(2);
  Send(2);
  EXPECT_EQ(buffer_.OldestUnacked(100), (StreamRange{0, 4}));
  Ack(first);

  EXPECT_EQ(buffer_.OldestUnacked(1), (StreamRange{2, 1}));
}

TEST_F(SendBufferTest, FinGoesWithTheLastByte) {
  Write("hello");
  buffer_.Finish();

  EXPECT_EQ(Next(3), (StreamRange{0, 3, false}));
  EXPECT_EQ(Next(5), (StreamRange{0, 5, true}));
}

TEST_F(SendBufferTest, FinAfterAllDataGoesAlone) {
  Write("hello");
  Send(100);
  buffer_.Finish();

  EXPECT_EQ(Next(0, 0), (StreamRange{5, 0, true}));
  Send(0);

  EXPECT_EQ(Next(100), std::nullopt);
}

TEST_F(SendBufferTest, FinWaitsForBlockedData) {
  Write("hello");
  buffer_.Finish();

  EXPECT_EQ(Next(100, 4), (StreamRange{0, 4, false}));
  buffer_.OnSent({0, 4});

  EXPECT_EQ(Next(100, 4), std::nullopt);
  EXPECT_FALSE(buffer_.HasPending(4));
}

TEST_F(SendBufferTest, LostFinIsSentAgain) {
  buffer_.Finish();
  const StreamRange fin = Send(0);

  Lose(fin);
  EXPECT_TRUE(buffer_.HasPending(0));
  EXPECT_EQ(Send(0), fin);

  Ack(fin);
  EXPECT_TRUE(buffer_.is_all_acked());
}

TEST_F(SendBufferTest, LateAckOfALostFinEndsTheStream) {
  buffer_.Finish();
  const StreamRange fin = Send(0);
  Lose(fin);

  Ack(fin);

  EXPECT_FALSE(buffer_.HasPending(kNoLimit));
  EXPECT_TRUE(buffer_.is_all_acked());
}

TEST_F(SendBufferTest, AckedFinStaysAckedWhenItWasOnItsWayAgain) {
  Write("a");
  buffer_.Finish();
  const StreamRange all = Send(100);
  Lose(all);
  const StreamRange again = Next(100).value();
  Ack(all);

  buffer_.OnSent(again);

  EXPECT_TRUE(buffer_.is_all_acked());
}

TEST_F(SendBufferTest, ProbeTakesAFinInFlight) {
  Write("a");
  buffer_.Finish();
  buffer_.OnSent({0, 1, false});
  Ack({0, 1, false});
  EXPECT_EQ(buffer_.OldestUnacked(100), std::nullopt);
  Send(0);

  EXPECT_EQ(buffer_.OldestUnacked(0), (StreamRange{1, 0, true}));
}

TEST_F(SendBufferTest, StreamIsAckedOnlyWithItsFin) {
  Write("hello");
  buffer_.Finish();
  buffer_.OnSent({0, 5, true});

  Ack({0, 5, false});
  EXPECT_FALSE(buffer_.is_all_acked());
  Ack({5, 0, true});

  EXPECT_TRUE(buffer_.is_all_acked());
}

TEST_F(SendBufferTest, CopyPutsTogetherWhatTwoBlocksHold) {
  const std::string text = std::string(kSendBlockBytes - 3, 'a') + "abcdefgh";
  Write(text);
  const StreamRange across{kSendBlockBytes - 5, 10};

  EXPECT_EQ(buffer_.View(across).size(), 5u);
  EXPECT_EQ(TextOf(across), text.substr(across.offset_bytes, 10));
}

TEST_F(SendBufferTest, BlocksAreReleasedWithTheAckedPrefix) {
  Write(std::string(3 * kSendBlockBytes, 'x'));
  const StreamRange first = Send(kSendBlockBytes);
  const StreamRange second = Send(kSendBlockBytes);

  Ack(second);
  EXPECT_EQ(pool_.free_count(), 0u);
  Ack(first);

  EXPECT_EQ(pool_.free_count(), 2u);
}

TEST_F(SendBufferTest, PartOfABlockIsReleasedWhenNothingIsLeft) {
  Write("hello");

  Ack(Send(100));

  EXPECT_EQ(pool_.free_count(), 1u);
}

TEST_F(SendBufferTest, LargeWritesAreNotCopied) {
  const std::string text(100'000, 'y');
  bool is_released = false;
  buffer_.Append(absl::MakeCordFromExternal(text, [&] { is_released = true; }), pool_);

  const StreamRange range = Send(100'000);
  EXPECT_EQ(buffer_.View(range).data(), BytesOf(text).data());
  EXPECT_EQ(buffer_.View(range).size(), text.size());
  EXPECT_FALSE(is_released);
  Ack(range);

  EXPECT_TRUE(is_released);
}

TEST_F(SendBufferTest, EachChunkOfACordIsReleasedByItself) {
  const std::string text(5000, 'y');
  int released_count = 0;
  absl::Cord cord;
  for (int i = 0; i < 3; ++i) {
    cord.Append(absl::MakeCordFromExternal(text, [&] { ++released_count; }));
  }
  buffer_.Append(cord, pool_);
  cord.Clear();

  Ack(Send(5000));
  EXPECT_EQ(released_count, 1);
  Ack(Send(9999));
  EXPECT_EQ(released_count, 2);
  Ack(Send(1));

  EXPECT_EQ(released_count, 3);
}

TEST_F(SendBufferTest, SmallChunksOfACordAreCopiedIntoOneBlock) {
  absl::Cord cord;
  for (int i = 0; i < 10; ++i) {
    cord.Append(absl::MakeCordFromExternal("0123456789", [](absl::string_view) {}));
  }

  buffer_.Append(cord, pool_);

  EXPECT_EQ(buffer_.View({0, 100}).size(), 100u);
}

TEST_F(SendBufferTest, ResetLetsGoOfEverythingButTheFinalSize) {
  Write("hello world");
  const StreamRange sent = Send(5);
  Lose(sent);

  buffer_.Reset(pool_);

  EXPECT_EQ(buffer_.sent_end(), 5u);
  EXPECT_EQ(buffer_.unacked_bytes(), 0u);
  EXPECT_EQ(pool_.free_count(), 1u);
  EXPECT_FALSE(buffer_.HasPending(kNoLimit));
  EXPECT_EQ(Lose(sent), 0u);
  EXPECT_EQ(Ack(sent), 0u);
  EXPECT_FALSE(buffer_.is_all_acked());
}

// Every second byte is acknowledged, in a frame of its own, beyond what the buffer remembers.
TEST_F(SendBufferTest, AcksBeyondTheBoundAreForgottenAndTheDataSentAgain) {
  Write(std::string(2 * kMaxAckedStreamRanges + 20, 'x'));
  for (uint64_t i = 0; i < buffer_.written_end(); ++i) buffer_.OnSent({i, 1});
  for (uint64_t i = 1; i <= 2 * kMaxAckedStreamRanges; i += 2) {
    ASSERT_EQ(buffer_.OnAcked({i, 1}, pool_), 1u);
  }
  const StreamRange beyond{2 * kMaxAckedStreamRanges + 3, 1};

  EXPECT_EQ(Ack(beyond), 0u);

  EXPECT_EQ(Next(100), beyond);
}

TEST_F(SendBufferTest, LossesBeyondTheBoundMakeAllInFlightLost) {
  Write(std::string(4 * kMaxAckedStreamRanges, 'x'));
  for (uint64_t i = 0; i < buffer_.written_end(); ++i) buffer_.OnSent({i, 1});
  Ack({7, 2});
  for (uint64_t i = 0; i <= 2 * kMaxAckedStreamRanges; i += 2) buffer_.OnLost({i, 1});
  EXPECT_EQ(buffer_.lost_bytes(), kMaxAckedStreamRanges);

  Lose({3 * kMaxAckedStreamRanges, 1});
  Lose({3 * kMaxAckedStreamRanges + 2, 1});

  EXPECT_EQ(buffer_.lost_bytes(), buffer_.unacked_bytes());
  EXPECT_EQ(Next(100), (StreamRange{0, 7}));
}

TEST_F(SendBufferTest, MovedBufferGoesOn) {
  Write("hello");
  Send(2);

  SendBuffer moved = std::move(buffer_);
  buffer_ = SendBuffer();

  moved.CheckInvariants();
  EXPECT_EQ(moved.Next({100, kNoLimit}), (StreamRange{2, 3}));
}

using SendBufferDeathTest = SendBufferTest;

TEST_F(SendBufferDeathTest, WritingAfterFinishDies) {
  buffer_.Finish();

  EXPECT_DEATH(Write("a"), "GODWIT_CHECK failed");
}

}  // namespace
}  // namespace godwit
