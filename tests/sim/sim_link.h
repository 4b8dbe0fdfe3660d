// SPDX-License-Identifier: Apache-2.0
//
// SimLink: one direction of a network path: a drop-tail queue in front of a wire of some rate, and
// everything that can go wrong behind it: delay, jitter, loss, loss in bursts, reordering,
// duplicates, flipped bits, an MTU, black-outs. All of it can change while the run goes on.
//
// What is lost or corrupted has taken its time on the wire, as on a radio link. Every decision
// follows from the seed.
#ifndef GODWIT_TESTS_SIM_SIM_LINK_H_
#define GODWIT_TESTS_SIM_SIM_LINK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/seeded_random.h"
#include "godwit/bandwidth.h"
#include "godwit/time.h"
#include "tests/sim/chance.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/sim_packet.h"
#include "tests/sim/sim_trace.h"

namespace godwit {

// Loss in bursts, after Gilbert and Elliott: the link is good or bad, and changes with each packet.
struct BurstLoss {
  Chance turns_bad = {};
  Chance turns_good = {};
  Chance loss_while_bad = Chance::Always();
};

struct LinkConfig {
  Bandwidth rate = Bandwidth::Infinite();  // Not zero.
  uint64_t queue_bytes = 1'000'000;        // With the packet on the wire.
  Duration delay = Duration::Milliseconds(10);

  // Each packet takes up to this longer. Without reordering it keeps those behind it back.
  Duration jitter = Duration::Zero();
  bool jitter_reorders = false;

  Chance loss = {};
  BurstLoss bursts = {};
  // These take `reorder_delay` longer, and packets overtake them.
  Chance reorder = {};
  Duration reorder_delay = Duration::Milliseconds(5);
  // Comes once more, up to a millisecond later.
  Chance duplicate = {};
  // One to three bits are flipped.
  Chance corrupt = {};
  // Bytes of an IP packet; larger ones vanish.
  uint64_t mtu_bytes = 65'535;
};

class SimLink {
 public:
  using Delivery = std::function<void(SimPacket&&)>;

  // `queue` and `trace` outlive the link.
  SimLink(std::string name, const LinkConfig& config, uint64_t seed, EventQueue* queue,
          SimTrace* trace);
  SimLink(const SimLink&) = delete;
  SimLink& operator=(const SimLink&) = delete;

  void SetDelivery(Delivery delivery) { delivery_ = std::move(delivery); }

  void Send(SimPacket&& packet);

  const std::string& name() const { return name_; }
  const LinkConfig& config() const { return config_; }
  // For packets sent from now on.
  void Change(const LinkConfig& config) {
    config_ = config;
    is_bad_ = false;
  }
  // What is sent meanwhile is lost.
  void AddBlackout(Timestamp begin, Duration length);
  // Drops the packets that say so, besides everything else: for losses of a certain kind.
  void SetDropFilter(std::function<bool(const SimPacket&)> filter) { filter_ = std::move(filter); }

  uint64_t queued_bytes() const { return queued_bytes_; }
  uint64_t delivered_packets() const { return delivered_packets_; }
  uint64_t delivered_bytes() const { return delivered_bytes_; }
  uint64_t dropped_packets() const { return dropped_packets_; }
  uint64_t queue_drops() const { return queue_drops_; }

 private:
  struct Leaving {
    Timestamp time;
    uint64_t bytes;
  };

  void Drop(const SimPacket& packet, const char* what);
  bool IsBlackedOut() const;
  bool IsLost();
  void DropFromQueueWhatHasLeft();
  void Corrupt(SimPacket& packet);
  Timestamp ArrivalOf(Timestamp left_wire);
  void Deliver(Timestamp arrival, SimPacket&& packet);

  const std::string name_;
  LinkConfig config_;
  SeededRandom random_;
  EventQueue& queue_;
  SimTrace& trace_;
  Delivery delivery_;
  std::function<bool(const SimPacket&)> filter_;
  std::vector<std::pair<Timestamp, Timestamp>> blackouts_;

  std::deque<Leaving> leaving_;
  uint64_t queued_bytes_ = 0;
  Timestamp wire_free_ = Timestamp::InfinitePast();
  Timestamp last_arrival_ = Timestamp::InfinitePast();
  bool is_bad_ = false;

  uint64_t delivered_packets_ = 0;
  uint64_t delivered_bytes_ = 0;
  uint64_t dropped_packets_ = 0;
  uint64_t queue_drops_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_SIM_LINK_H_
