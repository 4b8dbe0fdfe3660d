// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_phases.h"

#include <algorithm>

#include "base/check.h"
#include "base/protocol_errors.h"

namespace godwit {
namespace {

constexpr uint8_t kKeyPhaseBit = 0x04;  // RFC 9000 §17.3.1

// RFC 9001 §6.1, §6.5: for how long old read keys are kept, and how long the next update of ours
// waits after the last was confirmed.
constexpr int64_t kPtosAfterUpdate = 3;

// Seals that PrepareToSeal keeps back, so that a connection that can not update can still be
// closed, with the close repeated a few times.
constexpr uint64_t kPacketsToClose = 16;

PacketNumber Larger(std::optional<PacketNumber> a, PacketNumber b) {
  return a.has_value() ? std::max(*a, b) : b;
}

}  // namespace

void KeyPhases::InstallWriteSecret(const TrafficSecret& secret) {
  GODWIT_CHECK(!sealer_.has_value());
  const AeadLimits limits = LimitsFor(secret.suite());
  newest_write_secret_ = secret;
  write_header_.emplace(DeriveHeaderKey(secret, *labels_));
  sealer_.emplace(DerivePacketKey(secret, *labels_), limits);
  confidentiality_limit_ = limits.confidentiality_packets;
  if (can_open()) DeriveNextKeys();
}

void KeyPhases::InstallReadSecret(const TrafficSecret& secret) {
  GODWIT_CHECK(!openers_[kCurrent].has_value());
  newest_read_secret_ = secret;
  read_header_.emplace(DeriveHeaderKey(secret, *labels_));
  openers_[kCurrent].emplace(DerivePacketKey(secret, *labels_), LimitsFor(secret.suite()));
  if (can_open()) DeriveNextKeys();
}

Result KeyPhases::PrepareToSeal(uint64_t packet_count, Timestamp now) {
  GODWIT_CHECK(can_seal());
  const uint64_t remaining = sealer_->remaining_packets();
  // RFC 9001 §6.6: keys are updated before their limit; so early, because the peer may take long to
  // acknowledge. When three quarters are used up we no longer wait out the three PTO, which the
  // peer need not have either.
  const bool wants_update = remaining < confidentiality_limit_ / 2;
  const bool is_urgent = remaining < confidentiality_limit_ / 4;
  if (wants_update && (can_initiate_update(now) || (is_urgent && has_update_permission()))) {
    AdvanceGeneration();
  }
  const uint64_t reserve = std::min(kPacketsToClose, confidentiality_limit_ / 8);
  if (sealer_->remaining_packets() < packet_count + reserve) return kConfidentialityLimitReached;
  return Result::Ok();
}

bool KeyPhases::ProtectTrain(std::span<const OutgoingPacket> packets) {
  GODWIT_CHECK(can_seal());
  for (const OutgoingPacket& packet : packets) {
    GODWIT_DCHECK_EQ((packet.bytes[0] & kKeyPhaseBit) != 0, key_phase());
  }
  if (!godwit::ProtectTrain(*sealer_, *write_header_, packets)) return false;
  if (!first_sent_.has_value() && !packets.empty()) first_sent_ = packets[0].packet_number;
  return true;
}

size_t KeyPhases::SlotFor(bool key_phase, PacketNumber packet_number) const {
  // RFC 9001 §6.5: the other key phase is the previous or the next one; the packet's number tells
  // which. Where only one of the two keys exists it is tried in any case, so that a packet with the
  // other phase costs what one with the current phase does (RFC 9001 §9.5); arithmetic instead of
  // branches, for the same reason.
  const size_t has_previous = openers_[kPrevious].has_value();
  const size_t has_next = openers_[kNext].has_value();
  const size_t is_older = packet_number <= largest_of_current_.value_or(packet_number);
  const size_t takes_previous = has_previous & (is_older | (has_next ^ 1));
  const size_t is_other_phase = key_phase ^ this->key_phase();
  return kCurrent + is_other_phase - 2 * (is_other_phase & takes_previous);
}

KeyPhases::Opened KeyPhases::Open(const IncomingPacket& packet, ForgeryCount& forgeries,
                                  Timestamp now, Duration pto) {
  GODWIT_CHECK(can_open());
  const size_t slot = SlotFor((packet.header[0] & kKeyPhaseBit) != 0, packet.packet_number);
  Opened opened{.outcome = openers_[slot]->Open(packet, forgeries),
                .generation = generation_ + slot - kCurrent};
  if (opened.outcome.opened) {
    opened.outcome.result = OnOpened(slot, packet.packet_number, now, pto);
  }
  return opened;
}

Result KeyPhases::OnOpened(size_t slot, PacketNumber packet_number, Timestamp now, Duration pto) {
  // RFC 9001 §6.4: a packet with a higher number never has older keys. Each of the three cases
  // looks at the neighbour that its packet must not have overtaken.
  if (slot == kPrevious) {
    if (least_of_current_.has_value() && packet_number >= *least_of_current_) {
      return kKeyPhaseReversed;
    }
    largest_of_older_ = Larger(largest_of_older_, packet_number);
    return Result::Ok();
  }
  if (slot == kNext) {
    if (largest_of_current_.has_value() && packet_number <= *largest_of_current_) {
      return kKeyPhaseReversed;
    }
    // RFC 9001 §6.2: before it updates again the peer must have seen an acknowledgment for a packet
    // of this phase. The first update needs none.
    if (generation_ > 0 && !acknowledged_phase_) return kKeyUpdateUnconfirmed;
    // RFC 9001 §6.2: our write keys follow before the packet can be acknowledged.
    AdvanceGeneration();
  }
  if (largest_of_older_.has_value() && packet_number <= *largest_of_older_) {
    return kKeyPhaseReversed;
  }
  if (!least_of_current_.has_value()) {
    // RFC 9001 §6.1, §6.5: the old key is kept until now at least, and three PTO beyond.
    if (openers_[kPrevious].has_value()) discard_previous_at_ = now + kPtosAfterUpdate * pto;
    least_of_current_ = packet_number;
  }
  least_of_current_ = std::min(*least_of_current_, packet_number);
  largest_of_current_ = Larger(largest_of_current_, packet_number);
  return Result::Ok();
}

void KeyPhases::OnAckSent(PacketNumber largest_acknowledged) {
  if (least_of_current_.has_value() && largest_acknowledged >= *least_of_current_) {
    acknowledged_phase_ = true;
  }
}

Result KeyPhases::OnAckReceived(PacketNumber largest_acknowledged, uint64_t packet_generation,
                                Timestamp now, Duration pto) {
  if (!first_sent_.has_value() || largest_acknowledged < *first_sent_) return Result::Ok();
  // RFC 9001 §6.2: whoever has received a packet with new keys answers with new keys.
  if (packet_generation < generation_) return kKeyUpdateNotFollowed;
  if (!peer_acknowledged_phase_) {
    peer_acknowledged_phase_ = true;
    // RFC 9001 §6.5: the peer may keep its old keys, and not have the next ones, for that long.
    update_allowed_at_ = generation_ == 0 ? now : now + kPtosAfterUpdate * pto;
  }
  return Result::Ok();
}

bool KeyPhases::has_update_permission() const {
  // RFC 9001 §6.1
  return handshake_confirmed_ && can_open() && peer_acknowledged_phase_;
}

bool KeyPhases::can_initiate_update(Timestamp now) const {
  return has_update_permission() && now >= update_allowed_at_;
}

bool KeyPhases::InitiateUpdate(Timestamp now) {
  if (!can_initiate_update(now)) return false;
  AdvanceGeneration();
  return true;
}

void KeyPhases::AdvanceGeneration() {
  // Only when updates of both sides come between two calls of OnTimeout.
  if (!next_sealer_.has_value()) DeriveNextKeys();
  ++generation_;

  // RFC 9001 §6.4: the old write key is of no more use.
  sealer_ = std::move(next_sealer_);
  next_sealer_.reset();
  first_sent_.reset();
  peer_acknowledged_phase_ = false;
  update_allowed_at_ = Timestamp::Infinite();

  openers_[kPrevious] = std::move(openers_[kCurrent]);
  openers_[kCurrent] = std::move(openers_[kNext]);
  openers_[kNext].reset();
  if (largest_of_current_.has_value()) {
    largest_of_older_ = Larger(largest_of_older_, *largest_of_current_);
  }
  least_of_current_.reset();
  largest_of_current_.reset();
  acknowledged_phase_ = false;
  discard_previous_at_ = Timestamp::Infinite();
}

void KeyPhases::DeriveNextKeys() {
  GODWIT_CHECK(newest_write_secret_->suite() == newest_read_secret_->suite());
  const AeadLimits limits = LimitsFor(newest_write_secret_->suite());
  newest_write_secret_ = NextGeneration(*newest_write_secret_, *labels_);
  next_sealer_.emplace(DerivePacketKey(*newest_write_secret_, *labels_), limits);
  newest_read_secret_ = NextGeneration(*newest_read_secret_, *labels_);
  openers_[kNext].emplace(DerivePacketKey(*newest_read_secret_, *labels_), limits);
}

Timestamp KeyPhases::next_deadline() const {
  if (can_open() && !openers_[kNext].has_value()) return Timestamp::InfinitePast();
  return discard_previous_at_;
}

void KeyPhases::OnTimeout(Timestamp now) {
  if (can_open() && !openers_[kNext].has_value()) DeriveNextKeys();
  if (now >= discard_previous_at_) {
    openers_[kPrevious].reset();
    discard_previous_at_ = Timestamp::Infinite();
  }
}

void KeyPhases::CheckInvariants() const {
  if (can_open()) {
    GODWIT_CHECK(openers_[kPrevious].has_value() || openers_[kNext].has_value());
  }
  GODWIT_CHECK_EQ(next_sealer_.has_value(), openers_[kNext].has_value());
  GODWIT_CHECK_EQ(least_of_current_.has_value(), largest_of_current_.has_value());
  if (least_of_current_.has_value()) {
    GODWIT_CHECK_LE(*least_of_current_, *largest_of_current_);
    if (largest_of_older_.has_value()) GODWIT_CHECK_LT(*largest_of_older_, *least_of_current_);
  }
  if (discard_previous_at_ != Timestamp::Infinite()) {
    GODWIT_CHECK(openers_[kPrevious].has_value());
    GODWIT_CHECK(least_of_current_.has_value());
  }
  if (generation_ == 0) GODWIT_CHECK(!openers_[kPrevious].has_value());
}

}  // namespace godwit
