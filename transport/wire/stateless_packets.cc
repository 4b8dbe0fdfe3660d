// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/stateless_packets.h"

#include <algorithm>

#include "base/check.h"
#include "transport/wire/big_endian.h"
#include "transport/wire/byte_reader.h"
#include "transport/wire/invariant_header.h"
#include "transport/wire/packet_first_byte.h"

namespace godwit {
namespace {

// RFC 9000 §10.3: answers to datagrams up to this size are one byte smaller.
constexpr size_t kLargestProvokingSizeToUndercut = 43;

// Answers to greater ones are at least this large: RFC 9000 §10.3.3 says that an observer might
// know a reset below 41 bytes for what it is, and this goes on from where the undercut ones end.
constexpr size_t kMinStatelessResetSizeToLargePackets = kLargestProvokingSizeToUndercut - 1;

static_assert(kMinStatelessResetSizeToLargePackets >= 41);

}  // namespace

std::optional<VersionNegotiationPacket> VersionNegotiationPacket::Parse(
    std::span<const uint8_t> datagram) {
  InvariantHeader header;
  if (!ParseInvariantHeader(datagram, 0, &header) || header.version != kVersionNegotiation) {
    return std::nullopt;
  }
  VersionNegotiationPacket packet;
  packet.dcid_ = header.dcid;
  packet.scid_ = header.scid;
  packet.versions_ = header.rest;
  // RFC 8999 §6.
  if (packet.versions_.empty() || packet.versions_.size() % sizeof(uint32_t) != 0) {
    return std::nullopt;
  }
  return packet;
}

uint32_t VersionNegotiationPacket::version(size_t index) const {
  GODWIT_CHECK_LT(index, version_count());
  return LoadBigEndian32(&versions_[index * sizeof(uint32_t)]);
}

bool VersionNegotiationPacket::Lists(uint32_t version) const {
  for (size_t i = 0; i < version_count(); ++i) {
    if (this->version(i) == version) return true;
  }
  return false;
}

size_t VersionNegotiationSize(const VersionNegotiationResponse& response) {
  const std::span<const uint32_t> versions = response.supported_versions;
  const auto skipped_count = std::ranges::count(versions, response.received_version);
  return InvariantLongHeaderSize(response.received_scid.size(), response.received_dcid.size()) +
         (versions.size() - static_cast<size_t>(skipped_count)) * sizeof(uint32_t);
}

void WriteVersionNegotiation(const VersionNegotiationResponse& response, ByteWriter& writer) {
  GODWIT_CHECK(!response.supported_versions.empty());
  // RFC 9000 §17.2.1: the fixed bit should look set, for those who tell protocols apart by it.
  writer.WriteUint8(kLongHeaderBit | kFixedBit | response.random_bits);
  writer.WriteUint32(kVersionNegotiation);
  // RFC 8999 §6: to the client its own ids, each in the other's place.
  writer.WriteUint8PrefixedBytes(response.received_scid);
  writer.WriteUint8PrefixedBytes(response.received_dcid);
  for (const uint32_t version : response.supported_versions) {
    GODWIT_DCHECK_NE(version, kVersionNegotiation);
    // RFC 9000 §6.2: the client would discard a packet that lists what it chose.
    if (version == response.received_version) continue;
    writer.WriteUint32(version);
  }
}

std::optional<RetryPacket> RetryPacket::Parse(std::span<const uint8_t> bytes) {
  InvariantHeader header;
  if (!ParseInvariantHeader(bytes, 0, &header) || header.version != kVersion1) return std::nullopt;
  const auto type =
      static_cast<LongPacketType>((bytes[0] & kLongPacketTypeMask) >> kLongPacketTypeShift);
  if (type != LongPacketType::kRetry) return std::nullopt;
  // RFC 9000 §17.2: longer ids are not of version 1.
  if (header.dcid.size() > ConnectionId::kMaxSize || header.scid.size() > ConnectionId::kMaxSize) {
    return std::nullopt;
  }
  // RFC 9000 §17.2.5.2: an empty token is as bad as no room for the tag.
  if (header.rest.size() <= kRetryIntegrityTagSize) return std::nullopt;
  RetryPacket packet;
  packet.bytes_ = bytes;
  packet.dcid_ = header.dcid;
  packet.scid_ = header.scid;
  packet.token_ = header.rest.first(header.rest.size() - kRetryIntegrityTagSize);
  return packet;
}

size_t RetrySizeWithoutTag(const RetryHeader& header) {
  return InvariantLongHeaderSize(header.dcid.size(), header.scid.size()) + header.token.size();
}

void WriteRetryWithoutTag(const RetryHeader& header, ByteWriter& writer) {
  GODWIT_CHECK(!header.token.empty());
  GODWIT_CHECK_LE(header.dcid.size(), ConnectionId::kMaxSize);
  GODWIT_CHECK_LE(header.scid.size(), ConnectionId::kMaxSize);
  const unsigned type = static_cast<unsigned>(LongPacketType::kRetry) << kLongPacketTypeShift;
  writer.WriteUint8(static_cast<uint8_t>(kLongHeaderBit | kFixedBit | type |
                                         (header.random_bits & kRetryUnusedBits)));
  writer.WriteUint32(kVersion1);
  writer.WriteUint8PrefixedBytes(header.dcid);
  writer.WriteUint8PrefixedBytes(header.scid);
  writer.WriteBytes(header.token);
}

size_t RetryPseudoPacketSize(const ConnectionId& original_dcid,
                             std::span<const uint8_t> retry_without_tag) {
  return 1 + original_dcid.size() + retry_without_tag.size();
}

void WriteRetryPseudoPacket(const ConnectionId& original_dcid,
                            std::span<const uint8_t> retry_without_tag, ByteWriter& writer) {
  writer.WriteUint8PrefixedBytes(original_dcid.bytes());
  writer.WriteBytes(retry_without_tag);
}

std::optional<size_t> StatelessResetSize(size_t provoking_size, Random& random) {
  if (provoking_size <= kMinStatelessResetSize) return std::nullopt;
  // RFC 9000 §10.3: small ones are undercut by one byte, to keep as many bytes as can be.
  if (provoking_size <= kLargestProvokingSizeToUndercut) return provoking_size - 1;
  // Of varying size, because real packets are too.
  const size_t largest = std::min(provoking_size - 1, kMaxStatelessResetSize);
  return kMinStatelessResetSizeToLargePackets +
         random.UniformBelow(largest - kMinStatelessResetSizeToLargePackets + 1);
}

void WriteStatelessReset(const StatelessResetToken& token, Random& random,
                         std::span<uint8_t> datagram) {
  GODWIT_CHECK_GE(datagram.size(), kMinStatelessResetSize);
  const std::span<uint8_t> unpredictable =
      datagram.first(datagram.size() - StatelessResetToken::kSize);
  random.Fill(unpredictable);
  // RFC 9000 §10.3: a short header with its fixed bit.
  unpredictable[0] = static_cast<uint8_t>((unpredictable[0] & ~kLongHeaderBit) | kFixedBit);
  std::ranges::copy(token.bytes(), datagram.last<StatelessResetToken::kSize>().begin());
}

std::optional<StatelessResetToken> CandidateResetToken(std::span<const uint8_t> datagram) {
  if (datagram.size() < kMinPacketSize) return std::nullopt;
  return StatelessResetToken(datagram.last<StatelessResetToken::kSize>());
}

}  // namespace godwit
