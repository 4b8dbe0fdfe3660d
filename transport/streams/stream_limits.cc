// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/stream_limits.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "base/limits.h"
#include "transport/delivery/sent_frame.h"
#include "transport/wire/frame.h"

namespace godwit {

StreamLimits::StreamLimits(StreamDirection direction, uint64_t max_open_count)
    : direction_(direction), max_open_(max_open_count), granted_(max_open_count) {
  GODWIT_CHECK_LE(max_open_count, kMaxStreams);
}

std::optional<uint64_t> StreamLimits::TakeLocalIndex() {
  if (local_opened_ < peer_limit_) return local_opened_++;
  is_open_wanted_ = true;
  // RFC 9000 §4.6, §19.14.
  blocked_.Set(peer_limit_);
  return std::nullopt;
}

bool StreamLimits::OnPeerLimit(uint64_t max_count) {
  // RFC 9000 §4.6: a limit that does not rise is ignored.
  if (max_count <= peer_limit_) return false;
  peer_limit_ = max_count;
  blocked_.Cancel();
  const bool was_open_wanted = is_open_wanted_;
  is_open_wanted_ = false;
  return was_open_wanted;
}

void StreamLimits::OnPeerOpened(uint64_t opened_count) {
  GODWIT_CHECK_LE(opened_count, granted_);
  peer_opened_ = std::max(peer_opened_, opened_count);
  GrantWhatIsFree();
}

void StreamLimits::OnPeerStreamOver() {
  ++peer_over_;
  GODWIT_CHECK_LE(peer_over_, peer_opened_);
  GrantWhatIsFree();
}

void StreamLimits::GrantWhatIsFree() {
  // RFC 9000 §4.6: no limit above 2^60.
  const uint64_t target = std::min(peer_over_ + max_open_, kMaxStreams);
  const uint64_t batch = std::max(max_open_ / 4, uint64_t{1});
  const bool is_peer_near_limit = granted_ - peer_opened_ < batch;
  if (target == granted_ || (target - granted_ < batch && !is_peer_near_limit)) return;
  granted_ = target;
  max_streams_.Set(granted_);
}

void StreamLimits::OnStreamsBlockedFrame(uint64_t limit_count) {
  // A peer that waits at a limit that has risen since may never have heard of it.
  if (limit_count >= granted_) return;
  max_streams_.Cancel();
  max_streams_.Set(granted_);
}

bool StreamLimits::WriteFrames(FrameWriter& writer) {
  if (max_streams_.HasPending()) {
    const MaxStreamsFrame frame{direction_, max_streams_.value()};
    if (!writer.Write(frame, SentFrame::MaxStreams(direction_))) return false;
    max_streams_.OnSent(writer.packet_number());
  }
  if (blocked_.HasPending()) {
    const StreamsBlockedFrame frame{direction_, blocked_.value()};
    if (!writer.Write(frame, SentFrame::StreamsBlocked(direction_))) return false;
    blocked_.OnSent(writer.packet_number());
  }
  return true;
}

void StreamLimits::CheckInvariants(uint64_t open_count) const {
  GODWIT_CHECK_LE(local_opened_, peer_limit_);
  GODWIT_CHECK_LE(peer_opened_, granted_);
  GODWIT_CHECK_EQ(open_count, peer_opened_ - peer_over_);
  GODWIT_CHECK_LE(open_count, max_open_);
  const uint64_t target = std::min(peer_over_ + max_open_, kMaxStreams);
  GODWIT_CHECK_LE(granted_, target);
  // A free place is withheld only from a peer that has others.
  if (granted_ == peer_opened_) GODWIT_CHECK_EQ(granted_, target);
  max_streams_.CheckInvariants();
  blocked_.CheckInvariants();
  if (blocked_.HasPending()) GODWIT_CHECK_EQ(blocked_.value(), peer_limit_);
}

}  // namespace godwit
