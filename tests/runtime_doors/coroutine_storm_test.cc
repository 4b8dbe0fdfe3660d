// SPDX-License-Identifier: Apache-2.0
//
// Many tasks at once, as servers of requests and chats have them: deadlines that pass, tasks that
// are destroyed wherever they happen to wait, by others and by themselves, and a server that ends
// in the middle of it. What must hold: nothing is left of what was destroyed, on either side.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/coroutine.h"
#include "tests/runtime_doors/coroutine_pair.h"

namespace godwit {
namespace {

// How many there are of something at this moment.
class Counted {
 public:
  explicit Counted(std::atomic<int>* count) : count_(*count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<int>& count_;
};

Task<> WaitUntilZero(CoroutineClient& client, const std::atomic<int>& count) {
  while (count != 0) co_await client.Sleep(Duration::Milliseconds(1));
}

// ---- Requests with deadlines ----

// Answers "now" at once and everything else never.
Task<> Answer(CoroutineStream stream, std::atomic<int>* answering) {
  const Counted counted(answering);
  std::array<uint8_t, 3> question;
  const absl::StatusOr<size_t> read = co_await stream.Read(question);
  if (!read.ok()) co_return;
  if (std::string(question.begin(), question.begin() + *read) == "now") {
    // Who has asked may be gone.
    static_cast<void>(co_await stream.Write("here"));
    static_cast<void>(stream.Finish());
  }
  // To the end of the question, or of its asker's patience.
  for (auto more = read; more.ok() && *more != 0;) more = co_await stream.Read(question);
}

CoroutinePair::Serve AnswerAll(std::atomic<int>* answering) {
  return [answering](CoroutineShard& shard, CoroutineConnection connection) -> Task<> {
    // Parameters: the captures end with the function, which is not for as long as the task.
    return [](CoroutineShard& on, CoroutineConnection of, std::atomic<int>* count) -> Task<> {
      for (;;) {
        absl::StatusOr<CoroutineStream> stream = co_await of.AcceptStream();
        if (!stream.ok()) co_return;
        on.Spawn(Answer(*std::move(stream), count));
      }
    }(shard, std::move(connection), answering);
  };
}

Task<absl::StatusOr<std::string>> Ask(CoroutineConnection connection, std::string question) {
  absl::StatusOr<CoroutineStream> stream =
      co_await connection.OpenStream(StreamDirection::kBidirectional);
  if (!stream.ok()) co_return stream.status();
  if (absl::Status status = co_await stream->Write(question); !status.ok()) co_return status;
  const CoroutineReadAll answer = co_await ReadAll(*stream);
  if (!answer.status.ok()) co_return answer.status;
  EXPECT_TRUE(stream->Finish().ok());
  co_return answer.bytes;
}

TEST(CoroutineStormTest, AThousandRequestsEndWithTheirAnswersOrTheirDeadlines) {
  constexpr int kRequests = 1'000;
  std::atomic<int> answering = 0;
  CoroutinePair pair(AnswerAll(&answering));
  int answered = 0;
  int late = 0;
  const auto ask = [&](CoroutineConnection connection, bool is_answered) -> Task<> {
    const auto answer =
        co_await pair.client->Within(is_answered ? Duration::Infinite() : Duration::Milliseconds(5),
                                     Ask(std::move(connection), is_answered ? "now" : "never"));
    answered += answer.ok() && *answer == "here" ? 1 : 0;
    late += absl::IsDeadlineExceeded(answer.status()) ? 1 : 0;
  };
  const auto run = [&]() -> Task<> {
    const CoroutineConnection connection = co_await pair.Dial();
    // More than the peer allows streams: who waits for one may be late too.
    std::vector<SpawnedTask<void>> asking;
    for (int i = 0; i < kRequests; ++i) {
      asking.push_back(pair.client->Start(ask(connection, i % 2 == 0)));
    }
    for (SpawnedTask<void>& task : asking) co_await std::move(task).Join();
    co_await WaitUntilZero(*pair.client, answering);
  };

  pair.client->Run(run());

  EXPECT_EQ(answered, kRequests / 2);
  EXPECT_EQ(late, kRequests / 2);
}

// ---- Tasks that are destroyed wherever they wait ----

// One of the things that take a while, by number.
Task<> DoSomething(CoroutinePair& pair, CoroutineConnection connection, uint64_t what,
                   std::atomic<int>* doing) {
  const Counted counted(doing);
  switch (what % 6) {
    case 0: {
      static_cast<void>(co_await pair.client->Dial("127.0.0.1", 9));
      co_return;
    }
    case 1: {
      CoroutineConnection another = co_await pair.Dial();
      static_cast<void>(co_await Ask(another, "now"));
      co_return;
    }
    case 2: {
      static_cast<void>(co_await Ask(connection, "never"));
      co_return;
    }
    case 3: {
      const auto stream = co_await connection.OpenStream(StreamDirection::kBidirectional);
      if (!stream.ok()) co_return;
      const std::string text(3'000'000, 'x');
      static_cast<void>(co_await stream->Write(text));
      co_return;
    }
    case 4: {
      static_cast<void>(co_await pair.client->Within(Duration::Milliseconds(1 + what % 7),
                                                     Ask(connection, "never")));
      co_return;
    }
    default: {
      co_await pair.client->Start(DoSomething(pair, connection, what / 6, doing)).Join();
      co_return;
    }
  }
}

TEST(CoroutineStormTest, NothingIsLeftOfTasksThatAreDestroyedAnywhere) {
  constexpr int kTurns = 2'000;
  constexpr size_t kAtOnce = 50;
  std::atomic<int> answering = 0;
  std::atomic<int> doing = 0;
  ClientConfig config = LoopbackClientConfig();
  // Attempts that were given up close for a multiple of it.
  config.endpoint.connection.initial_rtt = Duration::Milliseconds(10);
  CoroutinePair pair(AnswerAll(&answering), LoopbackServerConfig(), config);
  SeededRandom random(7);
  const auto run = [&]() -> Task<> {
    const CoroutineConnection connection = co_await pair.Dial();
    std::vector<SpawnedTask<void>> tasks(kAtOnce);
    for (int turn = 0; turn < kTurns; ++turn) {
      SpawnedTask<void>& task = tasks[random.NextUint64() % kAtOnce];
      task = pair.client->Start(DoSomething(pair, connection, random.NextUint64(), &doing));
      if (turn % 16 == 0) co_await pair.client->Sleep(Duration::Microseconds(200));
    }
    tasks.clear();
    EXPECT_EQ(doing, 0);
    // The connection has survived it.
    const auto answer = co_await Ask(connection, "now");
    EXPECT_EQ(answer.value_or("nothing"), "here");
    co_await WaitUntilZero(*pair.client, answering);
  };

  pair.client->Run(run());
  while (pair.client->client().stats().connections != 0) {
    pair.client->client().RunOnce(Timestamp::Infinite());
  }
}

// ---- A chat ----

constexpr size_t kLineBytes = 8;
using Line = std::array<char, kLineBytes + 1>;  // With a zero at its end.

// The members of a room, by name, on one shard. Each is a task that reads lines and passes them on
// to all. "kick NN" ends member NN, which may be who says it; "all" ends everybody.
struct Room {
  struct Member {
    CoroutineStream stream;
    SpawnedTask<void> reader;
  };

  Task<> ReadLines(CoroutineLoop& on, CoroutineStream stream) {
    const Counted counted(&readers);
    Line line = {};
    for (;;) {
      const auto read = co_await on.Within(Duration::Infinite(), ReadLine(stream, &line));
      if (!read.ok()) co_return;
      std::vector<CoroutineStream> all;
      for (const auto& [name, member] : members) all.push_back(member.stream);
      for (const CoroutineStream& to : all) static_cast<void>(co_await to.Write(line.data()));
    }
  }

  // Runs below ReadLines(), and may end that.
  Task<absl::StatusOr<size_t>> ReadLine(CoroutineStream stream, Line* line) {
    std::array<uint8_t, kLineBytes> bytes = {};
    for (size_t size = 0; size < kLineBytes;) {
      const auto read = co_await stream.Read(std::span(bytes).subspan(size));
      if (!read.ok()) co_return read.status();
      if (*read == 0) co_return absl::OutOfRangeError("the end");
      size += *read;
    }
    const std::string text(bytes.begin(), bytes.end());
    if (text.starts_with("kick ")) members.erase(text.substr(5, 2));
    if (text.starts_with("all")) members.clear();
    // A local variable of who waits for this, and may have just been ended.
    std::copy(bytes.begin(), bytes.end(), line->begin());
    co_return kLineBytes;
  }

  std::atomic<int> readers = 0;
  std::map<std::string, Member> members;
};

std::string TwoDigits(int number) { return absl::StrFormat("%02d", number); }

TEST(CoroutineStormTest, MembersOfAChatEndEachOtherAndThemselves) {
  constexpr int kMembers = 12;
  Room room;
  CoroutinePair pair([&room](CoroutineShard& shard, CoroutineConnection connection) -> Task<> {
    return [](Room& in, CoroutineShard& on, CoroutineConnection of) -> Task<> {
      for (int i = 0;; ++i) {
        absl::StatusOr<CoroutineStream> stream = co_await of.AcceptStream();
        if (!stream.ok()) co_return;
        Room::Member& member = in.members[TwoDigits(i)];
        member.stream = *stream;
        member.reader = on.Start(in.ReadLines(on, *std::move(stream)));
      }
    }(room, shard, std::move(connection));
  });
  const auto run = [&]() -> Task<> {
    const CoroutineConnection connection = co_await pair.Dial();
    std::vector<CoroutineStream> streams;
    for (int i = 0; i < kMembers; ++i) {
      streams.push_back(*co_await connection.OpenStream(StreamDirection::kBidirectional));
      EXPECT_TRUE((co_await streams.back().Write("hello...")).ok());
    }
    // The last is there to the end. Others go by themselves, or by another.
    for (int i = 0; i + 3 < kMembers; ++i) {
      const std::string line = "kick " + TwoDigits(i % 3 == 0 ? i : i + 2) + ".";
      static_cast<void>(co_await streams[static_cast<size_t>(i)].Write(line));
    }
    EXPECT_TRUE((co_await streams.back().Write("all.....")).ok());
    for (const CoroutineStream& stream : streams) {
      const CoroutineReadAll all = co_await ReadAll(stream);
      EXPECT_TRUE(absl::IsAborted(all.status)) << all.status;
    }
    co_await WaitUntilZero(*pair.client, room.readers);
  };

  pair.client->Run(run());
}

// ---- The end of the server ----

TEST(CoroutineStormTest, TheEndOfTheServerEndsAllTransfersOnBothSides) {
  std::atomic<int> echoing = 0;
  const CoroutinePair::Serve echo = Echo();
  CoroutinePair pair([&](CoroutineShard& shard, CoroutineConnection connection) {
    ++echoing;
    return echo(shard, std::move(connection));
  });
  const std::string text = PatternText(1'000'000);
  int ended = 0;
  const auto write = [&](CoroutineStream stream) -> Task<> {
    absl::Status status;
    while (status.ok()) status = co_await stream.Write(text);
    EXPECT_TRUE(absl::IsCancelled(status)) << status;
    ++ended;
  };
  const auto read = [&](CoroutineStream stream) -> Task<> {
    const CoroutineReadAll all = co_await ReadAll(stream);
    EXPECT_TRUE(absl::IsCancelled(all.status)) << all.status;
    ++ended;
  };
  const auto run = [&]() -> Task<> {
    const CoroutineConnection connection = co_await pair.Dial();
    std::vector<SpawnedTask<void>> tasks;
    for (int i = 0; i < 20; ++i) {
      const auto stream = *co_await connection.OpenStream(StreamDirection::kBidirectional);
      tasks.push_back(pair.client->Start(write(stream)));
      tasks.push_back(pair.client->Start(read(stream)));
    }
    co_await pair.client->Sleep(Duration::Milliseconds(20));
    pair.server->Shutdown(Duration::Zero());
    for (auto& task : tasks) co_await std::move(task).Join();
  };

  pair.client->Run(run());
  pair.server.reset();

  EXPECT_EQ(ended, 40);
  EXPECT_EQ(echoing, 1);
}

}  // namespace
}  // namespace godwit
