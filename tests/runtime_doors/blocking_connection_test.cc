// SPDX-License-Identifier: Apache-2.0
//
// Connections of blocking.h: streams to open and to accept, datagrams.
#include <string>
#include <thread>

#include "gtest/gtest.h"

#include "godwit/blocking.h"
#include "tests/runtime_doors/blocking_pair.h"

namespace godwit {
namespace {

TEST(BlockingConnectionTest, BothSidesKnowWhatWasAgreed) {
  BlockingPair pair;

  EXPECT_EQ(pair.client_side.info().application_protocol, "test");
  EXPECT_EQ(pair.server_side.info().application_protocol, "test");
  EXPECT_EQ(pair.server_side.info().perspective, Perspective::kServer);
  EXPECT_EQ(pair.client_side.info().four_tuple.peer, pair.listener->local_address());
  EXPECT_FALSE(pair.client_side.close_reason().has_value());
}

TEST(BlockingConnectionTest, OpenStreamWaitsForThePeersLimit) {
  ServerConfig server_config = LoopbackServerConfig();
  server_config.endpoint.connection.streams.max_streams_bidi = 1;
  BlockingPair pair(server_config);
  BlockingStreamPair first(pair);

  const auto too_early =
      pair.client_side.OpenStream(StreamDirection::kBidirectional, Duration::Milliseconds(20));
  absl::StatusOr<BlockingStream> second;
  std::thread opener(
      [&] { second = pair.client_side.OpenStream(StreamDirection::kBidirectional); });
  ASSERT_TRUE(first.client_side.Finish().ok());
  ASSERT_TRUE(ReadAll(first.server_side).status.ok());
  ASSERT_TRUE(first.server_side.Finish().ok());
  ASSERT_TRUE(ReadAll(first.client_side).status.ok());
  opener.join();

  EXPECT_TRUE(absl::IsDeadlineExceeded(too_early.status())) << too_early.status();
  ASSERT_TRUE(second.ok()) << second.status();
  // The one that was given up has not taken its place.
  EXPECT_EQ(second->id()->index(), 1u);
}

TEST(BlockingConnectionTest, ServerOpensStreamsToo) {
  BlockingPair pair;
  auto opened = pair.server_side.OpenStream(StreamDirection::kUnidirectional);
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_TRUE(opened->Write("news").ok());
  ASSERT_TRUE(opened->Finish().ok());

  const auto accepted = pair.client_side.AcceptStream();

  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(accepted->id()->direction(), StreamDirection::kUnidirectional);
  EXPECT_EQ(ReadAll(*accepted).bytes, "news");
}

TEST(BlockingConnectionTest, ManyThreadsUseOneConnection) {
  BlockingPair pair;
  constexpr int kThreads = 8;
  constexpr int kRounds = 20;
  std::vector<std::thread> threads;

  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&pair] {
      for (int round = 0; round < kRounds; ++round) {
        auto accepted = pair.server_side.AcceptStream();
        ASSERT_TRUE(accepted.ok()) << accepted.status();
        const ReadAllResult question = ReadAll(*accepted);
        EXPECT_TRUE(question.status.ok()) << question.status;
        EXPECT_TRUE(accepted->Write(question.bytes).ok());
        EXPECT_TRUE(accepted->Finish().ok());
      }
    });
    threads.emplace_back([&pair, i] {
      for (int round = 0; round < kRounds; ++round) {
        const std::string text = PatternOf(static_cast<size_t>(1 + round * 1'000 + i));
        auto stream = pair.client_side.OpenStream(StreamDirection::kBidirectional);
        ASSERT_TRUE(stream.ok()) << stream.status();
        EXPECT_TRUE(stream->Write(text).ok());
        EXPECT_TRUE(stream->Finish().ok());
        const ReadAllResult answer = ReadAll(*stream);
        EXPECT_TRUE(answer.status.ok()) << answer.status;
        EXPECT_TRUE(answer.bytes == text);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(BlockingConnectionTest, DatagramsArrive) {
  BlockingPair pair;
  absl::StatusOr<std::vector<uint8_t>> received;

  // Each of them may be lost.
  do {
    ASSERT_TRUE(pair.client_side.SendDatagram("ping").ok());
    received = pair.server_side.ReceiveDatagram(Duration::Milliseconds(100));
  } while (absl::IsDeadlineExceeded(received.status()));

  ASSERT_TRUE(received.ok()) << received.status();
  EXPECT_EQ(std::string(received->begin(), received->end()), "ping");
}

TEST(BlockingConnectionTest, DatagramsThatThePeerCannotTakeAreRefused) {
  ServerConfig server_config = LoopbackServerConfig();
  server_config.endpoint.connection.max_datagram_frame_size = 0;
  BlockingPair without(server_config);
  BlockingPair with;

  const absl::Status too_large = with.client_side.SendDatagram(std::string(70'000, 'x'));
  const absl::Status not_taken = without.client_side.SendDatagram("x");

  EXPECT_TRUE(absl::IsInvalidArgument(too_large)) << too_large;
  EXPECT_TRUE(absl::IsFailedPrecondition(not_taken)) << not_taken;
  EXPECT_EQ(without.client_side.max_datagram_payload_bytes(), 0u);
}

TEST(BlockingConnectionTest, WaitsThatFindNothingEndInTime) {
  BlockingPair pair;

  EXPECT_TRUE(absl::IsDeadlineExceeded(pair.server_side.AcceptStream(Duration::Zero()).status()));
  EXPECT_TRUE(
      absl::IsDeadlineExceeded(pair.server_side.ReceiveDatagram(Duration::Zero()).status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(pair.listener->Accept(Duration::Zero()).status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      pair.listener->Accept(Duration::Zero() - Duration::Seconds(1)).status()));
}

}  // namespace
}  // namespace godwit
