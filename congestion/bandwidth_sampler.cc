// SPDX-License-Identifier: Apache-2.0
#include "congestion/bandwidth_sampler.h"

#include <algorithm>
#include <span>

#include "base/check.h"
#include "godwit/bandwidth.h"

namespace godwit {

void BandwidthSampler::OnPacketSent(uint64_t bytes_in_flight, TransmittedPacket& packet) {
  if (bytes_in_flight == 0) {
    // Whatever arrives from now on was delivered after now: the interval need not start earlier.
    first_sent_time_ = packet.sent_time;
    delivered_time_ = packet.sent_time;
  }
  packet.at_send.delivered_bytes = delivered_bytes_;
  packet.at_send.lost_bytes = lost_bytes_;
  packet.at_send.delivered_time = delivered_time_;
  packet.at_send.first_sent_time = first_sent_time_;
  packet.at_send.bytes_in_flight = bytes_in_flight + packet.bytes;
  packet.at_send.is_app_limited = is_app_limited();
}

void BandwidthSampler::OnFeedback(CongestionFeedback& feedback) {
  for (const TransmittedPacket& packet : feedback.lost) lost_bytes_ += packet.bytes;
  for (const SpuriousLoss& spurious : feedback.spurious_losses) {
    delivered_bytes_ += spurious.packet.bytes;
  }
  for (const TransmittedPacket& packet : feedback.acked) delivered_bytes_ += packet.bytes;
  if (!feedback.acked.empty() || !feedback.spurious_losses.empty()) {
    delivered_time_ = std::max(delivered_time_, feedback.now);
  }
  // The bubble of idle time has left the path.
  if (delivered_bytes_ > app_limited_until_bytes_) app_limited_until_bytes_ = 0;

  feedback.rate_sample.reset();
  feedback.is_round_start = false;
  if (!feedback.acked.empty()) {
    const TransmittedPacket& newest = NewestOf(feedback.acked);
    first_sent_time_ = newest.sent_time;
    feedback.rate_sample = SampleOf(newest, feedback);
    if (newest.at_send.delivered_bytes >= round_ends_bytes_) {
      round_ends_bytes_ = delivered_bytes_;
      ++round_count_;
      feedback.is_round_start = true;
    }
  }
  feedback.round_count = round_count_;
  feedback.delivered_bytes = delivered_bytes_;
  feedback.lost_bytes = lost_bytes_;
}

void BandwidthSampler::OnAppLimited(uint64_t bytes_in_flight) {
  app_limited_until_bytes_ = std::max<uint64_t>(delivered_bytes_ + bytes_in_flight, 1);
}

const TransmittedPacket& BandwidthSampler::NewestOf(
    std::span<const TransmittedPacket> acked) const {
  const TransmittedPacket* newest = &acked.front();
  for (const TransmittedPacket& packet : acked.subspan(1)) {
    // Later ones come later within a packet number space: on equal times the later one counts.
    if (packet.sent_time >= newest->sent_time) newest = &packet;
  }
  return *newest;
}

RateSample BandwidthSampler::SampleOf(const TransmittedPacket& newest,
                                      const CongestionFeedback& feedback) const {
  const DeliverySnapshot& at_send = newest.at_send;
  const Duration send_elapsed = newest.sent_time - at_send.first_sent_time;
  const Duration ack_elapsed = delivered_time_ - at_send.delivered_time;
  RateSample sample{
      .delivered_bytes = delivered_bytes_ - at_send.delivered_bytes,
      // Data cannot be delivered faster than it is sent: acknowledgments came bundled then.
      .interval = std::max(send_elapsed, ack_elapsed),
      .prior_delivered_bytes = at_send.delivered_bytes,
      .lost_bytes = lost_bytes_ - at_send.lost_bytes,
      .bytes_in_flight_at_send = at_send.bytes_in_flight,
      .rtt = feedback.now - newest.sent_time,
      .is_app_limited = at_send.is_app_limited != 0,
  };
  if (sample.interval > Duration::Zero() && sample.interval >= feedback.rtt.min) {
    sample.delivery_rate = Bandwidth::FromBytesAndDuration(sample.delivered_bytes, sample.interval);
  }
  return sample;
}

void BandwidthSampler::CheckInvariants() const {
  GODWIT_CHECK_LE(round_ends_bytes_, delivered_bytes_);
  GODWIT_CHECK_LE(round_count_, delivered_bytes_ + 1);
}

}  // namespace godwit
