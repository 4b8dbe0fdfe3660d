// SPDX-License-Identifier: Apache-2.0
//
// The loops of clients and servers, as applications use them; and a client inside of another loop.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "platform/monotonic_clock.h"
#include "tests/runtime/test_runtime.h"

namespace godwit {
namespace {

TEST(LoopTest, PostedCallsRunOnTheLoopsThreadInTheirOrder) {
  constexpr int kThreads = 4;
  constexpr int kCallsEach = 500;
  EventHandler handler;
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  std::array<std::vector<int>, kThreads> ran;  // Of the loop's thread.
  int total = 0;

  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int call = 0; call < kCallsEach; ++call) {
        client->loop().Post([&, i, call] {
          ran[static_cast<size_t>(i)].push_back(call);
          if (++total == kThreads * kCallsEach) client->Stop();
        });
      }
    });
  }
  client->Run();
  for (std::thread& thread : threads) thread.join();

  for (const std::vector<int>& calls : ran) {
    EXPECT_EQ(calls.size(), static_cast<size_t>(kCallsEach));
    EXPECT_TRUE(std::ranges::is_sorted(calls));
  }
}

TEST(LoopTest, StopFromAnotherThreadEndsRun) {
  EventHandler handler;
  const auto client = *Client::Create(EchoClientConfig(), &handler);

  std::thread other([&] { client->Stop(); });
  client->Run();

  other.join();
}

TEST(LoopTest, CallsComeInTheOrderOfTheirTimesAndNotBefore) {
  EventHandler handler;
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  Loop& loop = client->loop();
  const Timestamp start = loop.now();
  std::vector<int> order;
  bool is_early = false;
  const auto call_at = [&](int number, Duration after) {
    loop.CallAt(start + after, [&, number, after] {
      order.push_back(number);
      is_early = is_early || loop.now() < start + after;
    });
  };

  call_at(3, Duration::Milliseconds(3));
  call_at(1, Duration::Milliseconds(1));
  call_at(2, Duration::Milliseconds(2));
  ASSERT_TRUE(RunUntil(*client, [&] { return order.size() == 3; }));

  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_FALSE(is_early);
}

TEST(LoopTest, ACancelledCallDoesNotComeAndCancellingAgainIsHarmless) {
  EventHandler handler;
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  Loop& loop = client->loop();
  int cancelled = 0;
  int ran = 0;
  Loop::CallId last = 0;

  const Loop::CallId from_outside = loop.CallAt(loop.now(), [&] { ++cancelled; });
  const Loop::CallId from_inside =
      loop.CallAt(loop.now() + Duration::Milliseconds(2), [&] { ++cancelled; });
  const Loop::CallId canceller = loop.CallAt(loop.now(), [&] {
    loop.Cancel(from_inside);
    loop.Cancel(canceller);  // Itself: it runs, and nothing happens.
    ++ran;
  });
  loop.Cancel(from_outside);
  loop.Cancel(from_outside);
  last = loop.CallAt(loop.now() + Duration::Milliseconds(4), [&] { ++ran; });
  ASSERT_TRUE(RunUntil(*client, [&] { return ran == 2; }));
  loop.Cancel(last);

  EXPECT_EQ(cancelled, 0);
}

// Cancels its call at its own end.
struct Canceller {
  explicit Canceller(Loop* a_loop) : loop(*a_loop) {}
  ~Canceller() { loop.Cancel(id); }

  Loop& loop;
  Loop::CallId id = 0;
};

// It is held by its call alone.
std::weak_ptr<Canceller> HeldByItsCall(Loop* loop) {
  const auto held = std::make_shared<Canceller>(loop);
  held->id = loop->CallAt(Timestamp::Infinite(), [held] {});
  return held;
}

TEST(LoopTest, WhatACallHoldsMayCancelItAtItsOwnEnd) {
  EventHandler handler;
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  const std::weak_ptr<Canceller> held = HeldByItsCall(&client->loop());

  client->loop().Cancel(held.lock()->id);

  EXPECT_TRUE(held.expired());
}

TEST(LoopTest, WhatACallHoldsMayUseTheLoopAlsoAtTheClientsEnd) {
  EventHandler handler;
  auto client = *Client::Create(EchoClientConfig(), &handler);
  const std::weak_ptr<Canceller> held = HeldByItsCall(&client->loop());

  client.reset();

  EXPECT_TRUE(held.expired());
}

TEST(LoopTest, WhatACallHoldsMayUseTheLoopAlsoAtTheServersEnd) {
  std::weak_ptr<Canceller> held;
  auto server = *Server::Create(EchoServerConfig(), [&held](Loop& loop) {
    held = HeldByItsCall(&loop);
    return std::make_unique<EventHandler>();
  });

  server.reset();

  EXPECT_TRUE(held.expired());
}

TEST(LoopTest, AnApplicationsOwnDescriptorIsWatched) {
  EventHandler handler;
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  Loop& loop = client->loop();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::string text;
  const absl::Status watched = loop.WatchFd(ends[0], {.readable = true}, [&](FdEvents events) {
    EXPECT_TRUE(events.readable);
    char byte = 0;
    ASSERT_EQ(read(ends[0], &byte, 1), 1);
    text += byte;
  });
  ASSERT_TRUE(watched.ok()) << watched;

  ASSERT_EQ(write(ends[1], "ab", 2), 2);
  // Level-triggered: one byte a call.
  ASSERT_TRUE(RunUntil(*client, [&] { return text == "ab"; }));
  ASSERT_TRUE(loop.ModifyFd(ends[0], {}).ok());
  ASSERT_EQ(write(ends[1], "c", 1), 1);
  client->RunOnce(Timestamp::InfinitePast());
  EXPECT_EQ(text, "ab");
  ASSERT_TRUE(loop.ModifyFd(ends[0], {.readable = true}).ok());
  ASSERT_TRUE(RunUntil(*client, [&] { return text == "abc"; }));
  loop.UnwatchFd(ends[0]);
  ASSERT_EQ(write(ends[1], "d", 1), 1);
  client->RunOnce(Timestamp::InfinitePast());

  EXPECT_EQ(text, "abc");
  EXPECT_FALSE(loop.ModifyFd(ends[0], {.readable = true}).ok());
  close(ends[0]);
  close(ends[1]);
}

// Works on its connection by a timer, not by events.
class TickingHandler final : public EventHandler {
 public:
  explicit TickingHandler(Loop* loop) : loop_(*loop) {}
  ~TickingHandler() override { loop_.Cancel(next_); }

  void OnConnected(ConnectionRef connection) override {
    stream_ = *connection.OpenStream(StreamDirection::kUnidirectional);
    Tick(connection, 0);
  }

 private:
  void Tick(ConnectionRef connection, int count) {
    const std::string text(1, static_cast<char>('a' + count));
    if (!connection.Write(stream_, text).ok() || count == 9) {
      static_cast<void>(connection.Finish(stream_));
      return;
    }
    next_ = loop_.CallAt(loop_.now() + Duration::Milliseconds(1),
                         [this, connection, count] { Tick(connection, count + 1); });
  }

  Loop& loop_;
  StreamId stream_;
  Loop::CallId next_ = 0;
};

class Reader final : public EventHandler {
 public:
  bool is_done() const { return is_done_; }
  const std::string& text() const { return text_; }

  void OnStreamReadable(ConnectionRef connection, StreamId stream) override {
    Read(connection, stream);
  }
  void OnStreamFinished(ConnectionRef connection, StreamId stream) override {
    Read(connection, stream);
  }

 private:
  void Read(ConnectionRef& connection, StreamId stream) {
    std::array<uint8_t, 100> bytes;
    const auto read = connection.Read(stream, bytes);
    ASSERT_TRUE(read.ok()) << read.status();
    text_.append(reinterpret_cast<const char*>(bytes.data()), read->bytes);
    is_done_ = is_done_ || read->is_end;
  }

  std::string text_;
  bool is_done_ = false;
};

TEST(LoopTest, WhatAServersTimersWriteIsSent) {
  const auto server = *Server::Create(
      EchoServerConfig(), [](Loop& loop) { return std::make_unique<TickingHandler>(&loop); });
  server->Start();
  Reader handler;
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server->local_address(), "localhost").ok());

  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  EXPECT_EQ(handler.text(), "abcdefghij");
}

TEST(LoopTest, WhatOtherThreadsPostToAServersLoopRunsThere) {
  std::atomic<Loop*> loop = nullptr;
  const auto server = *Server::Create(EchoServerConfig(), [&](Loop& of_shard) {
    loop = &of_shard;
    return std::make_unique<EventHandler>();
  });
  server->Start();
  std::atomic<int> ran = 0;
  std::thread::id thread;  // Written before the last of the calls.

  for (int i = 0; i < 100; ++i) {
    loop.load()->Post([&] {
      thread = std::this_thread::get_id();
      ++ran;
    });
  }
  while (ran < 100) std::this_thread::yield();

  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(LoopTest, AClientsHandlerHasTheLoop) {
  EchoServer server;
  auto client = Client::Create(EchoClientConfig(), [](Loop& loop) -> std::unique_ptr<EventHandler> {
    return std::make_unique<TickingHandler>(&loop);
  });
  ASSERT_TRUE(client.ok()) << client.status();
  const auto connection = (*client)->Connect(server.address(), "localhost");
  ASSERT_TRUE(connection.ok());

  EXPECT_TRUE(RunUntil(**client, [&] {
    const auto stats = connection->Stats();
    return stats.ok() && stats->packets_sent > 10;
  }));

  // The handler ends with the client, and before the loop: it cancels its timer.
  client->reset();
}

TEST(LoopTest, AClientWithoutAHandlerIsRefused) {
  EventHandler* const none = nullptr;

  const auto without = Client::Create(EchoClientConfig(), none);
  const auto of_nothing =
      Client::Create(EchoClientConfig(), [](Loop&) { return std::unique_ptr<EventHandler>(); });

  EXPECT_TRUE(absl::IsInvalidArgument(without.status())) << without.status();
  EXPECT_TRUE(absl::IsInvalidArgument(of_nothing.status())) << of_nothing.status();
}

TEST(LoopTest, TheClockIsThatOfTheLoops) {
  EventHandler handler;
  const auto client = *Client::Create(EchoClientConfig(), &handler);

  const Timestamp before = Loop::Now();
  client->RunOnce(Timestamp::InfinitePast());
  const Timestamp after = Loop::Now();

  EXPECT_LE(before, client->loop().now());
  EXPECT_LE(client->loop().now(), after);
}

int WholeMillisecondsUntil(Timestamp deadline) {
  const Timestamp now = MonotonicClock::Now();
  if (deadline <= now) return 0;
  if (deadline == Timestamp::Infinite()) return -1;
  return static_cast<int>((deadline - now).ToMicroseconds() / 1'000 + 1);
}

TEST(ForeignLoopTest, AClientLivesInsideOfAPollLoop) {
  EchoServer server;
  EchoClient handler(10, 200'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  pollfd waited = {.fd = client->fd(), .events = POLLIN, .revents = 0};
  const Timestamp end = MonotonicClock::Now() + kPatience;

  // By events and deadlines alone: whoever forgets one hangs here.
  while (!handler.is_done() && MonotonicClock::Now() < end) {
    ASSERT_GE(poll(&waited, 1, WholeMillisecondsUntil(std::min(end, client->NextWakeup()))), 0);
    client->RunOnce(Timestamp::InfinitePast());
  }

  EXPECT_TRUE(handler.is_done());
  EXPECT_FALSE(handler.has_mismatch());
}

TEST(ForeignLoopTest, CallsOutsideOfTheLoopMakeItWantToRun) {
  EchoServer server;
  EchoClient handler(1, 1'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  EXPECT_LE(client->NextWakeup(), MonotonicClock::Now());
  ASSERT_TRUE(RunUntil(*client, [&] { return handler.is_done(); }));

  handler.Want(1);

  EXPECT_LE(client->NextWakeup(), MonotonicClock::Now());
}

// The loop has looked at its clock long before the application writes: not so long that a packet of
// then were taken for lost.
TEST(ForeignLoopTest, WhatIsWrittenAfterAPauseIsNotSentInThePast) {
  EchoServer server;
  EchoClient handler(1, 1'000);
  const auto client = *Client::Create(EchoClientConfig(), &handler);
  ASSERT_TRUE(client->Connect(server.address(), "localhost").ok());
  const auto has_all_acknowledged = [&] {
    return handler.is_done() && handler.connection().Stats()->bytes_in_flight == 0;
  };
  ASSERT_TRUE(RunUntil(*client, has_all_acknowledged));

  std::this_thread::sleep_for(std::chrono::milliseconds(15));
  const Timestamp before = Loop::Now();
  handler.Want(1);
  ASSERT_TRUE(RunUntil(*client, has_all_acknowledged));
  const Timestamp after = Loop::Now();

  EXPECT_LE(handler.connection().Stats()->latest_rtt, after - before);
}

}  // namespace
}  // namespace godwit
