// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/delivery_ledger.h"

#include "absl/strings/str_cat.h"

#include "tests/sim/stream_content.h"

namespace godwit {
namespace {

constexpr size_t kMaxProblems = 20;
constexpr int kStreamsDescribed = 5;
// Streams have no such ids.
constexpr uint64_t kFirstDatagramSource = uint64_t{1} << 62;

std::string Describe(const LedgerKey& key) {
  return absl::StrCat("stream ", key.stream, " from the ",
                      key.sender == Perspective::kClient ? "client" : "server");
}

}  // namespace

DeliveryLedger::Record& DeliveryLedger::Find(const LedgerKey& key) {
  const auto [found, is_new] = records_.try_emplace(key);
  if (is_new) unsettled_.insert(key);
  return found->second;
}

void DeliveryLedger::Settle(const LedgerKey& key, const Record& record) {
  const bool is_read = record.is_finished && record.is_end_read;
  const bool is_reset = record.reset.has_value() && (record.reset_read.has_value() ||
                                                     record.is_end_read || record.stop.has_value());
  const bool is_stopped =
      record.stop.has_value() && (record.stop_read.has_value() || record.is_finished);
  if (is_read || is_reset || is_stopped) unsettled_.erase(key);
}

void DeliveryLedger::Report(const LedgerKey& key, const std::string& what) {
  if (problems_.size() < kMaxProblems) problems_.push_back(Describe(key) + ": " + what);
}

// ---- The sender ----

void DeliveryLedger::OnWritten(const LedgerKey& key, uint64_t bytes) {
  Record& record = Find(key);
  record.written_bytes += bytes;
  written_bytes_ += bytes;
}

void DeliveryLedger::OnFinished(const LedgerKey& key) {
  Record& record = Find(key);
  record.is_finished = true;
  Settle(key, record);
}

void DeliveryLedger::OnReset(const LedgerKey& key, uint64_t code) {
  Record& record = Find(key);
  record.reset = code;
  Settle(key, record);
}

void DeliveryLedger::OnStopRead(const LedgerKey& key, uint64_t code) {
  Record& record = Find(key);
  if (record.stop != code) Report(key, absl::StrCat("stopped with code ", code, " by nobody"));
  record.stop_read = code;
  ++progress_;
  Settle(key, record);
}

// ---- The receiver ----

void DeliveryLedger::OnRead(const LedgerKey& key, std::span<const uint8_t> bytes) {
  Record& record = Find(key);
  if (bytes.empty()) return;
  if (record.is_end_read) Report(key, "data after its end");
  if (record.reset_read.has_value()) Report(key, "data after its reset");
  const ContentSource source = {key.stream, key.sender};
  if (!source.Matches(record.read_bytes, bytes)) {
    Report(key, absl::StrCat("wrong data in ", bytes.size(), " bytes at ", record.read_bytes));
  }
  record.read_bytes += bytes.size();
  if (record.read_bytes > record.written_bytes) {
    Report(key,
           absl::StrCat(record.read_bytes, " bytes were read, ", record.written_bytes, " written"));
  }
  read_bytes_ += bytes.size();
  ++progress_;
}

void DeliveryLedger::OnEndRead(const LedgerKey& key) {
  Record& record = Find(key);
  if (!record.is_finished) Report(key, "ends, and nobody ended it");
  if (record.read_bytes != record.written_bytes) {
    Report(key, absl::StrCat("ends after ", record.read_bytes, " of ", record.written_bytes));
  }
  if (record.is_end_read) Report(key, "ends twice");
  record.is_end_read = true;
  ++progress_;
  Settle(key, record);
}

void DeliveryLedger::OnResetRead(const LedgerKey& key, uint64_t code) {
  Record& record = Find(key);
  // RFC 9000 §3.5: who is asked to stop resets the stream, with the code it was sent, if it likes.
  if (record.reset != code && record.stop != code) {
    Report(key, absl::StrCat("reset with code ", code, " by nobody"));
  }
  record.reset_read = code;
  ++progress_;
  Settle(key, record);
}

void DeliveryLedger::OnStop(const LedgerKey& key, uint64_t code) {
  Record& record = Find(key);
  record.stop = code;
  Settle(key, record);
}

DeliveryLedger::Record DeliveryLedger::RecordOf(uint64_t stream, Perspective sender) const {
  for (const auto& [key, record] : records_) {
    if (key.stream == stream && key.sender == sender) return record;
  }
  return {};
}

std::string DeliveryLedger::DescribeUnsettled() const {
  std::string text;
  int count = 0;
  for (const LedgerKey& key : unsettled_) {
    if (++count > kStreamsDescribed) break;
    const Record& record = records_.at(key);
    absl::StrAppend(&text, "  ", Describe(key), ": written ", record.written_bytes,
                    record.is_finished ? " and finished" : "", ", read ", record.read_bytes,
                    record.is_end_read ? " and ended" : "",
                    record.reset.has_value() ? ", reset" : "",
                    record.stop.has_value() ? ", stopped" : "", "\n");
  }
  if (!unsettled_.empty()) absl::StrAppend(&text, "  (", unsettled_.size(), " in all)\n");
  return text;
}

// ---- Datagrams ----

void DeliveryLedger::FillDatagram(Perspective sender, uint64_t number,
                                  std::span<uint8_t> bytes) const {
  ContentSource{kFirstDatagramSource + number, sender}.Fill(0, bytes);
  for (size_t i = 0; i < kMinDatagramBytes; ++i) {
    bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  }
}

void DeliveryLedger::OnDatagramSent(uint64_t pair, Perspective sender, uint64_t number) {
  ++datagrams_sent_;
  datagrams_in_flight_[{pair, sender}].insert(number);
}

void DeliveryLedger::OnDatagramRead(uint64_t pair, Perspective sender,
                                    std::span<const uint8_t> bytes) {
  const LedgerKey key = {pair, kFirstDatagramSource, sender};
  ++progress_;
  if (bytes.size() < kMinDatagramBytes) return Report(key, "a datagram that is too short");
  uint64_t number = 0;
  for (size_t i = 0; i < kMinDatagramBytes; ++i) number |= uint64_t{bytes[i]} << (8 * i);
  if (!ContentSource{kFirstDatagramSource + number, sender}.Matches(
          kMinDatagramBytes, bytes.subspan(kMinDatagramBytes))) {
    Report(key, absl::StrCat("wrong data in datagram ", number));
  }
  if (datagrams_in_flight_[{pair, sender}].erase(number) == 0) {
    Report(key, absl::StrCat("datagram ", number, " came twice or was never sent"));
  }
  ++datagrams_read_;
}

}  // namespace godwit
