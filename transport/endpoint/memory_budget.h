// SPDX-License-Identifier: Apache-2.0
//
// MemoryBudget: what all connections of an endpoint hold together, and what follows from that:
//
//   above 75 %   no flow-control window grows, until it is below 70 % again
//   above 90 %   no connection is opened or accepted
//   from 93 %    a connection that holds more than its share of a thirty-second of the budget gets
//                small datagrams only; the others go on, so that one full connection does not stop
//                all
//   from 96 %    such a connection gets nothing at all
//
// The bound that follows: from 96 % on, only connections below their share add anything, and
// altogether not more than a thirty-second of the budget, which leaves something for memory that
// comes in blocks. Small datagrams are let in as long as possible, because without acknowledgments
// nothing that we have sent would ever be freed. What the application writes is bounded per
// connection (StreamConfig), not here.
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
  // Every datagram is to be asked for, if the next ones have so many bytes.
  bool is_spent_with(uint64_t arriving_bytes) const {
    return held_bytes_ + arriving_bytes >= PercentOfBudget(kSpentPercent);
  }

  struct Arrival {
    size_t datagram_bytes;
    uint64_t held_bytes;  // By its connection.
    size_t connection_count;
  };
  // Whether the datagram may be read.
  bool Admits(const Arrival& arrival) const {
    if (!is_spent_with(arrival.datagram_bytes)) return true;
    const uint64_t share = budget_bytes_ / 32 / (arrival.connection_count + 1);
    if (arrival.held_bytes + arrival.datagram_bytes <= share) return true;
    return arrival.datagram_bytes <= kMaxDatagramBytesWithoutMemory &&
           held_bytes_ < PercentOfBudget(kExhaustedPercent);
  }

 private:
  static constexpr uint64_t kGrowthEndsPercent = 75;
  // Telling every connection costs time; an application that reads and stops must not cause that
  // with each packet.
  static constexpr uint64_t kGrowthResumesPercent = 70;
  static constexpr uint64_t kNewConnectionsEndPercent = 90;
  static constexpr uint64_t kSpentPercent = 93;
  static constexpr uint64_t kExhaustedPercent = 96;

  uint64_t PercentOfBudget(uint64_t percent) const { return budget_bytes_ / 100 * percent; }

  uint64_t budget_bytes_;
  uint64_t held_bytes_ = 0;
  bool may_grow_windows_ = true;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_MEMORY_BUDGET_H_
