// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_link.h"

#include <algorithm>
#include <memory>

#include "base/check.h"

namespace godwit {
namespace {

constexpr uint64_t kMaxFlippedBits = 3;
constexpr Duration kMaxDuplicateLag = Duration::Milliseconds(1);

Duration UpTo(Duration most, Random& random) {
  if (most <= Duration::Zero()) return Duration::Zero();
  const uint64_t bound = static_cast<uint64_t>(most.ToNanoseconds()) + 1;
  return Duration::Nanoseconds(static_cast<int64_t>(random.UniformBelow(bound)));
}

}  // namespace

SimLink::SimLink(std::string name, const LinkConfig& config, uint64_t seed, EventQueue* queue,
                 SimTrace* trace)
    : name_(std::move(name)), config_(config), random_(seed), queue_(*queue), trace_(*trace) {
  GODWIT_CHECK(!config.rate.is_zero());
}

void SimLink::AddBlackout(Timestamp begin, Duration length) {
  blackouts_.emplace_back(begin, begin + length);
}

void SimLink::Send(SimPacket&& packet) {
  if (packet.bytes_on_link() > config_.mtu_bytes) return Drop(packet, "drop: larger than MTU");
  if (IsBlackedOut()) return Drop(packet, "drop: black-out");
  if (filter_ != nullptr && filter_(packet)) return Drop(packet, "drop: chosen");

  DropFromQueueWhatHasLeft();
  if (queued_bytes_ + packet.bytes_on_link() > config_.queue_bytes) {
    ++queue_drops_;
    return Drop(packet, "drop: queue full");
  }
  const Timestamp now = queue_.now();
  wire_free_ = std::max(wire_free_, now) + config_.rate.TimeToSend(packet.bytes_on_link());
  queued_bytes_ += packet.bytes_on_link();
  leaving_.push_back({wire_free_, packet.bytes_on_link()});

  if (IsLost()) return Drop(packet, "drop: loss");
  const Timestamp arrival = ArrivalOf(wire_free_);
  if (config_.duplicate.Happens(random_)) {
    trace_.Add(now, {"duplicate", name_, packet.number, packet.payload.size()});
    Deliver(arrival + UpTo(kMaxDuplicateLag, random_), SimPacket(packet));
  }
  if (config_.corrupt.Happens(random_)) Corrupt(packet);
  Deliver(arrival, std::move(packet));
}

void SimLink::Drop(const SimPacket& packet, const char* what) {
  ++dropped_packets_;
  trace_.Add(queue_.now(), {what, name_, packet.number, packet.payload.size()});
}

bool SimLink::IsBlackedOut() const {
  const Timestamp now = queue_.now();
  return std::any_of(blackouts_.begin(), blackouts_.end(), [now](const auto& interval) {
    return interval.first <= now && now < interval.second;
  });
}

bool SimLink::IsLost() {
  if (is_bad_ ? config_.bursts.turns_good.Happens(random_)
              : config_.bursts.turns_bad.Happens(random_)) {
    is_bad_ = !is_bad_;
  }
  if (is_bad_ && config_.bursts.loss_while_bad.Happens(random_)) return true;
  return config_.loss.Happens(random_);
}

void SimLink::DropFromQueueWhatHasLeft() {
  while (!leaving_.empty() && leaving_.front().time <= queue_.now()) {
    queued_bytes_ -= leaving_.front().bytes;
    leaving_.pop_front();
  }
}

void SimLink::Corrupt(SimPacket& packet) {
  if (packet.payload.empty()) return;
  trace_.Add(queue_.now(), {"corrupt", name_, packet.number, packet.payload.size()});
  const uint64_t flips = 1 + random_.UniformBelow(kMaxFlippedBits);
  for (uint64_t i = 0; i < flips; ++i) {
    const uint64_t bit = random_.UniformBelow(packet.payload.size() * 8);
    packet.payload[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  }
}

Timestamp SimLink::ArrivalOf(Timestamp left_wire) {
  Timestamp arrival = left_wire + config_.delay + UpTo(config_.jitter, random_);
  if (config_.reorder.Happens(random_)) return arrival + config_.reorder_delay;
  if (!config_.jitter_reorders) {
    arrival = std::max(arrival, last_arrival_);
    last_arrival_ = arrival;
  }
  return arrival;
}

void SimLink::Deliver(Timestamp arrival, SimPacket&& packet) {
  // An Action has to be copyable.
  auto shared = std::make_shared<SimPacket>(std::move(packet));
  queue_.At(arrival, [this, shared] {
    ++delivered_packets_;
    delivered_bytes_ += shared->payload.size();
    trace_.Add(queue_.now(), {"deliver", name_, shared->number, shared->payload.size()});
    if (delivery_ != nullptr) delivery_(std::move(*shared));
  });
}

}  // namespace godwit
