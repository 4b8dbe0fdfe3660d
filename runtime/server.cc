// SPDX-License-Identifier: Apache-2.0
#include "godwit/server.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/check.h"
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

// Of counters alone: so a new one is not forgotten.
template <typename Stats>
void Add(const Stats& more, Stats& sum) {
  using Counters = std::array<uint64_t, sizeof(Stats) / sizeof(uint64_t)>;
  const auto added = std::bit_cast<Counters>(more);
  auto counters = std::bit_cast<Counters>(sum);
  std::ranges::transform(counters, added, counters.begin(), std::plus());
  sum = std::bit_cast<Stats>(counters);
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

absl::Status Server::SetTls(const TlsServerConfig& config) {
  const absl::StatusOr<TlsServerContext> context =
      TlsServerContext::Create(config, WallClock::Now());
  if (!context.ok()) return context.status();
  absl::Status status;
  for (const auto& shard : state_->shards) {
    shard->Call([&](EngineHost& host) {
      status.Update(EngineFactory::UseTlsServer(host.engine(), *context));
    });
  }
  const std::lock_guard<std::mutex> lock(state_->warnings_mutex);
  state_->warnings.insert(state_->warnings.end(), context->warnings().begin(),
                          context->warnings().end());
  return status;
}

void Server::Shutdown(Duration drain) {
  // A thread cannot wait for its own end.
  for (const auto& shard : state_->shards) GODWIT_DCHECK(!shard->IsItsThread());
  // Before the lock: a second caller can have less patience than the first.
  for (const auto& shard : state_->shards) shard->Drain(drain);
  // Of two callers, the second finds that all has ended.
  const std::lock_guard<std::mutex> lock(state_->life_mutex);
  // Shards give to each other until the last has ended.
  for (const auto& shard : state_->shards) shard->Join();
}

SocketAddress Server::local_address() const { return state_->local_address; }

ServerStats Server::Stats() {
  ServerStats sum;
  for (const auto& shard : state_->shards) {
    shard->Call([&sum, &shard](EngineHost& host) {
      Add<EndpointStats>(host.engine().stats(), sum);
      sum.datagrams_handed_over += shard->forwarded_datagrams();
    });
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
