// SPDX-License-Identifier: Apache-2.0
//
// Socks5UdpAssociation: the UDP socket of one UDP ASSOCIATE (RFC 1928 §7): packets of its client
// say where they want to go; each such place is a flow of the tunnel. Packets of anybody else are
// ignored.
#ifndef GODWIT_TUNNEL_SOCKS5_UDP_ASSOCIATION_H_
#define GODWIT_TUNNEL_SOCKS5_UDP_ASSOCIATION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

#include "godwit/loop.h"
#include "godwit/socket_address.h"
#include "tunnel/kernel_sockets.h"
#include "tunnel/udp_listener.h"

namespace godwit::tunnel {

class Socks5UdpAssociation {
 public:
  static constexpr size_t kMaxTargets = 1'024;

  // `local` and `client` are the ends of the client's TCP connection: its packets come from that
  // address, from whichever port the first one comes. `loop` outlives it.
  static absl::StatusOr<std::unique_ptr<Socks5UdpAssociation>> Open(Loop* loop,
                                                                    const SocketAddress& local,
                                                                    const SocketAddress& client,
                                                                    UdpFlowDoor door);
  ~Socks5UdpAssociation();
  Socks5UdpAssociation(const Socks5UdpAssociation&) = delete;
  Socks5UdpAssociation& operator=(const Socks5UdpAssociation&) = delete;

  // Where the client sends to.
  [[nodiscard]] SocketAddress address() const { return LocalAddressOf(fd_.get()); }

 private:
  using Target = std::pair<std::string, uint16_t>;
  struct Flow {
    std::optional<uint32_t> id;
    std::string header;  // Of packets to the client.
  };

  Socks5UdpAssociation(Loop* loop, UniqueFd fd, const SocketAddress& client, UdpFlowDoor door);

  void OnReadable();
  void OnPacket(std::span<const uint8_t> packet);
  Flow* FlowTo(const HostPort& target);

  Loop& loop_;
  UniqueFd fd_;
  SocketAddress client_;  // Port 0: not known yet.
  UdpFlowDoor door_;
  std::map<Target, Flow> flows_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_SOCKS5_UDP_ASSOCIATION_H_
