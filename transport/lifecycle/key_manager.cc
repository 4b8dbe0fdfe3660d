// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle/key_manager.h"

#include <memory>

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"

namespace godwit {
namespace {

constexpr uint64_t kPacketsToClose = 1 + kMaxCloseReplies;

}  // namespace

KeyManager::KeyManager(Perspective perspective,
                       std::span<const uint8_t> client_initial_destination_cid)
    : perspective_(perspective) {
  ReplaceInitialKeys(client_initial_destination_cid);
}

KeyManager::KeyManager(Perspective perspective,
                       std::span<const uint8_t> client_initial_destination_cid,
                       const AeadLimits& limits)
    : perspective_(perspective), limits_(limits), one_rtt_(kVersion1Labels, limits) {
  ReplaceInitialKeys(client_initial_destination_cid);
}

void KeyManager::ReplaceInitialKeys(std::span<const uint8_t> client_initial_destination_cid) {
  const InitialSecrets secrets = DeriveInitialSecrets(client_initial_destination_cid);
  const bool is_client = perspective_ == Perspective::kClient;
  below_one_rtt_[Index(EncryptionLevel::kInitial)] = nullptr;
  InstallBelowOneRtt(EncryptionLevel::kInitial, SecretDirection::kSend,
                     is_client ? secrets.client : secrets.server);
  InstallBelowOneRtt(EncryptionLevel::kInitial, SecretDirection::kRecv,
                     is_client ? secrets.server : secrets.client);
}

void KeyManager::InstallSecret(const TlsSecret& secret) {
  if (secret.level != EncryptionLevel::kOneRtt) {
    InstallBelowOneRtt(secret.level, secret.direction, secret.secret);
  } else if (secret.direction == SecretDirection::kSend) {
    one_rtt_.InstallWriteSecret(secret.secret);
  } else {
    one_rtt_.InstallReadSecret(secret.secret);
  }
}

void KeyManager::InstallBelowOneRtt(EncryptionLevel level, SecretDirection direction,
                                    const TrafficSecret& secret) {
  GODWIT_CHECK(!is_discarded(level));
  std::unique_ptr<LevelKeys>& keys = below_one_rtt_[Index(level)];
  if (keys == nullptr) keys = std::make_unique<LevelKeys>();
  if (direction == SecretDirection::kSend) {
    GODWIT_CHECK(!keys->sealer.has_value());
    const PacketKey key = DerivePacketKey(secret);
    keys->sealer.emplace(key, limits_.value_or(LimitsOf(key.suite)));
    keys->send_header.emplace(DeriveHeaderKey(secret));
  } else {
    GODWIT_CHECK(!keys->opener.has_value());
    keys->opener.emplace(DerivePacketKey(secret));
    keys->recv_header.emplace(DeriveHeaderKey(secret));
  }
}

KeyManager::LevelKeys& KeyManager::RequireKeys(EncryptionLevel level) {
  GODWIT_CHECK(below_one_rtt_[Index(level)] != nullptr);
  return *below_one_rtt_[Index(level)];
}

Result KeyManager::CheckLimitsBelowOneRtt(uint64_t packet_count) const {
  for (const std::unique_ptr<LevelKeys>& keys : below_one_rtt_) {
    if (keys == nullptr || !keys->sealer.has_value()) continue;
    // RFC 9001 §6.6. A peer can prolong the handshake, and ask for acknowledgments all the time;
    // there are no updates of these keys.
    if (keys->sealer->remaining_packets() < packet_count + kPacketsToClose) {
      return kConfidentialityLimitReached;
    }
  }
  return Result::Ok();
}

void KeyManager::Discard(EncryptionLevel level) {
  GODWIT_CHECK(level != EncryptionLevel::kOneRtt);
  discarded_[Index(level)] = true;
  below_one_rtt_[Index(level)] = nullptr;
}

void KeyManager::UnprotectLongHeaders(EncryptionLevel level,
                                      std::span<const HeaderPosition> packets) {
  LevelKeys& keys = RequireKeys(level);
  GODWIT_CHECK(keys.recv_header.has_value());
  keys.recv_header->Unprotect(packets);
}

KeyManager::Opened KeyManager::OpenLongHeader(EncryptionLevel level, const IncomingPacket& packet) {
  LevelKeys& keys = RequireKeys(level);
  GODWIT_CHECK(keys.opener.has_value());
  return {.outcome = keys.opener->Open(packet, forgeries_), .generation = 0};
}

bool KeyManager::SealLongHeaders(EncryptionLevel level, std::span<const OutgoingPacket> packets) {
  LevelKeys& keys = RequireKeys(level);
  GODWIT_CHECK(keys.sealer.has_value());
  return ProtectTrain(*keys.sealer, *keys.send_header, packets);
}

void KeyManager::CheckInvariants() const {
  one_rtt_.CheckInvariants();
  GODWIT_CHECK(!is_discarded(EncryptionLevel::kOneRtt));
  for (size_t i = 0; i < below_one_rtt_.size(); ++i) {
    const LevelKeys* const keys = below_one_rtt_[i].get();
    if (keys == nullptr) continue;
    GODWIT_CHECK(!discarded_[i]);
    GODWIT_CHECK_EQ(keys->sealer.has_value(), keys->send_header.has_value());
    GODWIT_CHECK_EQ(keys->opener.has_value(), keys->recv_header.has_value());
    GODWIT_CHECK(keys->sealer.has_value() || keys->opener.has_value());
  }
}

}  // namespace godwit
