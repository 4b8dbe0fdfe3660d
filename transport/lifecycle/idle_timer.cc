// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/idle_timer.h"

#include <algorithm>

#include "base/check.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {
namespace {

constexpr int64_t kMinTimeoutPtos = 3;  // RFC 9000 §10.1

// So many packets of the peer's are a flow, and silence that long is its end: well above the pauses
// in which senders probe for loss.
constexpr uint64_t kFlowPackets = 32;
constexpr Duration kFlowEnd = Duration::Seconds(1);

Duration InfiniteIfZero(Duration duration) {
  return duration.is_zero() ? Duration::Infinite() : duration;
}

}  // namespace

IdleTimer::IdleTimer(const Config& config, Timestamp now)
    : timeout_(InfiniteIfZero(config.max_idle_timeout)),
      keep_alive_interval_(InfiniteIfZero(config.keep_alive_interval)),
      restarted_at_(now),
      last_activity_(now) {
  GODWIT_CHECK(timeout_ > Duration::Zero());
  GODWIT_CHECK(keep_alive_interval_ > Duration::Zero());
}

void IdleTimer::OnPeerTimeout(Duration peer_max_idle_timeout) {
  // RFC 9000 §10.1: the smaller of both, where an end without one does not count.
  timeout_ = std::min(timeout_, InfiniteIfZero(peer_max_idle_timeout));
  has_peer_timeout_ = true;
}

Timestamp IdleTimer::idle_deadline(Duration pto) const {
  // RFC 9000 §10.1: at least three PTO, so that probes have their chance.
  return restarted_at_ + std::max(timeout_, kMinTimeoutPtos * pto);
}

Timestamp IdleTimer::keep_alive_deadline() const {
  if (is_ping_pending_ || !has_peer_timeout_) return Timestamp::Infinite();
  const bool was_flow = flow_packets_ >= kFlowPackets;
  const Duration interval =
      was_flow ? std::min(keep_alive_interval_, kFlowEnd) : keep_alive_interval_;
  if (interval.is_infinite()) return Timestamp::Infinite();
  // Half of the timeout leaves a PING that was lost the time to be followed by a probe.
  return last_activity_ + std::min(interval, timeout_ / 2);
}

Timestamp IdleTimer::reminder_deadline() const {
  return has_peer_timeout_ ? last_activity_ + timeout_ / 2 : Timestamp::Infinite();
}

void IdleTimer::OnTimeout(Timestamp now) {
  if (now < keep_alive_deadline()) return;
  is_ping_pending_ = true;
  flow_packets_ = 0;
}

void IdleTimer::WriteFrames(FrameWriter& writer) {
  if (!is_ping_pending_) return;
  if (writer.Write(PingFrame{}, SentFrame::Ping())) is_ping_pending_ = false;
}

void IdleTimer::CheckInvariants() const {
  GODWIT_CHECK(restarted_at_ <= last_activity_);
  if (is_ping_pending_) GODWIT_CHECK(has_peer_timeout_);
}

}  // namespace godwit
