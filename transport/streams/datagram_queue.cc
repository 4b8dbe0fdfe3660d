// SPDX-License-Identifier: Apache-2.0
#include "transport/streams/datagram_queue.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/limits.h"
#include "transport/delivery/ring_vector.h"
#include "transport/streams/datagram_ring.h"
#include "transport/wire/frame_encoder.h"

namespace godwit {
namespace {

// Ids and fates share a word: ids count up from 0 and are far from 2^61 for all time.
constexpr int kFateBits = 3;

bool HasRoomFor(const DatagramRing& ring, size_t size, uint64_t max_bytes) {
  return ring.count() < kMaxQueuedDatagrams && ring.data_bytes() + size <= max_bytes;
}

}  // namespace

struct DatagramQueue::State {
  DatagramRing send;  // Its records have the ids before next_id_, without gaps.
  DatagramRing recv;
  RingVector<uint64_t, 2> feedback;
};

DatagramQueue::DatagramQueue(const Config& config) : config_(config) {}
DatagramQueue::DatagramQueue(DatagramQueue&&) noexcept = default;
DatagramQueue& DatagramQueue::operator=(DatagramQueue&&) noexcept = default;
DatagramQueue::~DatagramQueue() = default;

DatagramQueue::State& DatagramQueue::EnsureState() {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  return *state_;
}

uint64_t DatagramQueue::front_id() const { return next_id_ - state_->send.record_count(); }

absl::StatusOr<uint64_t> DatagramQueue::Send(std::span<const uint8_t> data,
                                             uint64_t max_payload_bytes) {
  if (max_payload_bytes == 0) {
    return absl::FailedPreconditionError(
        "the peer does not accept datagrams: send the data on a stream");
  }
  if (data.size() > max_payload_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("a datagram of ", data.size(),
                                                   " bytes does not fit: send at most ",
                                                   max_payload_bytes, " bytes at a time"));
  }
  if (data.size() > config_.max_send_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("a datagram of ", data.size(),
                                                   " bytes is above max_send_bytes: raise it from ",
                                                   config_.max_send_bytes));
  }
  DatagramRing& send = EnsureState().send;
  while (!HasRoomFor(send, data.size(), config_.max_send_bytes)) {
    if (config_.when_send_full == Drop::kNewest) {
      return absl::ResourceExhaustedError(
          "the queue of datagrams is full: send again after feedback has come");
    }
    const uint64_t dropped_id = front_id();
    send.PopFront();
    Report(Feedback::Fate::kDroppedQueueFull, dropped_id);
  }
  send.PushBack(data);
  return next_id_++;
}

void DatagramQueue::OnMaxPayloadChanged(uint64_t max_payload_bytes) {
  if (state_ == nullptr) return;
  const uint64_t first_id = front_id();
  const auto report = [&](size_t index) {
    Report(Feedback::Fate::kDroppedTooLarge, first_id + index);
  };
  state_->send.DiscardAbove(max_payload_bytes, report);
}

bool DatagramQueue::HasPending() const { return state_ != nullptr && !state_->send.empty(); }

void DatagramQueue::WriteFrames(FrameWriter& writer) {
  while (HasPending()) {
    const uint64_t id = front_id();
    const DatagramFrame frame{state_->send.front()};
    // RFC 9221 §4: the last frame of a packet needs no length. Only if it fills the packet to its
    // last byte: what the packet is padded with would become data.
    const bool fills_packet = EncodedSize(frame, LengthField::kAbsent) == writer.space_left();
    const LengthField length = fills_packet ? LengthField::kAbsent : LengthField::kPresent;
    if (!writer.WriteDatagram(frame, length, id)) return;
    state_->send.PopFront();
    Report(Feedback::Fate::kSent, id);
  }
}

void DatagramQueue::OnFrameAcked(const SentFrame& frame) {
  Report(Feedback::Fate::kAcked, frame.sequence_number());
}

void DatagramQueue::OnFrameLost(const SentFrame& frame) {
  // RFC 9221 §5.2: it is the application's business whether to send the data again.
  Report(Feedback::Fate::kLost, frame.sequence_number());
}

void DatagramQueue::Report(Feedback::Fate fate, uint64_t id) {
  static_assert(static_cast<unsigned>(Feedback::Fate::kDroppedTooLarge) < 1u << kFateBits);
  auto& feedback = EnsureState().feedback;
  if (feedback.size() == kMaxDatagramFeedback) feedback.PopFront();
  feedback.PushBack(id << kFateBits | static_cast<uint64_t>(fate));
}

std::optional<DatagramQueue::Feedback> DatagramQueue::PollFeedback() {
  if (state_ == nullptr || state_->feedback.empty()) return std::nullopt;
  const uint64_t word = state_->feedback.front();
  state_->feedback.PopFront();
  constexpr uint64_t kFateMask = (uint64_t{1} << kFateBits) - 1;
  return Feedback{static_cast<Feedback::Fate>(word & kFateMask), word >> kFateBits};
}

void DatagramQueue::OnDatagramFrame(const DatagramFrame& frame) {
  DatagramRing& recv = EnsureState().recv;
  if (frame.data.size() > config_.max_recv_bytes) {
    ++received_dropped_count_;
    return;
  }
  while (!HasRoomFor(recv, frame.data.size(), config_.max_recv_bytes)) {
    ++received_dropped_count_;
    if (config_.when_recv_full == Drop::kNewest) return;
    recv.PopFront();
  }
  recv.PushBack(frame.data);
}

std::optional<std::span<const uint8_t>> DatagramQueue::PeekReceived() const {
  if (state_ == nullptr || state_->recv.empty()) return std::nullopt;
  return state_->recv.front();
}

void DatagramQueue::PopReceived() {
  GODWIT_CHECK(state_ != nullptr);
  state_->recv.PopFront();
}

uint64_t DatagramQueue::held_bytes() const {
  return state_ != nullptr ? state_->send.held_bytes() + state_->recv.held_bytes() : 0;
}

void DatagramQueue::CheckInvariants() const {
  if (state_ == nullptr) return;
  const State& state = *state_;
  state.send.CheckInvariants();
  state.recv.CheckInvariants();
  GODWIT_CHECK_LE(state.send.count(), kMaxQueuedDatagrams);
  GODWIT_CHECK_LE(state.recv.count(), kMaxQueuedDatagrams);
  GODWIT_CHECK_LE(state.send.data_bytes(), config_.max_send_bytes);
  GODWIT_CHECK_LE(state.recv.data_bytes(), config_.max_recv_bytes);
  GODWIT_CHECK_LE(state.feedback.size(), kMaxDatagramFeedback);
  GODWIT_CHECK_LE(state.send.record_count(), next_id_);
}

}  // namespace godwit
