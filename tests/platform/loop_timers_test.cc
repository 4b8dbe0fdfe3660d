// SPDX-License-Identifier: Apache-2.0
#include "platform/loop_timers.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/time.h"
#include "tests/base/heap_counter.h"

namespace godwit {
namespace {

constexpr Timestamp At(int64_t ms) { return Timestamp() + Duration::Milliseconds(ms); }

TEST(LoopTimersTest, NothingIsDueWithoutTimers) {
  LoopTimers timers;

  timers.RunDue(At(1'000));

  EXPECT_EQ(timers.Earliest(), Timestamp::Infinite());
}

TEST(LoopTimersTest, DueTimersRunInTheOrderOfTheirDeadlines) {
  LoopTimers timers;
  std::vector<int64_t> ran;
  for (const int64_t ms : {50, 20, 90, 10, 70, 30, 60}) {
    timers.Add(At(ms), [&ran, ms] { ran.push_back(ms); });
  }

  timers.RunDue(At(60));

  EXPECT_EQ(ran, (std::vector<int64_t>{10, 20, 30, 50, 60}));
  EXPECT_EQ(timers.Earliest(), At(70));
}

TEST(LoopTimersTest, TimersOfOneDeadlineRunInTheOrderOfSetting) {
  LoopTimers timers;
  std::vector<int> ran;
  const TimerId moved = timers.Add(At(1), [&ran] { ran.push_back(100); });
  for (int i = 0; i < 20; ++i) {
    timers.Add(At(5), [&ran, i] { ran.push_back(i); });
    if (i == 9) timers.Reschedule(moved, At(5));
  }

  timers.RunDue(At(5));

  std::vector<int> expected = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100};
  for (int i = 10; i < 20; ++i) expected.push_back(i);
  EXPECT_EQ(ran, expected);
}

TEST(LoopTimersTest, RemovedTimerNeverRuns) {
  LoopTimers timers;
  bool has_run = false;
  const TimerId id = timers.Add(At(1), [&has_run] { has_run = true; });

  timers.Remove(id);
  timers.RunDue(At(10));

  EXPECT_FALSE(has_run);
  EXPECT_FALSE(timers.Reschedule(id, At(20)));
}

TEST(LoopTimersTest, IdOfATimerThatHasRunTouchesNoOther) {
  LoopTimers timers;
  int runs = 0;
  const TimerId old = timers.Add(At(1), [] {});
  timers.RunDue(At(1));
  const TimerId young = timers.Add(At(2), [&runs] { ++runs; });  // In the place of the old one.

  timers.Remove(old);
  const bool is_old_there = timers.Reschedule(old, At(50));
  timers.RunDue(At(2));

  EXPECT_FALSE(old == young);
  EXPECT_FALSE(is_old_there);
  EXPECT_EQ(runs, 1);
}

TEST(LoopTimersTest, DefaultIdNamesNoTimer) {
  LoopTimers timers;
  timers.Add(At(1), [] {});

  timers.Remove(TimerId());

  EXPECT_FALSE(timers.Reschedule(TimerId(), At(2)));
  EXPECT_EQ(timers.Earliest(), At(1));
}

TEST(LoopTimersTest, CallbackRemovesATimerThatIsDueToo) {
  LoopTimers timers;
  bool has_run = false;
  TimerId second;
  timers.Add(At(1), [&] { timers.Remove(second); });
  second = timers.Add(At(2), [&has_run] { has_run = true; });

  timers.RunDue(At(10));

  EXPECT_FALSE(has_run);
}

TEST(LoopTimersTest, TimerThatReschedulesItselfKeepsItsIdAndItsCallback) {
  LoopTimers timers;
  std::vector<Timestamp> runs;
  Timestamp now;
  TimerId id;
  id = timers.Add(At(10), [&, token = std::make_shared<int>(7)] {
    runs.push_back(now);
    EXPECT_EQ(*token, 7);
    if (runs.size() == 3) return;
    EXPECT_TRUE(timers.Reschedule(id, now + Duration::Milliseconds(10)));
  });

  for (int64_t ms = 0; ms <= 100; ++ms) {
    now = At(ms);
    timers.RunDue(now);
  }

  EXPECT_EQ(runs, (std::vector<Timestamp>{At(10), At(20), At(30)}));
  EXPECT_FALSE(timers.Reschedule(id, At(200)));
}

TEST(LoopTimersTest, TimerThatRemovesItselfIsDestroyedAfterItsReturn) {
  LoopTimers timers;
  const auto token = std::make_shared<int>(7);
  const std::weak_ptr<int> watch = token;
  int seen = 0;
  TimerId id;
  id = timers.Add(At(1), [&timers, &id, &seen, token] {
    timers.Remove(id);
    timers.Add(At(100), [] {});  // In its place.
    seen = *token;
  });
  const long holders_before = watch.use_count();

  timers.RunDue(At(1));

  EXPECT_EQ(seen, 7);
  EXPECT_EQ(watch.use_count(), holders_before - 1);
  EXPECT_EQ(timers.Earliest(), At(100));
}

TEST(LoopTimersTest, TimerOfATimerWaitsForTheNextRoundEvenIfItsDeadlineHasPassed) {
  LoopTimers timers;
  int runs = 0;
  std::function<void()> again = [&] {
    ++runs;
    timers.Add(Timestamp::InfinitePast(), again);
  };
  timers.Add(At(1), again);

  timers.RunDue(At(10));

  EXPECT_EQ(runs, 1);
  EXPECT_LE(timers.Earliest(), At(10));
}

TEST(LoopTimersTest, TimersThatAlwaysWantToRunKeepNoOtherFromIt) {
  LoopTimers timers;
  std::function<void()> again = [&] { timers.Add(Timestamp::InfinitePast(), again); };
  timers.Add(Timestamp::InfinitePast(), again);
  bool has_run = false;
  timers.RunDue(At(10));
  timers.Add(At(10), [&has_run] { has_run = true; });

  timers.RunDue(At(10));

  EXPECT_TRUE(has_run);
}

TEST(LoopTimersTest, TimerWithoutADeadlineWaitsUntilItIsRescheduled) {
  LoopTimers timers;
  int runs = 0;
  const TimerId id = timers.Add(Timestamp::Infinite(), [&runs] { ++runs; });

  timers.RunDue(At(1'000'000));
  const int runs_before = runs;
  timers.Reschedule(id, At(1'000'001));
  timers.RunDue(At(1'000'001));

  EXPECT_EQ(runs_before, 0);
  EXPECT_EQ(runs, 1);
}

TEST(LoopTimersTest, CallbackThatIsDestroyedMayUseTheTimers) {
  LoopTimers timers;
  const TimerId other = timers.Add(At(5), [] {});
  const auto cancels_other = [&timers, other](int* memory) {
    timers.Remove(other);
    delete memory;
  };
  const TimerId id =
      timers.Add(At(1), [owned = std::shared_ptr<int>(new int(0), cancels_other)] {});

  timers.Remove(id);

  EXPECT_EQ(timers.Earliest(), Timestamp::Infinite());
  timers.CheckInvariants();
}

// Against a list that is searched from end to end.
TEST(LoopTimersTest, BehavesAsAPlainListDoes) {
  SeededRandom random(20'261'122);
  LoopTimers timers;
  std::map<uint64_t, std::pair<Timestamp, TimerId>> model;  // By the order of setting.
  uint64_t order = 0;
  std::vector<uint64_t> ran;
  Timestamp now = At(0);

  for (int step = 0; step < 20'000; ++step) {
    const Timestamp deadline = now + Duration::Milliseconds(random.UniformBelow(50));
    const uint64_t action = random.UniformBelow(8);
    auto victim = model.begin();
    if (!model.empty()) std::advance(victim, random.UniformBelow(model.size()));
    if (action < 4 && model.size() < 200) {
      const uint64_t name = order++;
      model[name] = {deadline, timers.Add(deadline, [&ran, name] { ran.push_back(name); })};
    } else if (action == 4 && !model.empty()) {
      timers.Remove(victim->second.second);
      model.erase(victim);
    } else if (action == 5 && !model.empty()) {
      // Setting it anew changes its place among equals, but not its name here: so no equals.
      const Timestamp unique = deadline + Duration::Nanoseconds(step + 1);
      ASSERT_TRUE(timers.Reschedule(victim->second.second, unique));
      victim->second.first = unique;
    } else {
      now += Duration::Milliseconds(random.UniformBelow(10));
      std::multimap<std::pair<Timestamp, uint64_t>, uint64_t> due;
      for (const auto& [name, timer] : model) {
        if (timer.first <= now) due.emplace(std::pair(timer.first, name), name);
      }
      std::vector<uint64_t> expected;
      for (const auto& [key, name] : due) {
        expected.push_back(name);
        model.erase(name);
      }
      ran.clear();
      timers.RunDue(now);
      ASSERT_EQ(ran, expected) << "step " << step;
    }
    timers.CheckInvariants();
  }
}

TEST(LoopTimersTest, SettingMovingAndRunningAllocateNothingOnceWarm) {
  LoopTimers timers;
  int runs = 0;
  const auto work = [&](int64_t ms) {
    const TimerId id = timers.Add(At(ms + 5), [&runs] { ++runs; });
    timers.Reschedule(id, At(ms));
    timers.Remove(timers.Add(At(ms), [&runs] { ++runs; }));
    timers.RunDue(At(ms));
  };
  work(0);
  const uint64_t allocations_before = CountHeap().allocations;

  for (int64_t ms = 1; ms <= 1'000; ++ms) work(ms);

  EXPECT_EQ(CountHeap().allocations, allocations_before);
  EXPECT_EQ(runs, 1'001);
}

}  // namespace
}  // namespace godwit
