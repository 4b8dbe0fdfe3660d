// SPDX-License-Identifier: Apache-2.0
#include "transport/path/path.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace godwit {

namespace {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

uint64_t SumOfBytes(std::span<const TransmittedPacket> packets) {
  uint64_t sum = 0;
  for (const TransmittedPacket& packet : packets) sum += packet.bytes;
  return sum;
}

}  // namespace

Path::Path(const Params& params)
    : controller_(params.factory->Make(
          {.now = params.now, .max_datagram_bytes = params.max_datagram_bytes})),
      pacer_(InitialWindowBytes(params.max_datagram_bytes)),
      max_datagram_bytes_(params.max_datagram_bytes),
      rtt_(params.initial_rtt),
      address_{.four_tuple = params.four_tuple, .is_validated = params.is_validated},
      mtu_(params.mtu),
      id_(params.id) {
  GODWIT_CHECK_GE(params.max_datagram_bytes, kMinInitialDatagramBytes);
  UpdatePacer(params.now);
}

uint64_t Path::AmplificationCredit() const {
  if (address_.is_validated) return kUnlimited;
  // RFC 9000 §8.1.
  const uint64_t permitted_bytes = 3 * address_.received_bytes;
  return permitted_bytes > address_.sent_bytes ? permitted_bytes - address_.sent_bytes : 0;
}

void Path::SwapAddresses(Path& other) { std::swap(address_, other.address_); }

void Path::ReplaceAddress(const FourTuple& four_tuple) { address_ = {.four_tuple = four_tuple}; }

uint64_t Path::WindowRoom(uint64_t packet_bytes) const {
  // Whatever the window is: with nothing in flight, nothing would ever make room.
  if (bytes_in_flight_ == 0) return std::max(controller_->congestion_window_bytes(), packet_bytes);
  const uint64_t window_bytes = controller_->congestion_window_bytes();
  return window_bytes > bytes_in_flight_ ? window_bytes - bytes_in_flight_ : 0;
}

Path::Budget Path::BudgetFor(Timestamp now, PacketMode mode, uint64_t packet_bytes) const {
  GODWIT_CHECK_NE(packet_bytes, 0);
  // RFC 9000 §8.1: without exception.
  const uint64_t credit_bytes = AmplificationCredit();
  if (credit_bytes < packet_bytes) return {.blocked = Blocked::kAmplification};

  const uint64_t quantum_bytes = std::max(controller_->send_quantum_bytes(), packet_bytes);
  uint64_t bytes = std::min(credit_bytes, quantum_bytes);
  if (mode == PacketMode::kNormal || mode == PacketMode::kPathOnly) {
    // RFC 9002 §7: bytes in flight must not exceed the window.
    const uint64_t room_bytes = WindowRoom(packet_bytes);
    if (room_bytes < packet_bytes) return {.blocked = Blocked::kCongestion};
    bytes = std::min(bytes, room_bytes);
  }
  if (mode == PacketMode::kNormal) {
    // RFC 9002 §7.7. A packet larger than a burst, which only a probe of the MTU can be, waits for
    // a whole one and leaves a debt.
    const uint64_t paced_bytes = pacer_.BudgetBytes(now);
    if (paced_bytes < std::min(packet_bytes, pacer_.burst_bytes())) {
      // A train of half the quantum is worth waking up for; waiting for all of it would waste
      // credit whenever the wake-up comes late.
      const uint64_t worthwhile_bytes = std::max(packet_bytes, std::min(bytes, quantum_bytes / 2));
      return {.blocked = Blocked::kPacing, .release_time = pacer_.ReleaseTime(worthwhile_bytes)};
    }
    bytes = std::min(bytes, std::max(paced_bytes, packet_bytes));
  }
  return {.bytes = bytes - bytes % packet_bytes};
}

TransmittedPacket Path::OnPacketSent(uint64_t packet_number, uint64_t bytes, Timestamp now) {
  TransmittedPacket packet{.packet_number = packet_number, .bytes = bytes, .sent_time = now};
  if (bytes_in_flight_ == 0) {
    if (has_sent_) controller_->OnRestartFromIdle(now);
    has_sent_ = true;
  }
  sampler_.OnPacketSent(bytes_in_flight_, packet);
  bytes_in_flight_ += bytes;
  controller_->OnPacketSent(packet);
  return packet;
}

void Path::OnTrainSent(Timestamp now, uint64_t in_flight_bytes) {
  // A restart from idleness may have changed the rate.
  UpdatePacer(now);
  pacer_.OnSent(now, in_flight_bytes);
}

void Path::OnAppLimited(Timestamp now) {
  // RFC 9002 §7.8: who fills the window is not limited by the application.
  if (WindowRoom(max_datagram_bytes_) < max_datagram_bytes_) return;
  sampler_.OnAppLimited(bytes_in_flight_);
  controller_->OnAppLimited(now, bytes_in_flight_);
}

void Path::OnFates(const Fates& fates) {
  const uint64_t prior_bytes = bytes_in_flight_;
  OnPacketsDiscarded(SumOfBytes(fates.acked) + SumOfBytes(fates.lost) + fates.lost_probe_bytes);
  if (fates.acked.empty() && fates.lost.empty() && fates.spurious.empty()) return;

  // RFC 9002 §5.2.
  if (fates.is_persistent_congestion) rtt_.OnPersistentCongestion();
  CongestionFeedback feedback{
      .now = fates.now,
      .acked = fates.acked,
      .lost = fates.lost,
      .spurious_losses = fates.spurious,
      .is_persistent_congestion = fates.is_persistent_congestion,
      .prior_bytes_in_flight = prior_bytes,
      .bytes_in_flight = bytes_in_flight_,
      .rtt = rtt_.summary(),
      .has_rtt_sample = fates.has_rtt_sample,
  };
  sampler_.OnFeedback(feedback);
  controller_->OnFeedback(feedback);
  UpdatePacer(fates.now);
}

void Path::OnPacketsDiscarded(uint64_t bytes) {
  GODWIT_CHECK_LE(bytes, bytes_in_flight_);
  bytes_in_flight_ -= bytes;
}

void Path::SetMaxDatagramBytes(uint64_t bytes, Timestamp now) {
  max_datagram_bytes_ = bytes;
  controller_->OnMaxDatagramBytesChanged(bytes);
  UpdatePacer(now);
}

void Path::SwitchController(const CongestionControllerFactory& factory, Timestamp now) {
  controller_ = factory.Make({.now = now,
                              .max_datagram_bytes = max_datagram_bytes_,
                              .rtt = rtt_.summary(),
                              .predecessor = controller_->Handover()});
  UpdatePacer(now);
}

void Path::UpdatePacer(Timestamp now) {
  pacer_.SetRate(now, controller_->pacing_rate(), max_datagram_bytes_);
}

void Path::CheckInvariants() const {
  controller_->CheckInvariants();
  sampler_.CheckInvariants();
  pacer_.CheckInvariants();
  rtt_.CheckInvariants();
  mtu_.CheckInvariants();
  if (!address_.is_validated) GODWIT_CHECK_LE(address_.sent_bytes, 3 * address_.received_bytes);
  if (!has_sent_) GODWIT_CHECK_EQ(bytes_in_flight_, 0);
}

}  // namespace godwit
