// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/endpoint/endpoint_hosts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"

namespace godwit {
namespace {

constexpr Duration kDelay = Duration::Milliseconds(1);
constexpr int kMaxRounds = 100'000;

}  // namespace

EndpointHost::EndpointHost(const Options& options)
    : address_(*SocketAddress::Parse(options.address)),
      random_(options.seed),
      tls_clients_({}),
      tls_servers_({}) {
  const TlsClientFactory* const clients =
      options.tls_clients != nullptr ? options.tls_clients : &tls_clients_;
  TlsServerFactory* const servers =
      options.tls_servers != nullptr ? options.tls_servers : &tls_servers_;
  const bool is_server = options.role == HostRole::kServer;
  endpoint_ =
      *Endpoint::Create(options.config, {.random = &random_,
                                         .connection_ids = options.connection_ids,
                                         .tls_clients = clients,
                                         .tls_servers = is_server ? servers : nullptr,
                                         .stateless_reset_key = options.stateless_reset_key});
}

void EndpointHost::Receive(std::vector<SentDatagram> datagrams, Timestamp now) {
  std::vector<ReceivedDatagram> received;
  for (SentDatagram& datagram : datagrams) {
    received.push_back(
        {.payload = datagram.bytes,
         .four_tuple = {.local = datagram.four_tuple.peer, .peer = datagram.four_tuple.local},
         .received_at = now});
  }
  endpoint_->OnDatagrams(received, now);
  Drain(now);
}

void EndpointHost::Drain(Timestamp now) {
  while (const auto event = endpoint_->PollEvent()) {
    events.push_back(*event);
    if (event->event.kind == ConnectionEvent::Kind::kClosed) {
      close_reasons.push_back(*endpoint_->Find(event->connection)->close_reason());
    }
    if (on_event) on_event(*event);
  }
  for (;;) {
    const Transmit transmit = endpoint_->PollTransmit(now);
    if (transmit.payload.empty()) break;
    train_sizes.push_back(transmit.payload.size());
    for (size_t i = 0; i < transmit.segment_count(); ++i) {
      const std::span<const uint8_t> segment = transmit.segment(i);
      sent_.push_back({transmit.four_tuple, {segment.begin(), segment.end()}});
    }
  }
  endpoint_->CheckInvariants();
}

std::vector<SentDatagram> EndpointHost::TakeSent() { return std::exchange(sent_, {}); }

size_t EndpointHost::CountEvents(ConnectionEvent::Kind kind) const {
  return static_cast<size_t>(std::ranges::count_if(
      events, [kind](const EndpointEvent& event) { return event.event.kind == kind; }));
}

void EndpointNetwork::RunUntilQuiet() {
  for (EndpointHost* host : hosts_) host->Drain(now_);
  for (int round = 0; Carry(); ++round) {
    GODWIT_CHECK_LT(round, kMaxRounds);
    FireTimers();
  }
}

void EndpointNetwork::RunFor(Duration duration) {
  const Timestamp end = now_ + duration;
  RunUntilQuiet();
  for (int round = 0;; ++round) {
    GODWIT_CHECK_LT(round, kMaxRounds);
    Timestamp next = Timestamp::Infinite();
    for (EndpointHost* host : hosts_) next = std::min(next, host->endpoint().NextWakeup());
    if (next > end) break;
    now_ = std::max(now_, next);
    FireTimers();
    RunUntilQuiet();
  }
  now_ = std::max(now_, end);
}

ConnectionHandle EndpointNetwork::Connect(EndpointHost& client, const EndpointHost& server) {
  const auto handle = client.endpoint().Connect(
      {.four_tuple = {.local = client.address(), .peer = server.address()},
       .server_name = "server",
       .resumption_ticket = {}},
      now_);
  GODWIT_CHECK(handle.ok());
  RunUntilQuiet();
  return *handle;
}

bool EndpointNetwork::Carry() {
  std::map<SocketAddress, std::vector<SentDatagram>> arriving;
  for (EndpointHost* host : hosts_) {
    for (SentDatagram& datagram : host->TakeSent()) {
      arriving[datagram.four_tuple.peer].push_back(std::move(datagram));
    }
  }
  if (arriving.empty()) return false;
  now_ += kDelay;
  for (EndpointHost* host : hosts_) {
    const auto found = arriving.find(host->address());
    if (found != arriving.end()) host->Receive(std::move(found->second), now_);
  }
  return true;
}

void EndpointNetwork::FireTimers() {
  for (EndpointHost* host : hosts_) {
    if (host->endpoint().NextWakeup() > now_) continue;
    host->endpoint().OnTimeout(now_);
    host->Drain(now_);
  }
}

}  // namespace godwit
