// SPDX-License-Identifier: Apache-2.0
#include "godwit/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "platform/event_loop.h"
#include "platform/monotonic_clock.h"
#include "platform/system_random.h"
#include "platform/udp_socket.h"
#include "platform/wall_clock.h"
#include "runtime/dialer.h"
#include "runtime/engine_host.h"
#include "runtime/runtime_loop.h"

namespace godwit {

struct ClientState {
  std::unique_ptr<RuntimeLoop> loop;  // First: what the calls capture may use it on their end.
  std::unique_ptr<EventLoop> event_loop;
  std::unique_ptr<EventHandler> handler;  // Null: it is the application's.
  SystemRandom random;
  std::unique_ptr<EngineHost> host;
  std::unique_ptr<Dialer> dialer;
  bool has_told_warnings = false;
};

namespace {

absl::StatusOr<std::unique_ptr<ClientState>> MakeState(const ClientConfig& config) {
  if (config.connection_attempt_delay <= Duration::Zero()) {
    return absl::InvalidArgumentError(absl::StrCat("connection_attempt_delay is ",
                                                   config.connection_attempt_delay.ToMicroseconds(),
                                                   " us; allowed: more than 0"));
  }
  auto state = std::make_unique<ClientState>();
  auto loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  state->event_loop = *std::move(loop);
  state->loop = std::make_unique<RuntimeLoop>(state->event_loop.get());
  return state;
}

absl::Status Complete(const ClientConfig& config, EventHandler* handler, ClientState* state) {
  auto socket = UdpSocket::Open(config.socket);
  if (!socket.ok()) return socket.status();
  auto engine = Engine::Create({.endpoint = config.endpoint,
                                .tls_client = config.tls,
                                .tls_server = std::nullopt,
                                .server_key_file = {}},
                               {.random = &state->random}, MonotonicClock::Now(), WallClock::Now());
  if (!engine.ok()) return engine.status();
  auto host = EngineHost::Create({.loop = state->event_loop.get(),
                                  .engine = *std::move(engine),
                                  .socket = *std::move(socket),
                                  .handler = handler,
                                  .local_address = EngineHost::LocalAddress::kOfSocket});
  if (!host.ok()) return host.status();
  state->host = *std::move(host);
  state->dialer = std::make_unique<Dialer>(state->event_loop.get(), state->host.get(),
                                           config.connection_attempt_delay);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(const ClientConfig& config,
                                                       EventHandler* handler) {
  if (handler == nullptr) return absl::InvalidArgumentError("handler is null; allowed: not null");
  auto state = MakeState(config);
  if (!state.ok()) return state.status();
  absl::Status status = Complete(config, handler, state->get());
  if (!status.ok()) return status;
  return std::unique_ptr<Client>(new Client(*std::move(state)));
}

absl::StatusOr<std::unique_ptr<Client>> Client::Create(const ClientConfig& config,
                                                       const HandlerFactory& make_handler) {
  auto state = MakeState(config);
  if (!state.ok()) return state.status();
  (*state)->handler = make_handler(*(*state)->loop);
  if ((*state)->handler == nullptr) {
    return absl::InvalidArgumentError("the handler factory gave null; allowed: not null");
  }
  absl::Status status = Complete(config, (*state)->handler.get(), state->get());
  if (!status.ok()) return status;
  return std::unique_ptr<Client>(new Client(*std::move(state)));
}

Client::Client(std::unique_ptr<ClientState> state) : state_(std::move(state)) {}

Client::~Client() = default;

Client::DialId Client::Dial(std::string host, uint16_t port, DialCallback callback) {
  state_->event_loop->UpdateNow();
  return state_->dialer->Dial(std::move(host), port, std::move(callback));
}

void Client::CancelDial(DialId id) { state_->dialer->Cancel(id); }

absl::StatusOr<ConnectionRef> Client::Connect(const SocketAddress& server,
                                              std::string_view server_name) {
  state_->event_loop->UpdateNow();
  return state_->host->Connect(server, server_name);
}

void Client::Run() { state_->event_loop->Run(); }

void Client::RunOnce(Timestamp until) { state_->event_loop->RunOnce(until); }

void Client::Stop() { state_->event_loop->Stop(); }

void Client::Shutdown(Duration deadline) {
  const Timestamp ends_at = MonotonicClock::Now() + deadline;
  state_->dialer->CancelAll(absl::CancelledError("the client was shut down"));
  const absl::Status closed = state_->host->engine().CloseAll(0, "");
  static_cast<void>(closed);  // 0 is a valid code.
  do {
    RunOnce(state_->host->engine().connection_count() == 0 ? Timestamp::InfinitePast() : ends_at);
  } while (state_->host->engine().connection_count() != 0 && MonotonicClock::Now() < ends_at);
}

Loop& Client::loop() { return *state_->loop; }

int Client::fd() const { return state_->event_loop->fd(); }

Timestamp Client::NextWakeup() const {
  return std::min(state_->event_loop->NextWakeup(), state_->host->NextWakeup());
}

SocketAddress Client::local_address() const { return state_->host->socket().local_address(); }

const EndpointStats& Client::stats() const { return state_->host->engine().stats(); }

const UdpSocketStats& Client::socket_stats() const { return state_->host->socket().stats(); }

std::string Client::OffloadText() const { return state_->host->socket().offload_report().ToText(); }

std::vector<std::string> Client::TakeNotices() {
  std::vector<std::string> notices;
  if (!std::exchange(state_->has_told_warnings, true)) {
    notices = state_->host->engine().warnings();
  }
  while (std::optional<std::string> notice = state_->host->socket().PollNotice()) {
    notices.push_back(*std::move(notice));
  }
  return notices;
}

}  // namespace godwit
