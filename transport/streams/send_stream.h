// SPDX-License-Identifier: Apache-2.0
//
// SendStream: the sending part of a stream: its state, its data, the limit that the peer has set
// for it, and the frames about it, RESET_STREAM and STREAM_DATA_BLOCKED. RFC 9000 §3.1, §3.3, §3.5,
// §4.1, §19.4, §19.13.
//
// It does not know of the connection's limit but as a parameter, nor when it is its turn.
//
// Invariants: sent_end() <= max_data_bytes(); RESET_STREAM wants to be sent or is under way exactly
// in kResetSent; STREAM_DATA_BLOCKED can be pending only while its limit is the current one.
#ifndef GODWIT_TRANSPORT_STREAMS_SEND_STREAM_H_
#define GODWIT_TRANSPORT_STREAMS_SEND_STREAM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/strings/cord.h"

#include "base/packet_number.h"
#include "godwit/stream_id.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/reliable_value.h"
#include "transport/delivery/send_buffer.h"
#include "transport/delivery/stream_range.h"
#include "transport/streams/stream_scheduler.h"

namespace godwit {

class SendStream {
 public:
  // RFC 9000 §3.1, figure 2. What counts as sent is what was written into a packet, or for
  // RESET_STREAM what was decided: nothing else can be sent from then on.
  //
  //        o
  //        | Create Stream (Sending)
  //        | Peer Creates Bidirectional Stream
  //        v
  //    +-------+
  //    | Ready | Send RESET_STREAM
  //    |       |-----------------------.
  //    +-------+                       |
  //        | Send STREAM /             |
  //        |      STREAM_DATA_BLOCKED  |
  //        v                           |
  //    +-------+                       |
  //    | Send  | Send RESET_STREAM     |
  //    |       |---------------------->|
  //    +-------+                       |
  //        | Send STREAM + FIN         |
  //        v                           v
  //    +-------+                   +-------+
  //    | Data  | Send RESET_STREAM | Reset |
  //    | Sent  |------------------>| Sent  |
  //    +-------+                   +-------+
  //        | Recv All ACKs             | Recv ACK
  //        v                           v
  //    +-------+                   +-------+
  //    | Data  |                   | Reset |
  //    | Recvd |                   | Recvd |
  //    +-------+                   +-------+
  enum class State : uint8_t { kReady, kSend, kDataSent, kDataRecvd, kResetSent, kResetRecvd };

  explicit SendStream(uint64_t max_data_bytes) : max_data_(max_data_bytes) {}

  State state() const { return state_; }
  // RFC 9000 §3.1: in a terminal state. Nothing is to be sent or remembered.
  bool is_over() const { return state_ == State::kDataRecvd || state_ == State::kResetRecvd; }
  bool is_reset() const { return state_ == State::kResetSent || state_ == State::kResetRecvd; }
  // Whether the application may write or finish.
  bool is_writable() const { return !is_reset() && !buffer_.is_finished(); }
  // RFC 9000 §3.1: from all states but the terminal ones, and once.
  bool is_resettable() const { return !is_over() && !is_reset(); }

  const SendBuffer& buffer() const { return buffer_; }
  uint64_t max_data_bytes() const { return max_data_; }
  // How much could still be written below the limit, and what was written above it.
  uint64_t sendable_bytes() const {
    return max_data_ > buffer_.written_end() ? max_data_ - buffer_.written_end() : 0;
  }
  uint64_t unsendable_bytes() const {
    return buffer_.written_end() > max_data_ ? buffer_.written_end() - max_data_ : 0;
  }

  // ---- The application's side. Only while is_writable(). ----

  void Append(std::span<const uint8_t> data, SendBlockPool& pool) { buffer_.Append(data, pool); }
  void Append(const absl::Cord& data, SendBlockPool& pool) { buffer_.Append(data, pool); }
  void Finish() { buffer_.Finish(); }
  // Only while is_resettable(). Says how many bytes need not be acknowledged any more.
  uint64_t Reset(uint64_t error_code, SendBlockPool& pool);

  // ---- Data ----

  SendNeed need() const;
  struct Limits {
    uint64_t max_bytes;          // Of data that the packet has room for.
    uint64_t connection_credit;  // Bytes that may be sent for the first time.
  };
  std::optional<StreamRange> Next(const Limits& limits) const;
  // Says how many bytes were sent for the first time.
  uint64_t OnSent(const StreamRange& range);
  // Says how many bytes have been acknowledged by that, and were not before.
  uint64_t OnDataAcked(const StreamRange& range, SendBlockPool& pool);
  void OnDataLost(const StreamRange& range) { buffer_.OnLost(range); }

  // RFC 9000 §19.10. False if it is no rise.
  bool RaiseMaxData(uint64_t max_data_bytes);

  // ---- Frames about the stream ----

  // need() is kLimit: says so to the peer, once per limit.
  void NoteBlocked();
  // Says so again, although the peer knows.
  void RepeatBlocked();
  bool HasPendingControl() const {
    return signals_ != nullptr && (signals_->reset.HasPending() || signals_->blocked.HasPending());
  }
  // False if not all fits.
  bool WriteControlFrames(StreamId id, FrameWriter& writer);
  void OnResetAcked(PacketNumber number);
  void OnResetLost(PacketNumber number);
  void OnBlockedAcked(PacketNumber number);
  void OnBlockedLost(PacketNumber number);

  void CheckInvariants() const;

 private:
  // Most streams never need them.
  struct Signals {
    ReliableValue<uint64_t, ValueNature::kOnce> reset;  // The error code.
    ReliableValue<uint64_t, ValueNature::kLatest> blocked;
  };

  Signals& signals();

  SendBuffer buffer_;
  uint64_t max_data_;
  std::unique_ptr<Signals> signals_;
  State state_ = State::kReady;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_SEND_STREAM_H_
