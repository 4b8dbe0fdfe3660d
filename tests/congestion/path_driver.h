// SPDX-License-Identifier: Apache-2.0
//
// PathDriver: a sender with a script instead of a network. The test says which packets leave, which
// arrive and which do not, and when; the driver keeps the books that a connection would keep (real
// RTT estimator and bandwidth sampler) and tells the controller. After every step it checks the
// invariants of all three.
#ifndef GODWIT_TESTS_CONGESTION_PATH_DRIVER_H_
#define GODWIT_TESTS_CONGESTION_PATH_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "congestion/bandwidth_sampler.h"
#include "congestion/rtt_estimator.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

class PathDriver {
 public:
  // Both must outlive the driver.
  PathDriver(CongestionController* controller, uint64_t packet_bytes)
      : controller_(controller), packet_bytes_(packet_bytes) {}

  void Advance(Duration duration) { now_ += duration; }
  // What the controller is told from now on; another one takes over what is in flight.
  void SwitchTo(CongestionController* controller) { controller_ = controller; }

  // Sends `count` packets now, whatever the window says.
  void Send(size_t count);
  // Sends as many as the window takes; how many that was.
  size_t SendWindow();
  // The application has nothing more to send.
  void RunDry();
  // The first packet after a pause with nothing in flight.
  void RestartFromIdle() { controller_->OnRestartFromIdle(now_); }

  // What happens to the packets that were sent first of those in flight, in this order: `lost` are
  // declared lost, `acked` acknowledged, all by one feedback.
  struct Fate {
    size_t lost = 0;
    size_t acked = 0;
    uint64_t ecn_ce_count = 0;
    bool is_persistent_congestion = false;
  };
  void Resolve(const Fate& fate);
  void Ack(size_t count) { Resolve({.acked = count}); }
  // The `count` packets that were declared lost first turn up.
  void AckLost(size_t count);

  // Time passes on an untroubled path whose sender is never short of data: what was sent `rtt` ago
  // is acknowledged, and what the window then takes leaves, no faster than twice the window a round
  // trip.
  void RunStep(Duration rtt, Duration step);
  // A round trip of this.
  void RunRound(Duration rtt, size_t steps);

  Timestamp now() const { return now_; }
  size_t in_flight_count() const { return in_flight_.size(); }
  // Declared lost, and not turned up.
  size_t lost_count() const { return lost_.size(); }
  uint64_t bytes_in_flight() const { return in_flight_.size() * packet_bytes_; }
  const RttEstimator& rtt() const { return rtt_; }
  const CongestionFeedback& last_feedback() const { return feedback_; }

 private:
  void Tell();

  CongestionController* controller_;
  const uint64_t packet_bytes_;
  Timestamp now_ = Timestamp::FromNanoseconds(1'000'000'000);
  uint64_t next_packet_number_ = 0;
  std::deque<TransmittedPacket> in_flight_;
  std::deque<SpuriousLoss> lost_;
  std::vector<TransmittedPacket> feedback_acked_;
  std::vector<TransmittedPacket> feedback_lost_;
  std::vector<SpuriousLoss> feedback_spurious_;
  CongestionFeedback feedback_;
  RttEstimator rtt_;
  BandwidthSampler sampler_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_CONGESTION_PATH_DRIVER_H_
