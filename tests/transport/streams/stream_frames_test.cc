// SPDX-License-Identifier: Apache-2.0
//
// How a StreamMap takes frames about streams: which it refuses, and with which error; which it
// ignores. RFC 9000 §3.2, §4.5, §4.6, §19.4 to §19.14.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "tests/transport/streams/stream_peer.h"
#include "transport/streams/stream_map.h"

namespace godwit {
namespace {

constexpr auto kBidi = StreamDirection::kBidirectional;
constexpr auto kUni = StreamDirection::kUnidirectional;

// From the point of view of the server, which all tests look at.
constexpr StreamId kPeerBidi(0);
constexpr StreamId kPeerUni(2);
constexpr StreamId kOurBidi(1);
constexpr StreamId kOurUni(3);

// Every frame about a stream, with the errors that it can cause.
struct StreamFrameCase {
  std::string name;
  std::function<Result(StreamPeer&, StreamId)> receive;
  bool is_for_recv;
  Result no_such_part;
  Result uncreated;
};

std::vector<StreamFrameCase> AllStreamFrames() {
  return {
      {"STREAM",
       [](StreamPeer& peer, StreamId id) {
         return peer.map().OnStreamFrame({id, 0, {}, false}, peer.context());
       },
       true, kStreamFrameForSendOnlyStream, kStreamFrameForUncreatedStream},
      {"RESET_STREAM",
       [](StreamPeer& peer, StreamId id) {
         return peer.map().OnResetStreamFrame({id, 1, 0}, peer.context());
       },
       true, kResetStreamForSendOnlyStream, kResetStreamForUncreatedStream},
      {"STREAM_DATA_BLOCKED",
       [](StreamPeer& peer, StreamId id) {
         return peer.map().OnStreamDataBlockedFrame({id, 1}, peer.context());
       },
       true, kStreamDataBlockedForSendOnlyStream, kStreamDataBlockedForUncreatedStream},
      {"STOP_SENDING",
       [](StreamPeer& peer, StreamId id) {
         return peer.map().OnStopSendingFrame({id, 1}, peer.context());
       },
       false, kStopSendingForReceiveOnlyStream, kStopSendingForUncreatedStream},
      {"MAX_STREAM_DATA",
       [](StreamPeer& peer, StreamId id) {
         return peer.map().OnMaxStreamDataFrame({id, 1});
       },
       false, kMaxStreamDataForReceiveOnlyStream, kMaxStreamDataForUncreatedStream},
  };
}

class StreamFramesTest : public testing::Test {
 protected:
  StreamFramesTest() { server_.map().OnPeerParameters(ParametersOf(config_)); }
  ~StreamFramesTest() override { server_.map().CheckInvariants(); }

  Result Stream(StreamId id, uint64_t offset, std::string_view data, bool is_fin = false) {
    return server_.map().OnStreamFrame({id, offset, BytesOf(data), is_fin}, server_.context());
  }
  Result Reset(StreamId id, uint64_t final_size_bytes) {
    return server_.map().OnResetStreamFrame({id, 1, final_size_bytes}, server_.context());
  }

  StreamConfig config_ = {.initial_max_data = 1000,
                          .initial_max_stream_data_bidi_local = 300,
                          .initial_max_stream_data_bidi_remote = 400,
                          .initial_max_stream_data_uni = 500,
                          .max_streams_bidi = 10,
                          .max_streams_uni = 5};
  StreamPeer server_{Perspective::kServer, config_};
};

TEST_F(StreamFramesTest, FramesForAPartThatTheStreamLacksAreRefused) {
  for (const StreamFrameCase& frame : AllStreamFrames()) {
    SCOPED_TRACE(frame.name);
    StreamPeer fresh(Perspective::kServer, config_);
    StreamPeer opened(Perspective::kServer, config_);
    opened.map().OnPeerParameters(ParametersOf(config_));
    ASSERT_EQ(*opened.map().Open(kUni), kOurUni);
    ASSERT_TRUE(opened.map().OnStreamFrame({kPeerUni, 0, {}, false}, opened.context()).ok());
    const StreamId id = frame.is_for_recv ? kOurUni : kPeerUni;

    EXPECT_EQ(frame.receive(fresh, id), frame.no_such_part);
    EXPECT_EQ(frame.receive(opened, id), frame.no_such_part);
  }
}

TEST_F(StreamFramesTest, FramesForStreamsThatWeHaveNotOpenedAreRefused) {
  for (const StreamFrameCase& frame : AllStreamFrames()) {
    SCOPED_TRACE(frame.name);
    StreamPeer peer(Perspective::kServer, config_);
    peer.map().OnPeerParameters(ParametersOf(config_));

    EXPECT_EQ(frame.receive(peer, kOurBidi), frame.uncreated);
    if (!frame.is_for_recv) {
      EXPECT_EQ(frame.receive(peer, kOurUni), frame.uncreated);
    }
    ASSERT_TRUE(peer.map().Open(kBidi).ok());
    EXPECT_TRUE(frame.receive(peer, kOurBidi).ok());
    EXPECT_EQ(frame.receive(peer, StreamId(5)), frame.uncreated);
  }
}

TEST_F(StreamFramesTest, EveryFrameOpensAStreamOfThePeer) {
  for (const StreamFrameCase& frame : AllStreamFrames()) {
    SCOPED_TRACE(frame.name);
    StreamPeer peer(Perspective::kServer, config_);

    EXPECT_TRUE(frame.receive(peer, StreamId(8)).ok());

    EXPECT_EQ(peer.map().open_stream_count(), 3u);
    EXPECT_EQ(peer.map().PollEvent()->kind, StreamEvent::Kind::kOpened);
    peer.map().CheckInvariants();
  }
}

TEST_F(StreamFramesTest, StreamsAboveTheLimitAreRefused) {
  for (const StreamFrameCase& frame : AllStreamFrames()) {
    SCOPED_TRACE(frame.name);
    StreamPeer peer(Perspective::kServer, config_);

    EXPECT_EQ(frame.receive(peer, StreamId(40)), kStreamIdAboveLimit);
    EXPECT_TRUE(frame.receive(peer, StreamId(36)).ok());
    if (frame.is_for_recv) {
      EXPECT_EQ(frame.receive(peer, StreamId(22)), kStreamIdAboveLimit);
      EXPECT_TRUE(frame.receive(peer, StreamId(18)).ok());
    }
    EXPECT_EQ(frame.receive(peer, StreamId(StreamId::kMaxValue - 3)), kStreamIdAboveLimit);
  }
}

TEST_F(StreamFramesTest, FramesForStreamsThatAreOverAreIgnored) {
  for (const StreamFrameCase& frame : AllStreamFrames()) {
    SCOPED_TRACE(frame.name);
    StreamPeer peer(Perspective::kServer, config_);
    ASSERT_TRUE(peer.map().OnResetStreamFrame({kPeerBidi, 1, 0}, peer.context()).ok());
    ASSERT_TRUE(peer.map().Reset(kPeerBidi, 1, peer.pools()).ok());
    peer.OnAcked(peer.BuildPacket());
    peer.PollAll();
    ASSERT_FALSE(peer.map().has_open_streams());

    EXPECT_TRUE(frame.receive(peer, kPeerBidi).ok());

    EXPECT_FALSE(peer.map().has_open_streams());
    EXPECT_TRUE(peer.PollAll().empty());
    peer.map().CheckInvariants();
  }
}

TEST_F(StreamFramesTest, FatesOfFramesOfStreamsThatAreGoneAreIgnored) {
  ASSERT_TRUE(Stream(kPeerBidi, 0, "x").ok());
  ASSERT_TRUE(server_.map().Finish(kPeerBidi).ok());
  const StreamPacket first = server_.BuildPacket();
  ASSERT_TRUE(server_.map().Reset(kPeerBidi, 1, server_.pools()).ok());
  ASSERT_TRUE(server_.map().StopSending(kPeerBidi, 1, server_.pools()).ok());
  const StreamPacket second = server_.BuildPacket();
  ASSERT_TRUE(Stream(kPeerBidi, 1, "", true).ok());
  server_.OnAcked(second);
  ASSERT_FALSE(server_.map().has_open_streams());

  server_.OnAcked(first);
  server_.OnLost(first);
  server_.OnLost(second);

  EXPECT_FALSE(server_.map().HasPendingControl() && server_.map().HasPendingData());
}

// RFC 9000 §18.2: which initial limit is for whom.
TEST_F(StreamFramesTest, EachKindOfStreamHasItsOwnInitialWindow) {
  ASSERT_EQ(*server_.map().Open(kBidi), kOurBidi);
  const std::string data(501, 'x');
  const auto at_most = [&](StreamId id, uint64_t window) {
    StreamPeer peer(Perspective::kServer, config_);
    peer.map().OnPeerParameters(ParametersOf(config_));
    static_cast<void>(peer.map().Open(kBidi));
    const auto take = [&](uint64_t bytes) {
      return peer.map().OnStreamFrame({id, 0, BytesOf(data).first(bytes), false}, peer.context());
    };
    EXPECT_TRUE(take(window).ok());
    EXPECT_EQ(take(window + 1), kStreamDataAboveLimit);
  };

  at_most(kOurBidi, 300);
  at_most(kPeerBidi, 400);
  at_most(kPeerUni, 500);
}

TEST_F(StreamFramesTest, ThePeersInitialLimitsHoldForTheStreamsThatTheyAreFor) {
  ASSERT_EQ(*server_.map().Open(kBidi), kOurBidi);
  ASSERT_EQ(*server_.map().Open(kUni), kOurUni);
  ASSERT_TRUE(Stream(kPeerBidi, 0, "x").ok());
  const auto sent = [&](StreamId id) {
    StreamPeer peer(Perspective::kServer, config_);
    TransportParameters parameters = ParametersOf(config_);
    peer.map().OnPeerParameters(parameters);
    static_cast<void>(peer.map().Open(kBidi));
    static_cast<void>(peer.map().Open(kUni));
    static_cast<void>(peer.map().OnStreamFrame({kPeerBidi, 0, {}, false}, peer.context()));
    peer.Write(id, std::string(600, 'x'));
    return peer.BuildPacket().frames.at(0).range().length_bytes;
  };

  EXPECT_EQ(sent(kPeerBidi), 300u);  // "Local" to the peer that declared it.
  EXPECT_EQ(sent(kOurBidi), 400u);
  EXPECT_EQ(sent(kOurUni), 500u);
}

// RFC 9000 §4.1.
TEST_F(StreamFramesTest, DataOfAllStreamsTogetherIsLimited) {
  ASSERT_TRUE(Stream(kPeerBidi, 0, std::string(400, 'a')).ok());
  ASSERT_TRUE(Stream(StreamId(4), 0, std::string(400, 'b')).ok());
  ASSERT_TRUE(Stream(StreamId(8), 0, std::string(200, 'c')).ok());
  // Known bytes do not count again.
  ASSERT_TRUE(Stream(StreamId(8), 100, std::string(100, 'c')).ok());

  EXPECT_EQ(Stream(StreamId(8), 200, "c"), kConnectionDataAboveLimit);
}

TEST_F(StreamFramesTest, TheFinalSizeOfAResetCountsAsData) {
  ASSERT_TRUE(Stream(kPeerUni, 0, std::string(500, 'a')).ok());
  ASSERT_TRUE(Stream(StreamId(6), 0, std::string(300, 'b')).ok());

  EXPECT_EQ(Reset(kPeerBidi, 201), kConnectionDataAboveLimit);
  EXPECT_TRUE(Reset(kPeerBidi, 200).ok());
}

TEST_F(StreamFramesTest, AGapCountsAsIfItWereFilled) {
  ASSERT_TRUE(Stream(kPeerUni, 499, "x").ok());
  ASSERT_TRUE(Stream(StreamId(6), 498, "x").ok());

  EXPECT_EQ(Stream(kPeerBidi, 1, "x"), kConnectionDataAboveLimit);
}

TEST_F(StreamFramesTest, FinalSizeErrorsAreReported) {
  ASSERT_TRUE(Stream(kPeerBidi, 0, "0123", true).ok());

  EXPECT_EQ(Stream(kPeerBidi, 4, "4"), kStreamDataBeyondFinalSize);
  EXPECT_EQ(Stream(kPeerBidi, 0, "012", true), kFinalSizeChanged);
  EXPECT_EQ(Reset(kPeerBidi, 5), kFinalSizeChanged);
}

TEST_F(StreamFramesTest, DataThatChangedIsReportedAndLeavesTheMapConsistent) {
  ASSERT_TRUE(Stream(kPeerBidi, 4, "45").ok());

  EXPECT_EQ(Stream(kPeerBidi, 3, "3xx67", true), kStreamDataChanged);

  server_.map().CheckInvariants();
}

// RFC 9000 §4.1, §4.6: limits that do not rise are ignored.
TEST_F(StreamFramesTest, LowerLimitsAreIgnored) {
  ASSERT_EQ(*server_.map().Open(kBidi), kOurBidi);
  ASSERT_TRUE(server_.map().OnMaxDataFrame({10}).ok());
  ASSERT_TRUE(server_.map().OnMaxStreamDataFrame({kOurBidi, 10}).ok());
  ASSERT_TRUE(server_.map().OnMaxStreamsFrame({kBidi, 1}).ok());

  server_.Write(kOurBidi, std::string(600, 'x'));

  EXPECT_EQ(server_.BuildPacket().frames.at(0).range().length_bytes, 400u);
  EXPECT_TRUE(server_.map().Open(kBidi).ok());
}

// A peer that makes nothing but one-byte fragments.
TEST_F(StreamFramesTest, FragmentsOfOneByteTakeNoMoreThanTheirWindow) {
  StreamPeer peer(Perspective::kServer, {});
  constexpr uint64_t kWindow = uint64_t{256} << 10;

  for (uint64_t offset = kWindow - 2; offset >= 2; offset -= 2) {
    ASSERT_TRUE(
        peer.map().OnStreamFrame({kPeerUni, offset, BytesOf("x"), false}, peer.context()).ok());
  }

  EXPECT_LE(peer.map().held_bytes(), kWindow / kReceiveBlockBytes * sizeof(ReceiveBlock));
  peer.map().CheckInvariants();
}

TEST_F(StreamFramesTest, APeerThatResetsStreamAfterStreamGetsNoPlaceBeforeThatIsPolled) {
  for (uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(Reset(StreamId(4 * i + 2), 0).ok());
  EXPECT_EQ(Reset(StreamId(22), 0), kStreamIdAboveLimit);

  EXPECT_EQ(server_.PollAll().size(), 10u);

  EXPECT_TRUE(Reset(StreamId(22), 0).ok());
}

}  // namespace
}  // namespace godwit
