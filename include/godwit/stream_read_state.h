// SPDX-License-Identifier: Apache-2.0
//
// StreamReadState: how far a stream was received and read. RFC 9000 §3.2.
#ifndef GODWIT_INCLUDE_STREAM_READ_STATE_H_
#define GODWIT_INCLUDE_STREAM_READ_STATE_H_

#include <cstdint>
#include <optional>

namespace godwit {

struct StreamReadState {
  uint64_t readable_bytes = 0;
  bool has_all_data = false;            // Nothing is missing up to the end of the stream.
  bool is_finished = false;             // All was read up to the end of the stream.
  std::optional<uint64_t> final_size;   // Once the peer has said it.
  std::optional<uint64_t> reset_error;  // The peer gave up sending.
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_STREAM_READ_STATE_H_
