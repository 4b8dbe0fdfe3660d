// SPDX-License-Identifier: Apache-2.0

#include "transport/recovery/lost_packets.h"

#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "transport/delivery/sent_frame.h"
#include "transport/recovery/sent_packet.h"
#include "transport/recovery/sent_packet_ring.h"

namespace godwit {
namespace {

constexpr Timestamp AtMs(uint64_t ms) {
  return Timestamp() + Duration::Milliseconds(static_cast<int64_t>(ms));
}

// Packet n is declared lost at n milliseconds, and has a frame for stream n.
class LostPacketsTest : public testing::Test {
 protected:
  void LoseUpTo(uint64_t end) {
    while (ring_.end() < end) {
      SentPacket packet;
      packet.packet.packet_number = ring_.end();
      const SentFrame frame = SentFrame::MaxStreamData(StreamId(ring_.end()));
      ring_.Push(packet, std::span(&frame, 1));
      lost_.Remember(ring_, ring_.front(), AtMs(ring_.first()));
      ring_.PopFront();
    }
    lost_.CheckInvariants();
  }

  std::vector<uint64_t> Remembered() const {
    std::vector<uint64_t> numbers;
    for (size_t i = 0; i < lost_.size(); ++i) {
      const uint64_t number = lost_[i].packet.packet_number;
      EXPECT_EQ(lost_.frame(lost_[i], 0), SentFrame::MaxStreamData(StreamId(number)));
      numbers.push_back(number);
    }
    return numbers;
  }

  SentPacketRing ring_;
  LostPackets lost_;
};

TEST_F(LostPacketsTest, FindsThePacketsOfARange) {
  LoseUpTo(10);

  const LostPackets::Slice slice = lost_.Find(3, 5);
  EXPECT_EQ(slice.begin, 3u);
  EXPECT_EQ(slice.end, 6u);
  EXPECT_EQ(lost_.Find(9, 100).end, 10u);
  EXPECT_EQ(lost_.Find(10, 100).begin, lost_.Find(10, 100).end);
}

TEST_F(LostPacketsTest, ErasesFromTheMiddle) {
  LoseUpTo(10);

  lost_.Erase(lost_.Find(3, 5));
  lost_.Erase(lost_.Find(0, 0));
  lost_.CheckInvariants();
  EXPECT_EQ(Remembered(), (std::vector<uint64_t>{1, 2, 6, 7, 8, 9}));
  LoseUpTo(12);

  EXPECT_EQ(Remembered(), (std::vector<uint64_t>{1, 2, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(lost_.lowest_number(), 1u);
}

TEST_F(LostPacketsTest, ForgetsByTime) {
  LoseUpTo(5);

  lost_.ForgetBefore(AtMs(3));

  EXPECT_EQ(Remembered(), (std::vector<uint64_t>{3, 4}));
  lost_.CheckInvariants();
}

TEST_F(LostPacketsTest, ForgetsTheOldestAtTheBound) {
  LoseUpTo(kMaxRememberedLosses + 3);

  EXPECT_EQ(lost_.size(), kMaxRememberedLosses);
  EXPECT_EQ(lost_.lowest_number(), 3u);
}

}  // namespace
}  // namespace godwit
