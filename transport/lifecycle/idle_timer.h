// SPDX-License-Identifier: Apache-2.0
//
// IdleTimer: when a connection on which nothing happens ends silently, and when a PING is due so
// that it does not. RFC 9000 §10.1. Also when a flow of packets from the peer stopped so suddenly
// that a PING is to show it where we are: behind a NAT that gave us another port, a side that only
// receives, and acknowledges, would wait for ever.
//
// It does not send, nor close: the connection asks after its deadlines.
//
// Invariants: the idle timeout is the smaller of both ends', where those exist, but never below 3
// PTO; packets that we send extend it only if they are the first that elicit an acknowledgment
// since something was received, so that a peer that is gone is noticed however much we send.
#ifndef GODWIT_TRANSPORT_LIFECYCLE_IDLE_TIMER_H_
#define GODWIT_TRANSPORT_LIFECYCLE_IDLE_TIMER_H_

#include <cstdint>

#include "godwit/connection_config.h"
#include "godwit/time.h"
#include "transport/delivery/frame_writer.h"

namespace godwit {

class IdleTimer {
 public:
  using Config = IdleConfig;

  IdleTimer(const Config& config, Timestamp now);

  // The peer's max_idle_timeout; zero if it has none. Also says that packets that carry a PING can
  // be sent from now on: before, keep-alive rests.
  void OnPeerTimeout(Duration peer_max_idle_timeout);

  // A packet of the peer's was opened and is no duplicate.
  void OnPacketReceived(Timestamp now) {
    restarted_at_ = now;
    last_activity_ = now;
    has_sent_since_received_ = false;
  }
  // And it elicits an acknowledgment.
  void OnAckElicitingReceived() { ++flow_packets_; }

  // A packet that elicits an acknowledgment was sent.
  void OnAckElicitingSent(Timestamp now) {
    // RFC 9000 §10.1: only the first one since a packet was received restarts the timer.
    if (!has_sent_since_received_) restarted_at_ = now;
    has_sent_since_received_ = true;
    last_activity_ = now;
    is_ping_pending_ = false;
  }

  // When the connection is closed silently; Infinite() if neither end wants that. `pto` is the
  // probe timeout at this moment, without backoff.
  Timestamp idle_deadline(Duration pto) const;
  bool has_timed_out(Timestamp now, Duration pto) const { return now >= idle_deadline(pto); }

  // When a PING becomes pending, for keep-alive or after a flow; Infinite() while one is, or if
  // neither asks for one.
  Timestamp keep_alive_deadline() const;
  // When a connection that waits for its peer, and would be sorry to end meanwhile, is to send
  // something, with or without keep-alive. Infinite() without a timeout.
  Timestamp reminder_deadline() const;
  // Makes the PING pending if it is due.
  void OnTimeout(Timestamp now);

  // The PING, once. If its packet is lost, the probe timeout takes over.
  bool HasPendingFrames() const { return is_ping_pending_; }
  void WriteFrames(FrameWriter& writer);

  // What both ends have agreed upon so far, before the floor of 3 PTO; infinite if none.
  Duration timeout() const { return timeout_; }

  void CheckInvariants() const;

 private:
  Duration timeout_;              // Infinite: none.
  Duration keep_alive_interval_;  // Infinite: none.
  bool has_peer_timeout_ = false;
  bool has_sent_since_received_ = false;
  bool is_ping_pending_ = false;
  uint64_t flow_packets_ = 0;  // Received since a PING was due.
  Timestamp restarted_at_;     // The idle timeout runs from here,
  Timestamp last_activity_;    // keep-alive from here.
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_LIFECYCLE_IDLE_TIMER_H_
