// SPDX-License-Identifier: Apache-2.0
//
// LostPackets: packets that were declared lost, remembered for a while in case they are after all
// acknowledged: then the loss was spurious, their frames need not be sent again, and what
// congestion control did about it can be undone (RFC 9002 §6.1). Kept apart from the packets in
// flight, whose ring would otherwise have to reach back as far.
//
// It does not decide what is lost, nor for how long losses are of interest.
//
// Invariants: packet numbers ascend, and with them declared_lost_at does not decrease; at most
// kMaxRememberedLosses.
#ifndef GODWIT_TRANSPORT_RECOVERY_LOST_PACKETS_H_
#define GODWIT_TRANSPORT_RECOVERY_LOST_PACKETS_H_

#include <cstddef>
#include <cstdint>

#include "base/path_id.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"
#include "transport/delivery/ring_vector.h"
#include "transport/recovery/sent_frame_ring.h"
#include "transport/recovery/sent_packet_ring.h"

namespace godwit {

class LostPackets {
 public:
  struct Packet {
    TransmittedPacket packet;
    Timestamp declared_lost_at;
    PathId path = PathId(0);
    uint32_t frames_begin = 0;
    uint8_t frame_count = 0;
    bool is_ack_eliciting = false;
    bool is_mtu_probe = false;
  };

  // Indices of packets, from the oldest on.
  struct Slice {
    size_t begin;
    size_t end;
  };

  bool empty() const { return packets_.empty(); }
  size_t size() const { return packets_.size(); }
  uint64_t lowest_number() const { return packets_.front().packet.packet_number; }

  // `entry` of `ring` is outstanding. The oldest packet makes room if there is none.
  void Remember(const SentPacketRing& ring, const SentPacketRing::Entry& entry, Timestamp now);

  // Those with numbers from `first` to `last`, both included.
  Slice Find(uint64_t first, uint64_t last) const;
  const Packet& operator[](size_t index) const { return packets_[index]; }
  const SentFrame& frame(const Packet& packet, uint32_t i) const {
    return frames_[packet.frames_begin + i];
  }
  void Erase(Slice slice);

  // Those declared lost before `time`.
  void ForgetBefore(Timestamp time);

  void CheckInvariants() const;

 private:
  // The first packet whose number is not below `number`.
  size_t LowerBound(uint64_t number) const;
  void ReleaseFrames();

  RingVector<Packet, 1> packets_;
  SentFrameRing frames_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_LOST_PACKETS_H_
