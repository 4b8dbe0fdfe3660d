// SPDX-License-Identifier: Apache-2.0
#include "transport/path/path_responder.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/path_id.h"
#include "tests/transport/path/path_packet.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {
namespace {

constexpr PathId kPath(7);
constexpr size_t kFrameBytes = 9;

PathChallengeData Data(uint8_t value) { return {value, 1, 2, 3, 4, 5, 6, value}; }

TEST(PathResponderTest, HasNothingToSayUnasked) {
  PathResponder responder;
  PathPacket packet;

  responder.WriteFrames(packet.writer(), kPath);

  EXPECT_FALSE(responder.HasPendingFrames());
  EXPECT_FALSE(packet.writer().has_frames());
}

// RFC 9000 §8.2.2.
TEST(PathResponderTest, EchoesTheDataOnce) {
  PathResponder responder;
  responder.OnPathChallenge({.data = Data(1)});
  EXPECT_TRUE(responder.HasPendingFrames());
  PathPacket packet;
  PathPacket next;

  responder.WriteFrames(packet.writer(), kPath);
  responder.WriteFrames(next.writer(), kPath);

  EXPECT_EQ(packet.Read().responses, std::vector{Data(1)});
  ASSERT_EQ(packet.writer().sent_frames().size(), 1u);
  EXPECT_EQ(packet.writer().sent_frames()[0], SentFrame::PathResponse(kPath));
  EXPECT_FALSE(responder.HasPendingFrames());
  EXPECT_FALSE(next.writer().has_frames());
}

TEST(PathResponderTest, FloodLeavesTheNewest) {
  PathResponder responder;
  for (int i = 0; i < 100; ++i) {
    responder.OnPathChallenge({.data = Data(static_cast<uint8_t>(i))});
    responder.CheckInvariants();
  }
  PathPacket packet;

  responder.WriteFrames(packet.writer(), kPath);

  ASSERT_EQ(kMaxPathResponsesPending, 4u);
  EXPECT_EQ(packet.Read().responses, (std::vector{Data(96), Data(97), Data(98), Data(99)}));
}

TEST(PathResponderTest, WhatDoesNotFitWaitsForTheNextPacket) {
  PathResponder responder;
  for (uint8_t i = 0; i < 3; ++i) responder.OnPathChallenge({.data = Data(i)});
  PathPacket small(0, PacketMode::kNormal, 2 * kFrameBytes + 8);
  PathPacket next;

  responder.WriteFrames(small.writer(), kPath);
  const bool has_more = responder.HasPendingFrames();
  responder.WriteFrames(next.writer(), kPath);

  EXPECT_EQ(small.Read().responses, (std::vector{Data(0), Data(1)}));
  EXPECT_TRUE(has_more);
  EXPECT_EQ(next.Read().responses, std::vector{Data(2)});
  EXPECT_FALSE(responder.HasPendingFrames());
}

}  // namespace
}  // namespace godwit
