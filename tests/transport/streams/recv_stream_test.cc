// SPDX-License-Identifier: Apache-2.0

#include "transport/streams/recv_stream.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/protocol_errors.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

using State = RecvStream::State;

constexpr StreamId kId(3);
constexpr std::string_view kText = "0123456789";
constexpr uint64_t kWindow = 100;

// A stream whose peer sends parts of kText.
struct Subject {
  StreamPools pools{SendBlockPool(16), ReceiveBlockPool(16)};
  RecvStream stream{kWindow};
  RecvStream::Outcome outcome;

  StreamContext context() {
    return {.now = Timestamp::Zero(), .smoothed_rtt = Duration::Milliseconds(10), .pools = &pools};
  }

  Result Data(uint64_t begin, uint64_t end, bool is_fin = false) {
    const auto* const bytes = reinterpret_cast<const uint8_t*>(kText.data());
    return stream.OnData({begin, {bytes + begin, end - begin}, is_fin}, context(), outcome);
  }
  Result Reset(uint64_t final_size_bytes, uint64_t error_code = 5) {
    return stream.OnReset({final_size_bytes, error_code}, pools.receive_blocks, outcome);
  }
  void ReadAll() { stream.Consume(stream.readable_bytes(), context(), kMaxVarint); }

  std::vector<Frame> WriteControl(uint64_t number) {
    std::vector<uint8_t> payload(100);
    FrameWriter writer(payload,
                       {EncryptionLevel::kOneRtt, PacketMode::kNormal, PacketNumber(number)});
    EXPECT_TRUE(stream.WriteControlFrames(kId, writer));
    std::vector<Frame> frames;
    if (!writer.has_frames()) return frames;
    FrameDecoder decoder(std::span<const uint8_t>(payload).first(writer.frames_size()),
                         EncryptionLevel::kOneRtt, Perspective::kClient);
    while (!decoder.is_done()) EXPECT_TRUE(decoder.Next(&frames.emplace_back()).ok());
    return frames;
  }
};

class RecvStreamTest : public testing::Test {
 protected:
  ~RecvStreamTest() override { s_.stream.CheckInvariants(); }

  Subject s_;
};

TEST_F(RecvStreamTest, DataInOrderIsReadable) {
  ASSERT_TRUE(s_.Data(0, 4).ok());

  EXPECT_TRUE(s_.outcome.has_more_to_read);
  EXPECT_FALSE(s_.outcome.has_ended);
  EXPECT_EQ(s_.stream.readable_bytes(), 4u);
  EXPECT_EQ(s_.stream.received_bytes(), 4u);
  EXPECT_EQ(s_.stream.credited_bytes(), 0u);
}

TEST_F(RecvStreamTest, DataBehindAGapCountsButIsNotReadable) {
  ASSERT_TRUE(s_.Data(4, 6).ok());

  EXPECT_FALSE(s_.outcome.has_more_to_read);
  EXPECT_EQ(s_.stream.received_bytes(), 6u);
}

// RFC 9000 §4.1.
TEST_F(RecvStreamTest, DataUpToTheLimitIsTaken) {
  const std::vector<uint8_t> bytes(kWindow);

  EXPECT_TRUE(s_.stream.OnData({0, bytes, false}, s_.context(), s_.outcome).ok());
}

TEST_F(RecvStreamTest, DataBeyondTheLimitIsRefused) {
  const std::vector<uint8_t> bytes(1);

  EXPECT_EQ(s_.stream.OnData({kWindow, bytes, false}, s_.context(), s_.outcome),
            kStreamDataAboveLimit);
}

TEST_F(RecvStreamTest, AResetWithAFinalSizeBeyondTheLimitIsRefused) {
  EXPECT_EQ(s_.Reset(kWindow + 1), kStreamDataAboveLimit);
  EXPECT_TRUE(s_.Reset(kWindow).ok());
}

// RFC 9000 §4.5.
TEST_F(RecvStreamTest, TheFinalSizeDoesNotChange) {
  ASSERT_TRUE(s_.Data(0, 4, true).ok());

  EXPECT_EQ(s_.Data(0, 3, true), kFinalSizeChanged);
  EXPECT_EQ(s_.Data(0, 5, true), kFinalSizeChanged);
  EXPECT_EQ(s_.Data(4, 5), kStreamDataBeyondFinalSize);
  EXPECT_EQ(s_.Reset(3), kFinalSizeChanged);
  EXPECT_TRUE(s_.Data(2, 4, true).ok());
}

TEST_F(RecvStreamTest, AFinalSizeBelowReceivedDataIsRefused) {
  ASSERT_TRUE(s_.Data(2, 6).ok());

  EXPECT_EQ(s_.Data(0, 5, true), kFinalSizeBelowReceivedData);
  EXPECT_EQ(s_.Reset(5), kFinalSizeBelowReceivedData);
}

TEST_F(RecvStreamTest, TheRulesOfTheFinalSizeHoldAfterAResetToo) {
  ASSERT_TRUE(s_.Data(0, 4).ok());
  ASSERT_TRUE(s_.Reset(8).ok());

  EXPECT_EQ(s_.Reset(9), kFinalSizeChanged);
  EXPECT_EQ(s_.Data(7, 9), kStreamDataBeyondFinalSize);
  EXPECT_EQ(s_.Data(4, 6, true), kFinalSizeChanged);
  EXPECT_TRUE(s_.Data(4, 8, true).ok());
}

TEST_F(RecvStreamTest, TheEndIsToldOnceAllDataIsThere) {
  ASSERT_TRUE(s_.Data(4, 10, true).ok());
  EXPECT_FALSE(s_.outcome.has_ended);

  ASSERT_TRUE(s_.Data(0, 4).ok());
  EXPECT_TRUE(s_.outcome.has_ended);
  ASSERT_TRUE(s_.Data(0, 10, true).ok());
  EXPECT_FALSE(s_.outcome.has_ended);
}

TEST_F(RecvStreamTest, AnEmptyStreamEndsAtOnce) {
  ASSERT_TRUE(s_.Data(0, 0, true).ok());

  EXPECT_TRUE(s_.outcome.has_ended);
  EXPECT_TRUE(s_.stream.is_consumed());
}

TEST_F(RecvStreamTest, AResetDropsWhatWasNotReadAndCreditsAll) {
  ASSERT_TRUE(s_.Data(0, 4).ok());
  s_.stream.Consume(1, s_.context(), kMaxVarint);

  ASSERT_TRUE(s_.Reset(10, 99).ok());

  EXPECT_TRUE(s_.outcome.has_ended);
  EXPECT_EQ(s_.stream.readable_bytes(), 0u);
  EXPECT_EQ(s_.stream.received_bytes(), 10u);
  EXPECT_EQ(s_.stream.credited_bytes(), 10u);
  EXPECT_EQ(s_.stream.reset_error(), 99u);
}

TEST_F(RecvStreamTest, AResetAfterAllDataIsIgnored) {
  ASSERT_TRUE(s_.Data(0, 10, true).ok());

  ASSERT_TRUE(s_.Reset(10).ok());

  EXPECT_FALSE(s_.outcome.has_ended);
  EXPECT_EQ(s_.stream.readable_bytes(), 10u);
  EXPECT_FALSE(s_.stream.reset_error().has_value());
}

TEST_F(RecvStreamTest, AfterStopSendingDataIsCreditedAsItComes) {
  ASSERT_TRUE(s_.Data(0, 4).ok());
  s_.stream.StopSending(3, s_.pools.receive_blocks);
  EXPECT_EQ(s_.stream.credited_bytes(), 4u);

  ASSERT_TRUE(s_.Data(6, 9).ok());

  EXPECT_FALSE(s_.outcome.has_more_to_read);
  EXPECT_EQ(s_.stream.received_bytes(), 9u);
  EXPECT_EQ(s_.stream.credited_bytes(), 9u);
  EXPECT_EQ(s_.stream.allocated_bytes(), 0u);
}

TEST_F(RecvStreamTest, StopSendingIsSentUntilThePeerHasIt) {
  s_.stream.StopSending(3, s_.pools.receive_blocks);
  const std::vector<Frame> frames = s_.WriteControl(1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].As<StopSendingFrame>().application_error_code, 3u);

  s_.stream.OnStopSendingLost(PacketNumber(1));
  ASSERT_EQ(s_.WriteControl(2).size(), 1u);
  s_.stream.OnStopSendingAcked(PacketNumber(2));

  EXPECT_FALSE(s_.stream.HasPendingControl());
}

TEST_F(RecvStreamTest, AStoppedStreamWhoseEndIsKnownNeedsNoStopSending) {
  s_.stream.StopSending(3, s_.pools.receive_blocks);

  ASSERT_TRUE(s_.Data(4, 10, true).ok());

  EXPECT_FALSE(s_.stream.HasPendingControl());
  EXPECT_TRUE(s_.stream.is_over());
}

TEST_F(RecvStreamTest, ReadingAQuarterOfTheWindowRaisesTheLimit) {
  ASSERT_TRUE(
      s_.stream.OnData({0, std::vector<uint8_t>(25), false}, s_.context(), s_.outcome).ok());

  EXPECT_TRUE(s_.stream.Consume(25, s_.context(), kWindow));

  const std::vector<Frame> frames = s_.WriteControl(1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].As<MaxStreamDataFrame>().maximum_bytes, 125u);
}

TEST_F(RecvStreamTest, ALostLimitIsSentAgainAsItIsByThen) {
  const std::vector<uint8_t> bytes(50);
  ASSERT_TRUE(s_.stream.OnData({0, bytes, false}, s_.context(), s_.outcome).ok());
  ASSERT_TRUE(s_.stream.Consume(25, s_.context(), kWindow));
  ASSERT_EQ(s_.WriteControl(1).size(), 1u);
  s_.stream.OnMaxDataLost(PacketNumber(1));
  ASSERT_TRUE(s_.stream.Consume(25, s_.context(), kWindow));

  const std::vector<Frame> frames = s_.WriteControl(2);

  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].As<MaxStreamDataFrame>().maximum_bytes, 150u);
}

TEST_F(RecvStreamTest, NoLimitIsRaisedOnceTheSizeIsKnown) {
  const std::vector<uint8_t> bytes(60);
  ASSERT_TRUE(s_.stream.OnData({0, bytes, false}, s_.context(), s_.outcome).ok());
  ASSERT_TRUE(s_.stream.Consume(30, s_.context(), kWindow));
  ASSERT_TRUE(s_.stream.OnData({70, bytes, true}, s_.context(), s_.outcome).ok());
  EXPECT_FALSE(s_.stream.HasPendingControl());

  EXPECT_FALSE(s_.stream.Consume(30, s_.context(), kWindow));
}

// RFC 9000 §4.1: the update may have been lost.
TEST_F(RecvStreamTest, APeerBlockedAtAnOldLimitIsToldTheCurrentOneAgain) {
  ASSERT_TRUE(
      s_.stream.OnData({0, std::vector<uint8_t>(25), false}, s_.context(), s_.outcome).ok());
  ASSERT_TRUE(s_.stream.Consume(25, s_.context(), kWindow));
  ASSERT_EQ(s_.WriteControl(1).size(), 1u);
  s_.stream.OnMaxDataAcked(PacketNumber(1));

  EXPECT_FALSE(s_.stream.OnPeerBlocked(125));
  EXPECT_TRUE(s_.stream.OnPeerBlocked(100));

  const std::vector<Frame> frames = s_.WriteControl(2);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].As<MaxStreamDataFrame>().maximum_bytes, 125u);
}

TEST_F(RecvStreamTest, DataThatChangedLeavesTheStreamConsistent) {
  ASSERT_TRUE(s_.Data(4, 6).ok());

  // RFC 9000 §2.2.
  EXPECT_EQ(s_.stream.OnData({4, std::vector<uint8_t>(4, 'x'), true}, s_.context(), s_.outcome),
            kStreamDataChanged);

  s_.stream.CheckInvariants();
}

// ---- Every event in every state of RFC 9000 §3.2 ----

enum class Event : uint8_t {
  kData,
  kFinWithGap,
  kAllData,
  kReset,
  kReadAll,
  kEndReported,
  kStop,
};
constexpr std::array kAllEvents = {Event::kData,  Event::kFinWithGap, Event::kAllData,
                                   Event::kReset, Event::kReadAll,    Event::kEndReported,
                                   Event::kStop};

void Apply(Event event, Subject& subject) {
  switch (event) {
    case Event::kData:
      ASSERT_TRUE(subject.Data(0, 2).ok());
      return;
    case Event::kFinWithGap:
      ASSERT_TRUE(subject.Data(8, 10, true).ok());
      return;
    case Event::kAllData:
      ASSERT_TRUE(subject.Data(0, 10, true).ok());
      return;
    case Event::kReset:
      ASSERT_TRUE(subject.Reset(10).ok());
      return;
    case Event::kReadAll:
      return subject.ReadAll();
    case Event::kEndReported: {
      // Nothing is told of a stream that goes on.
      const State state = subject.stream.state();
      if (state == State::kRecv || state == State::kSizeKnown) return;
      return subject.stream.OnEndReported();
    }
    case Event::kStop:
      if (subject.stream.is_stopped() || subject.stream.is_over()) return;
      return subject.stream.StopSending(1, subject.pools.receive_blocks);
  }
}

const std::vector<std::pair<State, std::vector<Event>>> kWays = {
    {State::kRecv, {}},
    {State::kSizeKnown, {Event::kFinWithGap}},
    {State::kDataRecvd, {Event::kAllData}},
    {State::kDataRead, {Event::kAllData, Event::kReadAll, Event::kEndReported}},
    {State::kResetRecvd, {Event::kReset}},
    {State::kResetRead, {Event::kReset, Event::kEndReported}}};

State Expected(State state, Event event) {
  switch (event) {
    case Event::kData:
    case Event::kReadAll:  // Not all, as the application does not know yet that it is.
      return state;
    case Event::kFinWithGap:
      return state == State::kRecv ? State::kSizeKnown : state;
    case Event::kAllData:
      return state == State::kRecv || state == State::kSizeKnown ? State::kDataRecvd : state;
    case Event::kReset:
      return state == State::kRecv || state == State::kSizeKnown ? State::kResetRecvd : state;
    case Event::kEndReported:  // Of data that was not read.
      return state == State::kResetRecvd ? State::kResetRead : state;
    case Event::kStop:
      if (state == State::kSizeKnown || state == State::kDataRecvd) return State::kDataRead;
      return state == State::kResetRecvd ? State::kResetRead : state;
  }
  return state;
}

TEST(RecvStreamStatesTest, EveryEventInEveryStateLeadsWhereTheRfcSays) {
  for (const auto& [state, way] : kWays) {
    for (const Event event : kAllEvents) {
      SCOPED_TRACE(testing::Message()
                   << "state " << static_cast<int>(state) << " event " << static_cast<int>(event));
      Subject subject;
      for (const Event step : way) Apply(step, subject);
      ASSERT_EQ(subject.stream.state(), state);

      Apply(event, subject);

      EXPECT_EQ(subject.stream.state(), Expected(state, event));
      subject.stream.CheckInvariants();
    }
  }
}

TEST(RecvStreamStatesTest, EveryEventAfterStopSendingLeadsWhereNobodyWaits) {
  for (const auto& [event, expected] :
       std::vector<std::pair<Event, State>>{{Event::kData, State::kRecv},
                                            {Event::kFinWithGap, State::kDataRead},
                                            {Event::kAllData, State::kDataRead},
                                            {Event::kReset, State::kResetRead},
                                            {Event::kReadAll, State::kRecv}}) {
    SCOPED_TRACE(static_cast<int>(event));
    Subject subject;
    Apply(Event::kStop, subject);

    Apply(event, subject);

    EXPECT_EQ(subject.stream.state(), expected);
    EXPECT_FALSE(subject.outcome.has_ended);
    subject.stream.CheckInvariants();
  }
}

TEST(RecvStreamStatesTest, AllDataIsReadOnceItIsConsumedAndTheEndIsKnown) {
  for (const auto& order : {std::array{Event::kReadAll, Event::kEndReported},
                            std::array{Event::kEndReported, Event::kReadAll}}) {
    Subject subject;
    Apply(Event::kAllData, subject);

    Apply(order[0], subject);
    EXPECT_EQ(subject.stream.state(), State::kDataRecvd);
    Apply(order[1], subject);

    EXPECT_EQ(subject.stream.state(), State::kDataRead);
  }
}

}  // namespace
}  // namespace godwit
