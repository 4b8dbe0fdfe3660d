// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/cid_router.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "transport/endpoint/multiply_fold.h"

namespace godwit {
namespace {

FourTuple WithAnyLocalAddress(const FourTuple& addresses) {
  const uint16_t port = addresses.local.port();
  FourTuple wildcard = addresses;
  if (addresses.local.is_ipv4()) {
    constexpr std::array<uint8_t, SocketAddress::kIpv4Size> kAny = {};
    wildcard.local = SocketAddress::FromIpv4(kAny, port);
  } else {
    constexpr std::array<uint8_t, SocketAddress::kIpv6Size> kAny = {};
    wildcard.local = SocketAddress::FromIpv6(kAny, port);
  }
  return wildcard;
}

}  // namespace

CidRouter::KeyedHash::KeyedHash(Random& random) {
  for (uint64_t& key : keys_) key = random.NextUint64();
}

size_t CidRouter::KeyedHash::operator()(const ConnectionId& id) const {
  const auto bytes = std::bit_cast<std::array<uint8_t, sizeof(ConnectionId)>>(id);
  std::array<uint64_t, 3> words = {};
  static_assert(sizeof(words) >= sizeof(bytes));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  const uint64_t first_words = MultiplyFold(words[0] ^ keys_[0], words[1] ^ keys_[1]);
  return MultiplyFold(first_words ^ keys_[2], words[2] ^ keys_[3]);
}

CidRouter::CidRouter(Random& random) : by_id_(0, KeyedHash(random)) {}

std::optional<uint32_t> CidRouter::Find(std::span<const uint8_t> id) const {
  const std::optional<ConnectionId> key = ConnectionId::FromBytes(id);
  if (!key.has_value()) return std::nullopt;
  const auto entry = by_id_.find(*key);
  if (entry == by_id_.end()) return std::nullopt;
  return entry->second;
}

bool CidRouter::Add(const ConnectionId& id, uint32_t slot) {
  GODWIT_CHECK(!id.empty());
  return by_id_.emplace(id, slot).second;
}

void CidRouter::Remove(const ConnectionId& id) { GODWIT_CHECK_EQ(by_id_.erase(id), 1); }

std::optional<uint32_t> CidRouter::FindByAddresses(const FourTuple& addresses) const {
  if (by_addresses_.empty()) return std::nullopt;
  auto entry = by_addresses_.find(addresses);
  if (entry == by_addresses_.end()) entry = by_addresses_.find(WithAnyLocalAddress(addresses));
  if (entry == by_addresses_.end()) return std::nullopt;
  return entry->second;
}

bool CidRouter::AddAddresses(const FourTuple& addresses, uint32_t slot) {
  return by_addresses_.emplace(addresses, slot).second;
}

void CidRouter::RemoveAddresses(const FourTuple& addresses) {
  GODWIT_CHECK_EQ(by_addresses_.erase(addresses), 1);
}

}  // namespace godwit
