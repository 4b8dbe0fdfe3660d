// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/engine/engine_pair.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "tests/crypto/test_certificates.h"

namespace godwit {
namespace {

constexpr Duration kDelay = Duration::Milliseconds(1);
constexpr int kMaxRounds = 100'000;

const TestCertificate& ServerCertificate() {
  static const TestCertificate* const certificate = new TestCertificate(
      TestCertificate::SelfSigned({.common_name = "server", .names = "DNS:server"}));
  return *certificate;
}

}  // namespace

TlsServerConfig TestServerTls() {
  TlsServerConfig config;
  config.certificates = {ServerCertificate().Config()};
  config.application_protocols = {std::string(kTestProtocol)};
  return config;
}

TlsClientConfig TestClientTls() {
  TlsClientConfig config;
  config.server_verification = PeerVerification::PinnedKeys({ServerCertificate().KeyHash()});
  config.application_protocols = {std::string(kTestProtocol)};
  return config;
}

EnginePeer::EnginePeer(std::string_view address, const EngineConfig& config, uint64_t seed,
                       Timestamp now)
    : address_(*SocketAddress::Parse(address)), random_(seed) {
  Restart(config, now);
}

void EnginePeer::Restart(const EngineConfig& config, Timestamp now) {
  engine_ = *Engine::Create(config, {.random = &random_}, now, kTestNow);
}

void EnginePeer::Receive(std::vector<std::vector<uint8_t>> datagrams, const SocketAddress& from,
                         Timestamp now) {
  std::vector<ReceivedDatagram> received;
  for (std::vector<uint8_t>& datagram : datagrams) {
    received.push_back(
        {.payload = datagram, .four_tuple = {.local = address_, .peer = from}, .received_at = now});
  }
  engine_->OnDatagrams(received, now);
  Drain(now);
}

void EnginePeer::Drain(Timestamp now) {
  do {
    while (std::optional<std::string> line = engine_->PollKeyLogLine()) {
      key_log.push_back(*std::move(line));
    }
    while (const std::optional<EngineEvent> event = engine_->PollEvent()) {
      const ConnectionRef connection = engine_->connection(event->connection);
      events.push_back(*event);
      if (event->event.kind == ConnectionEvent::Kind::kClosed) {
        close_reasons.push_back(*connection.close_reason());
      }
      if (on_event) on_event(connection, *event);
    }
    while (true) {
      const Transmit transmit = engine_->PollTransmit(now);
      if (transmit.payload.empty()) break;
      for (size_t i = 0; i < transmit.segment_count(); ++i) {
        const std::span<const uint8_t> segment = transmit.segment(i);
        sent_.emplace_back(segment.begin(), segment.end());
      }
    }
  } while (engine_->NextWakeup() == Timestamp::InfinitePast());
}

std::vector<std::vector<uint8_t>> EnginePeer::TakeSent() { return std::exchange(sent_, {}); }

size_t EnginePeer::CountEvents(ConnectionEvent::Kind kind) const {
  return static_cast<size_t>(std::ranges::count_if(
      events, [kind](const EngineEvent& event) { return event.event.kind == kind; }));
}

size_t EnginePeer::CountStreamEvents(StreamEvent::Kind kind) const {
  return static_cast<size_t>(std::ranges::count_if(events, [kind](const EngineEvent& event) {
    return event.event.kind == ConnectionEvent::Kind::kStream && event.event.stream.kind == kind;
  }));
}

ConnectionRef EnginePeer::LastNew() {
  const auto found = std::find_if(events.rbegin(), events.rend(),
                                  [](const EngineEvent& event) { return event.is_new; });
  GODWIT_CHECK(found != events.rend());
  return engine_->connection(found->connection);
}

EnginePair::EnginePair(const Options& options)
    : server_config_({.endpoint = options.server,
                      .tls_client = std::nullopt,
                      .tls_server = options.server_tls,
                      .server_key_file = options.server_key_file}),
      client_("192.0.2.1:1000",
              {.endpoint = options.client,
               .tls_client = options.client_tls,
               .tls_server = std::nullopt,
               .server_key_file = {}},
              1, now_),
      server_("192.0.2.2:443", server_config_, 2, now_) {}

void EnginePair::RunUntilQuiet() {
  for (EnginePeer* peer : {&client_, &server_}) {
    if (peer->is_alive()) peer->Drain(now_);
  }
  for (int round = 0; Carry(); ++round) {
    GODWIT_CHECK_LT(round, kMaxRounds);
    FireTimers();
  }
}

void EnginePair::RunFor(Duration later) {
  const Timestamp end = now_ + later;
  RunUntilQuiet();
  for (int round = 0; NextWakeup() <= end; ++round) {
    GODWIT_CHECK_LT(round, kMaxRounds);
    now_ = std::max(now_, NextWakeup());
    FireTimers();
    RunUntilQuiet();
  }
  now_ = end;
}

ConnectionRef EnginePair::Connect() {
  auto connection = client_.engine().Connect(
      {.local = client_.address(), .peer = server_.address()}, "server", now_);
  GODWIT_CHECK(connection.ok());
  RunUntilQuiet();
  return *connection;
}

bool EnginePair::Carry() {
  auto to_server = client_.TakeSent();
  auto to_client = server_.TakeSent();
  if (to_server.empty() && to_client.empty()) return false;
  now_ += kDelay;
  if (server_.is_alive()) server_.Receive(std::move(to_server), client_.address(), now_);
  if (client_.is_alive()) client_.Receive(std::move(to_client), server_.address(), now_);
  return true;
}

void EnginePair::FireTimers() {
  for (EnginePeer* peer : {&client_, &server_}) {
    if (!peer->is_alive() || peer->engine().NextWakeup() > now_) continue;
    peer->engine().OnTimeout(now_);
    peer->Drain(now_);
  }
}

Timestamp EnginePair::NextWakeup() {
  Timestamp next = Timestamp::Infinite();
  for (EnginePeer* peer : {&client_, &server_}) {
    if (peer->is_alive()) next = std::min(next, peer->engine().NextWakeup());
  }
  return next;
}

}  // namespace godwit
