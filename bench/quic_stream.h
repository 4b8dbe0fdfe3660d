// SPDX-License-Identifier: Apache-2.0
//
// What the handlers of these programs need of a stream beside ConnectionRef: QuicStreamKey and
// ByStreamIndex, under which to keep what is known of it, and DrainStream(), which looks at no more
// than lengths.
#ifndef GODWIT_BENCH_QUIC_STREAM_H_
#define GODWIT_BENCH_QUIC_STREAM_H_

#include <compare>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/check.h"
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

// Something for each stream of one kind of one connection. Their ids follow each other, so nothing
// is searched for: as little work as a queue, which is what the same takes over TCP.
template <typename T>
class ByStreamIndex {
 public:
  // Each once, the lower one first.
  T& Add(StreamId id) {
    GODWIT_CHECK_EQ(id.index(), first_ + values_.size());
    return values_.emplace_back(T()).value();
  }
  // Null if it was not added, or was removed.
  T* Find(StreamId id) {
    const uint64_t place = id.index() - first_;
    return place < values_.size() && values_[place].has_value() ? &*values_[place] : nullptr;
  }
  // It is there.
  void Remove(StreamId id) {
    values_[id.index() - first_].reset();
    while (!values_.empty() && !values_.front().has_value()) {
      values_.pop_front();
      ++first_;
    }
  }

 private:
  uint64_t first_ = 0;  // Index of values_.front().
  std::deque<std::optional<T>> values_;
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
