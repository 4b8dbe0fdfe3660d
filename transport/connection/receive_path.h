// SPDX-License-Identifier: Apache-2.0
//
// ReceivePath: the way of a datagram in, as named steps: OnDatagram (which path, which packets),
// Unprotect (the packet number), Open (the AEAD, duplicates), ReadFrames, Commit or Fail. RFC 9000
// §5.2, §8.1, §12.2, §12.3, §13; RFC 9001 §5.
//
// One object serves one batch. It owns nothing. A packet that cannot be used is dropped with a
// reason; one that was authenticated and breaks a rule closes the connection.
#ifndef GODWIT_TRANSPORT_CONNECTION_RECEIVE_PATH_H_
#define GODWIT_TRANSPORT_CONNECTION_RECEIVE_PATH_H_

#include <cstddef>
#include <optional>
#include <span>

#include "base/path_id.h"
#include "crypto/tls_session.h"
#include "godwit/datagram.h"
#include "godwit/ecn.h"
#include "godwit/time.h"
#include "transport/connection/connection_parts.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/protected_packet.h"

namespace godwit {

class ReceivePath {
 public:
  ReceivePath(ConnectionParts& parts, TlsTime now)
      : parts_(parts), now_(now), pto_(parts.Pto()), rules_(parts.local_cids.id_bytes()) {}

  void OnDatagrams(std::span<const ReceivedDatagram> datagrams);

 private:
  // What a packet's datagram tells of it.
  struct Origin {
    PathId path;
    Timestamp received_at;
    EcnMark ecn;
    std::span<const uint8_t> datagram;
  };

  // What the frames of a packet tell together.
  struct PacketFacts {
    bool is_ack_eliciting = false;
    bool is_probing = true;
    bool has_crypto = false;
  };

  // ---- Steps ----
  void UncoverShortHeaders(std::span<const ReceivedDatagram> datagrams);
  void OnDatagram(const ReceivedDatagram& datagram, std::optional<ProtectedPacket>& uncovered);
  // Null, and the datagram is dropped: its address is none that the connection listens to.
  Path* PathOf(const ReceivedDatagram& datagram);
  void OnPart(const DatagramPart& part, const Origin& origin);
  void OnProtectedPacket(ProtectedPacket packet, const Origin& origin);
  void OnUncoveredPacket(ProtectedPacket&& packet, const Origin& origin);
  void Open(EncryptedPacket&& packet, const Origin& origin);
  void OnPlainPacket(const PlainPacket& packet, uint64_t key_generation, const Origin& origin);
  Result ReadFrames(const PlainPacket& packet, uint64_t key_generation, const Origin& origin,
                    PacketFacts* facts, uint64_t* frame_type);
  void Commit(const PlainPacket& packet, const PacketFacts& facts, const Origin& origin);

  std::optional<DropReason> RefusalOf(const ProtectedPacket& packet, const Origin& origin) const;
  void OnVersionNegotiation(const DatagramPart& part);
  void OnUnopened(const OpenOutcome& outcome, EncryptionLevel level, const Origin& origin);
  // RFC 9000 §7.2, §8.1; RFC 9001 §4.9.1: what the first packets of a level tell.
  void OnLongHeaderAuthenticated(const PlainPacket& packet);
  void DetectMigration(const PlainPacket& packet, const PacketFacts& facts, const Origin& origin);
  void RetryUndecryptable();
  void Drop(DropReason reason, size_t bytes) { parts_.Drop(now_.now, reason, bytes); }

  ConnectionParts& parts_;
  TlsTime now_;
  Duration pto_;  // As the batch begins.
  const PacketRules rules_;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_CONNECTION_RECEIVE_PATH_H_
