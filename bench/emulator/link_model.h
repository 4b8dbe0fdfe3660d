// SPDX-License-Identifier: Apache-2.0
//
// LinkModel: one direction of an emulated link in virtual time: which packets are lost, and when
// the others arrive, in what order and in what state. It knows no clock, no socket and no router;
// who drives it hands in packets and times, and takes deliveries out.
//
// A packet passes: MTU, drop-tail queue, wire of some rate; where it leaves the wire: outage, loss
// in bursts, random loss, delay with jitter and reordering, duplication, corruption. So what is
// lost or corrupted has taken its time on the wire, as on a radio link, and an outage loses what is
// sent while it lasts, not what was already on its way.
//
// Invariants:
//  1. All decisions follow from the seed and the order of packets. Each kind of fault has dice of
//     its own: the same packets are lost whatever is said of jitter.
//  2. Deliveries come in the order of their times; equal times keep the order of departure.
//  3. received = dropped + delivered - duplicated + pending, at any time.
#ifndef GODWIT_BENCH_EMULATOR_LINK_MODEL_H_
#define GODWIT_BENCH_EMULATOR_LINK_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/seeded_random.h"
#include "bench/emulator/link_profile.h"
#include "godwit/time.h"

namespace godwit {

struct LinkCounters {
  uint64_t received_packets = 0;
  uint64_t received_bytes = 0;
  uint64_t delivered_packets = 0;
  uint64_t delivered_bytes = 0;

  uint64_t dropped_too_big = 0;
  uint64_t dropped_queue_full = 0;
  uint64_t dropped_outage = 0;
  uint64_t dropped_burst_loss = 0;
  uint64_t dropped_random_loss = 0;

  uint64_t duplicated_packets = 0;
  uint64_t corrupted_packets = 0;
  // Delivered after a packet that had left the wire later.
  uint64_t reordered_packets = 0;

  uint64_t largest_queue_packets = 0;
  uint64_t largest_queue_bytes = 0;

  uint64_t dropped_packets() const {
    return dropped_too_big + dropped_queue_full + dropped_outage + dropped_burst_loss +
           dropped_random_loss;
  }

  friend bool operator==(const LinkCounters&, const LinkCounters&) = default;
};

struct LinkDelivery {
  Timestamp time;
  std::vector<uint8_t> packet;
};

enum class Admission : uint8_t { kQueued, kTooBig, kQueueFull };

class LinkModel {
 public:
  LinkModel(const LinkProfile& profile, uint64_t seed);

  // A packet reaches the queue at `now`. A time before that of an earlier call counts as that one.
  // kQueued says nothing about losses behind the queue.
  Admission OnPacket(std::vector<uint8_t> packet, Timestamp now);

  // Holds from `now` on. What waits in the queue leaves at the new rate, the rest of a packet that
  // is on the wire too; a packet that has left it is not touched.
  void ChangeProfile(const LinkProfile& profile, Timestamp now);

  // What leaves the wire from `begin` on and before `begin + length` is lost.
  void AddOutage(Timestamp begin, Duration length);

  // The next packet that has arrived at `now`, if any.
  std::optional<LinkDelivery> PollDelivery(Timestamp now);

  // PollDelivery() gives nothing before. Infinite() when the link is empty.
  Timestamp next_deadline() const;

  const LinkProfile& profile() const { return profile_; }
  const LinkCounters& counters() const { return counters_; }
  // In the queue, on the wire or behind it.
  size_t pending_packets() const { return queue_.size() + arriving_.size(); }

  void CheckInvariants() const;

 private:
  struct Arrival {
    Timestamp time;
    uint64_t departure = 0;  // Of the packets that were not lost, copies included.
    std::vector<uint8_t> packet;
  };
  struct LaterFirst {
    bool operator()(const Arrival& a, const Arrival& b) const {
      return a.time != b.time ? a.time > b.time : a.departure > b.departure;
    }
  };

  bool QueueHasRoomFor(uint64_t packet_bytes, Timestamp now) const;
  void LetPacketsLeave(Timestamp now);
  void LeaveWire(std::vector<uint8_t> packet, Timestamp now);
  bool IsOut(Timestamp now) const;
  bool IsLostInBurst();
  Timestamp ArrivalOf(Timestamp left_wire);
  void Corrupt(std::vector<uint8_t>& packet);
  void PushArrival(Arrival arrival);

  LinkProfile profile_;
  SeededRandom loss_dice_;
  SeededRandom burst_dice_;
  SeededRandom jitter_dice_;
  SeededRandom reorder_dice_;
  SeededRandom duplicate_dice_;
  SeededRandom corrupt_dice_;

  // The first is on the wire, and leaves it at `head_leaves_`.
  std::deque<std::vector<uint8_t>> queue_;
  uint64_t queued_bytes_ = 0;
  Timestamp head_leaves_ = Timestamp::Infinite();
  Timestamp wire_free_ = Timestamp::InfinitePast();
  Timestamp last_input_ = Timestamp::InfinitePast();

  std::vector<std::pair<Timestamp, Timestamp>> outages_;
  bool is_bad_ = false;

  std::vector<Arrival> arriving_;  // A heap, the earliest on top.
  uint64_t next_departure_ = 0;
  Timestamp last_arrival_ = Timestamp::InfinitePast();
  uint64_t largest_delivered_departure_ = 0;

  LinkCounters counters_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_LINK_MODEL_H_
