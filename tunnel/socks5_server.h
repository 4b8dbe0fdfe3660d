// SPDX-License-Identifier: Apache-2.0
//
// Socks5Server: a SOCKS listener (RFC 1928) in front of a tunnel. It speaks with each client until
// what it wants is known; a CONNECT becomes a flow of the tunnel, which tells the client how it
// went; a UDP ASSOCIATE gets a socket, which lives as long as the client's connection. Names are
// not resolved here: the other end does that.
#ifndef GODWIT_TUNNEL_SOCKS5_SERVER_H_
#define GODWIT_TUNNEL_SOCKS5_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "absl/status/statusor.h"

#include "godwit/loop.h"
#include "godwit/socket_address.h"
#include "tunnel/tcp_listener.h"
#include "tunnel/tunnel_session.h"
#include "tunnel/udp_listener.h"

namespace godwit::tunnel {

class Socks5Server {
 public:
  // Clients that have not said yet what they want, and associations.
  static constexpr size_t kMaxClients = 1'024;

  struct Door {
    std::function<void(TcpOpening opening)> open_tcp;
    UdpFlowDoor udp;
  };

  // Errors as of ListenTcp(). `loop` outlives it.
  static absl::StatusOr<std::unique_ptr<Socks5Server>> Open(Loop* loop,
                                                            const SocketAddress& address,
                                                            Door door);
  ~Socks5Server();
  Socks5Server(const Socks5Server&) = delete;
  Socks5Server& operator=(const Socks5Server&) = delete;

  [[nodiscard]] SocketAddress address() const { return listener_->address(); }

 private:
  class Client;

  Socks5Server(Loop* loop, Door door);

  void OnAccepted(UniqueFd fd, const SocketAddress& peer);
  void OnClientOver(uint64_t id);

  Loop& loop_;
  const Door door_;
  std::unique_ptr<TcpListener> listener_;
  uint64_t last_id_ = 0;
  std::map<uint64_t, std::shared_ptr<Client>> clients_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_SOCKS5_SERVER_H_
