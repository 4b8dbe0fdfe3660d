// SPDX-License-Identifier: Apache-2.0
//
// ServerTun: a server's interface for IP packets (--tun), shared by all its clients: gives each
// packet of the kernel to the client that has its address, and those of clients to the kernel.
// What may enter and leave by the interface is for the machine's firewall and routes to say: the
// rules for targets are not about it.
//
// The MTU is what the narrowest of its clients takes. Threads: the loop's.
#ifndef GODWIT_TUNNEL_SERVER_TUN_H_
#define GODWIT_TUNNEL_SERVER_TUN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/statusor.h"

#include "godwit/loop.h"
#include "godwit/public_key_hash.h"
#include "tunnel/tun_device.h"
#include "tunnel/tun_routes.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_log.h"

namespace godwit::tunnel {

class ServerTun {
 public:
  using Peer = TunRoutes::Peer;
  using SendCallback = std::function<void(Peer peer, std::span<const uint8_t> packet)>;

  // `send` must not call back.
  static absl::StatusOr<std::unique_ptr<ServerTun>> Open(Loop* loop, const TunInterface& interface,
                                                         SendCallback send, TunnelLog log);

  // From a client, whose key is `key` and whose connection takes `max_packet_bytes` at most. A
  // packet with an address that it cannot have is dropped.
  void OnPacket(Peer peer, const PublicKeyHash& key, uint64_t max_packet_bytes,
                std::span<const uint8_t> packet);
  // It has changed, with the path.
  void SetMaxPacketBytes(Peer peer, uint64_t bytes);
  // Its connection has ended.
  void Forget(Peer peer);

 private:
  ServerTun(const AddressRange& interface, SendCallback send)
      : routes_(interface), send_(std::move(send)) {}

  void OnKernelPacket(std::span<const uint8_t> packet);
  void UpdateMtu();

  TunRoutes routes_;
  const SendCallback send_;
  std::map<Peer, uint64_t> max_packet_bytes_;  // Of those that have sent one.
  std::unique_ptr<TunDevice> device_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_SERVER_TUN_H_
