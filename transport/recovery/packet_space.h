// SPDX-License-Identifier: Apache-2.0
//
// PacketSpace: one packet number space of a connection (RFC 9000 §12.3): the next number to send,
// the packets whose fate is open, and the detection of loss (RFC 9002 §6.1, §7.6); and beside them
// the packets received (AckTracker).
//
// It reports what became of packets and frames as PacketFates and changes nothing else: RTT,
// congestion control, timers and the owners of the frames are told by the caller. After each
// OnAckFrame() the caller takes the RTT sample and calls DetectLost(), which also says when to call
// it next: loss_time().
//
// Packets are lost from the oldest on, because a packet passes both thresholds before a later one
// does. That makes the oldest entry of the ring the only one to look at.
//
// Invariants:
//  1. The ring begins with an outstanding packet, or is empty.
//  2. Every number sent is outstanding, or was reported acknowledged or lost, once; or it carried
//     nothing but an ACK frame and was forgotten.
//  3. No outstanding packet above largest_acked() is lost, unless the ring is too long.
#ifndef GODWIT_TRANSPORT_RECOVERY_PACKET_SPACE_H_
#define GODWIT_TRANSPORT_RECOVERY_PACKET_SPACE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/environment.h"
#include "base/limits.h"
#include "base/packet_number.h"
#include "base/path_id.h"
#include "base/result.h"
#include "godwit/time.h"
#include "transport/delivery/sent_frame.h"
#include "transport/recovery/ack_tracker.h"
#include "transport/recovery/lost_packets.h"
#include "transport/recovery/packet_fates.h"
#include "transport/recovery/persistent_congestion.h"
#include "transport/recovery/reordering_window.h"
#include "transport/recovery/sent_packet.h"
#include "transport/recovery/sent_packet_ring.h"
#include "transport/recovery/skipped_numbers.h"
#include "transport/wire/ack_ranges.h"

namespace godwit {

class PacketSpace {
 public:
  struct LossInputs {
    Timestamp now = {};
    PathId path = PathId(0);
    // Of that path. Zero() before there is a sample, and the initial RTT.
    Duration latest_rtt = {};
    Duration smoothed_rtt = {};
    // RFC 9002 §7.6.1: three times the PTO base, with max_ack_delay in every space. Also how long
    // lost packets are remembered.
    Duration persistent_duration = {};
    bool has_rtt_sample = false;
    Timestamp first_rtt_sample_time = {};
    // RFC 9002 §7.6.2: when the latest packet that another space knows to be acknowledged was sent:
    // largest_acked_sent_time() of it.
    Timestamp acked_elsewhere_sent_time = Timestamp::InfinitePast();
  };

  explicit PacketSpace(PacketNumberSpace space);

  AckTracker& acks() { return acks_; }
  const AckTracker& acks() const { return acks_; }

  // ---- Sending ----

  PacketNumber next_packet_number() const { return PacketNumber(sent_.end()); }
  // In bytes, on the wire, if so many packets may follow before this one arrives. RFC 9000 §17.1.
  size_t NextPacketNumberSize(uint64_t later_packets = 0) const;

  // packet.packet.packet_number is next_packet_number(), and sent_time does not decrease. At most
  // kMaxSentFramesPerPacket frames. `random` decides whether the number after it is skipped.
  void OnPacketSent(const SentPacket& packet, std::span<const SentFrame> frames, Random& random);

  // ---- Fates. Appended to `fates`, which is cleared before each ACK frame. ----

  // An error leaves everything as it was.
  Result OnAckFrame(const AckRanges& ranges, PathId path, Timestamp now, PacketFates& fates);

  void DetectLost(const LossInputs& inputs, ReorderingWindow& window, PacketFates& fates);

  // RFC 9002 §6.2.4: hands out, as lost, what is to be sent again of the oldest outstanding packet
  // for which that was not done before, so that a probe carries it. The packet stays in flight;
  // when it is lost these frames are not reported again. False if there is none.
  bool RequeueOldestForProbe(PacketFates& fates);

  // The keys are gone (RFC 9002 §6.4): nothing will be acknowledged any more. Says how many bytes
  // leave flight on `path`. Numbers are not used again.
  uint64_t DiscardAll(PathId path);

  // For times in which nothing happens: gives up what is not needed to keep packets in flight.
  void ReleaseSpareMemory();

  // ---- Facts ----

  // When DetectLost() is to be called again. Infinite(): after the next ACK frame.
  Timestamp loss_time() const;
  bool has_ack_eliciting_in_flight() const { return ack_eliciting_count_ != 0; }
  // InfinitePast() if there was none.
  Timestamp last_ack_eliciting_sent_time() const { return last_ack_eliciting_sent_time_; }
  std::optional<PacketNumber> largest_acked() const;
  // InfinitePast() if there was none.
  Timestamp largest_acked_sent_time() const { return largest_acked_sent_time_; }
  // Packets, in flight or not, whose fate is open.
  size_t outstanding_count() const { return outstanding_count_; }
  // Recomputed, for checkers.
  uint64_t bytes_in_flight(PathId path) const;

  void CheckInvariants() const;

 private:
  using Entry = SentPacketRing::Entry;
  using State = SentPacketRing::State;

  // An ACK frame while it is being worked off.
  struct AckContext {
    PathId path;
    Timestamp now;
    uint64_t largest;
    PacketFates* fates;
    bool has_ack_eliciting = false;
    // The largest packet of the frame, if it is newly acknowledged.
    std::optional<PacketFates::RttSource> largest_newly_acked = {};
  };

  void AckOutstanding(uint64_t first, uint64_t last, AckContext& context);
  void AckEntry(const Entry& entry, AckContext& context);
  void AckLost(uint64_t first, uint64_t last, AckContext& context);
  void NoteNewlyAcked(const TransmittedPacket& packet, PathId path, bool is_ack_eliciting,
                      AckContext& context) const;
  // The front is lost, or nobody will ask for it any more.
  // Something has to go, whether or not it is lost.
  bool IsFull() const {
    return sent_.size() > kMaxSentPackets ||
           outstanding_count_ - in_flight_count_ > kMaxAckOnlyPacketsBehind;
  }
  void RemoveFront(const LossInputs& inputs, PacketFates& fates);
  void ReportLost(const Entry& entry, const LossInputs& inputs, PacketFates& fates);
  void LeaveOutstanding(const Entry& entry);
  void PopSettled();
  // How many packets were sent after `number`, up to the largest acknowledged one.
  uint64_t DistanceToLargestAcked(uint64_t number) const;

  AckTracker acks_;
  SentPacketRing sent_;
  std::unique_ptr<LostPackets> lost_;  // Null before the first loss.
  SkippedNumbers skipped_;
  PersistentCongestion persistent_congestion_;
  uint64_t acked_end_ = 0;  // One above the largest number acknowledged; 0: none.
  Timestamp largest_acked_sent_time_ = Timestamp::InfinitePast();
  Timestamp last_ack_eliciting_sent_time_ = Timestamp::InfinitePast();
  Timestamp loss_time_ = Timestamp::Infinite();
  uint32_t outstanding_count_ = 0;
  uint32_t in_flight_count_ = 0;
  uint32_t ack_eliciting_count_ = 0;  // In flight.
  PacketNumberSpace space_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_PACKET_SPACE_H_
