// SPDX-License-Identifier: Apache-2.0
//
// StreamMap: all streams of a connection, and the door to them for the application, for the frames
// of the peer, for packets that want data and for the fate of packets. RFC 9000 §2, §3, §4,
// §19.4, §19.5, §19.8 to §19.14.
//
// It finds the stream, asks the unit whose business it is, and carries what that reports to the
// others: StreamTable (which streams exist), StreamReceiver and StreamSender (the two directions
// with their flow control), StreamEventQueue. It decides by itself only when a stream is over.
//
// A stream is over, and gone, once both of its directions are: the peer has all data (or our
// RESET_STREAM), the application has read all data and polled kFinished, or polled kReset, and then
// polled again: it may look at the stream as long as it deals with that event. From then on its id
// is unknown to the application, and frames for it are ignored.
//
// Data in received frames is borrowed from the datagram until KeepBorrowed().
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_MAP_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_MAP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"

#include "base/packet_number.h"
#include "base/result.h"
#include "godwit/connection_config.h"
#include "godwit/perspective.h"
#include "godwit/stream_event.h"
#include "godwit/stream_id.h"
#include "godwit/stream_priority.h"
#include "godwit/stream_read_state.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/sent_frame.h"
#include "transport/streams/stream.h"
#include "transport/streams/stream_event_queue.h"
#include "transport/streams/stream_pools.h"
#include "transport/streams/stream_receiver.h"
#include "transport/streams/stream_sender.h"
#include "transport/streams/stream_table.h"
#include "transport/wire/frame.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

class StreamMap {
 public:
  StreamMap(Perspective perspective, const StreamConfig& config);
  StreamMap(const StreamMap&) = delete;
  StreamMap& operator=(const StreamMap&) = delete;

  // The peer's limits are known. Streams opened before keep going; no limit falls.
  void OnPeerParameters(const TransportParameters& peer);

  // ---- The application. Errors say what to do; nothing changes with one. ----

  // ResourceExhausted if the peer's limit is reached: kStreamsAvailable follows when it rises.
  absl::StatusOr<StreamId> Open(StreamDirection direction);

  // How many bytes were taken. If fewer than given, kWritable follows when there is room.
  absl::StatusOr<uint64_t> Write(StreamId id, std::span<const uint8_t> data, StreamPools& pools);
  absl::StatusOr<uint64_t> Write(StreamId id, const absl::Cord& data, StreamPools& pools);
  absl::Status Finish(StreamId id);
  absl::Status Reset(StreamId id, uint64_t error_code, StreamPools& pools);
  absl::Status SetPriority(StreamId id, StreamPriority priority);

  // Nobody will read: what has come is dropped, what comes is not kept. No kFinished or kReset.
  absl::Status StopSending(StreamId id, uint64_t error_code, StreamPools& pools);

  // Fills `views` with the next readable bytes; says how many views. Valid until the next call of
  // anything that is not const.
  absl::StatusOr<size_t> Peek(StreamId id, std::span<std::span<const uint8_t>> views) const;
  // Readable bytes are done with.
  absl::Status Consume(StreamId id, uint64_t byte_count, const StreamContext& context);

  using ReadState = StreamReadState;
  absl::StatusOr<ReadState> read_state(StreamId id) const;

  // Oldest first. At most one kReadable and one kWritable a stream are waiting at any time.
  std::optional<StreamEvent> PollEvent() {
    if (events_.empty() && !told_ended_.has_value()) return std::nullopt;
    return PollWaitingEvent();
  }

  // ---- Frames from the peer ----

  Result OnStreamFrame(const StreamFrame& frame, const StreamContext& context);
  Result OnResetStreamFrame(const ResetStreamFrame& frame, const StreamContext& context);
  Result OnStopSendingFrame(const StopSendingFrame& frame, const StreamContext& context);
  Result OnMaxDataFrame(const MaxDataFrame& frame);
  Result OnMaxStreamDataFrame(const MaxStreamDataFrame& frame);
  Result OnMaxStreamsFrame(const MaxStreamsFrame& frame);
  Result OnDataBlockedFrame(const DataBlockedFrame& frame, const StreamContext& context);
  Result OnStreamDataBlockedFrame(const StreamDataBlockedFrame& frame,
                                  const StreamContext& context);
  Result OnStreamsBlockedFrame(const StreamsBlockedFrame& frame);

  // The application has drained the events of a batch, and the memory of its datagrams is about to
  // be used again: copies what nobody consumed. Touches only streams that borrow.
  void KeepBorrowed(StreamPools& pools) { receiver_.KeepBorrowed(table_, pools); }

  // ---- Sending, in packets of the application data space ----

  bool HasPendingControl() const {
    return receiver_.HasPendingFrames() || sender_.flow().HasPendingFrames() ||
           !sender_.control().empty() ||
           table_.limits(StreamDirection::kBidirectional).HasPendingFrames() ||
           table_.limits(StreamDirection::kUnidirectional).HasPendingFrames();
  }
  void WriteControlFrames(FrameWriter& writer, const StreamContext& context);

  // Whether a packet could carry stream data now, within flow control.
  bool HasPendingData() const { return sender_.HasPendingData(); }

  // Whether the packet's last frame may leave its data where it lies: kMayScatter, kCopyOnly.
  using Fill = StreamSender::Fill;
  // Fills the packet as far as there is data: frames of several streams if they are small. One that
  // reaches to the end of the packet has no length and completes it.
  void WriteStreamData(FrameWriter& writer, Fill fill) {
    sender_.WriteStreamData(writer, fill, events_);
  }

  // There is data that was never sent, and the peer's limits hold back all of it.
  bool is_blocked_by_flow_control() const { return sender_.is_blocked_by_flow_control(); }
  // RFC 9000 §4.1: while that is so, the peer is to be reminded now and then, so that the
  // connection does not end for want of traffic. Makes one frame pending.
  void RepeatBlocked() { sender_.RepeatBlocked(table_); }

  // `number` is of the packet that carried `frame`. Frames of other parts do not belong here.
  void OnFrameAcked(PacketNumber number, const SentFrame& frame, StreamPools& pools);
  void OnFrameLost(PacketNumber number, const SentFrame& frame);

  // Of the path in use, whenever it may have changed: how much may be written follows it
  // (send_quota.h). Streams that wait for room are told, if there is some.
  void SetCongestionWindow(uint64_t bytes) {
    sender_.SetCongestionWindow(bytes);
    sender_.WakeWriters(table_, events_);
  }

  // ---- The whole ----

  // Memory for the endpoint's budget: data written and not acknowledged, and blocks of received
  // data or, if that is more, what the connection's receive window has grown beyond its initial
  // size. It bounds what all streams together can be sent, so that windows of streams need not be
  // counted besides.
  uint64_t held_bytes() const {
    return sender_.held_bytes() + std::max(receiver_.allocated_bytes(), receiver_.grown_bytes());
  }
  uint64_t recv_window_bytes() const { return receiver_.window_bytes(); }  // The connection's.
  bool has_open_streams() const { return table_.size() != 0; }
  size_t open_stream_count() const { return table_.size(); }

  // The connection is quiet: gives back memory that only traffic needs.
  void ReleaseSpareMemory() { table_.ReleaseSpareMemory(); }
  // The connection is over: every stream goes, its blocks to the pools. What waits to be polled and
  // makes sense without the stream stays.
  void ReleaseAll(StreamPools& pools);

  void CheckInvariants() const;

 private:
  std::optional<StreamEvent> PollWaitingEvent();
  // The application has dealt with the event that said that a stream has ended.
  void ForgetToldEnded();
  // The stream of that id, null if it does not exist or does not permit to read from it or to write
  // to it; and then what is wrong. Apart, as only mistakes need a status.
  Stream* FindReadable(StreamId id) const;
  Stream* FindWritable(StreamId id) const;
  absl::Status WhyNoPart(StreamId id, StreamTable::Part part) const;
  absl::Status WhyNotReadable(StreamId id) const;
  absl::Status WhyNotWritable(StreamId id) const;
  // Whether `event`, which was queued some time ago, is still worth telling.
  bool IsCurrent(const StreamEvent& event, const Stream* stream) const;
  // The receiving part has ended: tells how.
  void PushEnded(Stream& stream);
  void OnControlAcked(PacketNumber number, const SentFrame& frame);
  void RemoveIfOver(Stream& stream) {
    if (stream.is_over()) [[unlikely]] {
      Remove(stream);
    }
  }
  void Remove(Stream& stream);

  StreamTable table_;
  StreamReceiver receiver_;
  StreamSender sender_;
  StreamEventQueue events_;
  std::optional<StreamId> told_ended_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_MAP_H_
