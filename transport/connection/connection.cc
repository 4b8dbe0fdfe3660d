// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/connection.h"

#include <utility>

#include "base/check.h"
#include "transport/connection/connection_parts.h"
#include "transport/connection/handshake_driver.h"
#include "transport/connection/local_transport_parameters.h"
#include "transport/connection/receive_path.h"
#include "transport/connection/send_path.h"
#include "transport/connection/timeout_path.h"

namespace godwit {

// ---- Beginning and end ----

absl::StatusOr<std::unique_ptr<Connection>> Connection::Connect(const ConnectionConfig& config,
                                                                const ConnectParams& params,
                                                                const TlsClientFactory& tls,
                                                                const ConnectionEnvironment& env,
                                                                TlsTime now) {
  const std::vector<uint8_t> parameters = EncodeLocalTransportParameters(
      config, Perspective::kClient, {.initial_source = params.local_cid}, *env.random);
  absl::StatusOr<std::unique_ptr<TlsSession>> session =
      tls.NewSession({.server_name = params.server_name,
                      .local_transport_parameters = parameters,
                      .resumption_ticket = params.resumption_ticket},
                     now);
  if (!session.ok()) return session.status();
  return Start(config, env,
               {.perspective = Perspective::kClient,
                .four_tuple = params.four_tuple,
                .local_cid = params.local_cid,
                .peer_cid = params.initial_destination,
                .ids = {.original_destination = params.initial_destination},
                .now = now.now},
               *std::move(session));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Accept(const ConnectionConfig& config,
                                                               const AcceptParams& params,
                                                               TlsServerFactory& tls,
                                                               const ConnectionEnvironment& env,
                                                               TlsTime now) {
  const std::vector<uint8_t> parameters =
      EncodeLocalTransportParameters(config, Perspective::kServer,
                                     {.initial_source = params.local_cid,
                                      .original_destination = params.original_destination,
                                      .stateless_reset_token = params.local_cid_token},
                                     *env.random);
  absl::StatusOr<std::unique_ptr<TlsSession>> session =
      tls.NewSession({.local_transport_parameters = parameters});
  if (!session.ok()) return session.status();
  return Start(
      config, env,
      {.perspective = Perspective::kServer,
       .four_tuple = params.four_tuple,
       .local_cid = params.local_cid,
       .local_cid_token = params.local_cid_token,
       .peer_cid = params.peer_cid,
       .ids = {.original_destination = params.original_destination, .peer_source = params.peer_cid},
       .now = now.now},
      *std::move(session));
}

std::unique_ptr<Connection> Connection::Start(const ConnectionConfig& config,
                                              const ConnectionEnvironment& env,
                                              const ConnectionStart& start,
                                              std::unique_ptr<TlsSession> session) {
  auto parts = std::make_unique<ConnectionParts>(config, env, start, std::move(session));
  const Result begun = AdvanceHandshake(*parts, start.now);
  GODWIT_CHECK(begun.ok());  // Nothing came from the peer yet.
  return std::unique_ptr<Connection>(new Connection(std::move(parts)));
}

Connection::Connection(std::unique_ptr<ConnectionParts> parts) : parts_(std::move(parts)) {}

Connection::~Connection() {
  StreamPools& pools = *parts_->env.pools;
  parts_->streams.ReleaseAll(pools);
  parts_->crypto.ReleaseAll(pools.send_blocks, pools.receive_blocks);
}

// ---- The endpoint's side ----

void Connection::OnDatagrams(std::span<const ReceivedDatagram> datagrams, TlsTime now) {
  ReceivePath(*parts_, now).OnDatagrams(datagrams);
  StopTallyIfClosed(now.now);
}

void Connection::KeepBorrowed() { parts_->streams.KeepBorrowed(*parts_->env.pools); }

Transmit Connection::PollTransmit(std::span<uint8_t> buffer, Timestamp now) {
  const Transmit transmit = SendPath(*parts_, buffer, now).PollTransmit();
  StopTallyIfClosed(now);
  return transmit;
}

Timestamp Connection::next_deadline() const { return NextDeadline(*parts_); }

void Connection::OnTimeout(TlsTime now) {
  godwit::OnTimeout(*parts_, now.now);
  StopTallyIfClosed(now.now);
}

void Connection::OnDatagramTooLarge(uint64_t bytes, Timestamp now) {
  if (parts_->paths.active().mtu().OnDatagramTooLarge(bytes, now)) {
    parts_->OnMaxDatagramBytesChanged(now);
  }
}

size_t Connection::wanted_connection_ids() const {
  return parts_->is_open() ? parts_->local_cids.wanted_count() : 0;
}

void Connection::AddConnectionId(const ConnectionId& id, const StatelessResetToken& token) {
  parts_->local_cids.Add(id, token);
}

std::optional<ConnectionId> Connection::PollRetiredConnectionId(Timestamp now) {
  return parts_->local_cids.PollRetired(now);
}

size_t Connection::connection_id_count() const { return parts_->local_cids.routed_count(); }

const ConnectionId& Connection::connection_id(size_t index) const {
  return parts_->local_cids.routed(index);
}

bool Connection::OnPossibleStatelessReset(const StatelessResetToken& token, Timestamp now) {
  // Also of a connection that is closing or draining: a flight is answered by as many resets, and
  // those after the first are no more to be answered than that (RFC 9000 §10.3.3).
  if (!parts_->peer_cids.IsResetToken(token)) return false;
  parts_->close.OnStatelessReset(now, parts_->Pto());
  StopTallyIfClosed(now);
  return true;
}

uint64_t Connection::held_bytes() const {
  return parts_->streams.held_bytes() + parts_->datagrams.held_bytes() +
         parts_->crypto.held_bytes() + parts_->undecryptable.held_bytes();
}

void Connection::SetMayGrowWindows(bool may_grow) { parts_->may_grow_windows = may_grow; }

// ---- The application's side ----

std::optional<ConnectionEvent> Connection::PollEvent() {
  using Kind = ConnectionEvent::Kind;
  PendingEvents& pending = parts_->events;
  if (pending.has_urgent()) [[unlikely]] {
    if (std::exchange(pending.handshake_complete, false)) {
      return ConnectionEvent{.kind = Kind::kHandshakeComplete};
    }
    if (std::exchange(pending.handshake_confirmed, false)) {
      return ConnectionEvent{.kind = Kind::kHandshakeConfirmed};
    }
    if (std::exchange(pending.path_changed, false)) {
      return ConnectionEvent{.kind = Kind::kPathChanged};
    }
    pending.max_datagram_payload_changed = false;
    return ConnectionEvent{.kind = Kind::kMaxDatagramPayloadChanged};
  }
  if (const auto event = parts_->streams.PollEvent()) {
    return ConnectionEvent{.kind = Kind::kStream, .stream = *event};
  }
  if (std::exchange(pending.datagram_received, false)) {
    return ConnectionEvent{.kind = Kind::kDatagramReceived};
  }
  if (const auto feedback = parts_->datagrams.PollFeedback()) {
    return ConnectionEvent{.kind = Kind::kDatagramFeedback, .datagram = *feedback};
  }
  if (parts_->is_open() || pending.is_close_told) return std::nullopt;
  pending.is_close_told = true;
  return ConnectionEvent{.kind = Kind::kClosed};
}

absl::Status Connection::CheckUsable() const {
  if (!parts_->is_open()) {
    return absl::FailedPreconditionError("the connection is closed: see close_reason()");
  }
  return absl::OkStatus();
}

void Connection::StopTallyIfClosed(Timestamp now) {
  if (!parts_->is_open()) parts_->blocked.Stop(now);
}

absl::StatusOr<StreamId> Connection::OpenStream(StreamDirection direction) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  return parts_->streams.Open(direction);
}

absl::StatusOr<uint64_t> Connection::WriteStream(StreamId id, std::span<const uint8_t> data) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  return parts_->streams.Write(id, data, *parts_->env.pools);
}

absl::StatusOr<uint64_t> Connection::WriteStream(StreamId id, const absl::Cord& data) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  return parts_->streams.Write(id, data, *parts_->env.pools);
}

absl::Status Connection::FinishStream(StreamId id) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  return parts_->streams.Finish(id);
}

absl::Status Connection::ResetStream(StreamId id, uint64_t error_code) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  return parts_->streams.Reset(id, error_code, *parts_->env.pools);
}

absl::Status Connection::StopSending(StreamId id, uint64_t error_code) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  return parts_->streams.StopSending(id, error_code, *parts_->env.pools);
}

absl::Status Connection::SetStreamPriority(StreamId id, StreamPriority priority) {
  return parts_->streams.SetPriority(id, priority);
}

absl::StatusOr<size_t> Connection::PeekStream(StreamId id,
                                              std::span<std::span<const uint8_t>> views) const {
  return parts_->streams.Peek(id, views);
}

absl::Status Connection::ConsumeStream(StreamId id, uint64_t byte_count, Timestamp now) {
  return parts_->streams.Consume(id, byte_count, parts_->StreamContextAt(now));
}

absl::StatusOr<StreamMap::ReadState> Connection::StreamReadState(StreamId id) const {
  return parts_->streams.read_state(id);
}

absl::StatusOr<uint64_t> Connection::SendDatagram(std::span<const uint8_t> data) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  if (!parts_->handshake.is_complete()) {
    return absl::FailedPreconditionError(
        "datagrams can be sent from kHandshakeComplete on: what the peer takes is not known yet");
  }
  return parts_->datagrams.Send(data, parts_->MaxDatagramPayloadBytes());
}

uint64_t Connection::max_datagram_payload_bytes() const {
  return parts_->MaxDatagramPayloadBytes();
}

std::optional<std::span<const uint8_t>> Connection::PeekDatagram() const {
  return parts_->datagrams.PeekReceived();
}

void Connection::PopDatagram() { parts_->datagrams.PopReceived(); }

void Connection::Close(uint64_t error_code, std::string_view reason, Timestamp now) {
  parts_->close.CloseByApplication(error_code, reason, now, parts_->Pto());
  StopTallyIfClosed(now);
}

absl::Status Connection::UpdateKeys(Timestamp now) {
  if (absl::Status usable = CheckUsable(); !usable.ok()) return usable;
  if (!parts_->keys.one_rtt().InitiateUpdate(now)) {
    return absl::FailedPreconditionError(
        "keys can be updated once the handshake is confirmed and three probe timeouts after the "
        "last update was acknowledged: try again later");
  }
  return absl::OkStatus();
}

void Connection::RotateConnectionIds() {
  parts_->local_cids.RotateAll();
  parts_->peer_cids.Rotate();
}

void Connection::SwitchCongestionController(const CongestionControllerFactory& factory,
                                            Timestamp now) {
  parts_->paths.SwitchController(factory, now);
}

// ---- What is known ----

Perspective Connection::perspective() const { return parts_->perspective; }
bool Connection::is_handshake_complete() const { return parts_->handshake.is_complete(); }
bool Connection::is_handshake_confirmed() const { return parts_->handshake.is_confirmed(); }
CloseState::Phase Connection::close_phase() const { return parts_->close.phase(); }
const std::optional<CloseReason>& Connection::close_reason() const {
  return parts_->close.reason();
}
const FourTuple& Connection::four_tuple() const { return parts_->paths.active().four_tuple(); }
const TlsSession& Connection::tls() const { return *parts_->tls; }

ConnectionStats Connection::Stats() const {
  const Path& path = parts_->paths.active();
  ConnectionStats stats;
  static_cast<ConnectionCounters&>(stats) = parts_->counters;
  stats.key_updates = parts_->keys.one_rtt().generation();
  stats.smoothed_rtt = path.rtt().smoothed_rtt();
  stats.min_rtt = path.rtt().min_rtt();
  stats.latest_rtt = path.rtt().latest_rtt();
  stats.congestion_window_bytes = path.controller().congestion_window_bytes();
  stats.bytes_in_flight = path.bytes_in_flight();
  stats.pacing_rate = path.controller().pacing_rate();
  stats.max_datagram_bytes = path.mtu().max_datagram_bytes();
  stats.packet_reordering_threshold = parts_->reordering.packet_threshold();
  stats.congestion_controller = path.controller().name();
  stats.blocked_by = parts_->blocked.reason();
  stats.blocked_times = parts_->blocked.settled_times();
  return stats;
}

ConnectionStats Connection::StatsAt(Timestamp now) const {
  ConnectionStats stats = Stats();
  stats.blocked_times = parts_->blocked.TimesUntil(now);
  return stats;
}

void Connection::CheckInvariants() const {
  const ConnectionParts& parts = *parts_;
  parts.keys.CheckInvariants();
  parts.handshake.CheckInvariants();
  parts.idle.CheckInvariants();
  parts.close.CheckInvariants();
  parts.undecryptable.CheckInvariants();
  parts.reordering.CheckInvariants();
  parts.probe_timer.CheckInvariants();
  parts.datagrams.CheckInvariants();
  parts.paths.CheckInvariants();
  // The part that the peer's fault was found in stopped in the middle of its work, and is not used
  // any more.
  const bool is_broken = parts.close.reason().has_value() &&
                         parts.close.reason()->cause == CloseReason::Cause::kProtocolError;
  if (!is_broken) {
    parts.crypto.CheckInvariants();
    parts.streams.CheckInvariants();
    parts.local_cids.CheckInvariants();
    parts.peer_cids.CheckInvariants();
  }
  const Path& path = parts.paths.active();
  uint64_t bytes_in_flight = 0;
  for (const std::unique_ptr<PacketSpace>& space : parts.spaces) {
    if (space == nullptr) continue;
    space->CheckInvariants();
    bytes_in_flight += space->bytes_in_flight(path.id());
  }
  GODWIT_CHECK_EQ(bytes_in_flight, path.bytes_in_flight());
}

}  // namespace godwit
