// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tun_routes.h"

namespace godwit::tunnel {

bool TunRoutes::Learn(Peer peer, const PublicKeyHash& key, const SocketAddress& source) {
  const auto found = owners_.find(source);
  if (found != owners_.end() && found->second.peer == peer) return true;
  if (found != owners_.end() && found->second.key != key) return false;
  if (!interface_.Holds(source) || source.SameIp(interface_.base)) return false;
  size_t& count = counts_[peer];
  if (count >= kMaxAddressesOfClient) return false;
  if (found != owners_.end()) {
    --counts_[found->second.peer];
    found->second.peer = peer;
  } else {
    if (owners_.size() >= kMaxAddresses) return false;
    owners_[source] = {.peer = peer, .key = key};
  }
  ++count;
  return true;
}

std::optional<TunRoutes::Peer> TunRoutes::Find(const SocketAddress& destination) const {
  const auto found = owners_.find(destination);
  if (found == owners_.end()) return std::nullopt;
  return found->second.peer;
}

void TunRoutes::Forget(Peer peer) {
  std::erase_if(owners_, [peer](const auto& entry) { return entry.second.peer == peer; });
  counts_.erase(peer);
}

}  // namespace godwit::tunnel
