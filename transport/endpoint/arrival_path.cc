// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/arrival_path.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "transport/wire/packet_first_byte.h"
#include "transport/wire/stateless_packets.h"
#include "transport/wire/version.h"

namespace godwit {
namespace {

constexpr LongPacketType LongPacketTypeOf(uint8_t first_byte) {
  return static_cast<LongPacketType>((first_byte & kLongPacketTypeMask) >> kLongPacketTypeShift);
}

DropReason DropReasonOf(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kSourceRate:
      return DropReason::kRateLimited;
    case RefusalReason::kMemoryBudget:
      return DropReason::kMemoryBudget;
    case RefusalReason::kStopped:
    case RefusalReason::kTooManyConnections:
    case RefusalReason::kTooManyHalfOpen:
    case RefusalReason::kNoConnectionId:
    case RefusalReason::kTlsFailed:
      return DropReason::kConnectionRefused;
  }
  GODWIT_UNREACHABLE();
}

}  // namespace

// ---- Route ----

void ArrivalPath::OnDatagrams(std::span<const ReceivedDatagram> datagrams) {
  state_.stats.datagrams_received += datagrams.size();
  for (const ReceivedDatagram& datagram : datagrams) batch_bytes_ += datagram.payload.size();
  state_.stats.bytes_received += batch_bytes_;
  while (!datagrams.empty()) datagrams = datagrams.subspan(RouteRun(datagrams));
}

size_t ArrivalPath::RouteRun(std::span<const ReceivedDatagram> datagrams) {
  const ReceivedDatagram& first = datagrams.front();
  InvariantHeader header;
  if (!ParseInvariantHeader(first.payload, state_.connection_id_bytes, &header)) {
    state_.Drop(now_, DropReason::kTooShort, first.payload.size());
    return 1;
  }
  if (const auto slot = state_.connections.Route(header.dcid, first.four_tuple)) {
    const size_t count = RunLength(datagrams, header.dcid);
    Deliver(*slot, datagrams.first(count));
    return count;
  }
  const std::optional<DropReason> reason =
      header.is_long() ? OnUnknownLongHeader(first, header) : OnUnknownShortHeader(first, header);
  if (reason.has_value()) state_.Drop(now_, *reason, first.payload.size());
  return 1;
}

size_t ArrivalPath::RunLength(std::span<const ReceivedDatagram> datagrams,
                              std::span<const uint8_t> dcid) const {
  const size_t most = std::min(datagrams.size(), kMaxDatagramsPerRun);
  size_t count = 1;
  while (count < most) {
    const ReceivedDatagram& datagram = datagrams[count];
    InvariantHeader header;
    if (!ParseInvariantHeader(datagram.payload, state_.connection_id_bytes, &header)) break;
    if (!std::ranges::equal(header.dcid, dcid)) break;
    if (dcid.empty() && datagram.four_tuple != datagrams.front().four_tuple) break;
    ++count;
  }
  return count;
}

void ArrivalPath::Deliver(uint32_t slot, std::span<const ReceivedDatagram> run) {
  // What connections borrow of a batch counts as held only when it is copied.
  if (state_.connections.budget().is_spent_with(batch_bytes_)) {
    DeliverWithoutMemory(slot, run);
  } else {
    state_.connections.connection(slot).OnDatagrams(run, state_.TimeAt(now_));
  }
  state_.connections.MarkActive(slot);
  state_.connections.borrowing().PushBack(slot);
  state_.connections.Refresh(slot, now_);
}

void ArrivalPath::DeliverWithoutMemory(uint32_t slot, std::span<const ReceivedDatagram> run) {
  for (const ReceivedDatagram& datagram : run) {
    if (state_.connections.budget().Admits({.datagram_bytes = datagram.payload.size(),
                                            .held_bytes = state_.connections[slot].held_bytes,
                                            .connection_count = state_.connections.size()})) {
      Connection& connection = state_.connections.connection(slot);
      connection.OnDatagrams({&datagram, 1}, state_.TimeAt(now_));
      connection.KeepBorrowed();
      state_.connections.Refresh(slot, now_);
    } else {
      state_.Drop(now_, DropReason::kMemoryBudget, datagram.payload.size());
    }
  }
}

// ---- Answer ----

std::optional<DropReason> ArrivalPath::OnUnknownShortHeader(const ReceivedDatagram& datagram,
                                                            const InvariantHeader& header) {
  if (IsStatelessReset(datagram)) return std::nullopt;
  // RFC 9000 §17.3.1: not a packet of version 1.
  if ((datagram.payload.front() & kFixedBit) == 0) return DropReason::kInvalidHeader;
  const std::optional<ConnectionId> id = ConnectionId::FromBytes(header.dcid);
  // RFC 9000 §10.3.2: without ids there are no tokens that would tell connections apart.
  if (id->empty()) return DropReason::kUnknownConnectionId;
  return state_.responder.OnUnknownConnectionId(*id, OccasionOf(datagram))
      .value_or(DropReason::kUnknownConnectionId);
}

// RFC 9000 §10.3.1.
bool ArrivalPath::IsStatelessReset(const ReceivedDatagram& datagram) {
  const std::optional<StatelessResetToken> token = CandidateResetToken(datagram.payload);
  if (!token.has_value()) return false;
  std::array<uint32_t, kMaxStatelessResetCandidates> slots;
  for (const uint32_t slot : state_.connections.NextWithPeer(datagram.four_tuple.peer, slots)) {
    if (!state_.connections.connection(slot).OnPossibleStatelessReset(*token, now_)) continue;
    state_.connections.MarkActive(slot);
    return true;
  }
  return false;
}

std::optional<DropReason> ArrivalPath::OnUnknownLongHeader(const ReceivedDatagram& datagram,
                                                           const InvariantHeader& header) {
  // RFC 9000 §6.1: never an answer to Version Negotiation.
  if (*header.version == kVersionNegotiation || state_.environment.tls_servers == nullptr) {
    return DropReason::kUnknownConnectionId;
  }
  if (*header.version != kVersion1) {
    return state_.responder.OnUnsupportedVersion(header, OccasionOf(datagram))
        .value_or(DropReason::kUnknownVersion);
  }
  if (const auto reason = CheckFirstInitial(datagram, header)) return reason;
  if (const auto refusal = DecideAccept(datagram)) {
    return Refuse(*refusal, datagram, header);
  }
  return Accept(datagram, header);
}

// ---- Accept ----

std::optional<DropReason> ArrivalPath::CheckFirstInitial(const ReceivedDatagram& datagram,
                                                         const InvariantHeader& header) const {
  // RFC 9000 §17.2.
  const uint8_t first_byte = datagram.payload.front();
  if ((first_byte & kFixedBit) == 0 || header.dcid.size() > kMaxConnectionIdBytes ||
      header.scid.size() > kMaxConnectionIdBytes) {
    return DropReason::kInvalidHeader;
  }
  // RFC 9000 §5.2.2: whatever else belongs to a connection that is gone, or has yet to begin.
  if (LongPacketTypeOf(first_byte) != LongPacketType::kInitial) {
    return DropReason::kUnknownConnectionId;
  }
  // RFC 9000 §14.1.
  if (datagram.payload.size() < kMinInitialDatagramBytes) return DropReason::kInitialTooSmall;
  // RFC 9000 §7.2.
  if (header.dcid.size() < kMinInitialConnectionIdBytes) {
    return DropReason::kInitialConnectionIdTooShort;
  }
  return std::nullopt;
}

// A token in the packet is not read: who brings one is treated like everybody else.
std::optional<RefusalReason> ArrivalPath::DecideAccept(const ReceivedDatagram& datagram) {
  return state_.limiter.Refuse({.source = datagram.four_tuple.peer,
                                .now = now_,
                                .connection_count = state_.connections.size(),
                                .half_open_count = state_.connections.half_open_count(),
                                .is_stopped = state_.is_stopped,
                                .has_memory = state_.connections.budget().may_open_connection()});
}

std::optional<DropReason> ArrivalPath::Accept(const ReceivedDatagram& datagram,
                                              const InvariantHeader& header) {
  const std::optional<ConnectionId> local_cid = state_.NewConnectionId();
  if (!local_cid.has_value()) {
    return Refuse(RefusalReason::kNoConnectionId, datagram, header);
  }
  const AcceptParams params = {.four_tuple = datagram.four_tuple,
                               .local_cid = *local_cid,
                               .local_cid_token = state_.reset_key.TokenFor(*local_cid),
                               .original_destination = *ConnectionId::FromBytes(header.dcid),
                               .peer_cid = *ConnectionId::FromBytes(header.scid)};
  auto connection =
      Connection::Accept(state_.config.connection, params, *state_.environment.tls_servers,
                         state_.connection_environment, state_.TimeAt(now_));
  if (!connection.ok()) return Refuse(RefusalReason::kTlsFailed, datagram, header);
  const uint32_t slot = state_.connections
                            .Insert({.connection = *std::move(connection),
                                     .local_cid = *local_cid,
                                     .original_destination = params.original_destination,
                                     .is_surfaced = false})
                            .slot;
  Deliver(slot, {&datagram, 1});
  // Bits that flipped on the way, or no Initial packet at all: the connection would only wait for a
  // client that does not know of it.
  if (state_.connections.connection(slot).Stats().packets_received == 0) {
    state_.connections.Erase(slot);
    ++state_.stats.connections_discarded;
  } else {
    ++state_.stats.connections_accepted;
  }
  return std::nullopt;
}

std::optional<DropReason> ArrivalPath::Refuse(RefusalReason reason,
                                              const ReceivedDatagram& datagram,
                                              const InvariantHeader& header) {
  ++state_.stats.refused[static_cast<size_t>(reason)];
  if (!AcceptLimiter::IsTold(reason)) return DropReasonOf(reason);
  const ClientInitialIds ids = {.dcid = header.dcid, .scid = header.scid};
  return state_.responder
      .OnRefused(ids, TransportErrorCode::kConnectionRefused, OccasionOf(datagram))
      .value_or(DropReasonOf(reason));
}

}  // namespace godwit
