// SPDX-License-Identifier: Apache-2.0
//
// CidRouter: finds the slot of a connection by the destination connection id of a packet, or, where
// an endpoint has ids of no bytes, by the addresses. RFC 9000 §5.2. A connection may have any
// number of entries; which ones, and for how long, is decided by who adds and removes them.
//
// Clients choose ids too, so the hash has a secret key: else one of them could choose ids that all
// fall into one place. An entry of an id takes 29 bytes, divided by how full the table is (7/16 to
// 7/8). Nothing is allocated but when the table grows.
//
// Invariant: an id, and a pair of addresses, leads to one slot.
#ifndef GODWIT_TRANSPORT_ENDPOINT_CID_ROUTER_H_
#define GODWIT_TRANSPORT_ENDPOINT_CID_ROUTER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/container/flat_hash_map.h"

#include "base/environment.h"
#include "godwit/connection_id.h"
#include "godwit/four_tuple.h"

namespace godwit {

class CidRouter {
 public:
  explicit CidRouter(Random& random);

  // `id`: as it stands in the packet, of any size; an empty one leads nowhere.
  std::optional<uint32_t> Find(std::span<const uint8_t> id) const;
  // False, without a change, if `id` leads somewhere already. It must not be empty.
  [[nodiscard]] bool Add(const ConnectionId& id, uint32_t slot);
  // It was added.
  void Remove(const ConnectionId& id);

  // A connection that was added with a wildcard address as `local` is found for every local one of
  // that port, unless another one was added with just that.
  std::optional<uint32_t> FindByAddresses(const FourTuple& addresses) const;
  [[nodiscard]] bool AddAddresses(const FourTuple& addresses, uint32_t slot);
  void RemoveAddresses(const FourTuple& addresses);

  // Of both kinds.
  size_t entry_count() const { return by_id_.size() + by_addresses_.size(); }

 private:
  class KeyedHash {
   public:
    explicit KeyedHash(Random& random);
    size_t operator()(const ConnectionId& id) const;

   private:
    std::array<uint64_t, 4> keys_;
  };

  using IdMap = absl::flat_hash_map<ConnectionId, uint32_t, KeyedHash>;
  static_assert(sizeof(IdMap::value_type) == 28);

  IdMap by_id_;
  // Only the application adds entries here.
  absl::flat_hash_map<FourTuple, uint32_t> by_addresses_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_CID_ROUTER_H_
