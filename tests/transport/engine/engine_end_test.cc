// SPDX-License-Identifier: Apache-2.0
//
// How connections end, and that what an application still holds of them does no harm.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gtest/gtest.h"

#include "tests/transport/engine/engine_pair.h"

namespace godwit {
namespace {

constexpr auto kBidirectional = StreamDirection::kBidirectional;
constexpr uint64_t kAboveAllErrorCodes = uint64_t{1} << 62;

// Every call that has a status, in turn.
std::vector<absl::Status> CallEverything(ConnectionRef connection, StreamId stream) {
  std::array<uint8_t, 8> bytes = {};
  std::array<std::span<const uint8_t>, 1> views;
  return {connection.OpenStream(kBidirectional).status(),
          connection.Write(stream, bytes).status(),
          connection.Write(stream, "text").status(),
          connection.Write(stream, absl::Cord("cord")).status(),
          connection.Finish(stream),
          connection.Reset(stream, 1),
          connection.StopSending(stream, 1),
          connection.SetPriority(stream, {}),
          connection.Peek(stream, views).status(),
          connection.Consume(stream, 0),
          connection.Read(stream, bytes).status(),
          connection.ReadState(stream).status(),
          connection.SendDatagram(bytes).status(),
          connection.SendDatagram("text").status(),
          connection.UpdateKeys(),
          connection.SwitchCongestionController("cubic"),
          connection.Stats().status(),
          connection.Info().status()};
}

void ExpectGone(ConnectionRef connection, StreamId stream) {
  const std::vector<absl::Status> results = CallEverything(connection, stream);
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_TRUE(absl::IsNotFound(results[i])) << "call " << i << ": " << results[i];
  }
  EXPECT_TRUE(connection.Close(1, "again").ok());
  EXPECT_FALSE(connection.is_open());
  EXPECT_FALSE(connection.close_reason().has_value());
  EXPECT_EQ(connection.max_datagram_payload_bytes(), 0U);
  EXPECT_FALSE(connection.PeekDatagram().has_value());
  connection.PopDatagram();
}

TEST(EngineEndTest, ARefThatNamesNothingIsHarmless) { ExpectGone(ConnectionRef(), StreamId()); }

TEST(EngineEndTest, ARefIsHarmlessAfterItsConnection) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kBidirectional);
  ASSERT_TRUE(connection.Close(0, "").ok());

  pair.RunFor(Duration::Seconds(60));

  EXPECT_EQ(pair.client().engine().connection_count(), 0U);
  ExpectGone(connection, stream);
  ExpectGone(pair.server().LastNew(), stream);
}

TEST(EngineEndTest, ARefIsHarmlessAfterItsEngine) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kBidirectional);
  ConnectionRef copy = connection;

  pair.client().Kill();

  ExpectGone(connection, stream);
  ExpectGone(copy, stream);
  EXPECT_EQ(connection, copy);
}

TEST(EngineEndTest, ARefOfAnEarlierConnectionIsNotThatOfTheNextInItsPlace) {
  EnginePair pair;
  ConnectionRef first = pair.Connect();
  ASSERT_TRUE(first.Close(0, "").ok());
  pair.RunFor(Duration::Seconds(60));

  ConnectionRef second = pair.Connect();

  EXPECT_EQ(first.handle().slot, second.handle().slot);
  EXPECT_NE(first, second);
  EXPECT_FALSE(first.is_open());
  EXPECT_TRUE(second.is_open());
}

TEST(EngineEndTest, AConnectionThatClosesSaysWhyAndTakesNothingMore) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kBidirectional);

  ASSERT_TRUE(connection.Close(77, "enough").ok());
  const bool is_open = connection.is_open();
  const absl::Status written = connection.Write(stream, "more").status();
  pair.RunUntilQuiet();

  EXPECT_FALSE(is_open);
  EXPECT_TRUE(absl::IsFailedPrecondition(written)) << written;
  ASSERT_EQ(pair.client().close_reasons.size(), 1U);
  EXPECT_EQ(pair.client().close_reasons[0].cause, CloseReason::Cause::kApplication);
  ASSERT_EQ(pair.server().close_reasons.size(), 1U);
  const CloseReason& heard = pair.server().close_reasons[0];
  EXPECT_EQ(heard.cause, CloseReason::Cause::kPeerApplication);
  EXPECT_EQ(heard.error_space, ErrorSpace::kApplication);
  EXPECT_EQ(heard.error_code, 77U);
  EXPECT_EQ(heard.reason, "enough");
  EXPECT_EQ(pair.client().CountEvents(ConnectionEvent::Kind::kClosed), 1U);
}

TEST(EngineEndTest, NothingIsSentAndNothingToldInsideOfACall) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const size_t events = pair.client().events.size();

  ASSERT_TRUE(connection.Close(0, "").ok());

  EXPECT_EQ(pair.client().events.size(), events);
  EXPECT_EQ(pair.client().engine().NextWakeup(), Timestamp::InfinitePast());
}

TEST(EngineEndTest, ErrorCodesAboveAllOthersAreRefusedAndChangeNothing) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kBidirectional);

  const std::vector<absl::Status> results = {
      connection.Reset(stream, kAboveAllErrorCodes),
      connection.StopSending(stream, kAboveAllErrorCodes),
      connection.Close(kAboveAllErrorCodes, ""),
      connection.Close(~uint64_t{0}, ""),
      pair.client().engine().CloseAll(kAboveAllErrorCodes, ""),
  };

  for (const absl::Status& status : results) EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(results[2].message(),
            "error_code is 4611686018427387904; allowed: 0 to 4611686018427387903");
  EXPECT_TRUE(connection.is_open());
  EXPECT_TRUE(connection.Write(stream, "still there").ok());
  EXPECT_TRUE(connection.Close(kAboveAllErrorCodes - 1, "").ok());
}

TEST(EngineEndTest, UrgenciesAboveSevenAreRefused) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kBidirectional);

  const absl::Status status = connection.SetPriority(stream, {.urgency = 8});

  EXPECT_EQ(status, absl::InvalidArgumentError("urgency is 8; allowed: 0 to 7"));
}

TEST(EngineEndTest, CloseAllClosesEveryConnection) {
  EnginePair pair;
  const std::vector<ConnectionRef> connections = {pair.Connect(), pair.Connect(), pair.Connect()};

  ASSERT_TRUE(pair.server().engine().CloseAll(5, "the end").ok());
  pair.RunUntilQuiet();

  for (const ConnectionRef& connection : connections) EXPECT_FALSE(connection.is_open());
  EXPECT_EQ(pair.client().CountEvents(ConnectionEvent::Kind::kClosed), 3U);
  EXPECT_EQ(pair.server().CountEvents(ConnectionEvent::Kind::kClosed), 3U);
  for (const CloseReason& reason : pair.client().close_reasons) {
    EXPECT_EQ(reason.error_code, 5U);
    EXPECT_EQ(reason.reason, "the end");
  }
  pair.RunFor(Duration::Seconds(60));
  EXPECT_EQ(pair.client().engine().connection_count(), 0U);
  EXPECT_EQ(pair.server().engine().connection_count(), 0U);
}

TEST(EngineEndTest, StopAcceptingRefusesNewConnectionsAndKeepsOldOnes) {
  EnginePair pair;
  ConnectionRef old_one = pair.Connect();

  pair.server().engine().StopAccepting();
  ConnectionRef new_one = pair.Connect();

  EXPECT_FALSE(new_one.is_open());
  ASSERT_EQ(pair.client().close_reasons.size(), 1U);
  EXPECT_EQ(pair.client().close_reasons[0].cause, CloseReason::Cause::kPeerTransportError);
  EXPECT_EQ(pair.server().engine().stats().refused_because(RefusalReason::kStopped), 1U);
  EXPECT_TRUE(old_one.is_open());
  const StreamId stream = *old_one.OpenStream(kBidirectional);
  ASSERT_TRUE(old_one.Write(stream, "still served").ok());
  pair.RunUntilQuiet();
  EXPECT_EQ(pair.server().LastNew().ReadState(stream)->readable_bytes, 12U);
}

TEST(EngineEndTest, TheFirstEventOfAnAcceptedConnectionIsNewAndTheLastSaysClosed) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  ASSERT_TRUE(connection.Close(0, "").ok());
  pair.RunUntilQuiet();

  const std::vector<EngineEvent>& events = pair.server().events;

  ASSERT_GE(events.size(), 2U);
  EXPECT_TRUE(events.front().is_new);
  EXPECT_EQ(events.front().event.kind, ConnectionEvent::Kind::kHandshakeComplete);
  EXPECT_EQ(events.back().event.kind, ConnectionEvent::Kind::kClosed);
  for (size_t i = 1; i < events.size(); ++i) EXPECT_FALSE(events[i].is_new);
}

TEST(EngineEndTest, AnEngineThatHeldConnectionsCanEndInTheMiddleOfThem) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kBidirectional);
  ASSERT_TRUE(connection.Write(stream, std::string(100'000, 'x')).ok());
  pair.RunUntilQuiet();
  ConnectionRef reader = pair.server().LastNew();
  ASSERT_GT(reader.ReadState(stream)->readable_bytes, 0U);

  pair.server().Kill();
  pair.client().Kill();

  ExpectGone(connection, stream);
  ExpectGone(reader, stream);
}

}  // namespace
}  // namespace godwit
