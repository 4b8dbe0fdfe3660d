// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/endpoint.h"

#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/limits.h"
#include "transport/endpoint/arrival_path.h"
#include "transport/endpoint/endpoint_state.h"
#include "transport/endpoint/random_connection_ids.h"

namespace godwit {
namespace {

// RFC 9000 §5.1: packets carry them in the clear, so that a server with few of them would have
// collisions; ConnectionIdGenerator says the rest.
constexpr size_t kMinServerConnectionIdBytes = 4;

absl::Status ValidateEnvironment(const EndpointEnvironment& environment) {
  if (environment.random == nullptr) {
    return absl::InvalidArgumentError("EndpointEnvironment.random is null; it is always needed");
  }
  if (environment.connection_ids == nullptr) return absl::OkStatus();
  const size_t size = environment.connection_ids->size_bytes();
  const size_t least = environment.tls_servers != nullptr ? kMinServerConnectionIdBytes : 0;
  if (size < least || size > kMaxConnectionIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("EndpointEnvironment.connection_ids->size_bytes() is ", size,
                     "; allowed: ", least, " to ", kMaxConnectionIdBytes));
  }
  return absl::OkStatus();
}

}  // namespace

// ---- Beginning and end ----

absl::StatusOr<std::unique_ptr<Endpoint>> Endpoint::Create(const EndpointConfig& config,
                                                           const EndpointEnvironment& environment) {
  absl::Status status = ValidateEndpointConfig(config);
  if (status.ok()) status = ValidateEnvironment(environment);
  if (!status.ok()) return status;
  return std::unique_ptr<Endpoint>(
      new Endpoint(std::make_unique<EndpointState>(config, environment)));
}

Endpoint::Endpoint(std::unique_ptr<EndpointState> state) : state_(std::move(state)) {}

Endpoint::~Endpoint() = default;

void Endpoint::SetWallClock(TlsTime time) { state_->wall_clock = time; }

absl::StatusOr<ConnectionHandle> Endpoint::Connect(const ConnectOptions& options, Timestamp now) {
  EndpointState& state = *state_;
  now = state.Advance(now);
  if (state.environment.tls_clients == nullptr) {
    return absl::FailedPreconditionError(
        "EndpointEnvironment.tls_clients is null; an endpoint needs it to open connections");
  }
  if (state.connections.size() >= state.config.max_connections) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ", state.connections.size(),
                     " connections, as many as max_connections allows; close some or raise it"));
  }
  if (!state.connections.budget().may_open_connection()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "connections hold ", state.connections.budget().held_bytes(), " bytes of ",
        state.config.memory_budget_bytes,
        " that memory_budget_bytes allows; read what they received, close some or raise it"));
  }
  ConnectParams params = {.four_tuple = options.four_tuple,
                          .local_cid = {},
                          .initial_destination = MakeRandomConnectionId(
                              kMinInitialConnectionIdBytes, *state.environment.random),
                          .server_name = options.server_name,
                          .resumption_ticket = options.resumption_ticket};
  if (state.connection_id_bytes > 0) {
    const std::optional<ConnectionId> id = state.NewConnectionId();
    if (!id.has_value()) {
      return absl::UnavailableError(
          "EndpointEnvironment.connection_ids gives only ids that are in use, or of another size "
          "than size_bytes()");
    }
    params.local_cid = *id;
  } else if (state.connections.Route({}, options.four_tuple).has_value()) {
    return absl::AlreadyExistsError(
        "with connection ids of 0 bytes there can be one connection between two addresses; use "
        "another local port, or a ConnectionIdGenerator of longer ids");
  }
  auto connection =
      Connection::Connect(state.config.connection, params, *state.environment.tls_clients,
                          state.connection_environment, state.TimeAt(now));
  if (!connection.ok()) return connection.status();
  ++state.stats.connections_opened;
  return state.connections.Insert({.connection = *std::move(connection),
                                   .local_cid = params.local_cid,
                                   .original_destination = std::nullopt,
                                   .is_surfaced = true});
}

void Endpoint::StopAccepting() { state_->is_stopped = true; }

void Endpoint::CloseAll(uint64_t error_code, std::string_view reason, Timestamp now) {
  EndpointState& state = *state_;
  now = state.Advance(now);
  for (uint32_t slot = 0; slot < state.connections.slot_count(); ++slot) {
    if (!state.connections.is_occupied(slot)) continue;
    state.connections.connection(slot).Close(error_code, reason, now);
    state.connections.MarkActive(slot);
  }
}

// ---- Receiving, and time ----

void Endpoint::OnDatagrams(std::span<const ReceivedDatagram> datagrams, Timestamp now) {
  ArrivalPath(*state_, state_->Advance(now)).OnDatagrams(datagrams);
}

void Endpoint::OnTimeout(Timestamp now) {
  EndpointState& state = *state_;
  now = state.Advance(now);
  while (const auto slot = state.connections.PopExpired(now)) {
    state.connections.connection(*slot).OnTimeout(state.TimeAt(now));
    state.connections.MarkActive(*slot);
    state.connections.Refresh(*slot, now);
  }
}

void Endpoint::OnDatagramTooLarge(const FourTuple& four_tuple, uint64_t bytes, Timestamp now) {
  EndpointState& state = *state_;
  now = state.Advance(now);
  std::array<uint32_t, kMaxStatelessResetCandidates> slots;
  for (const uint32_t slot : state.connections.NextWithPeer(four_tuple.peer, slots)) {
    Connection& connection = state.connections.connection(slot);
    if (connection.four_tuple() != four_tuple) continue;
    connection.OnDatagramTooLarge(bytes, now);
    state.connections.MarkActive(slot);
  }
}

// ---- Events ----

std::optional<EndpointEvent> Endpoint::PollEvent() {
  EndpointState& state = *state_;
  ForgetClosed();
  std::optional<EndpointEvent> event;
  if (state.next_event.has_value()) [[unlikely]] {
    event = std::exchange(state.next_event, std::nullopt);
  } else {
    event = TakeEvent();
  }
  if (!event.has_value()) {
    KeepBorrowed();
  } else if (event->event.kind == ConnectionEvent::Kind::kClosed) {
    state.closed_slot = event->connection.slot;
    // So that PollTransmit() comes by and the connection is forgotten.
    state.connections.ready().PushBack(event->connection.slot);
  }
  return event;
}

std::optional<EndpointEvent> Endpoint::TakeEvent() {
  using Kind = ConnectionEvent::Kind;
  ConnectionRegistry& connections = state_->connections;
  while (const auto slot = connections.eventful().Front()) {
    ConnectionEntry& entry = connections[*slot];
    if (entry.is_gone) {
      connections.eventful().Remove(*slot);
      continue;
    }
    const std::optional<ConnectionEvent> event = entry.connection->PollEvent();
    if (!event.has_value()) {
      connections.eventful().Remove(*slot);
      continue;
    }
    if (entry.is_surfaced) {
      return EndpointEvent{.connection = connections.HandleOf(*slot), .event = *event};
    }
    // The application hears of a connection when its peer has shown that it can talk to us.
    if (event->kind == Kind::kHandshakeComplete) {
      entry.is_surfaced = true;
      return EndpointEvent{
          .connection = connections.HandleOf(*slot), .is_new = true, .event = *event};
    }
    if (event->kind == Kind::kClosed) MarkGone(*slot);
  }
  return std::nullopt;
}

// The application has had its look.
void Endpoint::ForgetClosed() {
  if (const auto slot = std::exchange(state_->closed_slot, std::nullopt)) MarkGone(*slot);
}

void Endpoint::MarkGone(uint32_t slot) {
  ConnectionEntry& entry = state_->connections[slot];
  entry.is_gone = true;
  ++state_->stats.connections_closed;
  if (entry.connection->close_reason()->cause == CloseReason::Cause::kStatelessReset) {
    ++state_->stats.stateless_resets_received;
  }
  state_->connections.ready().PushBack(slot);
}

void Endpoint::KeepBorrowed() {
  ConnectionRegistry& connections = state_->connections;
  while (const auto slot = connections.borrowing().Front()) {
    connections.connection(*slot).KeepBorrowed();
    connections.borrowing().Remove(*slot);
    // What it holds has changed: Settle() takes note.
    connections.ready().PushBack(*slot);
  }
}

// ---- Sending ----

Transmit Endpoint::PollTransmit(Timestamp now) {
  EndpointState& state = *state_;
  now = state.Advance(now);
  ForgetClosed();
  if (state.responder.has_pending()) return state.responder.PollTransmit();
  SlotQueue& ready = state.connections.ready();
  while (const auto slot = ready.Front()) {
    ExchangeConnectionIds(*slot, now);
    const Transmit transmit = state.connections.connection(*slot).PollTransmit(state.train, now);
    // Sending has events too: what became of a datagram, a limit that was reached.
    state.connections.eventful().PushBack(*slot);
    if (!transmit.payload.empty()) {
      // One train a turn.
      ready.MoveToBack(*slot);
      return transmit;
    }
    Settle(*slot, now);
  }
  // NextWakeup() must not let the caller sleep on such an event.
  if (!state.next_event.has_value()) state.next_event = TakeEvent();
  return {};
}

void Endpoint::ExchangeConnectionIds(uint32_t slot, Timestamp now) {
  ConnectionRegistry& connections = state_->connections;
  Connection& connection = connections.connection(slot);
  while (const auto retired = connection.PollRetiredConnectionId(now)) {
    connections.RemoveConnectionId(*retired);
  }
  for (size_t wanted = connection.wanted_connection_ids(); wanted > 0; --wanted) {
    const std::optional<ConnectionId> id = state_->NewConnectionId();
    if (!id.has_value()) return;
    connections.AddConnectionId(slot, *id);
    connection.AddConnectionId(*id, state_->reset_key.TokenFor(*id));
  }
}

// The connection has nothing to send now.
void Endpoint::Settle(uint32_t slot, Timestamp now) {
  ConnectionRegistry& connections = state_->connections;
  connections.ready().Remove(slot);
  const ConnectionEntry& entry = connections[slot];
  if (entry.is_gone && entry.connection->close_phase() == CloseState::Phase::kClosed) {
    connections.Erase(slot);
    return;
  }
  connections.Refresh(slot, now);
  connections.RefreshDeadline(slot);
}

Timestamp Endpoint::NextWakeup() const {
  EndpointState& state = *state_;
  if (state.next_event.has_value() || state.responder.has_pending() ||
      !state.connections.ready().empty() || !state.connections.eventful().empty()) {
    return Timestamp::InfinitePast();
  }
  return state.connections.EarliestDeadline();
}

// ---- What is known ----

Connection* Endpoint::Find(ConnectionHandle handle) {
  ConnectionEntry* const entry = state_->connections.Find(handle);
  if (entry == nullptr || !entry->is_surfaced || entry->is_gone) return nullptr;
  state_->connections.MarkActive(handle.slot);
  return entry->connection.get();
}

size_t Endpoint::connection_count() const { return state_->connections.size(); }

const EndpointStats& Endpoint::stats() const {
  EndpointStats& stats = state_->stats;
  const StatelessResponder::SentCounts& sent = state_->responder.sent_counts();
  stats.version_negotiations_sent = sent.version_negotiations;
  stats.stateless_resets_sent = sent.stateless_resets;
  stats.refusals_sent = sent.refusals;
  stats.connections = state_->connections.size();
  stats.half_open = state_->connections.half_open_count();
  stats.held_bytes = state_->connections.budget().held_bytes();
  return stats;
}

void Endpoint::CheckInvariants() const { state_->connections.CheckInvariants(); }

}  // namespace godwit
