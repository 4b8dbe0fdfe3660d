// SPDX-License-Identifier: Apache-2.0
//
// How things of coroutine.h end: by Close(), with their owner, with their last handle, in the
// middle of a wait.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "godwit/coroutine.h"
#include "tests/runtime_doors/coroutine_pair.h"

namespace godwit {
namespace {

template <typename T>
Task<absl::Status> StatusOf(Task<absl::StatusOr<T>> task) {
  const absl::StatusOr<T> result = co_await std::move(task);
  co_return result.status();
}

Task<absl::Status> StatusOfReading(CoroutineStream stream) {
  const CoroutineReadAll read = co_await ReadAll(stream);
  co_return read.status;
}

ServerConfig NarrowConfig() {
  ServerConfig config = LoopbackServerConfig();
  config.endpoint.connection.streams.max_streams_uni = 0;
  return config;
}

// A task for each call that can wait, all of which wait, where the server has NarrowConfig().
struct Waiters {
  Waiters(CoroutineClient& client, CoroutineConnection connection, CoroutineStream stream) {
    Add(client, StatusOf(connection.OpenStream(StreamDirection::kUnidirectional)));
    Add(client, StatusOf(connection.AcceptStream()));
    Add(client, StatusOf(connection.ReceiveDatagram()));
    Add(client, StatusOfReading(stream));
    Add(client, stream.Write(text));
  }
  void Add(CoroutineClient& client, Task<absl::Status> task) {
    tasks.push_back(client.Start(std::move(task)));
  }
  bool is_any_done() const {
    return std::ranges::any_of(tasks, [](const auto& task) { return task.is_done(); });
  }

  const std::string text = std::string(40'000'000, 'x');
  std::vector<SpawnedTask<absl::Status>> tasks;
};

TEST(CoroutineEndTest, ThePeersCloseWakesAllWhoWaitAndSaysWhy) {
  CoroutinePair pair(
      [](CoroutineShard& shard, CoroutineConnection connection) -> Task<> {
        co_await shard.Sleep(Duration::Milliseconds(50));
        EXPECT_TRUE(connection.Close(7, "enough").ok());
      },
      NarrowConfig());
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    Waiters waiters(*pair.client, connection, stream);
    for (SpawnedTask<absl::Status>& waiter : waiters.tasks) {
      const absl::Status status = co_await std::move(waiter).Join();
      EXPECT_TRUE(absl::IsCancelled(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "peer application, error 7: enough"))
          << status;
    }
    EXPECT_EQ(connection.close_reason()->error_code, 7U);
    EXPECT_FALSE(connection.ref().is_open());
  };

  pair.client->Run(run());
}

TEST(CoroutineEndTest, OwnCloseWakesAllWhoWaitButNotInsideOfIt) {
  const auto ended = std::make_shared<std::promise<absl::Status>>();
  CoroutinePair pair(Hold(ended), NarrowConfig());
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    Waiters waiters(*pair.client, connection, stream);
    co_await pair.client->Sleep(Duration::Milliseconds(1));

    EXPECT_TRUE(connection.Close(8, "own").ok());
    EXPECT_TRUE(connection.Close(9, "again").ok());
    EXPECT_FALSE(waiters.is_any_done());
    for (SpawnedTask<absl::Status>& waiter : waiters.tasks) {
      const absl::Status status = co_await std::move(waiter).Join();
      EXPECT_TRUE(absl::IsCancelled(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "application, error 8: own")) << status;
    }
    // And whoever comes later.
    const absl::Status status = co_await stream.Write("x");
    EXPECT_TRUE(absl::IsCancelled(status)) << status;
    EXPECT_TRUE(absl::IsCancelled(stream.Finish()));
    EXPECT_TRUE(absl::IsCancelled((co_await connection.AcceptStream()).status()));
    EXPECT_TRUE(absl::IsCancelled(connection.SendDatagram("x")));
  };

  pair.client->Run(run());
  pair.client->client().Shutdown(Duration::Seconds(5));

  const absl::Status told = ended->get_future().get();
  EXPECT_TRUE(absl::StrContains(told.message(), "error 8: own")) << told;
}

TEST(CoroutineEndTest, CallsRightAfterTheCloseSayWhyToo) {
  CoroutinePair pair(Hold());
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    EXPECT_TRUE(connection.Close(8, "own").ok());
    // The news of the end has not come yet.
    const absl::Status written = co_await stream.Write("x");
    const auto opened = co_await connection.OpenStream(StreamDirection::kBidirectional);
    for (const absl::Status& status : {written, opened.status(), stream.Finish()}) {
      EXPECT_TRUE(absl::IsCancelled(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "error 8: own")) << status;
    }
    EXPECT_EQ(connection.close_reason()->error_code, 8U);
  };

  pair.client->Run(run());
}

TEST(CoroutineEndTest, EveryWaitCanBeDestroyed) {
  CoroutinePair pair(Hold(), NarrowConfig());
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    Waiters waiters(*pair.client, connection, stream);
    co_await pair.client->Sleep(Duration::Milliseconds(1));
    EXPECT_FALSE(waiters.is_any_done());
    waiters.tasks.clear();

    // What they have waited for comes to nobody.
    EXPECT_TRUE(connection.Close(0, "").ok());
    co_await pair.client->Sleep(Duration::Milliseconds(1));
  };

  pair.client->Run(run());
}

TEST(CoroutineEndTest, TheEndOfTheClientDestroysWhatWaits) {
  CoroutinePair pair(Hold(), NarrowConfig());
  CoroutineConnection connection = pair.client->Run(pair.Dial());
  CoroutineStream stream = pair.client->Run(OpenSeen(connection));
  Waiters waiters(*pair.client, connection, stream);
  pair.client->Spawn(pair.client->Sleep(Duration::Seconds(1'000)));
  pair.client->Run(pair.client->Sleep(Duration::Milliseconds(1)));

  pair.client.reset();

  EXPECT_FALSE(waiters.is_any_done());
  // Handles outlive their owner.
  EXPECT_TRUE(absl::IsCancelled(stream.Finish()));
  EXPECT_TRUE(absl::IsCancelled(stream.Reset(0)));
  EXPECT_TRUE(absl::IsCancelled(connection.SendDatagram("x")));
  EXPECT_TRUE(connection.Close(0, "").ok());
  EXPECT_FALSE(connection.close_reason().has_value());
  EXPECT_FALSE(connection.ref().is_open());
}

TEST(CoroutineEndTest, TheEndOfTheServerDestroysWhatWaits) {
  struct EndCount {
    ~EndCount() { ++*count; }
    std::shared_ptr<std::atomic<int>> count;
  };
  const auto count = std::make_shared<std::atomic<int>>(0);
  CoroutinePair pair([count](CoroutineShard& shard, CoroutineConnection connection) -> Task<> {
    const EndCount end{count};
    EXPECT_TRUE(connection.SendDatagram("x").ok());
    co_await shard.Sleep(Duration::Seconds(1'000));
  });
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    const auto datagram = co_await connection.ReceiveDatagram();
    EXPECT_TRUE(datagram.ok()) << datagram.status();
  };
  pair.client->Run(run());

  pair.server->Shutdown(Duration::Zero());
  pair.server.reset();

  EXPECT_EQ(*count, 1);
}

TEST(CoroutineEndTest, AServerThatWasNotStartedRunsNoTask) {
  bool has_run = false;
  {
    const auto server = Server::Create(LoopbackServerConfig(),
                                       CoroutineShard::Handlers([&](CoroutineShard&) -> Task<> {
                                         has_run = true;
                                         co_return;
                                       }));
    ASSERT_TRUE(server.ok()) << server.status();
  }

  EXPECT_FALSE(has_run);
}

TEST(CoroutineEndTest, AStreamWithoutHandlesIsGivenUp) {
  const auto seen = std::make_shared<std::promise<absl::Status>>();
  CoroutinePair pair(WithStream([seen](CoroutineShard&, CoroutineStream stream) -> Task<> {
    const CoroutineReadAll read = co_await ReadAll(stream);
    EXPECT_TRUE(absl::IsAborted(read.status)) << read.status;
    EXPECT_EQ(stream.reset_code(), 0U);
    const std::string text(40'000'000, 'x');
    seen->set_value(co_await stream.Write(text));
  }));
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    { const CoroutineStream dropped = co_await OpenSeen(connection); }
    std::future<absl::Status> written = seen->get_future();
    while (written.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      co_await pair.client->Sleep(Duration::Milliseconds(1));
    }
    const absl::Status status = written.get();
    EXPECT_TRUE(absl::IsAborted(status)) << status;
  };

  pair.client->Run(run());
}

TEST(CoroutineEndTest, AConnectionWithoutHandlesIsClosed) {
  const auto ended = std::make_shared<std::promise<absl::Status>>();
  CoroutinePair pair(Hold(ended));

  pair.client->Run(pair.Dial());
  while (pair.client->client().stats().connections != 0) {
    pair.client->client().RunOnce(Timestamp::Infinite());
  }

  const absl::Status status = ended->get_future().get();
  EXPECT_TRUE(absl::StrContains(status.message(), "peer application")) << status;
}

TEST(CoroutineEndTest, WhatWasFinishedArrivesBeforeThat) {
  const std::string answer = PatternText(3'000'000);
  // Drops both handles as soon as it has written.
  CoroutinePair pair([&](CoroutineShard&, CoroutineConnection connection) -> Task<> {
    CoroutineStream stream = *co_await connection.AcceptStream();
    EXPECT_TRUE((co_await stream.Write(answer)).ok());
    EXPECT_TRUE(stream.Finish().ok());
  });
  const auto run = [&]() -> Task<> {
    CoroutineConnection connection = co_await pair.Dial();
    CoroutineStream stream = co_await OpenSeen(connection);
    const CoroutineReadAll read = co_await ReadAll(stream);
    EXPECT_TRUE(read.status.ok()) << read.status;
    EXPECT_TRUE(read.bytes == answer);
    const auto none = co_await connection.AcceptStream();
    EXPECT_TRUE(absl::IsCancelled(none.status())) << none.status();
    EXPECT_EQ(connection.close_reason()->cause, CloseReason::Cause::kPeerApplication);
  };

  pair.client->Run(run());
}

// Copies a text at its own end.
struct Copier {
  ~Copier() { to = from; }

  const std::string& from;
  std::string& to;
};

TEST(CoroutineEndTest, WhatTheMainTaskCapturesIsThereToItsEnd) {
  const std::string text(1'000, 'x');
  std::string copy;
  std::promise<void> has_begun;
  auto server = *Server::Create(
      LoopbackServerConfig(),
      CoroutineShard::Handlers([text, &copy, &has_begun](CoroutineShard& shard) -> Task<> {
        const Copier copier = {.from = text, .to = copy};
        has_begun.set_value();
        co_await shard.Sleep(Duration::Infinite());
      }));
  server->Start();
  has_begun.get_future().wait();

  server.reset();

  EXPECT_EQ(copy, text);
}

TEST(CoroutineEndTest, StreamsThatNobodyAcceptsEndWithTheConnection) {
  CoroutinePair pair([](CoroutineShard&, CoroutineConnection connection) -> Task<> {
    for (int i = 0; i < 10; ++i) {
      CoroutineStream stream = *co_await connection.OpenStream(StreamDirection::kBidirectional);
      EXPECT_TRUE((co_await stream.Write("x")).ok());
      if (i % 2 == 0) static_cast<void>(stream.Reset(1));
    }
    const auto none = co_await connection.AcceptStream();
    EXPECT_TRUE(absl::IsCancelled(none.status())) << none.status();
  });
  const auto run = [&]() -> Task<> {
    const CoroutineConnection connection = co_await pair.Dial();
    co_await pair.client->Sleep(Duration::Milliseconds(20));
  };

  pair.client->Run(run());
  while (pair.client->client().stats().connections != 0) {
    pair.client->client().RunOnce(Timestamp::Infinite());
  }
}

}  // namespace
}  // namespace godwit
