// SPDX-License-Identifier: Apache-2.0

#include "transport/streams/send_stream.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

using State = SendStream::State;

constexpr StreamId kId(4);

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class SendStreamTest : public testing::Test {
 protected:
  std::optional<StreamRange> Send(uint64_t max_bytes = 1000) {
    const std::optional<StreamRange> range =
        stream_.Next({.max_bytes = max_bytes, .connection_credit = kMaxVarint});
    if (range.has_value()) stream_.OnSent(*range);
    return range;
  }

  // The control frames, as packet `number` carries them.
  std::vector<Frame> WriteControl(uint64_t number, size_t room = 100) {
    std::vector<uint8_t> payload(room);
    FrameWriter writer(payload,
                       {EncryptionLevel::kOneRtt, PacketMode::kNormal, PacketNumber(number)});
    stream_.WriteControlFrames(kId, writer);
    std::vector<Frame> frames;
    if (!writer.has_frames()) return frames;
    FrameDecoder decoder(std::span<const uint8_t>(payload).first(writer.frames_size()),
                         EncryptionLevel::kOneRtt, Perspective::kClient);
    while (!decoder.is_done()) {
      Frame& frame = frames.emplace_back();
      EXPECT_TRUE(decoder.Next(&frame).ok());
    }
    return frames;
  }

  SendBlockPool pool_{16};
  SendStream stream_{100};
};

TEST_F(SendStreamTest, ANewStreamIsReadyAndNeedsNothing) {
  EXPECT_EQ(stream_.state(), State::kReady);
  EXPECT_EQ(stream_.need(), SendNeed::kNothing);
  EXPECT_TRUE(stream_.is_writable());
  EXPECT_FALSE(stream_.HasPendingControl());
}

TEST_F(SendStreamTest, NewDataNeedsCredit) {
  stream_.Append(BytesOf("data"), pool_);

  EXPECT_EQ(stream_.need(), SendNeed::kCredit);
  EXPECT_EQ(stream_.state(), State::kReady);
}

TEST_F(SendStreamTest, DataBehindTheLimitNeedsAHigherOne) {
  stream_.Append(std::vector<uint8_t>(101), pool_);
  ASSERT_EQ(Send(), (StreamRange{0, 100, false}));

  EXPECT_EQ(stream_.need(), SendNeed::kLimit);
  EXPECT_FALSE(stream_.RaiseMaxData(100));
  EXPECT_TRUE(stream_.RaiseMaxData(101));
  EXPECT_EQ(stream_.need(), SendNeed::kCredit);
}

TEST_F(SendStreamTest, TheConnectionsCreditLimitsNewDataToo) {
  stream_.Append(std::vector<uint8_t>(50), pool_);

  const std::optional<StreamRange> range =
      stream_.Next({.max_bytes = 1000, .connection_credit = 20});

  EXPECT_EQ(range, (StreamRange{0, 20, false}));
}

TEST_F(SendStreamTest, LostDataNeedsRoomOnlyAndNoCredit) {
  stream_.Append(std::vector<uint8_t>(100), pool_);
  const std::optional<StreamRange> sent = Send();
  stream_.OnDataLost(*sent);

  EXPECT_EQ(stream_.need(), SendNeed::kRoom);
  EXPECT_EQ(stream_.Next({.max_bytes = 1000, .connection_credit = 0}),
            (StreamRange{0, 100, false}));
}

TEST_F(SendStreamTest, TheEndOfTheStreamAloneNeedsRoomOnly) {
  stream_.Append(std::vector<uint8_t>(100), pool_);
  Send();

  stream_.Finish();

  EXPECT_EQ(stream_.need(), SendNeed::kRoom);
  EXPECT_EQ(Send(), (StreamRange{100, 0, true}));
  EXPECT_EQ(stream_.state(), State::kDataSent);
}

// RFC 9000 §19.13.
TEST_F(SendStreamTest, StreamDataBlockedIsSaidOncePerLimit) {
  stream_.Append(std::vector<uint8_t>(300), pool_);
  Send();
  stream_.NoteBlocked();
  const std::vector<Frame> frames = WriteControl(1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].As<StreamDataBlockedFrame>().limit_bytes, 100u);

  stream_.NoteBlocked();
  EXPECT_FALSE(stream_.HasPendingControl());

  stream_.RaiseMaxData(200);
  Send();
  stream_.NoteBlocked();
  ASSERT_EQ(WriteControl(2).size(), 1u);
}

TEST_F(SendStreamTest, LostStreamDataBlockedIsSaidAgainWhileItHolds) {
  stream_.Append(std::vector<uint8_t>(300), pool_);
  Send();
  stream_.NoteBlocked();
  WriteControl(1);

  stream_.OnBlockedLost(PacketNumber(1));
  EXPECT_TRUE(stream_.HasPendingControl());
  stream_.RaiseMaxData(200);

  EXPECT_FALSE(stream_.HasPendingControl());
}

// RFC 9000 §3.1, §4.5: the final size is what was sent, not what was written.
TEST_F(SendStreamTest, ResetNamesTheBytesThatWereSent) {
  stream_.Append(std::vector<uint8_t>(60), pool_);
  Send(25);

  EXPECT_EQ(stream_.Reset(77, pool_), 60u);

  const std::vector<Frame> frames = WriteControl(1);
  ASSERT_EQ(frames.size(), 1u);
  const auto& reset = frames[0].As<ResetStreamFrame>();
  EXPECT_EQ(reset.stream_id, kId);
  EXPECT_EQ(reset.application_error_code, 77u);
  EXPECT_EQ(reset.final_size_bytes, 25u);
  EXPECT_EQ(stream_.need(), SendNeed::kNothing);
}

TEST_F(SendStreamTest, LostResetIsSentAgain) {
  stream_.Reset(77, pool_);
  WriteControl(1);

  stream_.OnResetLost(PacketNumber(1));

  EXPECT_EQ(WriteControl(2).size(), 1u);
}

TEST_F(SendStreamTest, ResetWithdrawsStreamDataBlocked) {
  stream_.Append(std::vector<uint8_t>(300), pool_);
  Send();
  stream_.NoteBlocked();

  stream_.Reset(7, pool_);

  const std::vector<Frame> frames = WriteControl(1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].kind(), FrameKind::kResetStream);
}

TEST_F(SendStreamTest, AFrameThatDoesNotFitStaysPending) {
  stream_.Reset(7, pool_);

  EXPECT_TRUE(WriteControl(1, 2).empty());

  EXPECT_TRUE(stream_.HasPendingControl());
}

// ---- Every event in every state of RFC 9000 §3.1 ----

enum class Event : uint8_t {
  kSendData,
  kSendFin,
  kSendBlocked,
  kAckAllData,
  kAckAll,
  kLoseAll,
  kReset,
  kAckReset,
  kRaiseLimit,
};
constexpr std::array kAllEvents = {Event::kSendData,   Event::kSendFin,  Event::kSendBlocked,
                                   Event::kAckAllData, Event::kAckAll,   Event::kLoseAll,
                                   Event::kReset,      Event::kAckReset, Event::kRaiseLimit};

// A stream with its history: what the events need to be about.
struct Subject {
  SendBlockPool pool{16};
  SendStream stream{100};
  uint64_t packet_number = 0;

  void Send(bool is_fin) {
    if (!stream.is_writable()) return;
    stream.Append(BytesOf("ten bytes."), pool);
    if (is_fin) stream.Finish();
    const auto range = stream.Next({.max_bytes = 1000, .connection_credit = 1000});
    if (range.has_value()) stream.OnSent(*range);
  }

  void SendControl() {
    std::array<uint8_t, 100> payload;
    FrameWriter writer(
        payload, {EncryptionLevel::kOneRtt, PacketMode::kNormal, PacketNumber(++packet_number)});
    stream.WriteControlFrames(kId, writer);
  }

  bool was_fin_sent() const {
    return stream.buffer().is_finished() && stream.need() == SendNeed::kNothing;
  }

  void Apply(Event event) {
    const uint64_t sent_end = stream.buffer().sent_end();
    switch (event) {
      case Event::kSendData:
        return Send(false);
      case Event::kSendFin:
        return Send(true);
      case Event::kSendBlocked: {
        if (!stream.is_writable()) return;
        stream.Append(std::vector<uint8_t>(200), pool);
        while (stream.need() == SendNeed::kCredit) {
          stream.OnSent(*stream.Next({.max_bytes = 1000, .connection_credit = 1000}));
        }
        stream.NoteBlocked();
        return SendControl();
      }
      case Event::kAckAllData:
        stream.OnDataAcked({0, sent_end, false}, pool);
        return;
      case Event::kAckAll:
        stream.OnDataAcked({0, sent_end, was_fin_sent()}, pool);
        return;
      case Event::kLoseAll:
        return stream.OnDataLost({0, sent_end, was_fin_sent()});
      case Event::kReset:
        if (stream.is_resettable()) stream.Reset(9, pool);
        return;
      case Event::kAckReset:
        if (!stream.is_reset()) return;  // There was none to be acknowledged.
        SendControl();
        return stream.OnResetAcked(PacketNumber(packet_number));
      case Event::kRaiseLimit:
        stream.RaiseMaxData(stream.max_data_bytes() + 1);
        return;
    }
  }
};

void Reach(State state, Subject& subject) {
  switch (state) {
    case State::kReady:
      return;
    case State::kSend:
      return subject.Apply(Event::kSendData);
    case State::kDataSent:
      return subject.Apply(Event::kSendFin);
    case State::kDataRecvd:
      subject.Apply(Event::kSendFin);
      return subject.Apply(Event::kAckAll);
    case State::kResetSent:
      subject.Apply(Event::kSendData);
      return subject.Apply(Event::kReset);
    case State::kResetRecvd:
      subject.Apply(Event::kReset);
      return subject.Apply(Event::kAckReset);
  }
}

State Expected(State state, Event event) {
  const bool is_terminal = state == State::kDataRecvd || state == State::kResetRecvd;
  if (is_terminal) return state;
  switch (event) {
    case Event::kSendData:
    case Event::kSendBlocked:
      return state == State::kReady ? State::kSend : state;
    case Event::kSendFin:
      return state == State::kReady || state == State::kSend ? State::kDataSent : state;
    case Event::kAckAll:
      return state == State::kDataSent ? State::kDataRecvd : state;
    case Event::kReset:
      return State::kResetSent;
    case Event::kAckReset:
      return state == State::kResetSent ? State::kResetRecvd : state;
    case Event::kAckAllData:
    case Event::kLoseAll:
    case Event::kRaiseLimit:
      return state;
  }
  return state;
}

TEST(SendStreamStatesTest, EveryEventInEveryStateLeadsWhereTheRfcSays) {
  for (const State state : {State::kReady, State::kSend, State::kDataSent, State::kDataRecvd,
                            State::kResetSent, State::kResetRecvd}) {
    for (const Event event : kAllEvents) {
      SCOPED_TRACE(testing::Message()
                   << "state " << static_cast<int>(state) << " event " << static_cast<int>(event));
      Subject subject;
      Reach(state, subject);
      ASSERT_EQ(subject.stream.state(), state);

      subject.Apply(event);

      EXPECT_EQ(subject.stream.state(), Expected(state, event));
      subject.stream.CheckInvariants();
    }
  }
}

TEST(SendStreamStatesTest, OnlyStatesBeforeTheEndPermitWritingAndResetting) {
  for (const auto& [state, is_writable, is_resettable, is_over] :
       std::vector<std::tuple<State, bool, bool, bool>>{{State::kReady, true, true, false},
                                                        {State::kSend, true, true, false},
                                                        {State::kDataSent, false, true, false},
                                                        {State::kDataRecvd, false, false, true},
                                                        {State::kResetSent, false, false, false},
                                                        {State::kResetRecvd, false, false, true}}) {
    SCOPED_TRACE(static_cast<int>(state));
    Subject subject;
    Reach(state, subject);

    EXPECT_EQ(subject.stream.is_writable(), is_writable);
    EXPECT_EQ(subject.stream.is_resettable(), is_resettable);
    EXPECT_EQ(subject.stream.is_over(), is_over);
  }
}

}  // namespace
}  // namespace godwit
