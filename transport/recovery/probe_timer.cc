// SPDX-License-Identifier: Apache-2.0
#include "transport/recovery/probe_timer.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "base/check.h"

namespace godwit {
namespace {

constexpr auto kInitial = static_cast<size_t>(PacketNumberSpace::kInitial);
constexpr auto kHandshake = static_cast<size_t>(PacketNumberSpace::kHandshake);

}  // namespace

ProbeTimer::ProbeTimer(Duration ceiling) : ceiling_(ceiling) {
  GODWIT_CHECK(ceiling >= Duration::Zero());
}

std::optional<ProbeTimer::Deadline> ProbeTimer::DeadlineFor(const Inputs& inputs) const {
  // A space that nothing was sent in yet counts from what was sent elsewhere.
  Timestamp last_sent = Timestamp::InfinitePast();
  for (const SpaceFacts& space : inputs.spaces) {
    last_sent = std::max(last_sent, space.last_ack_eliciting_sent_time);
  }
  std::optional<Deadline> earliest;
  for (size_t i = 0; i < kPacketNumberSpaceCount; ++i) {
    const auto space = static_cast<PacketNumberSpace>(i);
    const SpaceFacts& facts = inputs.spaces[i];
    // RFC 9002 §6.2.1 has no timer for what is lost and was not sent again. If then the window is
    // full of packets that the peer cannot open before it has that, nothing would ever happen.
    const bool waits_for_window = facts.has_unsent_handshake_data && facts.has_keys;
    if (!facts.has_ack_eliciting_in_flight && !waits_for_window) continue;
    const bool is_application = space == PacketNumberSpace::kApplication;
    // RFC 9002 §6.2.1: until then the peer may be unable to read, or we to read its answer.
    if (is_application && !inputs.is_handshake_confirmed) continue;
    // RFC 9002 §6.2.1: the peer does not delay acknowledgments in the other spaces on purpose.
    const Duration max_ack_delay = is_application ? inputs.peer_max_ack_delay : Duration::Zero();
    const bool has_sent = facts.last_ack_eliciting_sent_time != Timestamp::InfinitePast();
    const Timestamp time = (has_sent ? facts.last_ack_eliciting_sent_time : last_sent) +
                           Backoff(inputs.rtt->PtoBase(max_ack_delay));
    if (!earliest.has_value() || time < earliest->time) earliest = Deadline{time, space};
  }
  if (earliest.has_value() || !inputs.is_anti_deadlock_armed) return earliest;

  // RFC 9002 §6.2.2.1: with nothing in flight that would be probed for, a Handshake packet if there
  // are keys, which proves the client's address, else an Initial one. The RFC's timer runs from the
  // moment at which it is set; ours from the last packet that might have moved the server.
  if (!inputs.spaces[kHandshake].has_keys && !inputs.spaces[kInitial].has_keys) return {};
  const Timestamp last_handshake_sent =
      std::max(inputs.spaces[kInitial].last_ack_eliciting_sent_time,
               inputs.spaces[kHandshake].last_ack_eliciting_sent_time);
  return Deadline{last_handshake_sent + Backoff(inputs.rtt->PtoBase(Duration::Zero())),
                  inputs.spaces[kHandshake].has_keys ? PacketNumberSpace::kHandshake
                                                     : PacketNumberSpace::kInitial};
}

void ProbeTimer::OnTimeout() {
  if (pto_count_ != std::numeric_limits<uint32_t>::max()) ++pto_count_;
}

Duration ProbeTimer::Backoff(Duration pto_base) const {
  // 2^62 nanoseconds are a hundred years; durations saturate beyond.
  const Duration doubled = pto_base * (int64_t{1} << std::min<uint32_t>(pto_count_, 62));
  return std::min(doubled, std::max(ceiling_, 3 * pto_base));
}

void ProbeTimer::CheckInvariants() const { GODWIT_CHECK(ceiling_ >= Duration::Zero()); }

}  // namespace godwit
