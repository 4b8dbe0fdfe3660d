// SPDX-License-Identifier: Apache-2.0
//
// PacketEnd: one of two ends in memory that speak real QUIC version 1 packets with a real TLS 1.3
// session: the wire format and the cryptography joined, before there is a connection that does it.
// It assumes a path that loses and reorders nothing: it retransmits nothing and controls nothing.
//
// RFC 9000 §7, §12.2, §14.1; RFC 9001 §4, §5. It is scaffolding, and goes when transport/connection
// can do the same.
#ifndef GODWIT_TESTS_EXCHANGE_PACKET_END_H_
#define GODWIT_TESTS_EXCHANGE_PACKET_END_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "base/result.h"
#include "crypto/header_protector.h"
#include "crypto/key_phases.h"
#include "crypto/packet_protector.h"
#include "crypto/tls_session.h"
#include "godwit/connection_id.h"
#include "godwit/perspective.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/frame.h"
#include "transport/wire/protected_packet.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

using DatagramBytes = std::vector<uint8_t>;

// A packet that came in, for people and for tests.
struct PacketRecord {
  EncryptionLevel level;
  PacketNumber packet_number;
  size_t size_bytes;
  std::string frames;  // "CRYPTO 0+288, PADDING 865"
};

struct PacketEndIds {
  ConnectionId local;
  ConnectionId peer;                        // Of a client, until it has heard of the server's.
  ConnectionId client_initial_destination;  // From which the Initial keys are derived.
};

class PacketEnd {
 public:
  // The TLS session was made with transport parameters that have the right connection ids.
  PacketEnd(Perspective perspective, const PacketEndIds& ids, std::unique_ptr<TlsSession> session);

  // Everything that is to be said now: CRYPTO data, acknowledgments, HANDSHAKE_DONE, coalesced into
  // datagrams of 1,200 bytes at most.
  std::vector<DatagramBytes> Send();

  // `data` on stream 0, behind what was sent before, in a train of datagrams of `datagram_bytes`.
  // Needs 1-RTT keys.
  std::vector<DatagramBytes> SendStream(std::span<const uint8_t> data, size_t datagram_bytes);

  // Takes a datagram apart, in place. Packets that cannot be opened are counted.
  Result OnDatagram(std::span<uint8_t> datagram, TlsTime time);

  const TlsSession& session() const { return *session_; }
  // Set once they have come and their connection ids are the right ones.
  const std::optional<TransportParameters>& peer_parameters() const { return peer_parameters_; }
  bool handshake_confirmed() const { return handshake_confirmed_; }
  const std::vector<uint8_t>& stream_data() const { return stream_data_; }
  size_t dropped_packets() const { return dropped_packets_; }
  std::vector<PacketRecord> TakeReceived() { return std::exchange(received_, {}); }

 private:
  struct Keys {
    std::optional<PacketSealer> sealer;
    std::optional<PacketOpener> opener;
    std::optional<HeaderProtector> send_header;
    std::optional<HeaderProtector> recv_header;
  };
  struct Space {
    uint64_t next_packet_number = 0;
    std::optional<PacketNumber> largest_received;
    bool is_ack_pending = false;
    uint64_t crypto_sent_bytes = 0;
    uint64_t crypto_received_bytes = 0;
  };

  Space& SpaceFor(EncryptionLevel level) { return spaces_[static_cast<size_t>(SpaceOf(level))]; }
  void InstallKeys(EncryptionLevel level, SecretDirection direction, const TrafficSecret& secret);
  void DrainSecrets();

  bool HasFramesFor(EncryptionLevel level) const;
  void AppendPacket(EncryptionLevel level, bool is_padded, DatagramBytes* datagram);
  void WriteFrames(EncryptionLevel level, ByteWriter& writer);
  void WriteLongPacket(EncryptionLevel level, bool is_padded, std::span<uint8_t>* packet);
  void WriteShortPacket(std::span<uint8_t>* packet);

  Result OnPacket(ProtectedPacket packet, TlsTime time);
  OpenOutcome Open(const EncryptedPacket& packet, TlsTime time);
  Result OnPayload(const PlainPacket& packet, TlsTime time);
  Result OnCrypto(const CryptoFrame& frame, EncryptionLevel level, TlsTime time);
  Result ReadPeerParameters();

  Perspective perspective_;
  PacketEndIds ids_;
  std::unique_ptr<TlsSession> session_;
  std::optional<TransportParameters> peer_parameters_;
  std::array<Keys, kEncryptionLevelCount> keys_;  // Of 1-RTT: key_phases_.
  KeyPhases key_phases_;
  ForgeryCount forgeries_;
  std::array<Space, kPacketNumberSpaceCount> spaces_;
  bool handshake_confirmed_ = false;
  uint64_t stream_sent_bytes_ = 0;
  std::vector<uint8_t> stream_data_;
  size_t dropped_packets_ = 0;
  std::vector<PacketRecord> received_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_EXCHANGE_PACKET_END_H_
