// SPDX-License-Identifier: Apache-2.0
//
// RecvStream: the receiving part of a stream: its state, what has come, the window that it grants,
// and the frames about it, MAX_STREAM_DATA and STOP_SENDING. RFC 9000 §3.2, §3.3, §3.5, §4.1, §4.5.
//
// Two numbers tell what a stream means for the connection's flow control: how many bytes the peer
// has used (received), and how many of them the application is done with (credited): read, or
// dropped after a reset or a StopSending(). What a call changes of them, its caller sees.
//
// Invariants:
// 1. credited_bytes() <= received_bytes() <= the stream's limit.
// 2. After StopSending() or RESET_STREAM nothing is kept, and all received bytes are credited.
// 3. MAX_STREAM_DATA and STOP_SENDING can be pending only in kRecv, where they mean something.
#ifndef GODWIT_TRANSPORT_STREAMS_RECV_STREAM_H_
#define GODWIT_TRANSPORT_STREAMS_RECV_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/packet_number.h"
#include "base/result.h"
#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/reassembler.h"
#include "transport/delivery/reliable_value.h"
#include "transport/streams/recv_flow.h"
#include "transport/streams/stream_pools.h"

namespace godwit {

class RecvStream {
 public:
  // RFC 9000 §3.2, figure 3. The application "reads" all data when it has consumed it and knows
  // that nothing follows, and a reset when it is told of it; both at once if it wants none.
  //
  //        o
  //        | Recv STREAM / STREAM_DATA_BLOCKED / RESET_STREAM
  //        | Create Bidirectional Stream (Sending)
  //        | Recv MAX_STREAM_DATA / STOP_SENDING (Bidirectional)
  //        | Create Higher-Numbered Stream
  //        v
  //    +-------+
  //    | Recv  | Recv RESET_STREAM
  //    |       |-----------------------.
  //    +-------+                       |
  //        | Recv STREAM + FIN         |
  //        v                           |
  //    +-------+                       |
  //    | Size  | Recv RESET_STREAM     |
  //    | Known |---------------------->|
  //    +-------+                       |
  //        | Recv All Data             |
  //        v                           v
  //    +-------+ Recv RESET_STREAM +-------+
  //    | Data  |--- (optional) --->| Reset |
  //    | Recvd |  Recv All Data    | Recvd |
  //    +-------+<-- (optional) ----+-------+
  //        | App Read All Data         | App Read Reset
  //        v                           v
  //    +-------+                   +-------+
  //    | Data  |                   | Reset |
  //    | Read  |                   | Read  |
  //    +-------+                   +-------+
  //
  // Neither of the optional steps is taken.
  enum class State : uint8_t { kRecv, kSizeKnown, kDataRecvd, kDataRead, kResetRecvd, kResetRead };

  // What a frame brought.
  struct Outcome {
    bool has_more_to_read = false;
    bool has_ended = false;  // Now in kDataRecvd or kResetRecvd, where the application is waiting.
  };

  explicit RecvStream(uint64_t window_bytes) : flow_(window_bytes) {}

  State state() const { return state_; }
  // RFC 9000 §3.2: in a terminal state.
  bool is_over() const { return state_ == State::kDataRead || state_ == State::kResetRead; }
  bool is_stopped() const { return is_stopped_; }

  // ---- Frames. After an error the connection is to be closed. ----

  // How far a frame that ends at `end_bytes` goes beyond what came before.
  uint64_t NewBytes(uint64_t end_bytes) const {
    const uint64_t received = reassembler_.highest_received();
    return end_bytes > received ? end_bytes - received : 0;
  }
  Result OnData(const ReceivedSegment& segment, const StreamContext& context, Outcome& outcome);
  struct ResetSignal {
    uint64_t final_size_bytes;
    uint64_t error_code;
  };
  Result OnReset(const ResetSignal& reset, ReceiveBlockPool& pool, Outcome& outcome);
  // The peer waits at `limit_bytes`. True if MAX_STREAM_DATA has become pending.
  bool OnPeerBlocked(uint64_t limit_bytes);

  // ---- The application's side ----

  uint64_t readable_bytes() const { return reassembler_.readable_bytes(); }
  size_t Peek(std::span<std::span<const uint8_t>> views) const { return reassembler_.Peek(views); }
  // At most readable_bytes(). True if MAX_STREAM_DATA has become pending.
  bool Consume(uint64_t byte_count, const StreamContext& context, uint64_t max_window_bytes);
  // RFC 9000 §3.5. Not when is_stopped() or is_over().
  void StopSending(uint64_t error_code, ReceiveBlockPool& pool);
  // The application knows that has_ended.
  void OnEndReported();

  bool is_consumed() const { return reassembler_.is_consumed(); }
  std::optional<uint64_t> final_size() const { return reassembler_.final_size(); }
  std::optional<uint64_t> reset_error() const;

  // ---- For the connection ----

  uint64_t received_bytes() const { return reassembler_.highest_received(); }
  uint64_t credited_bytes() const {
    return is_discarding() ? reassembler_.highest_received() : reassembler_.read_offset();
  }
  uint64_t limit_bytes() const { return flow_.limit_bytes(); }
  uint64_t window_bytes() const { return flow_.window_bytes(); }
  // Memory of blocks.
  uint64_t allocated_bytes() const { return reassembler_.allocated_bytes(); }

  bool has_borrowed() const { return reassembler_.has_borrowed(); }
  void KeepBorrowed(ReceiveBlockPool& pool) { reassembler_.KeepBorrowed(pool); }
  // The connection is over.
  void ReleaseAll(ReceiveBlockPool& pool) { reassembler_.Discard(pool); }

  // ---- Frames about the stream ----

  bool HasPendingControl() const {
    return signals_ != nullptr &&
           (signals_->max_data.HasPending() || signals_->stop_sending.HasPending());
  }
  // False if not all fits.
  bool WriteControlFrames(StreamId id, FrameWriter& writer);
  void OnMaxDataAcked(PacketNumber number);
  void OnMaxDataLost(PacketNumber number);
  void OnStopSendingAcked(PacketNumber number);
  void OnStopSendingLost(PacketNumber number);

  void CheckInvariants() const;

 private:
  // Short streams never need them.
  struct Signals {
    ReliableValue<uint64_t, ValueNature::kIncreasing> max_data;
    ReliableValue<uint64_t, ValueNature::kOnce> stop_sending;  // The error code.
    std::optional<uint64_t> reset_error;
  };

  Signals& signals();
  bool is_reset() const { return state_ == State::kResetRecvd || state_ == State::kResetRead; }
  bool is_discarding() const { return is_stopped_ || is_reset(); }
  // Leaves kRecv: no frame of ours could make the peer send more, or less.
  void OnSizeKnown();

  Reassembler reassembler_;
  RecvFlow flow_;
  std::unique_ptr<Signals> signals_;
  State state_ = State::kRecv;
  bool is_stopped_ = false;
  bool is_end_reported_ = false;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_RECV_STREAM_H_
