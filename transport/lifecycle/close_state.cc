// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/close_state.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/encryption_level.h"
#include "base/limits.h"
#include "base/transport_error_code.h"
#include "transport/wire/frame_encoder.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

constexpr int64_t kClosePtos = 3;             // RFC 9000 §10.2
constexpr uint64_t kAmplificationFactor = 3;  // RFC 9000 §10.2.1

// The front of `text`, at most `size` bytes, without half of a character of UTF-8 at its end.
std::string_view CutText(std::string_view text, size_t size) {
  if (text.size() <= size) return text;
  constexpr int kMaxContinuationBytes = 3;
  for (int i = 0; i < kMaxContinuationBytes && size > 0; ++i) {
    const bool is_continuation = (static_cast<uint8_t>(text[size]) & 0xc0) == 0x80;
    if (!is_continuation) break;
    --size;
  }
  return text.substr(0, size);
}

std::string KeptText(std::string_view text) {
  return std::string(CutText(text, kMaxCloseReasonBytes));
}

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

// ---- Into another phase ----

void CloseState::CloseByApplication(uint64_t error_code, std::string_view reason, Timestamp now,
                                    Duration pto) {
  GODWIT_CHECK_LE(error_code, kMaxVarint);
  if (phase_ != Phase::kOpen) return;
  EnterClosing({.cause = CloseReason::Cause::kApplication,
                .error_space = ErrorSpace::kApplication,
                .error_code = error_code,
                .reason = KeptText(reason)},
               now, pto);
}

void CloseState::CloseByProtocolError(const ProtocolError& error, uint64_t frame_type,
                                      std::string_view detail, Timestamp now, Duration pto) {
  if (phase_ != Phase::kOpen) return;
  std::string reason = error.reason;
  if (!detail.empty()) reason.append(": ").append(detail.substr(0, kMaxCloseReasonBytes));
  peer_reason_ = error.reason;
  EnterClosing({.cause = CloseReason::Cause::kProtocolError,
                .error_space = ErrorSpace::kTransport,
                .error_code = static_cast<uint64_t>(error.code),
                .frame_type = frame_type,
                .reason = KeptText(reason)},
               now, pto);
}

void CloseState::EnterClosing(CloseReason reason, Timestamp now, Duration pto) {
  phase_ = Phase::kClosing;
  reason_ = std::move(reason);
  // RFC 9000 §10.2: long enough that packets that were delayed or reordered find us.
  duration_ = kClosePtos * pto;
  ends_at_ = now + duration_;
  is_frame_pending_ = true;
}

void CloseState::OnPeerClose(const ConnectionCloseFrame& frame, Timestamp now, Duration pto) {
  // RFC 9000 §10.2.3: an application that closes before its keys are there is named by that code.
  const bool is_by_application =
      frame.error_space == ErrorSpace::kApplication ||
      frame.error_code == static_cast<uint64_t>(TransportErrorCode::kApplicationError);
  const std::string_view text(reinterpret_cast<const char*>(frame.reason_phrase.data()),
                              frame.reason_phrase.size());
  EnterDraining({.cause = is_by_application ? CloseReason::Cause::kPeerApplication
                                            : CloseReason::Cause::kPeerTransportError,
                 .error_space = frame.error_space,
                 .error_code = frame.error_code,
                 .frame_type = frame.frame_type,
                 .reason = KeptText(text)},
                now, pto);
}

void CloseState::OnStatelessReset(Timestamp now, Duration pto) {
  // RFC 9000 §10.3.1: drains as after the peer's CONNECTION_CLOSE.
  EnterDraining({.cause = CloseReason::Cause::kStatelessReset}, now, pto);
}

void CloseState::EnterDraining(CloseReason reason, Timestamp now, Duration pto) {
  if (phase_ == Phase::kOpen) {
    reason_ = std::move(reason);
    ends_at_ = now + kClosePtos * pto;
  } else if (phase_ != Phase::kClosing) {
    return;
  }
  // RFC 9000 §10.2.2: one that was closing drains until closing would have ended.
  phase_ = Phase::kDraining;
  is_frame_pending_ = false;
}

void CloseState::CloseSilently(CloseReason::Cause cause, Timestamp /*now*/) {
  if (phase_ == Phase::kOpen) reason_ = CloseReason{.cause = cause};
  phase_ = Phase::kClosed;
  is_frame_pending_ = false;
}

Timestamp CloseState::next_deadline() const {
  const bool is_waiting = phase_ == Phase::kClosing || phase_ == Phase::kDraining;
  return is_waiting ? ends_at_ : Timestamp::Infinite();
}

void CloseState::OnTimeout(Timestamp now) {
  if (now < next_deadline()) return;
  const bool was_never_sent = is_frame_pending_ && close_bytes_ == 0;
  if (was_never_sent && !std::exchange(has_waited_to_send_, true)) {
    ends_at_ = now + duration_;
    return;
  }
  phase_ = Phase::kClosed;
  is_frame_pending_ = false;
}

// ---- The frame ----

void CloseState::OnPacketReceived(Timestamp now, uint64_t bytes) {
  if (phase_ != Phase::kClosing || now >= ends_at_) return;
  received_bytes_ += bytes;
  if (is_frame_pending_) return;
  // RFC 9000 §10.2.1: replies become rarer, after 1, 2, 4, 8, ... packets, and end, so that two
  // ends that are closing do not keep each other awake. Whether packets are authentic is not asked,
  // and so replies take no more than three times the bytes that came.
  if (reply_interval_packets_ >> kMaxCloseReplies != 0) return;
  if (packets_until_reply_ > 0) --packets_until_reply_;
  if (packets_until_reply_ > 0) return;
  if (kAmplificationFactor * received_bytes_ < replied_bytes_ + close_bytes_) return;
  reply_interval_packets_ *= 2;
  packets_until_reply_ = reply_interval_packets_;
  is_frame_pending_ = true;
}

bool CloseState::WriteFrame(FrameWriter& writer) const {
  GODWIT_CHECK(is_frame_pending_);
  const bool is_application = reason_->error_space == ErrorSpace::kApplication;
  const bool has_application_keys =
      writer.level() == EncryptionLevel::kZeroRtt || writer.level() == EncryptionLevel::kOneRtt;
  ConnectionCloseFrame frame = {.error_space = reason_->error_space,
                                .error_code = reason_->error_code,
                                .frame_type = reason_->frame_type,
                                .reason_phrase = {}};
  std::string_view text = peer_reason_;
  if (is_application) text = reason_->reason;
  if (is_application && !has_application_keys) {
    // RFC 9000 §10.2.3: packets that others can read, or that an unknown peer gets, do not show the
    // application's state.
    frame.error_space = ErrorSpace::kTransport;
    frame.error_code = static_cast<uint64_t>(TransportErrorCode::kApplicationError);
    text = {};
  }
  const size_t bare_size = EncodedSize(frame);
  if (writer.space_left() < bare_size) return false;
  // The length of a longer text takes a byte more than that of none.
  size_t room = writer.space_left() - bare_size;
  if (room > MaxVarintOf(VarintWidth::k1)) --room;
  frame.reason_phrase = BytesOf(CutText(text, room));
  return writer.WriteUnrecorded(frame);
}

void CloseState::OnCloseSent(Timestamp now, uint64_t bytes) {
  GODWIT_CHECK(is_frame_pending_);
  GODWIT_CHECK_GT(bytes, 0u);
  is_frame_pending_ = false;
  const bool is_first = close_bytes_ == 0;
  if (is_first) ends_at_ = std::max(ends_at_, now + duration_);
  if (!is_first) replied_bytes_ += bytes;
  close_bytes_ = bytes;
}

void CloseState::CheckInvariants() const {
  GODWIT_CHECK_EQ(phase_ == Phase::kOpen, !reason_.has_value());
  if (is_frame_pending_) GODWIT_CHECK(phase_ == Phase::kClosing);
  if (reason_.has_value()) GODWIT_CHECK_LE(reason_->reason.size(), kMaxCloseReasonBytes);
  GODWIT_CHECK_LE(packets_until_reply_, reply_interval_packets_);
  GODWIT_CHECK_LE(replied_bytes_, kAmplificationFactor * received_bytes_ + close_bytes_);
}

}  // namespace godwit
