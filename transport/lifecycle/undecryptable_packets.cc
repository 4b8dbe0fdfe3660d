// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/undecryptable_packets.h"

#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace godwit {

bool UndecryptablePackets::Keep(EncryptionLevel level, std::span<const uint8_t> packet, PathId path,
                                Timestamp received_at, EcnMark ecn) {
  if (packets_.size() == kMaxUndecryptablePackets) return false;
  if (packet.size() > kMaxUndecryptableBytes - held_bytes_) return false;
  packets_.push_back({.level = level,
                      .ecn = ecn,
                      .path = path,
                      .received_at = received_at,
                      .bytes = {packet.begin(), packet.end()}});
  held_bytes_ += packet.size();
  return true;
}

std::vector<UndecryptablePackets::Kept> UndecryptablePackets::TakeReady(EncryptionLevel level) {
  std::vector<Kept> ready;
  std::vector<Kept> rest;
  for (Kept& kept : packets_) {
    if (kept.level == level) {
      held_bytes_ -= kept.bytes.size();
      ready.push_back(std::move(kept));
    } else {
      rest.push_back(std::move(kept));
    }
  }
  packets_ = std::move(rest);
  return ready;
}

void UndecryptablePackets::Clear() {
  packets_ = std::vector<Kept>();
  held_bytes_ = 0;
}

void UndecryptablePackets::CheckInvariants() const {
  uint64_t bytes = 0;
  for (const Kept& kept : packets_) bytes += kept.bytes.size();
  GODWIT_CHECK_EQ(bytes, held_bytes_);
  GODWIT_CHECK_LE(packets_.size(), kMaxUndecryptablePackets);
  GODWIT_CHECK_LE(held_bytes_, kMaxUndecryptableBytes);
  if (packets_.empty()) GODWIT_CHECK_EQ(packets_.capacity(), 0u);
}

}  // namespace godwit
