// SPDX-License-Identifier: Apache-2.0
#include "crypto/early_data_guard.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "crypto/replay_store.h"
#include "crypto/tls_session.h"
#include "godwit/time.h"
#include "godwit/unix_time.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

const Bytes kTicket = {1, 2, 3};
const Bytes kOther = {1, 2, 4};

// The two clocks after `seconds`, the wall clock set forward by `step`.
TlsTime At(int64_t seconds, int64_t step = 0) {
  return {Timestamp::FromNanoseconds(0) + Duration::Seconds(10'000 + seconds),
          UnixTime::FromSeconds(1'800'000'000 + seconds + step)};
}

class EarlyDataGuardTest : public ::testing::Test {
 protected:
  bool Admit(const Bytes& ticket, TlsTime time) { return Admit(guard_, ticket, time); }
  static bool Admit(EarlyDataGuard& guard, const Bytes& ticket, TlsTime time) {
    guard.OnClientHello(time);
    return guard.Admit(ticket, time);
  }

  SeededRandom random_{1};
  BoundedReplayStore store_{{.capacity = 1024}, At(0).now, random_};
  EarlyDataGuard guard_{&store_};
};

TEST_F(EarlyDataGuardTest, TicketIsAdmittedOnceInASpanWhereverItBegins) {
  for (int64_t start = 0; start < 2 * EarlyDataGuard::kSpanSeconds; start += 7) {
    for (int64_t later = 0; later <= EarlyDataGuard::kSpanSeconds; ++later) {
      BoundedReplayStore store({.capacity = 64}, At(0).now, random_);
      EarlyDataGuard guard(&store);
      ASSERT_TRUE(Admit(guard, kTicket, At(start)));

      ASSERT_FALSE(Admit(guard, kTicket, At(start + later))) << start << " " << later;
    }
  }
}

TEST_F(EarlyDataGuardTest, OtherTicketsAreAdmitted) {
  EXPECT_TRUE(Admit(kTicket, At(0)));

  EXPECT_TRUE(Admit(kOther, At(0)));
}

TEST_F(EarlyDataGuardTest, UnseenForTwoSpansATicketIsAdmittedAgain) {
  ASSERT_TRUE(Admit(kTicket, At(0)));

  EXPECT_TRUE(Admit(kTicket, At(2 * EarlyDataGuard::kSpanSeconds)));
}

TEST_F(EarlyDataGuardTest, RefusedSightingsCountToo) {
  ASSERT_TRUE(Admit(kTicket, At(1)));

  for (int64_t seconds = 100; seconds < 2000; seconds += 100) {
    EXPECT_FALSE(Admit(kTicket, At(seconds))) << seconds;
  }
}

TEST_F(EarlyDataGuardTest, WallClockThatWasSetBackAdmitsNothingUntilAllIsTooOld) {
  for (const int64_t back : {6, 100, 1000}) {
    EarlyDataGuard guard(&store_);
    guard.OnClientHello(At(0));
    const auto is_admitted = [&](int64_t seconds) {
      const Bytes ticket = {static_cast<uint8_t>(seconds), static_cast<uint8_t>(seconds >> 8),
                            static_cast<uint8_t>(back)};
      return Admit(guard, ticket, At(seconds, -back));
    };

    EXPECT_FALSE(is_admitted(10)) << back;
    EXPECT_FALSE(is_admitted(10 + EarlyDataGuard::kSpanSeconds + back - 1)) << back;
    EXPECT_TRUE(is_admitted(10 + EarlyDataGuard::kSpanSeconds + back)) << back;
  }
}

TEST_F(EarlyDataGuardTest, SmallStepsBackAddUp) {
  ASSERT_TRUE(Admit({0}, At(0)));
  for (uint8_t step = 1; step <= EarlyDataGuard::kToleratedSkewSeconds; ++step) {
    EXPECT_TRUE(Admit({step}, At(step, -step))) << int{step};
  }

  EXPECT_FALSE(Admit({100}, At(10, -EarlyDataGuard::kToleratedSkewSeconds - 1)));
}

TEST_F(EarlyDataGuardTest, ToleratedStepBackDoesNotForget) {
  for (int64_t start = 0; start < 2 * EarlyDataGuard::kSpanSeconds; ++start) {
    EarlyDataGuard guard(&store_);
    const Bytes ticket = {static_cast<uint8_t>(start), static_cast<uint8_t>(start >> 8)};
    ASSERT_TRUE(Admit(guard, ticket, At(start)));

    ASSERT_FALSE(Admit(guard, ticket, At(start, -EarlyDataGuard::kToleratedSkewSeconds)));
    ASSERT_FALSE(Admit(guard, ticket, At(start + 100)));
  }
}

TEST_F(EarlyDataGuardTest, WallClockThatWasSetForwardIsNoMatter) {
  ASSERT_TRUE(Admit(kTicket, At(0)));

  EXPECT_TRUE(Admit(kOther, At(1, 3600)));
}

TEST_F(EarlyDataGuardTest, UnknownPastAdmitsNothingInTheSpanAfterTheFirstHello) {
  guard_.DistrustPast();
  guard_.OnClientHello(At(50));

  EXPECT_FALSE(Admit(kTicket, At(50 + EarlyDataGuard::kSpanSeconds - 1)));
  EXPECT_TRUE(Admit(kOther, At(50 + EarlyDataGuard::kSpanSeconds)));
}

// A client whose 0-RTT data was refused sends it again, so the hello must not pass a second later.
TEST_F(EarlyDataGuardTest, TicketSeenWhileNothingIsAdmittedIsNotAdmittedAfterwards) {
  guard_.DistrustPast();
  guard_.OnClientHello(At(0));
  ASSERT_FALSE(Admit(kTicket, At(EarlyDataGuard::kSpanSeconds - 1)));

  EXPECT_FALSE(Admit(kTicket, At(EarlyDataGuard::kSpanSeconds + 1)));
  EXPECT_TRUE(Admit(kOther, At(EarlyDataGuard::kSpanSeconds + 1)));
}

TEST_F(EarlyDataGuardTest, WithoutAStoreNothingIsAdmitted) {
  EarlyDataGuard guard(nullptr);

  EXPECT_FALSE(guard.has_store());
  EXPECT_FALSE(Admit(guard, kTicket, At(0)));
}

}  // namespace
}  // namespace godwit
