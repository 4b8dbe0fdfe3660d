// SPDX-License-Identifier: Apache-2.0
//
// StreamWriter: the sending application of one direction of a stream: writes what its plan says,
// as far as the transport takes it, and tells the ledger.
#ifndef GODWIT_TESTS_SIM_STREAM_WRITER_H_
#define GODWIT_TESTS_SIM_STREAM_WRITER_H_

#include <cstdint>
#include <vector>

#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "tests/sim/app_plan.h"
#include "tests/sim/delivery_ledger.h"
#include "transport/connection/connection.h"

namespace godwit {

inline constexpr uint64_t kResetCode = 0x77;

class StreamWriter {
 public:
  // `ledger` outlives it.
  StreamWriter(StreamId id, const StreamPlan& plan, const LedgerKey& key, DeliveryLedger* ledger)
      : id_(id), plan_(plan), key_(key), ledger_(*ledger) {}

  // Writes what can be written now.
  void Pump(Connection& connection, Timestamp now);
  // When it wants to write again by itself.
  Timestamp next_write() const { return next_write_; }

  void AddBytes(uint64_t bytes) { plan_.bytes += bytes; }
  // Without a hold the stream ends after the plan's bytes; with one it waits for more.
  void SetHeld(bool is_held) { is_held_ = is_held; }

  void OnStopped(uint64_t code);
  void OnSendComplete() { is_acknowledged_ = true; }

  // Nothing more will be written.
  bool is_over() const { return is_over_; }
  // Nothing more will be written, and the peer has what was.
  bool is_done() const { return is_over_ && (is_acknowledged_ || is_given_up_); }

 private:
  uint64_t WriteOnce(Connection& connection, uint64_t bytes);

  StreamId id_;
  StreamPlan plan_;
  LedgerKey key_;
  DeliveryLedger& ledger_;
  uint64_t written_bytes_ = 0;
  Timestamp next_write_ = Timestamp::Infinite();
  bool is_held_ = false;
  bool is_over_ = false;
  bool is_given_up_ = false;
  bool is_acknowledged_ = false;
  std::vector<uint8_t> buffer_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_STREAM_WRITER_H_
