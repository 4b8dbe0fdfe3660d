// SPDX-License-Identifier: Apache-2.0
//
// PathManager under random sequences of everything that peers, attackers and timers can do, against
// a model that keeps its own accounts by address: what came, what went, which challenges were sent
// and answered. At the end of each run only the true peer goes on, and all must settle on it.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/transport/path/path_world.h"

namespace godwit {
namespace {

using Packet = PathWorld::Packet;

class RandomRun {
 public:
  explicit RandomRun(uint64_t seed) : random_(seed), world_({.seed = seed + 1'000'000}) {
    addresses_.push_back(world_.active_tuple());
    for (int i = 1; i < 5; ++i) {
      addresses_.push_back(TupleFrom("192.0.2.1:" + std::to_string(1'000 + i)));
      addresses_.push_back(TupleFrom("203.0.113." + std::to_string(i) + ":7"));
      addresses_.push_back(TupleFrom("203.0.113." + std::to_string(i) + ":8"));
    }
    accounts_[addresses_[0]].is_answered = true;
  }

  void Step() {
    const FourTuple& from = addresses_[random_.UniformBelow(addresses_.size())];
    switch (random_.UniformBelow(10)) {
      case 0:
        Arrive(from, 20 + random_.UniformBelow(1'480));
        break;
      case 1:
      case 2:
        Receive(from, Packet::kNonProbing);
        break;
      case 3:
        Receive(from, Packet::kProbing);
        break;
      case 4:
        Receive(from, Packet::kOld);
        break;
      case 5:
        Challenge(from);
        break;
      case 6:
      case 7:
        Send();
        break;
      case 8:
        AnswerSome();
        break;
      default:
        Pass(Duration::Milliseconds(static_cast<int64_t>(random_.UniformBelow(1'500))));
        break;
    }
    Check();
  }

  // The peer stays at one address and answers; nobody else sends.
  void Settle() {
    const FourTuple home = addresses_[random_.UniformBelow(addresses_.size())];
    for (int i = 0; i < 100; ++i) {
      Receive(home, Packet::kNonProbing);
      ASSERT_EQ(world_.active_tuple(), home);
      Send();
      for (const PathChallengeData& data : accounts_[home].challenges) Answer(home, data);
      accounts_[home].challenges.clear();
      Pass(Duration::Seconds(1));
      Check();
    }
    EXPECT_TRUE(world_.manager.active().is_validated());
    EXPECT_EQ(world_.manager.path_count(), 1u);
    EXPECT_EQ(world_.manager.next_deadline(), Timestamp::Infinite());
    EXPECT_FALSE(world_.manager.NextPathWithFrames().has_value());
  }

  size_t reverted_count() const { return reverted_count_; }
  size_t evicted_count() const { return evicted_count_; }
  size_t migrated_count() const { return migrated_count_; }

 private:
  struct Account {
    uint64_t received_bytes = 0;
    uint64_t sent_unvalidated_bytes = 0;
    bool is_answered = false;
    std::vector<PathChallengeData> challenges;
  };

  void Arrive(const FourTuple& from, uint64_t bytes) {
    NoteArrival(from, bytes, world_.Arrive(from, bytes));
  }
  void NoteArrival(const FourTuple& from, uint64_t bytes, const PathWorld::Arrival& arrival) {
    accounts_[from].received_bytes += bytes;
    ASSERT_FALSE(arrival.drop.has_value());
    ASSERT_EQ(world_.manager.Find(arrival.path)->four_tuple(), from);
    if (!arrival.evicted.has_value()) return;
    ++evicted_count_;
    ASSERT_NE(*arrival.evicted, world_.manager.active().id());
    ASSERT_EQ(world_.manager.Find(*arrival.evicted), nullptr);
  }

  void Receive(const FourTuple& from, Packet packet) {
    const FourTuple before = world_.active_tuple();
    Arrive(from, 20 + random_.UniformBelow(1'480));
    const uint64_t bytes = random_.UniformBelow(200);
    accounts_[from].received_bytes += bytes;
    const bool has_migrated =
        world_.Receive(from, packet, bytes) == PathManager::Migration::kMigrated;
    ASSERT_EQ(has_migrated, packet == Packet::kNonProbing && before != from);
    ASSERT_EQ(world_.active_tuple(), has_migrated ? from : before);
    migrated_count_ += has_migrated ? 1 : 0;
  }

  void Challenge(const FourTuple& from) {
    PathChallengeData data;
    random_.Fill(data);
    Arrive(from, 100);
    world_.manager.OnPathChallengeFrame({.data = data}, world_.manager.Find(from)->id());
    owed_[data] = from;
  }

  void Send() {
    for (int i = 0; i < 4; ++i) {
      const std::optional<PathId> id = world_.manager.NextPathWithFrames();
      if (!id.has_value()) return;
      const bool is_validated = world_.manager.Find(*id)->is_validated();
      Note(world_.SendOn(*id), is_validated);
    }
  }
  void Note(const PathWorld::Sent& sent, bool is_validated) {
    Account& account = accounts_[sent.to];
    if (!is_validated) account.sent_unvalidated_bytes += sent.bytes;
    for (const PathChallengeData& data : sent.content.challenges) {
      ASSERT_TRUE(challenges_.insert(data).second);
      account.challenges.push_back(data);
    }
    // RFC 9000 §8.2.2: once, and where the challenge came from.
    for (const PathChallengeData& data : sent.content.responses) {
      ASSERT_TRUE(owed_.contains(data));
      ASSERT_EQ(owed_[data], sent.to);
      owed_.erase(data);
    }
  }

  void AnswerSome() {
    const FourTuple& from = addresses_[random_.UniformBelow(addresses_.size())];
    Account& account = accounts_[from];
    if (account.challenges.empty()) return;
    Answer(from, account.challenges[random_.UniformBelow(account.challenges.size())]);
  }
  void Answer(const FourTuple& from, const PathChallengeData& data) {
    accounts_[from].is_answered = true;
    world_.Answer(data);
  }

  // As PathWorld's, but what is sent is noted.
  void Pass(Duration duration) {
    const Timestamp end = world_.now + duration;
    while (world_.manager.next_deadline() <= end) {
      world_.now = std::max(world_.now, world_.manager.next_deadline());
      const FourTuple before = world_.active_tuple();
      const PathManager::TimeoutOutcome outcome = world_.TimeOut();
      ASSERT_FALSE(outcome.no_viable_path);
      ASSERT_EQ(outcome.reverted, world_.active_tuple() != before);
      if (outcome.reverted) {
        ++reverted_count_;
        ASSERT_TRUE(world_.manager.active().is_validated());
        ASSERT_TRUE(accounts_[world_.active_tuple()].is_answered);
      }
      for (const PathId id : outcome.abandoned) ASSERT_EQ(world_.manager.Find(id), nullptr);
      Send();
    }
    world_.now = end;
  }

  void Check() {
    bool has_validated = false;
    for (const FourTuple& address : addresses_) {
      const Account& account = accounts_[address];
      // RFC 9000 §8.1, over all times that the address was unknown.
      ASSERT_LE(account.sent_unvalidated_bytes, 3 * account.received_bytes);
      const Path* const path = world_.manager.Find(address);
      if (path == nullptr || !path->is_validated()) continue;
      has_validated = true;
      ASSERT_TRUE(account.is_answered);
    }
    // RFC 9000 §9.3.2: there is always one to return to.
    ASSERT_TRUE(has_validated);
    ASSERT_LE(world_.manager.path_count(), kMaxPaths);
  }

  SeededRandom random_;
  PathWorld world_;
  std::vector<FourTuple> addresses_;
  std::map<FourTuple, Account> accounts_;
  std::set<PathChallengeData> challenges_;
  std::map<PathChallengeData, FourTuple> owed_;
  size_t reverted_count_ = 0;
  size_t evicted_count_ = 0;
  size_t migrated_count_ = 0;
};

TEST(PathManagerModelTest, RandomEventsKeepTheRulesAndSettle) {
  size_t reverted_count = 0;
  size_t evicted_count = 0;
  size_t migrated_count = 0;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomRun run(seed);

    for (int i = 0; i < 400 && !testing::Test::HasFailure(); ++i) run.Step();
    if (testing::Test::HasFailure()) return;
    run.Settle();

    ASSERT_FALSE(testing::Test::HasFailure());
    reverted_count += run.reverted_count();
    evicted_count += run.evicted_count();
    migrated_count += run.migrated_count();
  }
  // The runs went where they should.
  EXPECT_GT(reverted_count, 50u);
  EXPECT_GT(evicted_count, 1'500u);
  EXPECT_GT(migrated_count, 5'000u);
}

}  // namespace
}  // namespace godwit
