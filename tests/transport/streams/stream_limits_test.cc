// SPDX-License-Identifier: Apache-2.0

#include "transport/streams/stream_limits.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

class StreamLimitsTest : public testing::Test {
 protected:
  std::vector<Frame> Write(uint64_t number) {
    std::vector<uint8_t> payload(100);
    FrameWriter writer(payload,
                       {EncryptionLevel::kOneRtt, PacketMode::kNormal, PacketNumber(number)});
    EXPECT_TRUE(limits_.WriteFrames(writer));
    std::vector<Frame> frames;
    if (!writer.has_frames()) return frames;
    FrameDecoder decoder(std::span<const uint8_t>(payload).first(writer.frames_size()),
                         EncryptionLevel::kOneRtt, Perspective::kClient);
    while (!decoder.is_done()) EXPECT_TRUE(decoder.Next(&frames.emplace_back()).ok());
    return frames;
  }

  // The peer opens streams up to `count` in all.
  void Open(uint64_t count) { limits_.OnPeerOpened(count); }
  void End(int count) {
    for (int i = 0; i < count; ++i) limits_.OnPeerStreamOver();
  }

  StreamLimits limits_{StreamDirection::kUnidirectional, 100};
};

TEST_F(StreamLimitsTest, NothingCanBeOpenedBeforeThePeerPermitsIt) {
  EXPECT_EQ(limits_.TakeLocalIndex(), std::nullopt);
}

TEST_F(StreamLimitsTest, IndexesCountUpToThePeersLimit) {
  limits_.OnPeerLimit(2);

  EXPECT_EQ(limits_.TakeLocalIndex(), 0u);
  EXPECT_EQ(limits_.TakeLocalIndex(), 1u);
  EXPECT_EQ(limits_.TakeLocalIndex(), std::nullopt);
  EXPECT_EQ(limits_.local_opened_count(), 2u);
}

TEST_F(StreamLimitsTest, ALowerLimitIsIgnored) {
  limits_.OnPeerLimit(2);

  EXPECT_FALSE(limits_.OnPeerLimit(1));

  EXPECT_EQ(limits_.TakeLocalIndex(), 0u);
  EXPECT_EQ(limits_.TakeLocalIndex(), 1u);
}

// RFC 9000 §19.14.
TEST_F(StreamLimitsTest, ARefusedOpenSaysStreamsBlockedOncePerLimit) {
  limits_.OnPeerLimit(1);
  limits_.TakeLocalIndex();
  limits_.TakeLocalIndex();
  limits_.TakeLocalIndex();

  const std::vector<Frame> frames = Write(1);

  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].As<StreamsBlockedFrame>().limit_count, 1u);
  EXPECT_EQ(frames[0].As<StreamsBlockedFrame>().direction, StreamDirection::kUnidirectional);
  limits_.TakeLocalIndex();
  EXPECT_FALSE(limits_.HasPendingFrames());
}

TEST_F(StreamLimitsTest, ALimitThatRisesIsNewsForWhoWasRefused) {
  limits_.OnPeerLimit(1);
  limits_.TakeLocalIndex();
  EXPECT_FALSE(limits_.OnPeerLimit(2));
  limits_.TakeLocalIndex();
  limits_.TakeLocalIndex();

  EXPECT_TRUE(limits_.OnPeerLimit(3));

  EXPECT_FALSE(limits_.HasPendingFrames());
  EXPECT_FALSE(limits_.OnPeerLimit(4));
}

TEST_F(StreamLimitsTest, APeerFarFromItsLimitIsToldOfAQuarterAtOnce) {
  Open(50);

  End(24);
  EXPECT_TRUE(Write(1).empty());
  End(1);

  const std::vector<Frame> frames = Write(2);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].As<MaxStreamsFrame>().maximum_count, 125u);
}

TEST_F(StreamLimitsTest, APeerAtItsLimitIsToldOfEverySinglePlace) {
  Open(100);

  End(1);

  const std::vector<Frame> frames = Write(1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].As<MaxStreamsFrame>().maximum_count, 101u);
  EXPECT_EQ(limits_.granted_count(), 101u);
}

// The place was not worth a frame when it became free.
TEST_F(StreamLimitsTest, APeerThatComesNearItsLimitIsToldOfThePlacesThatItWasNotToldOf) {
  Open(50);
  End(1);
  EXPECT_TRUE(Write(1).empty());

  Open(100);

  const std::vector<Frame> frames = Write(2);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].As<MaxStreamsFrame>().maximum_count, 101u);
}

TEST_F(StreamLimitsTest, APlaceForOneIsGivenBackAtOnce) {
  StreamLimits limits(StreamDirection::kBidirectional, 1);
  limits.OnPeerOpened(1);

  limits.OnPeerStreamOver();

  EXPECT_EQ(limits.granted_count(), 2u);
  limits.CheckInvariants(0);
}

TEST_F(StreamLimitsTest, ALostMaxStreamsIsSentAgain) {
  Open(100);
  End(1);
  Write(1);

  limits_.OnMaxStreamsLost(PacketNumber(1));

  EXPECT_EQ(Write(2).size(), 1u);
}

TEST_F(StreamLimitsTest, APeerBlockedAtAnOldLimitIsToldTheCurrentOneAgain) {
  Open(100);
  End(1);
  Write(1);
  limits_.OnMaxStreamsAcked(PacketNumber(1));

  limits_.OnStreamsBlockedFrame(101);
  EXPECT_FALSE(limits_.HasPendingFrames());
  limits_.OnStreamsBlockedFrame(100);

  ASSERT_EQ(Write(2).size(), 1u);
}

// RFC 9000 §4.6: a greater limit would allow ids that cannot be written.
TEST_F(StreamLimitsTest, TheGrantEndsAtTheMostStreamsThatThereAre) {
  StreamLimits limits(StreamDirection::kBidirectional, kMaxStreams);
  limits.OnPeerOpened(4);

  limits.OnPeerStreamOver();

  EXPECT_EQ(limits.granted_count(), kMaxStreams);
  EXPECT_FALSE(limits.HasPendingFrames());
}

}  // namespace
}  // namespace godwit
