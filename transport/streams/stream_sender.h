// SPDX-License-Identifier: Apache-2.0
//
// StreamSender: the sending side of all streams together. It takes in what the application writes,
// knows which streams can send and which the peer's limits hold back, fills packets with their
// data, and learns what became of it. RFC 9000 §2.2, §2.3, §4.1, §19.8, §19.12.
//
// The states of a stream are in send_stream.h, whose turn it is in stream_scheduler.h, how much may
// be written in send_quota.h.
//
// Invariants: every stream's need is what its state says; the connection's credit that is used is
// the sum of what its streams have sent for the first time; what the quota holds, the sum of what
// they hold, and for data that was never sent and data above their own limits too.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_SENDER_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/cord.h"

#include "godwit/stream_id.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/send_buffer.h"
#include "transport/delivery/stream_range.h"
#include "transport/streams/send_flow.h"
#include "transport/streams/send_quota.h"
#include "transport/streams/stream.h"
#include "transport/streams/stream_control_queue.h"
#include "transport/streams/stream_event_queue.h"
#include "transport/streams/stream_scheduler.h"
#include "transport/streams/stream_table.h"

namespace godwit {

class StreamSender {
 public:
  explicit StreamSender(uint64_t max_send_buffer_bytes) : quota_(max_send_buffer_bytes) {}

  // ---- The application's side: of streams that permit it ----

  // As much as there is room for; says how much. If not all, the stream waits for room.
  uint64_t Write(Stream& stream, std::span<const uint8_t> data, SendBlockPool& pool);
  uint64_t Write(Stream& stream, const absl::Cord& data, SendBlockPool& pool);
  void Finish(Stream& stream);
  void Reset(Stream& stream, uint64_t error_code, SendBlockPool& pool);
  void SetPriority(Stream& stream, StreamPriority priority) {
    scheduler_.SetPriority(stream, priority);
  }

  // ---- The peer's limits ----

  void RaiseMaxData(uint64_t max_data_bytes) { flow_.Raise(max_data_bytes); }
  void RaiseMaxStreamData(Stream& stream, uint64_t max_data_bytes, StreamEventQueue& events);

  // ---- Sending ----

  bool HasPendingData() const { return scheduler_.HasReady(credit()); }
  bool is_blocked_by_flow_control() const {
    return !HasPendingData() && (scheduler_.needs_credit() || limited_count_ != 0);
  }
  // Only while is_blocked_by_flow_control(): one frame about one of the limits becomes pending.
  void RepeatBlocked(const StreamTable& table);
  enum class Fill : uint8_t {
    kMayScatter,  // The packet is not padded; its last frame may leave its data where it lies.
    kCopyOnly,    // It may be padded.
  };
  void WriteStreamData(FrameWriter& writer, Fill fill, StreamEventQueue& events);

  // True if the peer has everything by that, and had not before.
  bool OnDataAcked(Stream& stream, const StreamRange& range, SendBlockPool& pool);
  void OnDataLost(Stream& stream, const StreamRange& range);

  SendFlow& flow() { return flow_; }
  const SendFlow& flow() const { return flow_; }
  StreamControlQueue& control() { return control_; }
  const StreamControlQueue& control() const { return control_; }

  // Of the path in use: how much may wait follows it.
  void SetCongestionWindow(uint64_t bytes) { quota_.SetCongestionWindow(bytes); }

  // Tells the streams that wait for room to write, if there is enough of it.
  void WakeWriters(const StreamTable& table, StreamEventQueue& events) {
    if (quota_.TakeWake()) [[unlikely]] {
      WakeAllWriters(table, events);
    }
  }

  // Written and not acknowledged.
  uint64_t held_bytes() const { return quota_.held_bytes(); }

  // The stream goes away: it is over, or the connection is.
  void Forget(Stream& stream, SendBlockPool* pool);

  void CheckInvariants(const StreamTable& table) const;

 private:
  StreamScheduler::Credit credit() const {
    return flow_.credit_bytes() == 0 ? StreamScheduler::Credit::kNone
                                     : StreamScheduler::Credit::kSome;
  }
  struct Admission {
    uint64_t wanted_bytes;
    uint64_t taken_bytes;
    uint64_t unsendable_before;  // Above the stream's own limit, before the write.
  };
  // How much of a write is to be taken; OnAppended() follows when it was.
  Admission Admit(const Stream& stream, uint64_t wanted_bytes) const;
  void OnAppended(Stream& stream, const Admission& admission);
  // What the stream needs may have changed; says whether it has.
  bool Refresh(Stream& stream);
  // Others may have so much to send that a stream would wait long for the room to double. When all
  // its own data has left, it is called at once.
  void TellIfDry(Stream& stream, StreamEventQueue& events);
  // One STREAM frame. False if it does not fit.
  bool WriteFrame(Stream& stream, FrameWriter& writer, Fill fill);
  void WakeAllWriters(const StreamTable& table, StreamEventQueue& events);

  SendFlow flow_;
  SendQuota quota_;
  StreamScheduler scheduler_;
  StreamControlQueue control_;
  std::vector<StreamId> waiting_writers_;
  uint64_t limited_count_ = 0;    // Streams that wait for a higher limit of their own.
  uint64_t forgotten_bytes_ = 0;  // That streams sent which are gone.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_SENDER_H_
