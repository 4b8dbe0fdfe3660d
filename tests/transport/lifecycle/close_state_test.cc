// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/close_state.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/protocol_errors.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {

void PrintTo(CloseState::Phase phase, std::ostream* out) { *out << static_cast<int>(phase); }

namespace {

using Cause = CloseReason::Cause;
using Phase = CloseState::Phase;

constexpr Duration kPto = Duration::Milliseconds(100);
constexpr uint64_t kCloseBytes = 60;
constexpr uint64_t kPacketBytes = 1200;

Timestamp At(int64_t milliseconds) {
  return Timestamp::Zero() + Duration::Milliseconds(milliseconds);
}

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

ConnectionCloseFrame PeerClose(ErrorSpace space, uint64_t code, std::string_view reason = {}) {
  return {
      .error_space = space, .error_code = code, .frame_type = 0, .reason_phrase = BytesOf(reason)};
}

// A CONNECTION_CLOSE frame as the peer reads it.
struct ReadClose {
  ErrorSpace space;
  uint64_t code;
  uint64_t frame_type;
  std::string reason;
};

ReadClose WriteAndRead(const CloseState& state, EncryptionLevel level, size_t room = 1000) {
  std::vector<uint8_t> packet(room);
  FrameWriter writer(packet, {.level = level, .mode = PacketMode::kClosing});
  EXPECT_TRUE(state.WriteFrame(writer));
  FrameDecoder decoder(std::span<const uint8_t>(packet).first(writer.frames_size()), level,
                       Perspective::kServer);
  Frame frame;
  EXPECT_TRUE(decoder.Next(&frame).ok());
  EXPECT_TRUE(decoder.is_done());
  const auto& close = frame.As<ConnectionCloseFrame>();
  return {close.error_space, close.error_code, close.frame_type,
          std::string(close.reason_phrase.begin(), close.reason_phrase.end())};
}

CloseState ClosedByApplication(std::string_view reason = "done") {
  CloseState state;
  state.CloseByApplication(77, reason, At(0), kPto);
  return state;
}

// How many of `packet_count` packets are answered.
int CountReplies(CloseState& state, int packet_count, uint64_t packet_bytes = kPacketBytes) {
  int replies = 0;
  for (int i = 0; i < packet_count; ++i) {
    state.OnPacketReceived(At(1), packet_bytes);
    state.CheckInvariants();
    if (!state.HasPendingFrame()) continue;
    ++replies;
    state.OnCloseSent(At(1), kCloseBytes);
  }
  return replies;
}

// ---- Every event in every phase ----

enum class Event : uint8_t {
  kCloseByApplication,
  kCloseByProtocolError,
  kPeerClose,
  kStatelessReset,
  kCloseSilently,
  kPacket,
  kEarlyTimeout,
  kTimeout,
};

constexpr std::array<Phase, 4> kPhases = {Phase::kOpen, Phase::kClosing, Phase::kDraining,
                                          Phase::kClosed};

// In each phase there is a reason that no event below gives.
CloseState StateIn(Phase phase) {
  CloseState state;
  if (phase == Phase::kClosing) {
    state.CloseByApplication(1, "first", At(0), kPto);
    state.OnCloseSent(At(0), kCloseBytes);
  }
  if (phase == Phase::kDraining) {
    state.OnPeerClose(PeerClose(ErrorSpace::kApplication, 1, "first"), At(0), kPto);
  }
  if (phase == Phase::kClosed) state.CloseSilently(Cause::kAborted, At(0));
  return state;
}

void Apply(Event event, CloseState& state) {
  switch (event) {
    case Event::kCloseByApplication:
      return state.CloseByApplication(2, "later", At(10), kPto);
    case Event::kCloseByProtocolError:
      return state.CloseByProtocolError(kAckOfUnsentPacket, 2, "", At(10), kPto);
    case Event::kPeerClose:
      return state.OnPeerClose(PeerClose(ErrorSpace::kTransport, 3), At(10), kPto);
    case Event::kStatelessReset:
      return state.OnStatelessReset(At(10), kPto);
    case Event::kCloseSilently:
      return state.CloseSilently(Cause::kIdleTimeout, At(10));
    case Event::kPacket:
      return state.OnPacketReceived(At(10), kPacketBytes);
    case Event::kEarlyTimeout:
      return state.OnTimeout(At(299));
    case Event::kTimeout:
      return state.OnTimeout(At(300));
  }
}

struct Transition {
  Event event;
  // From kOpen, kClosing, kDraining, kClosed.
  std::array<Phase, 4> to;
};

constexpr Transition kTransitions[] = {
    {Event::kCloseByApplication,
     {Phase::kClosing, Phase::kClosing, Phase::kDraining, Phase::kClosed}},
    {Event::kCloseByProtocolError,
     {Phase::kClosing, Phase::kClosing, Phase::kDraining, Phase::kClosed}},
    {Event::kPeerClose, {Phase::kDraining, Phase::kDraining, Phase::kDraining, Phase::kClosed}},
    {Event::kStatelessReset,
     {Phase::kDraining, Phase::kDraining, Phase::kDraining, Phase::kClosed}},
    {Event::kCloseSilently, {Phase::kClosed, Phase::kClosed, Phase::kClosed, Phase::kClosed}},
    {Event::kPacket, {Phase::kOpen, Phase::kClosing, Phase::kDraining, Phase::kClosed}},
    {Event::kEarlyTimeout, {Phase::kOpen, Phase::kClosing, Phase::kDraining, Phase::kClosed}},
    {Event::kTimeout, {Phase::kOpen, Phase::kClosed, Phase::kClosed, Phase::kClosed}},
};

TEST(CloseStateTest, EveryEventInEveryPhaseLeadsWhereTheDrawingSays) {
  for (const Transition& transition : kTransitions) {
    for (size_t from = 0; from < kPhases.size(); ++from) {
      SCOPED_TRACE(testing::Message()
                   << "event " << static_cast<int>(transition.event) << " in phase " << from);
      CloseState state = StateIn(kPhases[from]);
      ASSERT_EQ(state.phase(), kPhases[from]);
      const std::optional<CloseReason> reason = state.reason();

      Apply(transition.event, state);

      EXPECT_EQ(state.phase(), transition.to[from]);
      state.CheckInvariants();
      // The first reason stays, whoever closes again.
      if (kPhases[from] != Phase::kOpen) {
        EXPECT_EQ(state.reason(), reason);
      }
      EXPECT_EQ(state.reason().has_value(), transition.to[from] != Phase::kOpen);
    }
  }
}

TEST(CloseStateTest, OnlyClosingHasAFrameToSend) {
  for (const Transition& transition : kTransitions) {
    for (size_t from = 0; from < kPhases.size(); ++from) {
      SCOPED_TRACE(testing::Message()
                   << "event " << static_cast<int>(transition.event) << " in phase " << from);
      CloseState state = StateIn(kPhases[from]);

      Apply(transition.event, state);

      const bool is_newly_closing = from == 0 && transition.to[from] == Phase::kClosing;
      const bool is_reply = kPhases[from] == Phase::kClosing && transition.event == Event::kPacket;
      EXPECT_EQ(state.HasPendingFrame(), is_newly_closing || is_reply);
    }
  }
}

TEST(CloseStateTest, FrameThatWasNeverSentIsGivenUpWhenThePeerCloses) {
  CloseState state = ClosedByApplication();

  state.OnPeerClose(PeerClose(ErrorSpace::kTransport, 0), At(1), kPto);

  EXPECT_FALSE(state.HasPendingFrame());
  state.CheckInvariants();
}

// ---- RFC 9000 §10.2: how long ----

TEST(CloseStateTest, OpenAndClosedHaveNoDeadline) {
  EXPECT_EQ(StateIn(Phase::kOpen).next_deadline(), Timestamp::Infinite());
  EXPECT_EQ(StateIn(Phase::kClosed).next_deadline(), Timestamp::Infinite());
}

TEST(CloseStateTest, ClosingAndDrainingLastThreePto) {
  EXPECT_EQ(StateIn(Phase::kClosing).next_deadline(), At(300));
  EXPECT_EQ(StateIn(Phase::kDraining).next_deadline(), At(300));
}

// By an application that was told the time long ago.
TEST(CloseStateTest, ClosingDoesNotEndBeforeTheFrameCouldBeSent) {
  CloseState state;
  state.CloseByApplication(1, "first", At(0), kPto);

  state.OnTimeout(At(1'000));
  EXPECT_EQ(state.phase(), Phase::kClosing);
  EXPECT_TRUE(state.HasPendingFrame());
  EXPECT_EQ(state.next_deadline(), At(1'300));
  state.OnCloseSent(At(1'010), kCloseBytes);
  state.OnTimeout(At(1'309));
  EXPECT_EQ(state.phase(), Phase::kClosing);
  state.OnTimeout(At(1'310));

  EXPECT_EQ(state.phase(), Phase::kClosed);
}

TEST(CloseStateTest, WhatCannotBeSentIsNotWaitedForForEver) {
  CloseState state;
  state.CloseByApplication(1, "first", At(0), kPto);

  state.OnTimeout(At(300));
  state.OnTimeout(At(600));

  EXPECT_EQ(state.phase(), Phase::kClosed);
  EXPECT_FALSE(state.HasPendingFrame());
}

TEST(CloseStateTest, DrainingAfterClosingEndsWhenClosingWouldHave) {
  CloseState state = StateIn(Phase::kClosing);

  state.OnPeerClose(PeerClose(ErrorSpace::kTransport, 0), At(200), kPto);

  EXPECT_EQ(state.phase(), Phase::kDraining);
  EXPECT_EQ(state.next_deadline(), At(300));
}

// ---- RFC 9000 §10.2.1: replies ----

TEST(CloseStateTest, RepliesBecomeRarer) {
  CloseState state = StateIn(Phase::kClosing);

  // After packets 1, 3, 7, 15, ..., 1023.
  EXPECT_EQ(CountReplies(state, 1), 1);
  EXPECT_EQ(CountReplies(state, 1), 0);
  EXPECT_EQ(CountReplies(state, 1), 1);
  EXPECT_EQ(CountReplies(state, 3), 0);
  EXPECT_EQ(CountReplies(state, 1), 1);
  EXPECT_EQ(CountReplies(state, 1023 - 7), 7);
}

TEST(CloseStateTest, PacketsBeforeTheFirstFrameIsSentAskForNoSecondOne) {
  CloseState state = ClosedByApplication();

  state.OnPacketReceived(At(1), kPacketBytes);
  state.OnPacketReceived(At(1), kPacketBytes);
  state.OnCloseSent(At(2), kCloseBytes);

  EXPECT_FALSE(state.HasPendingFrame());
}

TEST(CloseStateTest, RepliesTakeAtMostThreeTimesTheBytesThatCame) {
  CloseState state = StateIn(Phase::kClosing);

  // One packet of 10 bytes is worth 30 bytes, a reply takes 60.
  EXPECT_EQ(CountReplies(state, 1, 10), 0);
  EXPECT_EQ(CountReplies(state, 1, 10), 1);
  EXPECT_EQ(CountReplies(state, 1, 10), 0);
  EXPECT_EQ(CountReplies(state, 1, 10), 1);
}

TEST(CloseStateTest, NothingIsAnsweredOnceClosingIsOver) {
  CloseState state = StateIn(Phase::kClosing);

  state.OnPacketReceived(At(300), kPacketBytes);

  EXPECT_FALSE(state.HasPendingFrame());
}

// ---- RFC 9000 §10.2.3, §19.19: the frame ----

TEST(CloseStateTest, ApplicationsCloseGoesOutAsItIsUnderApplicationKeys) {
  const CloseState state = ClosedByApplication("goodbye");

  for (const EncryptionLevel level : {EncryptionLevel::kZeroRtt, EncryptionLevel::kOneRtt}) {
    const ReadClose close = WriteAndRead(state, level);

    EXPECT_EQ(close.space, ErrorSpace::kApplication);
    EXPECT_EQ(close.code, 77u);
    EXPECT_EQ(close.reason, "goodbye");
  }
}

TEST(CloseStateTest, ApplicationsCloseIsConcealedBelowOneRtt) {
  const CloseState state = ClosedByApplication("secret of the application");

  for (const EncryptionLevel level : {EncryptionLevel::kInitial, EncryptionLevel::kHandshake}) {
    const ReadClose close = WriteAndRead(state, level);

    EXPECT_EQ(close.space, ErrorSpace::kTransport);
    EXPECT_EQ(close.code, 0x0cu);
    EXPECT_EQ(close.frame_type, 0u);
    EXPECT_EQ(close.reason, "");
  }
}

TEST(CloseStateTest, ProtocolErrorNamesCodeFrameAndRuleAtEveryLevel) {
  CloseState state;
  state.CloseByProtocolError(kAckOfUnsentPacket, 0x02, "", At(0), kPto);

  for (const EncryptionLevel level :
       {EncryptionLevel::kInitial, EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    const ReadClose close = WriteAndRead(state, level);

    EXPECT_EQ(close.space, ErrorSpace::kTransport);
    EXPECT_EQ(close.code, 0x0au);
    EXPECT_EQ(close.frame_type, 0x02u);
    EXPECT_EQ(close.reason, kAckOfUnsentPacket.reason);
  }
}

TEST(CloseStateTest, DetailOfAProtocolErrorStaysWithUs) {
  CloseState state;
  state.CloseByProtocolError(kTransportParametersMissing, 0x06, "certificate of db.internal", At(0),
                             kPto);

  EXPECT_EQ(state.reason()->reason,
            std::string(kTransportParametersMissing.reason) + ": certificate of db.internal");
  EXPECT_EQ(WriteAndRead(state, EncryptionLevel::kOneRtt).reason,
            kTransportParametersMissing.reason);
}

TEST(CloseStateTest, ReasonIsCutToFitThePacket) {
  const std::string text(300, 'x');
  const CloseState state = ClosedByApplication(text);

  // Type, code (77 takes 2 bytes) and the length of the reason, which takes 1 byte up to 63.
  for (size_t room = 4; room < 320; ++room) {
    const size_t left = room - 4;
    const size_t fits = std::min<size_t>(left <= 64 ? std::min<size_t>(left, 63) : left - 1, 300);
    EXPECT_EQ(WriteAndRead(state, EncryptionLevel::kOneRtt, room).reason.size(), fits) << room;
  }
}

// So that keys which are used up suffice to close with.
TEST(CloseStateTest, RepliesComeToAnEnd) {
  CloseState state = ClosedByApplication();
  state.OnCloseSent(At(0), kCloseBytes);

  EXPECT_EQ(CountReplies(state, 4'095), 12);
  EXPECT_EQ(CountReplies(state, 100'000), 0);
}

TEST(CloseStateTest, FrameWithoutRoomIsNotWritten) {
  const CloseState state = ClosedByApplication();
  std::array<uint8_t, 3> packet{};
  FrameWriter writer(packet, {.level = EncryptionLevel::kOneRtt, .mode = PacketMode::kClosing});

  EXPECT_FALSE(state.WriteFrame(writer));
  EXPECT_EQ(writer.frames_size(), 0u);
}

TEST(CloseStateTest, ReasonIsNotCutWithinACharacter) {
  // Characters of 2, 3 and 4 bytes in UTF-8.
  for (const std::string_view character : {"\u00e9", "\u20ac", "\U0001f426"}) {
    std::string text;
    for (int i = 0; i < 10; ++i) text += character;
    const CloseState state = ClosedByApplication(text);

    for (size_t left = 0; left < text.size(); ++left) {
      const std::string reason = WriteAndRead(state, EncryptionLevel::kOneRtt, 4 + left).reason;
      EXPECT_EQ(reason.size(), left / character.size() * character.size());
    }
  }
}

TEST(CloseStateTest, BytesThatAreNoTextAreCutToo) {
  const CloseState state = ClosedByApplication(std::string(20, '\x80'));

  EXPECT_EQ(WriteAndRead(state, EncryptionLevel::kOneRtt, 4 + 10).reason.size(), 7u);
  EXPECT_EQ(WriteAndRead(state, EncryptionLevel::kOneRtt, 4 + 2).reason.size(), 0u);
}

// ---- Reasons ----

TEST(CloseStateTest, ReasonsAreKeptUpToABound) {
  const std::string text(100'000, 'x');
  CloseState peer;
  CloseState error;

  peer.OnPeerClose(PeerClose(ErrorSpace::kApplication, 1, text), At(0), kPto);
  error.CloseByProtocolError(kAckOfUnsentPacket, 2, text, At(0), kPto);

  EXPECT_EQ(ClosedByApplication(text).reason()->reason.size(), kMaxCloseReasonBytes);
  EXPECT_EQ(peer.reason()->reason.size(), kMaxCloseReasonBytes);
  EXPECT_EQ(error.reason()->reason.size(), kMaxCloseReasonBytes);
}

TEST(CloseStateTest, PeersFrameSaysWhoClosed) {
  struct Row {
    ErrorSpace space;
    uint64_t code;
    Cause cause;
  };
  for (const Row& row : {Row{ErrorSpace::kApplication, 5, Cause::kPeerApplication},
                         Row{ErrorSpace::kApplication, 0x0a, Cause::kPeerApplication},
                         Row{ErrorSpace::kTransport, 0x0a, Cause::kPeerTransportError},
                         Row{ErrorSpace::kTransport, 0x00, Cause::kPeerTransportError},
                         // RFC 9000 §10.2.3: what an application's close is below 1-RTT.
                         Row{ErrorSpace::kTransport, 0x0c, Cause::kPeerApplication}}) {
    CloseState state;
    state.OnPeerClose(PeerClose(row.space, row.code, "why"), At(0), kPto);

    EXPECT_EQ(state.reason(), (CloseReason{.cause = row.cause,
                                           .error_space = row.space,
                                           .error_code = row.code,
                                           .reason = "why"}));
  }
}

TEST(CloseStateTest, SilentEndsKeepTheirCause) {
  for (const Cause cause : {Cause::kIdleTimeout, Cause::kHandshakeTimeout,
                            Cause::kVersionNegotiation, Cause::kNoViablePath, Cause::kAborted}) {
    CloseState state;
    state.CloseSilently(cause, At(0));

    EXPECT_EQ(state.reason()->cause, cause);
    EXPECT_FALSE(ToString(cause).empty());
  }
}

TEST(CloseStateTest, CausesHaveDifferentNames) {
  std::set<std::string_view> names;
  for (int cause = 0; cause <= static_cast<int>(Cause::kAborted); ++cause) {
    names.insert(ToString(static_cast<Cause>(cause)));
  }

  EXPECT_EQ(names.size(), static_cast<size_t>(Cause::kAborted) + 1);
}

}  // namespace
}  // namespace godwit
