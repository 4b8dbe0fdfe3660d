// SPDX-License-Identifier: Apache-2.0
//
// Once warm, streams take nothing from the heap for a packet. This binary counts operator new.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/check.h"
#include "base/limits.h"
#include "tests/base/heap_counter.h"
#include "tests/transport/streams/stream_peer.h"
#include "transport/delivery/frame_writer.h"
#include "transport/streams/stream_map.h"

namespace godwit {
namespace {

constexpr size_t kPacketRoom = 1200;

// Packets without the StreamPeer's vectors.
class AllocationTest : public testing::Test {
 protected:
  AllocationTest() {
    sender_.map().OnPeerParameters(ParametersOf({}));
    receiver_.map().OnPeerParameters(ParametersOf({}));
    records_.reserve(kMaxSentFramesPerPacket);
  }

  // One packet from `from`, delivered and acknowledged; its data read, or kept until it is.
  void Carry(StreamPeer& from, StreamPeer& to, bool is_read) {
    FrameWriter writer(
        room_, {EncryptionLevel::kOneRtt, PacketMode::kNormal, PacketNumber(next_number_++)});
    from.map().WriteControlFrames(writer, from.context());
    from.map().WriteStreamData(writer, StreamMap::Fill::kMayScatter);
    if (!writer.has_frames()) return;
    std::copy(writer.scattered_data().begin(), writer.scattered_data().end(),
              room_.begin() + static_cast<std::ptrdiff_t>(writer.frames_size()));
    records_.assign(writer.sent_frames().begin(), writer.sent_frames().end());
    GODWIT_CHECK(to.Receive(std::span<const uint8_t>(room_).first(writer.payload_size())).ok());
    while (const auto event = to.map().PollEvent()) {
      if (is_read && event->kind == StreamEvent::Kind::kReadable) ReadAll(to, event->id);
    }
    to.EndBatch();
    for (const SentFrame& frame : records_) {
      from.map().OnFrameAcked(PacketNumber(next_number_ - 1), frame, from.pools());
    }
    while (from.map().PollEvent().has_value()) {
    }
  }

  static void ReadAll(StreamPeer& peer, StreamId id) {
    std::array<std::span<const uint8_t>, 16> views;
    const size_t count = *peer.map().Peek(id, views);
    uint64_t byte_count = 0;
    for (size_t i = 0; i < count; ++i) byte_count += views[i].size();
    GODWIT_CHECK(peer.map().Consume(id, byte_count, peer.context()).ok());
  }

  // Calls `packet` often and says how often it allocated once warm.
  template <typename Packet>
  uint64_t CountAllocations(Packet packet) {
    for (int i = 0; i < 4000; ++i) packet();
    const uint64_t before = CountHeap().allocations;
    for (int i = 0; i < 10'000; ++i) packet();
    return CountHeap().allocations - before;
  }

  std::array<uint8_t, kPacketRoom> room_{};
  // Less than a packet takes, so that nothing piles up.
  std::vector<uint8_t> data_ = std::vector<uint8_t>(kPacketRoom - 100, 'd');
  std::vector<SentFrame> records_;
  uint64_t next_number_ = 0;
  StreamPeer sender_{Perspective::kClient, {}};
  StreamPeer receiver_{Perspective::kServer, {}};
};

TEST_F(AllocationTest, CounterSeesAnAllocation) {
  const uint64_t before = CountHeap().allocations;

  delete new int(1);

  EXPECT_EQ(CountHeap().allocations, before + 1);
}

TEST_F(AllocationTest, ABulkStreamAllocatesNothing) {
  const StreamId id = *sender_.map().Open(StreamDirection::kUnidirectional);

  EXPECT_EQ(CountAllocations([&] {
              GODWIT_CHECK(sender_.map().Write(id, data_, sender_.pools()).ok());
              Carry(sender_, receiver_, true);
              Carry(receiver_, sender_, true);
            }),
            0u);
}

TEST_F(AllocationTest, ManyStreamsThatTakeTurnsAllocateNothing) {
  std::vector<StreamId> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(*sender_.map().Open(StreamDirection::kBidirectional));
    ASSERT_TRUE(sender_.map().SetPriority(ids.back(), {.is_incremental = i % 2 == 0}).ok());
  }
  size_t next = 0;

  EXPECT_EQ(
      CountAllocations([&] {
        for (int i = 0; i < 3; ++i) {
          const StreamId id = ids[next++ % ids.size()];
          GODWIT_CHECK(sender_.map()
                           .Write(id, std::span<const uint8_t>(data_).first(256), sender_.pools())
                           .ok());
        }
        Carry(sender_, receiver_, true);
        Carry(receiver_, sender_, true);
      }),
      0u);
}

TEST_F(AllocationTest, ShortStreamsOneAfterTheOtherAllocateNothing) {
  EXPECT_EQ(
      CountAllocations([&] {
        for (int i = 0; i < 10; ++i) {
          const StreamId id = *sender_.map().Open(StreamDirection::kUnidirectional);
          GODWIT_CHECK(sender_.map()
                           .Write(id, std::span<const uint8_t>(data_).first(100), sender_.pools())
                           .ok());
          GODWIT_CHECK(sender_.map().Finish(id).ok());
        }
        Carry(sender_, receiver_, true);
        Carry(receiver_, sender_, true);
      }),
      0u);
  EXPECT_FALSE(sender_.map().has_open_streams());
  EXPECT_FALSE(receiver_.map().has_open_streams());
}

TEST_F(AllocationTest, MemoryOfStreamsThatAreGoneIsGivenBack) {
  for (size_t i = 0; i < StreamTable::kMaxSpareStreams; ++i) {
    const StreamId id = *sender_.map().Open(StreamDirection::kUnidirectional);
    ASSERT_TRUE(sender_.map().Finish(id).ok());
  }
  while (sender_.map().has_open_streams()) Carry(sender_, receiver_, true);
  sender_.map().CheckInvariants();

  const uint64_t before = CountHeap().live_bytes;
  sender_.map().ReleaseSpareMemory();

  EXPECT_GE(before - CountHeap().live_bytes, StreamTable::kMaxSpareStreams * sizeof(Stream));
  sender_.map().CheckInvariants();
}

TEST_F(AllocationTest, DataThatWaitsToBeReadAllocatesNothing) {
  const StreamId id = *sender_.map().Open(StreamDirection::kUnidirectional);
  int packet_count = 0;

  EXPECT_EQ(CountAllocations([&] {
              GODWIT_CHECK(sender_.map().Write(id, data_, sender_.pools()).ok());
              Carry(sender_, receiver_, false);
              if (++packet_count % 10 == 0) ReadAll(receiver_, id);
              Carry(receiver_, sender_, true);
            }),
            0u);
}

}  // namespace
}  // namespace godwit
