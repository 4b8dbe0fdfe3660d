// SPDX-License-Identifier: Apache-2.0
#include "godwit/server.h"

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"

#include "platform/monotonic_clock.h"
#include "platform/system_random.h"
#include "platform/udp_socket.h"
#include "platform/wall_clock.h"
#include "runtime/server_shard.h"
#include "transport/engine/engine_factory.h"

namespace godwit {

struct ServerState {
  ServerState(EngineConfig a_config, EngineResources a_resources)
      : config(std::move(a_config)), resources(std::move(a_resources)) {}

  const EngineConfig config;
  const EngineResources resources;
  std::vector<std::unique_ptr<ServerShard>> shards;
  SocketAddress local_address;
  std::mutex life_mutex;  // Of who starts and ends the shards.
  std::mutex warnings_mutex;
  std::vector<std::string> warnings;  // Guarded by warnings_mutex.
};

namespace {

constexpr uint32_t kMaxShards = 256;

// All on one port, which the first may leave to the kernel.
absl::StatusOr<std::vector<UdpSocket>> OpenSockets(UdpSocketConfig config, uint32_t count) {
  std::vector<UdpSocket> sockets;
  config.reuses_port = config.reuses_port || count > 1;
  for (uint32_t i = 0; i < count; ++i) {
    auto socket = UdpSocket::Open(config);
    if (!socket.ok()) return socket.status();
    config.local = socket->local_address();
    sockets.push_back(*std::move(socket));
  }
  if (count > 1) {
    absl::Status status = sockets.front().AttachReusePortSteering(count);
    if (!status.ok()) return status;
  }
  return sockets;
}

void Add(const EndpointStats& more, EndpointStats& sum) {
  sum.datagrams_received += more.datagrams_received;
  sum.bytes_received += more.bytes_received;
  sum.connections_opened += more.connections_opened;
  sum.connections_accepted += more.connections_accepted;
  sum.connections_discarded += more.connections_discarded;
  for (size_t i = 0; i < sum.refused.size(); ++i) sum.refused[i] += more.refused[i];
  sum.connections_closed += more.connections_closed;
  sum.version_negotiations_sent += more.version_negotiations_sent;
  sum.stateless_resets_sent += more.stateless_resets_sent;
  sum.refusals_sent += more.refusals_sent;
  sum.stateless_resets_received += more.stateless_resets_received;
  for (size_t i = 0; i < sum.drops.size(); ++i) sum.drops[i] += more.drops[i];
  sum.dropped_bytes += more.dropped_bytes;
  sum.connections += more.connections;
  sum.half_open += more.half_open;
  sum.held_bytes += more.held_bytes;
}

void Add(const UdpSocketStats& more, UdpSocketStats& sum) {
  sum.datagrams_sent += more.datagrams_sent;
  sum.bytes_sent += more.bytes_sent;
  sum.send_calls += more.send_calls;
  sum.times_blocked += more.times_blocked;
  sum.datagrams_received += more.datagrams_received;
  sum.bytes_received += more.bytes_received;
  sum.receive_calls += more.receive_calls;
  sum.lost.no_buffers += more.lost.no_buffers;
  sum.lost.too_large += more.lost.too_large;
  sum.lost.not_permitted += more.lost.not_permitted;
  sum.lost.unreachable += more.lost.unreachable;
  sum.lost.invalid += more.lost.invalid;
  sum.lost.other += more.lost.other;
  sum.kernel_drops += more.kernel_drops;
  sum.truncated += more.truncated;
  sum.receive_errors += more.receive_errors;
  sum.trains_resent += more.trains_resent;
  sum.gso_disabled += more.gso_disabled;
  sum.ecn_disabled += more.ecn_disabled;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Create(const ServerConfig& config,
                                                       const HandlerFactory& make_handler) {
  if (config.shards < 1 || config.shards > kMaxShards) {
    return absl::InvalidArgumentError(
        absl::StrCat("shards is ", config.shards, "; allowed: 1 to ", kMaxShards));
  }
  SystemRandom random;
  const EngineConfig engine_config = {.endpoint = config.endpoint,
                                      .tls_client = std::nullopt,
                                      .tls_server = config.tls,
                                      .server_key_file = config.server_key_file};
  auto resources = EngineResources::Create(engine_config, random, WallClock::Now());
  if (!resources.ok()) return resources.status();
  auto sockets = OpenSockets(config.socket, config.shards);
  if (!sockets.ok()) return sockets.status();
  auto state = std::make_unique<ServerState>(engine_config, *std::move(resources));
  state->warnings = state->resources.warnings;
  state->local_address = sockets->front().local_address();
  for (uint32_t i = 0; i < config.shards; ++i) {
    auto shard = ServerShard::Create(
        {.position = {.index = i, .count = config.shards},
         .config = &state->config,
         .resources = &state->resources,
         .socket = std::move((*sockets)[i]),
         .forward = [state = state.get()](
                        uint32_t to,
                        const ReceivedDatagram& datagram) { state->shards[to]->Give(datagram); }},
        make_handler);
    if (!shard.ok()) return shard.status();
    state->shards.push_back(*std::move(shard));
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<ServerState> state) : state_(std::move(state)) {}

Server::~Server() { Shutdown(Duration::Zero()); }

void Server::Start() {
  const std::lock_guard<std::mutex> lock(state_->life_mutex);
  for (const auto& shard : state_->shards) shard->Start();
}

void Server::Shutdown(Duration drain) {
  // Of two callers, the second finds that all has ended.
  const std::lock_guard<std::mutex> lock(state_->life_mutex);
  for (const auto& shard : state_->shards) shard->Drain(drain);
  // Shards give to each other until the last has ended.
  for (const auto& shard : state_->shards) shard->Join();
}

SocketAddress Server::local_address() const { return state_->local_address; }

EndpointStats Server::Stats() {
  EndpointStats sum;
  for (const auto& shard : state_->shards) {
    shard->Call([&sum](EngineHost& host) { Add(host.engine().stats(), sum); });
  }
  return sum;
}

UdpSocketStats Server::SocketStats() {
  UdpSocketStats sum;
  for (const auto& shard : state_->shards) {
    shard->Call([&sum](EngineHost& host) { Add(host.socket().stats(), sum); });
  }
  return sum;
}

std::string Server::OffloadText() const {
  std::string text;
  state_->shards.front()->Call(
      [&text](EngineHost& host) { text = host.socket().offload_report().ToText(); });
  return text;
}

std::vector<std::string> Server::TakeNotices() {
  std::vector<std::string> notices;
  {
    const std::lock_guard<std::mutex> lock(state_->warnings_mutex);
    notices.swap(state_->warnings);
  }
  for (const auto& shard : state_->shards) {
    shard->Call([&notices](EngineHost& host) {
      while (std::optional<std::string> notice = host.socket().PollNotice()) {
        notices.push_back(*std::move(notice));
      }
    });
  }
  return notices;
}

}  // namespace godwit
