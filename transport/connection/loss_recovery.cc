// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/loss_recovery.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include "base/check.h"

namespace godwit {
namespace {

// RFC 9000 §18.2: what goes for Initial and Handshake packets too.
constexpr uint64_t kDefaultAckDelayExponent = 3;

// RFC 9002 §6.2.4: two, so that the loss of one does not cost another timeout.
constexpr uint8_t kProbesPerTimeout = 2;

Duration AckDelayOf(const ConnectionParts& parts, const AckFrame& frame, EncryptionLevel level) {
  // RFC 9002 §5.3: Initial packets are acknowledged at once.
  if (level == EncryptionLevel::kInitial) return Duration::Zero();
  const uint64_t exponent = level == EncryptionLevel::kOneRtt && parts.handshake.is_complete()
                                ? parts.peer.ack_delay_exponent
                                : kDefaultAckDelayExponent;
  // More than an hour is nonsense, and would overflow.
  constexpr uint64_t kMaxMicroseconds = 3'600'000'000;
  const uint64_t delay_us = frame.encoded_ack_delay > (kMaxMicroseconds >> exponent)
                                ? kMaxMicroseconds
                                : frame.encoded_ack_delay << exponent;
  return Duration::Microseconds(static_cast<int64_t>(delay_us));
}

void TakeRttSample(ConnectionParts& parts, const AckFrame& frame, const FrameSource& source,
                   const PacketFates& fates) {
  if (!fates.rtt_source.has_value()) return;
  Path* path = parts.paths.Find(fates.rtt_source->path);
  if (path == nullptr) return;
  // RFC 9002 §5.3: the peer's promise binds it once the handshake is confirmed.
  const std::optional<Duration> max_ack_delay =
      parts.handshake.is_confirmed() ? std::optional(parts.peer.max_ack_delay) : std::nullopt;
  // A time of arrival that cannot be true is none.
  const Timestamp sent_time = fates.rtt_source->sent_time;
  const Timestamp arrival = source.received_at > sent_time
                                ? std::min(source.received_at, source.now.now)
                                : source.now.now;
  path->rtt().OnMeasurement({.rtt = arrival - sent_time,
                             .ack_delay = AckDelayOf(parts, frame, source.level),
                             .max_ack_delay = max_ack_delay});
  if (path != &parts.paths.active()) return;
  parts.first_rtt_sample_time = std::min(parts.first_rtt_sample_time, source.now.now);
}

// RFC 9002 §7.6.2: persistent congestion is judged over all packet number spaces.
// Of what `space` knows to be acknowledged it sees itself how it lies to what is lost.
Timestamp AckedElsewhereSentTime(const ConnectionParts& parts, const PacketSpace& space) {
  Timestamp latest = parts.discarded_spaces.largest_acked_sent_time;
  for (const std::unique_ptr<PacketSpace>& other : parts.spaces) {
    if (other == nullptr || other.get() == &space) continue;
    latest = std::max(latest, other->largest_acked_sent_time());
  }
  return latest;
}

void DetectLost(ConnectionParts& parts, PacketSpace& space, Timestamp now, PacketFates& fates) {
  const Path& path = parts.paths.active();
  // RFC 9002 §7.6.1: with max_ack_delay in every space.
  constexpr int kPersistentCongestionThreshold = 3;
  space.DetectLost({.now = now,
                    .path = path.id(),
                    .latest_rtt = path.rtt().latest_rtt(),
                    .smoothed_rtt = path.rtt().smoothed_rtt(),
                    .persistent_duration = parts.Pto() * kPersistentCongestionThreshold,
                    .has_rtt_sample = path.rtt().has_sample(),
                    .first_rtt_sample_time = parts.first_rtt_sample_time,
                    .acked_elsewhere_sent_time = AckedElsewhereSentTime(parts, space)},
                   parts.reordering, fates);
}

void TellOtherPaths(ConnectionParts& parts, Timestamp now, const PacketFates& fates) {
  for (const OtherPathFate& fate : fates.other_paths) {
    Path* path = parts.paths.Find(fate.path);
    if (path == nullptr) continue;  // Given up, with all that was in flight on it.
    const std::span<const TransmittedPacket> packet(&fate.packet, 1);
    const std::span<const TransmittedPacket> none;
    path->OnFates({.now = now,
                   .acked = fate.is_acked ? packet : none,
                   .lost = fate.is_acked ? none : packet});
  }
}

void TellActivePath(ConnectionParts& parts, Timestamp now, const PacketFates& fates) {
  Path& path = parts.paths.active();
  const bool has_rtt_sample = fates.rtt_source.has_value() && fates.rtt_source->path == path.id();
  if (fates.acked.empty() && fates.lost.empty() && fates.spurious.empty() &&
      fates.lost_probe_bytes == 0) {
    return;
  }
  path.OnFates({.now = now,
                .acked = fates.acked,
                .lost = fates.lost,
                .spurious = fates.spurious,
                .lost_probe_bytes = fates.lost_probe_bytes,
                .is_persistent_congestion = fates.is_persistent_congestion,
                .has_rtt_sample = has_rtt_sample});
}

void TellMtuDiscovery(ConnectionParts& parts, Timestamp now, const PacketFates& fates) {
  MtuDiscovery& mtu = parts.paths.active().mtu();
  bool has_changed = false;
  for (size_t i = 0; i < fates.acked.size(); ++i) {
    // A packet proves nothing that a later one, which is not smaller, does not prove.
    const bool is_last = i + 1 == fates.acked.size();
    if (is_last || fates.acked[i].bytes > fates.acked[i + 1].bytes) {
      mtu.OnPacketAcked(fates.acked[i]);
    }
  }
  for (const MtuProbeFate& probe : fates.mtu_probes) {
    if (probe.is_acked) {
      has_changed |= mtu.OnProbeAcked(probe.bytes);
    } else {
      mtu.OnProbeLost(probe.bytes, now);
      ++parts.counters.mtu_probes_lost;
    }
  }
  for (const TransmittedPacket& packet : fates.lost) has_changed |= mtu.OnPacketLost(packet, now);
  if (has_changed) parts.OnMaxDatagramBytesChanged(now);
}

// How many frames at the start of `fates` are one range of a stream, which becomes `range`.
size_t RunOfStreamData(std::span<const FrameFate> fates, StreamRange& range) {
  constexpr uint64_t kMaxRunBytes = uint64_t{1} << 30;  // SentFrame has 32 bits for it.
  const StreamId id = fates.front().frame.stream_id();
  range = fates.front().frame.range();
  size_t count = 1;
  for (; count < fates.size() && range.length_bytes < kMaxRunBytes; ++count) {
    const SentFrame& frame = fates[count].frame;
    if (frame.kind() != FrameKind::kStream || frame.stream_id() != id) break;
    const StreamRange next = frame.range();
    if (next.offset_bytes != range.end_bytes()) break;
    range.length_bytes += next.length_bytes;
    range.is_fin |= next.is_fin;
  }
  return count;
}

// Packets in a row mostly carry stream data in a row, which is acknowledged as one range.
void RouteAllAcked(ConnectionParts& parts, PacketNumberSpace space,
                   std::span<const FrameFate> fates) {
  while (!fates.empty()) {
    const FrameFate& first = fates.front();
    size_t count = 1;
    if (first.frame.kind() == FrameKind::kStream) {
      StreamRange range;
      count = RunOfStreamData(fates, range);
      RouteAcked(parts, space, {first.number, SentFrame::Stream(first.frame.stream_id(), range)});
    } else {
      RouteAcked(parts, space, first);
    }
    fates = fates.subspan(count);
  }
}

// Everybody learns what has become of packets of `space`.
void ApplyFates(ConnectionParts& parts, PacketNumberSpace space, Timestamp now,
                const PacketFates& fates) {
  RouteAllAcked(parts, space, fates.acked_frames);
  for (const FrameFate& fate : fates.lost_frames) RouteLost(parts, space, fate);
  if (!fates.spurious.empty()) {
    parts.reordering.OnSpuriousLoss(fates.max_spurious_distance, fates.max_spurious_lateness,
                                    parts.paths.active().rtt().smoothed_rtt());
  }
  TellActivePath(parts, now, fates);
  parts.streams.SetCongestionWindow(parts.paths.active().controller().congestion_window_bytes());
  TellOtherPaths(parts, now, fates);
  if (space == PacketNumberSpace::kApplication) TellMtuDiscovery(parts, now, fates);
  parts.counters.packets_lost += fates.lost.size();
  parts.counters.packets_spuriously_lost += fates.spurious.size();
}

constexpr EncryptionLevel kLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kHandshake,
                                       EncryptionLevel::kOneRtt};

// Of a handshake that is not done, and neither sent nor lost. What fills the window then may be
// packets that the peer cannot read before it has these bytes: nothing would ever make room for
// them, if a probe timeout did not send them past the window.
bool HasHandshakeData(const ConnectionParts& parts, PacketNumberSpace space) {
  return space != PacketNumberSpace::kApplication &&
         parts.crypto.HasPending(kLevels[static_cast<size_t>(space)]);
}

ProbeTimer::Inputs ProbeInputs(const ConnectionParts& parts) {
  ProbeTimer::Inputs inputs = {.spaces = {},
                               .rtt = &parts.paths.active().rtt(),
                               .peer_max_ack_delay = parts.peer.max_ack_delay,
                               .is_handshake_confirmed = parts.handshake.is_confirmed(),
                               .is_anti_deadlock_armed = !parts.is_peer_validation_complete};
  for (size_t i = 0; i < parts.spaces.size(); ++i) {
    if (parts.spaces[i] == nullptr) {
      inputs.spaces[i].last_ack_eliciting_sent_time =
          parts.discarded_spaces.last_ack_eliciting_sent_time;
      continue;
    }
    const PacketSpace& space = *parts.spaces[i];
    inputs.spaces[i] = {
        .has_keys = parts.keys.CanSeal(kLevels[i]),
        .has_ack_eliciting_in_flight = space.has_ack_eliciting_in_flight(),
        .has_unsent_handshake_data = HasHandshakeData(parts, static_cast<PacketNumberSpace>(i)),
        .last_ack_eliciting_sent_time = space.last_ack_eliciting_sent_time()};
  }
  return inputs;
}

struct EarliestLoss {
  Timestamp time = Timestamp::Infinite();
  PacketNumberSpace space = PacketNumberSpace::kInitial;
};

EarliestLoss EarliestLossTime(const ConnectionParts& parts) {
  EarliestLoss earliest;
  for (size_t i = 0; i < parts.spaces.size(); ++i) {
    if (parts.spaces[i] == nullptr) continue;
    const Timestamp time = parts.spaces[i]->loss_time();
    if (time < earliest.time) earliest = {time, static_cast<PacketNumberSpace>(i)};
  }
  return earliest;
}

bool HasProbesDue(const ConnectionParts& parts) {
  return std::ranges::any_of(parts.probes_due, [](uint8_t count) { return count != 0; });
}

// RFC 9002 §6.2.4: probes carry what the oldest unacknowledged packets did, in every space that
// has any, because the timeout says nothing about which of them was lost.
void SendProbes(ConnectionParts& parts, PacketNumberSpace timed_out) {
  for (size_t i = 0; i < parts.spaces.size(); ++i) {
    if (parts.spaces[i] == nullptr) continue;
    const auto number_space = static_cast<PacketNumberSpace>(i);
    const uint8_t wanted = number_space == timed_out ? kProbesPerTimeout : 1;
    PacketFates& fates = parts.env.scratch->fates;
    fates.Clear();
    uint8_t filled = 0;
    while (filled < wanted && parts.spaces[i]->RequeueOldestForProbe(fates)) ++filled;
    if (filled == 0 && HasHandshakeData(parts, number_space)) filled = 1;
    for (const FrameFate& fate : fates.lost_frames) RouteLost(parts, number_space, fate);
    // With nothing to say again, a PING makes the peer answer.
    parts.probes_due[i] =
        number_space == timed_out ? wanted : std::max(parts.probes_due[i], filled);
  }
}

}  // namespace

Result OnAckFrame(ConnectionParts& parts, const AckFrame& frame, const FrameSource& source) {
  const PacketNumberSpace number_space = SpaceOf(source.level);
  PacketSpace& space = parts.SpaceFor(source.level);
  PacketFates& fates = parts.env.scratch->fates;
  fates.Clear();
  ++parts.counters.ack_frames_received;
  const Timestamp now = source.now.now;
  // Before anything leaves flight, so that an error leaves nothing half done.
  if (source.level == EncryptionLevel::kOneRtt) {
    GODWIT_RETURN_IF_ERROR(parts.keys.one_rtt().OnAckReceived(
        frame.ranges.largest_acked(), source.key_generation, now, parts.Pto()));
  }
  GODWIT_RETURN_IF_ERROR(space.OnAckFrame(frame.ranges, parts.paths.active().id(), now, fates));
  // RFC 9002 §A.6: a server that acknowledges Handshake packets has believed the address.
  if (source.level == EncryptionLevel::kHandshake) parts.is_peer_validation_complete = true;
  if (!fates.has_newly_acked) return Result::Ok();
  TakeRttSample(parts, frame, source, fates);
  DetectLost(parts, space, now, fates);
  ApplyFates(parts, number_space, now, fates);
  return Result::Ok();
}

Timestamp LossDetectionDeadline(const ConnectionParts& parts) {
  const EarliestLoss loss = EarliestLossTime(parts);
  if (loss.time < Timestamp::Infinite()) return loss.time;
  // RFC 9002 §6.2.2.1: nothing can be sent then, and what comes in moves the limit.
  if (!parts.HasCreditToSend()) return Timestamp::Infinite();
  // Before the probes of one timeout have left, nothing is learned from another. Because the
  // backoff has a ceiling, its time might never come to lie in the future.
  if (HasProbesDue(parts)) return Timestamp::Infinite();
  const std::optional<ProbeTimer::Deadline> probe =
      parts.probe_timer.DeadlineFor(ProbeInputs(parts));
  return probe.has_value() ? probe->time : Timestamp::Infinite();
}

void OnLossDetectionTimeout(ConnectionParts& parts, Timestamp now) {
  const EarliestLoss loss = EarliestLossTime(parts);
  if (loss.time < Timestamp::Infinite()) {
    PacketFates& fates = parts.env.scratch->fates;
    fates.Clear();
    DetectLost(parts, *parts.spaces[static_cast<size_t>(loss.space)], now, fates);
    ApplyFates(parts, loss.space, now, fates);
    return;
  }
  const std::optional<ProbeTimer::Deadline> probe =
      parts.probe_timer.DeadlineFor(ProbeInputs(parts));
  if (!probe.has_value()) return;
  SendProbes(parts, probe->space);
  parts.probe_timer.OnTimeout();
  ++parts.counters.ptos;
  if (parts.paths.active().mtu().OnPtoFired(now)) parts.OnMaxDatagramBytesChanged(now);
}

}  // namespace godwit
