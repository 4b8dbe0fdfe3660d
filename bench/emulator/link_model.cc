// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/link_model.h"

#include <algorithm>

#include "base/check.h"

namespace godwit {
namespace {

constexpr uint64_t kMaxFlippedBits = 3;

// Neighbouring seeds give unrelated sequences, so the dice differ by a small number.
enum Dice : uint64_t { kLoss, kBurst, kJitter, kReorder, kDuplicate, kCorrupt, kDiceCount };

SeededRandom MakeDice(uint64_t seed, Dice dice) { return SeededRandom(seed * kDiceCount + dice); }

Duration UpTo(Duration most, Random& random) {
  if (most <= Duration::Zero()) return Duration::Zero();
  const uint64_t bound = static_cast<uint64_t>(most.ToNanoseconds()) + 1;
  return Duration::Nanoseconds(static_cast<int64_t>(random.UniformBelow(bound)));
}

}  // namespace

LinkModel::LinkModel(const LinkProfile& profile, uint64_t seed)
    : profile_(profile),
      loss_dice_(MakeDice(seed, kLoss)),
      burst_dice_(MakeDice(seed, kBurst)),
      jitter_dice_(MakeDice(seed, kJitter)),
      reorder_dice_(MakeDice(seed, kReorder)),
      duplicate_dice_(MakeDice(seed, kDuplicate)),
      corrupt_dice_(MakeDice(seed, kCorrupt)) {
  GODWIT_CHECK(!profile.rate.is_zero());
}

Admission LinkModel::OnPacket(std::vector<uint8_t> packet, Timestamp now) {
  last_input_ = std::max(last_input_, now);
  now = last_input_;
  LetPacketsLeave(now);

  const uint64_t bytes = packet.size();
  ++counters_.received_packets;
  counters_.received_bytes += bytes;
  if (bytes > profile_.mtu_bytes) {
    ++counters_.dropped_too_big;
    return Admission::kTooBig;
  }
  if (!QueueHasRoomFor(bytes, now)) {
    ++counters_.dropped_queue_full;
    return Admission::kQueueFull;
  }

  if (queue_.empty()) head_leaves_ = std::max(wire_free_, now) + profile_.rate.TimeToSend(bytes);
  queue_.push_back(std::move(packet));
  queued_bytes_ += bytes;
  counters_.largest_queue_packets =
      std::max<uint64_t>(counters_.largest_queue_packets, queue_.size());
  counters_.largest_queue_bytes = std::max(counters_.largest_queue_bytes, queued_bytes_);
  LetPacketsLeave(now);
  return Admission::kQueued;
}

void LinkModel::ChangeProfile(const LinkProfile& profile, Timestamp now) {
  GODWIT_CHECK(!profile.rate.is_zero());
  last_input_ = std::max(last_input_, now);
  now = last_input_;
  LetPacketsLeave(now);

  if (!queue_.empty() && profile.rate != profile_.rate) {
    const uint64_t rest_bytes =
        std::min<uint64_t>(profile_.rate.BytesIn(head_leaves_ - now), queue_.front().size());
    head_leaves_ = now + profile.rate.TimeToSend(rest_bytes);
  }
  if (profile.burst_loss != profile_.burst_loss) is_bad_ = false;
  profile_ = profile;
  LetPacketsLeave(now);
}

void LinkModel::AddOutage(Timestamp begin, Duration length) {
  outages_.emplace_back(begin, begin + length);
}

std::optional<LinkDelivery> LinkModel::PollDelivery(Timestamp now) {
  LetPacketsLeave(now);
  if (arriving_.empty() || arriving_.front().time > now) return std::nullopt;

  std::pop_heap(arriving_.begin(), arriving_.end(), LaterFirst{});
  Arrival arrival = std::move(arriving_.back());
  arriving_.pop_back();
  ++counters_.delivered_packets;
  counters_.delivered_bytes += arrival.packet.size();
  if (arrival.departure < largest_delivered_departure_) ++counters_.reordered_packets;
  largest_delivered_departure_ = std::max(largest_delivered_departure_, arrival.departure);
  return LinkDelivery{arrival.time, std::move(arrival.packet)};
}

Timestamp LinkModel::next_deadline() const {
  const Timestamp arrival = arriving_.empty() ? Timestamp::Infinite() : arriving_.front().time;
  // Nothing arrives sooner than `delay` after it left the wire, so leaving needs no deadline.
  const Timestamp head_arrives =
      queue_.empty() ? Timestamp::Infinite() : head_leaves_ + profile_.delay;
  return std::min(arrival, head_arrives);
}

void LinkModel::CheckInvariants() const {
  uint64_t bytes = 0;
  for (const std::vector<uint8_t>& packet : queue_) bytes += packet.size();
  GODWIT_CHECK(bytes == queued_bytes_);
  GODWIT_CHECK(std::is_heap(arriving_.begin(), arriving_.end(), LaterFirst{}));
  GODWIT_CHECK(counters_.received_packets + counters_.duplicated_packets ==
               counters_.dropped_packets() + counters_.delivered_packets + pending_packets());
}

bool LinkModel::QueueHasRoomFor(uint64_t packet_bytes, Timestamp now) const {
  if (queue_.empty()) return true;  // Onto the wire at once, whatever the bounds.
  const QueueBounds& bounds = profile_.queue;
  if (bounds.packets.has_value() && queue_.size() >= *bounds.packets) return false;
  if (bounds.bytes.has_value() && queued_bytes_ + packet_bytes > *bounds.bytes) return false;
  const uint64_t behind_head_bytes = queued_bytes_ - queue_.front().size();
  const Duration wait = head_leaves_ - now + profile_.rate.TimeToSend(behind_head_bytes);
  return !bounds.wait.has_value() || wait <= *bounds.wait;
}

void LinkModel::LetPacketsLeave(Timestamp now) {
  while (!queue_.empty() && head_leaves_ <= now) {
    std::vector<uint8_t> packet = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= packet.size();
    wire_free_ = head_leaves_;
    if (!queue_.empty()) head_leaves_ += profile_.rate.TimeToSend(queue_.front().size());
    LeaveWire(std::move(packet), wire_free_);
  }
}

void LinkModel::LeaveWire(std::vector<uint8_t> packet, Timestamp now) {
  if (IsOut(now)) {
    ++counters_.dropped_outage;
    return;
  }
  if (IsLostInBurst()) {
    ++counters_.dropped_burst_loss;
    return;
  }
  if (profile_.loss.Happens(loss_dice_)) {
    ++counters_.dropped_random_loss;
    return;
  }

  const Timestamp arrival = ArrivalOf(now);
  const bool has_copy = profile_.duplicate.Happens(duplicate_dice_);
  std::vector<uint8_t> copy = has_copy ? packet : std::vector<uint8_t>();
  if (profile_.corrupt.Happens(corrupt_dice_)) Corrupt(packet);
  PushArrival({arrival, next_departure_++, std::move(packet)});
  if (has_copy) {
    ++counters_.duplicated_packets;
    PushArrival({arrival, next_departure_++, std::move(copy)});
  }
}

bool LinkModel::IsOut(Timestamp now) const {
  return std::any_of(outages_.begin(), outages_.end(), [now](const auto& outage) {
    return outage.first <= now && now < outage.second;
  });
}

bool LinkModel::IsLostInBurst() {
  const BurstLossProfile& burst = profile_.burst_loss;
  const Probability changes = is_bad_ ? burst.turns_good : burst.turns_bad;
  if (changes.Happens(burst_dice_)) is_bad_ = !is_bad_;
  return is_bad_ && burst.loss_while_bad.Happens(burst_dice_);
}

Timestamp LinkModel::ArrivalOf(Timestamp left_wire) {
  Timestamp arrival = left_wire + profile_.delay + UpTo(profile_.jitter, jitter_dice_);
  if (profile_.reorder.Happens(reorder_dice_)) return arrival + profile_.reorder_delay;
  if (!profile_.jitter_reorders) {
    arrival = std::max(arrival, last_arrival_);
    last_arrival_ = arrival;
  }
  return arrival;
}

void LinkModel::Corrupt(std::vector<uint8_t>& packet) {
  if (packet.empty()) return;
  ++counters_.corrupted_packets;
  const uint64_t bits = packet.size() * 8;
  const uint64_t flips = 1 + corrupt_dice_.UniformBelow(kMaxFlippedBits);
  const uint64_t first = corrupt_dice_.UniformBelow(bits);
  // So far apart that no bit is met, and flipped back, a second time.
  const uint64_t stride = 1 + corrupt_dice_.UniformBelow(bits / kMaxFlippedBits);
  for (uint64_t i = 0; i < flips; ++i) {
    const uint64_t bit = (first + i * stride) % bits;
    packet[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  }
}

void LinkModel::PushArrival(Arrival arrival) {
  arriving_.push_back(std::move(arrival));
  std::push_heap(arriving_.begin(), arriving_.end(), LaterFirst{});
}

}  // namespace godwit
