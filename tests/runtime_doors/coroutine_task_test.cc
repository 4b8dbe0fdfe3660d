// SPDX-License-Identifier: Apache-2.0
//
// Tasks and the loops that run them, in virtual time: when they run, when they end, who outlives
// whom.
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "godwit/coroutine.h"
#include "godwit/task.h"
#include "runtime/coroutine_scheduler.h"
#include "tests/runtime_doors/manual_loop.h"

namespace godwit {
namespace {

class TestTasks final : public CoroutineLoop {
 public:
  explicit TestTasks(ManualLoop* loop)
      : CoroutineLoop(
            std::make_shared<CoroutineScheduler>(loop, [loop] { return loop->clock(); })) {}
  ~TestTasks() { EndTasks(); }

  using CoroutineLoop::EndTasks;
  void Wake(CoroutineWaitList& list) { scheduler().Wake(list); }
};

// Says when it ends.
class Ending {
 public:
  Ending(std::string name, std::vector<std::string>* log) : name_(std::move(name)), log_(*log) {}
  ~Ending() { log_.push_back("end of " + name_); }
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

 private:
  const std::string name_;
  std::vector<std::string>& log_;
};

using Log = std::vector<std::string>;

class CoroutineTaskTest : public testing::Test {
 protected:
  Task<> Say(std::string text) {
    log_.push_back(text);
    co_return;
  }
  Task<> SayAfterWait(std::string text) {
    const Ending ending(text, &log_);
    co_await CoroutineWait(list_);
    log_.push_back(text);
  }
  Task<int> GiveAfterWait(int value) {
    co_await CoroutineWait(list_);
    co_return value;
  }

  ManualLoop loop_;
  Log log_;
  CoroutineWaitList list_;
  std::optional<TestTasks> tasks_ = std::optional<TestTasks>(std::in_place, &loop_);
};

// ---- When they run ----

TEST_F(CoroutineTaskTest, NothingRunsBeforeTheLoopDoes) {
  Task<> never = Say("never");
  tasks_->Spawn(Say("said"));

  EXPECT_EQ(log_, Log());
  loop_.Run();

  EXPECT_EQ(log_, Log({"said"}));
  EXPECT_FALSE(never.is_empty());
}

TEST_F(CoroutineTaskTest, ValuesComeOutAsTheyWentIn) {
  std::unique_ptr<int> got;
  const auto give = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  const auto take = [&]() -> Task<> { got = co_await give(); };

  tasks_->Spawn(take());
  loop_.Run();

  ASSERT_NE(got, nullptr);
  EXPECT_EQ(*got, 7);
}

TEST_F(CoroutineTaskTest, WhoIsWokenGoesOnInTheLoopInTheOrderOfWaiting) {
  tasks_->Spawn(SayAfterWait("a"));
  tasks_->Spawn(SayAfterWait("b"));
  loop_.Run();

  tasks_->Wake(list_);
  EXPECT_EQ(log_, Log());
  loop_.Run();

  EXPECT_EQ(log_, Log({"a", "end of a", "b", "end of b"}));
}

TEST_F(CoroutineTaskTest, OneTaskDoesNotRunInsideOfAnother) {
  const auto wake = [&]() -> Task<> {
    tasks_->Spawn(Say("spawned"));
    tasks_->Wake(list_);
    log_.push_back("still here");
    co_return;
  };
  tasks_->Spawn(SayAfterWait("woken"));
  loop_.Run();

  tasks_->Spawn(wake());
  loop_.Run();

  EXPECT_EQ(log_, Log({"still here", "spawned", "woken", "end of woken"}));
}

TEST_F(CoroutineTaskTest, TasksThatEndAtOnceNeedNoStack) {
  constexpr int kTurns = 300'000;
  int sum = 0;
  const auto one = []() -> Task<int> { co_return 1; };
  const auto add = [&]() -> Task<> {
    for (int i = 0; i < kTurns; ++i) sum += co_await one();
  };

  tasks_->Spawn(add());
  loop_.Run();

  EXPECT_EQ(sum, kTurns);
}

TEST_F(CoroutineTaskTest, TasksThatWaitNeedNoStackEither) {
  constexpr int kTurns = 30'000;
  int sum = 0;
  const auto add = [&]() -> Task<> {
    for (int i = 0; i < kTurns; ++i) sum += co_await GiveAfterWait(1);
  };

  tasks_->Spawn(add());
  loop_.Run();
  while (!list_.empty()) {
    tasks_->Wake(list_);
    loop_.Run();
  }

  EXPECT_EQ(sum, kTurns);
}

TEST_F(CoroutineTaskTest, TasksThatWakeEachOtherLeaveTheLoopItsTurns) {
  bool is_over = false;
  CoroutineWaitList others;
  const auto pass = [&](CoroutineWaitList& from, CoroutineWaitList& to) -> Task<> {
    while (!is_over) {
      tasks_->Wake(to);
      co_await CoroutineWait(from);
    }
  };
  tasks_->Spawn(pass(list_, others));
  tasks_->Spawn(pass(others, list_));
  loop_.CallAt(loop_.now(), [&] { is_over = true; });

  // Comes back at all.
  loop_.Run();

  EXPECT_TRUE(is_over);
}

// ---- How they end ----

TEST_F(CoroutineTaskTest, DestroyingAWaitingTaskEndsItsLocalsFromTheInnermostOn) {
  const auto outer = [&]() -> Task<> {
    const Ending ending("outer", &log_);
    co_await SayAfterWait("inner");
  };
  {
    const SpawnedTask<void> spawned = tasks_->Start(outer());
    loop_.Run();
  }
  EXPECT_EQ(log_, Log({"end of inner", "end of outer"}));

  // Nobody waits any more.
  EXPECT_TRUE(list_.empty());
  loop_.Run();

  EXPECT_EQ(log_.size(), 2U);
}

TEST_F(CoroutineTaskTest, ATaskThatWasWokenButDestroyedDoesNotRun) {
  SpawnedTask<void> spawned = tasks_->Start(SayAfterWait("a"));
  loop_.Run();

  tasks_->Wake(list_);
  spawned = {};
  loop_.Run();

  EXPECT_EQ(log_, Log({"end of a"}));
}

TEST_F(CoroutineTaskTest, ATaskThatWasNotBegunIsDestroyed) {
  { const SpawnedTask<void> spawned = tasks_->Start(Say("a")); }

  loop_.Run();

  EXPECT_EQ(log_, Log());
}

TEST_F(CoroutineTaskTest, ATaskThatDestroysItselfRunsToItsNextWait) {
  SpawnedTask<void> spawned;
  const auto suicide = [&]() -> Task<> {
    const Ending ending("it", &log_);
    spawned = {};
    log_.push_back("runs on");
    co_await CoroutineWait(list_);
    log_.push_back("never");
  };
  spawned = tasks_->Start(suicide());

  loop_.Run();

  EXPECT_EQ(log_, Log({"runs on", "end of it"}));
  EXPECT_TRUE(list_.empty());
}

TEST_F(CoroutineTaskTest, ATaskThatDestroysItselfMayEndByItself) {
  SpawnedTask<int> spawned;
  const auto suicide = [&]() -> Task<int> {
    spawned = {};
    co_return 1;
  };
  spawned = tasks_->Start(suicide());

  loop_.Run();

  EXPECT_FALSE(spawned.is_done());
}

TEST_F(CoroutineTaskTest, ATaskThatDestroysItsStarterMayUseThatsLocalsUntilItsNextWait) {
  SpawnedTask<void> starter;
  const auto inner = [&](std::string* local) -> Task<absl::Status> {
    starter = {};
    *local += " and used";
    log_.push_back(*local);
    co_await CoroutineWait(list_);
    log_.push_back("never");
    co_return absl::OkStatus();
  };
  const auto middle = [&](std::string* local) -> Task<absl::Status> {
    co_return co_await tasks_->Within(Duration::Seconds(2), inner(local));
  };
  const auto outer = [&]() -> Task<> {
    const Ending ending("outer", &log_);
    std::string local = "there";
    static_cast<void>(co_await tasks_->Within(Duration::Seconds(1), middle(&local)));
    log_.push_back("never");
  };
  starter = tasks_->Start(outer());

  loop_.Run();

  EXPECT_EQ(log_, Log({"there and used", "end of outer"}));
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(loop_.waiting_call_count(), 0U);
}

TEST_F(CoroutineTaskTest, ATaskThatDestroysItsStarterMayEndByItself) {
  SpawnedTask<void> starter;
  const auto child = [&]() -> Task<absl::Status> {
    starter = {};
    log_.push_back("runs on");
    co_return absl::OkStatus();
  };
  const auto outer = [&]() -> Task<> {
    const Ending ending("outer", &log_);
    static_cast<void>(co_await tasks_->Within(Duration::Seconds(1), child()));
    log_.push_back("never");
  };
  starter = tasks_->Start(outer());

  loop_.Run();

  EXPECT_EQ(log_, Log({"runs on", "end of outer"}));
  EXPECT_EQ(loop_.waiting_call_count(), 0U);
}

TEST_F(CoroutineTaskTest, WhatATaskHasStartedEndsWithIt) {
  const auto parent = [&](std::string name) -> Task<> {
    const Ending ending(name, &log_);
    const SpawnedTask<void> child = tasks_->Start(SayAfterWait("child of " + name));
    co_await CoroutineWait(list_);
  };
  {
    const SpawnedTask<void> spawned = tasks_->Start(parent("a"));
    loop_.Run();
  }

  EXPECT_EQ(log_, Log({"end of child of a", "end of a"}));
}

TEST_F(CoroutineTaskTest, TheLoopsEndDestroysAllTasks) {
  tasks_->Spawn(SayAfterWait("a"));
  const SpawnedTask<void> kept = tasks_->Start(SayAfterWait("b"));
  loop_.Run();
  tasks_->Spawn(Say("never"));

  tasks_.reset();
  loop_.Run();

  EXPECT_EQ(log_.size(), 2U);
  EXPECT_FALSE(kept.is_done());
  EXPECT_EQ(loop_.waiting_call_count(), 0U);
}

TEST_F(CoroutineTaskTest, AfterTheEndNothingBegins) {
  tasks_->EndTasks();

  tasks_->Spawn(Say("never"));
  const SpawnedTask<int> spawned = tasks_->Start(GiveAfterWait(1));
  loop_.Run();

  EXPECT_EQ(log_, Log());
  EXPECT_FALSE(spawned.is_done());
}

TEST_F(CoroutineTaskTest, AListThatEndsBeforeItsWaitersLeavesThemAlone) {
  auto list = std::make_unique<CoroutineWaitList>();
  const auto wait = [&]() -> Task<> {
    const Ending ending("it", &log_);
    co_await CoroutineWait(*list);
  };
  tasks_->Spawn(wait());
  loop_.Run();

  list.reset();
  tasks_.reset();

  EXPECT_EQ(log_, Log({"end of it"}));
}

// ---- Results ----

TEST_F(CoroutineTaskTest, JoinGivesTheResult) {
  std::vector<int> results;
  const auto join = [&]() -> Task<> {
    SpawnedTask<int> one = tasks_->Start(GiveAfterWait(1));
    SpawnedTask<int> two = tasks_->Start(GiveAfterWait(2));
    results.push_back(co_await std::move(two).Join());
    results.push_back(co_await std::move(one).Join());
  };
  tasks_->Spawn(join());
  loop_.Run();
  EXPECT_EQ(results, std::vector<int>());

  tasks_->Wake(list_);
  loop_.Run();

  EXPECT_EQ(results, (std::vector<int>{2, 1}));
}

TEST_F(CoroutineTaskTest, WhatIsJoinedEndsWithWhoJoins) {
  const auto join = [&]() -> Task<> { co_await tasks_->Start(SayAfterWait("a")).Join(); };
  {
    const SpawnedTask<void> joining = tasks_->Start(join());
    loop_.Run();
  }

  EXPECT_EQ(log_, Log({"end of a"}));
}

TEST_F(CoroutineTaskTest, ADetachedTaskGoesOn) {
  tasks_->Start(SayAfterWait("a")).Detach();
  loop_.Run();

  tasks_->Wake(list_);
  loop_.Run();

  EXPECT_EQ(log_, Log({"a", "end of a"}));
}

TEST_F(CoroutineTaskTest, ResultsCanBeTakenWithoutATask) {
  SpawnedTask<int> spawned = tasks_->Start(GiveAfterWait(3));
  loop_.Run();
  EXPECT_FALSE(spawned.is_done());

  tasks_->Wake(list_);
  loop_.Run();

  ASSERT_TRUE(spawned.is_done());
  EXPECT_EQ(spawned.Take(), 3);
}

// ---- Signals ----

TEST_F(CoroutineTaskTest, ASignalWakesThoseWhoWaitNow) {
  CoroutineSignal signal(&*tasks_);
  const auto wait = [&](std::string name) -> Task<> {
    co_await signal.Wait();
    log_.push_back(name);
  };
  signal.Notify();
  tasks_->Spawn(wait("a"));
  tasks_->Spawn(wait("b"));
  loop_.Run();
  EXPECT_EQ(log_, Log());

  signal.Notify();
  EXPECT_EQ(log_, Log());
  loop_.Run();

  EXPECT_EQ(log_, Log({"a", "b"}));
}

TEST_F(CoroutineTaskTest, ASignalThatEndsBeforeItsWaitersWakesNobody) {
  auto signal = std::make_unique<CoroutineSignal>(&*tasks_);
  const SpawnedTask<void> waiting = tasks_->Start(signal->Wait());
  loop_.Run();

  signal.reset();
  loop_.Run();

  EXPECT_FALSE(waiting.is_done());
}

// Continues from a call of the loop, as an application's own awaitable may.
class InACall {
 public:
  explicit InACall(Loop* loop) : loop_(*loop) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    loop_.Post([waiting] { waiting.resume(); });
  }
  void await_resume() const {}

 private:
  Loop& loop_;
};

TEST_F(CoroutineTaskTest, AnAwaitableOfTheApplicationsOwnContinuesATask) {
  const auto inner = [&]() -> Task<int> {
    co_await InACall(&loop_);
    co_return 7;
  };
  const auto outer = [&]() -> Task<> {
    const Ending ending("it", &log_);
    log_.push_back(std::to_string(co_await inner()));
  };
  SpawnedTask<void> spawned = tasks_->Start(outer());

  loop_.Run();

  EXPECT_TRUE(spawned.is_done());
  EXPECT_EQ(log_, Log({"7", "end of it"}));
}

// ---- Time ----

TEST_F(CoroutineTaskTest, SleepersWakeInTheOrderOfTheirTimes) {
  const auto sleep = [&](int milliseconds) -> Task<> {
    co_await tasks_->Sleep(Duration::Milliseconds(milliseconds));
    log_.push_back(std::to_string(milliseconds));
  };
  tasks_->Spawn(sleep(3));
  tasks_->Spawn(sleep(1));
  tasks_->Spawn(sleep(2));

  loop_.RunFor(Duration::Milliseconds(2));
  EXPECT_EQ(log_, Log({"1", "2"}));
  loop_.RunFor(Duration::Milliseconds(1));

  EXPECT_EQ(log_, Log({"1", "2", "3"}));
}

TEST_F(CoroutineTaskTest, ASleepBeginsWhenItIsAwaitedAndNotWithTheWakeUp) {
  const auto work_and_sleep = [&]() -> Task<> {
    loop_.Work(Duration::Milliseconds(10));
    co_await tasks_->Sleep(Duration::Milliseconds(1));
    log_.push_back("awake");
  };
  tasks_->Spawn(work_and_sleep());

  loop_.RunFor(Duration::Milliseconds(10));
  EXPECT_EQ(log_, Log());
  loop_.RunFor(Duration::Milliseconds(1));

  EXPECT_EQ(log_, Log({"awake"}));
}

TEST_F(CoroutineTaskTest, ASleeperThatIsDestroyedLeavesNoTimer) {
  SpawnedTask<void> spawned = tasks_->Start(tasks_->Sleep(Duration::Seconds(1)));
  loop_.Run();
  EXPECT_EQ(loop_.waiting_call_count(), 1U);

  spawned = {};

  EXPECT_EQ(loop_.waiting_call_count(), 0U);
}

class WithinTest : public CoroutineTaskTest {
 protected:
  Task<absl::StatusOr<int>> Give(int value) {
    const Ending ending("it", &log_);
    co_await CoroutineWait(list_);
    co_return value;
  }
  void Start() {
    const auto within = [this]() -> Task<> {
      result_ = co_await tasks_->Within(Duration::Milliseconds(5), Give(7));
      log_.push_back("result");
    };
    within_ = within;
    tasks_->Spawn(within_());
    loop_.RunFor(Duration::Milliseconds(4));
  }

  std::function<Task<>()> within_;
  std::optional<absl::StatusOr<int>> result_;
};

TEST_F(WithinTest, WhatIsInTimeGivesItsResult) {
  Start();

  tasks_->Wake(list_);
  loop_.Run();

  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(**result_, 7);
  EXPECT_EQ(log_, Log({"end of it", "result"}));
  EXPECT_EQ(loop_.waiting_call_count(), 0U);
}

TEST_F(WithinTest, WhatIsLateIsDestroyed) {
  Start();

  loop_.RunFor(Duration::Milliseconds(1));

  ASSERT_TRUE(result_.has_value());
  EXPECT_TRUE(absl::IsDeadlineExceeded(result_->status())) << result_->status();
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(log_, Log({"end of it", "result"}));
}

TEST_F(WithinTest, WorkBeforeItIsNoneOfItsTime) {
  const auto work = [this]() -> Task<> {
    loop_.Work(Duration::Milliseconds(100));
    co_return;
  };
  tasks_->Spawn(work());
  Start();

  loop_.RunFor(Duration::Milliseconds(100));
  EXPECT_FALSE(result_.has_value());
  loop_.RunFor(Duration::Milliseconds(1));

  ASSERT_TRUE(result_.has_value());
  EXPECT_TRUE(absl::IsDeadlineExceeded(result_->status())) << result_->status();
}

TEST_F(WithinTest, AWakeUpAfterTheDeadlineIsTooLate) {
  Start();
  loop_.CallAt(loop_.now() + Duration::Milliseconds(1), [this] { tasks_->Wake(list_); });

  // At the same time, but the deadline's call was there before.
  loop_.RunFor(Duration::Milliseconds(1));

  ASSERT_TRUE(result_.has_value());
  EXPECT_TRUE(absl::IsDeadlineExceeded(result_->status())) << result_->status();
}

TEST_F(WithinTest, WithoutADeadlineItIsWaitedFor) {
  const auto within = [this]() -> Task<> {
    result_ = co_await tasks_->Within(Duration::Infinite(), Give(7));
  };
  tasks_->Spawn(within());
  loop_.RunFor(Duration::Seconds(1'000'000));
  EXPECT_FALSE(result_.has_value());

  tasks_->Wake(list_);
  loop_.Run();

  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(**result_, 7);
}

}  // namespace
}  // namespace godwit
