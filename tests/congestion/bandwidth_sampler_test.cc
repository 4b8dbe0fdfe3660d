// SPDX-License-Identifier: Apache-2.0
#include "congestion/bandwidth_sampler.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/ratio.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr Timestamp At(int64_t ms) { return Timestamp::FromNanoseconds(ms * 1'000'000); }
constexpr Duration Ms(int64_t count) { return Duration::Milliseconds(count); }

class BandwidthSamplerTest : public testing::Test {
 protected:
  // Packets of 1000 bytes, numbered from 0.
  void Send(Timestamp now) {
    TransmittedPacket packet{.packet_number = packets_.size(), .bytes = 1'000, .sent_time = now};
    sampler_.OnPacketSent(bytes_in_flight_, packet);
    bytes_in_flight_ += 1'000;
    packets_.push_back(packet);
  }

  // Acknowledges packets `first` to `last` at once.
  CongestionFeedback Ack(Timestamp now, size_t first, size_t last, Duration min_rtt = Ms(1)) {
    CongestionFeedback feedback{.now = now, .acked = Packets(first, last)};
    feedback.rtt.min = min_rtt;
    return Tell(feedback);
  }

  CongestionFeedback Lose(Timestamp now, size_t first, size_t last) {
    return Tell({.now = now, .lost = Packets(first, last)});
  }

  std::span<const TransmittedPacket> Packets(size_t first, size_t last) const {
    return std::span(packets_).subspan(first, last - first + 1);
  }

  CongestionFeedback Tell(CongestionFeedback feedback) {
    bytes_in_flight_ -= 1'000 * (feedback.acked.size() + feedback.lost.size());
    sampler_.OnFeedback(feedback);
    sampler_.CheckInvariants();
    return feedback;
  }

  BandwidthSampler sampler_;
  std::vector<TransmittedPacket> packets_;
  uint64_t bytes_in_flight_ = 0;
};

TEST_F(BandwidthSamplerTest, PacketIsMarkedWithWhatWasDeliveredBefore) {
  Send(At(100));
  Send(At(101));
  Ack(At(110), 0, 0);

  Send(At(112));

  const DeliverySnapshot& mark = packets_[2].at_send;
  EXPECT_EQ(mark.delivered_bytes, 1'000);
  EXPECT_EQ(mark.delivered_time, At(110));
  EXPECT_EQ(mark.first_sent_time, At(100));
  EXPECT_EQ(mark.bytes_in_flight, 2'000);
  EXPECT_EQ(mark.lost_bytes, 0);
  EXPECT_FALSE(mark.is_app_limited);
}

TEST_F(BandwidthSamplerTest, FirstPacketOfAFlightStartsTheInterval) {
  Send(At(100));

  const CongestionFeedback feedback = Ack(At(150), 0, 0);

  ASSERT_TRUE(feedback.rate_sample.has_value());
  EXPECT_EQ(feedback.rate_sample->interval, Ms(50));
  EXPECT_EQ(feedback.rate_sample->delivered_bytes, 1'000);
  EXPECT_EQ(feedback.rate_sample->delivery_rate, Bandwidth::BytesPerSecond(20'000));
  EXPECT_EQ(feedback.rate_sample->rtt, Ms(50));
  EXPECT_EQ(feedback.rate_sample->bytes_in_flight_at_send, 1'000);
}

// A packet every 10 ms over a path of 40 ms that delivers one every 10 ms: 100,000 byte/s.
TEST_F(BandwidthSamplerTest, SteadyFlowIsMeasuredAtItsRate) {
  for (int64_t i = 0; i < 50; ++i) {
    if (i >= 4) {
      const CongestionFeedback feedback =
          Ack(At(10 * i), static_cast<size_t>(i - 4), static_cast<size_t>(i - 4), Ms(40));
      if (i >= 8) {
        ASSERT_EQ(feedback.rate_sample->delivery_rate, Bandwidth::BytesPerSecond(100'000));
        ASSERT_EQ(feedback.rate_sample->delivered_bytes, 4'000);
      }
    }
    Send(At(10 * i));
  }
}

TEST_F(BandwidthSamplerTest, BundledAcknowledgmentsDoNotExceedTheSendRate) {
  for (int64_t i = 0; i < 10; ++i) Send(At(10 * i));
  Ack(At(100), 0, 0);

  // The path held eight acknowledgments back and lets them go in one moment.
  const CongestionFeedback feedback = Ack(At(101), 1, 8);

  // Packet 8 was sent 80 ms after the first: 9000 bytes in 101 ms since then.
  EXPECT_EQ(feedback.rate_sample->interval, Ms(101));
  EXPECT_EQ(feedback.rate_sample->delivered_bytes, 9'000);
  const CongestionFeedback last = Ack(At(102), 9, 9);
  EXPECT_EQ(last.rate_sample->delivered_bytes, 10'000);
}

TEST_F(BandwidthSamplerTest, SendIntervalCountsWhenItIsTheLongerOne) {
  Send(At(0));
  Ack(At(10), 0, 0);
  Send(At(100));  // Nothing in flight: the interval starts here.
  Send(At(160));  // The flight takes 60 ms to send
  Ack(At(161), 1, 1);
  const CongestionFeedback feedback = Ack(At(165), 2, 2);

  // and packet 2 65 ms to be delivered after packet 1 was sent.
  EXPECT_EQ(feedback.rate_sample->interval, Ms(65));

  Send(At(200));
  Send(At(201));
  Ack(At(240), 3, 3);
  Send(At(290));  // 90 ms after packet 3, 50 ms after its acknowledgment.
  const CongestionFeedback sent_slowly = Ack(At(291), 4, 5);
  EXPECT_EQ(sent_slowly.rate_sample->interval, Ms(90));
  EXPECT_EQ(sent_slowly.rate_sample->delivered_bytes, 2'000);
}

TEST_F(BandwidthSamplerTest, IntervalShorterThanMinRttGivesNoRate) {
  Send(At(100));

  const CongestionFeedback feedback = Ack(At(105), 0, 0, Ms(40));

  ASSERT_TRUE(feedback.rate_sample.has_value());
  EXPECT_TRUE(feedback.rate_sample->delivery_rate.is_zero());
  EXPECT_EQ(feedback.rate_sample->delivered_bytes, 1'000);
}

TEST_F(BandwidthSamplerTest, LossesSinceThePacketWasSentAreCounted) {
  for (int i = 0; i < 6; ++i) Send(At(100));
  Lose(At(130), 0, 1);
  Send(At(131));
  Lose(At(132), 2, 2);

  const CongestionFeedback before = Ack(At(150), 3, 5);
  const CongestionFeedback after = Ack(At(180), 6, 6);

  EXPECT_EQ(before.rate_sample->lost_bytes, 3'000);
  EXPECT_EQ(after.rate_sample->lost_bytes, 1'000);
  EXPECT_EQ(after.lost_bytes, 3'000);
}

TEST_F(BandwidthSamplerTest, LossesAloneMakeNoSampleAndNoRound) {
  Send(At(100));
  Send(At(100));

  const CongestionFeedback feedback = Lose(At(150), 0, 1);

  EXPECT_FALSE(feedback.rate_sample.has_value());
  EXPECT_FALSE(feedback.is_round_start);
  EXPECT_EQ(feedback.delivered_bytes, 0);
}

TEST_F(BandwidthSamplerTest, LatePacketsCountAsDelivered) {
  for (int i = 0; i < 3; ++i) Send(At(100));
  Lose(At(140), 0, 0);
  const std::vector<SpuriousLoss> late = {{.packet = packets_[0], .declared_lost_at = At(140)}};

  const CongestionFeedback feedback = Tell({.now = At(150), .spurious_losses = late});

  EXPECT_EQ(feedback.delivered_bytes, 1'000);
  EXPECT_FALSE(feedback.rate_sample.has_value());
  EXPECT_EQ(Ack(At(160), 1, 2).rate_sample->delivered_bytes, 3'000);
}

TEST_F(BandwidthSamplerTest, RunningDryMarksWhatIsSentUntilTheBubbleIsGone) {
  Send(At(100));
  Send(At(100));
  sampler_.OnAppLimited(bytes_in_flight_);
  EXPECT_TRUE(sampler_.is_app_limited());

  Send(At(120));                                         // Behind the bubble.
  const CongestionFeedback first = Ack(At(150), 0, 1);   // Sent before the sender ran dry.
  Send(At(150));                                         // The bubble is still under way.
  const CongestionFeedback second = Ack(At(170), 2, 2);  // It has arrived.
  Send(At(171));

  EXPECT_FALSE(first.rate_sample->is_app_limited);
  EXPECT_TRUE(second.rate_sample->is_app_limited);
  EXPECT_FALSE(sampler_.is_app_limited());
  EXPECT_TRUE(Ack(At(200), 3, 3).rate_sample->is_app_limited);
  EXPECT_FALSE(Ack(At(221), 4, 4).rate_sample->is_app_limited);
}

TEST_F(BandwidthSamplerTest, RunningDryBeforeAnythingWasSentMarksTheFirstPacket) {
  sampler_.OnAppLimited(0);

  Send(At(100));

  EXPECT_TRUE(packets_[0].at_send.is_app_limited);
}

TEST_F(BandwidthSamplerTest, RoundEndsWhenAPacketSentInItIsAcknowledged) {
  for (int i = 0; i < 4; ++i) Send(At(100));
  const CongestionFeedback first = Ack(At(150), 0, 0);
  Send(At(150));
  const CongestionFeedback same = Ack(At(151), 1, 3);
  Send(At(151));
  const CongestionFeedback second = Ack(At(200), 4, 4);
  const CongestionFeedback still = Ack(At(201), 5, 5);

  EXPECT_TRUE(first.is_round_start);
  EXPECT_EQ(first.round_count, 1);
  EXPECT_FALSE(same.is_round_start);
  EXPECT_EQ(same.round_count, 1);
  EXPECT_TRUE(second.is_round_start);
  EXPECT_EQ(second.round_count, 2);
  EXPECT_FALSE(still.is_round_start);
}

TEST_F(BandwidthSamplerTest, IdleTimeIsNotPartOfAnInterval) {
  Send(At(100));
  Ack(At(150), 0, 0);

  Send(At(60'000));
  const CongestionFeedback feedback = Ack(At(60'050), 1, 1);

  EXPECT_EQ(feedback.rate_sample->interval, Ms(50));
}

TEST_F(BandwidthSamplerTest, PacketSentLastCountsWhateverTheOrder) {
  Send(At(100));
  Send(At(110));
  Send(At(120));
  const std::vector<TransmittedPacket> reversed = {packets_[2], packets_[0], packets_[1]};

  const CongestionFeedback feedback = Tell({.now = At(160), .acked = reversed});

  EXPECT_EQ(feedback.rate_sample->rtt, Ms(40));
  EXPECT_EQ(feedback.rate_sample->bytes_in_flight_at_send, 3'000);
}

// A link that serves a packet a millisecond, drops one in twenty, and bundles acknowledgments.
TEST_F(BandwidthSamplerTest, RatesNeverExceedTheLink) {
  SeededRandom random(41);
  const Bandwidth link = Bandwidth::BytesPerSecond(1'000'000);
  size_t resolved = 0;
  int64_t now_ms = 0;
  Timestamp link_free = At(0);
  std::vector<Timestamp> arrivals;
  Bandwidth fastest;
  for (int step = 0; step < 20'000; ++step) {
    now_ms += static_cast<int64_t>(random.UniformBelow(6));
    while (packets_.size() < resolved + 30 && random.UniformBelow(4) != 0) {
      link_free = std::max(link_free, At(now_ms)) + Ms(1);
      arrivals.push_back(link_free + Ms(20));
      Send(At(now_ms));
    }
    size_t last = resolved;
    while (last < packets_.size() && arrivals[last] <= At(now_ms)) ++last;
    if (last == resolved) continue;
    const size_t lost = random.UniformBelow(20) == 0 ? 1 : 0;
    CongestionFeedback feedback{.now = At(now_ms)};
    if (lost > 0) feedback.lost = Packets(resolved, resolved);
    feedback.acked = std::span(packets_).subspan(resolved + lost, last - resolved - lost);
    feedback.rtt.min = Ms(21);
    feedback = Tell(feedback);
    resolved = last;
    if (feedback.rate_sample) fastest = std::max(fastest, feedback.rate_sample->delivery_rate);
  }

  // Acknowledgments that waited up to 5 ms for their bundle make an interval end early by so much.
  EXPECT_LE(fastest, (link * Ratio{5, 4}));
  EXPECT_GE(fastest, (link * Ratio{9, 10}));
}

}  // namespace
}  // namespace godwit
