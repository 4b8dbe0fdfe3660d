// SPDX-License-Identifier: Apache-2.0
//
// What the application sees of streams: two StreamMaps that talk to each other.

#include "transport/streams/stream_map.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gtest/gtest.h"

#include "base/limits.h"
#include "tests/transport/streams/stream_peer.h"

namespace godwit {
namespace {

using Kind = StreamEvent::Kind;

constexpr auto kBidi = StreamDirection::kBidirectional;
constexpr auto kUni = StreamDirection::kUnidirectional;

std::vector<Kind> Kinds(const std::vector<StreamEvent>& events) {
  std::vector<Kind> kinds;
  kinds.reserve(events.size());
  for (const StreamEvent& event : events) kinds.push_back(event.kind);
  return kinds;
}

class StreamMapTest : public testing::Test {
 protected:
  StreamMapTest() {
    client_.map().OnPeerParameters(ParametersOf(config_));
    server_.map().OnPeerParameters(ParametersOf(config_));
  }
  ~StreamMapTest() override {
    client_.map().CheckInvariants();
    server_.map().CheckInvariants();
  }

  StreamId Open(StreamDirection direction) { return *client_.map().Open(direction); }

  StreamConfig config_ = {.max_streams_bidi = 3, .max_streams_uni = 2};
  StreamPeer client_{Perspective::kClient, config_};
  StreamPeer server_{Perspective::kServer, config_};
};

// ---- Opening. RFC 9000 §2.1, §4.6. ----

TEST_F(StreamMapTest, IdsCountUpInEachDirection) {
  EXPECT_EQ(Open(kBidi), StreamId(0));
  EXPECT_EQ(Open(kUni), StreamId(2));
  EXPECT_EQ(Open(kBidi), StreamId(4));
  EXPECT_EQ(*server_.map().Open(kBidi), StreamId(1));
  EXPECT_EQ(*server_.map().Open(kUni), StreamId(3));
}

TEST_F(StreamMapTest, NoStreamCanBeOpenedBeforeThePeersLimitsAreKnown) {
  StreamPeer peer(Perspective::kClient, config_);

  EXPECT_EQ(peer.map().Open(kBidi).status().code(), absl::StatusCode::kResourceExhausted);
  peer.map().OnPeerParameters(ParametersOf(config_));

  EXPECT_EQ(Kinds(peer.PollAll()), (std::vector<Kind>{Kind::kStreamsAvailable}));
  EXPECT_TRUE(peer.map().Open(kBidi).ok());
}

TEST_F(StreamMapTest, ARefusedOpenIsFollowedByStreamsAvailableWhenAStreamIsOver) {
  const StreamId id = Open(kUni);
  Open(kUni);
  EXPECT_EQ(client_.map().Open(kUni).status().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(client_.map().Finish(id).ok());
  Exchange(client_, server_);
  EXPECT_EQ(Kinds(server_.PollAll()), (std::vector<Kind>{Kind::kOpened, Kind::kFinished}));

  Exchange(client_, server_);

  EXPECT_EQ(client_.PollAll(),
            (std::vector<StreamEvent>{{Kind::kSendComplete, kUni, id, 0},
                                      {Kind::kStreamsAvailable, kUni, StreamId(), 0}}));
  EXPECT_EQ(*client_.map().Open(kUni), StreamId(10));
}

TEST_F(StreamMapTest, ABidirectionalStreamMakesRoomOnceBothDirectionsAreOver) {
  const StreamId id = Open(kBidi);
  Open(kBidi);
  Open(kBidi);
  ASSERT_FALSE(client_.map().Open(kBidi).ok());
  ASSERT_TRUE(client_.map().Finish(id).ok());
  Exchange(client_, server_);
  server_.PollAll();
  Exchange(client_, server_);
  EXPECT_FALSE(client_.map().Open(kBidi).ok());

  ASSERT_TRUE(server_.map().Finish(id).ok());
  Exchange(client_, server_);

  EXPECT_TRUE(client_.map().Open(kBidi).ok());
  EXPECT_EQ(server_.map().open_stream_count(), 0u);
}

TEST_F(StreamMapTest, AHigherStreamOpensTheLowerOnesOfItsKind) {
  Open(kBidi);
  const StreamId id = Open(kBidi);
  client_.Write(id, "x");

  Exchange(client_, server_);

  EXPECT_EQ(server_.PollAll(), (std::vector<StreamEvent>{{Kind::kOpened, kBidi, StreamId(0), 0},
                                                         {Kind::kOpened, kBidi, StreamId(4), 0},
                                                         {Kind::kReadable, kBidi, id, 0}}));
  server_.Write(StreamId(0), "unasked");
  Exchange(client_, server_);
  EXPECT_EQ(client_.Read(StreamId(0)), "unasked");
}

// ---- Writing and reading ----

TEST_F(StreamMapTest, DataArrivesInBothDirections) {
  const StreamId id = Open(kBidi);
  client_.Write(id, "question");
  Exchange(client_, server_);
  EXPECT_EQ(server_.Read(id), "question");

  server_.Write(id, "answer");
  Exchange(client_, server_);

  EXPECT_EQ(client_.Read(id), "answer");
}

TEST_F(StreamMapTest, CordsArriveLikeBytes) {
  const StreamId id = Open(kUni);
  const std::string text(50'000, 'c');

  EXPECT_EQ(*client_.map().Write(id, absl::Cord(text), client_.pools()), text.size());
  Exchange(client_, server_);

  EXPECT_EQ(server_.Read(id), text);
}

TEST_F(StreamMapTest, AnEndWithoutDataFinishesTheStream) {
  const StreamId id = Open(kUni);
  ASSERT_TRUE(client_.map().Finish(id).ok());

  Exchange(client_, server_);

  EXPECT_EQ(Kinds(server_.PollAll()), (std::vector<Kind>{Kind::kOpened, Kind::kFinished}));
  EXPECT_FALSE(server_.map().has_open_streams());
  EXPECT_FALSE(client_.map().has_open_streams());
}

TEST_F(StreamMapTest, AFinishedStreamStaysUntilItIsRead) {
  const StreamId id = Open(kUni);
  client_.Write(id, "text");
  ASSERT_TRUE(client_.map().Finish(id).ok());
  Exchange(client_, server_);
  EXPECT_EQ(Kinds(server_.PollAll()),
            (std::vector<Kind>{Kind::kOpened, Kind::kReadable, Kind::kFinished}));

  EXPECT_EQ(server_.map().open_stream_count(), 1u);
  EXPECT_EQ(server_.Read(id), "text");

  EXPECT_EQ(server_.map().open_stream_count(), 0u);
}

TEST_F(StreamMapTest, AStreamThatWasReadStaysUntilItsEndIsPolled) {
  const StreamId id = Open(kUni);
  client_.Write(id, "text");
  ASSERT_TRUE(client_.map().Finish(id).ok());
  Exchange(client_, server_);
  EXPECT_EQ(server_.Read(id), "text");

  const auto state = server_.map().read_state(id);
  ASSERT_TRUE(state.ok());
  EXPECT_TRUE(state->is_finished);
  EXPECT_EQ(state->final_size, 4u);
  EXPECT_EQ(Kinds(server_.PollAll()), (std::vector<Kind>{Kind::kOpened, Kind::kFinished}));

  EXPECT_EQ(server_.map().open_stream_count(), 0u);
}

TEST_F(StreamMapTest, SendCompleteComesOnceThePeerHasAllData) {
  const StreamId id = Open(kBidi);
  client_.Write(id, "text");
  ASSERT_TRUE(client_.map().Finish(id).ok());
  const StreamPacket packet = client_.BuildPacket();
  EXPECT_TRUE(client_.PollAll().empty());

  client_.OnAcked(packet);
  EXPECT_EQ(client_.PollAll(), (std::vector<StreamEvent>{{Kind::kSendComplete, kBidi, id, 0}}));
  client_.OnAcked(packet);

  EXPECT_TRUE(client_.PollAll().empty());
}

TEST_F(StreamMapTest, ReadableIsToldOnceUntilItIsPolled) {
  const StreamId id = Open(kUni);
  client_.Write(id, "a");
  Exchange(client_, server_);
  client_.Write(id, "b");
  Exchange(client_, server_);
  EXPECT_EQ(Kinds(server_.PollAll()), (std::vector<Kind>{Kind::kOpened, Kind::kReadable}));
  EXPECT_TRUE(server_.PollAll().empty());

  client_.Write(id, "c");
  Exchange(client_, server_);

  EXPECT_EQ(Kinds(server_.PollAll()), (std::vector<Kind>{Kind::kReadable}));
  EXPECT_EQ(server_.Read(id), "abc");
}

TEST_F(StreamMapTest, ReadableIsNotToldOfWhatWasReadBefore) {
  const StreamId id = Open(kUni);
  client_.Write(id, "a");
  Exchange(client_, server_);
  EXPECT_EQ(server_.Read(id), "a");

  EXPECT_EQ(Kinds(server_.PollAll()), (std::vector<Kind>{Kind::kOpened}));
}

TEST_F(StreamMapTest, BorrowedDataIsReadableAfterTheDatagramIsGone) {
  const StreamId id = Open(kUni);
  client_.Write(id, "kept");
  StreamPacket packet = client_.BuildPacket();
  ASSERT_TRUE(server_.Receive(packet.payload).ok());
  EXPECT_EQ(server_.map().held_bytes(), 0u);

  server_.EndBatch();
  packet.payload.assign(packet.payload.size(), 0xee);

  EXPECT_EQ(server_.Peek(id), "kept");
  EXPECT_EQ(server_.map().held_bytes(), sizeof(ReceiveBlock));
}

// ---- Reset and StopSending. RFC 9000 §3.5. ----

TEST_F(StreamMapTest, AResetIsToldWithItsErrorAndDropsWhatWasNotRead) {
  const StreamId id = Open(kBidi);
  client_.Write(id, "text");
  Exchange(client_, server_);
  ASSERT_TRUE(client_.map().Reset(id, 42, client_.pools()).ok());

  Exchange(client_, server_);

  const auto state = server_.map().read_state(id);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->reset_error, 42u);
  EXPECT_EQ(state->readable_bytes, 0u);
  EXPECT_EQ(server_.PollAll(), (std::vector<StreamEvent>{{Kind::kOpened, kBidi, id, 0},
                                                         {Kind::kReset, kBidi, id, 42}}));
}

TEST_F(StreamMapTest, AResetUnidirectionalStreamIsGoneOnceItIsTold) {
  const StreamId id = Open(kUni);
  ASSERT_TRUE(client_.map().Reset(id, 42, client_.pools()).ok());
  Exchange(client_, server_);
  EXPECT_FALSE(client_.map().has_open_streams());
  EXPECT_TRUE(server_.map().has_open_streams());

  server_.PollAll();

  EXPECT_FALSE(server_.map().has_open_streams());
}

TEST_F(StreamMapTest, StopSendingIsAnsweredByAResetWithItsError) {
  const StreamId id = Open(kBidi);
  client_.Write(id, "text");
  Exchange(client_, server_);
  server_.PollAll();

  ASSERT_TRUE(server_.map().StopSending(id, 7, server_.pools()).ok());
  Exchange(client_, server_);

  EXPECT_EQ(client_.PollAll(), (std::vector<StreamEvent>{{Kind::kStopped, kBidi, id, 7}}));
  EXPECT_EQ(client_.map().Write(id, BytesOf("x"), client_.pools()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(server_.map().read_state(id)->reset_error, 7u);
  // Who stopped reading wants to hear nothing more.
  EXPECT_TRUE(server_.PollAll().empty());
}

TEST_F(StreamMapTest, StopSendingOfAllDataMakesTheStreamGo) {
  const StreamId id = Open(kUni);
  client_.Write(id, "text");
  ASSERT_TRUE(client_.map().Finish(id).ok());
  Exchange(client_, server_);

  ASSERT_TRUE(server_.map().StopSending(id, 7, server_.pools()).ok());

  EXPECT_FALSE(server_.map().has_open_streams());
  EXPECT_TRUE(server_.PollAll().empty());
}

TEST_F(StreamMapTest, StopSendingAfterAllWasSentIsAnsweredByAResetToo) {
  const StreamId id = Open(kBidi);
  client_.Write(id, "text");
  ASSERT_TRUE(client_.map().Finish(id).ok());
  const StreamPacket lost = client_.BuildPacket();

  ASSERT_TRUE(client_.map().OnStopSendingFrame({id, 9}, client_.context()).ok());

  const StreamPacket packet = client_.BuildPacket();
  ASSERT_EQ(packet.frames.size(), 1u);
  EXPECT_EQ(packet.frames[0].kind(), FrameKind::kResetStream);
}

TEST_F(StreamMapTest, StopSendingForDataThatThePeerHasIsIgnored) {
  const StreamId id = Open(kBidi);
  ASSERT_TRUE(client_.map().Finish(id).ok());
  client_.OnAcked(client_.BuildPacket());
  client_.PollAll();

  ASSERT_TRUE(client_.map().OnStopSendingFrame({id, 9}, client_.context()).ok());

  EXPECT_TRUE(client_.PollAll().empty());
  EXPECT_FALSE(client_.map().HasPendingControl());
}

// ---- Mistakes of the application ----

TEST_F(StreamMapTest, UnknownStreamsAreNotFound) {
  const absl::Status status = client_.map().Finish(StreamId(0));

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("never opened"), std::string::npos);
}

TEST_F(StreamMapTest, StreamsThatAreOverAreNotFound) {
  const StreamId id = Open(kUni);
  ASSERT_TRUE(client_.map().Reset(id, 1, client_.pools()).ok());
  client_.OnAcked(client_.BuildPacket());

  const absl::Status status = client_.map().Finish(id);

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("is over"), std::string::npos);
}

TEST_F(StreamMapTest, UnidirectionalStreamsRefuseTheOtherDirection) {
  const StreamId id = Open(kUni);
  client_.Write(id, "x");
  Exchange(client_, server_);

  EXPECT_EQ(client_.map().StopSending(id, 1, client_.pools()).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_.map().read_state(id).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_.map().Consume(id, 0, client_.context()).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server_.map().Finish(id).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server_.map().Reset(id, 1, server_.pools()).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server_.map().SetPriority(id, {}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(StreamMapTest, NothingIsWrittenAfterTheEndOrAReset) {
  const StreamId finished = Open(kBidi);
  const StreamId reset = Open(kBidi);
  ASSERT_TRUE(client_.map().Finish(finished).ok());
  ASSERT_TRUE(client_.map().Reset(reset, 1, client_.pools()).ok());

  for (const StreamId id : {finished, reset}) {
    EXPECT_EQ(client_.map().Write(id, BytesOf("x"), client_.pools()).status().code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(client_.map().Finish(id).code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(client_.map().Reset(reset, 1, client_.pools()).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(client_.map().Reset(finished, 1, client_.pools()).ok());
}

TEST_F(StreamMapTest, NothingIsReadAfterStopSending) {
  const StreamId id = Open(kBidi);
  ASSERT_TRUE(client_.map().StopSending(id, 1, client_.pools()).ok());

  EXPECT_EQ(client_.map().StopSending(id, 1, client_.pools()).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(client_.map().Consume(id, 0, client_.context()).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(StreamMapTest, NoMoreIsConsumedThanIsReadable) {
  const StreamId id = Open(kUni);
  client_.Write(id, "text");
  Exchange(client_, server_);

  EXPECT_EQ(server_.map().Consume(id, 5, server_.context()).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server_.Peek(id), "text");
}

TEST_F(StreamMapTest, NumbersThatCannotBeSentAreRefused) {
  const StreamId id = Open(kBidi);

  EXPECT_EQ(client_.map().Reset(id, kMaxVarint + 1, client_.pools()).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_.map().StopSending(id, kMaxVarint + 1, client_.pools()).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_.map().SetPriority(id, {.urgency = 8}).code(),
            absl::StatusCode::kInvalidArgument);
}

// ---- The end ----

// ---- Whose turn it is ----

// Which stream's data follows which in the packets of `peer`.
std::vector<StreamId> SendingOrder(StreamPeer& peer) {
  std::vector<StreamId> order;
  while (true) {
    const StreamPacket packet = peer.BuildPacket();
    if (packet.frames.empty()) return order;
    for (const SentFrame& frame : packet.frames) {
      if (frame.kind() != FrameKind::kStream) continue;
      if (order.empty() || order.back() != frame.stream_id()) order.push_back(frame.stream_id());
    }
  }
}

TEST_F(StreamMapTest, ShortStreamsThatAreFinishedGoOneAfterTheOther) {
  std::vector<StreamId> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(Open(kBidi));
    client_.Write(ids.back(), std::string(4'000, 'a'));
    ASSERT_TRUE(client_.map().Finish(ids.back()).ok());
  }

  EXPECT_EQ(SendingOrder(client_), ids);
}

TEST_F(StreamMapTest, ShortStreamsThatMayGoOnTakeTurns) {
  for (int i = 0; i < 3; ++i) client_.Write(Open(kBidi), std::string(4'000, 'a'));

  EXPECT_GE(SendingOrder(client_).size(), 6u);
}

TEST_F(StreamMapTest, LongStreamsTakeTurnsAlsoIfTheyAreFinished) {
  for (int i = 0; i < 3; ++i) {
    const StreamId id = Open(kBidi);
    client_.Write(id, std::string(12'000, 'a'));
    ASSERT_TRUE(client_.map().Finish(id).ok());
  }

  EXPECT_GE(SendingOrder(client_).size(), 15u);
}

TEST_F(StreamMapTest, ReleaseAllGivesEveryBlockBack) {
  const StreamId a = Open(kBidi);
  const StreamId b = Open(kUni);
  client_.Write(a, std::string(30'000, 'a'));
  client_.Write(b, std::string(30'000, 'b'));
  Exchange(client_, server_);
  server_.Write(a, std::string(30'000, 'c'));
  const size_t send_blocks = server_.pools().send_blocks.free_count();
  const size_t receive_blocks = server_.pools().receive_blocks.free_count();

  server_.map().ReleaseAll(server_.pools());

  EXPECT_EQ(server_.map().held_bytes(), 0u);
  EXPECT_FALSE(server_.map().has_open_streams());
  EXPECT_FALSE(server_.map().HasPendingData());
  EXPECT_EQ(server_.pools().send_blocks.free_count(), send_blocks + 4);
  EXPECT_GE(server_.pools().receive_blocks.free_count(), receive_blocks + 14);
}

TEST_F(StreamMapTest, ReleaseAllLetsGoOfBorrowedData) {
  const StreamId id = Open(kUni);
  client_.Write(id, "text");
  const StreamPacket packet = client_.BuildPacket();
  ASSERT_TRUE(server_.Receive(packet.payload).ok());

  server_.map().ReleaseAll(server_.pools());
  server_.EndBatch();

  EXPECT_EQ(server_.map().held_bytes(), 0u);
}

}  // namespace
}  // namespace godwit
