// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/connection_registry.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace godwit {
namespace {

// How long packets with the client's own choice of an id may still be on their way once the
// handshake is confirmed. Without the entry they would look like the first ones of a new
// connection.
constexpr Duration kOriginalDestinationGrace = Duration::Seconds(3);

}  // namespace

ConnectionRegistry::ConnectionRegistry(uint64_t memory_budget_bytes, Random& random)
    : router_(random), budget_(memory_budget_bytes) {}

ConnectionHandle ConnectionRegistry::Insert(NewConnection connection) {
  Connection& added = *connection.connection;
  const FourTuple four_tuple = added.four_tuple();
  const ConnectionHandle handle =
      table_.Insert({.connection = std::move(connection.connection),
                     .is_surfaced = connection.is_surfaced,
                     .is_half_open = added.perspective() == Perspective::kServer,
                     .is_routed_by_addresses = connection.local_cid.empty(),
                     .four_tuple = four_tuple});
  ConnectionEntry& entry = table_[handle.slot];
  if (entry.is_half_open) ++half_open_count_;
  if (entry.is_routed_by_addresses) {
    GODWIT_CHECK(router_.AddAddresses(four_tuple, handle.slot));
  } else {
    AddConnectionId(handle.slot, connection.local_cid);
  }
  const std::optional<ConnectionId>& original = connection.original_destination;
  // A client may choose an id that is in use, by luck or by malice; that it then gets none is its
  // own loss.
  if (original.has_value() && router_.Add(*original, handle.slot)) {
    entry.original_destination = original;
  }
  peers_.Add(four_tuple.peer, handle.slot);
  if (!budget_.may_grow_windows()) added.SetMayGrowWindows(false);
  MarkActive(handle.slot);
  return handle;
}

void ConnectionRegistry::Erase(uint32_t slot) {
  ConnectionEntry& entry = table_[slot];
  if (!entry.is_routed_by_addresses) {
    const Connection& connection = *entry.connection;
    for (size_t i = 0; i < connection.connection_id_count(); ++i) {
      router_.Remove(connection.connection_id(i));
    }
  }
  if (entry.original_destination.has_value()) UnrouteOriginalDestination(entry);
  if (entry.is_routed_by_addresses) router_.RemoveAddresses(entry.four_tuple);
  peers_.Remove(entry.four_tuple.peer, slot);
  timers_.Set(slot, Timestamp::Infinite());
  ready_.Remove(slot);
  eventful_.Remove(slot);
  borrowing_.Remove(slot);
  if (entry.is_half_open) --half_open_count_;
  SetHeldBytes(entry, 0);
  table_.Erase(slot);
}

void ConnectionRegistry::AddConnectionId(uint32_t slot, const ConnectionId& id) {
  GODWIT_CHECK(router_.Add(id, slot));
}

void ConnectionRegistry::Refresh(uint32_t slot, Timestamp now) {
  ConnectionEntry& entry = table_[slot];
  const Connection& connection = *entry.connection;
  if (entry.is_half_open && connection.is_handshake_complete()) {
    entry.is_half_open = false;
    --half_open_count_;
  }
  if (entry.original_destination.has_value() && connection.is_handshake_confirmed()) {
    entry.original_destination_until =
        std::min(entry.original_destination_until, now + kOriginalDestinationGrace);
  }
  if (connection.four_tuple() != entry.four_tuple) MoveToAddresses(slot, connection.four_tuple());
  const uint64_t held_bytes = connection.held_bytes();
  if (held_bytes != entry.held_bytes) SetHeldBytes(entry, held_bytes);
}

void ConnectionRegistry::RefreshDeadline(uint32_t slot) {
  const ConnectionEntry& entry = table_[slot];
  timers_.Set(slot, std::min(entry.connection->next_deadline(), entry.original_destination_until));
}

std::optional<uint32_t> ConnectionRegistry::PopExpired(Timestamp now) {
  const std::optional<uint32_t> slot = timers_.PopExpired(now);
  if (!slot.has_value()) return std::nullopt;
  ConnectionEntry& entry = table_[*slot];
  if (entry.original_destination_until <= now) UnrouteOriginalDestination(entry);
  return slot;
}

void ConnectionRegistry::SetHeldBytes(ConnectionEntry& entry, uint64_t held_bytes) {
  const MemoryBudget::Change change = {.before_bytes = entry.held_bytes, .after_bytes = held_bytes};
  entry.held_bytes = held_bytes;
  if (!budget_.OnHeldBytesChanged(change)) return;
  for (uint32_t slot = 0; slot < table_.slot_count(); ++slot) {
    if (!table_.is_occupied(slot)) continue;
    table_[slot].connection->SetMayGrowWindows(budget_.may_grow_windows());
  }
}

void ConnectionRegistry::MoveToAddresses(uint32_t slot, const FourTuple& addresses) {
  ConnectionEntry& entry = table_[slot];
  // If another connection has these addresses it keeps them, and this one its old ones.
  if (entry.is_routed_by_addresses) {
    if (!router_.AddAddresses(addresses, slot)) return;
    router_.RemoveAddresses(entry.four_tuple);
  }
  if (addresses.peer != entry.four_tuple.peer) {
    peers_.Remove(entry.four_tuple.peer, slot);
    peers_.Add(addresses.peer, slot);
  }
  entry.four_tuple = addresses;
}

void ConnectionRegistry::UnrouteOriginalDestination(ConnectionEntry& entry) {
  GODWIT_CHECK(entry.original_destination.has_value());
  router_.Remove(*entry.original_destination);
  entry.original_destination.reset();
  entry.original_destination_until = Timestamp::Infinite();
}

void ConnectionRegistry::CheckInvariants() const {
  table_.CheckInvariants();
  peers_.CheckInvariants();
  timers_.CheckInvariants();
  ready_.CheckInvariants();
  eventful_.CheckInvariants();
  borrowing_.CheckInvariants();
  uint64_t held_bytes = 0;
  size_t half_open_count = 0;
  size_t route_count = 0;
  for (uint32_t slot = 0; slot < table_.slot_count(); ++slot) {
    if (!table_.is_occupied(slot)) {
      GODWIT_CHECK_EQ(timers_.deadline(slot), Timestamp::Infinite());
      GODWIT_CHECK(!ready_.Contains(slot));
      GODWIT_CHECK(!eventful_.Contains(slot));
      GODWIT_CHECK(!borrowing_.Contains(slot));
      continue;
    }
    const ConnectionEntry& entry = table_[slot];
    entry.connection->CheckInvariants();
    held_bytes += entry.held_bytes;
    if (entry.is_half_open) ++half_open_count;
    const Connection& connection = *entry.connection;
    // By its ids, or by its addresses.
    route_count += connection.connection_id_count();
    for (size_t i = 0; i < connection.connection_id_count() && !entry.is_routed_by_addresses; ++i) {
      GODWIT_CHECK_EQ(router_.Find(connection.connection_id(i).bytes()), slot);
    }
    if (entry.original_destination.has_value()) ++route_count;
  }
  GODWIT_CHECK_EQ(held_bytes, budget_.held_bytes());
  GODWIT_CHECK_EQ(half_open_count, half_open_count_);
  GODWIT_CHECK_EQ(route_count, router_.entry_count());
}

}  // namespace godwit
