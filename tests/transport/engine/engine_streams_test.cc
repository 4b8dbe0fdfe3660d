// SPDX-License-Identifier: Apache-2.0
//
// What an application does with streams and datagrams, between two engines.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gtest/gtest.h"

#include "tests/transport/engine/engine_pair.h"
#include "tests/transport/engine/stream_echo.h"

namespace godwit {
namespace {

constexpr auto kBidirectional = StreamDirection::kBidirectional;
constexpr auto kUnidirectional = StreamDirection::kUnidirectional;

std::string Pattern(size_t bytes, uint64_t seed) {
  std::string text(bytes, '\0');
  SeededRandom(seed).Fill({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  return text;
}

std::string TextOf(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads `room` bytes at a time until there is nothing more. What Read() said of the end, each time.
struct ReadLog {
  std::string text;
  std::vector<bool> ends;
};

ReadLog ReadAll(ConnectionRef connection, StreamId stream, size_t room) {
  ReadLog log;
  std::vector<uint8_t> bytes(room);
  while (true) {
    const auto read = connection.Read(stream, bytes);
    if (!read.ok()) return log;
    log.text += TextOf(std::span(bytes).first(read->bytes));
    log.ends.push_back(read->is_end);
    if (read->bytes == 0 || read->is_end) return log;
  }
}

TEST(EngineStreamsTest, EchoBringsBackMoreThanAllWindowsHold) {
  EnginePair pair;
  StreamEcho echo;
  pair.server().on_event = [&echo](ConnectionRef connection, const EngineEvent& event) {
    if (event.event.kind == ConnectionEvent::Kind::kStream) {
      echo.Pump(connection, event.event.stream.id);
    }
  };
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kBidirectional);
  const std::string sent = Pattern(3 << 20, 5);
  std::string unsent = sent;
  std::string received;
  bool has_end = false;
  const auto write = [&] {
    unsent.erase(0, *connection.Write(stream, unsent));
    if (unsent.empty()) {
      EXPECT_TRUE(connection.Finish(stream).ok());
    }
  };
  pair.client().on_event = [&](ConnectionRef, const EngineEvent& event) {
    if (event.event.kind != ConnectionEvent::Kind::kStream) return;
    if (event.event.stream.kind == StreamEvent::Kind::kWritable) write();
    const ReadLog log = ReadAll(connection, stream, 10'000);
    received += log.text;
    has_end = has_end || (!log.ends.empty() && log.ends.back());
  };

  write();
  pair.RunFor(Duration::Seconds(5));

  EXPECT_TRUE(has_end);
  EXPECT_TRUE(received == sent);
}

TEST(EngineStreamsTest, ReadSaysTheEndWithTheLastBytesAndTheStreamIsGone) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kUnidirectional);
  ASSERT_EQ(*connection.Write(stream, "ten bytes."), 10U);
  ASSERT_TRUE(connection.Finish(stream).ok());
  pair.RunUntilQuiet();
  ConnectionRef reader = pair.server().LastNew();

  const ReadLog log = ReadAll(reader, stream, 4);

  EXPECT_EQ(log.text, "ten bytes.");
  EXPECT_EQ(log.ends, (std::vector<bool>{false, false, true}));
  std::array<uint8_t, 4> more;
  EXPECT_TRUE(absl::IsNotFound(reader.Read(stream, more).status()));
  EXPECT_TRUE(absl::IsNotFound(reader.ReadState(stream).status()));
}

// With the event kFinished the end is told, and nothing is left to be read later.
TEST(EngineStreamsTest, AnEndThatComesAloneIsReadInItsEvent) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kUnidirectional);
  ASSERT_TRUE(connection.Write(stream, "all").ok());
  pair.RunUntilQuiet();
  ConnectionRef reader = pair.server().LastNew();
  const ReadLog before = ReadAll(reader, stream, 100);
  std::optional<ReadLog> in_event;
  pair.server().on_event = [&](ConnectionRef, const EngineEvent& event) {
    if (event.event.stream.kind == StreamEvent::Kind::kFinished) {
      in_event = ReadAll(reader, stream, 100);
    }
  };

  ASSERT_TRUE(connection.Finish(stream).ok());
  pair.RunUntilQuiet();

  EXPECT_EQ(before.text, "all");
  EXPECT_EQ(before.ends, (std::vector<bool>{false, false}));
  ASSERT_TRUE(in_event.has_value());
  EXPECT_EQ(in_event->text, "");
  EXPECT_EQ(in_event->ends, std::vector<bool>{true});
  EXPECT_TRUE(absl::IsNotFound(reader.ReadState(stream).status()));
}

TEST(EngineStreamsTest, AnEmptyStreamHasAnEndAndIsGoneAfterIt) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  std::optional<ReadLog> in_event;
  pair.server().on_event = [&](ConnectionRef reader, const EngineEvent& event) {
    if (event.event.stream.kind == StreamEvent::Kind::kFinished) {
      in_event = ReadAll(reader, event.event.stream.id, 100);
    }
  };

  const StreamId stream = *connection.OpenStream(kUnidirectional);
  ASSERT_TRUE(connection.Finish(stream).ok());
  pair.RunUntilQuiet();

  ASSERT_TRUE(in_event.has_value());
  EXPECT_EQ(in_event->ends, std::vector<bool>{true});
  EXPECT_TRUE(absl::IsNotFound(pair.server().LastNew().ReadState(stream).status()));
}

TEST(EngineStreamsTest, NoRoomReadsNothingAndEndsNothing) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kUnidirectional);
  ASSERT_TRUE(connection.Write(stream, "all").ok());
  ASSERT_TRUE(connection.Finish(stream).ok());
  pair.RunUntilQuiet();
  ConnectionRef reader = pair.server().LastNew();

  const auto read = reader.Read(stream, {});

  EXPECT_EQ(read->bytes, 0U);
  EXPECT_FALSE(read->is_end);
  EXPECT_EQ(reader.ReadState(stream)->readable_bytes, 3U);
}

TEST(EngineStreamsTest, AStreamOfBothDirectionsIsGoneWhenBothAreOver) {
  EnginePair pair;
  StreamEcho echo;
  pair.server().on_event = [&echo](ConnectionRef connection, const EngineEvent& event) {
    if (event.event.kind == ConnectionEvent::Kind::kStream) {
      echo.Pump(connection, event.event.stream.id);
    }
  };
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kBidirectional);
  ASSERT_TRUE(connection.Write(stream, "there and back").ok());
  ASSERT_TRUE(connection.Finish(stream).ok());
  pair.RunFor(Duration::Milliseconds(100));

  const ReadLog log = ReadAll(connection, stream, 100);

  EXPECT_EQ(log.text, "there and back");
  EXPECT_EQ(log.ends, std::vector<bool>{true});
  EXPECT_TRUE(absl::IsNotFound(connection.ReadState(stream).status()));
  EXPECT_TRUE(absl::IsNotFound(connection.Write(stream, "more").status()));
  EXPECT_TRUE(absl::IsNotFound(pair.server().LastNew().ReadState(stream).status()));
}

TEST(EngineStreamsTest, PeekShowsWhatConsumeTakes) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId stream = *connection.OpenStream(kUnidirectional);
  ASSERT_TRUE(connection.Write(stream, absl::Cord("from a cord")).ok());
  pair.RunUntilQuiet();
  ConnectionRef reader = pair.server().LastNew();
  std::array<std::span<const uint8_t>, 4> views;

  ASSERT_TRUE(reader.Consume(stream, 5).ok());
  const auto count = reader.Peek(stream, views);
  const absl::Status too_much = reader.Consume(stream, 7);

  EXPECT_EQ(*count, 1U);
  EXPECT_EQ(TextOf(views[0]), "a cord");
  EXPECT_TRUE(absl::IsInvalidArgument(too_much)) << too_much;
}

TEST(EngineStreamsTest, ResetAndStopBringTheirCodesToThePeer) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const StreamId reset = *connection.OpenStream(kUnidirectional);
  const StreamId stopped = *connection.OpenStream(kUnidirectional);
  ASSERT_TRUE(connection.Write(reset, "to be reset").ok());
  ASSERT_TRUE(connection.Write(stopped, "to be stopped").ok());
  pair.RunUntilQuiet();
  ConnectionRef reader = pair.server().LastNew();

  ASSERT_TRUE(connection.Reset(reset, (uint64_t{1} << 62) - 1).ok());
  ASSERT_TRUE(reader.StopSending(stopped, 7).ok());
  pair.RunUntilQuiet();

  EXPECT_EQ(pair.server().CountStreamEvents(StreamEvent::Kind::kReset), 1U);
  EXPECT_EQ(pair.client().CountStreamEvents(StreamEvent::Kind::kStopped), 1U);
  for (const EngineEvent& event : pair.server().events) {
    if (event.event.stream.kind != StreamEvent::Kind::kReset) continue;
    EXPECT_EQ(event.event.stream.id, reset);
    EXPECT_EQ(event.event.stream.error_code, (uint64_t{1} << 62) - 1);
  }
  for (const EngineEvent& event : pair.client().events) {
    if (event.event.stream.kind != StreamEvent::Kind::kStopped) continue;
    EXPECT_EQ(event.event.stream.id, stopped);
    EXPECT_EQ(event.event.stream.error_code, 7U);
  }
}

TEST(EngineStreamsTest, StreamsAboveThePeersLimitWaitForItsWord) {
  EnginePair::Options options;
  options.server.connection.streams.max_streams_uni = 2;
  EnginePair pair(options);
  ConnectionRef connection = pair.Connect();
  const StreamId first = *connection.OpenStream(kUnidirectional);
  ASSERT_TRUE(connection.OpenStream(kUnidirectional).ok());

  const auto third = connection.OpenStream(kUnidirectional);
  ASSERT_TRUE(connection.Finish(first).ok());
  pair.RunUntilQuiet();

  EXPECT_TRUE(absl::IsResourceExhausted(third.status())) << third.status();
  EXPECT_EQ(pair.client().CountStreamEvents(StreamEvent::Kind::kStreamsAvailable), 1U);
  EXPECT_TRUE(connection.OpenStream(kUnidirectional).ok());
}

TEST(EngineStreamsTest, DatagramsArriveWholeAndTheirFateIsTold) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  const uint64_t largest = connection.max_datagram_payload_bytes();
  const std::string large = Pattern(largest, 9);

  const auto id = connection.SendDatagram("small");
  ASSERT_TRUE(connection.SendDatagram(large).ok());
  const auto too_large = connection.SendDatagram(large + "x");
  pair.RunFor(Duration::Milliseconds(100));
  ConnectionRef reader = pair.server().LastNew();
  std::vector<std::string> received;
  while (const auto datagram = reader.PeekDatagram()) {
    received.push_back(TextOf(*datagram));
    reader.PopDatagram();
  }
  reader.PopDatagram();  // There is none: nothing happens.

  EXPECT_GT(largest, 1'000U);
  EXPECT_FALSE(too_large.ok());
  EXPECT_EQ(received, (std::vector<std::string>{"small", large}));
  size_t acked = 0;
  for (const EngineEvent& event : pair.client().events) {
    if (event.event.kind != ConnectionEvent::Kind::kDatagramFeedback) continue;
    if (event.event.datagram == DatagramFeedback{DatagramFeedback::Fate::kAcked, *id}) ++acked;
  }
  EXPECT_EQ(acked, 1U);
}

TEST(EngineStreamsTest, InfoSaysWhoIsThereAndStatsCount) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  ConnectionRef accepted = pair.server().LastNew();

  const auto client_info = connection.Info();
  const auto server_info = accepted.Info();

  EXPECT_EQ(client_info->perspective, Perspective::kClient);
  EXPECT_EQ(server_info->perspective, Perspective::kServer);
  EXPECT_TRUE(client_info->is_handshake_complete);
  EXPECT_EQ(client_info->application_protocol, kTestProtocol);
  EXPECT_EQ(server_info->server_name, "server");
  EXPECT_FALSE(client_info->cipher_suite.empty());
  EXPECT_FALSE(client_info->key_exchange_group.empty());
  EXPECT_TRUE(client_info->peer_public_key_hash.has_value());
  EXPECT_EQ(client_info->four_tuple.peer, pair.server().address());
  EXPECT_EQ(connection.Stats()->congestion_controller, "cubic");
  EXPECT_GT(connection.Stats()->packets_received, 0U);
}

TEST(EngineStreamsTest, TimesOfWhatBlocksGoOnWithTheTimeThatTheEngineWasTold) {
  EnginePair pair;
  const ConnectionRef connection = pair.Connect();
  const SendBlockedTimes before = connection.Stats()->blocked_times;

  pair.RunFor(Duration::Seconds(1));

  const SendBlockedTimes after = connection.Stats()->blocked_times;
  EXPECT_EQ(after.handshake, before.handshake);
  EXPECT_GT(after.application, before.application);
  EXPECT_LE(after.total() - before.total(), Duration::Seconds(1));
}

TEST(EngineStreamsTest, TheCongestionControllerIsSwitchedByNameAndKeysAreUpdated) {
  EnginePair pair;
  ConnectionRef connection = pair.Connect();
  pair.RunFor(Duration::Seconds(1));

  const absl::Status unknown = connection.SwitchCongestionController("none such");
  const absl::Status known = connection.SwitchCongestionController("new_reno");
  const absl::Status updated = connection.UpdateKeys();

  EXPECT_TRUE(absl::IsNotFound(unknown));
  EXPECT_EQ(unknown.message(),
            "there is no congestion controller \"none such\"; there are \"cubic\", \"new_reno\" "
            "and those that were registered");
  EXPECT_TRUE(known.ok());
  EXPECT_EQ(connection.Stats()->congestion_controller, "new_reno");
  EXPECT_TRUE(updated.ok()) << updated;
  EXPECT_EQ(connection.Stats()->key_updates, 1U);
}

}  // namespace
}  // namespace godwit
