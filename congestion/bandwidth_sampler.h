// SPDX-License-Identifier: Apache-2.0
//
// BandwidthSampler: measures how fast a path delivers, and counts its round trips by packets
// (draft-ietf-ccwg-bbr §4.1 and §5.5.1). It marks every packet when it is sent, with a small value
// that the caller keeps with the packet, and makes one RateSample of each batch of
// acknowledgments. It keeps nothing about single packets itself.
//
// What to make of a sample, and whether the sender is application-limited, is decided elsewhere.
//
// Invariants:
//  1. delivered_bytes(), lost_bytes(), round_count() never decrease.
//  2. A rate is never higher than the one at which the packets were sent.
//  3. Every sample that includes a moment in which the sender ran dry is marked app-limited.
#ifndef GODWIT_CONGESTION_BANDWIDTH_SAMPLER_H_
#define GODWIT_CONGESTION_BANDWIDTH_SAMPLER_H_

#include <cstdint>
#include <span>

#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

class BandwidthSampler {
 public:
  // A packet leaves; `bytes_in_flight` does not include it yet. Fills in packet.at_send from the
  // other fields. `packet.sent_time` is the time at which pacing lets it go.
  void OnPacketSent(uint64_t bytes_in_flight, TransmittedPacket& packet);

  // Fills in delivered_bytes, lost_bytes, rate_sample, round_count and is_round_start of `feedback`
  // from its now, acked, lost, spurious_losses and rtt.
  void OnFeedback(CongestionFeedback& feedback);

  // The sender has nothing to send although it might: samples of what is in flight now, and of what
  // is sent until that is delivered, say less than the path can do.
  void OnAppLimited(uint64_t bytes_in_flight);

  bool is_app_limited() const { return app_limited_until_bytes_ != 0; }
  uint64_t delivered_bytes() const { return delivered_bytes_; }
  uint64_t lost_bytes() const { return lost_bytes_; }
  uint64_t round_count() const { return round_count_; }

  void CheckInvariants() const;

 private:
  // The packet that was sent last of those acknowledged by a feedback.
  const TransmittedPacket& NewestOf(std::span<const TransmittedPacket> acked) const;
  RateSample SampleOf(const TransmittedPacket& newest, const CongestionFeedback& feedback) const;

  uint64_t delivered_bytes_ = 0;
  uint64_t lost_bytes_ = 0;
  Timestamp delivered_time_;   // When delivered_bytes_ last grew, or the sender left idleness.
  Timestamp first_sent_time_;  // Of the packet last delivered, or the first after idleness.
  // The sender is application-limited until more than this is delivered; 0: it is not.
  uint64_t app_limited_until_bytes_ = 0;
  // The round ends when a packet is acknowledged before which this was delivered.
  uint64_t round_ends_bytes_ = 0;
  uint64_t round_count_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_CONGESTION_BANDWIDTH_SAMPLER_H_
