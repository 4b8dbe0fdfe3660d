// SPDX-License-Identifier: Apache-2.0
#include "transport/path/path_validator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "base/packet_number.h"
#include "base/path_id.h"
#include "base/seeded_random.h"
#include "godwit/time.h"
#include "tests/transport/path/path_packet.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {
namespace {

using State = PathValidator::State;
using Outcome = PathValidator::Outcome;
using Proof = PathValidator::Proof;
using Expansion = PathValidator::Expansion;

constexpr PathId kPath(3);
constexpr Timestamp kStart = Timestamp::FromNanoseconds(5'000'000'000);
constexpr Duration kPto = Duration::Milliseconds(100);
constexpr PathChallengeData kForeign = {1, 2, 3, 4, 5, 6, 7, 8};

// A validator with its time, and the data of all challenges that it sent.
struct Series {
  void Start() { validator.Start(now, kPto, random); }
  size_t Write(Expansion expansion = Expansion::kFull, size_t room = PathPacket::kRoom) {
    PathPacket packet(next_number, PacketMode::kNormal, room);
    validator.WriteFrames(packet.writer(), kPath, expansion, now);
    if (packet.writer().has_frames()) ++next_number;
    const std::vector<PathChallengeData> challenges = packet.Read().challenges;
    sent.insert(sent.end(), challenges.begin(), challenges.end());
    return challenges.size();
  }
  Outcome RunToDeadline() {
    now = std::max(now, validator.next_deadline());
    return validator.OnTimeout(now, random);
  }
  Proof Respond(const PathChallengeData& data) { return validator.OnPathResponse({.data = data}); }

  SeededRandom random{1};
  PathValidator validator;
  Timestamp now = kStart;
  uint64_t next_number = 100;
  std::vector<PathChallengeData> sent;
};

// ---- Every event in every state ----

enum class Situation { kIdle, kFinished, kPending, kPendingAgain, kWaiting };
enum class Event { kStart, kWrite, kLost, kAnswer, kForeignAnswer, kEarly, kRetryTime, kFailTime };

void Reach(Situation situation, Series& series) {
  if (situation == Situation::kIdle) return;
  series.Start();
  if (situation == Situation::kPending) return;
  series.Write();
  if (situation == Situation::kFinished) series.Respond(series.sent.back());
  if (situation == Situation::kPendingAgain) series.RunToDeadline();
}

struct Reaction {
  State state;
  size_t written = 0;
  Outcome outcome = Outcome::kNothing;
  Proof proof = Proof::kNone;
};

Reaction Happen(Event event, Series& series) {
  Reaction reaction{.state = State::kIdle};
  const Timestamp fail_at = kStart + 3 * kInitialPto;
  switch (event) {
    case Event::kStart:
      series.Start();
      break;
    case Event::kWrite:
      reaction.written = series.Write();
      break;
    case Event::kLost:
      series.validator.OnChallengeLost(PacketNumber(100));
      reaction.outcome = series.validator.OnTimeout(series.now, series.random);
      break;
    case Event::kAnswer:
      reaction.proof = series.Respond(series.sent.empty() ? kForeign : series.sent.back());
      break;
    case Event::kForeignAnswer:
      reaction.proof = series.Respond(kForeign);
      break;
    case Event::kEarly:
      series.now = kStart + kPto - Duration::Nanoseconds(1);
      reaction.outcome = series.validator.OnTimeout(series.now, series.random);
      break;
    case Event::kRetryTime:
      series.now = kStart + kPto;
      reaction.outcome = series.validator.OnTimeout(series.now, series.random);
      break;
    case Event::kFailTime:
      series.now = fail_at;
      reaction.outcome = series.validator.OnTimeout(series.now, series.random);
      break;
  }
  reaction.state = series.validator.state();
  series.validator.CheckInvariants();
  return reaction;
}

struct Row {
  Situation situation;
  Event event;
  Reaction expected;
};

TEST(PathValidatorTest, EveryEventInEveryState) {
  using enum Situation;
  const std::vector<Row> rows = {
      {kIdle, Event::kStart, {.state = State::kPending}},
      {kIdle, Event::kWrite, {.state = State::kIdle}},
      {kIdle, Event::kLost, {.state = State::kIdle}},
      {kIdle, Event::kAnswer, {.state = State::kIdle}},
      {kIdle, Event::kForeignAnswer, {.state = State::kIdle}},
      {kIdle, Event::kEarly, {.state = State::kIdle}},
      {kIdle, Event::kRetryTime, {.state = State::kIdle}},
      {kIdle, Event::kFailTime, {.state = State::kIdle}},

      {kFinished, Event::kStart, {.state = State::kPending}},
      {kFinished, Event::kWrite, {.state = State::kIdle}},
      {kFinished, Event::kLost, {.state = State::kIdle}},
      {kFinished, Event::kAnswer, {.state = State::kIdle}},
      {kFinished, Event::kForeignAnswer, {.state = State::kIdle}},
      {kFinished, Event::kEarly, {.state = State::kIdle}},
      {kFinished, Event::kRetryTime, {.state = State::kIdle}},
      {kFinished, Event::kFailTime, {.state = State::kIdle}},

      {kPending, Event::kStart, {.state = State::kPending}},
      {kPending, Event::kWrite, {.state = State::kWaiting, .written = 1}},
      {kPending, Event::kLost, {.state = State::kPending}},
      {kPending, Event::kAnswer, {.state = State::kPending}},
      {kPending, Event::kForeignAnswer, {.state = State::kPending}},
      {kPending, Event::kEarly, {.state = State::kPending}},
      {kPending, Event::kRetryTime, {.state = State::kPending}},
      {kPending, Event::kFailTime, {.state = State::kIdle, .outcome = Outcome::kFailed}},

      {kPendingAgain, Event::kStart, {.state = State::kPending}},
      {kPendingAgain, Event::kWrite, {.state = State::kWaiting, .written = 1}},
      {kPendingAgain, Event::kLost, {.state = State::kPending}},
      {kPendingAgain, Event::kAnswer, {.state = State::kIdle, .proof = Proof::kAddressAndMtu}},
      {kPendingAgain, Event::kForeignAnswer, {.state = State::kPending}},
      {kPendingAgain, Event::kEarly, {.state = State::kPending}},
      {kPendingAgain, Event::kRetryTime, {.state = State::kPending}},
      {kPendingAgain, Event::kFailTime, {.state = State::kIdle, .outcome = Outcome::kFailed}},

      {kWaiting, Event::kStart, {.state = State::kPending}},
      {kWaiting, Event::kWrite, {.state = State::kWaiting}},
      {kWaiting, Event::kLost, {.state = State::kWaiting}},
      {kWaiting, Event::kAnswer, {.state = State::kIdle, .proof = Proof::kAddressAndMtu}},
      {kWaiting, Event::kForeignAnswer, {.state = State::kWaiting}},
      {kWaiting, Event::kEarly, {.state = State::kWaiting}},
      {kWaiting, Event::kRetryTime, {.state = State::kPending, .outcome = Outcome::kRetry}},
      {kWaiting, Event::kFailTime, {.state = State::kIdle, .outcome = Outcome::kFailed}},
  };
  ASSERT_EQ(rows.size(), 5u * 8u);

  for (const Row& row : rows) {
    SCOPED_TRACE("situation " + std::to_string(static_cast<int>(row.situation)) + ", event " +
                 std::to_string(static_cast<int>(row.event)));
    Series series;
    Reach(row.situation, series);

    const Reaction reaction = Happen(row.event, series);

    EXPECT_EQ(reaction.state, row.expected.state);
    EXPECT_EQ(reaction.written, row.expected.written);
    EXPECT_EQ(reaction.outcome, row.expected.outcome);
    EXPECT_EQ(reaction.proof, row.expected.proof);
    EXPECT_EQ(series.validator.is_active(), row.expected.state != State::kIdle);
    EXPECT_EQ(series.validator.HasPendingFrames(), row.expected.state == State::kPending);
    EXPECT_EQ(series.validator.next_deadline() == Timestamp::Infinite(),
              row.expected.state == State::kIdle);
  }
}

// ---- Facts ----

TEST(PathValidatorTest, IsRecordedUnderItsPath) {
  Series series;
  series.Start();
  PathPacket packet;

  series.validator.WriteFrames(packet.writer(), kPath, Expansion::kFull, series.now);

  ASSERT_EQ(packet.writer().sent_frames().size(), 1u);
  EXPECT_EQ(packet.writer().sent_frames()[0], SentFrame::PathChallenge(kPath));
}

TEST(PathValidatorTest, ChallengeThatDoesNotFitStaysDue) {
  Series series;
  series.Start();

  EXPECT_EQ(series.Write(Expansion::kFull, 8), 0u);
  EXPECT_EQ(series.validator.state(), State::kPending);
  EXPECT_EQ(series.Write(Expansion::kFull, 9), 1u);
}

// RFC 9000 §8.2.1: unpredictable data in every challenge.
TEST(PathValidatorTest, EachChallengeHasDataOfItsOwn) {
  Series series;
  for (int i = 0; i < 3; ++i) {
    series.Start();
    while (series.validator.is_active()) {
      series.Write();
      series.RunToDeadline();
    }
  }

  const std::set<PathChallengeData> distinct(series.sent.begin(), series.sent.end());
  EXPECT_GT(series.sent.size(), 9u);
  EXPECT_EQ(distinct.size(), series.sent.size());
}

// RFC 9002 §6.2.1, RFC 9000 §9.4: no more aggressive than probe timeouts.
TEST(PathValidatorTest, IntervalsDouble) {
  Series series;
  series.Start();
  std::vector<int64_t> sent_at_ms;

  while (series.validator.is_active()) {
    if (series.Write() != 0) sent_at_ms.push_back((series.now - kStart).ToMilliseconds());
    series.RunToDeadline();
  }

  EXPECT_EQ(sent_at_ms, (std::vector<int64_t>{0, 100, 300, 700, 1500}));
}

// RFC 9000 §8.2.4.
TEST(PathValidatorTest, FailsAfterThreeInitialPtosIfThePtoIsShorter) {
  Series series;
  series.Start();

  while (series.validator.is_active()) {
    series.Write();
    series.RunToDeadline();
  }

  EXPECT_EQ(series.now - kStart, Duration::Milliseconds(3 * 999));
}

TEST(PathValidatorTest, FailsAfterThreePtosIfThePtoIsLonger) {
  Series series;
  series.validator.Start(kStart, Duration::Seconds(4), series.random);

  Outcome outcome = Outcome::kNothing;
  while (series.validator.is_active()) {
    series.Write();
    outcome = series.RunToDeadline();
  }

  EXPECT_EQ(outcome, Outcome::kFailed);
  EXPECT_EQ(series.now - kStart, Duration::Seconds(12));
  EXPECT_EQ(series.sent.size(), 2u);
}

TEST(PathValidatorTest, FailsAlsoIfNothingCouldBeSent) {
  Series series;
  series.Start();

  EXPECT_EQ(series.RunToDeadline(), Outcome::kFailed);
  EXPECT_EQ(series.now - kStart, 3 * kInitialPto);
}

// RFC 9000 §8.2.3: a previous challenge.
TEST(PathValidatorTest, AnswersToTheFourNewestChallengesCount) {
  for (size_t newest = 0; newest < 5; ++newest) {
    Series series;
    series.Start();
    while (series.sent.size() < 5) {
      series.Write();
      if (series.sent.size() < 5) series.RunToDeadline();
    }

    const Proof proof = series.Respond(series.sent[4 - newest]);

    EXPECT_EQ(proof, newest < 4 ? Proof::kAddressAndMtu : Proof::kNone) << newest;
  }
}

TEST(PathValidatorTest, AnswersToAnEarlierSeriesDoNotCount) {
  Series series;
  series.Start();
  series.Write();
  series.Start();

  EXPECT_EQ(series.Respond(series.sent[0]), Proof::kNone);
  series.Write();
  EXPECT_EQ(series.Respond(series.sent[0]), Proof::kNone);
  EXPECT_EQ(series.Respond(series.sent[1]), Proof::kAddressAndMtu);
}

TEST(PathValidatorTest, ZeroesAnswerNothingThatWasNotSent) {
  Series series;
  series.Start();

  EXPECT_EQ(series.Respond({}), Proof::kNone);
  series.Write();
  EXPECT_EQ(series.Respond({}), Proof::kNone);
}

// RFC 9000 §8.2.3.
TEST(PathValidatorTest, ShortChallengeProvesTheAddressAlone) {
  Series series;
  series.Start();
  series.Write(Expansion::kShort);

  EXPECT_EQ(series.Respond(series.sent[0]), Proof::kAddress);
}

TEST(PathValidatorTest, EachAnswerProvesWhatItsOwnChallengeDid) {
  Series series;
  series.Start();
  series.Write(Expansion::kShort);
  series.RunToDeadline();
  series.Write(Expansion::kFull);

  EXPECT_EQ(series.Respond(series.sent[0]), Proof::kAddress);
}

// Sends challenges until the next one would wait for more than kInitialPto.
void SendUntilBackoffIsLong(Series& series) {
  series.Start();
  series.Write();
  while (series.validator.next_deadline() - series.now <= kInitialPto) {
    series.RunToDeadline();
    series.Write();
  }
}

TEST(PathValidatorTest, LossOfTheNewestChallengeShortensALongBackoff) {
  Series series;
  SendUntilBackoffIsLong(series);

  series.validator.OnChallengeLost(PacketNumber(series.next_number - 2));
  EXPECT_GT(series.validator.next_deadline(), series.now + kInitialPto);
  series.validator.OnChallengeLost(PacketNumber(series.next_number - 1));
  EXPECT_EQ(series.validator.next_deadline(), series.now + kInitialPto);

  EXPECT_EQ(series.RunToDeadline(), Outcome::kRetry);
  EXPECT_EQ(series.Write(), 1u);
}

TEST(PathValidatorTest, LossDoesNotProlongAShortBackoff) {
  Series series;
  series.Start();
  series.Write();

  series.validator.OnChallengeLost(PacketNumber(100));

  EXPECT_EQ(series.validator.next_deadline(), kStart + kPto);
}

// RFC 9000 §8.2.1: as when the old path is gone, and packets on the new one show each loss at once.
TEST(PathValidatorTest, LossesOneAfterTheOtherBringFewChallenges) {
  for (const Duration pto : {Duration::Milliseconds(1), kPto, Duration::Seconds(3600)}) {
    Series series;
    series.validator.Start(kStart, pto, series.random);
    while (series.validator.is_active()) {
      series.Write();
      series.validator.OnChallengeLost(PacketNumber(series.next_number - 1));
      series.RunToDeadline();
      series.validator.CheckInvariants();
    }

    EXPECT_LE(series.sent.size(), 14u);
    EXPECT_EQ(series.now - kStart, 3 * std::max(pto, kInitialPto));
  }
}

}  // namespace
}  // namespace godwit
