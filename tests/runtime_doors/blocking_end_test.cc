// SPDX-License-Identifier: Apache-2.0
//
// How things of blocking.h end: by Close(), with their owner, with their last handle.
#include <string>
#include <thread>

#include "gtest/gtest.h"

#include "godwit/blocking.h"
#include "tests/runtime_doors/blocking_pair.h"
#include "tests/runtime_doors/loopback_configs.h"

namespace godwit {
namespace {

TEST(BlockingEndTest, CloseWakesThePeerWithItsReason) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  absl::Status status;

  std::thread reader([&] { status = ReadAll(streams.server_side).status; });
  ASSERT_TRUE(pair.client_side.Close(7, "enough").ok());
  reader.join();

  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  const auto reason = pair.server_side.close_reason();
  ASSERT_TRUE(reason.has_value());
  EXPECT_EQ(reason->cause, CloseReason::Cause::kPeerApplication);
  EXPECT_EQ(reason->error_code, 7u);
  EXPECT_EQ(reason->reason, "enough");
}

TEST(BlockingEndTest, CallsAfterTheCloseAreCancelled) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  ASSERT_TRUE(pair.client_side.Close(0, "").ok());
  ASSERT_TRUE(absl::IsCancelled(pair.client_side.AcceptStream().status()));
  uint8_t byte[1];

  EXPECT_TRUE(
      absl::IsCancelled(pair.client_side.OpenStream(StreamDirection::kBidirectional).status()));
  EXPECT_TRUE(absl::IsCancelled(pair.client_side.ReceiveDatagram().status()));
  EXPECT_TRUE(absl::IsCancelled(pair.client_side.SendDatagram("x")));
  EXPECT_TRUE(absl::IsCancelled(streams.client_side.Read(byte).status()));
  EXPECT_TRUE(absl::IsCancelled(streams.client_side.Write("x")));
  EXPECT_TRUE(absl::IsCancelled(streams.client_side.Finish()));
  EXPECT_TRUE(absl::IsCancelled(streams.client_side.Reset(0)));
  EXPECT_TRUE(absl::IsCancelled(streams.client_side.StopSending(0)));
  EXPECT_TRUE(pair.client_side.Close(0, "").ok());
}

TEST(BlockingEndTest, WhatWasReadAheadOutlivesTheClose) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  ASSERT_TRUE(streams.client_side.Write("hello").ok());
  uint8_t byte[1];
  ASSERT_EQ(streams.server_side.Read(byte).value(), 1u);
  ASSERT_TRUE(pair.client_side.Close(0, "").ok());
  ASSERT_TRUE(absl::IsCancelled(pair.server_side.AcceptStream().status()));

  const ReadAllResult rest = ReadAll(streams.server_side);

  EXPECT_EQ(rest.bytes, "ello");
  EXPECT_TRUE(absl::IsCancelled(rest.status)) << rest.status;
}

TEST(BlockingEndTest, EndOfTheClientWakesAllWhoWait) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  absl::Status read, written, accepted, received;
  const std::string data = PatternOf(50'000'000);

  std::thread reader([&] { read = ReadAll(streams.client_side).status; });
  std::thread writer([&] { written = streams.client_side.Write(data); });
  std::thread acceptor([&] { accepted = pair.client_side.AcceptStream().status(); });
  std::thread receiver([&] { received = pair.client_side.ReceiveDatagram().status(); });
  pair.client.reset();
  reader.join();
  writer.join();
  acceptor.join();
  receiver.join();

  EXPECT_TRUE(absl::IsCancelled(read)) << read;
  EXPECT_TRUE(absl::IsCancelled(written)) << written;
  EXPECT_TRUE(absl::IsCancelled(accepted)) << accepted;
  EXPECT_TRUE(absl::IsCancelled(received)) << received;
  // Handles outlive their owner.
  EXPECT_TRUE(
      absl::IsCancelled(pair.client_side.OpenStream(StreamDirection::kBidirectional).status()));
  EXPECT_TRUE(pair.client_side.Close(0, "").ok());
  // The peer hears of it.
  EXPECT_TRUE(absl::IsCancelled(pair.server_side.AcceptStream().status()));
}

TEST(BlockingEndTest, EndOfTheListenerWakesAllWhoWait) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  absl::Status read, accepted, accepted_stream;

  std::thread reader([&] { read = ReadAll(streams.server_side).status; });
  std::thread acceptor([&] {
    // The listener is waited on, not only called when it has ended.
    do {
      accepted = pair.listener->Accept(Duration::Milliseconds(1)).status();
    } while (absl::IsDeadlineExceeded(accepted));
  });
  std::thread stream_acceptor([&] { accepted_stream = pair.server_side.AcceptStream().status(); });
  pair.listener->Shutdown(Duration::Zero());
  reader.join();
  acceptor.join();
  stream_acceptor.join();
  pair.listener.reset();

  EXPECT_TRUE(absl::IsCancelled(read)) << read;
  EXPECT_TRUE(absl::IsCancelled(accepted)) << accepted;
  EXPECT_TRUE(absl::IsCancelled(accepted_stream)) << accepted_stream;
  EXPECT_TRUE(absl::IsCancelled(streams.server_side.Write("x")));
  EXPECT_TRUE(absl::IsCancelled(pair.client_side.AcceptStream().status()));
}

TEST(BlockingEndTest, ListenerEndsWhileSomebodyWaitsForAConnection) {
  auto listener = BlockingListener::Listen(LoopbackServerConfig());
  ASSERT_TRUE(listener.ok()) << listener.status();
  absl::Status accepted;

  std::thread acceptor([&] { accepted = listener->Accept().status(); });
  listener->Shutdown(Duration::Zero());
  acceptor.join();

  EXPECT_TRUE(absl::IsCancelled(accepted)) << accepted;
}

TEST(BlockingEndTest, ClientEndsWhileADialIsUnderWay) {
  // Takes no answer and gives none: a socket that nobody reads.
  auto silent = BlockingListener::Listen(LoopbackServerConfig());
  ASSERT_TRUE(silent.ok()) << silent.status();
  const uint16_t port = silent->local_address().port();
  silent->Shutdown(Duration::Zero());
  auto client = BlockingClient::Create(LoopbackClientConfig());
  ASSERT_TRUE(client.ok()) << client.status();

  const auto too_late = client->Dial("127.0.0.1", port, Duration::Milliseconds(1));
  // Ends with the attempt under way.
  { const BlockingClient ended = *std::move(client); }

  EXPECT_TRUE(absl::IsDeadlineExceeded(too_late.status())) << too_late.status();
}

TEST(BlockingEndTest, DroppedConnectionDeliversWhatWasFinished) {
  BlockingPair pair;
  auto stream = pair.client_side.OpenStream(StreamDirection::kBidirectional);
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE(stream->Write("give").ok());
  const std::string answer = PatternOf(3'000'000);

  std::thread server([&answer, connection = std::exchange(pair.server_side, {})]() mutable {
    auto accepted = connection.AcceptStream();
    ASSERT_TRUE(accepted.ok()) << accepted.status();
    EXPECT_TRUE(accepted->Write(answer).ok());
    EXPECT_TRUE(accepted->Finish().ok());
  });
  const ReadAllResult received = ReadAll(*stream);
  server.join();
  const absl::Status end = pair.client_side.AcceptStream().status();

  EXPECT_TRUE(received.status.ok()) << received.status;
  EXPECT_TRUE(received.bytes == answer);
  EXPECT_TRUE(absl::IsCancelled(end)) << end;
  EXPECT_EQ(pair.client_side.close_reason()->cause, CloseReason::Cause::kPeerApplication);
  EXPECT_EQ(pair.client_side.close_reason()->error_code, 0u);
}

TEST(BlockingEndTest, HandlesThatNameNothingFindNothing) {
  BlockingConnection connection;
  BlockingStream stream;
  uint8_t byte[1];

  EXPECT_TRUE(absl::IsNotFound(connection.OpenStream(StreamDirection::kBidirectional).status()));
  EXPECT_TRUE(absl::IsNotFound(connection.AcceptStream().status()));
  EXPECT_TRUE(absl::IsNotFound(connection.SendDatagram("x")));
  EXPECT_TRUE(absl::IsNotFound(connection.ReceiveDatagram().status()));
  EXPECT_TRUE(absl::IsNotFound(connection.Close(0, "")));
  EXPECT_TRUE(absl::IsNotFound(stream.Read(byte).status()));
  EXPECT_TRUE(absl::IsNotFound(stream.Write("x")));
  EXPECT_TRUE(absl::IsNotFound(stream.Finish()));
  EXPECT_TRUE(absl::IsNotFound(stream.WaitUntilDelivered()));
  EXPECT_TRUE(absl::IsNotFound(stream.Reset(0)));
  EXPECT_TRUE(absl::IsNotFound(stream.StopSending(0)));
  EXPECT_FALSE(stream.id().has_value());
}

TEST(BlockingEndTest, WrongConfigurationIsRefusedAtOnce) {
  EXPECT_TRUE(absl::IsInvalidArgument(BlockingClient::Create(ClientConfig()).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(BlockingListener::Listen(ServerConfig()).status()));
}

}  // namespace
}  // namespace godwit
