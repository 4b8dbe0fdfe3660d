// SPDX-License-Identifier: Apache-2.0
//
// StreamReceiver: the receiving side of all streams together: the connection's receive window, the
// MAX_DATA frame, the memory that received data takes, and which streams borrow from datagrams.
// RFC 9000 §2.2, §4.1, §4.2, §19.9.
//
// Every byte that the peer uses of the connection's window comes back: when it is read, when it is
// dropped because nobody will read it, or when a reset says that it will never come.
//
// The states of a stream are in recv_stream.h, the arithmetic of a window in recv_flow.h.
//
// Invariants: received_bytes() and credited_bytes() are the sums over all streams, those included
// that are gone; received_bytes() <= limit_bytes().
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_RECEIVER_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_RECEIVER_H_

#include <cstdint>
#include <vector>

#include "base/packet_number.h"
#include "base/result.h"
#include "godwit/connection_config.h"
#include "godwit/stream_id.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/reliable_value.h"
#include "transport/streams/recv_flow.h"
#include "transport/streams/recv_stream.h"
#include "transport/streams/stream.h"
#include "transport/streams/stream_pools.h"
#include "transport/streams/stream_table.h"
#include "transport/wire/frame.h"

namespace godwit {

class StreamReceiver {
 public:
  explicit StreamReceiver(const StreamConfig& config);

  // ---- Frames ----

  Result OnStreamFrame(Stream& stream, const StreamFrame& frame, const StreamContext& context,
                       RecvStream::Outcome& outcome);
  Result OnResetStreamFrame(Stream& stream, const ResetStreamFrame& frame,
                            const StreamContext& context, RecvStream::Outcome& outcome);
  // RFC 9000 §19.12.
  void OnDataBlockedFrame(const DataBlockedFrame& frame);

  // ---- The application's side: of streams that permit it ----

  // True if the stream has a frame to send by that.
  bool Consume(Stream& stream, uint64_t byte_count, const StreamContext& context);
  void StopSending(Stream& stream, uint64_t error_code, StreamPools& pools);

  // The memory of the datagrams is about to be used again.
  void KeepBorrowed(const StreamTable& table, StreamPools& pools);

  // ---- MAX_DATA ----

  bool HasPendingFrames() const { return max_data_.HasPending(); }
  // False if it does not fit.
  bool WriteFrames(FrameWriter& writer);
  void OnMaxDataAcked(PacketNumber number) { max_data_.OnAcked(number); }
  void OnMaxDataLost(PacketNumber number) { max_data_.OnLost(number); }

  uint64_t received_bytes() const { return received_; }
  uint64_t credited_bytes() const { return credited_; }
  uint64_t limit_bytes() const { return flow_.limit_bytes(); }
  uint64_t window_bytes() const { return flow_.window_bytes(); }
  // Of the window, beyond the initial one.
  uint64_t grown_bytes() const { return flow_.window_bytes() - initial_window_; }
  uint64_t allocated_bytes() const { return allocated_; }

  // The stream goes away: it is over, or the connection is.
  void Forget(Stream& stream, ReceiveBlockPool* pool);

  void CheckInvariants(const StreamTable& table) const;

 private:
  // What a stream contributes to the sums.
  struct Share {
    uint64_t received;
    uint64_t credited;
    uint64_t allocated;
  };
  static Share ShareOf(const Stream& stream) {
    return {.received = stream.recv.received_bytes(),
            .credited = stream.recv.credited_bytes(),
            .allocated = stream.recv.allocated_bytes()};
  }
  // A call that dropped or took in data has changed it.
  void OnShareChanged(const Share& before, const Stream& stream) {
    const Share after = ShareOf(stream);
    received_ += after.received - before.received;
    allocated_ += after.allocated - before.allocated;
    if (after.credited != before.credited) [[unlikely]] {
      OnDropped(after.credited - before.credited);
    }
  }
  void OnDropped(uint64_t byte_count);

  RecvFlow flow_;
  uint64_t initial_window_;
  uint64_t max_connection_window_;
  uint64_t max_stream_window_;
  uint64_t received_ = 0;
  uint64_t credited_ = 0;
  uint64_t allocated_ = 0;        // Of blocks.
  uint64_t forgotten_bytes_ = 0;  // That streams received which are gone.
  ReliableValue<uint64_t, ValueNature::kIncreasing> max_data_;
  std::vector<StreamId> borrowing_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_RECEIVER_H_
