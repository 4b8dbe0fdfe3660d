// SPDX-License-Identifier: Apache-2.0
//
// MemoryBudget: what all connections of an endpoint hold together, and what follows from that:
//
//   above 75 %   no flow-control window grows, until it is below 70 % again
//   above 90 %   no connection is opened or accepted
//   from 100 %   a connection that holds more than its share of an eighth of the budget gets small
//                datagrams only; the others go on, so that one full connection does not stop all
//
// The bound that follows: a connection takes in data while the budget is spent only as long as it
// is below its share, and then at most one run of datagrams beyond. So large datagrams cannot bring
// the sum above 9/8 of the budget and a run for each connection. Small ones are always let in,
// because without acknowledgments nothing that we have sent would ever be freed; what they can
// carry is bounded by the windows, which do not grow any more. What the application writes is
// bounded per connection (StreamConfig), not here.
//
// It does not know connections: their numbers come as differences.
#ifndef GODWIT_TRANSPORT_ENDPOINT_MEMORY_BUDGET_H_
#define GODWIT_TRANSPORT_ENDPOINT_MEMORY_BUDGET_H_

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/limits.h"

namespace godwit {

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  uint64_t held_bytes() const { return held_bytes_; }

  struct Change {
    uint64_t before_bytes;
    uint64_t after_bytes;
  };
  // What one connection holds has changed. True if may_grow_windows() has, too.
  [[nodiscard]] bool OnHeldBytesChanged(const Change& change) {
    GODWIT_CHECK_GE(held_bytes_, change.before_bytes);
    held_bytes_ = held_bytes_ - change.before_bytes + change.after_bytes;
    const uint64_t percent = may_grow_windows_ ? kGrowthEndsPercent : kGrowthResumesPercent;
    const bool may_grow = held_bytes_ <= PercentOfBudget(percent);
    const bool has_changed = may_grow != may_grow_windows_;
    may_grow_windows_ = may_grow;
    return has_changed;
  }

  bool may_grow_windows() const { return may_grow_windows_; }
  bool may_open_connection() const {
    return held_bytes_ <= PercentOfBudget(kNewConnectionsEndPercent);
  }
  bool is_spent() const { return held_bytes_ >= budget_bytes_; }

  struct Arrival {
    size_t datagram_bytes;
    uint64_t held_bytes;  // By its connection.
    size_t connection_count;
  };
  // Whether the datagram may be read.
  bool Admits(const Arrival& arrival) const {
    if (!is_spent() || arrival.datagram_bytes <= kMaxDatagramBytesWithoutMemory) return true;
    return arrival.held_bytes <= budget_bytes_ / 8 / (arrival.connection_count + 1);
  }

 private:
  static constexpr uint64_t kGrowthEndsPercent = 75;
  // Telling every connection costs time; an application that reads and stops must not cause that
  // with each packet.
  static constexpr uint64_t kGrowthResumesPercent = 70;
  static constexpr uint64_t kNewConnectionsEndPercent = 90;

  uint64_t PercentOfBudget(uint64_t percent) const { return budget_bytes_ / 100 * percent; }

  uint64_t budget_bytes_;
  uint64_t held_bytes_ = 0;
  bool may_grow_windows_ = true;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_MEMORY_BUDGET_H_
