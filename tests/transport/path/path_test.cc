// SPDX-License-Identifier: Apache-2.0
//
// Path: flight, fates and changes. What may leave is in path_budget_test.cc.
#include "transport/path/path.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "base/path_id.h"
#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"
#include "tests/transport/path/logging_controller.h"
#include "tests/transport/path/path_fixture.h"
#include "transport/delivery/frame_writer.h"

namespace godwit {
namespace {

constexpr Bandwidth kRate = Bandwidth::BitsPerSecond(800'000'000);

// ---- Flight ----

TEST(PathTest, BytesInFlightAreWhatWasSentAndHasNoFate) {
  Path path(ValidatedParams());
  const auto packets = Send(path, 8, kStart);
  EXPECT_EQ(path.bytes_in_flight(), 8 * kPacketBytes);

  path.OnFates({.now = kStart + kRtt,
                .acked = std::span(packets).subspan(2, 2),
                .lost = std::span(packets).first(2)});
  EXPECT_EQ(path.bytes_in_flight(), 4 * kPacketBytes);
  path.OnFates({.now = kStart + kRtt, .lost_probe_bytes = kPacketBytes});
  EXPECT_EQ(path.bytes_in_flight(), 3 * kPacketBytes);
  path.OnPacketsDiscarded(3 * kPacketBytes);

  EXPECT_EQ(path.bytes_in_flight(), 0u);
  path.CheckInvariants();
}

TEST(PathTest, ControllerHearsAFeedbackThatTheSamplerHasFilled) {
  ControllerLog log;
  const LoggingFactory factory(&log);
  Path path(ParamsWith(factory));
  const auto packets = Send(path, 6, kStart);

  path.rtt().OnMeasurement({.rtt = kRtt});
  path.OnFates({.now = kStart + kRtt,
                .acked = std::span(packets).subspan(2),
                .lost = std::span(packets).first(1),
                .lost_probe_bytes = kPacketBytes,
                .has_rtt_sample = true});

  ASSERT_EQ(log.feedbacks.size(), 1u);
  const CongestionFeedback& feedback = log.feedbacks[0];
  EXPECT_EQ(feedback.now, kStart + kRtt);
  EXPECT_EQ(feedback.acked.size(), 4u);
  EXPECT_EQ(feedback.lost.size(), 1u);
  EXPECT_EQ(feedback.prior_bytes_in_flight, 6 * kPacketBytes);
  EXPECT_EQ(feedback.bytes_in_flight, 0u);
  EXPECT_EQ(feedback.delivered_bytes, 4 * kPacketBytes);
  EXPECT_EQ(feedback.lost_bytes, kPacketBytes);
  ASSERT_TRUE(feedback.rate_sample.has_value());
  EXPECT_EQ(feedback.rate_sample->delivered_bytes, 4 * kPacketBytes);
  EXPECT_EQ(feedback.rate_sample->delivery_rate,
            Bandwidth::FromBytesAndDuration(4 * kPacketBytes, kRtt));
  EXPECT_EQ(feedback.round_count, 1u);
  EXPECT_TRUE(feedback.is_round_start);
  EXPECT_EQ(feedback.rtt.latest, kRtt);
  EXPECT_TRUE(feedback.has_rtt_sample);
  EXPECT_FALSE(feedback.is_persistent_congestion);
}

TEST(PathTest, SnapshotOfTheSamplerGoesWithThePacket) {
  ControllerLog log;
  const LoggingFactory factory(&log);
  Path path(ParamsWith(factory));
  const auto first = Send(path, 2, kStart);
  Acknowledge(path, std::span(first).first(1), kStart + kRtt);

  const TransmittedPacket packet = path.OnPacketSent(2, 500, kStart + kRtt);

  EXPECT_EQ(packet.packet_number, 2u);
  EXPECT_EQ(packet.bytes, 500u);
  EXPECT_EQ(packet.sent_time, kStart + kRtt);
  EXPECT_EQ(packet.at_send.delivered_bytes, kPacketBytes);
  EXPECT_EQ(packet.at_send.bytes_in_flight, kPacketBytes + 500);
  EXPECT_EQ(log.sent.back().packet_number, 2u);
  EXPECT_EQ(log.sent.back().at_send.bytes_in_flight, kPacketBytes + 500);
}

TEST(PathTest, SpuriousLossIsReportedAndDoesNotLeaveFlightTwice) {
  ControllerLog log;
  const LoggingFactory factory(&log);
  Path path(ParamsWith(factory));
  const auto packets = Send(path, 2, kStart);
  path.OnFates({.now = kStart + kRtt, .lost = std::span(packets).first(1)});

  const SpuriousLoss spurious{.packet = packets[0], .declared_lost_at = kStart + kRtt};
  path.OnFates({.now = kStart + 2 * kRtt, .spurious = std::span(&spurious, 1)});

  ASSERT_EQ(log.feedbacks.size(), 2u);
  EXPECT_EQ(log.feedbacks[1].spurious_losses.size(), 1u);
  EXPECT_EQ(log.feedbacks[1].delivered_bytes, kPacketBytes);
  EXPECT_EQ(log.feedbacks[1].bytes_in_flight, kPacketBytes);
}

// RFC 9000 §14.4.
TEST(PathTest, LostProbeOfTheMtuIsNoNewsForTheController) {
  ControllerLog log;
  const LoggingFactory factory(&log);
  Path path(ParamsWith(factory));
  Send(path, 1, kStart);

  path.OnFates({.now = kStart + kRtt, .lost_probe_bytes = kPacketBytes});

  EXPECT_TRUE(log.feedbacks.empty());
  EXPECT_EQ(path.bytes_in_flight(), 0u);
}

// RFC 9002 §5.2, §7.6.
TEST(PathTest, PersistentCongestionForgetsTheLeastRtt) {
  ControllerLog log;
  const LoggingFactory factory(&log);
  Path path(ParamsWith(factory));
  const auto packets = Send(path, 3, kStart);
  path.rtt().OnMeasurement({.rtt = Duration::Milliseconds(10)});
  path.rtt().OnMeasurement({.rtt = Duration::Milliseconds(70)});

  path.OnFates({.now = kStart + Duration::Seconds(5),
                .acked = std::span(packets).last(1),
                .lost = std::span(packets).first(2),
                .is_persistent_congestion = true,
                .has_rtt_sample = true});

  EXPECT_EQ(path.rtt().min_rtt(), Duration::Milliseconds(70));
  EXPECT_TRUE(log.feedbacks[0].is_persistent_congestion);
  EXPECT_EQ(log.feedbacks[0].rtt.min, Duration::Milliseconds(70));
}

// ---- Idle and application-limited senders ----

TEST(PathTest, RestartFromIdleComesBeforeThePacketAndNotBeforeTheFirst) {
  ControllerLog log;
  const LoggingFactory factory(&log);
  Path path(ParamsWith(factory));

  const auto packets = Send(path, 2, kStart);
  Acknowledge(path, packets, kStart + kRtt);
  Send(path, 2, kStart + 10 * kRtt, 2);

  EXPECT_EQ(log.calls,
            (std::vector<std::string>{"sent", "sent", "feedback", "restart", "sent", "sent"}));
}

TEST(PathTest, ControllerAndSamplerHearOfAnApplicationThatRanDry) {
  ControllerLog log;
  const LoggingFactory factory(&log);
  Path path(ParamsWith(factory));
  Send(path, 1, kStart);

  path.OnAppLimited(kStart);
  const TransmittedPacket packet = path.OnPacketSent(1, kPacketBytes, kStart);

  EXPECT_EQ(log.calls[1], "app_limited 1200");
  EXPECT_EQ(packet.at_send.is_app_limited, 1u);
}

// RFC 9002 §7.8.
TEST(PathTest, FullWindowIsNoWantOfData) {
  ControllerLog log;
  const LoggingFactory factory(&log, {.window_bytes = 5 * kPacketBytes + 1'199});
  Path path(ParamsWith(factory));
  Send(path, 5, kStart);

  path.OnAppLimited(kStart);

  EXPECT_EQ(std::count(log.calls.begin(), log.calls.end(), "sent"), 5);
  EXPECT_EQ(log.calls.size(), 5u);
  EXPECT_FALSE(path.sampler().is_app_limited());
}

// ---- Changes ----

TEST(PathTest, NewDatagramSizeReachesControllerAndPacer) {
  ControllerLog log;
  const LoggingFactory factory(&log, {.rate = Bandwidth::BitsPerSecond(800'000)});
  Path path(ParamsWith(factory));

  path.SetMaxDatagramBytes(1'452, kStart);

  EXPECT_EQ(path.max_datagram_bytes(), 1'452u);
  EXPECT_EQ(log.calls, std::vector<std::string>{"max_datagram 1452"});
  EXPECT_EQ(path.pacer().burst_bytes(), 2u * 1'452);
}

TEST(PathTest, SuccessorStartsFromTheHandover) {
  ControllerLog log;
  const LoggingFactory before(&log, {.window_bytes = 77'777});
  const LoggingFactory after(&log, {.rate = kRate});
  Path path(ParamsWith(before));
  path.rtt().OnMeasurement({.rtt = kRtt});
  path.SetMaxDatagramBytes(1'300, kStart);

  path.SwitchController(after, kStart + kRtt);

  ASSERT_EQ(log.made.size(), 2u);
  EXPECT_FALSE(log.made[0].predecessor.has_value());
  EXPECT_EQ(log.made[1].now, kStart + kRtt);
  EXPECT_EQ(log.made[1].max_datagram_bytes, 1'300u);
  EXPECT_EQ(log.made[1].rtt.smoothed, kRtt);
  ASSERT_TRUE(log.made[1].predecessor.has_value());
  EXPECT_EQ(log.made[1].predecessor->congestion_window_bytes, 77'777u);
  EXPECT_TRUE(log.made[1].predecessor->is_in_recovery);
  EXPECT_EQ(path.pacer().rate(), kRate);
}

TEST(PathTest, ControllersChangeInMidTransfer) {
  Path path(ValidatedParams());
  std::vector<TransmittedPacket> in_flight;
  Timestamp now = kStart;
  uint64_t number = 0;
  for (int round = 0; round < 12; ++round) {
    const std::string_view name = round / 3 % 2 == 0 ? kNewReno : kCubic;
    while (path.BudgetFor(now, PacketMode::kPathOnly, kPacketBytes).bytes != 0) {
      const auto sent = Send(path, 1, now, number++);
      in_flight.push_back(sent[0]);
    }
    const uint64_t window_bytes = path.controller().congestion_window_bytes();

    if (round % 3 == 0) path.SwitchController(*Factory(name), now);

    EXPECT_EQ(path.controller().name(), name);
    EXPECT_EQ(path.controller().congestion_window_bytes(), window_bytes);
    EXPECT_EQ(path.bytes_in_flight(), in_flight.size() * kPacketBytes);
    now += kRtt;
    Acknowledge(path, in_flight, now);
    in_flight.clear();
    EXPECT_EQ(path.bytes_in_flight(), 0u);
    EXPECT_GE(path.controller().congestion_window_bytes(), window_bytes);
  }
  EXPECT_GT(path.controller().congestion_window_bytes(), 10 * kInitialWindow);
}

// RFC 9000 §9.4.
TEST(PathTest, AddressesChangePlacesWithWhatBelongsToThem) {
  Path path(ValidatedParams());
  Path::Params other_params = UnvalidatedParams();
  other_params.id = PathId(2);
  other_params.four_tuple = TupleFrom("192.0.2.1:2000");
  Path other(other_params);
  other.OnDatagramReceived(100);
  other.OnDatagramSent(50);
  const auto packets = Send(path, 10, kStart);
  Acknowledge(path, std::span(packets).first(5), kStart + kRtt);
  const uint64_t window_bytes = path.controller().congestion_window_bytes();

  path.SwapAddresses(other);

  EXPECT_EQ(path.id(), PathId(1));
  EXPECT_EQ(path.four_tuple(), TupleFrom("192.0.2.1:2000"));
  EXPECT_FALSE(path.is_validated());
  EXPECT_EQ(path.AmplificationCredit(), 250u);
  EXPECT_EQ(path.bytes_in_flight(), 5 * kPacketBytes);
  EXPECT_EQ(path.rtt().smoothed_rtt(), kRtt);
  EXPECT_EQ(path.controller().congestion_window_bytes(), window_bytes);
  EXPECT_EQ(other.id(), PathId(2));
  EXPECT_EQ(other.four_tuple(), TupleFrom("192.0.2.1:1000"));
  EXPECT_TRUE(other.is_validated());
  EXPECT_EQ(other.bytes_in_flight(), 0u);
}

TEST(PathTest, ReplacedAddressHasNoCredit) {
  Path path(UnvalidatedParams());
  path.OnDatagramReceived(1'000);

  path.ReplaceAddress(TupleFrom("203.0.113.9:9"));

  EXPECT_EQ(path.four_tuple(), TupleFrom("203.0.113.9:9"));
  EXPECT_EQ(path.AmplificationCredit(), 0u);
}

}  // namespace
}  // namespace godwit
