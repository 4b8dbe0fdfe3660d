// SPDX-License-Identifier: Apache-2.0

#include "transport/streams/stream_scheduler.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/seeded_random.h"

namespace godwit {
namespace {

using Credit = StreamScheduler::Credit;

class StreamSchedulerTest : public testing::Test {
 protected:
  ScheduledStream& Add(uint64_t id, StreamPriority priority, SendNeed need = SendNeed::kCredit) {
    ScheduledStream& stream = streams_.emplace_back(StreamId(id));
    scheduler_.SetPriority(stream, priority);
    scheduler_.SetNeed(stream, need);
    return stream;
  }

  // The ids of the next `count` turns, each of a whole turn's bytes.
  std::vector<uint64_t> Turns(size_t count) {
    std::vector<uint64_t> ids;
    for (size_t i = 0; i < count; ++i) {
      ScheduledStream* const stream = scheduler_.Next(Credit::kSome);
      ids.push_back(stream->id.value());
      scheduler_.OnServed(*stream, {kStreamTurnBytes});
      scheduler_.CheckInvariants();
    }
    return ids;
  }

  std::deque<ScheduledStream> streams_;
  StreamScheduler scheduler_;
};

TEST_F(StreamSchedulerTest, NobodyIsNextWithoutStreams) {
  EXPECT_EQ(scheduler_.Next(Credit::kSome), nullptr);
  EXPECT_FALSE(scheduler_.HasReady(Credit::kSome));
}

TEST_F(StreamSchedulerTest, StreamsThatCannotSendAreNotNext) {
  Add(0, {}, SendNeed::kNothing);
  Add(4, {}, SendNeed::kLimit);

  EXPECT_EQ(scheduler_.Next(Credit::kSome), nullptr);
  EXPECT_FALSE(scheduler_.needs_credit());
}

TEST_F(StreamSchedulerTest, IncrementalStreamsTakeTurns) {
  for (const uint64_t id : {0, 4, 8}) Add(id, {});

  EXPECT_EQ(Turns(7), (std::vector<uint64_t>{0, 4, 8, 0, 4, 8, 0}));
}

TEST_F(StreamSchedulerTest, ATurnLastsUntilItsBytesAreSent) {
  ScheduledStream& first = Add(0, {});
  ScheduledStream& second = Add(4, {});

  scheduler_.OnServed(first, {kStreamTurnBytes - 1});
  EXPECT_EQ(scheduler_.Next(Credit::kSome), &first);
  scheduler_.OnServed(first, {1});
  EXPECT_EQ(scheduler_.Next(Credit::kSome), &second);
}

TEST_F(StreamSchedulerTest, AStreamWhoseEndIsNearKeepsItsTurn) {
  ScheduledStream& first = Add(0, {});
  ScheduledStream& second = Add(4, {});

  for (int i = 0; i < 3; ++i) {
    scheduler_.OnServed(first, {.byte_count = kStreamTurnBytes, .is_end_near = true});
    scheduler_.CheckInvariants();
    EXPECT_EQ(scheduler_.Next(Credit::kSome), &first);
  }
  scheduler_.SetNeed(first, SendNeed::kNothing);

  EXPECT_EQ(scheduler_.Next(Credit::kSome), &second);
}

TEST_F(StreamSchedulerTest, ATurnThatWasKeptEndsWithTheReasonForIt) {
  ScheduledStream& first = Add(0, {});
  ScheduledStream& second = Add(4, {});

  scheduler_.OnServed(first, {.byte_count = kStreamTurnBytes, .is_end_near = true});
  scheduler_.OnServed(first, {.byte_count = 1, .is_end_near = false});

  EXPECT_EQ(scheduler_.Next(Credit::kSome), &second);
}

TEST_F(StreamSchedulerTest, NonIncrementalStreamsAreServedOneByOneByTheirIds) {
  ScheduledStream& last = Add(8, {.is_incremental = false});
  ScheduledStream& first = Add(0, {.is_incremental = false});
  ScheduledStream& middle = Add(4, {.is_incremental = false});

  EXPECT_EQ(Turns(3), (std::vector<uint64_t>{0, 0, 0}));
  scheduler_.SetNeed(first, SendNeed::kNothing);
  EXPECT_EQ(Turns(3), (std::vector<uint64_t>{4, 4, 4}));
  scheduler_.SetNeed(middle, SendNeed::kLimit);
  EXPECT_EQ(Turns(2), (std::vector<uint64_t>{8, 8}));
  scheduler_.SetNeed(last, SendNeed::kNothing);
  EXPECT_EQ(scheduler_.Next(Credit::kSome), nullptr);
}

TEST_F(StreamSchedulerTest, IncrementalAndOtherStreamsOfOneUrgencyAlternate) {
  Add(0, {.is_incremental = false});
  Add(4, {.is_incremental = true});
  Add(8, {.is_incremental = true});

  EXPECT_EQ(Turns(8), (std::vector<uint64_t>{4, 0, 8, 0, 4, 0, 8, 0}));
}

// Each leaves before its turn is used up.
TEST_F(StreamSchedulerTest, ManySmallIncrementalStreamsDoNotStarveANonIncrementalOne) {
  ScheduledStream& document = Add(0, {.is_incremental = false});
  uint64_t document_turns = 0;

  for (uint64_t i = 1; i <= 1000; ++i) {
    Add(4 * i, {});
    ScheduledStream* const next = scheduler_.Next(Credit::kSome);
    if (next == &document) {
      ++document_turns;
      scheduler_.OnServed(document, {kStreamTurnBytes});
    } else {
      scheduler_.OnServed(*next, {100});
      scheduler_.SetNeed(*next, SendNeed::kNothing);
    }
  }

  EXPECT_GE(document_turns, 90u);
}

TEST_F(StreamSchedulerTest, UrgentStreamsComeFirst) {
  Add(0, {.urgency = 7});
  Add(4, {.urgency = 3, .is_incremental = false});
  ScheduledStream& urgent = Add(8, {.urgency = 0});

  EXPECT_EQ(Turns(2), (std::vector<uint64_t>{8, 8}));
  scheduler_.SetNeed(urgent, SendNeed::kNothing);
  EXPECT_EQ(Turns(2), (std::vector<uint64_t>{4, 4}));
}

TEST_F(StreamSchedulerTest, WhatNeedsNoCreditComesBeforeNewDataOfItsUrgency) {
  Add(0, {});
  ScheduledStream& lost = Add(4, {}, SendNeed::kRoom);
  Add(8, {.urgency = 4}, SendNeed::kRoom);

  EXPECT_EQ(scheduler_.Next(Credit::kSome), &lost);
}

TEST_F(StreamSchedulerTest, WithoutCreditOnlyWhatNeedsNoneIsNext) {
  Add(0, {.urgency = 0});
  Add(4, {.urgency = 0, .is_incremental = false});
  ScheduledStream& lost = Add(8, {.urgency = 7}, SendNeed::kRoom);

  EXPECT_EQ(scheduler_.Next(Credit::kNone), &lost);
  EXPECT_TRUE(scheduler_.needs_credit());
  scheduler_.SetNeed(lost, SendNeed::kNothing);
  EXPECT_EQ(scheduler_.Next(Credit::kNone), nullptr);
  EXPECT_FALSE(scheduler_.HasReady(Credit::kNone));
  EXPECT_TRUE(scheduler_.HasReady(Credit::kSome));
}

TEST_F(StreamSchedulerTest, PrioritiesChangeWhileStreamsWait) {
  ScheduledStream& a = Add(0, {.urgency = 3});
  Add(4, {.urgency = 3});

  scheduler_.SetPriority(a, {.urgency = 5});
  EXPECT_EQ(Turns(2), (std::vector<uint64_t>{4, 4}));
  scheduler_.SetPriority(a, {.urgency = 1, .is_incremental = false});
  EXPECT_EQ(Turns(2), (std::vector<uint64_t>{0, 0}));
}

TEST_F(StreamSchedulerTest, AThousandStreamsOfOneUrgencyAreServedAlike) {
  for (uint64_t i = 0; i < 1000; ++i) Add(4 * i, {});
  std::map<uint64_t, int> turns;

  for (const uint64_t id : Turns(10'000)) ++turns[id];

  ASSERT_EQ(turns.size(), 1000u);
  for (const auto& [id, count] : turns) EXPECT_EQ(count, 10) << id;
}

// A naive list decides who may be next: the most urgent that can send, and of these those that need
// no credit.
TEST_F(StreamSchedulerTest, RandomChangesKeepTheOrderOfUrgencies) {
  SeededRandom random(20'251);
  for (uint64_t i = 0; i < 40; ++i) Add(4 * i, {}, SendNeed::kNothing);

  for (int step = 0; step < 50'000; ++step) {
    ScheduledStream& stream = streams_[random.UniformBelow(streams_.size())];
    if (random.UniformBelow(3) == 0) {
      scheduler_.SetPriority(stream, {.urgency = static_cast<uint8_t>(random.UniformBelow(8)),
                                      .is_incremental = random.UniformBelow(2) == 0});
    } else {
      scheduler_.SetNeed(stream, static_cast<SendNeed>(random.UniformBelow(4)));
    }
    const Credit credit = random.UniformBelow(2) == 0 ? Credit::kNone : Credit::kSome;
    size_t ready_count = 0;
    int best = 1000;
    const auto rank = [&](const ScheduledStream& s) {
      if (s.need == SendNeed::kRoom) return 2 * s.priority.urgency;
      if (s.need == SendNeed::kCredit && credit == Credit::kSome) {
        return 2 * s.priority.urgency + 1;
      }
      return 1000;
    };
    for (const ScheduledStream& s : streams_) {
      best = std::min(best, rank(s));
      ready_count += s.need == SendNeed::kRoom || s.need == SendNeed::kCredit ? 1 : 0;
    }

    ScheduledStream* const next = scheduler_.Next(credit);

    ASSERT_EQ(next == nullptr, best == 1000);
    if (next != nullptr) {
      ASSERT_EQ(rank(*next), best);
      scheduler_.OnServed(*next, {random.UniformBelow(1500), random.UniformBelow(4) == 0});
    }
    ASSERT_EQ(scheduler_.CountReady(), ready_count);
    scheduler_.CheckInvariants();
  }
}

}  // namespace
}  // namespace godwit
