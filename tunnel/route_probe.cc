// SPDX-License-Identifier: Apache-2.0
#include "tunnel/route_probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "tunnel/kernel_sockets.h"

namespace godwit::tunnel {
namespace {

// No packet of QUIC begins so (RFC 9000 §17.3: the fixed bit is 1), or is so short.
constexpr std::array<uint8_t, 1> kByte = {0};

// Also what routers say is then an error of the socket (ip(7)).
void HearOfErrors(int fd, const SocketAddress& address) {
  const int on = 1;
  const int level = address.is_ipv4() ? IPPROTO_IP : IPPROTO_IPV6;
  const int name = address.is_ipv4() ? IP_RECVERR : IPV6_RECVERR;
  // Without it, less is known.
  static_cast<void>(setsockopt(fd, level, name, &on, sizeof(on)));
}

}  // namespace

std::string DescribeUnreachable(const HostPort& server, int error) {
  const std::string name = absl::StrCat(server.host, " port ", server.port);
  switch (error) {
    case ECONNREFUSED:
      return absl::StrCat("nothing listens on UDP port ", server.port, " of ", server.host,
                          ": the server does not run there, or a firewall refuses it");
    case EPERM:
    case EACCES:
      return absl::StrCat("not permitted to send to ", name, ": ", strerror(error),
                          "; a firewall forbids it, or a route that prohibits");
    case EINVAL:
      return absl::StrCat("no route to ", name, ": it leads into a black hole");
    default:
      return absl::StrCat("no route to ", name, ": ", strerror(error));
  }
}

RouteProbe::RouteProbe(Loop* loop, NameResolver* resolver, HostPort server, Callback callback)
    : loop_(*loop),
      server_(std::move(server)),
      callback_(std::move(callback)),
      self_(std::make_shared<RouteProbe*>(this)) {
  resolver->Resolve(
      server_.host, server_.port,
      [weak = std::weak_ptr(self_)](const absl::StatusOr<HostResolver::Addresses>& addresses) {
        // Of a name that has none, who connects says it.
        const auto self = weak.lock();
        if (self != nullptr && addresses.ok()) (*self)->OnAddresses(*addresses);
      });
}

RouteProbe::~RouteProbe() {
  for (const UniqueFd& socket : sockets_) loop_.UnwatchFd(socket.get());
}

void RouteProbe::OnAddresses(const HostResolver::Addresses& addresses) {
  if (addresses.size() > kMaxAddresses) return;
  int last_error = 0;
  for (const SocketAddress& address : addresses) {
    const int error = Ask(address);
    if (error != 0) last_error = error;
  }
  has_asked_all_ = true;
  if (last_error != 0) OnFailed(last_error);
}

int RouteProbe::Ask(const SocketAddress& address) {
  SocketOrError socket = ConnectUdp(address);
  if (!socket.fd.is_open()) return socket.error;
  const int fd = socket.fd.get();
  HearOfErrors(fd, address);
  if (send(fd, kByte.data(), kByte.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
    return errno;
  }
  const UniqueFd& kept = sockets_.emplace_back(std::move(socket.fd));
  const absl::Status watched = loop_.WatchFd(
      fd, {.readable = true}, [this, &kept](FdEvents events) { OnEvent(kept, events.error); });
  // It then stays as if its address were silent.
  static_cast<void>(watched);
  return 0;
}

void RouteProbe::OnEvent(const UniqueFd& socket, bool is_error) {
  const int error = is_error ? PendingError(socket.get()) : 0;
  if (error == 0) {
    // Somebody is there.
    loop_.UnwatchFd(socket.get());
    return;
  }
  Close(socket);
  OnFailed(error);
}

void RouteProbe::Close(const UniqueFd& socket) {
  loop_.UnwatchFd(socket.get());
  sockets_.remove_if([&socket](const UniqueFd& other) { return &other == &socket; });
}

void RouteProbe::OnFailed(int error) {
  if (!has_asked_all_ || !sockets_.empty()) return;
  const Callback callback = callback_;
  callback(DescribeUnreachable(server_, error));
}

}  // namespace godwit::tunnel
