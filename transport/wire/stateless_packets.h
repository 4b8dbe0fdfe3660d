// SPDX-License-Identifier: Apache-2.0
//
// Layouts of the packets that need no connection: Version Negotiation (RFC 8999 §6, RFC 9000
// §17.2.1), Retry (RFC 9000 §17.2.5) and the stateless reset (RFC 9000 §10.3).
//
// Not here: when to send or to believe one, how many, the cryptography of Retry's integrity tag and
// of reset tokens. Sizes are exact; views point into the datagram that was parsed.
//
// Invariant: whatever is written here is smaller than the datagram that it answers, as far as this
// file decides the size (the reset; the others carry what the caller gives).
#ifndef GODWIT_TRANSPORT_WIRE_STATELESS_PACKETS_H_
#define GODWIT_TRANSPORT_WIRE_STATELESS_PACKETS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/environment.h"
#include "godwit/connection_id.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/version.h"

namespace godwit {

// ---- Version Negotiation ----

// One that was received.
class VersionNegotiationPacket {
 public:
  // `datagram`: a whole one. Nullopt: it is malformed, lists no version or ends within one, and is
  // to be ignored (RFC 8999 §6).
  [[nodiscard]] static std::optional<VersionNegotiationPacket> Parse(
      std::span<const uint8_t> datagram);

  // RFC 8999 §6: they must be the source and destination of the packet that provoked this one.
  std::span<const uint8_t> dcid() const { return dcid_; }
  std::span<const uint8_t> scid() const { return scid_; }

  size_t version_count() const { return versions_.size() / sizeof(uint32_t); }
  uint32_t version(size_t index) const;  // index < version_count()

  // RFC 9000 §6.2: a client discards the packet if this is true of the version that it used.
  bool Lists(uint32_t version) const;

 private:
  VersionNegotiationPacket() = default;

  std::span<const uint8_t> dcid_;
  std::span<const uint8_t> scid_;
  std::span<const uint8_t> versions_;
};

// One to be sent. The connection ids are those of the received packet, as received, of 255 bytes at
// most (InvariantHeader has no longer ones); they are echoed crosswise.
struct VersionNegotiationResponse {
  std::span<const uint8_t> received_dcid = {};
  std::span<const uint8_t> received_scid = {};
  uint32_t received_version = 0;
  // Not empty. received_version, should it be among them, is left out, or the client discards the
  // packet; a reserved one is made with MakeReservedVersionOtherThan().
  std::span<const uint32_t> supported_versions = {};
  uint8_t random_bits = 0;  // RFC 9000 §17.2.1: the Unused field is arbitrary.
};

size_t VersionNegotiationSize(const VersionNegotiationResponse& response);
void WriteVersionNegotiation(const VersionNegotiationResponse& response, ByteWriter& writer);

// ---- Retry ----

inline constexpr size_t kRetryIntegrityTagSize = 16;  // RFC 9001 §5.8

// One that was received.
class RetryPacket {
 public:
  // `bytes`: a part of kind kRetry. Nullopt: it is no Retry packet of version 1, or has connection
  // ids above 20 bytes, no room for the tag, or an empty token, which a client discards (RFC 9000
  // §17.2, §17.2.5.2). The fixed bit may be greased: DatagramSplitter has judged it.
  [[nodiscard]] static std::optional<RetryPacket> Parse(std::span<const uint8_t> bytes);

  std::span<const uint8_t> dcid() const { return dcid_; }
  // RFC 9000 §17.2.5.1: discarded if equal to the client's first destination connection id.
  std::span<const uint8_t> scid() const { return scid_; }
  std::span<const uint8_t> token() const { return token_; }
  std::span<const uint8_t, kRetryIntegrityTagSize> integrity_tag() const {
    return bytes_.last<kRetryIntegrityTagSize>();
  }
  std::span<const uint8_t> bytes_without_tag() const {
    return bytes_.first(bytes_.size() - kRetryIntegrityTagSize);
  }

 private:
  RetryPacket() = default;

  std::span<const uint8_t> bytes_;
  std::span<const uint8_t> dcid_;
  std::span<const uint8_t> scid_;
  std::span<const uint8_t> token_;
};

// One to be sent.
struct RetryHeader {
  std::span<const uint8_t> dcid = {};   // The client's source connection id.
  std::span<const uint8_t> scid = {};   // Our choice; must differ from the client's destination.
  std::span<const uint8_t> token = {};  // Not empty.
  uint8_t random_bits = 0;              // RFC 9000 §17.2.5: the Unused field is arbitrary.
};

// Bytes of the packet without its integrity tag, which the caller computes over the pseudo-packet
// and appends.
size_t RetrySizeWithoutTag(const RetryHeader& header);
void WriteRetryWithoutTag(const RetryHeader& header, ByteWriter& writer);

// RFC 9001 §5.8: what the integrity tag authenticates. `original_dcid`: the destination connection
// id of the client's Initial packet that is answered.
size_t RetryPseudoPacketSize(const ConnectionId& original_dcid,
                             std::span<const uint8_t> retry_without_tag);
void WriteRetryPseudoPacket(const ConnectionId& original_dcid,
                            std::span<const uint8_t> retry_without_tag, ByteWriter& writer);

// ---- Stateless reset ----

// RFC 9000 §10.3: no packet is smaller, and so no reset.
inline constexpr size_t kMinPacketSize = 21;

// The least that we send: a byte more, so that a peer that demands connection ids of one byte or
// more still takes it for a packet.
inline constexpr size_t kMinStatelessResetSize = 22;

// The greatest that we send.
inline constexpr size_t kMaxStatelessResetSize = 73;

// How large a reset to send in answer to a datagram of `provoking_size` bytes; nullopt: none,
// because RFC 9000 §10.3.3 wants every reset smaller than what provoked it, lest two endpoints
// answer each other's for ever.
std::optional<size_t> StatelessResetSize(size_t provoking_size, Random& random);

// Fills `datagram`, of StatelessResetSize() bytes.
void WriteStatelessReset(const StatelessResetToken& token, Random& random,
                         std::span<uint8_t> datagram);

// RFC 9000 §10.3.1: the bytes of a datagram that may be a reset token, whatever its header looks
// like; nullopt: it is too small for a reset. Compare with == of StatelessResetToken, which is
// constant-time, and look only when no packet of the datagram could be processed.
std::optional<StatelessResetToken> CandidateResetToken(std::span<const uint8_t> datagram);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_STATELESS_PACKETS_H_
