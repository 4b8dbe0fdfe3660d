// SPDX-License-Identifier: Apache-2.0
//
// TunRoutes: which client of a server has which address on the server's interface for IP packets
// (--tun). A client has the addresses that its packets come from: who is first keeps an address
// until its connection ends, and comes back to it with the same key at any time.
//
// Only addresses within the interface's prefix, without the server's own, can be had, and of these
// a client has at most kMaxAddressesOfClient. So none of them can take another's, or all of them.
#ifndef GODWIT_TUNNEL_TUN_ROUTES_H_
#define GODWIT_TUNNEL_TUN_ROUTES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "godwit/public_key_hash.h"
#include "godwit/socket_address.h"
#include "tunnel/target_pattern.h"

namespace godwit::tunnel {

class TunRoutes {
 public:
  static constexpr size_t kMaxAddressesOfClient = 16;
  static constexpr size_t kMaxAddresses = 16'384;

  // Names a connection. Never used again.
  using Peer = uint64_t;

  // `interface`: the server's own address, and the length of the prefix.
  explicit TunRoutes(const AddressRange& interface) : interface_(interface) {}

  // A packet came from `source` through `peer`, whose key is `key`. Whether it may.
  bool Learn(Peer peer, const PublicKeyHash& key, const SocketAddress& source);
  // Who has it.
  [[nodiscard]] std::optional<Peer> Find(const SocketAddress& destination) const;
  // Its connection has ended.
  void Forget(Peer peer);

  [[nodiscard]] size_t size() const { return owners_.size(); }

 private:
  struct Owner {
    Peer peer;
    PublicKeyHash key;
  };

  AddressRange interface_;
  std::map<SocketAddress, Owner> owners_;  // Ports are 0.
  std::map<Peer, size_t> counts_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUN_ROUTES_H_
