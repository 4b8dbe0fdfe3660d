// SPDX-License-Identifier: Apache-2.0
#include "tests/congestion/bottleneck_model.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace godwit {

namespace {

// RFC 9002 §6.1.1.
constexpr uint64_t kPacketThreshold = 3;

constexpr Duration kTimeoutCheck = Duration::Milliseconds(100);

}  // namespace

void BottleneckModel::AddFlow(CongestionController* controller, Timestamp start) {
  auto flow = std::make_unique<Flow>();
  flow->controller = controller;
  flow->last_ack = start;
  flow->next_wakeup = start;
  flows_.push_back(std::move(flow));
  Schedule(start, EventKind::kWakeUp, flows_.size() - 1);
  Schedule(start + kTimeoutCheck, EventKind::kTimeout, flows_.size() - 1);
}

void BottleneckModel::RunUntil(Timestamp end) {
  while (!events_.empty() && events_.top().at <= end) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    switch (event.kind) {
      case EventKind::kWakeUp:
        flows_[event.flow]->next_wakeup = Timestamp::Infinite();
        break;
      case EventKind::kAck:
        OnAck(event.flow, event.packet_number);
        break;
      case EventKind::kTimeout:
        OnTimeout(event.flow);
        break;
    }
    SendWhatIsAllowed(event.flow);
  }
  now_ = std::max(now_, end);
}

void BottleneckModel::Schedule(Timestamp at, EventKind kind, size_t flow, uint64_t packet_number) {
  events_.push({at, event_count_++, kind, flow, packet_number});
}

void BottleneckModel::SendWhatIsAllowed(size_t index) {
  Flow& flow = *flows_[index];
  flow.pacer.SetRate(now_, flow.controller->pacing_rate(), kPacketBytes);
  while (flow.bytes_in_flight + kPacketBytes <= flow.controller->congestion_window_bytes()) {
    if (flow.pacer.BudgetBytes(now_) < kPacketBytes) {
      const Timestamp release = flow.pacer.ReleaseTime(kPacketBytes);
      if (release < flow.next_wakeup) {
        flow.next_wakeup = release;
        Schedule(release, EventKind::kWakeUp, index);
      }
      return;
    }
    Transmit(index);
  }
}

void BottleneckModel::Transmit(size_t index) {
  Flow& flow = *flows_[index];
  InFlight sent{.packet = {.packet_number = flow.next_packet_number++,
                           .bytes = kPacketBytes,
                           .sent_time = now_}};
  flow.sampler.OnPacketSent(flow.bytes_in_flight, sent.packet);
  flow.controller->OnPacketSent(sent.packet);
  flow.pacer.OnSent(now_, kPacketBytes);
  flow.bytes_in_flight += kPacketBytes;

  link_free_ = std::max(link_free_, now_);
  sent.is_dropped = link_.rate.BytesIn(link_free_ - now_) + kPacketBytes > link_.queue_bytes;
  if (!sent.is_dropped) {
    link_free_ += link_.rate.TimeToSend(kPacketBytes);
    Timestamp ack_at = link_free_ + link_.rtt;
    if (link_.jitter > Duration::Zero()) {
      ack_at += Duration::Nanoseconds(static_cast<int64_t>(
          random_.UniformBelow(static_cast<uint64_t>(link_.jitter.ToNanoseconds()))));
    }
    Schedule(ack_at, EventKind::kAck, index, sent.packet.packet_number);
  }
  flow.in_flight.push_back(sent);
}

void BottleneckModel::OnAck(size_t index, uint64_t packet_number) {
  Flow& flow = *flows_[index];
  std::vector<TransmittedPacket> acked;
  std::vector<TransmittedPacket> lost;
  // An acknowledgment names everything that has arrived up to this packet.
  std::deque<InFlight> kept;
  while (!flow.in_flight.empty() && flow.in_flight.front().packet.packet_number <= packet_number) {
    const InFlight& first = flow.in_flight.front();
    if (!first.is_dropped) {
      acked.push_back(first.packet);
    } else if (first.packet.packet_number + kPacketThreshold <= packet_number) {
      lost.push_back(first.packet);
    } else {
      kept.push_back(first);
    }
    flow.in_flight.pop_front();
  }
  flow.in_flight.insert(flow.in_flight.begin(), kept.begin(), kept.end());
  if (acked.empty() && lost.empty()) return;
  if (!acked.empty()) {
    flow.last_ack = now_;
    flow.rtt.OnMeasurement({.rtt = now_ - acked.back().sent_time});
  }
  Tell(index, acked, lost);
}

void BottleneckModel::OnTimeout(size_t index) {
  Flow& flow = *flows_[index];
  Schedule(now_ + kTimeoutCheck, EventKind::kTimeout, index);
  if (now_ - flow.last_ack < flow.rtt.PtoBase(Duration::Zero())) return;
  std::vector<TransmittedPacket> lost;
  while (!flow.in_flight.empty() && flow.in_flight.front().is_dropped) {
    lost.push_back(flow.in_flight.front().packet);
    flow.in_flight.pop_front();
  }
  if (!lost.empty()) Tell(index, {}, lost);
}

void BottleneckModel::Tell(size_t index, const std::vector<TransmittedPacket>& acked,
                           const std::vector<TransmittedPacket>& lost) {
  Flow& flow = *flows_[index];
  CongestionFeedback feedback{.now = now_,
                              .acked = acked,
                              .lost = lost,
                              .prior_bytes_in_flight = flow.bytes_in_flight,
                              .rtt = flow.rtt.summary(),
                              .has_rtt_sample = !acked.empty()};
  flow.bytes_in_flight -= (acked.size() + lost.size()) * kPacketBytes;
  feedback.bytes_in_flight = flow.bytes_in_flight;
  flow.sampler.OnFeedback(feedback);
  flow.controller->OnFeedback(feedback);
  flow.controller->CheckInvariants();
  flow.pacer.CheckInvariants();
}

}  // namespace godwit
