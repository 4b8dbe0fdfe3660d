// SPDX-License-Identifier: Apache-2.0
//
// Once warm, the parts take nothing from the heap for a packet. This binary counts operator new.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gtest/gtest.h"

#include "tests/base/heap_counter.h"
#include "transport/delivery/interval_set.h"
#include "transport/delivery/reassembler.h"
#include "transport/delivery/send_buffer.h"
#include "transport/delivery/stream_range.h"

namespace godwit {
namespace {

constexpr uint64_t kWarmUpPackets = 4'000;
constexpr uint64_t kPackets = 10'000;
constexpr size_t kPacketBytes = 1400;

// Calls `packet` with 0, 1, 2, ... and says how often it allocated once warm.
template <typename Packet>
uint64_t CountAllocations(Packet packet) {
  uint64_t before = 0;
  for (uint64_t i = 0; i < kWarmUpPackets + kPackets; ++i) {
    if (i == kWarmUpPackets) before = CountHeap().allocations;
    packet(i);
  }
  return CountHeap().allocations - before;
}

TEST(AllocationTest, CounterSeesAnAllocation) {
  const uint64_t before = CountHeap().allocations;

  delete new int(1);

  EXPECT_EQ(CountHeap().allocations, before + 1);
}

TEST(AllocationTest, IntervalSetOfReceivedPacketNumbers) {
  IntervalSet received({256, IntervalSet::WhenFull::kEvictLowest});
  uint64_t range_count = 0;

  // Every tenth packet comes 40 later; what is 500 back is forgotten.
  const uint64_t count = CountAllocations([&](uint64_t i) {
    if (i % 10 != 3) received.Add(i);
    if (i >= 40 && (i - 40) % 10 == 3) received.Add(i - 40);
    received.RemoveBelow(std::max<uint64_t>(i, 500) - 500);
    for (const Interval& range : received.Descending()) range_count += range.empty() ? 0 : 1;
  });

  EXPECT_EQ(count, 0u);
  EXPECT_GT(range_count, 3 * kPackets);
  received.CheckInvariants();
}

TEST(AllocationTest, SendBufferWithLossesAndLateAcks) {
  constexpr uint64_t kInFlight = 100;
  const std::array<uint8_t, kPacketBytes> data{};
  std::array<uint8_t, kPacketBytes> packet{};
  std::array<StreamRange, kInFlight> in_flight;
  SendBlockPool pool(1000);
  SendBuffer buffer;
  uint64_t acked_bytes = 0;
  uint64_t lost_bytes = 0;

  const uint64_t count = CountAllocations([&](uint64_t i) {
    // The fate of the packet that was sent kInFlight ago: one in seven is lost.
    StreamRange& slot = in_flight[i % kInFlight];
    if (i % 7 == 5) {
      lost_bytes += buffer.OnLost(slot);
    } else {
      acked_bytes += buffer.OnAcked(slot, pool);
    }
    if (buffer.unsent_bytes() < kPacketBytes) buffer.Append(data, pool);
    slot = buffer.Next({kPacketBytes, ~uint64_t{0}}).value();
    if (buffer.View(slot).size() < slot.length_bytes) {
      buffer.CopyTo(slot.offset_bytes, std::span(packet).first(slot.length_bytes));
    }
    buffer.OnSent(slot);
  });

  EXPECT_EQ(count, 0u);
  EXPECT_GT(acked_bytes, 8'000 * kPacketBytes);
  EXPECT_GT(lost_bytes, 1'000 * kPacketBytes);
  buffer.CheckInvariants();
}

TEST(AllocationTest, ReassemblerInOrder) {
  const std::array<uint8_t, kPacketBytes> data{};
  std::array<std::span<const uint8_t>, 8> views;
  ReceiveBlockPool pool(100);
  Reassembler reassembler;
  uint64_t consumed_bytes = 0;

  // Batches of eight; of every other one the application leaves three and a half packets for later.
  const uint64_t count = CountAllocations([&](uint64_t i) {
    Reassembler::Arrival arrival;
    ASSERT_TRUE(reassembler.OnSegment({i * kPacketBytes, data}, pool, arrival).ok());
    ASSERT_EQ(arrival.in_order.size(), kPacketBytes);
    if (i % 8 != 7) return;
    ASSERT_GT(reassembler.Peek(views), 0u);
    const uint64_t left_bytes = i % 16 == 7 ? kPacketBytes * 7 / 2 : 0;
    consumed_bytes += reassembler.readable_bytes() - left_bytes;
    reassembler.Consume(reassembler.readable_bytes() - left_bytes, pool);
    reassembler.KeepBorrowed(pool);
  });

  EXPECT_EQ(count, 0u);
  EXPECT_EQ(consumed_bytes, (kWarmUpPackets + kPackets) * kPacketBytes);
  reassembler.CheckInvariants();
}

TEST(AllocationTest, ReassemblerWithReorderedPackets) {
  const std::array<uint8_t, kPacketBytes> data{};
  ReceiveBlockPool pool(100);
  Reassembler reassembler;

  // The first of every eight packets comes last.
  const uint64_t count = CountAllocations([&](uint64_t i) {
    Reassembler::Arrival arrival;
    const uint64_t number = i % 8 == 7 ? i - 7 : i + 1;
    ASSERT_TRUE(reassembler.OnSegment({number * kPacketBytes, data}, pool, arrival).ok());
    reassembler.Consume(reassembler.readable_bytes(), pool);
    reassembler.KeepBorrowed(pool);
  });

  EXPECT_EQ(count, 0u);
  EXPECT_EQ(reassembler.buffered_bytes(), 0u);
}

}  // namespace
}  // namespace godwit
