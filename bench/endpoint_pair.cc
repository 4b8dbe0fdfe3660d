// SPDX-License-Identifier: Apache-2.0
#include "bench/endpoint_pair.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/check.h"

namespace godwit {
namespace {

constexpr Duration kTick = Duration::Microseconds(100);
constexpr uint64_t kWriteBytes = 256 * 1024;

int64_t ClockNanoseconds() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

SocketAddress LoopbackAddress(uint16_t port) {
  constexpr std::array<uint8_t, 4> kLoopback = {127, 0, 0, 1};
  return SocketAddress::FromIpv4(kLoopback, port);
}

EndpointConfig ConfigOf(const EndpointPair::Options& options) {
  EndpointConfig config;
  config.congestion_controller = std::string(options.congestion_controller);
  config.connection.idle.max_idle_timeout = Duration::Seconds(3600);
  config.connection.streams.max_send_buffer_bytes = uint64_t{8} << 20;
  return config;
}

}  // namespace

EndpointPair::EndpointPair(const Options& options)
    : options_(options),
      tls_clients_({.cipher_suite = options.suite}),
      tls_servers_({.cipher_suite = options.suite}),
      now_(Timestamp() + Duration::Seconds(1)),
      source_(kWriteBytes, uint8_t{0x5a}) {
  const FourTuple to_server = {.local = LoopbackAddress(4001), .peer = LoopbackAddress(4433)};
  sender_.random = std::make_unique<SeededRandom>(1);
  receiver_.random = std::make_unique<SeededRandom>(2);
  sender_.incoming = to_server;
  receiver_.incoming = {.local = to_server.peer, .peer = to_server.local};
  const EndpointConfig config = ConfigOf(options);
  sender_.endpoint =
      *Endpoint::Create(config, {.random = sender_.random.get(), .tls_clients = &tls_clients_});
  receiver_.endpoint =
      *Endpoint::Create(config, {.random = receiver_.random.get(), .tls_servers = &tls_servers_});
  sender_.connection =
      *sender_.endpoint->Connect({.four_tuple = to_server, .server_name = "bench"}, now_);
}

void EndpointPair::WarmUp(int ticks) {
  for (int i = 0; i < ticks; ++i) Tick();
  GODWIT_CHECK(sender_.is_connected);
}

void EndpointPair::Send(const Transmit& transmit, Link& link) {
  if (transmit.payload.empty()) return;
  Train train;
  if (!spare_.empty()) {
    train = std::move(spare_.back());
    spare_.pop_back();
  }
  train.arrives_at = now_ + kTick * static_cast<int64_t>(options_.ticks_in_flight);
  train.bytes.assign(transmit.payload.begin(), transmit.payload.end());
  train.sizes.clear();
  for (size_t i = 0; i < transmit.segment_count(); ++i) {
    train.sizes.push_back(transmit.segment(i).size());
  }
  link.push_back(std::move(train));
}

std::span<const ReceivedDatagram> EndpointPair::Arrive(Link& link, const Side& side) {
  for (Train& train : arrived_) spare_.push_back(std::move(train));
  arrived_.clear();
  datagrams_.clear();
  while (!link.empty() && link.front().arrives_at <= now_) {
    arrived_.push_back(std::move(link.front()));
    link.erase(link.begin());
  }
  for (Train& train : arrived_) {
    size_t offset = 0;
    for (const size_t size : train.sizes) {
      datagrams_.push_back({.payload = std::span(train.bytes).subspan(offset, size),
                            .four_tuple = side.incoming,
                            .received_at = now_});
      offset += size;
    }
  }
  return datagrams_;
}

void EndpointPair::WriteMore(Connection& connection) {
  if (!connection.is_handshake_complete()) return;
  if (!stream_.has_value()) stream_ = *connection.OpenStream(StreamDirection::kUnidirectional);
  for (;;) {
    const absl::StatusOr<uint64_t> taken = connection.WriteStream(*stream_, source_);
    GODWIT_CHECK(taken.ok());
    if (*taken < source_.size()) return;
  }
}

void EndpointPair::ReadAll(Connection& connection, StreamId id) {
  std::array<std::span<const uint8_t>, 64> views;
  for (;;) {
    const absl::StatusOr<size_t> count = connection.PeekStream(id, views);
    if (!count.ok() || *count == 0) return;
    uint64_t bytes = 0;
    for (size_t i = 0; i < *count; ++i) bytes += views[i].size();
    received_bytes_ += bytes;
    GODWIT_CHECK(connection.ConsumeStream(id, bytes, now_).ok());
  }
}

Transmit EndpointPair::SenderTurn(std::span<const ReceivedDatagram> acknowledgments) {
  Endpoint& endpoint = *sender_.endpoint;
  if (endpoint.NextWakeup() <= now_) endpoint.OnTimeout(now_);
  if (!acknowledgments.empty()) endpoint.OnDatagrams(acknowledgments, now_);
  while (const auto event = endpoint.PollEvent()) {
    if (event->event.kind == ConnectionEvent::Kind::kHandshakeComplete) sender_.is_connected = true;
  }
  if (Connection* connection = endpoint.Find(sender_.connection)) WriteMore(*connection);
  return endpoint.PollTransmit(now_);
}

Transmit EndpointPair::ReceiverTurn(std::span<const ReceivedDatagram> datagrams) {
  Endpoint& endpoint = *receiver_.endpoint;
  if (endpoint.NextWakeup() <= now_) endpoint.OnTimeout(now_);
  if (!datagrams.empty()) endpoint.OnDatagrams(datagrams, now_);
  while (const auto event = endpoint.PollEvent()) {
    receiver_.connection = event->connection;
    if (event->event.kind != ConnectionEvent::Kind::kStream) continue;
    if (event->event.stream.kind != StreamEvent::Kind::kReadable) continue;
    if (Connection* connection = endpoint.Find(event->connection)) {
      ReadAll(*connection, event->event.stream.id);
    }
  }
  return endpoint.PollTransmit(now_);
}

size_t EndpointPair::Tick() {
  now_ = now_ + kTick;

  const auto acknowledgments = Arrive(to_sender_, sender_);
  const int64_t sender_begins = ClockNanoseconds();
  const Transmit data = SenderTurn(acknowledgments);
  spent_.sender += ClockNanoseconds() - sender_begins;
  Send(data, to_receiver_);
  const size_t packets = data.segment_count();

  const auto datagrams = Arrive(to_receiver_, receiver_);
  const int64_t receiver_begins = ClockNanoseconds();
  const Transmit answer = ReceiverTurn(datagrams);
  spent_.receiver += ClockNanoseconds() - receiver_begins;
  Send(answer, to_sender_);
  return packets;
}

ConnectionStats EndpointPair::sender_stats() {
  Connection* connection = sender_.endpoint->Find(sender_.connection);
  GODWIT_CHECK(connection != nullptr);
  return connection->Stats();
}

}  // namespace godwit
