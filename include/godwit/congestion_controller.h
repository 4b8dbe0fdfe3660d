// SPDX-License-Identifier: Apache-2.0
//
// CongestionController: the algorithm that says how much of a path may be used, one instance for
// each path of each connection (RFC 9002 §7). Cubic and NewReno come with godwit; an application
// can bring its own: derive from CongestionController, register a factory under a name, and name it
// in the configuration. All that BBRv3 (draft-ietf-ccwg-bbr) needs is handed in.
//
// A controller decides about windows and rates. It does not measure: round-trip times, delivery
// rates, losses and spurious losses are found outside and reported to it. It does not count bytes
// in flight, keep timers or read a clock: now is the time it is told.
//
// A controller that keeps twice the measured bandwidth-delay product in flight:
//
//   class TwiceBdp final : public godwit::CongestionController {
//    public:
//     explicit TwiceBdp(const godwit::CongestionControllerParams& params)
//         : window_(godwit::InitialWindowBytes(params.max_datagram_bytes)) {
//       if (params.predecessor) window_ = params.predecessor->congestion_window_bytes;
//     }
//     std::string_view name() const override { return "twice_bdp"; }
//     void OnFeedback(const godwit::CongestionFeedback& feedback) override {
//       if (!feedback.rate_sample) return;
//       rate_ = std::max(rate_ * godwit::Ratio{15, 16}, feedback.rate_sample->delivery_rate);
//       window_ = std::max<uint64_t>(2 * rate_.BytesIn(feedback.rtt.min), 4 * 1200);
//     }
//     uint64_t congestion_window_bytes() const override { return window_; }
//     godwit::Bandwidth pacing_rate() const override { return godwit::Bandwidth::Infinite(); }
//     uint64_t send_quantum_bytes() const override { return 16'384; }
//     godwit::CongestionHandover Handover() const override {
//       return {.congestion_window_bytes = window_, .bandwidth_estimate = rate_};
//     }
//    private:
//     uint64_t window_;
//     godwit::Bandwidth rate_;
//   };
//
//   class TwiceBdpFactory final : public godwit::CongestionControllerFactory {
//    public:
//     std::unique_ptr<godwit::CongestionController> Make(
//         const godwit::CongestionControllerParams& params) const override {
//       return std::make_unique<TwiceBdp>(params);
//     }
//   };
//
//   static const TwiceBdpFactory factory;
//   godwit::CongestionControllerRegistry registry;
//   absl::Status status = registry.Register("twice_bdp", &factory);
#ifndef GODWIT_INCLUDE_CONGESTION_CONTROLLER_H_
#define GODWIT_INCLUDE_CONGESTION_CONTROLLER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"

#include "godwit/bandwidth.h"
#include "godwit/time.h"

namespace godwit {

// RFC 9002 §7.2: the window of a path about which nothing is known.
[[nodiscard]] constexpr uint64_t InitialWindowBytes(uint64_t max_datagram_bytes) {
  return std::min(10 * max_datagram_bytes, std::max<uint64_t>(14'720, 2 * max_datagram_bytes));
}

// RFC 9002 §7.2: the least window.
[[nodiscard]] constexpr uint64_t MinWindowBytes(uint64_t max_datagram_bytes) {
  return 2 * max_datagram_bytes;
}

// What was known of the path's delivery at the moment a packet was sent; it is kept with the packet
// until its fate is known. draft-ietf-ccwg-bbr §4.1.2: the state of a packet.
struct DeliverySnapshot {
  // Bytes that the path had delivered, and lost, in its life until then.
  uint64_t delivered_bytes = 0;
  uint64_t lost_bytes = 0;
  // When the latest of these deliveries was noticed.
  Timestamp delivered_time = {};
  // When the packet whose delivery that was had been sent.
  Timestamp first_sent_time = {};
  // Bytes in flight, this packet included.
  uint64_t bytes_in_flight : 63 = 0;
  // The packet belongs to a round trip in which the application did not always have enough to send.
  uint64_t is_app_limited : 1 = 0;
};

static_assert(sizeof(DeliverySnapshot) == 40);

// A packet that counts towards bytes in flight (RFC 9002 §2); a controller hears of no others.
struct TransmittedPacket {
  // Unique, and growing with time, within a packet number space; the three spaces of a handshake
  // each have their own numbers.
  uint64_t packet_number = 0;
  // Size of the QUIC packet, without UDP and IP headers.
  uint64_t bytes = 0;
  Timestamp sent_time = {};
  DeliverySnapshot at_send = {};
};

static_assert(sizeof(TransmittedPacket) == 64);
static_assert(std::is_trivially_copyable_v<TransmittedPacket>);

// A packet that was declared lost and has now been acknowledged after all.
struct SpuriousLoss {
  TransmittedPacket packet = {};
  // The `now` of the feedback that had it among the lost.
  Timestamp declared_lost_at = {};
};

// How fast the path delivered over the last flight of packets. draft-ietf-ccwg-bbr §4.1.2: the rate
// sample. "The packet" below is the one that was sent last of those just acknowledged.
struct RateSample {
  // Zero() if the interval was too short for a reliable rate (shorter than min_rtt).
  Bandwidth delivery_rate = {};
  // Delivered in `interval`: since the packet was sent, itself included.
  uint64_t delivered_bytes = 0;
  Duration interval = {};
  // What the path had delivered in its life when the packet was sent.
  uint64_t prior_delivered_bytes = 0;
  // Declared lost since the packet was sent.
  uint64_t lost_bytes = 0;
  // In flight when the packet was sent, itself included.
  uint64_t bytes_in_flight_at_send = 0;
  // From sending the packet to its acknowledgment, the peer's delay included.
  Duration rtt = {};
  // The rate may be the application's rather than the path's.
  bool is_app_limited = false;
};

// The path's round-trip time (RFC 9002 §5). All Zero() before the first sample, which is never 0.
struct RttSummary {
  Duration latest = {};
  Duration min = {};
  Duration smoothed = {};
};

// What was learned at one moment about packets in flight: from one received batch of datagrams with
// their ACK frames, or from a timer that found packets lost. The spans are valid during the call.
//
// Not reported: packets whose keys were discarded (RFC 9002 §6.4). They leave flight, which shows
// in the byte counts of the next feedback.
struct CongestionFeedback {
  Timestamp now = {};

  // Newly acknowledged, by ascending packet number within a space. Empty if a timer was the
  // occasion.
  std::span<const TransmittedPacket> acked = {};
  // Newly declared lost, in the same order; not always all of one round trip. Probes of the path's
  // MTU are not among them (RFC 9000 §14.4).
  std::span<const TransmittedPacket> lost = {};
  // Declared lost earlier, acknowledged now. They left flight when they were declared lost.
  std::span<const SpuriousLoss> spurious_losses = {};

  // By how much the peer's count of ECN-CE marks grew, on a path that passed validation (RFC 9002
  // §7.1), else 0; and when the largest packet that this ACK frame acknowledges was sent.
  uint64_t ecn_ce_count = 0;
  Timestamp ecn_ce_sent_time = {};

  // Packets of `lost` establish persistent congestion (RFC 9002 §7.6).
  bool is_persistent_congestion = false;

  // Before and after this feedback.
  uint64_t prior_bytes_in_flight = 0;
  uint64_t bytes_in_flight = 0;

  // Delivered and lost in the path's life, this feedback included.
  uint64_t delivered_bytes = 0;
  uint64_t lost_bytes = 0;

  // None if nothing was acknowledged.
  std::optional<RateSample> rate_sample = {};

  // Round trips counted by packets: one ends, and the next starts, when a packet is acknowledged
  // that was sent after it started (draft-ietf-ccwg-bbr §5.5.1).
  uint64_t round_count = 0;
  bool is_round_start = false;

  RttSummary rtt = {};
  // `rtt.latest` is new with this feedback.
  bool has_rtt_sample = false;
};

// What one controller can tell another that takes over from it.
struct CongestionHandover {
  uint64_t congestion_window_bytes = 0;
  // The window from which on capacity is looked for slowly. None: it never congested; slow start.
  std::optional<uint64_t> ssthresh_bytes = {};
  // What the path is believed to deliver. None: no estimate.
  std::optional<Bandwidth> bandwidth_estimate = {};
  // None: no sample.
  std::optional<Duration> min_rtt = {};
  // It has answered congestion, and no packet sent after that has been acknowledged.
  bool is_in_recovery = false;
};

// Order of calls: OnRestartFromIdle() and OnPacketSent() as packets leave, OnFeedback() as their
// fate becomes known, each packet once among `acked` or `lost`. `now` never decreases from call to
// call. OnAppLimited() when the sender ran dry. The outputs may be read at any time, as often as
// wanted, and stay the same between these calls.
//
// May be assumed: everything runs on one thread at a time; calls never nest. What a peer can make
// happen is any pattern of acknowledgments, losses and marks for packets that were sent.
//
// Must hold: no call blocks, throws or allocates in steady state. Calls come per packet: keep them
// within some tens of nanoseconds.
class CongestionController {
 public:
  virtual ~CongestionController() = default;

  // The name by which the configuration chooses it. Static storage.
  [[nodiscard]] virtual std::string_view name() const = 0;

  // A packet leaves. Probe packets come here too: they may exceed the window (RFC 9002 §7.5).
  virtual void OnPacketSent(const TransmittedPacket& packet) { static_cast<void>(packet); }

  // The heart. The parts of a feedback are to be taken in this order: spurious losses, ECN-CE,
  // losses, acknowledgments.
  virtual void OnFeedback(const CongestionFeedback& feedback) = 0;

  // The sender has nothing to send although window and pacing would allow it: the application, or
  // the peer's flow control, is what limits it.
  virtual void OnAppLimited(Timestamp now, uint64_t bytes_in_flight) {
    static_cast<void>(now);
    static_cast<void>(bytes_in_flight);
  }

  // The next packet will be sent with nothing in flight, after a pause.
  virtual void OnRestartFromIdle(Timestamp now) { static_cast<void>(now); }

  // The largest datagram that the path takes has changed; 1200 at least.
  virtual void OnMaxDatagramBytesChanged(uint64_t max_datagram_bytes) {
    static_cast<void>(max_datagram_bytes);
  }

  // Bytes that may be in flight. 2 datagrams at least (RFC 9002 §7.2).
  [[nodiscard]] virtual uint64_t congestion_window_bytes() const = 0;

  // How fast packets may leave (RFC 9002 §7.7). Infinite(): as fast as the window allows. Never
  // Zero().
  [[nodiscard]] virtual Bandwidth pacing_rate() const = 0;

  // Bytes that should leave together, as a train; a larger one saves processor time and lengthens
  // queues. A datagram at least.
  [[nodiscard]] virtual uint64_t send_quantum_bytes() const = 0;

  // For a successor, and for logs. Does not change anything.
  [[nodiscard]] virtual CongestionHandover Handover() const = 0;

  // Ends the process if the state is impossible. For tests.
  virtual void CheckInvariants() const {}
};

// What a new controller starts from.
struct CongestionControllerParams {
  Timestamp now = {};
  // The largest datagram that the path takes, as far as known; 1200 at least.
  uint64_t max_datagram_bytes = 1200;
  // Of the path, if anything is in flight or was.
  RttSummary rtt = {};
  // Set when a connection changes controller while running: its packets are still in flight, and
  // their fates will be reported to the new one.
  std::optional<CongestionHandover> predecessor = {};
};

class CongestionControllerFactory {
 public:
  virtual ~CongestionControllerFactory() = default;

  // Never null. Called by every thread that runs an endpoint whose configuration names it.
  [[nodiscard]] virtual std::unique_ptr<CongestionController> Make(
      const CongestionControllerParams& params) const = 0;
};

// The names under which godwit's own controllers can be chosen, the first one being the default.
inline constexpr std::string_view kCubic = "cubic";
inline constexpr std::string_view kNewReno = "new_reno";

// The application's controllers by name: a value in the configuration. Copies refer to the same
// factories.
class CongestionControllerRegistry {
 public:
  // `factory` must outlive every endpoint made from a configuration with this registry. An error
  // if the name is empty or taken, by an earlier call or by godwit's own, or `factory` is null.
  [[nodiscard]] absl::Status Register(std::string_view name,
                                      const CongestionControllerFactory* factory);

  // Null if there is none of that name. godwit's own controllers are not in here.
  [[nodiscard]] const CongestionControllerFactory* Find(std::string_view name) const;

 private:
  struct Entry {
    std::string name;
    const CongestionControllerFactory* factory;
  };

  std::vector<Entry> entries_;
};

}  // namespace godwit

#endif  // GODWIT_INCLUDE_CONGESTION_CONTROLLER_H_
