// SPDX-License-Identifier: Apache-2.0
//
// Streams of coroutine.h over real sockets: reading, writing, and how either ends.
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "gtest/gtest.h"

#include "godwit/coroutine.h"
#include "tests/runtime_doors/coroutine_pair.h"

namespace godwit {
namespace {

Task<> ReadToEnd(CoroutineShard&, CoroutineStream stream) {
  co_await ReadAll(stream);
  static_cast<void>(stream.Finish());
}

TEST(CoroutineStreamTest, WhatIsWrittenComesBack) {
  CoroutinePair pair(Echo());
  const std::string text = PatternText(3'000'000);
  const auto exchange = [&]() -> Task<CoroutineReadAll> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = *co_await connection.OpenStream(StreamDirection::kBidirectional);
    SpawnedTask<CoroutineReadAll> answer = pair.client->Start(ReadAll(stream));
    const absl::Status written = co_await stream.Write(text);
    EXPECT_TRUE(written.ok()) << written;
    EXPECT_TRUE(stream.Finish().ok());
    co_return co_await std::move(answer).Join();
  };

  const CoroutineReadAll answer = pair.client->Run(exchange());

  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_TRUE(answer.bytes == text);
}

TEST(CoroutineStreamTest, ManyStreamsAtOnceKeepTheirBytesApart) {
  CoroutinePair pair(Echo());
  const auto exchange = [&](CoroutineConnection connection, size_t size) -> Task<bool> {
    const std::string text = PatternText(size);
    absl::StatusOr<CoroutineStream> stream =
        co_await connection.OpenStream(StreamDirection::kBidirectional);
    if (!stream.ok()) co_return false;
    const absl::Status written = co_await stream->Write(absl::Cord(text));
    if (!written.ok() || !stream->Finish().ok()) co_return false;
    const CoroutineReadAll answer = co_await ReadAll(*stream);
    co_return answer.status.ok() && answer.bytes == text;
  };
  const auto all = [&]() -> Task<int> {
    CoroutineConnection connection = co_await pair.Dial();
    std::vector<SpawnedTask<bool>> exchanges;
    // More than the peer allows at one time.
    for (size_t i = 0; i < 300; ++i) {
      exchanges.push_back(pair.client->Start(exchange(connection, 1 + 100 * i)));
    }
    int whole = 0;
    for (SpawnedTask<bool>& one : exchanges) whole += co_await std::move(one).Join() ? 1 : 0;
    co_return whole;
  };

  EXPECT_EQ(pair.client->Run(all()), 300);
}

TEST(CoroutineStreamTest, TheEndIsSaidAsOftenAsOneAsks) {
  CoroutinePair pair(Echo());
  const auto exchange = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    EXPECT_TRUE(stream.Finish().ok());
    EXPECT_TRUE(stream.Finish().ok());
    const CoroutineReadAll answer = co_await ReadAll(stream);
    EXPECT_EQ(answer.bytes, "!");
    const CoroutineReadAll again = co_await ReadAll(stream);
    EXPECT_TRUE(again.status.ok()) << again.status;
    EXPECT_EQ(again.bytes, "");
    const absl::Status delivered = co_await stream.WaitUntilDelivered();
    EXPECT_TRUE(delivered.ok()) << delivered;
    // All that can be given up has gone well.
    EXPECT_TRUE(stream.StopSending(1).ok());
    EXPECT_TRUE(stream.Reset(1).ok());
  };

  pair.client->Run(exchange());
}

TEST(CoroutineStreamTest, WriteWaitsForThePeersReader) {
  constexpr size_t kSize = 40'000'000;  // More than all windows and buffers.
  const auto go = std::make_shared<std::atomic<bool>>(false);
  CoroutinePair pair(WithStream([go](CoroutineShard& shard, CoroutineStream stream) -> Task<> {
    while (!*go) co_await shard.Sleep(Duration::Milliseconds(1));
    co_await ReadToEnd(shard, stream);
  }));
  const std::string text(kSize, 'x');
  uint64_t written_bytes = 0;
  const auto write = [&]() -> Task<absl::Status> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = *co_await connection.OpenStream(StreamDirection::kBidirectional);
    SpawnedTask<absl::Status> writing = pair.client->Start(stream.Write(text, &written_bytes));
    uint64_t before = 0;
    do {
      before = written_bytes;
      co_await pair.client->Sleep(Duration::Milliseconds(100));
    } while (written_bytes == 0 || written_bytes != before);
    EXPECT_FALSE(writing.is_done());
    EXPECT_LT(written_bytes, kSize);
    *go = true;
    co_return co_await std::move(writing).Join();
  };

  const absl::Status status = pair.client->Run(write());

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(written_bytes, kSize);
}

TEST(CoroutineStreamTest, ResetWakesTheReaderWithItsCode) {
  CoroutinePair pair(WithStream([](CoroutineShard&, CoroutineStream stream) -> Task<> {
    co_await SkipMark(stream);
    EXPECT_TRUE(stream.Reset(42).ok());
  }));
  const auto read = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    const CoroutineReadAll all = co_await ReadAll(stream);
    EXPECT_TRUE(absl::IsAborted(all.status)) << all.status;
    EXPECT_EQ(stream.reset_code(), 42U);
    // The other direction lives.
    EXPECT_TRUE(stream.Finish().ok());
  };

  pair.client->Run(read());
}

TEST(CoroutineStreamTest, StopSendingWakesTheWriterWithItsCode) {
  CoroutinePair pair(WithStream([](CoroutineShard&, CoroutineStream stream) -> Task<> {
    co_await SkipMark(stream);
    EXPECT_TRUE(stream.StopSending(43).ok());
    std::array<uint8_t, 1> byte;
    const absl::StatusOr<size_t> read = co_await stream.Read(byte);
    EXPECT_TRUE(absl::IsFailedPrecondition(read.status())) << read.status();
  }));
  const std::string text(40'000'000, 'x');
  const auto write = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    const absl::Status written = co_await stream.Write(text);
    EXPECT_TRUE(absl::IsAborted(written)) << written;
    EXPECT_EQ(stream.stopped_code(), 43U);
    const absl::Status delivered = co_await stream.WaitUntilDelivered();
    EXPECT_TRUE(absl::IsAborted(delivered)) << delivered;
  };

  pair.client->Run(write());
}

TEST(CoroutineStreamTest, OwnCallsWakeOwnWaitersButNotInsideOfThem) {
  CoroutinePair pair(Hold());
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    SpawnedTask<CoroutineReadAll> reading = pair.client->Start(ReadAll(stream));
    SpawnedTask<absl::Status> waiting = pair.client->Start(stream.WaitUntilDelivered());
    co_await pair.client->Sleep(Duration::Milliseconds(1));
    EXPECT_TRUE(waiting.is_done());  // Nothing was finished.

    EXPECT_TRUE(stream.StopSending(0).ok());
    EXPECT_FALSE(reading.is_done());
    const CoroutineReadAll read = co_await std::move(reading).Join();
    EXPECT_TRUE(absl::IsFailedPrecondition(read.status)) << read.status;

    EXPECT_TRUE(stream.Finish().ok());
    waiting = pair.client->Start(stream.WaitUntilDelivered());
    EXPECT_TRUE(stream.Reset(0).ok());
    const absl::Status waited = co_await std::move(waiting).Join();
    EXPECT_TRUE(absl::IsFailedPrecondition(waited)) << waited;
  };

  pair.client->Run(run());
}

TEST(CoroutineStreamTest, TwoTasksDoNotReadOrWriteTheSameSide) {
  CoroutinePair pair(Hold());
  const std::string text(40'000'000, 'x');
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    SpawnedTask<CoroutineReadAll> reading = pair.client->Start(ReadAll(stream));
    SpawnedTask<absl::Status> writing = pair.client->Start(stream.Write(text));
    co_await pair.client->Sleep(Duration::Milliseconds(1));

    const CoroutineReadAll read = co_await ReadAll(stream);
    EXPECT_TRUE(absl::IsFailedPrecondition(read.status)) << read.status;
    absl::Status written = co_await stream.Write("x");
    EXPECT_TRUE(absl::IsFailedPrecondition(written)) << written;

    // Those who are destroyed leave their side to others.
    reading = {};
    writing = {};
    std::array<uint8_t, 1> byte;
    const auto none = co_await pair.client->Within(Duration::Milliseconds(1), stream.Read(byte));
    EXPECT_TRUE(absl::IsDeadlineExceeded(none.status())) << none.status();
    written = co_await pair.client->Within(Duration::Milliseconds(1), stream.Write(text));
    EXPECT_TRUE(absl::IsDeadlineExceeded(written)) << written;
  };

  pair.client->Run(run());
}

TEST(CoroutineStreamTest, AUnidirectionalStreamHasOneSide) {
  CoroutinePair pair(WithStream([](CoroutineShard&, CoroutineStream stream) -> Task<> {
    const CoroutineReadAll all = co_await ReadAll(stream);
    EXPECT_EQ(all.bytes, "one way");
    const absl::Status written = co_await stream.Write("x");
    EXPECT_TRUE(absl::IsFailedPrecondition(written)) << written;
    EXPECT_TRUE(absl::IsFailedPrecondition(stream.Finish()));
    EXPECT_TRUE(absl::IsFailedPrecondition(stream.Reset(0)));
  }));
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = *co_await connection.OpenStream(StreamDirection::kUnidirectional);
    const CoroutineReadAll read = co_await ReadAll(stream);
    EXPECT_TRUE(absl::IsFailedPrecondition(read.status)) << read.status;
    EXPECT_TRUE(absl::IsFailedPrecondition(stream.StopSending(0)));
    EXPECT_TRUE((co_await stream.Write("one way")).ok());
    EXPECT_TRUE(stream.Finish().ok());
    EXPECT_TRUE((co_await stream.WaitUntilDelivered()).ok());
  };

  pair.client->Run(run());
}

TEST(CoroutineStreamTest, MistakesAreSaid) {
  CoroutinePair pair(Hold());
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    const absl::StatusOr<size_t> read = co_await stream.Read({});
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << read.status();
    EXPECT_TRUE(absl::IsInvalidArgument(stream.Reset(uint64_t{1} << 62)));
    EXPECT_TRUE(absl::IsInvalidArgument(stream.StopSending(uint64_t{1} << 62)));
    EXPECT_TRUE(absl::IsInvalidArgument(connection.Close(uint64_t{1} << 62, "")));
    absl::Status status = co_await stream.WaitUntilDelivered();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_TRUE(stream.Finish().ok());
    status = co_await stream.Write("x");
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  };

  pair.client->Run(run());
}

}  // namespace
}  // namespace godwit
