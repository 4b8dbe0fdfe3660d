// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/frame_scheduler.h"

#include <algorithm>

#include "congestion/rtt_estimator.h"
#include "transport/wire/frame.h"

namespace godwit {
namespace {

bool HasApplicationFrames(const ConnectionParts& parts) {
  // A server has 1-RTT keys before it knows its client.
  if (!parts.handshake.is_complete()) return false;
  return parts.streams.HasPendingData() || parts.streams.HasPendingControl() ||
         parts.datagrams.HasPending() || parts.handshake.HasPendingFrames() ||
         parts.paths.HasPendingFrames(parts.paths.active().id()) ||
         parts.local_cids.HasPendingFrames() || parts.peer_cids.HasPendingFrames() ||
         parts.idle.HasPendingFrames();
}

uint8_t ProbesDue(const ConnectionParts& parts, EncryptionLevel level) {
  return parts.probes_due[static_cast<size_t>(SpaceOf(level))];
}

// How close ACK frames may come together. There are to be enough of them in a round trip for the
// peer to find its end (HyStart++ wants 8 samples, RFC 9406 §4.2) and to keep its own sending
// smooth, and no more than that: one for every second packet would be 400,000 of them a second at
// 10 Gbit/s, and each costs a system call of its own.
Duration MinAckInterval(const ConnectionParts& parts) {
  constexpr int kAcksPerRoundTrip = 10;
  constexpr Duration kMax = Duration::Milliseconds(1);
  const RttEstimator& rtt = parts.paths.active().rtt();
  if (!rtt.has_sample()) return Duration::Zero();
  return std::min(rtt.smoothed_rtt() / kAcksPerRoundTrip, kMax);
}

void WriteAck(ConnectionParts& parts, Timestamp now, FrameWriter& writer) {
  AckTracker& acks = parts.SpaceFor(writer.level()).acks();
  if (!acks.is_ack_due(now) && !acks.has_unsent_ack()) return;
  constexpr uint64_t kAckDelayExponent = 3;  // RFC 9000 §18.2: what we leave it at.
  acks.WriteAck(writer, now, kAckDelayExponent);
  if (writer.level() == EncryptionLevel::kOneRtt) acks.SetMinInterval(MinAckInterval(parts));
}

void WriteApplicationFrames(ConnectionParts& parts, const FrameOrder& order, Timestamp now,
                            FrameWriter& writer) {
  const PathId path = parts.paths.active().id();
  if (parts.paths.HasPendingFrames(path)) parts.paths.WriteFrames(writer, path, now);
  if (parts.handshake.HasPendingFrames()) parts.handshake.WriteFrames(writer);
  if (parts.local_cids.HasPendingFrames()) parts.local_cids.WriteFrames(writer);
  if (parts.peer_cids.HasPendingFrames()) parts.peer_cids.WriteFrames(writer);
  if (parts.streams.HasPendingControl()) {
    parts.streams.WriteControlFrames(writer, parts.StreamContextAt(now));
  }
  if (parts.idle.HasPendingFrames()) parts.idle.WriteFrames(writer);
  if (parts.datagrams.HasPending()) parts.datagrams.WriteFrames(writer);
  if (parts.streams.HasPendingData()) parts.streams.WriteStreamData(writer, order.fill);
}

}  // namespace

bool HasFramesFor(const ConnectionParts& parts, EncryptionLevel level, SendPermission permission,
                  Timestamp now) {
  if (!parts.keys.CanSeal(level)) return false;
  const PacketSpace& space = parts.SpaceFor(level);
  if (space.acks().is_ack_due(now)) return true;
  if (permission == SendPermission::kAcknowledgments) return false;
  if (ProbesDue(parts, level) != 0 || parts.crypto.HasPending(level)) return true;
  return level == EncryptionLevel::kOneRtt && HasApplicationFrames(parts);
}

void WriteFrames(ConnectionParts& parts, const FrameOrder& order, Timestamp now,
                 FrameWriter& writer) {
  WriteAck(parts, now, writer);
  if (order.permission == SendPermission::kAcknowledgments) return;
  if (parts.crypto.HasPending(writer.level())) parts.crypto.WriteFrames(writer);
  if (writer.level() == EncryptionLevel::kOneRtt && parts.handshake.is_complete()) {
    WriteApplicationFrames(parts, order, now, writer);
  }
  const AckTracker& acks = parts.SpaceFor(writer.level()).acks();
  const bool wants_answer = writer.mode() == PacketMode::kProbe || acks.wants_ping();
  if (wants_answer && !writer.is_ack_eliciting()) writer.Write(PingFrame{}, SentFrame::Ping());
}

}  // namespace godwit
