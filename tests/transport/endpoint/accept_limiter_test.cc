// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/accept_limiter.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/seeded_random.h"

namespace godwit {
namespace {

constexpr Timestamp kStart = Timestamp::FromNanoseconds(1'000'000'000);

SocketAddress Source(std::string_view text) { return *SocketAddress::Parse(text); }

class AcceptLimiterTest : public testing::Test {
 protected:
  static AcceptLimiter::Facts Facts(const SocketAddress& source, Timestamp now = kStart) {
    return {.source = source,
            .now = now,
            .connection_count = 0,
            .half_open_count = 0,
            .is_stopped = false,
            .has_memory = true};
  }

  int AcceptedFrom(std::string_view source, Timestamp now = kStart) {
    int count = 0;
    while (count < 1'000 && !limiter_.Refuse(Facts(Source(source), now)).has_value()) ++count;
    return count;
  }

  SeededRandom random_{1};
  AcceptLimiter limiter_{
      {.max_connections = 100, .max_half_open = 10, .max_per_second_per_source = 4}, random_};
};

TEST_F(AcceptLimiterTest, FirstConnectionIsAccepted) {
  EXPECT_EQ(limiter_.Refuse(Facts(Source("192.0.2.1:1000"))), std::nullopt);
}

TEST_F(AcceptLimiterTest, EachBoundIsTheLastThatIsAccepted) {
  AcceptLimiter::Facts facts = Facts(Source("192.0.2.1:1000"));

  facts.connection_count = 99;
  EXPECT_EQ(limiter_.Refuse(facts), std::nullopt);
  facts.connection_count = 100;
  EXPECT_EQ(limiter_.Refuse(facts), RefusalReason::kTooManyConnections);

  facts.connection_count = 50;
  facts.half_open_count = 9;
  EXPECT_EQ(limiter_.Refuse(facts), std::nullopt);
  facts.half_open_count = 10;
  EXPECT_EQ(limiter_.Refuse(facts), RefusalReason::kTooManyHalfOpen);
}

TEST_F(AcceptLimiterTest, StoppedOrOutOfMemoryAcceptsNothing) {
  AcceptLimiter::Facts stopped = Facts(Source("192.0.2.1:1000"));
  stopped.is_stopped = true;
  AcceptLimiter::Facts full = Facts(Source("192.0.2.1:1000"));
  full.has_memory = false;

  EXPECT_EQ(limiter_.Refuse(stopped), RefusalReason::kStopped);
  EXPECT_EQ(limiter_.Refuse(full), RefusalReason::kMemoryBudget);
}

TEST_F(AcceptLimiterTest, SourceIsLimitedByItsRate) {
  EXPECT_EQ(AcceptedFrom("192.0.2.1:1000"), 4);
  EXPECT_EQ(limiter_.Refuse(Facts(Source("192.0.2.1:1000"))), RefusalReason::kSourceRate);
  EXPECT_EQ(AcceptedFrom("192.0.2.1:1000", kStart + Duration::Milliseconds(500)), 2);
}

TEST_F(AcceptLimiterTest, WhatIsRefusedForAnotherReasonDoesNotCount) {
  AcceptLimiter::Facts facts = Facts(Source("192.0.2.1:1000"));
  facts.half_open_count = 10;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(limiter_.Refuse(facts), RefusalReason::kTooManyHalfOpen);
  }

  EXPECT_EQ(AcceptedFrom("192.0.2.1:1000"), 4);
}

TEST_F(AcceptLimiterTest, Ipv4SourceIsA24) {
  EXPECT_EQ(AcceptedFrom("192.0.2.1:1000"), 4);

  EXPECT_EQ(AcceptedFrom("192.0.2.255:2000"), 0);
  EXPECT_EQ(AcceptedFrom("192.0.3.1:1000"), 4);
}

TEST_F(AcceptLimiterTest, Ipv4MappedSourceIsThatOfTheIpv4Address) {
  EXPECT_EQ(AcceptedFrom("192.0.2.1:1000"), 4);

  EXPECT_EQ(AcceptedFrom("[::ffff:192.0.2.7]:1000"), 0);
}

TEST_F(AcceptLimiterTest, Ipv6SourceIsA56) {
  EXPECT_EQ(AcceptedFrom("[2001:db8:0:1200::1]:1000"), 4);

  EXPECT_EQ(AcceptedFrom("[2001:db8:0:12ff:1::9]:1000"), 0);
  EXPECT_EQ(AcceptedFrom("[2001:db8:0:1300::1]:1000"), 4);
}

TEST_F(AcceptLimiterTest, FloodFromManySourcesDoesNotFreeTheOneThatFloods) {
  ASSERT_EQ(AcceptedFrom("192.0.2.1:1000"), 4);
  // An eighth of the table, one packet each, from sources that are quieter than that one.
  for (uint32_t i = 0; i < kMaxAcceptSources / 8; ++i) {
    const std::array<uint8_t, 4> ip = {10, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i),
                                       1};
    ASSERT_EQ(limiter_.Refuse(Facts(SocketAddress::FromIpv4(ip, 1))), std::nullopt);
  }

  EXPECT_EQ(AcceptedFrom("192.0.2.1:1000"), 0);
}

TEST_F(AcceptLimiterTest, ManyMoreSourcesThanPlacesAreServed) {
  int accepted = 0;
  for (uint32_t i = 0; i < 10 * kMaxAcceptSources; ++i) {
    const std::array<uint8_t, 4> ip = {static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8),
                                       static_cast<uint8_t>(i), 1};
    if (!limiter_.Refuse(Facts(SocketAddress::FromIpv4(ip, 1))).has_value()) ++accepted;
  }

  EXPECT_EQ(accepted, 10 * kMaxAcceptSources);
}

TEST_F(AcceptLimiterTest, OnlyLastingReasonsAreTold) {
  EXPECT_TRUE(AcceptLimiter::IsTold(RefusalReason::kStopped));
  EXPECT_TRUE(AcceptLimiter::IsTold(RefusalReason::kTooManyConnections));
  EXPECT_FALSE(AcceptLimiter::IsTold(RefusalReason::kTooManyHalfOpen));
  EXPECT_FALSE(AcceptLimiter::IsTold(RefusalReason::kSourceRate));
}

}  // namespace
}  // namespace godwit
