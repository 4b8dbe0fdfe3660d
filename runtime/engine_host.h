// SPDX-License-Identifier: Apache-2.0
//
// EngineHost: one engine on one UDP socket in one event loop: what is received goes in, events go
// to the application's handler, what is to be sent goes out, deadlines become timers.
//
// One pass over the engine ends every wake-up of the loop, whatever has caused it: so a batch of
// datagrams has one decision about acknowledgments, and calls that the application makes from
// timers, other threads' posts or outside of the loop need not say that something is to be sent.
// Nothing is sent at a time that was before the call: the pass follows a look at the clock.
//
// Threads: the loop's.
#ifndef GODWIT_RUNTIME_ENGINE_HOST_H_
#define GODWIT_RUNTIME_ENGINE_HOST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/connection_ref.h"
#include "godwit/datagram.h"
#include "godwit/engine.h"
#include "godwit/event_handler.h"
#include "godwit/socket_address.h"
#include "platform/datagram_batch.h"
#include "platform/event_loop.h"
#include "platform/udp_socket.h"

namespace godwit {

class EngineHost {
 public:
  // Which address of ours the engine hears of.
  enum class LocalAddress : uint8_t {
    kOfDatagram,  // To which a datagram was sent: a server answers from there.
    kOfSocket,    // Always the same: the kernel chooses where it is a wildcard.
  };

  struct Options {
    EventLoop* loop = nullptr;
    std::unique_ptr<Engine> engine;
    UdpSocket socket;
    EventHandler* handler = nullptr;
    LocalAddress local_address = LocalAddress::kOfDatagram;
  };

  // Watches the socket. `loop` and `handler` outlive the host; nothing else may use the loop's
  // settle, has-work and resume callbacks.
  static absl::StatusOr<std::unique_ptr<EngineHost>> Create(Options options);
  ~EngineHost();
  EngineHost(const EngineHost&) = delete;
  EngineHost& operator=(const EngineHost&) = delete;

  Engine& engine() {
    options_.loop->CheckThread();
    return *options_.engine;
  }
  const Engine& engine() const {
    options_.loop->CheckThread();
    return *options_.engine;
  }
  UdpSocket& socket() {
    options_.loop->CheckThread();
    return options_.socket;
  }
  const UdpSocket& socket() const {
    options_.loop->CheckThread();
    return options_.socket;
  }

  // Sees every batch before the engine, and takes out what belongs elsewhere (another shard): the
  // result is what is left, in the same memory. Null for none.
  using Sorter = std::function<std::span<ReceivedDatagram>(std::span<ReceivedDatagram> datagrams)>;
  void SetSorter(Sorter sorter) { sorter_ = std::move(sorter); }
  // Sees every event before the handler, which does not hear of it if the result is true. Null for
  // none.
  using Interceptor = std::function<bool(const EngineEvent& event)>;
  void SetInterceptor(Interceptor interceptor) { interceptor_ = std::move(interceptor); }
  // That of the engine; but what waits for the socket to take more is no reason to wake up.
  Timestamp NextWakeup() const;
  // From the socket's address. Errors also say why the socket cannot reach `peer` at all.
  absl::StatusOr<ConnectionRef> Connect(const SocketAddress& peer, std::string_view server_name);
  // As if the datagrams had come from the socket.
  void OnDatagrams(std::span<const ReceivedDatagram> datagrams);

 private:
  explicit EngineHost(Options options);

  absl::Status Watch();
  void OnSocketReady(FdEvents events);
  void OnTimer();
  void OnResume();
  void Receive();
  // Sends what there is and tells of what has happened, until there is neither.
  void Settle();
  // There is something for Settle(), by calls that the application made outside of callbacks.
  bool HasWork();
  void SetTimer(Timestamp deadline);
  void DrainEvents();
  // False if the socket takes no more.
  bool SendAll();
  bool SendPending();
  void Send(const Transmit& transmit);
  void SetWantsWrite(bool wants_write);

  Options options_;
  DatagramBatch batch_;
  Sorter sorter_;
  Interceptor interceptor_;
  std::optional<TimerId> timer_;
  Timestamp timer_deadline_ = Timestamp::Infinite();
  // What the socket did not take: copied, as the engine uses its memory again.
  std::vector<uint8_t> pending_bytes_;
  Transmit pending_;
  bool wants_write_ = false;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_ENGINE_HOST_H_
