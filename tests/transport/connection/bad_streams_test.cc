// SPDX-License-Identifier: Apache-2.0
//
// What a peer can do wrong with streams and flow control. RFC 9000 §2.2, §3, §4, §19.

#include <cstdint>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/protocol_errors.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/connection/stage_expectations.h"

namespace godwit {
namespace {

// RFC 9000 §2.1, seen by a server.
constexpr uint64_t kClientBidi = 0;
constexpr uint64_t kServerBidi = 1;
constexpr uint64_t kClientUni = 2;
constexpr uint64_t kServerUni = 3;

class BadStreamsTest : public testing::Test {
 protected:
  BadStreamsTest() : stage_(Options()) { stage_.CompleteHandshake(); }

  static StageOptions Options() {
    StageOptions options;
    options.config.streams.initial_max_data = 10'000;
    options.config.streams.initial_max_stream_data_bidi_local = 4'000;
    options.config.streams.initial_max_stream_data_bidi_remote = 4'000;
    options.config.streams.initial_max_stream_data_uni = 4'000;
    options.config.streams.max_streams_bidi = 10;
    options.config.streams.max_streams_uni = 10;
    return options;
  }

  // The frame comes alone, after what is harmless.
  void ExpectFatal(const raw::Bytes& frame, const ProtocolError& error) {
    ExpectOpen(stage_);
    stage_.Send(frame);
    ExpectClosedFor(stage_, error, frame[0]);
  }

  PuppetStage stage_;
};

// ---- Flow control ----

TEST_F(BadStreamsTest, DataUpToTheStreamsLimitIsTaken) {
  for (uint64_t offset = 0; offset < 4'000; offset += 1'000) {
    stage_.Send(raw::Stream(kClientBidi, offset, raw::Bytes(1'000)));
  }

  ExpectOpen(stage_);
}

TEST_F(BadStreamsTest, DataAboveTheStreamsLimit) {
  ExpectFatal(raw::Stream(kClientBidi, 3'999, BytesOf("xy")), kStreamDataAboveLimit);
}

TEST_F(BadStreamsTest, DataAboveTheLimitOfAUnidirectionalStream) {
  ExpectFatal(raw::Stream(kClientUni, 4'000, BytesOf("x")), kStreamDataAboveLimit);
}

TEST_F(BadStreamsTest, DataAboveTheLimitOfAStreamOfOurs) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kBidirectional);
  ASSERT_EQ(id.value(), kServerBidi);
  ASSERT_TRUE(stage_.subject().WriteStream(id, BytesOf("hello")).ok());
  stage_.Pump();

  ExpectFatal(raw::Stream(kServerBidi, 4'000, BytesOf("x")), kStreamDataAboveLimit);
}

TEST_F(BadStreamsTest, DataAboveTheConnectionsLimit) {
  stage_.Send(raw::Stream(0, 3'999, BytesOf("x")));
  stage_.Send(raw::Stream(4, 3'999, BytesOf("x")));

  ExpectFatal(raw::Stream(8, 2'000, BytesOf("x")), kConnectionDataAboveLimit);
}

TEST_F(BadStreamsTest, FinalSizeCountsTowardsTheConnectionsLimit) {
  stage_.Send(raw::Stream(0, 3'999, BytesOf("x")));
  stage_.Send(raw::Stream(4, 3'999, BytesOf("x")));

  ExpectFatal(raw::ResetStream(8, 0, 2'001), kConnectionDataAboveLimit);
}

TEST_F(BadStreamsTest, FinalSizeAboveTheStreamsLimit) {
  ExpectFatal(raw::ResetStream(kClientBidi, 0, 4'001), kStreamDataAboveLimit);
}

TEST_F(BadStreamsTest, EmptyFrameAboveTheStreamsLimit) {
  ExpectFatal(raw::Stream(kClientBidi, 4'001, {}), kStreamDataAboveLimit);
}

// ---- Content and final size ----

TEST_F(BadStreamsTest, OtherDataForAnOffset) {
  stage_.Send(raw::Stream(kClientBidi, 10, BytesOf("right")));

  ExpectFatal(raw::Stream(kClientBidi, 10, BytesOf("wrong")), kStreamDataChanged);
}

TEST_F(BadStreamsTest, ResetWithAnotherFinalSize) {
  stage_.Send(raw::Stream(kClientBidi, 0, BytesOf("hello"), /*fin=*/true));

  ExpectFatal(raw::ResetStream(kClientBidi, 0, 6), kFinalSizeChanged);
}

TEST_F(BadStreamsTest, SecondFinWithAnotherFinalSize) {
  stage_.Send(raw::Stream(kClientBidi, 2, BytesOf("hello"), /*fin=*/true));

  ExpectFatal(raw::Stream(kClientBidi, 0, BytesOf("he"), /*fin=*/true), kFinalSizeChanged);
}

TEST_F(BadStreamsTest, SecondResetWithAnotherFinalSize) {
  stage_.Send(raw::ResetStream(kClientBidi, 0, 5));

  ExpectFatal(raw::ResetStream(kClientBidi, 0, 6), kFinalSizeChanged);
}

TEST_F(BadStreamsTest, FinalSizeBelowDataThatCame) {
  stage_.Send(raw::Stream(kClientBidi, 0, BytesOf("hello")));

  ExpectFatal(raw::ResetStream(kClientBidi, 0, 4), kFinalSizeBelowReceivedData);
}

TEST_F(BadStreamsTest, FinBelowDataThatCame) {
  stage_.Send(raw::Stream(kClientBidi, 5, BytesOf("hello")));

  ExpectFatal(raw::Stream(kClientBidi, 0, BytesOf("he"), /*fin=*/true),
              kFinalSizeBelowReceivedData);
}

TEST_F(BadStreamsTest, DataBeyondTheFinalSize) {
  stage_.Send(raw::Stream(kClientBidi, 2, BytesOf("hello"), /*fin=*/true));

  ExpectFatal(raw::Stream(kClientBidi, 6, BytesOf("xy")), kStreamDataBeyondFinalSize);
}

TEST_F(BadStreamsTest, DataBeyondTheFinalSizeOfAReset) {
  stage_.Send(raw::ResetStream(kClientBidi, 0, 5));

  ExpectFatal(raw::Stream(kClientBidi, 5, BytesOf("x")), kStreamDataBeyondFinalSize);
}

// ---- Limits of streams: RFC 9000 §4.6 ----

TEST_F(BadStreamsTest, LastStreamOfTheLimitIsTaken) {
  stage_.Send(raw::Join(raw::Stream(9 * 4 + kClientBidi, 0, BytesOf("x")),
                        raw::Stream(9 * 4 + kClientUni, 0, BytesOf("x"))));

  ExpectOpen(stage_);
  EXPECT_EQ(stage_.CountEvents(StreamEvent::Kind::kOpened), 20u);
}

TEST_F(BadStreamsTest, StreamAboveTheLimit) {
  ExpectFatal(raw::Stream(10 * 4 + kClientBidi, 0, {}), kStreamIdAboveLimit);
}

TEST_F(BadStreamsTest, UnidirectionalStreamAboveTheLimit) {
  ExpectFatal(raw::Stream(10 * 4 + kClientUni, 0, {}), kStreamIdAboveLimit);
}

TEST_F(BadStreamsTest, LastStreamOfAll) {
  ExpectFatal(raw::Stream(kMaxVarint & ~uint64_t{3}, 0, {}), kStreamIdAboveLimit);
}

TEST_F(BadStreamsTest, ResetOfAStreamAboveTheLimit) {
  ExpectFatal(raw::ResetStream(10 * 4 + kClientBidi, 0, 0), kStreamIdAboveLimit);
}

TEST_F(BadStreamsTest, StopSendingOfAStreamAboveTheLimit) {
  ExpectFatal(raw::StopSending(10 * 4 + kClientBidi, 0), kStreamIdAboveLimit);
}

TEST_F(BadStreamsTest, MaxStreamDataOfAStreamAboveTheLimit) {
  ExpectFatal(raw::MaxStreamData(10 * 4 + kClientBidi, 0), kStreamIdAboveLimit);
}

TEST_F(BadStreamsTest, StreamDataBlockedOfAStreamAboveTheLimit) {
  ExpectFatal(raw::StreamDataBlocked(10 * 4 + kClientUni, 0), kStreamIdAboveLimit);
}

// ---- Directions, and streams of ours that do not exist ----

TEST_F(BadStreamsTest, StreamFrameForAStreamOnWhichOnlyWeSend) {
  ExpectFatal(raw::Stream(kServerUni, 0, BytesOf("x")), kStreamFrameForSendOnlyStream);
}

TEST_F(BadStreamsTest, StreamFrameForAStreamThatWeHaveNotOpened) {
  ExpectFatal(raw::Stream(kServerBidi, 0, BytesOf("x")), kStreamFrameForUncreatedStream);
}

TEST_F(BadStreamsTest, ResetForAStreamOnWhichOnlyWeSend) {
  ExpectFatal(raw::ResetStream(kServerUni, 0, 0), kResetStreamForSendOnlyStream);
}

TEST_F(BadStreamsTest, ResetForAStreamThatWeHaveNotOpened) {
  ExpectFatal(raw::ResetStream(kServerBidi, 0, 0), kResetStreamForUncreatedStream);
}

TEST_F(BadStreamsTest, StopSendingForAStreamOnWhichOnlyThePeerSends) {
  ExpectFatal(raw::StopSending(kClientUni, 0), kStopSendingForReceiveOnlyStream);
}

TEST_F(BadStreamsTest, StopSendingForAStreamThatWeHaveNotOpened) {
  ExpectFatal(raw::StopSending(kServerUni, 0), kStopSendingForUncreatedStream);
}

TEST_F(BadStreamsTest, MaxStreamDataForAStreamOnWhichOnlyThePeerSends) {
  ExpectFatal(raw::MaxStreamData(kClientUni, 9), kMaxStreamDataForReceiveOnlyStream);
}

TEST_F(BadStreamsTest, MaxStreamDataForAStreamThatWeHaveNotOpened) {
  ExpectFatal(raw::MaxStreamData(kServerBidi, 9), kMaxStreamDataForUncreatedStream);
}

TEST_F(BadStreamsTest, StreamDataBlockedForAStreamOnWhichOnlyWeSend) {
  ExpectFatal(raw::StreamDataBlocked(kServerUni, 0), kStreamDataBlockedForSendOnlyStream);
}

TEST_F(BadStreamsTest, StreamDataBlockedForAStreamThatWeHaveNotOpened) {
  ExpectFatal(raw::StreamDataBlocked(kServerBidi, 0), kStreamDataBlockedForUncreatedStream);
}

// ---- What is no error ----

TEST_F(BadStreamsTest, FramesForAStreamThatIsOverAreIgnored) {
  stage_.Send(raw::Stream(kClientUni, 0, BytesOf("hello"), /*fin=*/true));
  EXPECT_EQ(TextOf(stage_.ReadAll(StreamId(kClientUni))), "hello");
  stage_.Settle();

  stage_.Send(raw::Stream(kClientUni, 0, BytesOf("hello"), /*fin=*/true));
  stage_.Send(raw::ResetStream(kClientUni, 7, 5));
  stage_.Send(raw::StreamDataBlocked(kClientUni, 5));

  ExpectOpen(stage_);
}

TEST_F(BadStreamsTest, LimitsThatFallAreIgnored) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kBidirectional);
  ASSERT_TRUE(stage_.subject().WriteStream(id, BytesOf("hello")).ok());
  stage_.Pump();

  stage_.Send(raw::Join(raw::MaxData(0), raw::MaxStreamData(id.value(), 0), raw::MaxStreamsBidi(0),
                        raw::MaxStreamsUni(0)));

  ExpectOpen(stage_);
  ASSERT_TRUE(stage_.subject().WriteStream(id, BytesOf(" world")).ok());
  EXPECT_NE(FindFrame<StreamFrame>(stage_.Take()), nullptr);
}

TEST_F(BadStreamsTest, AllLimitsAtTheirLargestAreTaken) {
  const StreamId id = *stage_.subject().OpenStream(StreamDirection::kBidirectional);
  ASSERT_TRUE(stage_.subject().WriteStream(id, BytesOf("hello")).ok());
  stage_.Pump();

  stage_.Send(raw::Join(raw::MaxData(kMaxVarint), raw::MaxStreamData(id.value(), kMaxVarint),
                        raw::MaxStreamsBidi(kMaxStreams), raw::MaxStreamsUni(kMaxStreams)));

  ExpectOpen(stage_);
}

}  // namespace
}  // namespace godwit
