// SPDX-License-Identifier: Apache-2.0
#include "runtime/server_shard.h"

#include <algorithm>
#include <future>
#include <mutex>
#include <utility>

#include "platform/monotonic_clock.h"
#include "platform/wall_clock.h"

namespace godwit {
namespace {

constexpr Duration kDrainLookInterval = Duration::Milliseconds(5);
// How long a closed connection may repeat its CONNECTION_CLOSE to a peer that has not heard it.
constexpr Duration kCloseLinger = Duration::Milliseconds(500);

}  // namespace

absl::StatusOr<std::unique_ptr<ServerShard>> ServerShard::Create(
    Options options, const HandlerFactory& make_handler) {
  auto loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  std::unique_ptr<ServerShard> shard(
      new ServerShard(options.position, std::move(options.forward), *std::move(loop)));
  auto engine =
      EngineFactory::Make(*options.config, *options.resources,
                          {.random = &shard->random_, .connection_ids = &shard->connection_ids_},
                          MonotonicClock::Now(), WallClock::Now());
  if (!engine.ok()) return engine.status();
  shard->handler_ = make_handler(shard->loop_);
  if (shard->handler_ == nullptr) {
    return absl::InvalidArgumentError("the handler factory gave null; allowed: not null");
  }
  auto host = EngineHost::Create({.loop = shard->event_loop_.get(),
                                  .engine = *std::move(engine),
                                  .socket = std::move(options.socket),
                                  .handler = shard->handler_.get(),
                                  .local_address = EngineHost::LocalAddress::kOfDatagram});
  if (!host.ok()) return host.status();
  shard->host_ = *std::move(host);
  if (options.position.count > 1) {
    shard->host_->SetSorter([shard = shard.get()](std::span<ReceivedDatagram> datagrams) {
      return shard->SortOut(datagrams);
    });
  }
  return shard;
}

ServerShard::ServerShard(ShardPosition position, Forward forward, std::unique_ptr<EventLoop> loop)
    : position_(position),
      forward_(std::move(forward)),
      loop_(loop.get()),
      event_loop_(std::move(loop)),
      connection_ids_(position, &random_) {}

ServerShard::~ServerShard() { Join(); }

void ServerShard::Start() {
  SetRunning(true);
  thread_ = std::thread([this] {
    running_thread_ = std::this_thread::get_id();
    event_loop_->Run();
    SetRunning(false);
    // Drops the calls that came too late to run: somebody may wait for them.
    event_loop_->post_queue()->Close();
    running_thread_ = std::thread::id();  // Another thread may get the number.
  });
}

void ServerShard::SetRunning(bool is_running) {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_running_ = is_running;
}

void ServerShard::Call(const std::function<void(EngineHost&)>& call) {
  if (IsItsThread()) return call(*host_);
  for (bool has_run = false; !has_run;) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!is_running_) return call(*host_);
    }
    // Kept by the guard too: it may still be in use there when the wait is over.
    const auto done = std::make_shared<std::promise<void>>();
    // A loop that has ended drops the call, and with it the guard, which is what we wait for.
    std::shared_ptr<void> guard(nullptr, [done](void*) { done->set_value(); });
    event_loop_->Post([this, &call, &has_run, guard = std::move(guard)] {
      call(*host_);
      has_run = true;
    });
    done->get_future().wait();
  }
}

void ServerShard::Give(const ReceivedDatagram& datagram) {
  event_loop_->Post(
      [this, datagram,
       bytes = std::vector<uint8_t>(datagram.payload.begin(), datagram.payload.end())]() mutable {
        ReceivedDatagram copy = datagram;
        copy.payload = bytes;
        host_->OnDatagrams({&copy, 1});
      });
}

// What the kernel merged (GRO) follows its first datagram, so that a client with connections to two
// shards may bring one what is the other's.
std::span<ReceivedDatagram> ServerShard::SortOut(std::span<ReceivedDatagram> datagrams) {
  size_t kept = 0;
  for (ReceivedDatagram& datagram : datagrams) {
    const uint32_t shard = ShardOf(datagram.payload, position_.count);
    if (shard == position_.index) {
      datagrams[kept++] = datagram;
    } else {
      ++forwarded_datagrams_;
      forward_(shard, datagram);
    }
  }
  return datagrams.first(kept);
}

void ServerShard::Drain(Duration drain) {
  event_loop_->Post([this, drain] {
    host_->engine().StopAccepting();
    drain_ends_at_ = std::min(drain_ends_at_, event_loop_->now() + drain);
    LookIfDrained();
  });
}

void ServerShard::LookIfDrained() {
  const Timestamp now = event_loop_->now();
  if (host_->engine().connection_count() == 0 || now >= drain_ends_at_ + kCloseLinger) {
    event_loop_->Stop();
    return;
  }
  if (now >= drain_ends_at_ && !std::exchange(has_closed_all_, true)) {
    const absl::Status closed = host_->engine().CloseAll(0, "the server ends");
    static_cast<void>(closed);  // 0 is a valid code.
  }
  event_loop_->CallAt(now + kDrainLookInterval, [this] { LookIfDrained(); });
}

void ServerShard::Join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace godwit
