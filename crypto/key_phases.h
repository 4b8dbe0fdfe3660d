// SPDX-License-Identifier: Apache-2.0
//
// KeyPhases: the 1-RTT keys of a connection through all their updates. It decides which key opens a
// packet, when we may or must update, when old keys are thrown away, and which conduct of the peer
// is a KEY_UPDATE_ERROR. RFC 9001 §6. It reads no clock, and leaves to its owner when to update
// before any limit makes it necessary.
//
// Both directions are updated together, so there is one generation number; its lowest bit is the
// key phase. Three read keys are kept: of the previous generation (for late packets, until three
// PTO after the first packet of the current one), the current, and the next, which is derived by
// OnTimeout and so never while a packet is processed: opening costs the same whichever key the
// sender used (RFC 9001 §6.3, §9.5).
//
// Invariants: 1. With read and write keys there, the previous or the next read key exists.
// 2. Packet numbers opened with older generations lie below those opened with newer ones; else the
// connection is closed. 3. The next read key and the next write key exist together.
#ifndef GODWIT_CRYPTO_KEY_PHASES_H_
#define GODWIT_CRYPTO_KEY_PHASES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/packet_number.h"
#include "base/result.h"
#include "crypto/header_protector.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"
#include "godwit/time.h"

namespace godwit {

class KeyPhases {
 public:
  // `labels` outlive it.
  explicit KeyPhases(const VersionLabels& labels = kVersion1Labels) : labels_(&labels) {}

  // Lowers the limits for tests.
  KeyPhases(const VersionLabels& labels, const AeadLimits& limits)
      : labels_(&labels), limits_(limits) {}

  // TLS gives the two secrets in either order, each once, both of one suite. A server seals with
  // the write key before it has the read key.
  void InstallWriteSecret(const TrafficSecret& secret);
  void InstallReadSecret(const TrafficSecret& secret);

  bool can_seal() const { return sealer_.has_value(); }
  bool can_open() const { return openers_[kCurrent].has_value() && can_seal(); }

  // Counts updates, from 0.
  uint64_t generation() const { return generation_; }

  // The Key Phase bit of the packets that are written now.
  bool key_phase() const { return (generation_ & 1) != 0; }

  // Before a train of `packet_count` packets is written, because it may change key_phase(): updates
  // the keys when half of their confidentiality limit is used up. The error says that no update is
  // possible and the rest of the limit is needed to close the connection. Needs can_seal().
  Result PrepareToSeal(uint64_t packet_count, Timestamp now);

  // Seals packets, whose headers bear key_phase(), and hides their headers. False, with the packets
  // untouched, if the confidentiality limit does not allow all of them. Needs can_seal().
  [[nodiscard]] bool ProtectTrain(std::span<const OutgoingPacket> packets);

  // Uncovers the headers of received packets. Needs can_open().
  void Unprotect(std::span<const HeaderPosition> packets) { read_header_->Unprotect(packets); }

  struct [[nodiscard]] Opened {
    OpenOutcome outcome;
    uint64_t generation = 0;  // of the key that opened it
  };

  // Opens a packet with the key that its Key Phase bit and its number call for. The first packet
  // that the peer sealed with the next keys updates ours. `pto` is the probe timeout at this
  // moment. An error of the outcome can come with an opened packet. Needs can_open().
  Opened Open(const IncomingPacket& packet, ForgeryCount& forgeries, Timestamp now, Duration pto);

  // RFC 9001 §4.1.2. Before, no update is started.
  void OnHandshakeConfirmed() { handshake_confirmed_ = true; }

  // An ACK frame with this largest number went into a packet sealed with the current key.
  void OnAckSent(PacketNumber largest_acknowledged);

  // An ACK frame came in a packet that was opened with the keys of `packet_generation`.
  Result OnAckReceived(PacketNumber largest_acknowledged, uint64_t packet_generation, Timestamp now,
                       Duration pto);

  // Whether InitiateUpdate would do it: the handshake is confirmed, the peer acknowledged a packet
  // of the current phase, and three PTO went by since the first such acknowledgment.
  bool can_initiate_update(Timestamp now) const;

  // Moves to the next keys; packets written from now on bear the new key_phase(). False, and
  // nothing is changed, if this is not permitted now.
  [[nodiscard]] bool InitiateUpdate(Timestamp now);

  // InfinitePast() while the next keys wait to be derived, else when the previous read key is to be
  // thrown away, else Infinite(). OnTimeout does what is due, and is not called within the
  // processing of a batch of packets.
  Timestamp next_deadline() const;
  void OnTimeout(Timestamp now);

  void CheckInvariants() const;

 private:
  // Of openers_.
  static constexpr size_t kPrevious = 0;
  static constexpr size_t kCurrent = 1;
  static constexpr size_t kNext = 2;

  AeadLimits LimitsFor(CipherSuite suite) const { return limits_.value_or(LimitsOf(suite)); }
  size_t SlotFor(bool key_phase, PacketNumber packet_number) const;
  Result OnOpened(size_t slot, PacketNumber packet_number, Timestamp now, Duration pto);
  bool has_update_permission() const;
  void AdvanceGeneration();
  void DeriveNextKeys();

  const VersionLabels* labels_;
  std::optional<AeadLimits> limits_;
  uint64_t generation_ = 0;
  bool handshake_confirmed_ = false;
  bool peer_acknowledged_phase_ = false;  // a packet sealed with the current key
  bool acknowledged_phase_ = false;       // we acknowledged a packet opened with it

  // The write side. The newest secret is that of next_sealer_, or of sealer_ while there is no
  // next.
  std::optional<TrafficSecret> newest_write_secret_;
  std::optional<HeaderProtector> write_header_;
  std::optional<PacketSealer> sealer_;
  std::optional<PacketSealer> next_sealer_;
  uint64_t confidentiality_limit_ = 0;
  std::optional<PacketNumber> first_sent_;  // with the current key
  Timestamp update_allowed_at_ = Timestamp::Infinite();

  // The read side, likewise.
  std::optional<TrafficSecret> newest_read_secret_;
  std::optional<HeaderProtector> read_header_;
  std::array<std::optional<PacketOpener>, 3> openers_;
  std::optional<PacketNumber> largest_of_older_;  // opened with an older key than the current
  std::optional<PacketNumber> least_of_current_;
  std::optional<PacketNumber> largest_of_current_;
  Timestamp discard_previous_at_ = Timestamp::Infinite();
};

}  // namespace godwit

#endif  // GODWIT_CRYPTO_KEY_PHASES_H_
