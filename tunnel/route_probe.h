// SPDX-License-Identifier: Apache-2.0
//
// RouteProbe: whether a server can be heard of at all, for the person who waits for a first
// connection: a UDP socket for each address of its name, connected so that the kernel says what it
// knows of the way (no such route, not permitted), and one byte sent from it, so that hosts and
// routers can answer with ICMP: nothing listens there, nobody is there. QUIC's own socket does not
// hear of that, and a connection waits it out, as ICMP is not authenticated (RFC 8085 §5.2). To be
// believed it has to name the ports of this socket.
//
// A server ignores the byte. It says nothing of servers that are silent, and decides nothing.
//
// Threads: the loop's. Destroying it ends it, without a call.
#ifndef GODWIT_TUNNEL_ROUTE_PROBE_H_
#define GODWIT_TUNNEL_ROUTE_PROBE_H_

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "godwit/loop.h"
#include "godwit/socket_address.h"
#include "tunnel/name_resolver.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

class RouteProbe {
 public:
  // Of a name with more, nothing is said.
  static constexpr size_t kMaxAddresses = 8;

  // Once at most, when no address is left to hope for: why not, in one line. Not inside of the
  // constructor. May destroy the probe.
  using Callback = std::function<void(const std::string& why)>;

  // `loop` and `resolver` outlive it.
  RouteProbe(Loop* loop, NameResolver* resolver, HostPort server, Callback callback);
  ~RouteProbe();
  RouteProbe(const RouteProbe&) = delete;
  RouteProbe& operator=(const RouteProbe&) = delete;

 private:
  void OnAddresses(const HostResolver::Addresses& addresses);
  // 0, or an errno.
  int Ask(const SocketAddress& address);
  void OnEvent(const UniqueFd& socket, bool is_error);
  void Close(const UniqueFd& socket);
  // Tells if that was the last one.
  void OnFailed(int error);

  Loop& loop_;
  const HostPort server_;
  const Callback callback_;
  // What callbacks of the resolver, which cannot be taken back, look at.
  std::shared_ptr<RouteProbe*> self_;
  std::list<UniqueFd> sockets_;  // Of addresses that may still be reached.
  bool has_asked_all_ = false;
};

// What a failed system call, or ICMP, means to a person who wants to reach `server`.
std::string DescribeUnreachable(const HostPort& server, int error);

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_ROUTE_PROBE_H_
