// SPDX-License-Identifier: Apache-2.0
//
// What congestion control costs: the controllers per packet sent and per feedback, the pacer and
// the bandwidth sampler per packet. Feedbacks acknowledge as many packets as the argument says; an
// item is a packet.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "benchmark/benchmark.h"

#include "congestion/bandwidth_sampler.h"
#include "congestion/builtin_controllers.h"
#include "congestion/pacer.h"
#include "congestion/rtt_estimator.h"
#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {
namespace {

constexpr uint64_t kPacketBytes = 1'452;
constexpr uint64_t kWindowPackets = 1'000;
constexpr Duration kRtt = Duration::Milliseconds(20);
constexpr Duration kGap = Duration::Microseconds(20);

// A flow in congestion avoidance whose window is full: packets sent kRtt ago are acknowledged, and
// one in 100,000 is lost.
class SteadyFlow {
 public:
  SteadyFlow(std::string_view name, size_t batch)
      : batch_(batch),
        controller_(FindCongestionControllerFactory(CongestionControllerRegistry(), name)
                        ->Make({.max_datagram_bytes = kPacketBytes, .predecessor = kBefore})),
        packets_(batch) {
    feedback_.prior_bytes_in_flight = kWindowPackets * kPacketBytes;
    feedback_.bytes_in_flight = (kWindowPackets - batch) * kPacketBytes;
    feedback_.rtt = {.latest = kRtt, .min = kRtt, .smoothed = kRtt};
    feedback_.has_rtt_sample = true;
  }

  void Acknowledge() {
    now_ += kGap * static_cast<int64_t>(batch_);
    for (size_t i = 0; i < batch_; ++i) {
      TransmittedPacket& packet = packets_[i];
      packet.packet_number = next_packet_number_++;
      packet.bytes = kPacketBytes;
      packet.sent_time = now_ - kRtt;
      packet.at_send.bytes_in_flight = controller_->congestion_window_bytes();
    }
    feedback_.now = now_;
    const size_t lost = next_packet_number_ % 100'000 < batch_ ? 1 : 0;
    feedback_.lost = std::span(packets_).first(lost);
    feedback_.acked = std::span(packets_).subspan(lost);
    feedback_.is_round_start = next_packet_number_ % kWindowPackets < batch_;
    controller_->OnFeedback(feedback_);
  }

  void Send() {
    for (const TransmittedPacket& packet : packets_) controller_->OnPacketSent(packet);
  }

  CongestionController& controller() { return *controller_; }

 private:
  static constexpr CongestionHandover kBefore{
      .congestion_window_bytes = kWindowPackets * kPacketBytes,
      .ssthresh_bytes = kWindowPackets * kPacketBytes};

  size_t batch_;
  std::unique_ptr<CongestionController> controller_;
  std::vector<TransmittedPacket> packets_;
  CongestionFeedback feedback_;
  Timestamp now_ = Timestamp::FromNanoseconds(1'000'000'000);
  uint64_t next_packet_number_ = 0;
};

void RunFlow(benchmark::State& state, std::string_view name) {
  const size_t batch = static_cast<size_t>(state.range(0));
  SteadyFlow flow(name, batch);
  for (auto _ : state) {
    flow.Acknowledge();
    flow.Send();
    benchmark::DoNotOptimize(flow.controller().congestion_window_bytes());
    benchmark::DoNotOptimize(flow.controller().pacing_rate());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_Cubic(benchmark::State& state) { RunFlow(state, kCubic); }
void BM_NewReno(benchmark::State& state) { RunFlow(state, kNewReno); }

// Filling in the packets of a feedback is part of the above, and alone here.
void BM_PacketsOfAFeedback(benchmark::State& state) {
  std::vector<TransmittedPacket> packets(static_cast<size_t>(state.range(0)));
  uint64_t next = 0;
  for (auto _ : state) {
    for (TransmittedPacket& packet : packets) {
      packet.packet_number = next++;
      packet.bytes = kPacketBytes;
      packet.sent_time = Timestamp::FromNanoseconds(static_cast<int64_t>(next));
      packet.at_send.bytes_in_flight = kWindowPackets * kPacketBytes;
    }
    benchmark::DoNotOptimize(packets.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void BM_Sampler(benchmark::State& state) {
  const size_t batch = static_cast<size_t>(state.range(0));
  BandwidthSampler sampler;
  std::vector<TransmittedPacket> packets(batch);
  CongestionFeedback feedback;
  feedback.rtt.min = kRtt;
  Timestamp now = Timestamp::FromNanoseconds(1'000'000'000);
  for (auto _ : state) {
    for (TransmittedPacket& packet : packets) {
      packet.bytes = kPacketBytes;
      packet.sent_time = now;
      sampler.OnPacketSent(kWindowPackets * kPacketBytes, packet);
    }
    now += kRtt;
    feedback.now = now;
    feedback.acked = packets;
    sampler.OnFeedback(feedback);
    benchmark::DoNotOptimize(feedback);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// A budget, a packet and, every 16th time, the time of the next.
void BM_Pacer(benchmark::State& state) {
  Pacer pacer(0);
  Timestamp now = Timestamp::FromNanoseconds(1'000'000'000);
  pacer.SetRate(now, Bandwidth::MegabitsPerSecond(1'000), kPacketBytes);
  uint64_t count = 0;
  for (auto _ : state) {
    now += Duration::Microseconds(12);
    benchmark::DoNotOptimize(pacer.BudgetBytes(now));
    pacer.OnSent(now, kPacketBytes);
    if (++count % 16 == 0) benchmark::DoNotOptimize(pacer.ReleaseTime(16 * kPacketBytes));
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_RttEstimator(benchmark::State& state) {
  RttEstimator estimator;
  int64_t us = 0;
  for (auto _ : state) {
    us = (us + 37) % 1'000;
    estimator.OnMeasurement({.rtt = Duration::Microseconds(20'000 + us),
                             .ack_delay = Duration::Microseconds(us / 2),
                             .max_ack_delay = Duration::Milliseconds(25)});
    benchmark::DoNotOptimize(estimator);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(BM_PacketsOfAFeedback)->Arg(1)->Arg(10)->Arg(40);
BENCHMARK(BM_Cubic)->Arg(1)->Arg(10)->Arg(40);
BENCHMARK(BM_NewReno)->Arg(1)->Arg(10)->Arg(40);
BENCHMARK(BM_Sampler)->Arg(1)->Arg(10)->Arg(40);
BENCHMARK(BM_Pacer);
BENCHMARK(BM_RttEstimator);

}  // namespace
}  // namespace godwit
