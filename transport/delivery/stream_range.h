// SPDX-License-Identifier: Apache-2.0
//
// StreamRange: a run of bytes of a stream, or of the CRYPTO data of an encryption level, as one
// frame carries it (RFC 9000 §19.6, §19.8). It names bytes and holds none.
//
// Invariant: end_bytes() <= kMaxStreamOffset. An empty range without the end of the stream is
// nothing; with it, it is a frame that says no more than where the stream ends.
#ifndef GODWIT_TRANSPORT_DELIVERY_STREAM_RANGE_H_
#define GODWIT_TRANSPORT_DELIVERY_STREAM_RANGE_H_

#include <cstdint>

namespace godwit {

struct StreamRange {
  uint64_t offset_bytes = 0;
  uint64_t length_bytes = 0;
  bool is_fin = false;  // The stream ends behind these bytes.

  constexpr uint64_t end_bytes() const { return offset_bytes + length_bytes; }

  friend constexpr bool operator==(const StreamRange&, const StreamRange&) = default;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_DELIVERY_STREAM_RANGE_H_
