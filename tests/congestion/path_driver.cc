// SPDX-License-Identifier: Apache-2.0
#include "tests/congestion/path_driver.h"

#include <algorithm>

#include "base/check.h"
#include "godwit/bandwidth.h"

namespace godwit {

void PathDriver::Send(size_t count) {
  for (size_t i = 0; i < count; ++i) {
    TransmittedPacket packet{
        .packet_number = next_packet_number_++, .bytes = packet_bytes_, .sent_time = now_};
    sampler_.OnPacketSent(bytes_in_flight(), packet);
    in_flight_.push_back(packet);
    controller_->OnPacketSent(packet);
  }
  controller_->CheckInvariants();
}

size_t PathDriver::SendWindow() {
  const uint64_t window_bytes = controller_->congestion_window_bytes();
  if (bytes_in_flight() >= window_bytes) return 0;
  const size_t count = (window_bytes - bytes_in_flight()) / packet_bytes_;
  Send(count);
  return count;
}

void PathDriver::RunDry() {
  sampler_.OnAppLimited(bytes_in_flight());
  controller_->OnAppLimited(now_, bytes_in_flight());
  controller_->CheckInvariants();
}

void PathDriver::Resolve(const Fate& fate) {
  GODWIT_CHECK_LE(fate.lost + fate.acked, in_flight_.size());
  feedback_ = {};
  feedback_.prior_bytes_in_flight = bytes_in_flight();
  for (size_t i = 0; i < fate.lost; ++i) {
    feedback_lost_.push_back(in_flight_.front());
    lost_.push_back({.packet = in_flight_.front(), .declared_lost_at = now_});
    in_flight_.pop_front();
  }
  for (size_t i = 0; i < fate.acked; ++i) {
    feedback_acked_.push_back(in_flight_.front());
    in_flight_.pop_front();
  }
  if (fate.acked > 0) {
    rtt_.OnMeasurement({.rtt = now_ - feedback_acked_.back().sent_time});
    feedback_.has_rtt_sample = true;
    feedback_.ecn_ce_sent_time = feedback_acked_.back().sent_time;
  }
  if (fate.is_persistent_congestion) rtt_.OnPersistentCongestion();
  feedback_.ecn_ce_count = fate.ecn_ce_count;
  feedback_.is_persistent_congestion = fate.is_persistent_congestion;
  Tell();
}

void PathDriver::AckLost(size_t count) {
  GODWIT_CHECK_LE(count, lost_.size());
  feedback_ = {};
  feedback_.prior_bytes_in_flight = bytes_in_flight();
  for (size_t i = 0; i < count; ++i) {
    feedback_spurious_.push_back(lost_.front());
    lost_.pop_front();
  }
  Tell();
}

void PathDriver::RunStep(Duration rtt, Duration step) {
  Advance(step);
  size_t due = 0;
  while (due < in_flight_.size() && in_flight_[due].sent_time + rtt <= now_) ++due;
  if (due > 0) Ack(due);

  const uint64_t window_bytes = controller_->congestion_window_bytes();
  if (bytes_in_flight() >= window_bytes) return;
  const uint64_t room = (window_bytes - bytes_in_flight()) / packet_bytes_;
  const uint64_t paced = Bandwidth::FromBytesAndDuration(2 * window_bytes, rtt).BytesIn(step);
  Send(std::min(room, paced / packet_bytes_ + 1));
}

void PathDriver::RunRound(Duration rtt, size_t steps) {
  for (size_t i = 0; i < steps; ++i) RunStep(rtt, rtt / static_cast<int64_t>(steps));
}

void PathDriver::Tell() {
  feedback_.now = now_;
  feedback_.acked = feedback_acked_;
  feedback_.lost = feedback_lost_;
  feedback_.spurious_losses = feedback_spurious_;
  feedback_.bytes_in_flight = bytes_in_flight();
  feedback_.rtt = rtt_.summary();
  sampler_.OnFeedback(feedback_);
  controller_->OnFeedback(feedback_);
  feedback_acked_.clear();
  feedback_lost_.clear();
  feedback_spurious_.clear();
  controller_->CheckInvariants();
  rtt_.CheckInvariants();
  sampler_.CheckInvariants();
}

}  // namespace godwit
