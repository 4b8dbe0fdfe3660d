// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/timeout_path.h"

#include <algorithm>
#include <memory>

#include "transport/connection/loss_recovery.h"

namespace godwit {
namespace {

Timestamp AckDeadline(const ConnectionParts& parts) {
  if (!parts.HasCreditToSend()) return Timestamp::Infinite();
  Timestamp earliest = Timestamp::Infinite();
  for (const EncryptionLevel level :
       {EncryptionLevel::kInitial, EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    if (!parts.keys.CanSeal(level)) continue;
    earliest = std::min(earliest, parts.SpaceFor(level).acks().next_deadline());
  }
  return earliest;
}

// RFC 9000 §4.1: who is blocked says so again before the connection ends for want of traffic.
Timestamp BlockedDeadline(const ConnectionParts& parts) {
  if (!parts.streams.is_blocked_by_flow_control() || parts.streams.HasPendingControl()) {
    return Timestamp::Infinite();
  }
  return parts.idle.reminder_deadline();
}

void OnQuiet(ConnectionParts& parts) {
  for (const std::unique_ptr<PacketSpace>& space : parts.spaces) {
    if (space != nullptr) space->ReleaseSpareMemory();
  }
  parts.streams.ReleaseSpareMemory();
  parts.quiet_at = Timestamp::Infinite();
}

void OnPathTimeout(ConnectionParts& parts, Timestamp now) {
  const PathId before = parts.paths.active().id();
  const PathManager::TimeoutOutcome outcome = parts.paths.OnTimeout(now, *parts.env.random);
  if (outcome.no_viable_path) {
    return parts.close.CloseSilently(CloseReason::Cause::kNoViablePath, now);
  }
  if (outcome.reverted) {
    ++parts.counters.path_changes;
    parts.events.path_changed = true;
    if (parts.paths.active().id() != before) parts.UseActivePath(now);
  }
  for (const PathId abandoned : outcome.abandoned) parts.ReleasePath(abandoned);
}

}  // namespace

Timestamp NextDeadline(const ConnectionParts& parts) {
  if (!parts.is_open()) return parts.close.next_deadline();
  return std::min({parts.idle.idle_deadline(parts.Pto()), parts.idle.keep_alive_deadline(),
                   parts.handshake.next_deadline(), parts.keys.next_deadline(),
                   parts.paths.next_deadline(), parts.local_cids.next_deadline(),
                   LossDetectionDeadline(parts), AckDeadline(parts), BlockedDeadline(parts),
                   parts.pacing_release, parts.quiet_at});
}

void OnTimeout(ConnectionParts& parts, Timestamp now) {
  if (!parts.is_open()) return parts.close.OnTimeout(now);
  if (parts.idle.has_timed_out(now, parts.Pto())) {
    return parts.close.CloseSilently(CloseReason::Cause::kIdleTimeout, now);
  }
  if (parts.handshake.has_timed_out(now)) {
    return parts.close.CloseSilently(CloseReason::Cause::kHandshakeTimeout, now);
  }
  if (parts.keys.next_deadline() <= now) parts.keys.OnTimeout(now);
  if (parts.paths.next_deadline() <= now) OnPathTimeout(parts, now);
  if (!parts.is_open()) return;
  if (LossDetectionDeadline(parts) <= now) OnLossDetectionTimeout(parts, now);
  parts.idle.OnTimeout(now);
  if (BlockedDeadline(parts) <= now) parts.streams.RepeatBlocked();
  if (parts.quiet_at <= now) OnQuiet(parts);
}

}  // namespace godwit
