// SPDX-License-Identifier: Apache-2.0
//
// SendBuffer: the bytes of a stream, or the CRYPTO data of a level, from the moment they are
// written until the peer has them (RFC 9000 §2.2, §13.3). It decides which bytes to send next:
// lost ones first, the oldest first, then those never sent, and the end of the stream with the
// last.
//
// Writes are copied into blocks or, if large, kept as they were handed over. It does not decide how
// much may be sent; limits come with each question. A packet takes one contiguous range.
//
// Invariants:
// 1. acked_end_ <= sent_end() <= written_end(); below acked_end_ all is acknowledged and no memory
//    is held, except for the rest of the first segment.
// 2. Between acked_end_ and sent_end() a byte is acknowledged (acked_), lost (lost_) or in flight
//    (neither); the two sets are disjoint.
// 3. The end of the stream is sent only behind the last byte.
//
// Both sets are bounded. An acknowledgment that does not fit is forgotten, a loss that does not fit
// makes all that is in flight count as lost: what is sent twice for that does no harm.
#ifndef GODWIT_TRANSPORT_DELIVERY_SEND_BUFFER_H_
#define GODWIT_TRANSPORT_DELIVERY_SEND_BUFFER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/strings/cord.h"

#include "base/limits.h"
#include "transport/delivery/block_pool.h"
#include "transport/delivery/interval_set.h"
#include "transport/delivery/ring_vector.h"
#include "transport/delivery/stream_range.h"

namespace godwit {

struct SendBlock {
  std::array<uint8_t, kSendBlockBytes> bytes;
};

using SendBlockPool = BlockPool<SendBlock>;

class SendBuffer {
 public:
  struct Limits {
    uint64_t max_bytes;       // Of data that the packet has room for.
    uint64_t max_end_offset;  // Flow control: where data that was never sent must end.
  };

  SendBuffer() = default;
  SendBuffer(SendBuffer&&) noexcept = default;
  SendBuffer& operator=(SendBuffer&&) noexcept = default;

  // ---- The application's side. None of it after Finish() or Reset(). ----

  // written_end() must stay within kMaxStreamOffset.
  void Append(std::span<const uint8_t> data, SendBlockPool& pool);
  // Chunks from kMinOwnedChunkBytes on are shared with `data`, smaller ones copied.
  void Append(const absl::Cord& data, SendBlockPool& pool);
  // The stream ends behind what was written.
  void Finish();

  // ---- Sending ----

  // Whether Next() has anything for a packet with room for one byte.
  bool HasPending(uint64_t max_end_offset) const;

  // What to send next, or nothing. Two calls without OnSent() in between give the same.
  std::optional<StreamRange> Next(const Limits& limits) const;

  // For a probe: the oldest bytes that were sent and are not acknowledged, whatever their state,
  // or the end of the stream. RFC 9002 §6.2.4.
  std::optional<StreamRange> OldestUnacked(uint64_t max_bytes) const;

  // The first bytes of `range`, a result of the two above, as far as they lie in one piece of
  // memory. Valid until they are acknowledged or Reset().
  std::span<const uint8_t> View(const StreamRange& range) const;

  // All of a range, into the packet: for one that lies in several pieces. `to` is no longer than
  // what is buffered from `offset_bytes` on.
  void CopyTo(uint64_t offset_bytes, std::span<uint8_t> to) const;

  // A packet carries `range`, which begins at sent_end() or below. Says how many bytes were sent
  // for the first time, which is what flow control counts.
  uint64_t OnSent(const StreamRange& range);

  // ---- The fate of packets, in any order, late or repeated. `range` was given to OnSent(). ----

  // Says how many bytes have been acknowledged by that, and were not before.
  uint64_t OnAcked(const StreamRange& range, SendBlockPool& pool);
  // Says how many bytes want to be sent again that did not before.
  uint64_t OnLost(const StreamRange& range);

  // RFC 9000 §3.1: the stream was reset, its data is not sent any more. All is let go; sent_end()
  // stays, the final size for RESET_STREAM. Acknowledgments and losses mean nothing any more.
  void Reset(SendBlockPool& pool);

  uint64_t written_end() const { return written_end_; }
  uint64_t sent_end() const { return sent_end_; }
  uint64_t unsent_bytes() const { return written_end_ - sent_end_; }
  uint64_t lost_bytes() const { return lost_.covered_count(); }
  // Written and not acknowledged.
  uint64_t unacked_bytes() const { return written_end_ - acked_end_ - acked_.covered_count(); }

  bool is_finished() const { return fin_ != FinState::kNone; }
  bool is_reset() const { return is_reset_; }
  // The peer has everything, the end of the stream too.
  bool is_all_acked() const { return fin_ == FinState::kAcked && acked_end_ == written_end_; }

  void CheckInvariants() const;

 private:
  enum class FinState : uint8_t { kNone, kUnsent, kInFlight, kLost, kAcked };

  // Consecutive bytes in one piece of memory.
  struct Segment {
    uint64_t begin = 0;
    uint64_t end = 0;
    const uint8_t* data = nullptr;
    std::unique_ptr<SendBlock> block;  // What holds them: this,
    absl::Cord owned;                  // or this.
  };

  void AppendCopy(std::span<const uint8_t> data, SendBlockPool& pool);
  void AppendOwned(absl::Cord chunk);
  bool is_fin_pending() const { return fin_ == FinState::kUnsent || fin_ == FinState::kLost; }
  // `begin` to `end` as a range, with the end of the stream if it belongs there.
  StreamRange RangeOf(Interval bytes) const;
  bool RecordAcked(Interval bytes);
  void MarkLost(Interval bytes);
  void MarkAllUnackedLost();
  void ReleaseAcked(SendBlockPool& pool);
  size_t SegmentAt(uint64_t offset_bytes) const;

  uint64_t acked_end_ = 0;
  uint64_t sent_end_ = 0;
  uint64_t written_end_ = 0;
  size_t unsent_segment_ = 0;  // Segments before this one were sent whole.
  FinState fin_ = FinState::kNone;
  bool is_reset_ = false;
  RingVector<Segment, 1> segments_;
  IntervalSet acked_{{kMaxAckedStreamRanges, IntervalSet::WhenFull::kRefuseChange}};
  // Room for one range between each two of acked_: see MarkAllUnackedLost().
  IntervalSet lost_{{kMaxAckedStreamRanges + 1, IntervalSet::WhenFull::kRefuseChange}};
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_DELIVERY_SEND_BUFFER_H_
