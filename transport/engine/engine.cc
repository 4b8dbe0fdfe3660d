// SPDX-License-Identifier: Apache-2.0
#include "godwit/engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "transport/engine/engine_factory.h"
#include "transport/engine/engine_state.h"

namespace godwit {

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(const EngineConfig& config,
                                                       const EngineEnvironment& environment,
                                                       Timestamp now, UnixTime wall) {
  if (environment.random == nullptr) {
    return absl::InvalidArgumentError(
        "EngineEnvironment.random is null; allowed: a cryptographically secure generator, such as "
        "one "
        "of getrandom(2)");
  }
  auto resources = EngineResources::Create(config, *environment.random, wall);
  if (!resources.ok()) return resources.status();
  return EngineFactory::Make(config, *resources, environment, now, wall);
}

Engine::Engine(std::unique_ptr<EngineState> state) : state_(std::move(state)) {}

Engine::~Engine() { state_->link->engine = nullptr; }

const std::vector<std::string>& Engine::warnings() const { return state_->warnings; }

// ---- The network's side ----

void Engine::OnDatagrams(std::span<const ReceivedDatagram> datagrams, Timestamp now) {
  state_->now = std::max(state_->now, now);
  state_->endpoint->OnDatagrams(datagrams, now);
}

std::optional<EngineEvent> Engine::PollEvent() {
  std::optional<EndpointEvent> event = state_->endpoint->PollEvent();
  if (!event.has_value()) return std::nullopt;
  return EngineEvent{
      .connection = event->connection, .is_new = event->is_new, .event = event->event};
}

Transmit Engine::PollTransmit(Timestamp now) {
  state_->now = std::max(state_->now, now);
  return state_->endpoint->PollTransmit(now);
}

Timestamp Engine::NextWakeup() const { return state_->endpoint->NextWakeup(); }

void Engine::OnTimeout(Timestamp now) {
  state_->now = std::max(state_->now, now);
  state_->endpoint->OnTimeout(now);
}

void Engine::OnDatagramTooLarge(const FourTuple& four_tuple, uint64_t bytes, Timestamp now) {
  state_->endpoint->OnDatagramTooLarge(four_tuple, bytes, now);
}

void Engine::SetWallClock(Timestamp now, UnixTime wall) {
  state_->endpoint->SetWallClock({.now = now, .wall = wall});
}

std::optional<std::string> Engine::PollKeyLogLine() { return state_->key_log.Poll(); }

// ---- The application's side ----

absl::StatusOr<ConnectionRef> Engine::Connect(const FourTuple& four_tuple,
                                              std::string_view server_name, Timestamp now) {
  if (state_->tls_client == nullptr) {
    return absl::FailedPreconditionError(
        "EngineConfig.tls_client is unset; an engine needs it to open connections");
  }
  state_->now = std::max(state_->now, now);
  const absl::StatusOr<ConnectionHandle> handle = state_->endpoint->Connect(
      {.four_tuple = four_tuple, .server_name = server_name, .resumption_ticket = {}}, now);
  if (!handle.ok()) return handle.status();
  return ConnectionRef(state_->link, *handle);
}

ConnectionRef Engine::connection(ConnectionHandle handle) {
  return ConnectionRef(state_->link, handle);
}

absl::Status Engine::SetServerTls(const TlsServerConfig& config, UnixTime wall) {
  const absl::StatusOr<TlsServerContext> context = TlsServerContext::Create(config, wall);
  if (!context.ok()) return context.status();
  return EngineFactory::UseTlsServer(*this, *context);
}

void Engine::StopAccepting() { state_->endpoint->StopAccepting(); }

absl::Status Engine::CloseAll(uint64_t error_code, std::string_view reason) {
  if (error_code > StreamId::kMaxValue) {
    return absl::InvalidArgumentError(
        absl::StrCat("error_code is ", error_code, "; allowed: 0 to ", StreamId::kMaxValue));
  }
  state_->endpoint->CloseAll(error_code, reason, state_->now);
  return absl::OkStatus();
}

size_t Engine::connection_count() const { return state_->endpoint->connection_count(); }

const EndpointStats& Engine::stats() const { return state_->endpoint->stats(); }

}  // namespace godwit
