// SPDX-License-Identifier: Apache-2.0
//
// Streams of blocking.h: bytes, ends, resets, timeouts, backpressure.
#include <algorithm>
#include <thread>

#include "gtest/gtest.h"

#include "godwit/blocking.h"
#include "tests/runtime_doors/blocking_pair.h"

namespace godwit {
namespace {

constexpr size_t kBulkBytes = 8'000'000;

TEST(BlockingStreamTest, MessageAndAnswerArriveWhole) {
  BlockingPair pair;
  auto stream = pair.client_side.OpenStream(StreamDirection::kBidirectional);
  ASSERT_TRUE(stream.ok()) << stream.status();

  ASSERT_TRUE(stream->Write("hello").ok());
  ASSERT_TRUE(stream->Finish().ok());
  auto accepted = pair.server_side.AcceptStream();
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  const ReadAllResult question = ReadAll(*accepted);
  ASSERT_TRUE(accepted->Write(question.bytes + " to you").ok());
  ASSERT_TRUE(accepted->Finish().ok());
  const ReadAllResult answer = ReadAll(*stream);

  EXPECT_TRUE(question.status.ok()) << question.status;
  EXPECT_EQ(question.bytes, "hello");
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_EQ(answer.bytes, "hello to you");
  EXPECT_EQ(accepted->id(), stream->id());
}

TEST(BlockingStreamTest, EndOfTheStreamIsReadAgainAndAgain) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  ASSERT_TRUE(streams.client_side.Finish().ok());
  ASSERT_TRUE(streams.client_side.Finish().ok());
  uint8_t byte[1];

  EXPECT_EQ(streams.server_side.Read(byte).value(), 0u);
  EXPECT_EQ(streams.server_side.Read(byte).value(), 0u);
  ASSERT_TRUE(pair.client_side.Close(0, "").ok());
  ASSERT_TRUE(absl::IsCancelled(pair.server_side.AcceptStream().status()));
  EXPECT_EQ(streams.server_side.Read(byte).value(), 0u);
}

TEST(BlockingStreamTest, BulkGoesBothWaysAtOnce) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  const std::string up = PatternOf(kBulkBytes);
  const std::string down(up.rbegin(), up.rend());
  ReadAllResult received_up;
  ReadAllResult received_down;

  std::thread server_reader([&] { received_up = ReadAll(streams.server_side); });
  std::thread client_reader([&] { received_down = ReadAll(streams.client_side); });
  std::thread server_writer([&] {
    EXPECT_TRUE(streams.server_side.Write(down).ok());
    EXPECT_TRUE(streams.server_side.Finish().ok());
  });
  EXPECT_TRUE(streams.client_side.Write(up).ok());
  EXPECT_TRUE(streams.client_side.Finish().ok());
  server_writer.join();
  server_reader.join();
  client_reader.join();

  EXPECT_TRUE(received_up.status.ok()) << received_up.status;
  EXPECT_TRUE(received_up.bytes == up);
  EXPECT_TRUE(received_down.status.ok()) << received_down.status;
  EXPECT_TRUE(received_down.bytes == down);
}

TEST(BlockingStreamTest, ReaderThatRestsStopsTheWriterAndNothingIsLost) {
  ClientConfig client_config = LoopbackClientConfig();
  client_config.endpoint.connection.streams.max_send_buffer_bytes = 1'000'000;
  BlockingPair pair(LoopbackServerConfig(), client_config);
  BlockingStreamPair streams(pair);
  const std::string data = PatternOf(20'000'000);
  size_t written = 0;

  // Until not a byte more is taken.
  while (true) {
    size_t taken = 0;
    const absl::Status status = streams.client_side.Write(std::string_view(data).substr(written),
                                                          Duration::Milliseconds(300), &taken);
    ASSERT_TRUE(absl::IsDeadlineExceeded(status)) << status;
    written += taken;
    if (taken == 0) break;
  }
  const size_t written_at_rest = written;
  std::thread writer([&] {
    EXPECT_TRUE(streams.client_side.Write(std::string_view(data).substr(written)).ok());
    EXPECT_TRUE(streams.client_side.Finish().ok());
  });
  const ReadAllResult received = ReadAll(streams.server_side);
  writer.join();

  // The buffers on both sides, and windows that cannot grow as nobody reads.
  EXPECT_LT(written_at_rest, 5'000'000u);
  EXPECT_TRUE(received.status.ok()) << received.status;
  EXPECT_TRUE(received.bytes == data);
}

TEST(BlockingStreamTest, TimeoutOfAReadLosesNothing) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  uint8_t buffer[10];

  const auto early = streams.server_side.Read(buffer, Duration::Zero());
  ASSERT_TRUE(streams.client_side.Write("late").ok());
  ASSERT_TRUE(streams.client_side.Finish().ok());
  const ReadAllResult late = ReadAll(streams.server_side);

  EXPECT_TRUE(absl::IsDeadlineExceeded(early.status())) << early.status();
  EXPECT_EQ(late.bytes, "late");
}

TEST(BlockingStreamTest, ResetOfThePeerAbortsAReadWithItsCode) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  absl::Status status;

  std::thread reader([&] { status = ReadAll(streams.server_side).status; });
  ASSERT_TRUE(streams.client_side.Reset(77).ok());
  reader.join();

  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_EQ(streams.server_side.reset_code(), 77u);
  EXPECT_TRUE(absl::IsFailedPrecondition(streams.client_side.Write("more")));
  EXPECT_FALSE(streams.server_side.stopped_code().has_value());
}

TEST(BlockingStreamTest, ResetAfterFinishIsNoEndOfTheStream) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  // More than the peer's window: it cannot have been sent.
  ASSERT_TRUE(streams.client_side.Write(PatternOf(500'000)).ok());

  ASSERT_TRUE(streams.client_side.Finish().ok());
  ASSERT_TRUE(streams.client_side.Reset(79).ok());
  const absl::Status status = ReadAll(streams.server_side).status;

  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_EQ(streams.server_side.reset_code(), 79u);
}

TEST(BlockingStreamTest, PeerThatStopsReadingAbortsAWriteWithItsCode) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  const std::string data = PatternOf(100'000'000);
  absl::Status status;

  std::thread writer([&] { status = streams.client_side.Write(data); });
  ASSERT_TRUE(streams.server_side.StopSending(78).ok());
  writer.join();

  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_EQ(streams.client_side.stopped_code(), 78u);
  EXPECT_TRUE(absl::IsAborted(streams.client_side.WaitUntilDelivered()));
  uint8_t byte[1];
  EXPECT_TRUE(absl::IsFailedPrecondition(streams.server_side.Read(byte).status()));
}

TEST(BlockingStreamTest, WriteAfterFinishIsRefused) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);
  ASSERT_TRUE(absl::IsFailedPrecondition(streams.client_side.WaitUntilDelivered()));
  ASSERT_TRUE(streams.client_side.Finish().ok());

  const absl::Status status = streams.client_side.Write("more");

  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(streams.client_side.WaitUntilDelivered().ok());
}

TEST(BlockingStreamTest, UnidirectionalStreamHasOneSideForEach) {
  BlockingPair pair;
  BlockingStreamPair streams(pair, StreamDirection::kUnidirectional);
  uint8_t byte[1];

  EXPECT_TRUE(absl::IsFailedPrecondition(streams.client_side.Read(byte).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(streams.client_side.StopSending(0)));
  EXPECT_TRUE(absl::IsFailedPrecondition(streams.server_side.Write("x")));
  EXPECT_TRUE(absl::IsFailedPrecondition(streams.server_side.Finish()));
  EXPECT_TRUE(absl::IsFailedPrecondition(streams.server_side.Reset(0)));
}

TEST(BlockingStreamTest, ImpossibleArgumentsAreRefused) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);

  EXPECT_TRUE(absl::IsInvalidArgument(streams.client_side.Read({}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(streams.client_side.Reset(uint64_t{1} << 62)));
  EXPECT_TRUE(absl::IsInvalidArgument(streams.client_side.StopSending(uint64_t{1} << 62)));
}

TEST(BlockingStreamTest, DroppedStreamIsResetAndNoLongerRead) {
  BlockingPair pair;
  BlockingStreamPair streams(pair);

  streams.client_side = BlockingStream();

  EXPECT_TRUE(absl::IsAborted(ReadAll(streams.server_side).status));
  EXPECT_EQ(streams.server_side.reset_code(), 0u);
  EXPECT_TRUE(absl::IsAborted(streams.server_side.Write(PatternOf(50'000'000))));
}

}  // namespace
}  // namespace godwit
