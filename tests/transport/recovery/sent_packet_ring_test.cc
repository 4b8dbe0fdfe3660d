// SPDX-License-Identifier: Apache-2.0

#include "transport/recovery/sent_packet_ring.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "godwit/stream_id.h"
#include "transport/delivery/sent_frame.h"
#include "transport/recovery/sent_packet.h"

namespace godwit {
namespace {

using State = SentPacketRing::State;

SentFrame FrameOf(uint64_t packet, uint64_t i) {
  return SentFrame::MaxStreamData(StreamId(10 * packet + i));
}

// As many frames as the number modulo four.
void Push(SentPacketRing& ring) {
  SentPacket packet;
  packet.packet.packet_number = ring.end();
  packet.packet.bytes = 100 + ring.end();
  std::vector<SentFrame> frames;
  for (uint64_t i = 0; i < ring.end() % 4; ++i) frames.push_back(FrameOf(ring.end(), i));
  ring.Push(packet, frames);
}

void ExpectPushed(const SentPacketRing& ring, uint64_t number) {
  const SentPacketRing::Entry& entry = ring[number];
  ASSERT_EQ(entry.state, State::kOutstanding);
  ASSERT_EQ(entry.sent.packet.bytes, 100 + number);
  ASSERT_EQ(entry.frame_count, number % 4);
  for (uint32_t i = 0; i < entry.frame_count; ++i) {
    ASSERT_EQ(ring.frame(entry, i), FrameOf(number, i));
  }
}

TEST(SentPacketRingTest, GrowingKeepsPacketsAndFrames) {
  SentPacketRing ring;
  for (int i = 0; i < 3; ++i) Push(ring);
  ring.PopFront();

  for (int i = 0; i < 1000; ++i) Push(ring);

  EXPECT_EQ(ring.first(), 1u);
  EXPECT_EQ(ring.size(), 1002u);
  for (uint64_t i = 1; i < ring.end(); ++i) ASSERT_NO_FATAL_FAILURE(ExpectPushed(ring, i));
  ring.CheckInvariants();
}

TEST(SentPacketRingTest, GoesAroundWithoutGrowing) {
  SentPacketRing ring;
  for (int i = 0; i < 5; ++i) Push(ring);

  for (int i = 0; i < 1000; ++i) {
    ring.PopFront();
    Push(ring);
    for (uint64_t j = ring.first(); j < ring.end(); ++j) {
      ASSERT_NO_FATAL_FAILURE(ExpectPushed(ring, j));
    }
    ring.CheckInvariants();
  }

  EXPECT_EQ(ring.size(), 5u);
}

TEST(SentPacketRingTest, SkippedNumberIsSettled) {
  SentPacketRing ring;
  Push(ring);
  ring.PushSkipped();
  Push(ring);

  EXPECT_EQ(ring[1].state, State::kSkipped);
  EXPECT_EQ(ring[1].run_length, 1u);
  ExpectPushed(ring, 2);
  ring.CheckInvariants();
}

TEST(SentPacketRingTest, ClearedRingGoesOnCounting) {
  SentPacketRing ring;
  for (int i = 0; i < 5; ++i) Push(ring);

  ring.Clear();
  ring.CheckInvariants();
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.end(), 5u);
  Push(ring);

  ExpectPushed(ring, 5);
  ring.CheckInvariants();
}

}  // namespace
}  // namespace godwit
