// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/peer_index.h"

#include "base/check.h"

namespace godwit {

void PeerIndex::Add(const SocketAddress& peer, uint32_t slot) {
  if (slot >= links_.size()) links_.resize(size_t{slot} + 1);
  const auto [entry, is_first] = first_of_peer_.try_emplace(peer, slot);
  if (is_first) {
    links_[slot] = {slot, slot};
    return;
  }
  // At the end of the ring, in front of the one that is next.
  const uint32_t next = entry->second;
  const uint32_t previous = links_[next].previous;
  links_[slot] = {next, previous};
  links_[previous].next = slot;
  links_[next].previous = slot;
}

void PeerIndex::Remove(const SocketAddress& peer, uint32_t slot) {
  const auto entry = first_of_peer_.find(peer);
  GODWIT_CHECK(entry != first_of_peer_.end());
  const Link link = links_[slot];
  if (link.next == slot) {
    GODWIT_CHECK_EQ(entry->second, slot);
    first_of_peer_.erase(entry);
    return;
  }
  links_[link.previous].next = link.next;
  links_[link.next].previous = link.previous;
  if (entry->second == slot) entry->second = link.next;
}

std::span<uint32_t> PeerIndex::NextOf(const SocketAddress& peer, std::span<uint32_t> slots) {
  const auto entry = first_of_peer_.find(peer);
  if (entry == first_of_peer_.end()) return {};
  const uint32_t first = entry->second;
  size_t count = 0;
  while (count < slots.size()) {
    slots[count] = entry->second;
    ++count;
    entry->second = links_[entry->second].next;
    if (entry->second == first) break;
  }
  return slots.first(count);
}

void PeerIndex::CheckInvariants() const {
  for (const auto& [peer, first] : first_of_peer_) {
    uint32_t slot = first;
    size_t count = 0;
    do {
      GODWIT_CHECK_LT(slot, links_.size());
      const uint32_t next = links_[slot].next;
      GODWIT_CHECK_LT(next, links_.size());
      GODWIT_CHECK_EQ(links_[next].previous, slot);
      slot = next;
      ++count;
      GODWIT_CHECK_LE(count, links_.size());
    } while (slot != first);
  }
}

}  // namespace godwit
