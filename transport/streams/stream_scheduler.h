// SPDX-License-Identifier: Apache-2.0
//
// StreamScheduler: whose data goes next into a packet. RFC 9218 §4, §10.
//
// The most urgent streams that can send do. Of one urgency, those come first that need no credit of
// the connection: what was lost is older than all else, and the end of a stream costs nothing.
// Then, in turns of kStreamTurnBytes, incremental streams one after the other, and in every other
// turn the non-incremental one with the lowest id, which is served to its end. So no stream starves
// another of its urgency, except that non-incremental ones wait for those opened before them.
//
// An incremental stream whose end is near keeps its turn until then. Of a hundred short answers
// that are due together, each is then whole as soon as its turn comes, instead of all at the end.
//
// It does not know what a stream has to send, nor what limits it: its owner says what it needs.
// Every operation is O(1), for non-incremental streams O(log n) and a move of small entries.
//
// Invariants: a stream with kRoom or kCredit is in exactly one lane, that of its urgency; others
// are in none; a mask has a bit for each lane that is not empty.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_SCHEDULER_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_SCHEDULER_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "godwit/stream_id.h"
#include "godwit/stream_priority.h"
#include "transport/delivery/ring_vector.h"
#include "transport/streams/intrusive_ring.h"

namespace godwit {

// What a stream needs in order to send.
enum class SendNeed : uint8_t {
  kNothing,  // It has nothing to send.
  kRoom,     // In a packet: for lost data, or for the end of the stream alone.
  kCredit,   // Of the connection's flow control, too: for data that was never sent.
  kLimit,    // A higher limit of its own: it cannot send.
};

// A stream as the scheduler sees it. Only the scheduler changes it, but for `id`.
struct ScheduledStream {
  explicit ScheduledStream(StreamId stream_id) : id(stream_id) {}

  StreamId id;
  RingHook<ScheduledStream> lane_hook;
  uint32_t turn_bytes = 0;  // Sent in the turn that lasts.
  StreamPriority priority;
  SendNeed need = SendNeed::kNothing;
};

class StreamScheduler {
 public:
  void SetNeed(ScheduledStream& stream, SendNeed need);
  void SetPriority(ScheduledStream& stream, StreamPriority priority);

  enum class Credit : uint8_t { kNone, kSome };
  // Null if no stream can send. The same one again until OnServed() or SetNeed().
  ScheduledStream* Next(Credit credit) const;
  bool HasReady(Credit credit) const { return ReadyMask(credit) != 0; }
  // Some stream waits for credit of the connection.
  bool needs_credit() const { return credit_mask_ != 0 || !in_order_.empty(); }

  // Next() has sent that much.
  struct Served {
    uint64_t byte_count;
    bool is_end_near = false;  // The stream is finished, and what is left of it is short.
  };
  void OnServed(ScheduledStream& stream, const Served& served);

  // Of all streams in a lane.
  size_t CountReady() const;
  void CheckInvariants() const;

 private:
  using Lane = IntrusiveRing<ScheduledStream, &ScheduledStream::lane_hook>;

  // A non-incremental stream with kCredit.
  struct InOrder {
    uint8_t urgency = 0;
    StreamId id;
    ScheduledStream* stream = nullptr;
  };

  unsigned ReadyMask(Credit credit) const {
    unsigned mask = room_mask_;
    if (credit == Credit::kSome) {
      mask |= credit_mask_;
      if (!in_order_.empty()) mask |= 1U << in_order_.front().urgency;
    }
    return mask;
  }
  void Join(ScheduledStream& stream);
  void Leave(ScheduledStream& stream);
  // Where the stream is, or would be.
  size_t InOrderIndex(const ScheduledStream& stream) const;

  std::array<Lane, kUrgencyCount> room_lanes_;
  std::array<Lane, kUrgencyCount> credit_lanes_;  // Incremental streams.
  RingVector<InOrder, 1> in_order_;               // The others, by urgency and id.
  uint8_t room_mask_ = 0;
  uint8_t credit_mask_ = 0;
  // Between incremental and other streams of an urgency: whose turn it is, and since how long.
  bool is_in_order_turn_ = false;
  uint32_t side_bytes_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_SCHEDULER_H_
