// SPDX-License-Identifier: Apache-2.0
//
// Random packets to an AckTracker and to plain sets of numbers.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "base/seeded_random.h"
#include "godwit/ecn.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/recovery/ack_tracker.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

using Novelty = AckTracker::Novelty;

class NaiveTracker {
 public:
  Novelty Check(uint64_t number) const {
    if (!received_.empty() && number + kDuplicateWindowPackets <= *received_.rbegin()) {
      return Novelty::kTooOld;
    }
    return received_.contains(number) ? Novelty::kDuplicate : Novelty::kNew;
  }

  void Receive(uint64_t number) {
    received_.insert(number);
    to_ack_.insert(number);
  }

  void Forget(uint64_t largest) {
    std::erase_if(to_ack_, [&](uint64_t number) {
      return number <= largest && number != *received_.rbegin();
    });
  }

  // From the largest down.
  std::vector<AckRange> Ranges(size_t max_ranges) const {
    std::vector<AckRange> ranges;
    for (auto it = to_ack_.rbegin(); it != to_ack_.rend(); ++it) {
      if (!ranges.empty() && ranges.back().smallest.value() == *it + 1) {
        ranges.back().smallest = PacketNumber(*it);
      } else if (ranges.size() == max_ranges) {
        break;
      } else {
        ranges.push_back({PacketNumber(*it), PacketNumber(*it)});
      }
    }
    return ranges;
  }

 private:
  std::set<uint64_t> received_;
  std::set<uint64_t> to_ack_;
};

struct Mix {
  uint64_t lost_percent;
  uint64_t late_percent;
  uint64_t max_lateness;
  uint64_t forget_percent;
  bool is_bounded;  // So little is forgotten that ranges fall out at the bound.
};

std::vector<AckRange> WrittenBy(AckTracker& tracker) {
  std::array<uint8_t, 1200> room{};
  FrameWriter writer(room, {EncryptionLevel::kOneRtt, PacketMode::kNormal});
  EXPECT_TRUE(tracker.WriteAck(writer, Timestamp(), 3));
  const auto payload = std::span(room).first(writer.frames_size());
  FrameDecoder decoder(payload, EncryptionLevel::kOneRtt, Perspective::kClient);
  Frame frame;
  EXPECT_TRUE(decoder.Next(&frame).ok());
  std::vector<AckRange> ranges;
  for (const AckRange& range : frame.As<AckFrame>().ranges) ranges.push_back(range);
  return ranges;
}

void RunRandomPackets(const Mix& mix, uint64_t seed) {
  SeededRandom random(seed);
  AckTracker tracker(PacketNumberSpace::kApplication);
  NaiveTracker model;
  uint64_t next = 0;
  uint64_t new_count = 0;
  for (int i = 0; i < 20'000; ++i) {
    uint64_t number = next;
    if (random.UniformBelow(100) < mix.late_percent) {
      number -= std::min(next, random.UniformBelow(mix.max_lateness));
    } else {
      while (random.UniformBelow(100) < mix.lost_percent) ++number;
      next = number + 1;
    }
    const Novelty novelty = model.Check(number);
    ASSERT_EQ(tracker.Check(PacketNumber(number)), novelty) << number;
    if (novelty == Novelty::kNew) {
      ++new_count;
      model.Receive(number);
      tracker.OnPacketReceived(
          {PacketNumber(number), Timestamp(), EcnMark::kNotEct, random.UniformBelow(2) == 0});
    }
    if (next != 0 && random.UniformBelow(100) < mix.forget_percent) {
      const uint64_t largest = next - 1 - std::min(next - 1, random.UniformBelow(200));
      model.Forget(largest);
      tracker.OnAckFrameAcked(PacketNumber(largest));
    }
    if (i % 16 == 0) {
      tracker.CheckInvariants();
      ASSERT_EQ(WrittenBy(tracker), model.Ranges(kMaxAckRangesSent)) << i;
    }
  }
  EXPECT_GT(new_count, 10'000u);
  EXPECT_EQ(model.Ranges(SIZE_MAX).size() > kMaxAckRangesTracked, mix.is_bounded);
}

TEST(AckTrackerModelTest, InOrder) { RunRandomPackets({0, 0, 1, 0, false}, 1); }

TEST(AckTrackerModelTest, WithLossesAndReordering) { RunRandomPackets({10, 20, 100, 2, false}, 2); }

TEST(AckTrackerModelTest, WithPacketsFromBeyondTheWindow) {
  RunRandomPackets({5, 30, 3 * kDuplicateWindowPackets, 1, false}, 3);
}

TEST(AckTrackerModelTest, WithMoreRangesThanAreKept) { RunRandomPackets({40, 10, 50, 0, true}, 4); }

}  // namespace
}  // namespace godwit
