// SPDX-License-Identifier: Apache-2.0
//
// TransferPattern: what transfers are filled with: bytes that follow from the flow's number and the
// offset in it, so that a receiver can tell a byte that is wrong, missing, doubled, moved or from
// another flow. They lie in memory once, ready to be sent from; to make them costs nothing.
#ifndef GODWIT_BENCH_TRANSFER_PATTERN_H_
#define GODWIT_BENCH_TRANSFER_PATTERN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/seeded_random.h"

namespace godwit {

class TransferPattern {
 public:
  // At() gives at least so many.
  static constexpr size_t kMinBytes = size_t{128} << 10;

  TransferPattern() : bytes_(kPeriod + kMinBytes) {
    SeededRandom(1).Fill(std::span(bytes_).first(kPeriod));
    for (size_t i = kPeriod; i < bytes_.size(); ++i) bytes_[i] = bytes_[i - kPeriod];
  }

  // What flow `flow` has from `offset` on. Valid as long as this object.
  std::span<const uint8_t> At(uint64_t flow, uint64_t offset) const {
    return std::span(bytes_).subspan((offset + flow * kFlowStep) % kPeriod);
  }

  bool Matches(uint64_t flow, uint64_t offset, std::span<const uint8_t> received) const {
    while (!received.empty()) {
      const std::span<const uint8_t> expected = At(flow, offset);
      const size_t count = std::min(expected.size(), received.size());
      if (!std::equal(received.begin(), received.begin() + count, expected.begin())) return false;
      received = received.subspan(count);
      offset += count;
    }
    return true;
  }

 private:
  // Two primes, so that neither blocks of a power of two nor flows fall on the same bytes.
  static constexpr size_t kPeriod = 65'521;
  static constexpr size_t kFlowStep = 4'099;

  std::vector<uint8_t> bytes_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_TRANSFER_PATTERN_H_
