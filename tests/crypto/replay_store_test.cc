// SPDX-License-Identifier: Apache-2.0
#include "crypto/replay_store.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

Timestamp At(int64_t seconds) { return Timestamp::Zero() + Duration::Seconds(seconds); }

std::span<const uint8_t> KeyBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::array<uint8_t, 8> NumberedKey(uint64_t number) {
  std::array<uint8_t, 8> key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(number >> (8 * i));
  return key;
}

BoundedReplayStore StoreOf(size_t capacity, uint64_t seed = 1) {
  SeededRandom random(seed);
  return BoundedReplayStore({.capacity = capacity}, At(0), random);
}

TEST(BoundedReplayStoreTest, KeyIsNewOnce) {
  BoundedReplayStore store = StoreOf(100);

  EXPECT_TRUE(store.InsertIfAbsent(KeyBytes("a"), At(1), At(10)));
  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(2), At(10)));
  EXPECT_TRUE(store.InsertIfAbsent(KeyBytes("b"), At(2), At(10)));
}

TEST(BoundedReplayStoreTest, KeyIsRememberedUntilItExpiresAndNotMuchLonger) {
  BoundedReplayStore store = StoreOf(100);
  const Timestamp expiry = At(10) + Duration::Nanoseconds(1);

  EXPECT_TRUE(store.InsertIfAbsent(KeyBytes("a"), At(1), expiry));

  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(10), At(20)));
  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(11) - Duration::Nanoseconds(1), At(20)));
  EXPECT_TRUE(store.InsertIfAbsent(KeyBytes("a"), At(11), At(20)));
}

TEST(BoundedReplayStoreTest, ExpiredKeyIsNeverNew) {
  BoundedReplayStore store = StoreOf(100);

  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(5), At(5)));
  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(5), At(4)));
}

TEST(BoundedReplayStoreTest, TimeThatRunsBackwardsRevivesNothing) {
  BoundedReplayStore store = StoreOf(1);
  EXPECT_TRUE(store.InsertIfAbsent(KeyBytes("a"), At(1), At(10)));
  // One of these takes the place of the expired key: there are two buckets.
  for (uint64_t number = 0; number < 4; ++number) {
    EXPECT_TRUE(store.InsertIfAbsent(NumberedKey(number), At(20), At(30)));
  }

  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(2), At(10)));
  EXPECT_FALSE(store.InsertIfAbsent(NumberedKey(0), At(2), At(30)));
}

TEST(BoundedReplayStoreTest, StoreDoesNotTrustItsEmptinessBeforeItsTime) {
  SeededRandom random(1);
  BoundedReplayStore store({.capacity = 100, .trusted_from = At(10)}, At(0), random);

  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(10) - Duration::Nanoseconds(1), At(20)));
  EXPECT_TRUE(store.InsertIfAbsent(KeyBytes("a"), At(10), At(20)));
}

TEST(BoundedReplayStoreTest, EndsOfTimeAreRefused) {
  BoundedReplayStore store = StoreOf(100);
  const int64_t too_far = int64_t{1} << 32;

  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(1), Timestamp::Infinite()));
  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(1), At(too_far)));
  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(1), Timestamp::InfinitePast()));
  EXPECT_TRUE(store.InsertIfAbsent(KeyBytes("a"), Timestamp::InfinitePast(), At(too_far - 2)));
  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("a"), At(too_far - 3), At(too_far - 2)));
  EXPECT_FALSE(store.InsertIfAbsent(KeyBytes("b"), Timestamp::Infinite(), Timestamp::Infinite()));
}

TEST(BoundedReplayStoreTest, EmptyKeyIsAKey) {
  BoundedReplayStore store = StoreOf(100);

  EXPECT_TRUE(store.InsertIfAbsent({}, At(1), At(10)));
  EXPECT_FALSE(store.InsertIfAbsent({}, At(1), At(10)));
}

TEST(BoundedReplayStoreTest, FullStoreRefusesNewKeysAndForgetsNone) {
  BoundedReplayStore store = StoreOf(1'000);
  std::vector<uint64_t> accepted;

  for (uint64_t number = 0; number < 20'000; ++number) {
    if (store.InsertIfAbsent(NumberedKey(number), At(1), At(100))) accepted.push_back(number);
  }

  EXPECT_GE(accepted.size(), store.capacity());
  EXPECT_LE(accepted.size(), store.memory_bytes() / 8);
  EXPECT_EQ(store.full_count(), 20'000 - accepted.size());
  for (const uint64_t number : accepted) {
    ASSERT_FALSE(store.InsertIfAbsent(NumberedKey(number), At(99), At(100)));
  }
  EXPECT_TRUE(store.InsertIfAbsent(NumberedKey(0), At(100), At(200)));
}

TEST(BoundedReplayStoreTest, MemoryIsAsDocumented) {
  const double bytes_per_key = static_cast<double>(StoreOf(1'000'000).memory_bytes()) / 1'000'000;

  EXPECT_NEAR(bytes_per_key, 14.2, 0.1);
}

// The secret decides which keys share buckets, so an attacker cannot compute it in advance.
TEST(BoundedReplayStoreTest, WhichKeysFindNoRoomDependsOnTheSecret) {
  std::set<std::vector<bool>> outcomes;

  for (const uint64_t seed : {1, 2, 3}) {
    BoundedReplayStore store = StoreOf(20, seed);
    std::vector<bool> outcome;
    for (uint64_t number = 0; number < 60; ++number) {
      outcome.push_back(store.InsertIfAbsent(NumberedKey(number), At(1), At(100)));
    }
    outcomes.insert(outcome);
  }

  EXPECT_EQ(outcomes.size(), 3);
}

// What the store should know, kept exactly: every key until the end of the second in which it
// expires. Times in milliseconds.
class ReplayModel {
 public:
  bool Knows(uint64_t key, int64_t now) {
    while (!by_end_.empty() && by_end_.begin()->first <= now) {
      known_.erase(by_end_.begin()->second);
      by_end_.erase(by_end_.begin());
    }
    return known_.contains(key);
  }
  void Insert(uint64_t key, int64_t expiry) {
    known_.insert(key);
    by_end_.emplace((expiry + 999) / 1'000 * 1'000, key);
  }
  size_t size() const { return known_.size(); }

 private:
  std::set<uint64_t> known_;
  std::set<std::pair<int64_t, uint64_t>> by_end_;
};

// Half of the calls bring a key of the last 20,000 calls, dead or alive; keys live for 1 to 20
// seconds, and a call comes every millisecond, so that the store is near its capacity throughout.
TEST(BoundedReplayStoreTest, AgreesWithAnExactSetOverAMillionCalls) {
  constexpr size_t kCalls = 1'000'000;
  BoundedReplayStore store = StoreOf(8'500, 7);
  ReplayModel model;
  SeededRandom random(42);
  std::vector<uint64_t> tried(20'000);
  int64_t now = 0;
  size_t replays = 0;
  size_t false_positives = 0;
  size_t most_alive = 0;

  for (size_t call = 0; call < kCalls; ++call) {
    now += static_cast<int64_t>(random.UniformBelow(3));
    const uint64_t key = random.UniformBelow(2) == 0 ? random.NextUint64()
                                                     : tried[random.UniformBelow(tried.size())];
    tried[call % tried.size()] = key;
    const int64_t expiry = now + 1'000 + static_cast<int64_t>(random.UniformBelow(19'000));
    const bool is_known = model.Knows(key, now);
    const uint64_t full_before = store.full_count();

    const bool is_new =
        store.InsertIfAbsent(NumberedKey(key), Timestamp::Zero() + Duration::Milliseconds(now),
                             Timestamp::Zero() + Duration::Milliseconds(expiry));

    // No false negative, ever.
    ASSERT_FALSE(is_new && is_known) << "call " << call;
    if (is_new) model.Insert(key, expiry);
    if (is_known) ++replays;
    if (!is_known && !is_new && store.full_count() == full_before) ++false_positives;
    most_alive = std::max(most_alive, model.size());
  }

  // kFalsePositiveRate promises 0.004 in so many calls, and a full store 1.
  EXPECT_EQ(false_positives, 0);
  EXPECT_LE(store.full_count(), 1);
  EXPECT_GT(replays, kCalls / 10);
  EXPECT_LE(most_alive, store.capacity());
  EXPECT_GT(most_alive, store.capacity() * 9 / 10);
}

}  // namespace
}  // namespace godwit
