// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_trace.h"

#include "absl/strings/str_format.h"

namespace godwit {

void SimTrace::Add(Timestamp now, const TraceEntry& entry) {
  Absorb(static_cast<uint64_t>(now.ToNanoseconds()));
  Absorb(entry.what);
  Absorb(entry.where);
  Absorb(entry.number);
  Absorb(entry.bytes);
  ++entry_count_;
  const auto found = counts_.find(entry.what);
  if (found != counts_.end()) {
    ++found->second;
  } else {
    counts_.emplace(std::string(entry.what), 1);
  }
  if (sink_ == nullptr) return;
  sink_(absl::StrFormat("%14.6f ms %-12s %-24s #%-6d %d bytes",
                        static_cast<double>(now.ToNanoseconds()) / 1e6, entry.where, entry.what,
                        entry.number, entry.bytes));
}

void SimTrace::Comment(Timestamp now, const std::string& text) {
  if (sink_ == nullptr) return;
  sink_(absl::StrFormat("%14.6f ms %s", static_cast<double>(now.ToNanoseconds()) / 1e6, text));
}

uint64_t SimTrace::CountOf(std::string_view what) const {
  const auto found = counts_.find(what);
  return found == counts_.end() ? 0 : found->second;
}

void SimTrace::Absorb(uint64_t word) {
  hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15;
  hash_ ^= hash_ >> 29;
}

void SimTrace::Absorb(std::string_view text) {
  uint64_t word = text.size();
  for (const char c : text) word = (word ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  Absorb(word);
}

}  // namespace godwit
