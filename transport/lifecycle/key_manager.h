// SPDX-License-Identifier: Apache-2.0
//
// KeyManager: the keys of a connection, by encryption level: those of Initial packets from the
// client's first Destination Connection ID, all others from the secrets of TLS. RFC 9001 §4.9, §5,
// §6. 1-RTT keys and their updates are KeyPhases'; the forgery count, which goes over all keys, is
// here.
//
// It does not decide when keys are thrown away: RFC 9001 §4.9 depends on what was sent, received
// and confirmed, which the connection knows.
//
// Invariants: 1. A level whose keys were discarded never has keys again. 2. Keys below 1-RTT are on
// the heap, and freed (and so wiped) when discarded. 3. Packets of 1-RTT cost no more than a branch
// here.
#ifndef GODWIT_TRANSPORT_LIFECYCLE_KEY_MANAGER_H_
#define GODWIT_TRANSPORT_LIFECYCLE_KEY_MANAGER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/encryption_level.h"
#include "base/result.h"
#include "crypto/header_protector.h"
#include "crypto/key_phases.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"
#include "crypto/tls_session.h"
#include "godwit/perspective.h"
#include "godwit/time.h"
#include "transport/wire/protected_packet.h"

namespace godwit {

static_assert(static_cast<size_t>(EncryptionLevel::kOneRtt) == kEncryptionLevelCount - 1);

class KeyManager {
 public:
  // `client_initial_destination_cid`: the Destination Connection ID of the client's first Initial
  // packet, from which both ends have the Initial keys. RFC 9001 §5.2.
  KeyManager(Perspective perspective, std::span<const uint8_t> client_initial_destination_cid);

  // Lowers the limits for tests.
  KeyManager(Perspective perspective, std::span<const uint8_t> client_initial_destination_cid,
             const AeadLimits& limits);

  // RFC 9001 §5.2: after a Retry packet the Initial keys follow from the connection id that it
  // chose. Before any packet was opened at that level.
  void ReplaceInitialKeys(std::span<const uint8_t> client_initial_destination_cid);

  // As TlsSession::PollSecret() gave it: each once.
  void InstallSecret(const TlsSecret& secret);

  bool CanSeal(EncryptionLevel level) const {
    if (level == EncryptionLevel::kOneRtt) [[likely]] {
      return one_rtt_.can_seal();
    }
    const LevelKeys* const keys = KeysOf(level);
    return keys != nullptr && keys->sealer.has_value();
  }
  // RFC 9001 §5.7: of 1-RTT only when the handshake is complete; TLS gives the secret no earlier.
  bool CanOpen(EncryptionLevel level) const {
    if (level == EncryptionLevel::kOneRtt) [[likely]] {
      return one_rtt_.can_open();
    }
    const LevelKeys* const keys = KeysOf(level);
    return keys != nullptr && keys->opener.has_value();
  }
  bool is_discarded(EncryptionLevel level) const { return discarded_[Index(level)]; }

  // RFC 9001 §4.9. Nothing if they were discarded before. Not of 1-RTT: those keys die with the
  // connection.
  void Discard(EncryptionLevel level);

  // Uncovers the headers of packets of `level`. Needs CanOpen().
  void Unprotect(EncryptionLevel level, std::span<const HeaderPosition> packets) {
    if (level == EncryptionLevel::kOneRtt) [[likely]] {
      one_rtt_.Unprotect(packets);
    } else {
      UnprotectLongHeaders(level, packets);
    }
  }

  // `generation` is the number of key updates before the key that opened the packet, for
  // one_rtt().OnAckReceived(); 0 below 1-RTT.
  using Opened = KeyPhases::Opened;

  // Opens a packet in place. `pto` is the probe timeout at this moment. An error of the outcome can
  // come with an opened packet. Needs CanOpen() of its level.
  Opened Open(const EncryptedPacket& packet, Timestamp now, Duration pto) {
    const IncomingPacket incoming = {packet.header(), packet.protected_payload(),
                                     packet.packet_number()};
    if (packet.level() == EncryptionLevel::kOneRtt) [[likely]] {
      return one_rtt_.Open(incoming, forgeries_, now, pto);
    }
    return OpenLongHeader(packet.level(), incoming);
  }

  // Before a train is written, because it may change key_phase(). The error says that keys of some
  // level are used up, and the connection must be closed with what they have left.
  Result PrepareToSeal(uint64_t packet_count, Timestamp now) {
    GODWIT_RETURN_IF_ERROR(CheckLimitsBelowOneRtt(packet_count));
    return one_rtt_.can_seal() ? one_rtt_.PrepareToSeal(packet_count, now) : Result::Ok();
  }

  // Of the 1-RTT packets that are written now.
  bool key_phase() const { return one_rtt_.key_phase(); }

  // Seals packets of one level, in ascending order of their numbers, and hides their headers.
  // False, with the packets untouched, if the keys' confidentiality limit does not allow all of
  // them. Needs CanSeal().
  [[nodiscard]] bool Seal(EncryptionLevel level, std::span<const OutgoingPacket> packets) {
    if (level == EncryptionLevel::kOneRtt) [[likely]] {
      return one_rtt_.ProtectTrain(packets);
    }
    return SealLongHeaders(level, packets);
  }

  // For what concerns 1-RTT alone: key updates, confirmation, acknowledgments.
  KeyPhases& one_rtt() { return one_rtt_; }
  const KeyPhases& one_rtt() const { return one_rtt_; }

  // Packets that failed authentication so far, at all levels.
  uint64_t forgery_count() const { return forgeries_.packets; }

  // When KeyPhases has work to do: InfinitePast() for as soon as a batch is over, or Infinite().
  Timestamp next_deadline() const { return one_rtt_.next_deadline(); }
  void OnTimeout(Timestamp now) { one_rtt_.OnTimeout(now); }

  void CheckInvariants() const;

 private:
  // Of one level below 1-RTT. 0-RTT has one direction only (RFC 9001 §4.6.1).
  struct LevelKeys {
    std::optional<PacketSealer> sealer;
    std::optional<HeaderProtector> send_header;
    std::optional<PacketOpener> opener;
    std::optional<HeaderProtector> recv_header;
  };

  static constexpr size_t Index(EncryptionLevel level) { return static_cast<size_t>(level); }
  const LevelKeys* KeysOf(EncryptionLevel level) const {
    return below_one_rtt_[Index(level)].get();
  }
  LevelKeys& RequireKeys(EncryptionLevel level);
  void InstallBelowOneRtt(EncryptionLevel level, SecretDirection direction,
                          const TrafficSecret& secret);
  Result CheckLimitsBelowOneRtt(uint64_t packet_count) const;

  void UnprotectLongHeaders(EncryptionLevel level, std::span<const HeaderPosition> packets);
  Opened OpenLongHeader(EncryptionLevel level, const IncomingPacket& packet);
  bool SealLongHeaders(EncryptionLevel level, std::span<const OutgoingPacket> packets);

  Perspective perspective_;
  std::array<bool, kEncryptionLevelCount> discarded_ = {};
  std::optional<AeadLimits> limits_;
  std::array<std::unique_ptr<LevelKeys>, kEncryptionLevelCount - 1> below_one_rtt_;
  ForgeryCount forgeries_;
  KeyPhases one_rtt_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_LIFECYCLE_KEY_MANAGER_H_
