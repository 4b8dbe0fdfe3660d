// SPDX-License-Identifier: Apache-2.0
#include "platform/host_resolver.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "platform/event_loop.h"
#include "platform/monotonic_clock.h"

namespace godwit {
namespace {

using Addresses = HostResolver::Addresses;

Addresses ParseAll(const std::vector<std::string>& texts) {
  Addresses addresses;
  for (const std::string& text : texts) addresses.push_back(*SocketAddress::Parse(text));
  return addresses;
}

class HostResolverTest : public testing::Test {
 protected:
  HostResolverTest()
      : loop_(*EventLoop::Create()), resolver_(std::make_unique<HostResolver>(loop_.get())) {}

  // Keeps the answer in `answers_`.
  void Resolve(std::string host) {
    resolver_->Resolve(std::move(host), 443, [this](absl::StatusOr<Addresses> answer) {
      answers_.push_back(std::move(answer));
    });
  }

  void RunUntilAnswered(size_t count) {
    const Timestamp end = MonotonicClock::Now() + Duration::Seconds(60);
    while (answers_.size() < count && MonotonicClock::Now() < end) loop_->RunOnce(end);
    ASSERT_EQ(answers_.size(), count);
  }

  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<HostResolver> resolver_;
  std::vector<absl::StatusOr<Addresses>> answers_;
};

TEST_F(HostResolverTest, NumericAddressIsItsOwnAnswerInTheNextWakeUp) {
  Resolve("192.0.2.1");
  Resolve("2001:db8::1");
  const size_t inside_of_resolve = answers_.size();

  loop_->RunOnce(Timestamp::InfinitePast());

  EXPECT_EQ(inside_of_resolve, 0);
  ASSERT_EQ(answers_.size(), 2);
  ASSERT_TRUE(answers_[0].ok());
  EXPECT_EQ(*answers_[0], ParseAll({"192.0.2.1:443"}));
  ASSERT_TRUE(answers_[1].ok());
  EXPECT_EQ(*answers_[1], ParseAll({"[2001:db8::1]:443"}));
}

TEST_F(HostResolverTest, LocalhostIsLoopbackWithEachAddressOnce) {
  Resolve("localhost");

  RunUntilAnswered(1);

  ASSERT_TRUE(answers_[0].ok()) << answers_[0].status();
  ASSERT_FALSE(answers_[0]->empty());
  for (const SocketAddress& address : *answers_[0]) {
    EXPECT_TRUE(address.is_loopback()) << address.ToString();
    EXPECT_EQ(address.port(), 443);
    EXPECT_EQ(std::count(answers_[0]->begin(), answers_[0]->end(), address), 1);
  }
}

TEST_F(HostResolverTest, WhatIsNoHostNameIsAnError) {
  Resolve("");
  Resolve(std::string("localhost\0.example", 18));
  Resolve("no..host");

  RunUntilAnswered(3);

  EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(answers_[1].status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(answers_[2].status().code(), absl::StatusCode::kNotFound) << answers_[2].status();
}

TEST_F(HostResolverTest, MoreNamesThanWorkersAreAllAnswered) {
  constexpr size_t kNames = 10 * HostResolver::kMaxWorkers;
  for (size_t i = 0; i < kNames; ++i) Resolve("localhost");

  RunUntilAnswered(kNames);

  for (const absl::StatusOr<Addresses>& answer : answers_) EXPECT_TRUE(answer.ok());
}

TEST_F(HostResolverTest, NobodyIsAnsweredAfterTheResolversEnd) {
  Resolve("localhost");
  Resolve("192.0.2.1");
  const auto token = std::make_shared<int>(0);
  resolver_->Resolve("localhost", 1, [token](absl::StatusOr<Addresses>) {});

  resolver_.reset();
  const long holders = token.use_count();
  HostResolver other(loop_.get());
  bool has_other_answer = false;
  other.Resolve("localhost", 1, [&](absl::StatusOr<Addresses>) { has_other_answer = true; });
  const Timestamp end = MonotonicClock::Now() + Duration::Seconds(60);
  while (!has_other_answer && MonotonicClock::Now() < end) loop_->RunOnce(end);

  EXPECT_TRUE(has_other_answer);
  EXPECT_TRUE(answers_.empty());
  EXPECT_EQ(holders, 1);
}

TEST_F(HostResolverTest, CallbackMayEndTheResolver) {
  bool has_answer = false;
  for (int i = 0; i < 2; ++i) {
    resolver_->Resolve("192.0.2.1", 1, [&](absl::StatusOr<Addresses>) {
      EXPECT_FALSE(has_answer);
      has_answer = true;
      resolver_.reset();
    });
  }

  loop_->RunOnce(Timestamp::InfinitePast());

  EXPECT_TRUE(has_answer);
  EXPECT_EQ(resolver_, nullptr);
}

TEST_F(HostResolverTest, WorkersMayOutliveTheLoop) {
  for (int i = 0; i < 100; ++i) Resolve("localhost");

  resolver_.reset();
  loop_.reset();

  EXPECT_TRUE(answers_.empty());
}

TEST(HostResolverOrderTest, FamiliesTakeTurnsBeginningWithTheFirst) {
  struct Case {
    std::vector<std::string> sorted;
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {{}, {}},
      {{"1.1.1.1:1", "2.2.2.2:1"}, {"1.1.1.1:1", "2.2.2.2:1"}},
      {{"[1::]:1", "[2::]:1", "1.1.1.1:1", "2.2.2.2:1"},
       {"[1::]:1", "1.1.1.1:1", "[2::]:1", "2.2.2.2:1"}},
      {{"1.1.1.1:1", "2.2.2.2:1", "[1::]:1"}, {"1.1.1.1:1", "[1::]:1", "2.2.2.2:1"}},
      {{"[1::]:1", "1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1", "[2::]:1", "[3::]:1"},
       {"[1::]:1", "1.1.1.1:1", "[2::]:1", "2.2.2.2:1", "[3::]:1", "3.3.3.3:1"}},
  };

  for (const Case& c : cases) {
    EXPECT_EQ(HostResolver::InterleaveFamilies(ParseAll(c.sorted)), ParseAll(c.expected));
  }
}

}  // namespace
}  // namespace godwit
