// SPDX-License-Identifier: Apache-2.0
//
// BottleneckModel: senders with real controllers, pacers, samplers and RTT estimators over one link
// with a drop-tail queue; whole packets in virtual time, endless data, every packet acknowledged on
// its own, nothing of the protocol. For questions about queues and shares. The simulator with real
// connections is elsewhere.
#ifndef GODWIT_TESTS_CONGESTION_BOTTLENECK_MODEL_H_
#define GODWIT_TESTS_CONGESTION_BOTTLENECK_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "base/seeded_random.h"
#include "congestion/bandwidth_sampler.h"
#include "congestion/pacer.h"
#include "congestion/rtt_estimator.h"
#include "godwit/bandwidth.h"
#include "godwit/congestion_controller.h"
#include "godwit/time.h"

namespace godwit {

class BottleneckModel {
 public:
  struct Link {
    Bandwidth rate;
    Duration rtt;  // With an empty queue.
    uint64_t queue_bytes = 0;
    Duration jitter = {};  // Acknowledgments are late by up to this, and stay in order.
    uint64_t seed = 1;
  };

  static constexpr uint64_t kPacketBytes = 1'452;

  explicit BottleneckModel(const Link& link) : link_(link), random_(link.seed) {}

  // A sender that starts at `start`. `controller` must outlive the model.
  void AddFlow(CongestionController* controller, Timestamp start);

  void RunUntil(Timestamp end);

  Timestamp now() const { return now_; }
  uint64_t delivered_bytes(size_t flow) const { return flows_[flow]->sampler.delivered_bytes(); }
  uint64_t lost_bytes(size_t flow) const { return flows_[flow]->sampler.lost_bytes(); }

 private:
  struct InFlight {
    TransmittedPacket packet;
    bool is_dropped = false;
  };
  struct Flow {
    CongestionController* controller = nullptr;
    Pacer pacer{InitialWindowBytes(kPacketBytes)};
    RttEstimator rtt;
    BandwidthSampler sampler;
    std::deque<InFlight> in_flight;
    uint64_t bytes_in_flight = 0;
    uint64_t next_packet_number = 0;
    Timestamp last_ack;
    Timestamp next_wakeup = Timestamp::Infinite();
  };
  enum class EventKind : uint8_t { kWakeUp, kAck, kTimeout };
  struct Event {
    Timestamp at;
    uint64_t order;
    EventKind kind;
    size_t flow;
    uint64_t packet_number;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void Schedule(Timestamp at, EventKind kind, size_t flow, uint64_t packet_number = 0);
  void SendWhatIsAllowed(size_t index);
  void Transmit(size_t index);
  void OnAck(size_t index, uint64_t packet_number);
  void OnTimeout(size_t index);
  void Tell(size_t index, const std::vector<TransmittedPacket>& acked,
            const std::vector<TransmittedPacket>& lost);

  const Link link_;
  SeededRandom random_;
  Timestamp now_;
  Timestamp link_free_;
  uint64_t event_count_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<Event>> events_;
  std::vector<std::unique_ptr<Flow>> flows_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_CONGESTION_BOTTLENECK_MODEL_H_
