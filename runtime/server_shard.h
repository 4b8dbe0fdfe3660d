// SPDX-License-Identifier: Apache-2.0
//
// ServerShard: a socket, an engine, a loop, a handler and the thread that runs them.
//
// Threads: constructed, started, joined and destroyed by one thread at a time; Call(), Give() and
// Drain() from any.
#ifndef GODWIT_RUNTIME_SERVER_SHARD_H_
#define GODWIT_RUNTIME_SERVER_SHARD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

#include "godwit/engine.h"
#include "godwit/event_handler.h"
#include "godwit/time.h"
#include "platform/event_loop.h"
#include "platform/system_random.h"
#include "platform/udp_socket.h"
#include "runtime/engine_host.h"
#include "runtime/runtime_loop.h"
#include "runtime/shard_ids.h"
#include "transport/engine/engine_factory.h"

namespace godwit {

class ServerShard {
 public:
  using HandlerFactory = std::function<std::unique_ptr<EventHandler>(Loop& loop)>;
  // Takes over what belongs to another shard; to be called from any thread.
  using Forward = std::function<void(uint32_t shard, const ReceivedDatagram& datagram)>;

  struct Options {
    ShardPosition position;
    const EngineConfig* config = nullptr;
    const EngineResources* resources = nullptr;
    UdpSocket socket;
    Forward forward;
  };

  static absl::StatusOr<std::unique_ptr<ServerShard>> Create(Options options,
                                                             const HandlerFactory& make_handler);
  // After Drain().
  ~ServerShard();

  void Start();
  // Runs `call` on the shard's thread, or here if that has not begun or has ended, and waits for
  // it.
  void Call(const std::function<void(EngineHost&)>& call);
  bool IsItsThread() const { return running_thread_ == std::this_thread::get_id(); }
  // A datagram that came to another shard's socket.
  void Give(const ReceivedDatagram& datagram);
  // Datagrams that came to this shard's socket and were forwarded. Only within Call().
  uint64_t forwarded_datagrams() const { return forwarded_datagrams_; }

  // Accepts no more; closes what is still open after `drain`; ends the loop. Join() waits for that.
  // A further call can only bring the end nearer.
  void Drain(Duration drain);
  void Join();

 private:
  ServerShard(ShardPosition position, Forward forward, std::unique_ptr<EventLoop> loop);

  void SetRunning(bool is_running);
  std::span<ReceivedDatagram> SortOut(std::span<ReceivedDatagram> datagrams);
  void LookIfDrained();

  const ShardPosition position_;
  const Forward forward_;
  RuntimeLoop loop_;  // Before the other: what the calls capture may use it on their end.
  std::unique_ptr<EventLoop> event_loop_;
  SystemRandom random_;
  ShardIds connection_ids_;
  uint64_t forwarded_datagrams_ = 0;
  std::unique_ptr<EventHandler> handler_;
  std::unique_ptr<EngineHost> host_;
  std::thread thread_;
  std::atomic<std::thread::id> running_thread_;
  std::mutex mutex_;
  bool is_running_ = false;  // Guarded by mutex_. If not, who has the mutex may use the host.
  Timestamp drain_ends_at_ = Timestamp::Infinite();
  bool has_closed_all_ = false;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_SERVER_SHARD_H_
