// SPDX-License-Identifier: Apache-2.0
//
// Pacer: spreads packets over time at the controller's rate (RFC 9002 §7.7): a bucket of credit
// that fills at that rate and that packets empty. It says how many bytes may leave now and when
// more may; whether the window allows them is decided elsewhere. Packets that must not wait
// (acknowledgments, probes) are sent without asking; those that count as in flight are reported
// here all the same, and what follows them waits.
//
// Invariants:
//  1. In any span of time, no more leaves by its leave than the rate carries in that span and one
//     burst: what the rate carries in 1 ms, or 2 datagrams if that is more. Before that a path may
//     take an initial burst, once.
//  2. Credit is counted exactly: over any number of packets the rate is neither missed nor exceeded
//     by rounding.
//  3. Credit is never more than a burst, debt neither.
#ifndef GODWIT_CONGESTION_PACER_H_
#define GODWIT_CONGESTION_PACER_H_

#include <cstdint>

#include "godwit/bandwidth.h"
#include "godwit/time.h"

namespace godwit {

class Pacer {
 public:
  // Unlimited until SetRate(). `initial_burst_bytes`: what may leave at once however low the rate:
  // the initial window (RFC 9002 §7.7).
  explicit Pacer(uint64_t initial_burst_bytes) : initial_burst_bytes_(initial_burst_bytes) {}

  // Cheap if nothing changes. Times must not decrease from call to call; if one does, it counts as
  // the latest before.
  void SetRate(Timestamp now, Bandwidth rate, uint64_t max_datagram_bytes);

  // The largest uint64 if there is no limit.
  uint64_t BudgetBytes(Timestamp now) const;

  // When the budget will have reached `bytes`, or a burst if that is less, if nothing is sent until
  // then. InfinitePast() if it needs no waiting for credit; any time in the past means the same.
  Timestamp ReleaseTime(uint64_t bytes) const;

  // Packets leave, as one or as a train of this size.
  void OnSent(Timestamp now, uint64_t bytes);

  Bandwidth rate() const { return rate_; }
  uint64_t burst_bytes() const { return burst_bytes_; }

  void CheckInvariants() const;

 private:
  int64_t CreditAt(Timestamp now) const;

  Bandwidth rate_ = Bandwidth::Infinite();
  uint64_t burst_bytes_ = 0;
  uint64_t initial_burst_bytes_;  // What is left of it.
  // In units of 1 / 8,000,000,000 byte: what a rate of 1 bit/s carries in 1 ns. Negative: debt.
  int64_t credit_ = 0;
  Timestamp credit_time_ = Timestamp::InfinitePast();
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_PACER_H_
