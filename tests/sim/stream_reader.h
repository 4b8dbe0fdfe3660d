// SPDX-License-Identifier: Apache-2.0
//
// StreamReader: the receiving application of one direction of a stream: reads at its plan's speed,
// hands every byte to the ledger, and notices end and reset.
#ifndef GODWIT_TESTS_SIM_STREAM_READER_H_
#define GODWIT_TESTS_SIM_STREAM_READER_H_

#include <cstdint>

#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "tests/sim/app_plan.h"
#include "tests/sim/delivery_ledger.h"
#include "transport/connection/connection.h"

namespace godwit {

inline constexpr uint64_t kStopCode = 0x55;

class StreamReader {
 public:
  // `ledger` outlives it.
  StreamReader(StreamId id, const ReadPlan& plan, const LedgerKey& key, DeliveryLedger* ledger)
      : id_(id), plan_(plan), key_(key), ledger_(*ledger) {}

  // Reads what may be read now; how many bytes that were.
  uint64_t Pump(Connection& connection, Timestamp now);
  // When it wants to read again by itself.
  Timestamp next_read() const { return next_read_; }

  void OnFinished() { is_end_known_ = true; }
  void OnReset(uint64_t code);

  // Nothing more will be read.
  bool is_over() const { return is_over_; }

 private:
  uint64_t ReadUpTo(Connection& connection, Timestamp now, uint64_t bytes);
  void LookForEnd(Connection& connection);

  StreamId id_;
  ReadPlan plan_;
  LedgerKey key_;
  DeliveryLedger& ledger_;
  uint64_t read_bytes_ = 0;
  Timestamp next_read_ = Timestamp::Infinite();
  bool is_end_known_ = false;
  bool is_over_ = false;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_STREAM_READER_H_
