// SPDX-License-Identifier: Apache-2.0
//
// ConnectionRegistry: the connections of an endpoint, and everything by which they are found or
// counted: connection ids, addresses, deadlines, queues of those that have something to do, half
// open ones, the memory budget. What belongs to one connection comes and goes together here.
//
// It takes no decision: whom to accept, whom to serve next and when to forget a connection is the
// endpoint's.
//
// RFC 9000 §5.2. Invariants: every entry of an index leads to a connection that is there, and is
// gone with it; held bytes and half-open connections are the sums over the connections.
#ifndef GODWIT_TRANSPORT_ENDPOINT_CONNECTION_REGISTRY_H_
#define GODWIT_TRANSPORT_ENDPOINT_CONNECTION_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/environment.h"
#include "godwit/connection_handle.h"
#include "godwit/connection_id.h"
#include "godwit/four_tuple.h"
#include "godwit/time.h"
#include "transport/connection/connection.h"
#include "transport/endpoint/cid_router.h"
#include "transport/endpoint/memory_budget.h"
#include "transport/endpoint/peer_index.h"
#include "transport/endpoint/slot_queue.h"
#include "transport/endpoint/slot_table.h"
#include "transport/endpoint/timer_queue.h"

namespace godwit {

struct ConnectionEntry {
  std::unique_ptr<Connection> connection;

  // The application knows of it.
  bool is_surfaced = false;
  // The application was told that it is closed, or would have been.
  bool is_gone = false;

  // ---- The registry's own ----

  // Accepted, and the handshake is not complete.
  bool is_half_open = false;
  bool is_routed_by_addresses = false;
  // Where the indices have it.
  FourTuple four_tuple;
  uint64_t held_bytes = 0;
  // RFC 9000 §7.2: the one that the client chose, as long as packets may still carry it.
  std::optional<ConnectionId> original_destination = std::nullopt;
  Timestamp original_destination_until = Timestamp::Infinite();
};

class ConnectionRegistry {
 public:
  ConnectionRegistry(uint64_t memory_budget_bytes, Random& random);

  struct NewConnection {
    std::unique_ptr<Connection> connection;
    // Empty: it is routed by its addresses.
    ConnectionId local_cid;
    // Of a server's connection.
    std::optional<ConnectionId> original_destination;
    bool is_surfaced;
  };
  // `local_cid`, or the addresses if it is empty, lead nowhere yet.
  ConnectionHandle Insert(NewConnection connection);
  void Erase(uint32_t slot);

  size_t size() const { return table_.size(); }
  size_t half_open_count() const { return half_open_count_; }
  // Slots are below slot_count().
  uint32_t slot_count() const { return static_cast<uint32_t>(table_.slot_count()); }
  bool is_occupied(uint32_t slot) const { return table_.is_occupied(slot); }
  ConnectionEntry& operator[](uint32_t slot) { return table_[slot]; }
  Connection& connection(uint32_t slot) { return *table_[slot].connection; }
  ConnectionHandle HandleOf(uint32_t slot) const { return table_.HandleOf(slot); }
  // Null if it is gone.
  ConnectionEntry* Find(ConnectionHandle handle) { return table_.Find(handle); }

  // `dcid`: of a packet, as it stands there.
  std::optional<uint32_t> Route(std::span<const uint8_t> dcid, const FourTuple& addresses) const {
    return dcid.empty() ? router_.FindByAddresses(addresses) : router_.Find(dcid);
  }
  bool IsInUse(const ConnectionId& id) const { return router_.Find(id.bytes()).has_value(); }
  void AddConnectionId(uint32_t slot, const ConnectionId& id);
  void RemoveConnectionId(const ConnectionId& id) { router_.Remove(id); }
  // Connections to that address; the next ones with each call.
  std::span<uint32_t> NextWithPeer(const SocketAddress& peer, std::span<uint32_t> slots) {
    return peers_.NextOf(peer, slots);
  }

  // Something has happened to the connection: brings all that is known of it up to date, but for
  // its deadline.
  void Refresh(uint32_t slot, Timestamp now);
  // There is nothing left to be sent: its deadline counts again.
  void RefreshDeadline(uint32_t slot);
  // The next connection whose deadline has passed.
  std::optional<uint32_t> PopExpired(Timestamp now);
  // Infinite() if there is none.
  Timestamp EarliestDeadline() { return timers_.Earliest(); }

  // It may have something to send, and to tell.
  void MarkActive(uint32_t slot) {
    ready_.PushBack(slot);
    eventful_.PushBack(slot);
  }
  // Connections that may have something to send; that may have events; that were given datagrams
  // which they may still refer to.
  SlotQueue& ready() { return ready_; }
  SlotQueue& eventful() { return eventful_; }
  SlotQueue& borrowing() { return borrowing_; }

  const MemoryBudget& budget() const { return budget_; }

  void CheckInvariants() const;

 private:
  void SetHeldBytes(ConnectionEntry& entry, uint64_t held_bytes);
  void MoveToAddresses(uint32_t slot, const FourTuple& addresses);
  void UnrouteOriginalDestination(ConnectionEntry& entry);

  SlotTable<ConnectionEntry> table_;
  CidRouter router_;
  PeerIndex peers_;
  TimerQueue timers_;
  SlotQueue ready_;
  SlotQueue eventful_;
  SlotQueue borrowing_;
  MemoryBudget budget_;
  size_t half_open_count_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_CONNECTION_REGISTRY_H_
