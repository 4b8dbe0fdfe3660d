// SPDX-License-Identifier: Apache-2.0
//
// Ranges of packet numbers as an ACK frame brings them: encoded, and with the bytes that AckRanges
// refers to. RFC 9000 §19.3.1.
#ifndef GODWIT_TESTS_TRANSPORT_RECOVERY_ENCODED_ACK_RANGES_H_
#define GODWIT_TESTS_TRANSPORT_RECOVERY_ENCODED_ACK_RANGES_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/packet_number.h"
#include "transport/wire/ack_ranges.h"
#include "transport/wire/byte_writer.h"

namespace godwit {

class EncodedAckRanges {
 public:
  // From the smallest to the largest of each range, both included; the ranges descend.
  using Range = std::pair<uint64_t, uint64_t>;

  EncodedAckRanges(std::initializer_list<Range> ranges)
      : EncodedAckRanges(std::span(ranges.begin(), ranges.size())) {}

  explicit EncodedAckRanges(std::span<const Range> ranges)
      : first_(ranges.front()), count_(ranges.size()), bytes_(16 * ranges.size()) {
    ByteWriter writer(bytes_);
    for (size_t i = 1; i < ranges.size(); ++i) {
      GODWIT_CHECK_GT(ranges[i - 1].first, ranges[i].second + 1);
      writer.WriteVarint(ranges[i - 1].first - ranges[i].second - 2);
      writer.WriteVarint(ranges[i].second - ranges[i].first);
    }
  }

  AckRanges view() const {
    const AckRange first{PacketNumber(first_.first), PacketNumber(first_.second)};
    return AckRanges(first, count_, bytes_);
  }

 private:
  Range first_;
  size_t count_;
  std::vector<uint8_t> bytes_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_RECOVERY_ENCODED_ACK_RANGES_H_
