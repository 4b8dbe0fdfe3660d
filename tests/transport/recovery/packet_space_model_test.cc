// SPDX-License-Identifier: Apache-2.0
//
// Random packets, ACK frames, timeouts and probes to a PacketSpace and to a plain list of packets
// that follows RFC 9002 A.7 and A.10 step by step.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/packet_number.h"
#include "base/seeded_random.h"
#include "congestion/rtt_estimator.h"
#include "godwit/time.h"
#include "tests/transport/recovery/space_driver.h"

namespace godwit {
namespace {

using Numbers = std::vector<uint64_t>;

class NaiveSpace {
 public:
  struct Packet {
    Timestamp sent_time;
    SentKind kind;
    bool is_requeued = false;
    std::optional<Timestamp> declared_lost_at;
  };

  struct Outcome {
    Numbers acked, lost, spurious, other_acked, other_lost, probes_acked, probes_lost;
    Numbers acked_frames, lost_frames;
    std::optional<Timestamp> rtt_sent_time;
  };

  void Send(uint64_t number, Timestamp time, const SentKind& kind) {
    packets_[number] = {time, kind, false, {}};
  }

  // `numbers` ascend and were all sent.
  Outcome Ack(const Numbers& numbers) {
    Outcome outcome;
    const uint64_t largest = numbers.back();
    largest_acked_ = std::max(largest_acked_.value_or(0), largest);
    bool has_ack_eliciting = false;
    for (const uint64_t number : numbers) {
      const auto it = packets_.find(number);
      if (it == packets_.end()) continue;
      const auto& [sent_time, kind, is_requeued, declared_lost_at] = it->second;
      has_ack_eliciting |= kind.is_ack_eliciting;
      if (number == largest) outcome.rtt_sent_time = sent_time;
      outcome.acked_frames.push_back(number);
      const bool is_here = kind.path == kPath;
      if (kind.is_in_flight && kind.is_mtu_probe && is_here) outcome.probes_acked.push_back(number);
      if (declared_lost_at.has_value()) {
        if (is_here && !kind.is_mtu_probe) outcome.spurious.push_back(number);
      } else if (kind.is_in_flight) {
        (is_here ? outcome.acked : outcome.other_acked).push_back(number);
      }
      packets_.erase(it);
    }
    // Late packets are reported before the others, which have higher numbers.
    if (!has_ack_eliciting) outcome.rtt_sent_time.reset();
    return outcome;
  }

  Outcome DetectLost(Timestamp now, Duration loss_delay, uint64_t threshold, Duration memory) {
    Outcome outcome;
    loss_time_ = Timestamp::Infinite();
    std::erase_if(packets_, [&](const auto& entry) {
      return entry.second.declared_lost_at.has_value() &&
             *entry.second.declared_lost_at < now - memory;
    });
    for (auto it = packets_.begin(); it != packets_.end();) {
      const uint64_t number = it->first;
      Packet& packet = it->second;
      const auto here = it++;
      if (packet.declared_lost_at.has_value()) continue;
      if (!largest_acked_.has_value() || number > *largest_acked_) continue;
      if (!packet.kind.is_in_flight) {
        if (!HasInFlightBelow(number)) packets_.erase(here);
        continue;
      }
      const bool is_lost =
          packet.sent_time <= now - loss_delay || SentBetween(number, *largest_acked_) >= threshold;
      if (!is_lost) {
        loss_time_ = std::min(loss_time_, packet.sent_time + loss_delay);
        continue;
      }
      packet.declared_lost_at = now;
      if (!packet.is_requeued) outcome.lost_frames.push_back(number);
      if (packet.kind.path != kPath) {
        outcome.other_lost.push_back(number);
      } else {
        (packet.kind.is_mtu_probe ? outcome.probes_lost : outcome.lost).push_back(number);
      }
    }
    return outcome;
  }

  std::optional<uint64_t> Requeue() {
    for (auto& [number, packet] : packets_) {
      if (packet.declared_lost_at.has_value() || packet.is_requeued) continue;
      packet.is_requeued = true;
      return number;
    }
    return {};
  }

  uint64_t BytesInFlight(PathId path) const {
    uint64_t bytes = 0;
    for (const auto& [number, packet] : packets_) {
      if (packet.declared_lost_at.has_value() || !packet.kind.is_in_flight) continue;
      if (packet.kind.path == path) bytes += kPacketBytes;
    }
    return bytes;
  }

  bool HasAckElicitingInFlight() const {
    return std::any_of(packets_.begin(), packets_.end(), [](const auto& entry) {
      return entry.second.kind.is_ack_eliciting && !entry.second.declared_lost_at.has_value();
    });
  }

  void NoteSent(uint64_t number) { sent_.insert(number); }
  const std::set<uint64_t>& sent() const { return sent_; }
  Timestamp loss_time() const { return loss_time_; }
  std::optional<uint64_t> largest_acked() const { return largest_acked_; }

 private:
  // A PacketSpace looks at packets in order, and only as far as it must.
  bool HasInFlightBelow(uint64_t number) const {
    return std::any_of(packets_.begin(), packets_.lower_bound(number), [](const auto& entry) {
      return entry.second.kind.is_in_flight && !entry.second.declared_lost_at.has_value();
    });
  }

  // Packets sent after `number`, up to `last`.
  uint64_t SentBetween(uint64_t number, uint64_t last) const {
    return static_cast<uint64_t>(std::distance(sent_.upper_bound(number), sent_.upper_bound(last)));
  }

  std::map<uint64_t, Packet> packets_;
  std::set<uint64_t> sent_;
  std::optional<uint64_t> largest_acked_;
  Timestamp loss_time_ = Timestamp::Infinite();
};

Numbers NumbersOf(const std::vector<OtherPathFate>& fates, bool is_acked) {
  Numbers numbers;
  for (const OtherPathFate& fate : fates) {
    if (fate.is_acked == is_acked) numbers.push_back(fate.packet.packet_number);
  }
  return numbers;
}

size_t CountOf(const std::vector<MtuProbeFate>& fates, bool is_acked) {
  return static_cast<size_t>(
      std::count_if(fates.begin(), fates.end(),
                    [is_acked](const MtuProbeFate& fate) { return fate.is_acked == is_acked; }));
}

class ModelRun {
 public:
  ModelRun(PacketNumberSpace space, uint64_t seed) : driver_(space), random_(seed) {}

  void Run(int step_count) {
    for (int i = 0; i < step_count; ++i) {
      now_ += Duration::Microseconds(static_cast<int64_t>(random_.UniformBelow(3'000)));
      const uint64_t choice = random_.UniformBelow(100);
      if (choice < 60) {
        Send();
      } else if (choice < 90) {
        Ack();
      } else if (choice < 97) {
        driver_.fates.Clear();
        Detect();
      } else {
        Requeue();
      }
      ASSERT_NO_FATAL_FAILURE(CompareState()) << "step " << i;
    }
    EXPECT_GT(acked_count_, static_cast<uint64_t>(step_count) / 4);
    EXPECT_GT(lost_count_, static_cast<uint64_t>(step_count) / 40);
    EXPECT_GT(spurious_count_, static_cast<uint64_t>(step_count) / 100);
  }

 private:
  void Send() {
    const uint64_t burst = 1 + random_.UniformBelow(4);
    for (uint64_t i = 0; i < burst; ++i) {
      SentKind kind;
      const uint64_t choice = random_.UniformBelow(20);
      if (choice == 0) kind = kAckOnly;
      if (choice == 1) kind.is_ack_eliciting = false;
      if (choice == 2) kind.is_mtu_probe = true;
      if (choice == 3) kind.path = kOtherPath;
      const uint64_t number = driver_.SendAt(now_, kind);
      model_.Send(number, now_, kind);
      model_.NoteSent(number);
    }
  }

  // Of the last packets a part has arrived; sometimes an older state of affairs is reported.
  void Ack() {
    const Numbers sent(model_.sent().begin(), model_.sent().end());
    if (sent.empty()) return;
    const uint64_t back = random_.UniformBelow(std::min<uint64_t>(sent.size(), 60));
    const size_t begin = sent.size() - std::min<size_t>(sent.size(), back + 20);
    for (size_t i = begin; i < sent.size() - back; ++i) {
      if (random_.UniformBelow(10) < 4) arrived_.insert(sent[i]);
    }
    Numbers named;
    const uint64_t limit = sent[sent.size() - 1 - back / 2];
    for (const uint64_t number : arrived_) {
      if (number <= limit && number + 400 > limit) named.push_back(number);
    }
    if (named.empty()) return;
    std::vector<EncodedAckRanges::Range> ranges;
    for (size_t i = named.size(); i-- > 0;) {
      if (!ranges.empty() && ranges.back().first == named[i] + 1) {
        ranges.back().first = named[i];
      } else {
        ranges.push_back({named[i], named[i]});
      }
    }
    ASSERT_TRUE(driver_.AckAt(now_, EncodedAckRanges(ranges)).ok());
    Compare(model_.Ack(named));
    if (random_.UniformBelow(20) != 0) Detect();
  }

  void Compare(const NaiveSpace::Outcome& expected) {
    ASSERT_EQ(driver_.acked(), expected.acked);
    ASSERT_EQ(driver_.spurious(), expected.spurious);
    ASSERT_EQ(NumbersOf(driver_.fates.other_paths, true), expected.other_acked);
    ASSERT_EQ(CountOf(driver_.fates.mtu_probes, true), expected.probes_acked.size());
    ASSERT_EQ(driver_.acked_frames(), expected.acked_frames);
    ASSERT_EQ(driver_.fates.has_newly_acked, !expected.acked_frames.empty());
    ASSERT_EQ(driver_.fates.rtt_source.has_value(), expected.rtt_sent_time.has_value());
    if (expected.rtt_sent_time.has_value()) {
      ASSERT_EQ(driver_.fates.rtt_source->sent_time, *expected.rtt_sent_time);
    }
    acked_count_ += expected.acked.size();
    spurious_count_ += expected.spurious.size();
  }

  void Detect() {
    // Values of many kinds, each for a while.
    if (random_.UniformBelow(30) == 0) {
      driver_.window = ReorderingWindow();
      driver_.window.OnSpuriousLoss(random_.UniformBelow(20), Duration::Zero(),
                                    Duration::Seconds(1));
    }
    driver_.inputs.latest_rtt =
        Duration::Milliseconds(1 + static_cast<int64_t>(random_.UniformBelow(40)));
    driver_.inputs.smoothed_rtt = Duration::Milliseconds(20);
    driver_.inputs.persistent_duration = Duration::Milliseconds(300);
    const Duration rtt = std::max(driver_.inputs.latest_rtt, driver_.inputs.smoothed_rtt);
    const Duration delay = std::max(rtt * driver_.window.time_threshold(), kTimerGranularity);
    const uint64_t threshold = driver_.window.packet_threshold();

    const NaiveSpace::Outcome expected =
        model_.DetectLost(now_, delay, threshold, driver_.inputs.persistent_duration);
    driver_.DetectAt(now_);

    ASSERT_EQ(driver_.lost(), expected.lost);
    ASSERT_EQ(driver_.lost_frames(), expected.lost_frames);
    ASSERT_EQ(NumbersOf(driver_.fates.other_paths, false), expected.other_lost);
    ASSERT_EQ(CountOf(driver_.fates.mtu_probes, false), expected.probes_lost.size());
    ASSERT_EQ(driver_.fates.lost_probe_bytes, expected.probes_lost.size() * kPacketBytes);
    ASSERT_EQ(driver_.space.loss_time(), model_.loss_time());
    lost_count_ += expected.lost.size();
  }

  void Requeue() {
    driver_.fates.Clear();
    const std::optional<uint64_t> expected = model_.Requeue();
    ASSERT_EQ(driver_.space.RequeueOldestForProbe(driver_.fates), expected.has_value());
    ASSERT_EQ(driver_.lost_frames(), expected.has_value() ? Numbers{*expected} : Numbers{});
  }

  void CompareState() {
    driver_.space.CheckInvariants();
    ASSERT_EQ(driver_.space.bytes_in_flight(kPath), model_.BytesInFlight(kPath));
    ASSERT_EQ(driver_.space.bytes_in_flight(kOtherPath), model_.BytesInFlight(kOtherPath));
    ASSERT_EQ(driver_.space.has_ack_eliciting_in_flight(), model_.HasAckElicitingInFlight());
    ASSERT_EQ(driver_.space.largest_acked().has_value(), model_.largest_acked().has_value());
    if (model_.largest_acked().has_value()) {
      ASSERT_EQ(driver_.space.largest_acked()->value(), *model_.largest_acked());
    }
  }

  SpaceDriver driver_;
  NaiveSpace model_;
  SeededRandom random_;
  Timestamp now_;
  std::set<uint64_t> arrived_;
  uint64_t acked_count_ = 0;
  uint64_t lost_count_ = 0;
  uint64_t spurious_count_ = 0;
};

TEST(PacketSpaceModelTest, SpaceIsTheNaiveSpace) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    ModelRun(PacketNumberSpace::kHandshake, seed).Run(3'000);
  }
}

TEST(PacketSpaceModelTest, SpaceWithSkippedNumbersIsTheNaiveSpace) {
  for (uint64_t seed = 11; seed <= 15; ++seed) {
    SCOPED_TRACE(seed);
    ModelRun(PacketNumberSpace::kApplication, seed).Run(3'000);
  }
}

}  // namespace
}  // namespace godwit
