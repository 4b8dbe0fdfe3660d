// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/send_path.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/limits.h"
#include "transport/connection/handshake_driver.h"

namespace godwit {
namespace {

// In the order in which they are coalesced: RFC 9000 §12.2.
constexpr EncryptionLevel kLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kHandshake,
                                       EncryptionLevel::kOneRtt};

// Room behind a packet in which another one certainly fits: the longest header, frames, the tag.
constexpr size_t kMinCoalescedBytes = 160;

}  // namespace

Transmit SendPath::PollTransmit() {
  parts_.pacing_release = Timestamp::Infinite();
  parts_.env.scratch->train.clear();
  if (!parts_.is_open()) return FillClose();
  // RFC 9001 §6.6: keys are updated, or the connection ends, before their limit is reached.
  if (const Result ready = parts_.keys.PrepareToSeal(kMaxGsoSegments, now_); !ready.ok()) {
    parts_.Fail(ready, 0, now_);
    return FillClose();
  }
  if (const Transmit probe = FillPathProbe(); !probe.payload.empty()) return probe;
  if (const Transmit probe = FillMtuProbe(); !probe.payload.empty()) return probe;
  return FillTrain();
}

// ---- Kinds of transmit ----

Transmit SendPath::FillClose() {
  if (!parts_.close.HasPendingFrame()) return {};
  Path& path = parts_.paths.active();
  const size_t room =
      std::min<uint64_t>({buffer_.size(), kMinInitialDatagramBytes, path.AmplificationCredit()});
  size_t used = 0;
  bool has_initial = false;
  // RFC 9000 §10.2.3: as long as we do not know which keys the peer has, at every level.
  for (const EncryptionLevel level : kLevels) {
    if (!parts_.keys.CanSeal(level)) continue;
    const PacketBuilder::Header header = HeaderFor(level, PacketMode::kClosing, path.id());
    if (!PacketBuilder::Fits(header, room - used)) break;
    has_initial |= level == EncryptionLevel::kInitial;
    PacketBuilder packet(header, buffer_.first(room).subspan(used));
    if (!parts_.close.WriteFrame(packet.frames())) break;
    const bool is_last =
        level == EncryptionLevel::kOneRtt ||
        !parts_.keys.CanSeal(level == EncryptionLevel::kInitial ? EncryptionLevel::kHandshake
                                                                : EncryptionLevel::kOneRtt);
    // RFC 9000 §14.1: of a client; a server's datagram elicits no acknowledgment.
    const bool is_padded = is_last && has_initial && parts_.is_client();
    used += FinishPacket(packet, path, is_padded ? room - used : 0);
  }
  SealTrain();
  if (used == 0) return {};
  parts_.close.OnCloseSent(now_, used);
  return Finish(path, used, used);
}

Transmit SendPath::FillPathProbe() {
  if (!parts_.handshake.is_complete()) return {};
  const std::optional<PathId> id = parts_.paths.NextPathWithFrames();
  if (!id.has_value()) return {};
  // RFC 9000 §9.5: each path has a connection id of its own.
  const bool is_active = *id == parts_.paths.active().id();
  if (!is_active && !parts_.peer_cids.AssignTo(*id)) return {};
  Path& path = *parts_.paths.Find(*id);
  const size_t room =
      std::min<uint64_t>({buffer_.size(), kMinInitialDatagramBytes, path.AmplificationCredit()});
  const PacketBuilder::Header header = HeaderFor(
      EncryptionLevel::kOneRtt, is_active ? PacketMode::kProbe : PacketMode::kPathOnly, *id);
  if (!PacketBuilder::Fits(header, room)) return {};
  const bool is_expanded = parts_.paths.PathNeedsFullDatagram(*id);
  PacketBuilder packet(header, buffer_.first(room));
  parts_.paths.WriteFrames(packet.frames(), *id, now_);
  if (!packet.frames().has_frames()) return {};
  const size_t size = FinishPacket(packet, path, is_expanded ? room : 0);
  SealTrain();
  return Finish(path, size, size);
}

Transmit SendPath::FillMtuProbe() {
  Path& path = parts_.paths.active();
  // RFC 9000 §14.3: a probe goes along with data that is to be sent anyway.
  if (!parts_.handshake.is_confirmed() || !path.mtu().wants_probe(now_) ||
      !HasFramesFor(parts_, EncryptionLevel::kOneRtt, SendPermission::kEverything, now_)) {
    return {};
  }
  const uint64_t size = path.mtu().probe_bytes();
  if (size > buffer_.size() || path.BudgetFor(now_, PacketMode::kNormal, size).bytes < size) {
    return {};
  }
  PacketBuilder packet(HeaderFor(EncryptionLevel::kOneRtt, PacketMode::kNormal, path.id()),
                       buffer_.first(size));
  packet.frames().Write(PingFrame{}, SentFrame::Ping());
  FinishPacket(packet, path, size, /*is_mtu_probe=*/true);
  SealTrain();
  path.mtu().OnProbeSent(now_);
  return Finish(path, size, size);
}

Transmit SendPath::FillTrain() {
  Path& path = parts_.paths.active();
  if (!parts_.HasCreditToSend()) {
    parts_.blocked.Set(SendBlockedBy::kAmplification, now_);
    return {};
  }
  const size_t segment_bytes = SegmentBytes();
  const size_t train_bytes =
      std::min({buffer_.size(), kMaxGsoBytes, kMaxGsoSegments * segment_bytes});
  Budget budget = ComputeBudget();
  const bool is_one_rtt_alone = IsOneRttAlone();
  PacketBuilder::Header header =
      HeaderFor(EncryptionLevel::kOneRtt, PacketMode::kNormal, path.id());
  size_t used = 0;
  while (used + segment_bytes <= train_bytes && budget.amplification_bytes >= segment_bytes) {
    const std::span<uint8_t> room = buffer_.subspan(used, segment_bytes);
    const size_t size =
        is_one_rtt_alone ? BuildOneRttDatagram(header, room, budget) : BuildDatagram(room, budget);
    used += size;
    if (size < segment_bytes) break;
  }
  SealTrain();
  const Transmit transmit =
      used == 0 ? Transmit{} : Finish(path, used, std::min(used, segment_bytes));
  parts_.blocked.Set(FindWhatBlocks(budget), now_);
  return transmit;
}

// ---- Steps ----

size_t SendPath::SegmentBytes() const {
  const Path& path = parts_.paths.active();
  // RFC 9000 §8.1, §9.3: a new address may have given us a few bytes of credit only. The challenge
  // that lifts the limit, acknowledgments and probes have to get along with them.
  return std::min<uint64_t>(
      {path.mtu().max_datagram_bytes(), buffer_.size(), path.AmplificationCredit()});
}

SendPath::Budget SendPath::ComputeBudget() const {
  const Path& path = parts_.paths.active();
  const Path::Budget allowed =
      path.BudgetFor(now_, PacketMode::kNormal, std::max<size_t>(SegmentBytes(), 1));
  return {.in_flight_bytes = allowed.bytes,
          .amplification_bytes = path.AmplificationCredit(),
          .blocked = allowed.blocked,
          .release_time = allowed.release_time};
}

SendPermission SendPath::PermissionFor(EncryptionLevel level, const Budget& budget,
                                       size_t room) const {
  // RFC 9002 §7.5: probes are not held back.
  const bool is_probe = parts_.probes_due[static_cast<size_t>(SpaceOf(level))] != 0;
  return is_probe || budget.in_flight_bytes >= room ? SendPermission::kEverything
                                                    : SendPermission::kAcknowledgments;
}

bool SendPath::HasLaterPackets(EncryptionLevel level, const Budget& budget, size_t room) const {
  for (const EncryptionLevel later : kLevels) {
    if (later > level && HasFramesFor(parts_, later, PermissionFor(later, budget, room), now_)) {
      return true;
    }
  }
  return false;
}

PacketBuilder::Header SendPath::HeaderFor(EncryptionLevel level, PacketMode mode,
                                          PathId path) const {
  const PacketSpace& space = parts_.SpaceFor(level);
  const bool is_short = level == EncryptionLevel::kOneRtt;
  return {.level = level,
          .mode = mode,
          .dcid = parts_.peer_cids.HasFor(path) ? parts_.peer_cids.For(path)
                                                : parts_.peer_cids.current(),
          .scid = is_short ? ConnectionId() : parts_.local_cids.routed(0),
          .number = space.next_packet_number(),
          .number_size = space.NextPacketNumberSize(kMaxGsoSegments),
          .key_phase = parts_.keys.key_phase()};
}

bool SendPath::IsOneRttAlone() const {
  return parts_.handshake.is_confirmed() && !parts_.keys.CanSeal(EncryptionLevel::kHandshake) &&
         parts_.probes_due[static_cast<size_t>(PacketNumberSpace::kApplication)] == 0 &&
         !parts_.paths.PathNeedsFullDatagram(parts_.paths.active().id());
}

size_t SendPath::BuildOneRttDatagram(PacketBuilder::Header& header, std::span<uint8_t> room,
                                     Budget& budget) {
  const SendPermission permission = budget.in_flight_bytes >= room.size()
                                        ? SendPermission::kEverything
                                        : SendPermission::kAcknowledgments;
  if (!HasFramesFor(parts_, EncryptionLevel::kOneRtt, permission, now_) ||
      !PacketBuilder::Fits(header, room.size())) {
    return 0;
  }
  header.number = parts_.SpaceFor(EncryptionLevel::kOneRtt).next_packet_number();
  PacketBuilder packet(header, room);
  WriteFrames(parts_, {.permission = permission, .fill = StreamMap::Fill::kMayScatter}, now_,
              packet.frames());
  if (!packet.frames().has_frames()) return 0;
  const uint64_t size = FinishPacket(packet, parts_.paths.active());
  if (packet.is_in_flight()) budget.in_flight_bytes -= std::min(budget.in_flight_bytes, size);
  budget.amplification_bytes -= size;
  return size;
}

size_t SendPath::BuildDatagram(std::span<uint8_t> room, Budget& budget) {
  Path& path = parts_.paths.active();
  size_t used = 0;
  uint64_t in_flight = 0;
  bool must_be_full = false;
  for (const EncryptionLevel level : kLevels) {
    if (!parts_.keys.CanSeal(level)) continue;
    const SendPermission permission = PermissionFor(level, budget, room.size());
    if (!HasFramesFor(parts_, level, permission, now_)) continue;
    uint8_t& probes_due = parts_.probes_due[static_cast<size_t>(SpaceOf(level))];
    const PacketMode mode = probes_due != 0 ? PacketMode::kProbe : PacketMode::kNormal;
    // RFC 8899 §4.3: the last probe of a timeout is one that a smaller path carries.
    if (probes_due == 1 && used == 0 && level == EncryptionLevel::kOneRtt) {
      room = room.first(std::min<size_t>(room.size(), path.mtu().pto_probe_bytes()));
    }
    const PacketBuilder::Header header = HeaderFor(level, mode, path.id());
    if (!PacketBuilder::Fits(header, room.size() - used)) break;
    // Padding counts as in flight (RFC 9002 §2), so acknowledgments alone must not get any: nothing
    // would ever take them out of flight.
    must_be_full |= level == EncryptionLevel::kOneRtt &&
                    permission == SendPermission::kEverything &&
                    parts_.paths.PathNeedsFullDatagram(path.id());
    PacketBuilder packet(header, room.subspan(used));
    const bool may_scatter = !must_be_full && used == 0;
    WriteFrames(parts_,
                {.permission = permission,
                 .fill = may_scatter ? StreamMap::Fill::kMayScatter : StreamMap::Fill::kCopyOnly},
                now_, packet.frames());
    // RFC 9000 §14.1: a client's datagram with an Initial packet, and a server's if it elicits an
    // acknowledgment. The padding is in its last packet.
    must_be_full |= level == EncryptionLevel::kInitial &&
                    (parts_.is_client() || packet.frames().is_ack_eliciting());
    const bool is_last = room.size() - used < packet.size() + kMinCoalescedBytes ||
                         !HasLaterPackets(level, budget, room.size());
    const bool is_padded = is_last && must_be_full;
    if (!packet.frames().has_frames() && !is_padded) continue;
    const size_t size = FinishPacket(packet, path, is_padded ? room.size() - used : 0);
    if (probes_due != 0 && packet.frames().is_ack_eliciting()) --probes_due;
    if (packet.is_in_flight()) in_flight += size;
    used += size;
    // RFC 9001 §4.9.1.
    if (level == EncryptionLevel::kHandshake && parts_.is_client()) {
      DiscardLevel(parts_, EncryptionLevel::kInitial);
    }
    if (is_last) break;
  }
  budget.in_flight_bytes -= std::min<uint64_t>(budget.in_flight_bytes, in_flight);
  budget.amplification_bytes -= std::min<uint64_t>(budget.amplification_bytes, used);
  return used;
}

size_t SendPath::FinishPacket(PacketBuilder& packet, Path& path, size_t min_size,
                              bool is_mtu_probe) {
  const OutgoingPacket bytes = packet.Finish(min_size);
  Commit(packet, bytes, path, is_mtu_probe);
  Seal(packet.level(), bytes);
  return bytes.bytes.size();
}

void SendPath::Seal(EncryptionLevel level, const OutgoingPacket& packet) {
  if (level == EncryptionLevel::kOneRtt) {
    parts_.env.scratch->train.push_back(packet);
    return;
  }
  GODWIT_CHECK(parts_.keys.Seal(level, {&packet, 1}));
}

// 1-RTT packets of a train are sealed together: one call makes the masks of all headers.
void SendPath::SealTrain() {
  std::vector<OutgoingPacket>& train = parts_.env.scratch->train;
  if (train.empty()) return;
  GODWIT_CHECK(parts_.keys.Seal(EncryptionLevel::kOneRtt, train));
  train.clear();
}

void SendPath::Commit(const PacketBuilder& packet, const OutgoingPacket& bytes, Path& path,
                      bool is_mtu_probe) {
  const FrameWriter& frames = packet.frames();
  const uint64_t number = bytes.packet_number.value();
  const uint64_t size = bytes.bytes.size();
  const bool is_in_flight = packet.is_in_flight();
  const SentPacket sent = {
      .packet = is_in_flight
                    ? path.OnPacketSent(number, size, now_)
                    : TransmittedPacket{.packet_number = number, .bytes = size, .sent_time = now_},
      .path = path.id(),
      .level = packet.level(),
      .is_ack_eliciting = frames.is_ack_eliciting(),
      .is_in_flight = is_in_flight,
      .is_mtu_probe = is_mtu_probe};
  parts_.SpaceFor(packet.level()).OnPacketSent(sent, frames.sent_frames(), *parts_.env.random);
  if (frames.is_ack_eliciting()) parts_.idle.OnAckElicitingSent(now_);
  if (is_in_flight) in_flight_sent_bytes_ += size;
  ++parts_.counters.packets_sent;
  if (packet.level() != EncryptionLevel::kOneRtt) return;
  for (const SentFrame& frame : frames.sent_frames()) {
    if (frame.kind() != FrameKind::kAck) continue;
    parts_.keys.one_rtt().OnAckSent(frame.largest_acked());
  }
}

Transmit SendPath::Finish(Path& path, size_t bytes, size_t segment_bytes) {
  path.OnDatagramSent(bytes);
  if (in_flight_sent_bytes_ != 0) path.OnTrainSent(now_, in_flight_sent_bytes_);
  const Transmit transmit = {.payload = buffer_.first(bytes),
                             .segment_size = segment_bytes,
                             .four_tuple = path.four_tuple()};
  ConnectionCounters& counters = parts_.counters;
  const size_t datagram_count = transmit.segment_count();
  counters.datagrams_sent += datagram_count;
  counters.bytes_sent += bytes;
  if (datagram_count > 1) {
    ++counters.trains_sent;
    counters.train_datagrams_sent += datagram_count;
  }
  return transmit;
}

SendBlockedBy SendPath::FindWhatBlocks(const Budget& budget) {
  Path& path = parts_.paths.active();
  if (!parts_.handshake.is_complete()) {
    return budget.blocked == Path::Blocked::kAmplification ? SendBlockedBy::kAmplification
                                                           : SendBlockedBy::kHandshake;
  }
  if (!HasFramesFor(parts_, EncryptionLevel::kOneRtt, SendPermission::kEverything, now_)) {
    path.OnAppLimited(now_);
    return parts_.streams.is_blocked_by_flow_control() ? SendBlockedBy::kPeerFlowControl
                                                       : SendBlockedBy::kApplication;
  }
  // What was allowed at the start may be used up by this train.
  const Path::Budget left =
      path.BudgetFor(now_, PacketMode::kNormal, path.mtu().max_datagram_bytes());
  switch (left.blocked) {
    case Path::Blocked::kNot:
      return SendBlockedBy::kNothing;
    case Path::Blocked::kCongestion:
      return SendBlockedBy::kCongestionWindow;
    case Path::Blocked::kPacing:
      parts_.pacing_release = left.release_time;
      return SendBlockedBy::kPacing;
    case Path::Blocked::kAmplification:
      return SendBlockedBy::kAmplification;
  }
  GODWIT_UNREACHABLE();
}

}  // namespace godwit
