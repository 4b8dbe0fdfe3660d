// SPDX-License-Identifier: Apache-2.0
//
// Stream data of many packets that one ACK frame acknowledges is told to its stream in one piece:
// as much as belongs together, and nothing else. RFC 9000 §13.2.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

class MergedAcknowledgmentsTest : public testing::Test {
 protected:
  MergedAcknowledgmentsTest() {
    stage_.CompleteHandshake();
    first_ = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
    second_ = *stage_.subject().OpenStream(StreamDirection::kUnidirectional);
  }

  // In a packet of its own, whose number is returned.
  uint64_t Write(StreamId id, size_t size) {
    EXPECT_TRUE(stage_.subject().WriteStream(id, raw::Bytes(size, 'x')).ok());
    return TakeOne();
  }
  uint64_t Finish(StreamId id) {
    EXPECT_TRUE(stage_.subject().FinishStream(id).ok());
    return TakeOne();
  }
  uint64_t TakeOne() {
    const std::vector<SeenDatagram> sent = stage_.Take();
    EXPECT_EQ(CountPackets(sent), 1u);
    return sent.at(0).packets.at(0).number;
  }
  // All from `first` to `last` that were sent; some numbers are skipped.
  void Ack(uint64_t first, uint64_t last) {
    raw::NumberRanges ranges;
    for (const uint64_t number : stage_.puppet().seen_numbers(EncryptionLevel::kOneRtt)) {
      if (number < first || number > last) continue;
      if (!ranges.empty() && ranges.front().first + 1 == number) {
        ranges.front().first = number;
      } else {
        ranges.insert(ranges.begin(), {number, number});
      }
    }
    stage_.Send(raw::Ack(ranges));
  }
  uint64_t held_bytes() { return stage_.subject().held_bytes(); }

  PuppetStage stage_;
  StreamId first_;
  StreamId second_;
};

TEST_F(MergedAcknowledgmentsTest, RunOfOneStreamIsAcknowledgedWithItsEnd) {
  const uint64_t begin = Write(first_, 100);
  Write(first_, 100);
  const uint64_t end = Finish(first_);

  Ack(begin, end);

  EXPECT_EQ(held_bytes(), 0u);
  EXPECT_EQ(stage_.CountEvents(StreamEvent::Kind::kSendComplete), 1u);
}

TEST_F(MergedAcknowledgmentsTest, EndAloneAcknowledgesNothingElse) {
  Write(first_, 100);
  const uint64_t end = Finish(first_);

  Ack(end, end);

  EXPECT_EQ(held_bytes(), 100u);
  EXPECT_EQ(stage_.CountEvents(StreamEvent::Kind::kSendComplete), 0u);
}

// The data of the second begins, by its offset, where that of the first ends.
TEST_F(MergedAcknowledgmentsTest, StreamsAreKeptApart) {
  const uint64_t begin = Write(second_, 100);
  Ack(begin, begin);
  const uint64_t next = Write(first_, 100);
  const uint64_t end = Write(second_, 50);

  Ack(next, end);

  EXPECT_EQ(held_bytes(), 0u);
}

TEST_F(MergedAcknowledgmentsTest, GapStaysUnacknowledged) {
  const uint64_t begin = Write(first_, 100);
  const uint64_t lost = Write(first_, 70);
  const uint64_t end = Write(first_, 100);
  // One ACK frame with two ranges.
  stage_.Send(raw::Ack({{end, end}, {begin, begin}}));

  EXPECT_LT(lost, end);
  EXPECT_GE(held_bytes(), 70u);
  stage_.Advance(Duration::Seconds(1));
  const std::vector<SeenDatagram> again = stage_.Take();
  const StreamFrame* const frame = FindFrame<StreamFrame>(again);
  ASSERT_NE(frame, nullptr);
  EXPECT_EQ(frame->offset_bytes, 100u);
  EXPECT_EQ(frame->data.size(), 70u);
}

TEST_F(MergedAcknowledgmentsTest, OtherFramesInBetweenAreTakenToo) {
  const uint64_t begin = Write(first_, 100);
  Write(first_, 100);
  ASSERT_TRUE(stage_.subject().ResetStream(second_, 7).ok());
  TakeOne();
  const uint64_t end = Write(first_, 100);

  Ack(begin, end);

  EXPECT_EQ(held_bytes(), 0u);
  // Of the second one: the peer knows that it was reset.
  EXPECT_EQ(stage_.subject().FinishStream(second_).code(), absl::StatusCode::kNotFound);
}

TEST_F(MergedAcknowledgmentsTest, DataSentTwiceMayBeAcknowledgedTwice) {
  const uint64_t begin = Write(first_, 100);
  // Probes carry it again.
  while (stage_.subject().Stats().ptos == 0) stage_.Advance(Duration::Milliseconds(5));
  const std::vector<SeenDatagram> probes = stage_.Take();
  ASSERT_FALSE(probes.empty());

  Ack(begin, probes.back().packets.back().number);

  EXPECT_EQ(held_bytes(), 0u);
  EXPECT_EQ(stage_.subject().Stats().bytes_in_flight, 0u);
}

}  // namespace
}  // namespace godwit
