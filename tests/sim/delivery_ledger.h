// SPDX-License-Identifier: Apache-2.0
//
// DeliveryLedger: checks delivery. The applications of both ends tell it what they wrote and what
// they read; it knows what the bytes must be, and notes every byte that is wrong, that nobody has
// written, or that came twice or out of order, every end of a stream in the wrong place, and every
// datagram that came twice.
//
// It sees nothing of the transport. Ends are joined by a number that both have from their TLS
// session.
#ifndef GODWIT_TESTS_SIM_DELIVERY_LEDGER_H_
#define GODWIT_TESTS_SIM_DELIVERY_LEDGER_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "godwit/perspective.h"

namespace godwit {

// One direction of a stream.
struct LedgerKey {
  uint64_t pair = 0;  // Of a connection, the same at both ends.
  uint64_t stream = 0;
  Perspective sender = Perspective::kClient;

  friend auto operator<=>(const LedgerKey&, const LedgerKey&) = default;
};

class DeliveryLedger {
 public:
  struct Record {
    uint64_t written_bytes = 0;
    uint64_t read_bytes = 0;
    bool is_finished = false;            // The sender wrote its end.
    bool is_end_read = false;            // The receiver has read up to it.
    std::optional<uint64_t> reset;       // By the sender, with this code.
    std::optional<uint64_t> reset_read;  // What the receiver was told.
    std::optional<uint64_t> stop;        // By the receiver, with this code.
    std::optional<uint64_t> stop_read;   // What the sender was told.
  };

  void OnWritten(const LedgerKey& key, uint64_t bytes);
  void OnFinished(const LedgerKey& key);
  void OnReset(const LedgerKey& key, uint64_t code);
  void OnStopRead(const LedgerKey& key, uint64_t code);

  // `bytes` follow what was read before.
  void OnRead(const LedgerKey& key, std::span<const uint8_t> bytes);
  void OnEndRead(const LedgerKey& key);
  void OnResetRead(const LedgerKey& key, uint64_t code);
  void OnStop(const LedgerKey& key, uint64_t code);

  // Datagrams start with their number; `sender` counts from 0.
  static constexpr size_t kMinDatagramBytes = 8;
  void FillDatagram(Perspective sender, uint64_t number, std::span<uint8_t> bytes) const;
  void OnDatagramSent(uint64_t pair, Perspective sender, uint64_t number);
  void OnDatagramRead(uint64_t pair, Perspective sender, std::span<const uint8_t> bytes);

  // Every stream that somebody wrote to was read to its end, or given up by one of the ends and the
  // other one knows.
  bool IsSettled() const { return unsettled_.empty(); }
  // Streams for people, a few of those that are not settled.
  std::string DescribeUnsettled() const;

  uint64_t written_bytes() const { return written_bytes_; }
  uint64_t read_bytes() const { return read_bytes_; }
  uint64_t datagrams_sent() const { return datagrams_sent_; }
  uint64_t datagrams_read() const { return datagrams_read_; }
  size_t stream_count() const { return records_.size(); }
  // Of the only connection that there is: nothing yet if nobody has heard of the stream.
  Record RecordOf(uint64_t stream, Perspective sender) const;
  // Changes whenever something came to an application.
  uint64_t progress() const { return progress_; }

  const std::vector<std::string>& problems() const { return problems_; }

 private:
  Record& Find(const LedgerKey& key);
  void Settle(const LedgerKey& key, const Record& record);
  void Report(const LedgerKey& key, const std::string& what);

  std::map<LedgerKey, Record> records_;
  std::set<LedgerKey> unsettled_;
  std::map<std::pair<uint64_t, Perspective>, std::set<uint64_t>> datagrams_in_flight_;
  uint64_t written_bytes_ = 0;
  uint64_t read_bytes_ = 0;
  uint64_t datagrams_sent_ = 0;
  uint64_t datagrams_read_ = 0;
  uint64_t progress_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_DELIVERY_LEDGER_H_
