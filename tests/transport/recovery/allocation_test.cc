// SPDX-License-Identifier: Apache-2.0
//
// Once warm, a packet number space takes nothing from the heap for a packet, and an idle one holds
// little. This binary counts operator new.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "godwit/ecn.h"
#include "godwit/time.h"
#include "tests/base/heap_counter.h"
#include "tests/transport/recovery/space_driver.h"
#include "transport/delivery/frame_writer.h"
#include "transport/recovery/ack_tracker.h"
#include "transport/recovery/packet_space.h"

namespace godwit {
namespace {

constexpr uint64_t kWarmUpPackets = 6'000;
constexpr uint64_t kPackets = 20'000;
constexpr uint64_t kInFlight = 500;

TEST(AllocationTest, CounterSeesAnAllocation) {
  const uint64_t before = CountHeap().allocations;

  delete new int(1);

  EXPECT_EQ(CountHeap().allocations, before + 1);
}

// An ACK frame of one range, without a heap of its own.
AckRanges RangeOf(uint64_t first, uint64_t last) {
  return AckRanges({PacketNumber(first), PacketNumber(last)}, 1, {});
}

// Each two packets are acknowledged kInFlight later. One packet in fifty counts as lost; every
// other one of these comes late.
TEST(AllocationTest, SentPacketsWithLossesAndLateAcks) {
  SpaceDriver driver;
  const std::array frames{SentFrame::Ack(PacketNumber(1)), FrameNumber(0), FrameNumber(4)};
  uint64_t before = 0;
  uint64_t acked = 0;
  uint64_t lost = 0;
  uint64_t spurious = 0;

  for (uint64_t i = 0; i < kWarmUpPackets + kPackets; ++i) {
    if (i == kWarmUpPackets) before = CountHeap().allocations;
    const Timestamp now = Timestamp() + Duration::Microseconds(static_cast<int64_t>(100 * i));
    driver.SendFramesAt(now, frames);
    if (i % 2 == 0 || i < kInFlight) continue;
    const uint64_t last = i - kInFlight;
    driver.fates.Clear();
    const uint64_t missing = last - last % 50;
    const bool is_late = last % 100 == 31;
    const AckRanges ranges = RangeOf(is_late ? missing : missing + 1, last);
    ASSERT_TRUE(driver.space.OnAckFrame(ranges, kPath, now, driver.fates).ok());
    driver.inputs.now = now;
    driver.space.DetectLost(driver.inputs, driver.window, driver.fates);
    acked += driver.fates.acked.size();
    lost += driver.fates.lost.size();
    spurious += driver.fates.spurious.size();
  }

  EXPECT_EQ(CountHeap().allocations - before, 0u);
  EXPECT_GT(acked, kPackets * 9 / 10);
  EXPECT_GT(lost, kPackets / 60);
  EXPECT_GT(spurious, kPackets / 150);
  driver.space.CheckInvariants();
}

// Every tenth packet comes ten later; ACK frames are written for each two and acknowledged 100
// packets later.
TEST(AllocationTest, ReceivedPacketsWithReordering) {
  AckTracker tracker(PacketNumberSpace::kApplication);
  std::array<uint8_t, 1200> room{};
  uint64_t before = 0;
  uint64_t written = 0;

  for (uint64_t i = 0; i < kWarmUpPackets + kPackets; ++i) {
    if (i == kWarmUpPackets) before = CountHeap().allocations;
    const Timestamp now = Timestamp() + Duration::Microseconds(static_cast<int64_t>(100 * i));
    if (i % 10 != 3) tracker.OnPacketReceived({PacketNumber(i), now, EcnMark::kNotEct, true});
    if (i % 10 == 3 && i > 10) {
      tracker.OnPacketReceived({PacketNumber(i - 10), now, EcnMark::kNotEct, true});
    }
    if (!tracker.is_ack_due(now)) continue;
    FrameWriter writer(room, {EncryptionLevel::kOneRtt, PacketMode::kNormal});
    ASSERT_TRUE(tracker.WriteAck(writer, now, 3));
    ++written;
    if (i > 100) tracker.OnAckFrameAcked(PacketNumber(i - 100));
  }

  EXPECT_EQ(CountHeap().allocations - before, 0u);
  EXPECT_GT(written, kPackets / 3);
  tracker.CheckInvariants();
}

// A transfer each way, then nothing.
TEST(AllocationTest, IdleSpaceHoldsNothing) {
  PacketFates fates;
  const size_t before = CountHeap().live_bytes;
  auto space = std::make_unique<PacketSpace>(PacketNumberSpace::kApplication);
  ReorderingWindow window;
  SeededRandom random(1);
  for (uint64_t i = 0; i < 1'000; ++i) {
    const SentFrame frame = FrameNumber(i);
    SentPacket packet{.is_ack_eliciting = true, .is_in_flight = true};
    packet.packet.packet_number = space->next_packet_number().value();
    packet.packet.bytes = kPacketBytes;
    space->OnPacketSent(packet, std::span(&frame, 1), random);
    space->acks().OnPacketReceived({PacketNumber(2 * i), AtMs(0), EcnMark::kNotEct, true});
    const uint64_t number = packet.packet.packet_number;
    if (i % 10 == 5) continue;
    ASSERT_TRUE(space->OnAckFrame(RangeOf(number, number), kPath, AtMs(0), fates).ok());
    space->DetectLost({.path = kPath, .smoothed_rtt = Duration::Milliseconds(10)}, window, fates);
  }
  space->acks().OnAckFrameAcked(PacketNumber(1'998));
  fates = PacketFates();
  EXPECT_GT(CountHeap().live_bytes - before, 5'000u);

  space->ReleaseSpareMemory();

  EXPECT_FALSE(space->has_ack_eliciting_in_flight());
  EXPECT_LE(CountHeap().live_bytes - before, 416u);  // The object itself.
}

}  // namespace
}  // namespace godwit
