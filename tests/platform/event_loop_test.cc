// SPDX-License-Identifier: Apache-2.0
#include "platform/event_loop.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "godwit/time.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

constexpr Duration kLong = Duration::Seconds(60);  // Nothing here takes so long.

// A pipe whose ends can be closed apart.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(fds_.data(), O_NONBLOCK | O_CLOEXEC), 0); }
  ~Pipe() {
    CloseReader();
    CloseWriter();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return fds_[0]; }
  int writer() const { return fds_[1]; }
  void Put() const { EXPECT_EQ(write(writer(), "x", 1), 1); }
  void Take() const {
    char byte = 0;
    EXPECT_EQ(read(reader(), &byte, 1), 1);
  }
  void CloseReader() { Close(fds_[0]); }
  void CloseWriter() { Close(fds_[1]); }

 private:
  static void Close(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }

  std::array<int, 2> fds_;
};

class EventLoopTest : public testing::Test {
 protected:
  EventLoopTest() : loop_(*EventLoop::Create()) {}

  void RunWithoutWaiting() { loop_->RunOnce(Timestamp::InfinitePast()); }

  void RunUntil(const std::function<bool()>& condition) {
    const Timestamp end = MonotonicClock::Now() + kLong;
    while (!condition() && MonotonicClock::Now() < end) loop_->RunOnce(end);
    ASSERT_TRUE(condition());
  }

  std::unique_ptr<EventLoop> loop_;
};

// Descriptors.

TEST_F(EventLoopTest, ReadableDescriptorIsReportedAsLongAsItIsNotRead) {
  Pipe pipe;
  std::vector<FdEvents> events;
  ASSERT_TRUE(
      loop_->Watch(pipe.reader(), {.readable = true}, [&](FdEvents e) { events.push_back(e); })
          .ok());

  RunWithoutWaiting();
  const size_t before = events.size();
  pipe.Put();
  RunWithoutWaiting();
  RunWithoutWaiting();
  pipe.Take();
  RunWithoutWaiting();

  EXPECT_EQ(before, 0);
  ASSERT_EQ(events.size(), 2);
  EXPECT_TRUE(events[0].readable);
  EXPECT_FALSE(events[0].writable);
  EXPECT_FALSE(events[0].error);
}

TEST_F(EventLoopTest, OnlyWhatIsOfInterestIsReported) {
  Pipe pipe;
  int writable_count = 0;
  const auto count_writable = [&](FdEvents e) { writable_count += e.writable ? 1 : 0; };
  ASSERT_TRUE(loop_->Watch(pipe.writer(), {}, count_writable).ok());

  RunWithoutWaiting();
  const int without_interest = writable_count;
  ASSERT_TRUE(loop_->Modify(pipe.writer(), {.writable = true}).ok());
  RunWithoutWaiting();
  const int with_interest = writable_count;
  ASSERT_TRUE(loop_->Modify(pipe.writer(), {.readable = true}).ok());
  RunWithoutWaiting();

  EXPECT_EQ(without_interest, 0);
  EXPECT_EQ(with_interest, 1);
  EXPECT_EQ(writable_count, 1);
}

TEST_F(EventLoopTest, EndOfTheOtherSideIsReportedWithoutAnyInterest) {
  Pipe pipe;
  bool has_error = false;
  ASSERT_TRUE(loop_->Watch(pipe.reader(), {}, [&](FdEvents e) { has_error = e.error; }).ok());

  pipe.CloseWriter();
  RunWithoutWaiting();

  EXPECT_TRUE(has_error);
}

TEST_F(EventLoopTest, DescriptorIsWatchedOnlyOnce) {
  Pipe pipe;
  ASSERT_TRUE(loop_->Watch(pipe.reader(), {.readable = true}, [](FdEvents) {}).ok());

  const absl::Status status = loop_->Watch(pipe.reader(), {.readable = true}, [](FdEvents) {});

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(EventLoopTest, WhatCannotBeWatchedIsRefused) {
  const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);

  EXPECT_FALSE(loop_->Watch(file, {.readable = true}, [](FdEvents) {}).ok());
  EXPECT_FALSE(loop_->Watch(-1, {.readable = true}, [](FdEvents) {}).ok());
  EXPECT_FALSE(loop_->Modify(file, {.readable = true}).ok());
  EXPECT_FALSE(loop_->Modify(-1, {.readable = true}).ok());
  loop_->Unwatch(file);
  loop_->Unwatch(-1);
  close(file);
}

TEST_F(EventLoopTest, UnwatchedDescriptorIsNotReported) {
  Pipe pipe;
  int count = 0;
  ASSERT_TRUE(loop_->Watch(pipe.reader(), {.readable = true}, [&](FdEvents) { ++count; }).ok());
  pipe.Put();

  loop_->Unwatch(pipe.reader());
  RunWithoutWaiting();

  EXPECT_EQ(count, 0);
}

TEST_F(EventLoopTest, CallbackThatUnwatchesItselfIsDestroyedAfterItsReturn) {
  Pipe pipe;
  const auto token = std::make_shared<int>(7);
  int seen = 0;
  ASSERT_TRUE(loop_
                  ->Watch(pipe.reader(), {.readable = true},
                          [this, &pipe, &seen, token](FdEvents) {
                            loop_->Unwatch(pipe.reader());
                            seen = *token;
                          })
                  .ok());
  pipe.Put();

  RunWithoutWaiting();

  EXPECT_EQ(seen, 7);
  EXPECT_EQ(token.use_count(), 1);
}

// Both are ready in one wake-up; whichever comes first ends the other.
TEST_F(EventLoopTest, DescriptorUnwatchedInTheSameWakeUpIsNotReported) {
  Pipe pipes[2];
  int count = 0;
  for (int i = 0; i < 2; ++i) {
    const auto callback = [&, i](FdEvents) {
      ++count;
      loop_->Unwatch(pipes[1 - i].reader());
    };
    ASSERT_TRUE(loop_->Watch(pipes[i].reader(), {.readable = true}, callback).ok());
    pipes[i].Put();
  }

  RunWithoutWaiting();

  EXPECT_EQ(count, 1);
}

// As above, and the number of the other one is that of a new descriptor before its turn comes.
TEST_F(EventLoopTest, EventOfAClosedDescriptorIsNotReportedForTheNextOneOfItsNumber) {
  Pipe pipes[2];
  Pipe fresh;
  int old_count = 0;
  int new_count = 0;
  for (int i = 0; i < 2; ++i) {
    const auto callback = [&, i](FdEvents) {
      ++old_count;
      loop_->Unwatch(pipes[i].reader());
      const int number = pipes[1 - i].reader();
      loop_->Unwatch(number);
      ASSERT_EQ(dup2(fresh.reader(), number), number);
      ASSERT_TRUE(loop_->Watch(number, {.readable = true}, [&](FdEvents) { ++new_count; }).ok());
    };
    ASSERT_TRUE(loop_->Watch(pipes[i].reader(), {.readable = true}, callback).ok());
    pipes[i].Put();
  }

  RunWithoutWaiting();
  const int new_count_before = new_count;
  fresh.Put();
  RunWithoutWaiting();

  EXPECT_EQ(old_count, 1);
  EXPECT_EQ(new_count_before, 0);
  EXPECT_EQ(new_count, 1);
}

TEST_F(EventLoopTest, CallbackMayWatchManyMore) {
  Pipe first;
  std::vector<std::unique_ptr<Pipe>> more;
  int count = 0;
  const auto watch_more = [&, token = std::make_shared<int>(1)](FdEvents) {
    first.Take();
    for (int i = 0; i < 200; ++i) {
      const Pipe& pipe = *more.emplace_back(std::make_unique<Pipe>());
      pipe.Put();
      ASSERT_TRUE(loop_->Watch(pipe.reader(), {.readable = true}, [&](FdEvents) { ++count; }).ok());
    }
    count += *token;
  };
  ASSERT_TRUE(loop_->Watch(first.reader(), {.readable = true}, watch_more).ok());
  first.Put();

  RunWithoutWaiting();

  EXPECT_EQ(count, 1);
  RunUntil([&] { return count >= 201; });
}

// Timers and the clock.

TEST_F(EventLoopTest, TimerRunsAtItsTimeAndNotBefore) {
  const Timestamp deadline = loop_->now() + Duration::Milliseconds(3);
  Timestamp ran_at = Timestamp::InfinitePast();
  loop_->CallAt(deadline, [&] { ran_at = loop_->now(); });

  RunUntil([&] { return ran_at != Timestamp::InfinitePast(); });

  EXPECT_GE(ran_at, deadline);
}

TEST_F(EventLoopTest, TimersRunInTheOrderOfTheirDeadlines) {
  std::vector<int> ran;
  for (const int us : {900, 100, 500}) {
    loop_->CallAt(loop_->now() + Duration::Microseconds(us), [&ran, us] { ran.push_back(us); });
  }

  RunUntil([&] { return ran.size() == 3; });

  EXPECT_EQ(ran, (std::vector<int>{100, 500, 900}));
}

TEST_F(EventLoopTest, CancelledTimerDoesNotRunAndAMovedOneRunsLater) {
  bool has_cancelled_run = false;
  Timestamp ran_at = Timestamp::InfinitePast();
  const TimerId cancelled =
      loop_->CallAt(Timestamp::InfinitePast(), [&] { has_cancelled_run = true; });
  const TimerId moved = loop_->CallAt(Timestamp::InfinitePast(), [&] { ran_at = loop_->now(); });
  const Timestamp later = loop_->now() + Duration::Milliseconds(2);

  loop_->Cancel(cancelled);
  const bool is_there = loop_->Reschedule(moved, later);
  RunUntil([&] { return ran_at != Timestamp::InfinitePast(); });

  EXPECT_TRUE(is_there);
  EXPECT_FALSE(has_cancelled_run);
  EXPECT_GE(ran_at, later);
}

TEST_F(EventLoopTest, WhatArrivedIsSeenBeforeTheTimersOfTheSameWakeUp) {
  Pipe pipe;
  std::vector<char> ran;
  loop_->CallAt(Timestamp::InfinitePast(), [&] { ran.push_back('t'); });
  ASSERT_TRUE(
      loop_->Watch(pipe.reader(), {.readable = true}, [&](FdEvents) { ran.push_back('d'); }).ok());
  pipe.Put();

  RunWithoutWaiting();

  EXPECT_EQ(ran, (std::vector<char>{'d', 't'}));
}

TEST_F(EventLoopTest, AllCallbacksOfAWakeUpSeeOneTime) {
  std::vector<Timestamp> times;
  for (int i = 0; i < 3; ++i) {
    loop_->CallAt(Timestamp::InfinitePast(), [&] {
      times.push_back(loop_->now());
      while (MonotonicClock::Now() <= loop_->now()) continue;
    });
  }
  const Timestamp before = MonotonicClock::Now();

  RunWithoutWaiting();
  const Timestamp after_wake_up = loop_->now();
  loop_->UpdateNow();

  ASSERT_EQ(times.size(), 3);
  EXPECT_GE(times[0], before);
  EXPECT_EQ(times[0], times[1]);
  EXPECT_EQ(times[0], times[2]);
  EXPECT_EQ(after_wake_up, times[0]);
  EXPECT_GT(loop_->now(), after_wake_up);
}

TEST_F(EventLoopTest, RunOnceReturnsWhenItsTimeHasCome) {
  const Timestamp until = loop_->now() + Duration::Milliseconds(3);

  while (loop_->now() < until) loop_->RunOnce(until);

  EXPECT_GE(MonotonicClock::Now(), until);
}

// Other threads.

TEST_F(EventLoopTest, WhatIsToBeSettledIsNotWaitedForAndNotSettledInThePast) {
  bool has_work = false;
  Timestamp settled_at;
  loop_->SetHasWorkCallback([&] { return has_work; });
  loop_->SetSettleCallback([&] {
    has_work = false;
    settled_at = loop_->now();
  });
  RunWithoutWaiting();

  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const Timestamp before = MonotonicClock::Now();
  has_work = true;
  // Comes back at all.
  loop_->RunOnce(Timestamp::Infinite());

  EXPECT_FALSE(has_work);
  EXPECT_GE(settled_at, before);
}

TEST_F(EventLoopTest, CallsOfEachThreadRunInTheirOrderOnTheLoopsThread) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 2'000;
  std::vector<int> seen[kThreads];
  const std::thread::id loop_thread = std::this_thread::get_id();
  int elsewhere = 0;
  int left = kThreads * kCalls;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i) {
        loop_->Post([&, t, i] {
          seen[t].push_back(i);
          elsewhere += std::this_thread::get_id() == loop_thread ? 0 : 1;
          if (--left == 0) loop_->Stop();
        });
      }
    });
  }

  loop_->Run();
  for (std::thread& thread : threads) thread.join();

  std::vector<int> expected(kCalls);
  for (int i = 0; i < kCalls; ++i) expected[i] = i;
  for (const std::vector<int>& of_thread : seen) EXPECT_EQ(of_thread, expected);
  EXPECT_EQ(elsewhere, 0);
}

TEST_F(EventLoopTest, CallPostedByACallWaitsForTheNextWakeUp) {
  std::vector<int> ran;
  loop_->Post([&] {
    ran.push_back(1);
    loop_->Post([&] { ran.push_back(2); });
  });

  RunWithoutWaiting();
  const std::vector<int> after_one = ran;
  RunWithoutWaiting();

  EXPECT_EQ(after_one, (std::vector<int>{1}));
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
}

TEST_F(EventLoopTest, AnotherThreadStopsALoopThatHasNothingToDo) {
  std::thread stopper([this] { loop_->Stop(); });

  loop_->Run();  // The test hangs if it is not stopped.

  stopper.join();
}

TEST_F(EventLoopTest, StopEndsOneRunAlsoOneThatComesLater) {
  loop_->Stop();
  loop_->Run();
  bool has_run = false;
  loop_->Post([&] {
    has_run = true;
    loop_->Stop();
  });

  loop_->Run();

  EXPECT_TRUE(has_run);
}

TEST_F(EventLoopTest, CallsThatDidNotRunAreDestroyedWithTheLoop) {
  const auto token = std::make_shared<int>(0);
  loop_->Post([token] { FAIL(); });
  loop_->CallAt(Timestamp::InfinitePast(), [token] { FAIL(); });
  const std::shared_ptr<PostQueue> queue = loop_->post_queue();

  loop_.reset();
  const bool is_accepted = queue->Post([token] { FAIL(); });

  EXPECT_FALSE(is_accepted);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(EventLoopTest, CallbacksThatTheLoopsEndDestroysMayUseIt) {
  Pipe pipes[2];
  const TimerId timer = loop_->CallAt(Timestamp::Infinite(), [] {});
  const auto owner = [&](int* memory) {
    for (const Pipe& pipe : pipes) loop_->Unwatch(pipe.reader());
    loop_->Cancel(timer);
    loop_->Post([] {});
    delete memory;
  };
  const auto make_owned = [&] { return std::shared_ptr<int>(new int(0), owner); };
  for (const Pipe& pipe : pipes) {
    ASSERT_TRUE(
        loop_->Watch(pipe.reader(), {.readable = true}, [owned = make_owned()](FdEvents) {}).ok());
  }
  loop_->CallAt(Timestamp::Infinite(), [owned = make_owned()] {});
  loop_->Post([owned = make_owned()] {});

  EventLoop* const raw = loop_.get();  // Which unique_ptr::reset() would hide from `owner`.
  delete raw;
  static_cast<void>(loop_.release());
}

#ifndef NDEBUG
using EventLoopDeathTest = EventLoopTest;

TEST_F(EventLoopDeathTest, UseByAnotherThreadWhileItRunsIsCaught) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto use_elsewhere = [this] {
    loop_->Post([this] {
      std::thread other([this] { loop_->CallAt(Timestamp::Infinite(), [] {}); });
      other.join();
    });
    RunWithoutWaiting();
  };

  EXPECT_DEATH(use_elsewhere(), "GODWIT_DCHECK failed");
}
#endif

// Inside of another loop.

bool IsReady(int fd, int timeout_ms) {
  pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, timeout_ms) == 1;
}

TEST_F(EventLoopTest, LoopWithNothingToDoIsNeverReady) {
  RunWithoutWaiting();

  EXPECT_EQ(loop_->NextWakeup(), Timestamp::Infinite());
  EXPECT_FALSE(IsReady(loop_->fd(), 0));
}

TEST_F(EventLoopTest, LivesInsideOfAForeignLoop) {
  constexpr int kLongMs = 60'000;
  Pipe pipe;
  std::vector<char> ran;
  const auto on_readable = [&](FdEvents) {
    pipe.Take();
    ran.push_back('d');
  };
  ASSERT_TRUE(loop_->Watch(pipe.reader(), {.readable = true}, on_readable).ok());

  pipe.Put();
  ASSERT_TRUE(IsReady(loop_->fd(), kLongMs));
  RunWithoutWaiting();
  std::thread poster([&] { loop_->Post([&] { ran.push_back('p'); }); });
  ASSERT_TRUE(IsReady(loop_->fd(), kLongMs));
  RunWithoutWaiting();
  poster.join();
  const Timestamp deadline = loop_->now() + Duration::Milliseconds(2);
  loop_->CallAt(deadline, [&] { ran.push_back('t'); });
  EXPECT_EQ(loop_->NextWakeup(), deadline);
  while (MonotonicClock::Now() < loop_->NextWakeup()) IsReady(loop_->fd(), 1);
  RunWithoutWaiting();

  EXPECT_EQ(ran, (std::vector<char>{'d', 'p', 't'}));
  EXPECT_EQ(loop_->NextWakeup(), Timestamp::Infinite());
  EXPECT_FALSE(IsReady(loop_->fd(), 0));
}

}  // namespace
}  // namespace godwit
