// SPDX-License-Identifier: Apache-2.0
//
// PeerIndex: which connections talk to an address. Asked when a datagram comes that no connection
// id leads to: it may be a stateless reset (RFC 9000 §10.3.1), whose only sign is a token that the
// connections to its sender know.
//
// Many connections may have the same peer. One question gives a bounded number of them, and the
// next question those after them, so that all have their turn.
//
// Invariant: the slots of an address form a ring, of which the map knows one.
#ifndef GODWIT_TRANSPORT_ENDPOINT_PEER_INDEX_H_
#define GODWIT_TRANSPORT_ENDPOINT_PEER_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "godwit/socket_address.h"

namespace godwit {

class PeerIndex {
 public:
  // `slot` is in no list.
  void Add(const SocketAddress& peer, uint32_t slot);
  // It was added with this `peer`.
  void Remove(const SocketAddress& peer, uint32_t slot);

  // Writes slots of `peer`, none twice, to the start of `slots` and returns those.
  std::span<uint32_t> NextOf(const SocketAddress& peer, std::span<uint32_t> slots);

  size_t peer_count() const { return first_of_peer_.size(); }

  void CheckInvariants() const;

 private:
  struct Link {
    uint32_t next;
    uint32_t previous;
  };

  absl::flat_hash_map<SocketAddress, uint32_t> first_of_peer_;
  std::vector<Link> links_;  // By slot.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_PEER_INDEX_H_
