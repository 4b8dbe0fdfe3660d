// SPDX-License-Identifier: Apache-2.0
//
// The deadlines of an endpoint with 100,000 connections. Every iteration is one operation, on a
// connection chosen at random, so that the caches help no more than they would in service. The
// counter says how much memory each connection's deadline takes.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"

#include "base/check.h"
#include "base/seeded_random.h"
#include "godwit/time.h"
#include "transport/endpoint/timer_queue.h"

namespace godwit {
namespace {

constexpr uint32_t kConnections = 100'000;
constexpr size_t kChoices = size_t{1} << 16;
constexpr Duration kIdleTimeout = Duration::Seconds(30);
constexpr Timestamp kStart = Timestamp::FromNanoseconds(1'000'000'000);

// All connections idle, their timeouts spread over the next 30 s.
struct IdleEndpoint {
  IdleEndpoint() {
    SeededRandom random(1);
    for (uint32_t slot = 0; slot < kConnections; ++slot) {
      timers.Set(slot, kStart + kIdleTimeout * static_cast<int64_t>(slot) / kConnections);
    }
    for (size_t i = 0; i < kChoices; ++i) {
      choices.push_back(static_cast<uint32_t>(random.UniformBelow(kConnections)));
    }
  }

  uint32_t NextChoice() { return choices[next_choice++ % kChoices]; }

  TimerQueue timers;
  std::vector<uint32_t> choices;
  size_t next_choice = 0;
};

void Report(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes_per_connection"] = TimerQueue::kBytesPerSlot;
}

// A packet came: the idle timeout starts anew. Then the endpoint says when it wants to be woken.
void BM_DeadlineMovesLater(benchmark::State& state) {
  IdleEndpoint endpoint;
  Timestamp now = kStart;
  for (auto _ : state) {
    now += Duration::Microseconds(1);
    endpoint.timers.Set(endpoint.NextChoice(), now + kIdleTimeout);
    benchmark::DoNotOptimize(endpoint.timers.Earliest());
  }
  Report(state);
}

// A connection that was idle sends: its probe timeout is near; then it is idle again.
void BM_DeadlineMovesEarlierAndBack(benchmark::State& state) {
  IdleEndpoint endpoint;
  Timestamp now = kStart;
  for (auto _ : state) {
    now += Duration::Microseconds(1);
    const uint32_t slot = endpoint.NextChoice();
    const Timestamp before = endpoint.timers.deadline(slot);
    endpoint.timers.Set(slot, now + Duration::Milliseconds(25));
    benchmark::DoNotOptimize(endpoint.timers.Earliest());
    endpoint.timers.Set(slot, before);
  }
  Report(state);
}

// The earliest expires, and gets a new deadline behind all others.
void BM_Expiry(benchmark::State& state) {
  IdleEndpoint endpoint;
  for (auto _ : state) {
    const Timestamp now = endpoint.timers.Earliest();
    const auto slot = endpoint.timers.PopExpired(now);
    GODWIT_CHECK(slot.has_value());
    endpoint.timers.Set(*slot, now + kIdleTimeout);
  }
  Report(state);
}

BENCHMARK(BM_DeadlineMovesLater);
BENCHMARK(BM_DeadlineMovesEarlierAndBack);
BENCHMARK(BM_Expiry);

}  // namespace
}  // namespace godwit
