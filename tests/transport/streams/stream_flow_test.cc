// SPDX-License-Identifier: Apache-2.0
//
// Flow control of a StreamMap, both directions: RFC 9000 §4, §19.9, §19.10, §19.12, §19.13.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/transport/streams/stream_peer.h"
#include "transport/streams/stream_map.h"

namespace godwit {
namespace {

constexpr auto kBidi = StreamDirection::kBidirectional;
constexpr auto kUni = StreamDirection::kUnidirectional;

std::vector<FrameKind> Kinds(const StreamPacket& packet) {
  std::vector<FrameKind> kinds;
  for (const SentFrame& frame : packet.frames) kinds.push_back(frame.kind());
  return kinds;
}

class StreamFlowTest : public testing::Test {
 protected:
  explicit StreamFlowTest(const StreamConfig& config = {.initial_max_data = 4000,
                                                        .initial_max_stream_data_bidi_local = 1000,
                                                        .initial_max_stream_data_bidi_remote = 1000,
                                                        .initial_max_stream_data_uni = 1000})
      : config_(config),
        client_(Perspective::kClient, config),
        server_(Perspective::kServer, config) {
    client_.map().OnPeerParameters(ParametersOf(config_));
    server_.map().OnPeerParameters(ParametersOf(config_));
    // Windows grow only where a test says so.
    client_.SetMayGrowWindows(false);
    server_.SetMayGrowWindows(false);
  }
  ~StreamFlowTest() override {
    client_.map().CheckInvariants();
    server_.map().CheckInvariants();
  }

  StreamConfig config_;
  StreamPeer client_;
  StreamPeer server_;
};

// ---- Sending ----

TEST_F(StreamFlowTest, AStreamStopsAtItsLimitAndSaysSo) {
  const StreamId id = *client_.map().Open(kUni);
  client_.Write(id, std::string(1500, 'x'));

  const StreamPacket data = client_.BuildPacket(2000);
  ASSERT_EQ(Kinds(data), (std::vector{FrameKind::kStream}));
  EXPECT_EQ(data.frames[0].range(), (StreamRange{0, 1000, false}));

  EXPECT_FALSE(client_.map().HasPendingData());
  EXPECT_TRUE(client_.map().is_blocked_by_flow_control());
  EXPECT_EQ(Kinds(client_.BuildPacket()), (std::vector{FrameKind::kStreamDataBlocked}));
  EXPECT_TRUE(client_.BuildPacket().frames.empty());
}

TEST_F(StreamFlowTest, AHigherLimitLetsTheStreamGoOn) {
  const StreamId id = *client_.map().Open(kUni);
  client_.Write(id, std::string(1500, 'x'));
  client_.BuildPacket(2000);

  ASSERT_TRUE(client_.map().OnMaxStreamDataFrame({id, 1500}).ok());

  EXPECT_FALSE(client_.map().is_blocked_by_flow_control());
  const StreamPacket packet = client_.BuildPacket();
  // STREAM_DATA_BLOCKED is no news any more.
  ASSERT_EQ(Kinds(packet), (std::vector{FrameKind::kStream}));
  EXPECT_EQ(packet.frames[0].range(), (StreamRange{1000, 500, false}));
}

TEST_F(StreamFlowTest, TheConnectionsLimitHoldsForAllStreams) {
  uint64_t sent_bytes = 0;
  for (int i = 0; i < 5; ++i) client_.Write(*client_.map().Open(kUni), std::string(900, 'x'));
  while (client_.map().HasPendingData()) {
    for (const SentFrame& frame : client_.BuildPacket().frames) {
      sent_bytes += frame.range().length_bytes;
    }
  }

  EXPECT_EQ(sent_bytes, 4000u);
  EXPECT_TRUE(client_.map().is_blocked_by_flow_control());
  EXPECT_EQ(Kinds(client_.BuildPacket()), (std::vector{FrameKind::kDataBlocked}));
  EXPECT_TRUE(client_.BuildPacket().frames.empty());

  ASSERT_TRUE(client_.map().OnMaxDataFrame({4500}).ok());
  EXPECT_TRUE(client_.map().HasPendingData());
  EXPECT_FALSE(client_.map().is_blocked_by_flow_control());
}

TEST_F(StreamFlowTest, LostDataAndTheEndAreSentWithoutCredit) {
  const StreamId first = *client_.map().Open(kUni);
  client_.Write(first, std::string(1000, 'x'));
  const StreamPacket lost = client_.BuildPacket(2000);
  for (int i = 0; i < 3; ++i) client_.Write(*client_.map().Open(kUni), std::string(1000, 'x'));
  while (client_.map().HasPendingData()) client_.BuildPacket();
  ASSERT_TRUE(client_.map().Finish(first).ok());

  client_.OnLost(lost);

  EXPECT_TRUE(client_.map().HasPendingData());
  const StreamPacket packet = client_.BuildPacket(2000);
  ASSERT_EQ(packet.frames.back().range(), (StreamRange{0, 1000, true}));
}

TEST_F(StreamFlowTest, ALostDataBlockedIsSaidAgainOnlyWhileItHolds) {
  for (int i = 0; i < 5; ++i) client_.Write(*client_.map().Open(kUni), std::string(1000, 'x'));
  while (client_.map().HasPendingData()) client_.BuildPacket();
  const StreamPacket blocked = client_.BuildPacket();
  ASSERT_EQ(Kinds(blocked), (std::vector{FrameKind::kDataBlocked}));

  client_.OnLost(blocked);
  EXPECT_TRUE(client_.map().HasPendingControl());
  ASSERT_TRUE(client_.map().OnMaxDataFrame({5000}).ok());

  EXPECT_FALSE(client_.map().HasPendingControl());
}

TEST_F(StreamFlowTest, WhoIsBlockedByAStreamsLimitMaySaySoAgain) {
  for (int i = 0; i < 2; ++i) client_.Write(*client_.map().Open(kUni), std::string(1500, 'x'));
  client_.BuildPacket(4000);
  const StreamPacket said = client_.BuildPacket();
  ASSERT_EQ(said.frames.size(), 2u);
  client_.OnAcked(said);

  client_.map().RepeatBlocked();

  // One frame keeps a connection alive.
  const StreamPacket again = client_.BuildPacket();
  ASSERT_EQ(Kinds(again), (std::vector{FrameKind::kStreamDataBlocked}));
  EXPECT_EQ(again.frames[0].stream_id(), said.frames[0].stream_id());
  client_.OnLost(again);
  EXPECT_EQ(Kinds(client_.BuildPacket()), (std::vector{FrameKind::kStreamDataBlocked}));
  client_.map().CheckInvariants();
}

TEST_F(StreamFlowTest, WhoIsBlockedByTheConnectionsLimitMaySaySoAgain) {
  for (int i = 0; i < 5; ++i) client_.Write(*client_.map().Open(kUni), std::string(900, 'x'));
  while (client_.map().HasPendingData()) client_.BuildPacket();
  client_.OnAcked(client_.BuildPacket());

  client_.map().RepeatBlocked();

  EXPECT_EQ(Kinds(client_.BuildPacket()), (std::vector{FrameKind::kDataBlocked}));
  client_.map().CheckInvariants();
}

TEST_F(StreamFlowTest, ABlockedStreamDoesNotHoldBackAnother) {
  const StreamId blocked = *client_.map().Open(kUni);
  client_.Write(blocked, std::string(5000, 'x'));
  client_.BuildPacket(2000);
  const StreamId other = *client_.map().Open(kUni);

  client_.Write(other, "free");

  const StreamPacket packet = client_.BuildPacket();
  EXPECT_EQ(packet.frames.back().stream_id(), other);
}

// ---- Receiving ----

TEST_F(StreamFlowTest, ReadingRaisesBothLimits) {
  const StreamId id = *client_.map().Open(kUni);
  client_.Write(id, std::string(1000, 'x'));
  Exchange(client_, server_);
  EXPECT_EQ(server_.Read(id).size(), 1000u);

  const StreamPacket packet = server_.BuildPacket();

  EXPECT_EQ(Kinds(packet), (std::vector{FrameKind::kMaxData, FrameKind::kMaxStreamData}));
}

TEST_F(StreamFlowTest, NothingIsGrantedForDataThatNobodyReads) {
  const StreamId id = *client_.map().Open(kUni);
  client_.Write(id, std::string(3000, 'x'));

  Exchange(client_, server_);

  EXPECT_TRUE(client_.map().is_blocked_by_flow_control());
  EXPECT_FALSE(server_.map().HasPendingControl());
  EXPECT_EQ(server_.Peek(id).size(), 1000u);
}

// The connection's window must survive any number of streams that are dropped in any way.
TEST_F(StreamFlowTest, TheConnectionsWindowDoesNotLeak) {
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    const StreamId id = *client_.map().Open(kBidi);
    client_.Write(id, std::string(900, 'x'));
    switch (round % 5) {
      case 0:  // Reset before anything was sent.
        ASSERT_TRUE(client_.map().Reset(id, 1, client_.pools()).ok());
        break;
      case 1: {  // Reset while data is lost for ever.
        client_.BuildPacket();
        ASSERT_TRUE(client_.map().Reset(id, 1, client_.pools()).ok());
        break;
      }
      case 2:  // Data that nobody reads is reset.
        Exchange(client_, server_);
        ASSERT_TRUE(client_.map().Reset(id, 1, client_.pools()).ok());
        break;
      case 3:  // Reading is stopped with data here and on its way.
        Exchange(client_, server_);
        client_.Write(id, std::string(100, 'y'));
        ASSERT_TRUE(server_.map().StopSending(id, 2, server_.pools()).ok());
        break;
      case 4:  // Reading is stopped, and all data comes.
        Exchange(client_, server_);
        ASSERT_TRUE(server_.map().StopSending(id, 2, server_.pools()).ok());
        ASSERT_TRUE(client_.map().Finish(id).ok());
        break;
    }
    Exchange(client_, server_);
    server_.PollAll();
    static_cast<void>(server_.map().Reset(id, 3, server_.pools()));
    Exchange(client_, server_);
    client_.PollAll();
    Exchange(client_, server_);
    ASSERT_EQ(client_.map().open_stream_count(), 0u);
    ASSERT_EQ(server_.map().open_stream_count(), 0u);
  }

  // All of the window is there but for what is not worth an update.
  uint64_t sent_bytes = 0;
  for (int i = 0; i < 4; ++i) client_.Write(*client_.map().Open(kUni), std::string(1000, 'x'));
  while (client_.map().HasPendingData()) {
    for (const SentFrame& frame : client_.BuildPacket().frames) {
      sent_bytes += frame.range().length_bytes;
    }
  }
  EXPECT_GT(sent_bytes, 3000u);
}

TEST_F(StreamFlowTest, APeerBlockedAtAnOldLimitIsToldTheCurrentOneAgain) {
  const StreamId id = *client_.map().Open(kUni);
  client_.Write(id, std::string(1000, 'x'));
  Exchange(client_, server_);
  server_.Read(id);
  const StreamPacket update = server_.BuildPacket();
  server_.OnAcked(update);

  ASSERT_TRUE(server_.map().OnDataBlockedFrame({4000}, server_.context()).ok());
  ASSERT_TRUE(server_.map().OnStreamDataBlockedFrame({id, 1000}, server_.context()).ok());

  EXPECT_EQ(server_.BuildPacket().payload, update.payload);
}

TEST_F(StreamFlowTest, LostUpdatesAreSentAgain) {
  const StreamId id = *client_.map().Open(kUni);
  client_.Write(id, std::string(2000, 'x'));
  std::string read;
  for (int round = 0; round < 100 && read.size() < 2000; ++round) {
    const StreamPacket data = client_.BuildPacket();
    if (!data.frames.empty()) {
      ASSERT_TRUE(server_.Receive(data.payload).ok());
      server_.EndBatch();
      client_.OnAcked(data);
    }
    read += server_.Read(id);
    const StreamPacket update = server_.BuildPacket();
    if (update.frames.empty()) continue;
    // Every other packet of the reader is lost.
    if (round % 2 == 0) {
      server_.OnLost(update);
    } else {
      ASSERT_TRUE(client_.Receive(update.payload).ok());
      server_.OnAcked(update);
    }
  }

  EXPECT_EQ(read.size(), 2000u);
}

// ---- Windows that grow ----

class StreamWindowTest : public StreamFlowTest {
 protected:
  StreamWindowTest()
      : StreamFlowTest({.initial_max_data = 100'000,
                        .initial_max_stream_data_bidi_local = 50'000,
                        .initial_max_stream_data_bidi_remote = 50'000,
                        .initial_max_stream_data_uni = 50'000,
                        .max_connection_window_bytes = 1'000'000,
                        .max_stream_window_bytes = 500'000}) {}

  // A bulk transfer in which a round trip carries at most `rate_bytes`.
  void Transfer(int round_trips, uint64_t rate_bytes) {
    const StreamId id = *client_.map().Open(kUni);
    for (int i = 0; i < round_trips; ++i) {
      uint64_t left_bytes = rate_bytes;
      while (left_bytes >= StreamPeer::kPacketRoom) {
        static_cast<void>(*client_.map().Write(id, std::vector<uint8_t>(10'000), client_.pools()));
        const StreamPacket packet = client_.BuildPacket();
        if (packet.frames.empty()) break;
        left_bytes -= StreamPeer::kPacketRoom;
        ASSERT_TRUE(server_.Receive(packet.payload).ok());
        server_.Read(id);
        server_.EndBatch();
        client_.OnAcked(packet);
        server_.Advance(
            Duration::Milliseconds(100) *
            Ratio{static_cast<int64_t>(StreamPeer::kPacketRoom), static_cast<int64_t>(rate_bytes)});
      }
      const StreamPacket update = server_.BuildPacket();
      if (update.frames.empty()) continue;
      ASSERT_TRUE(client_.Receive(update.payload).ok());
      server_.OnAcked(update);
    }
  }
};

TEST_F(StreamWindowTest, WindowsGrowToTheirMaximum) {
  server_.SetMayGrowWindows(true);

  Transfer(30, 10'000'000);

  EXPECT_EQ(server_.map().recv_window_bytes(), 1'000'000u);
  EXPECT_EQ(server_.map().held_bytes(), 900'000u);
}

TEST_F(StreamWindowTest, WindowsDoNotGrowWhereTheBudgetForbidsIt) {
  Transfer(30, 10'000'000);

  EXPECT_EQ(server_.map().recv_window_bytes(), 100'000u);
  EXPECT_EQ(server_.map().held_bytes(), 0u);
}

TEST_F(StreamWindowTest, WindowsDoNotGrowOnASlowPath) {
  server_.SetMayGrowWindows(true);

  Transfer(100, 12'000);

  EXPECT_EQ(server_.map().recv_window_bytes(), 100'000u);
}

// ---- Filling packets ----

TEST_F(StreamFlowTest, SmallFramesOfSeveralStreamsShareAPacket) {
  for (const char* text : {"a", "b", "c"}) client_.Write(*client_.map().Open(kUni), text);

  const StreamPacket packet = client_.BuildPacket();

  ASSERT_EQ(packet.frames.size(), 3u);
  EXPECT_FALSE(client_.map().HasPendingData());
  ASSERT_TRUE(server_.Receive(packet.payload).ok());
  EXPECT_EQ(server_.Read(StreamId(10)), "c");
}

TEST_F(StreamFlowTest, DataInOnePieceThatFillsThePacketStaysWhereItIs) {
  const StreamId id = *client_.map().Open(kUni);
  client_.Write(id, std::string(900, 'x'));
  std::vector<uint8_t> room(500);
  FrameWriter writer(room, {EncryptionLevel::kOneRtt, PacketMode::kNormal});

  client_.map().WriteStreamData(writer, StreamMap::Fill::kMayScatter);

  EXPECT_EQ(writer.payload_size(), 500u);
  EXPECT_EQ(writer.scattered_data().size(), 498u);  // Type and stream id go before it.
}

TEST_F(StreamFlowTest, WithoutScatteringAllDataIsCopied) {
  const StreamId id = *client_.map().Open(kUni);
  client_.Write(id, std::string(900, 'x'));
  std::vector<uint8_t> room(500);
  FrameWriter writer(room, {EncryptionLevel::kOneRtt, PacketMode::kNormal});

  client_.map().WriteStreamData(writer, StreamMap::Fill::kCopyOnly);

  EXPECT_EQ(writer.frames_size(), 500u);
  EXPECT_TRUE(writer.scattered_data().empty());
  EXPECT_EQ(room[499], 'x');
}

// With a length the frame would be a byte or two too long.
TEST_F(StreamFlowTest, EveryRoomIsFilledAsFarAsTheDataGoes) {
  for (size_t room = 10; room < 300; ++room) {
    for (size_t size = room - 6; size <= room; ++size) {
      SCOPED_TRACE(testing::Message() << "room " << room << " size " << size);
      StreamPeer client(Perspective::kClient, config_);
      StreamPeer server(Perspective::kServer, config_);
      client.map().OnPeerParameters(ParametersOf(config_));
      const StreamId id = *client.map().Open(kUni);
      client.Write(id, std::string(size, 'x'));
      ASSERT_TRUE(client.map().Finish(id).ok());

      const StreamPacket packet = client.BuildPacket(room, StreamMap::Fill::kMayScatter);

      ASSERT_EQ(packet.frames.size(), 1u);
      const uint64_t sent = packet.frames[0].range().length_bytes;
      EXPECT_EQ(sent, std::min(size, room - 2));
      EXPECT_EQ(packet.frames[0].range().is_fin, sent == size);
      ASSERT_TRUE(server.Receive(packet.payload).ok());
      EXPECT_EQ(server.Peek(id).size(), sent);
    }
  }
}

TEST_F(StreamFlowTest, PaddingBehindTheDataDoesNotBecomeData) {
  for (size_t room = 10; room < 300; ++room) {
    for (size_t size = room - 6; size <= room; ++size) {
      SCOPED_TRACE(testing::Message() << "room " << room << " size " << size);
      StreamPeer client(Perspective::kClient, config_);
      StreamPeer server(Perspective::kServer, config_);
      client.map().OnPeerParameters(ParametersOf(config_));
      const StreamId id = *client.map().Open(kUni);
      client.Write(id, std::string(size, 'x'));
      ASSERT_TRUE(client.map().Finish(id).ok());

      StreamPacket packet = client.BuildPacket(room, StreamMap::Fill::kCopyOnly);
      packet.payload.resize(room, 0);

      ASSERT_EQ(packet.frames.size(), 1u);
      const uint64_t sent = packet.frames[0].range().length_bytes;
      EXPECT_GE(sent + 4, std::min(size, room - 2));
      EXPECT_EQ(packet.frames[0].range().is_fin, sent == size);
      ASSERT_TRUE(server.Receive(packet.payload).ok());
      EXPECT_EQ(server.Peek(id), std::string(sent, 'x'));
    }
  }
}

TEST_F(StreamFlowTest, ANearlyFullPacketIsNotFilledWithACrumb) {
  const StreamId small = *client_.map().Open(kUni);
  const StreamId bulk = *client_.map().Open(kUni);
  client_.Write(small, std::string(470, 's'));
  client_.Write(bulk, std::string(900, 'b'));

  const StreamPacket packet = client_.BuildPacket(500);

  ASSERT_EQ(packet.frames.size(), 1u);
  EXPECT_TRUE(client_.map().HasPendingData());
  EXPECT_EQ(client_.BuildPacket(500).frames.at(0).range().length_bytes, 498u);
}

TEST_F(StreamFlowTest, StreamsOfOneUrgencyShareThePackets) {
  StreamPeer client(Perspective::kClient, {});
  client.map().OnPeerParameters(ParametersOf({}));
  std::vector<uint64_t> sent(4, 0);
  for (size_t i = 0; i < sent.size(); ++i) {
    client.Write(*client.map().Open(kUni), std::string(100'000, 'x'));
  }

  for (int i = 0; i < 40; ++i) {
    for (const SentFrame& frame : client.BuildPacket().frames) {
      sent[frame.stream_id().index()] += frame.range().length_bytes;
    }
  }

  for (const uint64_t bytes : sent) EXPECT_NEAR(static_cast<double>(bytes), 11'970, 50);
}

TEST_F(StreamFlowTest, AnUrgentStreamGoesFirst) {
  const StreamId bulk = *client_.map().Open(kUni);
  const StreamId urgent = *client_.map().Open(kUni);
  client_.Write(bulk, std::string(1000, 'b'));
  client_.Write(urgent, std::string(1000, 'u'));

  ASSERT_TRUE(client_.map().SetPriority(urgent, {.urgency = 0}).ok());

  EXPECT_EQ(client_.BuildPacket(500).frames.at(0).stream_id(), urgent);
  EXPECT_EQ(client_.BuildPacket(500).frames.at(0).stream_id(), urgent);
}

}  // namespace
}  // namespace godwit
