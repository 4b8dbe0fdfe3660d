// SPDX-License-Identifier: Apache-2.0
//
// Dialer: from a host's name to a connection, by trying its addresses one beside the other (RFC
// 8305 §5): the next one begins when the last has failed, or has not answered for a while; the
// first whose handshake is complete wins, the others are closed.
//
// Threads: the loop's. Destroyed before host, resolver and loop; no callback runs after that.
#ifndef GODWIT_RUNTIME_DIALER_H_
#define GODWIT_RUNTIME_DIALER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/connection_ref.h"
#include "godwit/engine.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "platform/event_loop.h"
#include "platform/host_resolver.h"
#include "runtime/engine_host.h"

namespace godwit {

class Dialer {
 public:
  using Callback = std::function<void(absl::StatusOr<ConnectionRef>)>;

  // Becomes the interceptor of `host`.
  Dialer(EventLoop* loop, EngineHost* host, Duration attempt_delay);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  // Names what has begun; never used again.
  uint64_t Dial(std::string host, uint16_t port, Callback callback);
  // Ends it: `callback` is destroyed and does not run. Nothing happens if it has run.
  void Cancel(uint64_t id);
  // The same as Dial() with addresses that are known, to be tried in this order. If not even the
  // attempt can be made with any, `callback` runs inside of this.
  uint64_t DialAddresses(std::string host, HostResolver::Addresses addresses, Callback callback);
  // Ends what is under way: each callback gets `reason`.
  void CancelAll(const absl::Status& reason);

 private:
  struct Dialing;

  bool OnEvent(const EngineEvent& event);
  Dialing& Add(std::string host, Callback callback);
  void OnAddresses(uint64_t id, absl::StatusOr<HostResolver::Addresses> addresses);
  // Begins with the next address, or ends the matter if nothing is left to hope for.
  void TryNext(Dialing& dialing);
  absl::Status Connect(Dialing& dialing, const SocketAddress& address);
  void Abandon(ConnectionRef attempt, std::string_view reason);
  void OnWon(Dialing& dialing, const ConnectionRef& winner);
  void OnAttemptClosed(Dialing& dialing, const ConnectionRef& attempt);
  std::unique_ptr<Dialing> Take(Dialing& dialing);
  void StopTimer(Dialing& dialing);

  EventLoop& loop_;
  EngineHost& host_;
  const Duration attempt_delay_;
  HostResolver resolver_;
  uint64_t last_id_ = 0;
  std::vector<std::unique_ptr<Dialing>> dialings_;  // Ordered by their ids.
  // Attempts that lost: nobody hears of them.
  std::vector<ConnectionHandle> abandoned_;
};

}  // namespace godwit

#endif  // GODWIT_RUNTIME_DIALER_H_
