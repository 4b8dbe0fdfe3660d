// SPDX-License-Identifier: Apache-2.0
//
// DatagramQueue: DATAGRAM frames (RFC 9221) on their way out and in, both in order, and what became
// of those that were sent. Nothing is sent twice: what is lost stays lost, and is reported.
//
// It decides what is dropped when a queue is full. It does not know how large a datagram may be:
// that follows from the path and from what the peer accepts, and is handed in.
//
// Invariants: each direction holds at most its bytes of Config and kMaxQueuedDatagrams; at most
// kMaxDatagramFeedback reports wait, the oldest give way. Until the first datagram nothing is
// allocated, and nothing later while the queues stay short.
#ifndef GODWIT_TRANSPORT_STREAMS_DATAGRAM_QUEUE_H_
#define GODWIT_TRANSPORT_STREAMS_DATAGRAM_QUEUE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/statusor.h"

#include "godwit/connection_config.h"
#include "godwit/connection_event.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {

class DatagramQueue {
 public:
  using Drop = DatagramDrop;
  using Config = DatagramConfig;
  using Feedback = DatagramFeedback;

  explicit DatagramQueue(const Config& config);
  DatagramQueue(DatagramQueue&&) noexcept;
  DatagramQueue& operator=(DatagramQueue&&) noexcept;
  ~DatagramQueue();

  // ---- Sending ----

  // Copies `data`. Gives the id under which feedback comes; ids count up from 0.
  // `max_payload_bytes` as in OnMaxPayloadChanged().
  absl::StatusOr<uint64_t> Send(std::span<const uint8_t> data, uint64_t max_payload_bytes);

  // What a packet of its own has room for, at most, or 0 if the peer takes no datagrams. What waits
  // and is larger will never leave: it is dropped.
  void OnMaxPayloadChanged(uint64_t max_payload_bytes);

  bool HasPending() const;
  // As many as fit, in order.
  void WriteFrames(FrameWriter& writer);
  void OnFrameAcked(const SentFrame& frame);
  void OnFrameLost(const SentFrame& frame);

  std::optional<Feedback> PollFeedback();

  // ---- Receiving ----

  // Copies it. What RFC 9221 §3 forbids was refused where the frame was read.
  void OnDatagramFrame(const DatagramFrame& frame);

  // Valid until the next call that is not const.
  std::optional<std::span<const uint8_t>> PeekReceived() const;
  // Only if there is one.
  void PopReceived();
  // Dropped because the application was slow.
  uint64_t received_dropped_count() const { return received_dropped_count_; }

  // Memory of both queues.
  uint64_t held_bytes() const;

  void CheckInvariants() const;

 private:
  struct State;

  State& EnsureState();
  void Report(Feedback::Fate fate, uint64_t id);
  // Of the datagram that is sent next.
  uint64_t front_id() const;

  Config config_;
  uint64_t next_id_ = 0;
  uint64_t received_dropped_count_ = 0;
  std::unique_ptr<State> state_;  // Null until the first datagram.
};

static_assert(sizeof(DatagramQueue) <= 64);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_DATAGRAM_QUEUE_H_
