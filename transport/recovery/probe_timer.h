// SPDX-License-Identifier: Apache-2.0
//
// ProbeTimer: when a connection gives up waiting for acknowledgments and sends a probe (RFC 9002
// §6.2), and in which packet number space. It keeps the backoff; all else it is told at each
// question, so that there is nothing to be set again after every packet.
//
// Not decided here: what a probe carries, the timer of the time threshold, which comes first (RFC
// 9002 §6.2.1), and that a server which may not send has no timer (RFC 9002 §6.2.2.1).
//
// The RFC doubles the timeout without end. Ours stops doubling at a ceiling, so that a path which
// was dead for minutes is used again soon after it has come back.
//
// Invariant: PTO base <= Backoff() <= max(ceiling, 3 PTO base).
#ifndef GODWIT_TRANSPORT_RECOVERY_PROBE_TIMER_H_
#define GODWIT_TRANSPORT_RECOVERY_PROBE_TIMER_H_

#include <array>
#include <cstdint>
#include <optional>

#include "base/packet_number.h"
#include "congestion/rtt_estimator.h"
#include "godwit/time.h"

namespace godwit {

inline constexpr Duration kDefaultPtoCeiling = Duration::Seconds(2);

class ProbeTimer {
 public:
  struct SpaceFacts {
    bool has_keys = false;
    bool has_ack_eliciting_in_flight = false;
    // CRYPTO data that waits, of the Initial or Handshake space.
    bool has_unsent_handshake_data = false;
    // InfinitePast() if there was none. Remembered when keys are discarded.
    Timestamp last_ack_eliciting_sent_time = Timestamp::InfinitePast();
  };

  struct Inputs {
    Timestamp now = {};
    std::array<SpaceFacts, kPacketNumberSpaceCount> spaces = {};
    const RttEstimator* rtt = nullptr;
    Duration peer_max_ack_delay = {};
    bool is_handshake_confirmed = false;
    // RFC 9002 §6.2.2.1: this is a client which does not know that the server has validated its
    // address; the server may be unable to send before it hears from us.
    bool is_anti_deadlock_armed = false;
  };

  struct Deadline {
    Timestamp time;
    PacketNumberSpace space;

    friend constexpr bool operator==(const Deadline&, const Deadline&) = default;
  };

  // `ceiling` is not negative.
  explicit ProbeTimer(Duration ceiling = kDefaultPtoCeiling);

  // Nothing if no probe will be needed. The answer may lie in the past.
  std::optional<Deadline> DeadlineFor(const Inputs& inputs) const;

  // The deadline has passed: the next timeout takes twice as long.
  void OnTimeout();
  // RFC 9002 §6.2.1: the peer is there, or keys were discarded.
  void Reset() { pto_count_ = 0; }

  uint32_t pto_count() const { return pto_count_; }
  Duration Backoff(Duration pto_base) const;

  void CheckInvariants() const;

 private:
  Duration ceiling_;
  uint32_t pto_count_ = 0;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_RECOVERY_PROBE_TIMER_H_
