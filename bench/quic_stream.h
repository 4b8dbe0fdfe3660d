// SPDX-License-Identifier: Apache-2.0
//
// What the handlers of these programs need of a stream beside ConnectionRef: QuicStreamKey, under
// which to keep what is known of it, and DrainStream(), which looks at no more than lengths.
#ifndef GODWIT_BENCH_QUIC_STREAM_H_
#define GODWIT_BENCH_QUIC_STREAM_H_

#include <compare>
#include <cstdint>

#include "godwit/connection_ref.h"
#include "godwit/stream_id.h"

namespace godwit {

struct QuicStreamKey {
  uint32_t slot;
  uint32_t generation;
  uint64_t stream;

  static QuicStreamKey Of(const ConnectionRef& connection, StreamId stream) {
    return {connection.handle().slot, connection.handle().generation, stream.value()};
  }
  // Of a connection, the streams of which are from one to the other.
  static QuicStreamKey FirstOf(const ConnectionRef& connection) {
    return {connection.handle().slot, connection.handle().generation, 0};
  }
  static QuicStreamKey LastOf(const ConnectionRef& connection) {
    return {connection.handle().slot, connection.handle().generation, ~uint64_t{0}};
  }

  friend auto operator<=>(const QuicStreamKey&, const QuicStreamKey&) = default;
};

struct DrainedBytes {
  uint64_t bytes = 0;
  bool is_end = false;  // These were the last of the stream.
};

// Takes what there is to read.
inline DrainedBytes DrainStream(ConnectionRef& connection, StreamId stream) {
  const auto state = connection.ReadState(stream);
  if (!state.ok()) return {};
  const uint64_t bytes = state->readable_bytes;
  if (bytes != 0 && !connection.Consume(stream, bytes).ok()) return {};
  return {bytes, state->is_finished || state->has_all_data};
}

}  // namespace godwit

#endif  // GODWIT_BENCH_QUIC_STREAM_H_
