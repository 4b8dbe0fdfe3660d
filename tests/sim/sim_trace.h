// SPDX-License-Identifier: Apache-2.0
//
// SimTrace: what happened in a run, in order: times, sizes, drops with their reasons, packet
// numbers and frames. It is hashed as it grows, so that two runs can be compared, and is told line
// by line to whoever wants to read it.
//
// Invariant: ciphertext and addresses of memory do not enter, so a seed gives the same trace with
// every TLS session whose messages have the same sizes.
#ifndef GODWIT_TESTS_SIM_SIM_TRACE_H_
#define GODWIT_TESTS_SIM_SIM_TRACE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "godwit/time.h"

namespace godwit {

struct TraceEntry {
  std::string_view what;   // "drop: queue full"
  std::string_view where;  // The link or node.
  uint64_t number = 0;     // The datagram's number, or what the entry speaks of.
  uint64_t bytes = 0;
};

class SimTrace {
 public:
  using Sink = std::function<void(const std::string& line)>;

  void SetSink(Sink sink) { sink_ = std::move(sink); }
  bool has_sink() const { return sink_ != nullptr; }

  void Add(Timestamp now, const TraceEntry& entry);
  // For people: not hashed.
  void Comment(Timestamp now, const std::string& text);

  uint64_t hash() const { return hash_; }
  uint64_t entry_count() const { return entry_count_; }
  // How often `what` happened.
  uint64_t CountOf(std::string_view what) const;

 private:
  void Absorb(uint64_t word);
  void Absorb(std::string_view text);

  Sink sink_;
  uint64_t hash_ = 0x6a09e667f3bcc908;
  uint64_t entry_count_ = 0;
  std::map<std::string, uint64_t, std::less<>> counts_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_SIM_TRACE_H_
