// SPDX-License-Identifier: Apache-2.0
//
// StreamLimits: how many streams of one direction each side may open, and the frames about it,
// MAX_STREAMS and STREAMS_BLOCKED. RFC 9000 §4.6, §19.11, §19.14.
//
// A stream of the peer that is over makes room for another. The news goes out for a quarter of the
// streams at once, but for each single one while the peer is near its limit: it never waits for a
// place that is free.
//
// Invariants: indexes below opened counts were opened, by either side; opened <= granted by the
// other; granted to the peer = open at one time + over, less what is not worth a frame yet.
#ifndef GODWIT_TRANSPORT_STREAMS_STREAM_LIMITS_H_
#define GODWIT_TRANSPORT_STREAMS_STREAM_LIMITS_H_

#include <cstdint>
#include <optional>

#include "base/packet_number.h"
#include "godwit/stream_id.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/reliable_value.h"

namespace godwit {

class StreamLimits {
 public:
  // `max_open_count`: streams that the peer may have open at one time; it knows of it.
  StreamLimits(StreamDirection direction, uint64_t max_open_count);

  // ---- Streams that we open ----

  // The index of the next one. Nothing if the peer's limit is reached: then the peer is told, and
  // OnPeerLimit() tells when to try again.
  std::optional<uint64_t> TakeLocalIndex();
  uint64_t local_opened_count() const { return local_opened_; }
  // From its transport parameters or MAX_STREAMS. True if one was wanted and can be opened now.
  bool OnPeerLimit(uint64_t max_count);

  // ---- Streams that the peer opens ----

  uint64_t granted_count() const { return granted_; }
  uint64_t peer_opened_count() const { return peer_opened_; }
  // `opened_count` is at most granted_count().
  void OnPeerOpened(uint64_t opened_count);
  void OnPeerStreamOver();
  // RFC 9000 §19.14: the peer waits at `limit_count`.
  void OnStreamsBlockedFrame(uint64_t limit_count);

  // ---- Frames ----

  bool HasPendingFrames() const { return max_streams_.HasPending() || blocked_.HasPending(); }
  // False if not all fits.
  bool WriteFrames(FrameWriter& writer);
  void OnMaxStreamsAcked(PacketNumber number) { max_streams_.OnAcked(number); }
  void OnMaxStreamsLost(PacketNumber number) { max_streams_.OnLost(number); }
  void OnStreamsBlockedAcked(PacketNumber number) { blocked_.OnAcked(number); }
  void OnStreamsBlockedLost(PacketNumber number) { blocked_.OnLost(number); }

  // `open_count`: streams of the peer that exist.
  void CheckInvariants(uint64_t open_count) const;

 private:
  // Raises the peer's limit if it is worth a frame.
  void GrantWhatIsFree();

  StreamDirection direction_;
  bool is_open_wanted_ = false;
  uint64_t local_opened_ = 0;
  uint64_t peer_limit_ = 0;
  uint64_t max_open_;
  uint64_t granted_;
  uint64_t peer_opened_ = 0;
  uint64_t peer_over_ = 0;
  ReliableValue<uint64_t, ValueNature::kIncreasing> max_streams_;
  ReliableValue<uint64_t, ValueNature::kLatest> blocked_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_STREAMS_STREAM_LIMITS_H_
