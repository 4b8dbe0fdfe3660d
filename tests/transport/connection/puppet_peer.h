// SPDX-License-Identifier: Apache-2.0
//
// PuppetPeer: the other end of a connection under test, on strings. It has a TLS session and so all
// the keys; it seals whatever frames it is given in whatever packet, and opens and decodes what the
// connection says. Of its own it only runs the handshake, when it is asked to: Flight().
//
// It has no clock, sends nothing again, obeys no limit and checks no rule of the transport.
// RFC 9000 §7, §12, §17; RFC 9001 §4 to §6.
#ifndef GODWIT_TESTS_TRANSPORT_CONNECTION_PUPPET_PEER_H_
#define GODWIT_TESTS_TRANSPORT_CONNECTION_PUPPET_PEER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"
#include "crypto/tls_session.h"
#include "godwit/connection_id.h"
#include "godwit/four_tuple.h"
#include "godwit/perspective.h"
#include "tests/transport/connection/raw_frames.h"
#include "transport/wire/frame.h"
#include "transport/wire/protected_packet.h"
#include "transport/wire/version.h"

namespace godwit {

// A packet of the connection's, opened. The frames point into the payload.
struct SeenPacket {
  EncryptionLevel level;
  uint64_t number;
  size_t size;
  ConnectionId dcid;
  ConnectionId scid;  // Of a long header.
  bool key_phase;
  raw::Bytes token;
  raw::Bytes payload;
  std::vector<Frame> frames;

  bool Has(FrameKind kind) const;
  // The first one of that kind; null if there is none.
  template <typename F>
  const F* Find() const {
    for (const Frame& frame : frames) {
      if (frame.kind() == F::kKind) return &frame.As<F>();
    }
    return nullptr;
  }
};

// A datagram of the connection's.
struct SeenDatagram {
  FourTuple four_tuple;  // As the connection sees it.
  raw::Bytes bytes;      // As it was sent.
  std::vector<SeenPacket> packets;
  size_t unreadable_count = 0;  // Parts that the puppet could not open.

  size_t size() const { return bytes.size(); }
  bool Has(FrameKind kind) const;
  bool Has(EncryptionLevel level) const;
  template <typename F>
  const F* Find() const {
    for (const SeenPacket& packet : packets) {
      if (const F* const frame = packet.template Find<F>()) return frame;
    }
    return nullptr;
  }
};

// A packet to be sealed.
struct PuppetPacket {
  EncryptionLevel level = EncryptionLevel::kOneRtt;
  raw::Bytes frames = {};
  // The next one of the level if there is none. What follows counts on from the largest.
  std::optional<uint64_t> number = std::nullopt;
  size_t number_size = 4;
  // Those of the handshake if there are none.
  std::optional<ConnectionId> dcid = std::nullopt;
  std::optional<ConnectionId> scid = std::nullopt;
  raw::Bytes token = {};
  uint32_t version = kVersion1;
  // PADDING is added up to this size of the whole packet.
  size_t min_size = 0;
  // XORed onto the first byte before the packet is sealed. Not the form of the header, nor the
  // size of the packet number.
  uint8_t first_byte_mask = 0;
  // Of the 1-RTT keys; that of UpdateKeys() if there is none.
  std::optional<uint64_t> generation = std::nullopt;
};

class PuppetPeer {
 public:
  struct Ids {
    ConnectionId local;
    ConnectionId remote;                // Of a client, until it has heard of the server's.
    ConnectionId original_destination;  // From which the Initial keys follow.
  };

  PuppetPeer(Perspective perspective, const Ids& ids, std::unique_ptr<TlsSession> session);

  // ---- Sending ----

  bool CanSeal(EncryptionLevel level) const {
    return !send_secrets_[static_cast<size_t>(level)].empty();
  }
  // The keys of its level exist.
  raw::Bytes Seal(const PuppetPacket& packet);
  // For packets that follow: the next generation of 1-RTT keys.
  void UpdateKeys() { ++send_generation_; }
  uint64_t next_number(EncryptionLevel level) const { return SpaceFor(level).next_number; }
  void SetNextNumber(EncryptionLevel level, uint64_t number) {
    SpaceFor(level).next_number = number;
  }

  // CRYPTO frames with what TLS has to say at `level`, each of at most `max_bytes` of data.
  std::vector<raw::Bytes> TakeCryptoFrames(EncryptionLevel level, size_t max_bytes);
  // An ACK frame for all that was seen of the level; empty if nothing was.
  raw::Bytes AckOfAllSeen(EncryptionLevel level) const;
  // What an honest peer would say: acknowledgments of what has come since the last time, CRYPTO
  // data. Datagrams of 1200 bytes.
  std::vector<raw::Bytes> Flight();

  // ---- Receiving ----

  // Also feeds TLS.
  SeenDatagram Read(std::span<const uint8_t> datagram, const FourTuple& four_tuple, TlsTime now);

  // ---- What is known ----

  const Ids& ids() const { return ids_; }
  // Where packets go from now on.
  void SetRemoteId(const ConnectionId& id) { ids_.remote = id; }
  TlsSession& tls() { return *session_; }
  // What TLS made of the connection's handshake.
  Result tls_result() const { return tls_result_; }
  const std::set<uint64_t>& seen_numbers(EncryptionLevel level) const {
    return SpaceFor(level).seen;
  }

 private:
  struct Space {
    uint64_t next_number = 0;
    std::set<uint64_t> seen;
    bool is_ack_wanted = false;
    uint64_t crypto_sent_bytes = 0;
    uint64_t crypto_received_bytes = 0;
    std::map<uint64_t, raw::Bytes> crypto_ahead;
  };
  using Secrets = std::vector<TrafficSecret>;  // By generation.

  const Space& SpaceFor(EncryptionLevel level) const {
    return spaces_[static_cast<size_t>(SpaceOf(level))];
  }
  Space& SpaceFor(EncryptionLevel level) { return spaces_[static_cast<size_t>(SpaceOf(level))]; }
  static const TrafficSecret& SecretOf(Secrets& secrets, uint64_t generation);
  void DrainSecrets();

  void ReadPacket(ProtectedPacket packet, TlsTime now, SeenDatagram& datagram);
  // The payload, if a key opens it.
  std::optional<raw::Bytes> Open(const EncryptedPacket& packet);
  void TakeFrames(SeenPacket& packet, TlsTime now);
  void OnCrypto(const CryptoFrame& frame, EncryptionLevel level, TlsTime now);

  Perspective perspective_;
  Ids ids_;
  std::unique_ptr<TlsSession> session_;
  Result tls_result_ = Result::Ok();
  std::array<Secrets, kEncryptionLevelCount> send_secrets_;
  std::array<Secrets, kEncryptionLevelCount> recv_secrets_;
  uint64_t send_generation_ = 0;
  uint64_t recv_generation_ = 0;
  std::array<Space, kPacketNumberSpaceCount> spaces_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_CONNECTION_PUPPET_PEER_H_
