// SPDX-License-Identifier: Apache-2.0
#include "transport/path/path_validator.h"

#include <algorithm>

#include "base/check.h"
#include "transport/delivery/sent_frame.h"

namespace godwit {

void PathValidator::Start(Timestamp now, Duration pto, Random& random) {
  state_ = State::kPending;
  sent_count_ = 0;
  random.Fill(next_data_);
  pto_ = pto;
  interval_ = pto;
  retry_at_ = Timestamp::Infinite();
  // RFC 9000 §8.2.4.
  fail_at_ = now + 3 * std::max(pto, kInitialPto);
}

void PathValidator::WriteFrames(FrameWriter& writer, PathId path, Expansion expansion,
                                Timestamp now) {
  if (state_ != State::kPending) return;
  if (!writer.Write(PathChallengeFrame{.data = next_data_}, SentFrame::PathChallenge(path))) return;
  sent_[sent_count_++ % kRemembered] = {
      .data = next_data_, .number = writer.packet_number(), .expansion = expansion};
  state_ = State::kWaiting;
  // RFC 9002 §6.2.1: with the backoff of probe timeouts.
  sent_at_ = now;
  retry_at_ = std::min(now + interval_, fail_at_);
  interval_ = 2 * interval_;
}

void PathValidator::OnChallengeLost(PacketNumber number) {
  if (state_ != State::kWaiting) return;
  if (sent_[(sent_count_ - 1) % kRemembered].number == number) {
    // RFC 9000 §8.2.1: no more often than Initial packets. What goes to a path that is gone is
    // found lost as soon as a few packets on the other one are acknowledged, so that each loss
    // would bring the next one.
    retry_at_ = std::min(retry_at_, sent_at_ + std::max(pto_, kInitialPto));
  }
}

PathValidator::Proof PathValidator::OnPathResponse(const PathResponseFrame& frame) {
  if (state_ == State::kIdle) return Proof::kNone;
  for (size_t i = 0; i < std::min<size_t>(sent_count_, kRemembered); ++i) {
    if (sent_[i].data != frame.data) continue;
    state_ = State::kIdle;
    return sent_[i].expansion == Expansion::kFull ? Proof::kAddressAndMtu : Proof::kAddress;
  }
  return Proof::kNone;
}

Timestamp PathValidator::next_deadline() const {
  if (state_ == State::kIdle) return Timestamp::Infinite();
  return std::min(retry_at_, fail_at_);
}

PathValidator::Outcome PathValidator::OnTimeout(Timestamp now, Random& random) {
  if (state_ == State::kIdle) return Outcome::kNothing;
  if (now >= fail_at_) {
    state_ = State::kIdle;
    return Outcome::kFailed;
  }
  if (now < retry_at_) return Outcome::kNothing;
  // RFC 9000 §8.2.1: data that was not used before.
  random.Fill(next_data_);
  state_ = State::kPending;
  retry_at_ = Timestamp::Infinite();
  return Outcome::kRetry;
}

void PathValidator::CheckInvariants() const {
  if (state_ == State::kIdle) return;
  GODWIT_CHECK(fail_at_ < Timestamp::Infinite());
  // An interval runs exactly while a challenge is under way.
  GODWIT_CHECK_EQ(state_ == State::kPending, retry_at_ == Timestamp::Infinite());
  if (state_ == State::kWaiting) GODWIT_CHECK_GT(sent_count_, 0u);
}

}  // namespace godwit
