// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/receive_path.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "transport/connection/frame_dispatcher.h"
#include "transport/connection/handshake_driver.h"
#include "transport/wire/frame_decoder.h"
#include "transport/wire/frame_rules.h"
#include "transport/wire/stateless_packets.h"
#include "transport/wire/version.h"

namespace godwit {
namespace {

// Without traffic for so long a connection may be idle for much longer.
constexpr Duration kQuietTime = Duration::Seconds(1);

constexpr Perspective PeerOf(Perspective perspective) {
  return perspective == Perspective::kClient ? Perspective::kServer : Perspective::kClient;
}

OfferedExtensions OfferedBy(const ConnectionParts& parts) {
  return {.max_datagram_frame_size = parts.config.max_datagram_frame_size,
          .accepts_ack_frequency = false};
}

void CountPacket(EcnMark mark, ConnectionCounters& counters) {
  ++counters.packets_received;
  switch (mark) {
    case EcnMark::kNotEct:
      return;
    case EcnMark::kEct1:
      ++counters.ect1_packets_received;
      return;
    case EcnMark::kEct0:
      ++counters.ect0_packets_received;
      return;
    case EcnMark::kCe:
      ++counters.ce_packets_received;
      return;
  }
}

}  // namespace

void ReceivePath::OnDatagrams(std::span<const ReceivedDatagram> datagrams) {
  std::array<std::optional<ProtectedPacket>, kMaxGsoSegments>& uncovered =
      parts_.env.scratch->uncovered;
  while (!datagrams.empty()) {
    const auto run = datagrams.first(std::min(datagrams.size(), uncovered.size()));
    datagrams = datagrams.subspan(run.size());
    UncoverShortHeaders(run);
    for (size_t i = 0; i < run.size(); ++i) OnDatagram(run[i], uncovered[i]);
  }
}

// The masks of all short headers in one call: they cost a quarter of single ones.
void ReceivePath::UncoverShortHeaders(std::span<const ReceivedDatagram> datagrams) {
  ConnectionScratch& scratch = *parts_.env.scratch;
  scratch.headers.clear();
  const bool can_open = parts_.is_open() && parts_.keys.CanOpen(EncryptionLevel::kOneRtt);
  for (size_t i = 0; i < datagrams.size(); ++i) {
    std::optional<ProtectedPacket>& uncovered = scratch.uncovered[i];
    const std::span<uint8_t> bytes = datagrams[i].payload;
    uncovered.reset();
    if (!can_open || !DatagramSplitter::IsShortPacket(bytes, rules_)) continue;
    uncovered.emplace(bytes, rules_.short_header());
    scratch.headers.push_back({bytes, rules_.short_header().packet_number_offset});
  }
  if (!scratch.headers.empty()) {
    parts_.keys.Unprotect(EncryptionLevel::kOneRtt, scratch.headers);
  }
}

void ReceivePath::OnDatagram(const ReceivedDatagram& datagram,
                             std::optional<ProtectedPacket>& uncovered) {
  ++parts_.counters.datagrams_received;
  parts_.counters.bytes_received += datagram.payload.size();
  if (!parts_.is_open()) {
    // RFC 9000 §8.1: it may be what the CONNECTION_CLOSE has waited for.
    Path* const path = parts_.paths.Find(datagram.four_tuple);
    if (path != nullptr) path->OnDatagramReceived(datagram.payload.size());
    parts_.close.OnPacketReceived(now_.now, datagram.payload.size());
    return Drop(DropReason::kConnectionClosed, datagram.payload.size());
  }
  const Path* const path = PathOf(datagram);
  if (path == nullptr) return;
  const Origin origin = {.path = path->id(),
                         .received_at = datagram.received_at,
                         .ecn = datagram.ecn,
                         .datagram = datagram.payload};
  if (uncovered.has_value()) return OnUncoveredPacket(*std::move(uncovered), origin);
  DatagramSplitter splitter(datagram.payload, rules_);
  for (DatagramPart part; parts_.is_open() && splitter.Next(&part);) OnPart(part, origin);
}

Path* ReceivePath::PathOf(const ReceivedDatagram& datagram) {
  if (Path* const path = parts_.paths.Find(datagram.four_tuple); path != nullptr) [[likely]] {
    path->OnDatagramReceived(datagram.payload.size());
    return path;
  }
  const PathManager::Arrival arrival = parts_.paths.OnUnknownFourTuple(
      datagram.four_tuple, datagram.payload.size(), parts_.handshake.is_confirmed(), now_.now);
  if (arrival.evicted.has_value()) parts_.ReleasePath(*arrival.evicted);
  if (!arrival.drop.has_value()) return parts_.paths.Find(arrival.path);
  Drop(*arrival.drop, datagram.payload.size());
  return nullptr;
}

void ReceivePath::OnPart(const DatagramPart& part, const Origin& origin) {
  switch (part.kind()) {
    case DatagramPart::Kind::kPacket:
      return OnProtectedPacket(part.packet(), origin);
    case DatagramPart::Kind::kVersionNegotiation:
      return OnVersionNegotiation(part);
    case DatagramPart::Kind::kRetry:
      return Drop(DropReason::kRetryInvalid, part.bytes().size());
    case DatagramPart::Kind::kDropped:
      return Drop(part.drop_reason(), part.bytes().size());
  }
}

std::optional<DropReason> ReceivePath::RefusalOf(const ProtectedPacket& packet,
                                                 const Origin& origin) const {
  if (!packet.has_long_header()) return std::nullopt;
  if (packet.level() == EncryptionLevel::kInitial) {
    // RFC 9000 §14.1.
    if (!parts_.is_client() && origin.datagram.size() < kMinInitialDatagramBytes) {
      return DropReason::kInitialTooSmall;
    }
    // RFC 9000 §17.2.2.
    if (parts_.is_client() && !packet.token().empty()) return DropReason::kUnexpectedToken;
  }
  // RFC 9000 §7.2.
  if (parts_.ids.peer_source.has_value() &&
      !std::ranges::equal(packet.scid(), parts_.ids.peer_source->bytes())) {
    return DropReason::kConnectionIdMismatch;
  }
  return std::nullopt;
}

void ReceivePath::OnProtectedPacket(ProtectedPacket packet, const Origin& origin) {
  const size_t size = packet.size();
  const EncryptionLevel level = packet.level();
  if (const auto refusal = RefusalOf(packet, origin)) return Drop(*refusal, size);
  if (!parts_.keys.CanOpen(level)) {
    // RFC 9001 §5.7: a server does not take 0-RTT packets yet, nor does a client ever.
    if (parts_.keys.is_discarded(level) || level == EncryptionLevel::kZeroRtt) {
      return Drop(DropReason::kKeysDiscarded, size);
    }
    if (!parts_.undecryptable.Keep(level, packet.bytes(), origin.path, origin.received_at,
                                   origin.ecn)) {
      Drop(DropReason::kKeysUnavailable, size);
    }
    return;
  }
  const HeaderPosition header = {packet.bytes(), packet.packet_number_offset()};
  parts_.keys.Unprotect(level, {&header, 1});
  OnUncoveredPacket(std::move(packet), origin);
}

void ReceivePath::OnUncoveredPacket(ProtectedPacket&& packet, const Origin& origin) {
  const PacketSpace& space = parts_.SpaceFor(packet.level());
  Open(std::move(packet).HeaderProtectionRemoved(space.acks().largest_received()), origin);
}

void ReceivePath::Open(EncryptedPacket&& packet, const Origin& origin) {
  const KeyManager::Opened opened = parts_.keys.Open(packet, now_.now, pto_);
  if (!opened.outcome.opened) return OnUnopened(opened.outcome, packet.level(), origin);
  // RFC 9000 §12.3: only after it was opened, or timing would tell which numbers have come.
  switch (parts_.SpaceFor(packet.level()).acks().Check(packet.packet_number())) {
    case AckTracker::Novelty::kDuplicate:
      return Drop(DropReason::kDuplicate, packet.size());
    case AckTracker::Novelty::kTooOld:
      return Drop(DropReason::kTooOld, packet.size());
    case AckTracker::Novelty::kNew:
      break;
  }
  const PlainPacket plain = std::move(packet).PayloadOpened(opened.outcome.payload.size());
  if (!opened.outcome.result.ok()) return parts_.Fail(opened.outcome.result, 0, now_.now);
  OnPlainPacket(plain, opened.generation, origin);
}

void ReceivePath::OnUnopened(const OpenOutcome& outcome, EncryptionLevel level,
                             const Origin& origin) {
  Drop(DropReason::kDecryptFailed, origin.datagram.size());
  // RFC 9000 §10.3.1: what cannot be opened may be a stateless reset.
  if (level == EncryptionLevel::kOneRtt) {
    const auto token = CandidateResetToken(origin.datagram);
    if (token.has_value() && parts_.peer_cids.IsResetToken(*token)) {
      return parts_.close.OnStatelessReset(now_.now, parts_.Pto());
    }
  }
  if (!outcome.result.ok()) parts_.Fail(outcome.result, 0, now_.now);
}

void ReceivePath::OnPlainPacket(const PlainPacket& packet, uint64_t key_generation,
                                const Origin& origin) {
  CountPacket(origin.ecn, parts_.counters);
  if (packet.has_long_header()) OnLongHeaderAuthenticated(packet);
  PacketFacts facts;
  uint64_t frame_type = 0;
  Result result = packet.CheckReservedBits();
  if (result.ok()) result = ReadFrames(packet, key_generation, origin, &facts, &frame_type);
  if (result.ok() && facts.has_crypto) result = AdvanceHandshake(parts_, now_.now);
  if (!result.ok()) return parts_.Fail(result, frame_type, now_.now);
  if (!parts_.is_open()) return;
  Commit(packet, facts, origin);
  if (facts.has_crypto && !parts_.undecryptable.empty()) RetryUndecryptable();
}

void ReceivePath::OnLongHeaderAuthenticated(const PlainPacket& packet) {
  if (!parts_.ids.peer_source.has_value()) {
    // RFC 9000 §7.2: the server's first packet says which connection id it wants.
    const std::optional<ConnectionId> source = ConnectionId::FromBytes(packet.scid());
    GODWIT_CHECK(source.has_value());
    parts_.ids.peer_source = source;
    parts_.peer_cids.ReplaceFirst(*source);
  }
  if (!parts_.is_client() && packet.level() == EncryptionLevel::kHandshake) {
    // RFC 9000 §8.1: who can seal this has received what we sent. RFC 9001 §4.9.1.
    parts_.paths.active().OnValidated();
    DiscardLevel(parts_, EncryptionLevel::kInitial);
  }
}

Result ReceivePath::ReadFrames(const PlainPacket& packet, uint64_t key_generation,
                               const Origin& origin, PacketFacts* facts, uint64_t* frame_type) {
  const FrameSource source = {.now = now_,
                              .received_at = origin.received_at,
                              .level = packet.level(),
                              .path = origin.path,
                              .dcid = packet.dcid(),
                              .key_generation = key_generation};
  FrameDecoder decoder(packet.payload(), packet.level(), PeerOf(parts_.perspective),
                       OfferedBy(parts_));
  Frame frame;
  while (!decoder.is_done()) {
    const Result decoded = decoder.Next(&frame);
    *frame_type = decoder.frame_type();
    GODWIT_RETURN_IF_ERROR(decoded);
    const FrameRules rules = RulesOf(frame.type());
    facts->is_ack_eliciting |= rules.is_ack_eliciting();
    facts->is_probing &= rules.is_probing();
    facts->has_crypto |= frame.kind() == FrameKind::kCrypto;
    GODWIT_RETURN_IF_ERROR(DispatchFrame(parts_, frame, source));
  }
  *frame_type = 0;
  return Result::Ok();
}

void ReceivePath::Commit(const PlainPacket& packet, const PacketFacts& facts,
                         const Origin& origin) {
  const Timestamp now = now_.now;
  if (!parts_.keys.is_discarded(packet.level())) {
    parts_.SpaceFor(packet.level())
        .acks()
        .OnPacketReceived({.number = packet.packet_number(),
                           .received_at = origin.received_at,
                           .ecn = origin.ecn,
                           .is_ack_eliciting = facts.is_ack_eliciting});
  }
  parts_.idle.OnPacketReceived(now);
  if (facts.is_ack_eliciting) parts_.idle.OnAckElicitingReceived();
  parts_.quiet_at = now + kQuietTime;
  // The peer is there: probes need not wait longer and longer. RFC 9002 §6.2.1: not of a client
  // whose server may still be held back by the limit on amplification.
  if (parts_.is_peer_validation_complete) parts_.probe_timer.Reset();
  if (packet.level() == EncryptionLevel::kOneRtt) DetectMigration(packet, facts, origin);
}

void ReceivePath::DetectMigration(const PlainPacket& packet, const PacketFacts& facts,
                                  const Origin& origin) {
  PacketNumber& largest = parts_.largest_non_probing;
  const bool is_largest =
      !facts.is_probing && (largest.is_none() || packet.packet_number() > largest);
  if (is_largest) largest = packet.packet_number();
  const PathId before = parts_.paths.active().id();
  const PathManager::Migration migration =
      parts_.paths.OnPacketAuthenticated({.path = origin.path,
                                          .is_largest_packet_number = is_largest,
                                          .is_probing = facts.is_probing,
                                          .now = now_.now,
                                          .pto = pto_},
                                         *parts_.env.random);
  if (migration == PathManager::Migration::kNone) return;
  ++parts_.counters.path_changes;
  parts_.events.path_changed = true;
  const PathId after = parts_.paths.active().id();
  if (after == before) return;
  parts_.UseActivePath(now_.now);
}

void ReceivePath::OnVersionNegotiation(const DatagramPart& part) {
  const auto packet = VersionNegotiationPacket::Parse(part.bytes());
  // RFC 9000 §6.2: only as the answer to the first packet, and if it really excludes our version.
  const bool is_answer =
      packet.has_value() && parts_.is_client() && !parts_.ids.peer_source.has_value() &&
      std::ranges::equal(packet->dcid(), parts_.local_cids.routed(0).bytes()) &&
      std::ranges::equal(packet->scid(), parts_.ids.original_destination.bytes()) &&
      !packet->Lists(kVersion1);
  if (!is_answer) return Drop(DropReason::kVersionNegotiationIgnored, part.bytes().size());
  parts_.close.CloseSilently(CloseReason::Cause::kVersionNegotiation, now_.now);
}

// Packets that came before their keys. What the streams borrow of them is copied before they go.
void ReceivePath::RetryUndecryptable() {
  for (const EncryptionLevel level : {EncryptionLevel::kHandshake, EncryptionLevel::kOneRtt}) {
    if (!parts_.keys.CanOpen(level) && !parts_.keys.is_discarded(level)) continue;
    std::vector<UndecryptablePackets::Kept> kept = parts_.undecryptable.TakeReady(level);
    for (UndecryptablePackets::Kept& packet : kept) {
      const Origin origin = {.path = packet.path,
                             .received_at = packet.received_at,
                             .ecn = packet.ecn,
                             .datagram = packet.bytes};
      DatagramSplitter splitter(packet.bytes, rules_);
      DatagramPart part;
      if (parts_.is_open() && splitter.Next(&part)) OnPart(part, origin);
    }
    parts_.streams.KeepBorrowed(*parts_.env.pools);
  }
}

}  // namespace godwit
