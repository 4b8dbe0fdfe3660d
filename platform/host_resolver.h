// SPDX-License-Identifier: Apache-2.0
//
// HostResolver: from a host's name to its addresses, by the system's resolver (getaddrinfo, so
// /etc/hosts, nsswitch and DNS as configured), without blocking the loop: worker threads wait, the
// answer comes on the loop's thread. Which address is tried when is decided elsewhere.
//
// A look-up cannot be interrupted, so a worker may outlive the resolver and the loop; it then finds
// nobody to answer and ends. There are at most kMaxWorkers, which end when nothing waits.
//
// Used on the loop's thread alone, also to destroy it. No callback runs inside of Resolve(), nor
// after the destructor.
#ifndef GODWIT_PLATFORM_HOST_RESOLVER_H_
#define GODWIT_PLATFORM_HOST_RESOLVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "godwit/socket_address.h"
#include "platform/event_loop.h"

namespace godwit {

class HostResolver {
 public:
  // Each once, and at least one. RFC 8305 §4: sorted as the system's rules have it (RFC 6724), then
  // the families take turns, beginning with that of the first: IPv6 wherever that can be used.
  using Addresses = std::vector<SocketAddress>;
  using Callback = std::function<void(absl::StatusOr<Addresses>)>;

  static constexpr size_t kMaxWorkers = 8;
  // Look-ups that wait for a worker. More are refused (ResourceExhausted).
  static constexpr size_t kMaxWaiting = 1024;

  explicit HostResolver(EventLoop* loop);
  ~HostResolver();
  HostResolver(const HostResolver&) = delete;
  HostResolver& operator=(const HostResolver&) = delete;

  // A name, or an address as SocketAddress::ParseIp() reads it, which needs no worker. The answer
  // comes in a later call from the loop, failures too: NotFound if there is no such name,
  // Unavailable if it is worth another try.
  void Resolve(std::string host, uint16_t port, Callback callback);

  // The rule for the order, alone.
  static Addresses InterleaveFamilies(const Addresses& sorted);

 private:
  struct Core;  // What workers may touch, which outlives this.
  class PendingCallbacks;
  struct Request;

  absl::Status Enqueue(Request request);
  // 0 or an errno.
  static int StartWorker(const std::shared_ptr<Core>& core);
  static void* RunWorker(void* share);

  const std::shared_ptr<PendingCallbacks> pending_;
  const std::shared_ptr<Core> core_;
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_HOST_RESOLVER_H_
