// SPDX-License-Identifier: Apache-2.0
//
// AckTracker: the packet numbers that a packet number space has received. It tells new packets from
// duplicates (RFC 9000 §12.3), decides when an ACK frame must be sent (RFC 9000 §13.2.1, §13.2.2),
// and writes it, with what it knows of ECN marks (RFC 9000 §13.4.1).
//
// Two memories, because they forget differently: ranges to be acknowledged, until the peer is known
// to have heard of them (RFC 9000 §13.2.4); and a window of single numbers, for duplicates. The
// window costs memory only from the first gap on; before that all numbers up to the largest came.
//
// It does not see packets before they are authenticated, and does not know which packets carry its
// frames.
//
// Invariants: at most kMaxAckRangesTracked ranges, the last of which ends with largest_received();
// all numbers in ranges that lie within the window are marked there.
#ifndef GODWIT_TRANSPORT_RECOVERY_ACK_TRACKER_H_
#define GODWIT_TRANSPORT_RECOVERY_ACK_TRACKER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/limits.h"
#include "base/packet_number.h"
#include "godwit/ecn.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"
#include "transport/delivery/interval_set.h"
#include "transport/wire/frame.h"

namespace godwit {

class AckTracker {
 public:
  enum class Novelty : uint8_t {
    kNew,
    kDuplicate,
    kTooOld,  // More than kDuplicateWindowPackets behind: unknown, and to be dropped.
  };

  struct Received {
    PacketNumber number;
    Timestamp received_at;
    EcnMark ecn;
    bool is_ack_eliciting;
  };

  explicit AckTracker(PacketNumberSpace space);

  Novelty Check(PacketNumber number) const;

  // Check(packet.number) is kNew. Packets of one batch may all be told before is_ack_due() is asked
  // (RFC 9000 §13.2.2).
  void OnPacketReceived(const Received& packet);

  // The next ACK frame is due at once, if there is anything to acknowledge.
  void RequestImmediateAck();

  // In the application space: how long an ack-eliciting packet waits for its acknowledgment at most
  // (what we promised as max_ack_delay), and how many may have come when it is due (1: each one).
  void SetDelayPolicy(Duration max_ack_delay, uint64_t ack_eliciting_threshold);

  // ACK frames that only the number of packets makes due come no closer than `min_interval`
  // together, within the max_ack_delay: each one costs both ends a system call. RFC 9000 §13.2.2
  // leaves that to the receiver. Zero, as at the beginning: without a limit.
  void SetMinInterval(Duration min_interval) { min_interval_ = min_interval; }

  std::optional<PacketNumber> largest_received() const {
    if (received_end_ == 0) return std::nullopt;
    return PacketNumber(received_end_ - 1);
  }
  uint64_t ack_eliciting_since_last_ack() const { return ack_eliciting_since_last_ack_; }

  // An ACK frame must be sent now.
  bool is_ack_due(Timestamp now) const { return next_deadline() <= now; }
  // A packet that is sent anyway should carry one. RFC 9000 §13.2.1: not for the sake of packets
  // that are not ack-eliciting.
  bool has_unsent_ack() const { return next_deadline() != Timestamp::Infinite(); }
  // Infinite() if nothing waits, InfinitePast() if an ACK frame is due at once.
  Timestamp next_deadline() const { return ranges_.empty() ? Timestamp::Infinite() : deadline_; }

  // False, and nothing changes: there is nothing to acknowledge, or no room.
  bool WriteAck(FrameWriter& writer, Timestamp now, uint64_t ack_delay_exponent);

  // The packet with an ACK frame that began with `largest_acked_in_it` was acknowledged.
  void OnAckFrameAcked(PacketNumber largest_acked_in_it);

  // RFC 9000 §13.2.4: the peer has not acknowledged our ACK frames for long, and they are longer
  // than they need to be: a PING belongs into the packet with the ACK frame just written. Not so
  // for the next ones, so that two endpoints do not acknowledge each other for ever.
  bool wants_ping() const {
    return acks_since_heard_ != 0 && acks_since_heard_ % kAckFramesPerPing == 0 &&
           ranges_.range_count() > 1;
  }

  // Gives up memory that is not needed at the moment; for times in which nothing happens.
  void ReleaseSpareMemory();

  void CheckInvariants() const;

 private:
  using Window = std::array<uint64_t, kDuplicateWindowPackets / 64>;

  bool IsInWindow(uint64_t number) const;
  bool IsMarked(uint64_t number) const;
  void MarkReceived(uint64_t number);
  // Numbers from received_end_ up to, not including, `end` have not come.
  void OpenGap(uint64_t end);
  void CountEcn(EcnMark mark);
  // When the number of packets makes an ACK frame due.
  Timestamp RegularAckTime(Timestamp now) const;
  // RFC 9000 §13.2.1: whether an ack-eliciting packet, already in the ranges, came out of order.
  bool IsOutOfOrder(uint64_t number) const;

  IntervalSet ranges_{{kMaxAckRangesTracked, IntervalSet::WhenFull::kEvictLowest}};
  // A bit a number, at the number modulo the window's size. Null: all numbers up to the largest
  // were received, or count as received.
  std::unique_ptr<Window> window_;
  // One above the largest number received; 0: none.
  uint64_t received_end_ = 0;
  uint64_t ack_eliciting_end_ = 0;  // The same for ack-eliciting packets.
  // Ranges below were forgotten, having been acknowledged and heard of.
  uint64_t forgotten_below_ = 0;
  Timestamp largest_received_at_;
  Timestamp deadline_ = Timestamp::Infinite();
  Duration max_ack_delay_;
  Duration min_interval_;
  uint64_t ack_eliciting_threshold_;
  Timestamp last_ack_at_ = Timestamp::InfinitePast();
  uint64_t ack_eliciting_since_last_ack_ = 0;
  uint64_t acks_since_heard_ = 0;  // ACK frames since the last one that was acknowledged.
  EcnCounts ecn_counts_{};
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_ACK_TRACKER_H_
