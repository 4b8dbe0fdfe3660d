// SPDX-License-Identifier: Apache-2.0
//
// How much a StreamMap takes of what the application writes, and when it says that there is room
// again.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "gtest/gtest.h"

#include "tests/transport/streams/stream_peer.h"
#include "transport/streams/stream_map.h"

namespace godwit {
namespace {

using Kind = StreamEvent::Kind;

constexpr auto kBidi = StreamDirection::kBidirectional;
constexpr auto kUni = StreamDirection::kUnidirectional;

// ---- The send buffer's bound ----

class SmallBufferTest : public testing::Test {
 protected:
  SmallBufferTest() { peer_.map().OnPeerParameters(ParametersOf({})); }

  StreamPeer peer_{Perspective::kClient, {.max_send_buffer_bytes = 1000}};
};

TEST_F(SmallBufferTest, AWriteTakesAsMuchAsThereIsRoomForAndWritableFollows) {
  const StreamId id = *peer_.map().Open(kBidi);

  EXPECT_EQ(*peer_.map().Write(id, std::vector<uint8_t>(2000), peer_.pools()), 800u);
  EXPECT_EQ(peer_.map().held_bytes(), 800u);
  EXPECT_EQ(*peer_.map().Write(id, BytesOf("x"), peer_.pools()), 0u);
  EXPECT_TRUE(peer_.PollAll().empty());
  peer_.OnAcked(peer_.BuildPacket());

  EXPECT_EQ(peer_.PollAll(), (std::vector<StreamEvent>{{Kind::kWritable, kBidi, id, 0}}));
  EXPECT_EQ(peer_.map().held_bytes(), 0u);
}

TEST_F(SmallBufferTest, ACordIsCutWhereTheRoomEnds) {
  const StreamId id = *peer_.map().Open(kBidi);

  EXPECT_EQ(*peer_.map().Write(id, absl::Cord(std::string(2000, 'x')), peer_.pools()), 800u);
}

TEST_F(SmallBufferTest, AStreamThatItsLimitBlocksIsCalledWhenThatRises) {
  StreamPeer peer(Perspective::kClient, {.max_send_buffer_bytes = 1000});
  peer.map().OnPeerParameters(ParametersOf({.initial_max_stream_data_bidi_remote = 300}));
  const StreamId id = *peer.map().Open(kBidi);
  EXPECT_EQ(*peer.map().Write(id, std::vector<uint8_t>(2000), peer.pools()), 425u);
  EXPECT_TRUE(peer.PollAll().empty());

  ASSERT_TRUE(peer.map().OnMaxStreamDataFrame({id, 400}).ok());

  EXPECT_EQ(peer.PollAll(), (std::vector<StreamEvent>{{Kind::kWritable, kBidi, id, 0}}));
  EXPECT_EQ(*peer.map().Write(id, std::vector<uint8_t>(2000), peer.pools()), 100u);
  peer.map().CheckInvariants();
}

TEST_F(SmallBufferTest, AResetMakesRoomForOthers) {
  const StreamId a = *peer_.map().Open(kBidi);
  const StreamId b = *peer_.map().Open(kBidi);
  static_cast<void>(*peer_.map().Write(a, std::vector<uint8_t>(2000), peer_.pools()));
  static_cast<void>(*peer_.map().Write(b, std::vector<uint8_t>(2000), peer_.pools()));

  ASSERT_TRUE(peer_.map().Reset(a, 1, peer_.pools()).ok());

  EXPECT_EQ(peer_.PollAll(), (std::vector<StreamEvent>{{Kind::kWritable, kBidi, b, 0}}));
}

TEST_F(SmallBufferTest, AWaitingWriterThatIsResetIsForgotten) {
  const StreamId id = *peer_.map().Open(kUni);
  static_cast<void>(*peer_.map().Write(id, std::vector<uint8_t>(2000), peer_.pools()));
  ASSERT_TRUE(peer_.map().Reset(id, 1, peer_.pools()).ok());

  peer_.OnAcked(peer_.BuildPacket());

  EXPECT_FALSE(peer_.map().has_open_streams());
  EXPECT_TRUE(peer_.PollAll().empty());
  peer_.map().CheckInvariants();
}

// ---- What may wait to be sent ----

class SmallWindowTest : public testing::Test {
 protected:
  SmallWindowTest() {
    peer_.map().OnPeerParameters(ParametersOf({}));
    peer_.map().SetCongestionWindow(12'000);
  }

  // As much as is taken, which is said.
  uint64_t WriteAll(StreamId id) {
    const std::vector<uint8_t> much(100'000);
    uint64_t written = 0;
    while (const uint64_t taken = *peer_.map().Write(id, much, peer_.pools())) written += taken;
    return written;
  }

  StreamPeer peer_{Perspective::kClient, {}};
};

TEST_F(SmallWindowTest, MoreIsTakenOfALargerWindow) {
  const StreamId id = *peer_.map().Open(kBidi);
  EXPECT_LT(WriteAll(id), 256u * 1024);
  EXPECT_TRUE(peer_.PollAll().empty());

  peer_.map().SetCongestionWindow(500'000);

  EXPECT_EQ(peer_.PollAll(), (std::vector<StreamEvent>{{Kind::kWritable, kBidi, id, 0}}));
  EXPECT_NE(WriteAll(id), 0u);
  peer_.map().CheckInvariants();
}

TEST_F(SmallWindowTest, AFirstWriteIsTakenBesideManyStreamsThatWriteAllTheyMay) {
  for (int i = 0; i < 100; ++i) WriteAll(*peer_.map().Open(kBidi));

  const StreamId id = *peer_.map().Open(kBidi);

  EXPECT_EQ(*peer_.map().Write(id, std::vector<uint8_t>(16'384), peer_.pools()), 16'384u);
}

TEST_F(SmallWindowTest, AStreamThatHasSentAllIsCalledAlthoughOthersHaveMuch) {
  for (int i = 0; i < 100; ++i) WriteAll(*peer_.map().Open(kBidi));
  const StreamId id = *peer_.map().Open(kBidi);
  ASSERT_TRUE(peer_.map().SetPriority(id, {.urgency = 0}).ok());
  const uint64_t written = WriteAll(id);

  for (uint64_t sent = 0; sent < written; sent += StreamPeer::kPacketRoom - 10) {
    EXPECT_TRUE(peer_.PollAll().empty());
    peer_.BuildPacket();
  }

  EXPECT_EQ(peer_.PollAll(), (std::vector<StreamEvent>{{Kind::kWritable, kBidi, id, 0}}));
  peer_.map().CheckInvariants();
}

}  // namespace
}  // namespace godwit
