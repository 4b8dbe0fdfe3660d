// SPDX-License-Identifier: Apache-2.0
//
// RemoteListeners: what one client has a server listen on for it (-R): each peer that connects
// there becomes a stream or a flow of the client's session. Whether a client may bind an address is
// decided elsewhere.
//
// Threads: the loop's. Destroyed before the session.
#ifndef GODWIT_TUNNEL_REMOTE_LISTENERS_H_
#define GODWIT_TUNNEL_REMOTE_LISTENERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "absl/status/statusor.h"

#include "godwit/loop.h"
#include "godwit/socket_address.h"
#include "tunnel/tcp_listener.h"
#include "tunnel/tunnel_session.h"
#include "tunnel/udp_listener.h"

namespace godwit::tunnel {

class RemoteListeners {
 public:
  static constexpr size_t kMaxListeners = 256;

  // Both outlive it.
  RemoteListeners(Loop* loop, TunnelSession* session) : loop_(*loop), session_(*session) {}

  // With the port that the kernel chose. A second bind of the same number replaces the first.
  absl::StatusOr<SocketAddress> Bind(const BindRequest& request);
  // Whether something was bound there.
  bool Release(ForwardProtocol protocol, const SocketAddress& address);

  [[nodiscard]] size_t size() const { return listeners_.size(); }

 private:
  struct Listener {
    ForwardProtocol protocol;
    SocketAddress address;
    std::unique_ptr<TcpListener> tcp = nullptr;
    std::unique_ptr<UdpListener> udp = nullptr;
  };

  Loop& loop_;
  TunnelSession& session_;
  std::map<uint32_t, Listener> listeners_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_REMOTE_LISTENERS_H_
