// SPDX-License-Identifier: Apache-2.0
//
// Packet protection with one key in one direction: PacketSealer, PacketOpener, and the calls that
// seal a packet or a whole train and then hide the headers. RFC 9001 §5.3, §5.4, §6.6.
//
// Which key is the right one, when it is updated and what follows from a failure is decided
// elsewhere (key_phases.h for 1-RTT). Nothing here allocates after construction.
//
// Invariants: 1. A sealer never uses a packet number that is not above all it used before: the
// nonce comes from it, and a nonce used twice gives the AEAD's authentication key away. 2. A sealer
// seals no more packets than the confidentiality limit. 3. Keys are wiped when their owner dies.
#ifndef GODWIT_CRYPTO_PACKET_PROTECTOR_H_
#define GODWIT_CRYPTO_PACKET_PROTECTOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/packet_number.h"
#include "base/result.h"
#include "crypto/cipher_suite.h"
#include "crypto/header_protector.h"
#include "crypto/key_schedule.h"

struct evp_aead_ctx_st;

namespace godwit {

// In packets. RFC 9001 §6.6.
struct AeadLimits {
  uint64_t confidentiality_packets;  // sealed with one key
  uint64_t integrity_packets;        // that failed to open, over all keys of a connection
};

AeadLimits LimitsOf(CipherSuite suite);

// How many packets of a connection failed authentication. RFC 9001 §6.6: the count goes over all
// keys, so that a connection has one of these and hands it to all its openers.
struct ForgeryCount {
  uint64_t packets = 0;
};

// A packet to be sealed. `bytes` is all of it as it will go out: the header, not yet protected,
// with the packet number at its end; the payload; room for the tag. If `tail` is not empty, the
// last tail.size() bytes of the payload are not there yet: they are read from `tail` (which must
// not overlap `bytes`), so that stream data goes from the application's memory straight into the
// packet.
struct OutgoingPacket {
  std::span<uint8_t> bytes;
  size_t header_length;
  PacketNumber packet_number;
  std::span<const uint8_t> tail = {};
};

// A packet to be opened, after its header protection was removed.
struct IncomingPacket {
  std::span<const uint8_t> header;       // up to and with the packet number
  std::span<uint8_t> protected_payload;  // the rest: ciphertext and tag
  PacketNumber packet_number;
};

// What came of opening a packet. Not opened: it is dropped (DropReason::kDecryptFailed), and the
// connection closed if `result` is an error.
struct [[nodiscard]] OpenOutcome {
  bool opened = false;
  Result result = Result::Ok();
  std::span<uint8_t> payload = {};  // the plain text, at the start of protected_payload
};

// The AEAD with its key: evp_aead_ctx_st is BoringSSL's EVP_AEAD_CTX, which wipes itself when
// freed.
class AeadKey {
 public:
  explicit AeadKey(const PacketKey& key);

  evp_aead_ctx_st* context() const { return context_.get(); }

  // RFC 9001 §5.3.
  std::array<uint8_t, kAeadNonceLength> NonceFor(PacketNumber packet_number) const;

 private:
  struct ContextDeleter {
    void operator()(evp_aead_ctx_st* context) const;
  };

  std::unique_ptr<evp_aead_ctx_st, ContextDeleter> context_;
  SecretBytes<kAeadNonceLength> iv_;
};

class PacketSealer {
 public:
  explicit PacketSealer(const PacketKey& key) : PacketSealer(key, LimitsOf(key.suite)) {}
  PacketSealer(const PacketKey& key, const AeadLimits& limits);

  // Encrypts the payload in place and writes the tag; the header is left bare. False, with `bytes`
  // untouched, if the confidentiality limit is reached.
  [[nodiscard]] bool Seal(const OutgoingPacket& packet);

  // How many more packets may be sealed.
  uint64_t remaining_packets() const { return remaining_packets_; }

 private:
  AeadKey key_;
  bool splits_tail_;
  uint64_t remaining_packets_;
  uint64_t least_packet_number_ = 0;
};

class PacketOpener {
 public:
  explicit PacketOpener(const PacketKey& key) : PacketOpener(key, LimitsOf(key.suite)) {}
  PacketOpener(const PacketKey& key, const AeadLimits& limits);

  // Decrypts the payload in place if the packet is authentic. If not, the payload is overwritten
  // with zeros except for its last 16 bytes, which may be a stateless reset token (RFC 9000
  // §10.3.1), and the failure is counted.
  //
  // RFC 9001 §6.6: when more packets failed than the integrity limit allows, nothing is opened any
  // more, and the outcome says that the connection must be closed.
  OpenOutcome Open(const IncomingPacket& packet, ForgeryCount& forgeries) const;

 private:
  AeadKey key_;
  uint64_t integrity_limit_;
};

// Seals a packet and protects its header. False, with the packet untouched, if the confidentiality
// limit is reached. Packet number and payload take at least 4 bytes together (RFC 9001 §5.4.2).
[[nodiscard]] bool ProtectPacket(PacketSealer& sealer, HeaderProtector& header_protector,
                                 const OutgoingPacket& packet);

// The same for many packets in ascending order of their numbers: all or none.
[[nodiscard]] bool ProtectTrain(PacketSealer& sealer, HeaderProtector& header_protector,
                                std::span<const OutgoingPacket> packets);

}  // namespace godwit

#endif  // GODWIT_CRYPTO_PACKET_PROTECTOR_H_
